package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"

	"github.com/lars-lb/lars/api/lars"
	"github.com/lars-lb/lars/internal/lbagent"
	"github.com/lars-lb/lars/internal/route"
	"github.com/lars-lb/lars/internal/store"
)

// samples is how many modules of each agent are compared besides those that
// changed.
const samples = 100

// compare asks every agent for the routes that changed and for some others, and
// holds them against the database.
func (f *fleet) compare(ctx context.Context) error {
	want := make(map[route.Module][]string)
	err := f.store.ReadRoutes(ctx, func(r store.RouteRow) error {
		if n, ok := r.Node(); ok {
			want[r.Module] = append(want[r.Module], n.Host().String())
		}
		return nil
	})
	if err != nil {
		return err
	}
	for i, a := range f.agents {
		modules := f.changes()
		for range samples {
			modules = append(modules, module(rand.IntN(f.modules)))
		}
		if err := compareAgent(ctx, a, modules, want); err != nil {
			return fmt.Errorf("agent %d: %w", i, err)
		}
	}
	return nil
}

func compareAgent(ctx context.Context, a *lbagent.Agent, modules []route.Module, want map[route.Module][]string) (err error) {
	var addrs []string
	for _, addr := range a.Addrs() {
		addrs = append(addrs, addr.String())
	}
	c, err := lars.NewClient(lars.Config{Agent: strings.Join(addrs, ",")})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, c.Close()) }()
	for _, m := range modules {
		hosts, err := c.GetRoute(ctx, m.ModID, m.CmdID)
		if err != nil {
			return err
		}
		var got []string
		for _, h := range hosts {
			got = append(got, h.String())
		}
		slices.Sort(got)
		if slices.Sort(want[m]); !slices.Equal(got, want[m]) {
			return fmt.Errorf("the route of %v is %v, in the database it is %v", m, got, want[m])
		}
	}
	return nil
}
