package imports_test

import (
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/lars-lb/lars/"

// deps is everything of this module that a package imports, directly or not.
func deps(t *testing.T, pkg string) []string {
	t.Helper()
	out, err := exec.Command("go", "list", "-deps", module+pkg).Output()
	if err != nil {
		t.Fatalf("go list -deps %s: %v", pkg, err)
	}
	var own []string
	for _, d := range strings.Fields(string(out)) {
		if name, ok := strings.CutPrefix(d, module); ok && name != pkg {
			own = append(own, name)
		}
	}
	return own
}

// TestImports lists, for each package, everything of ours that it may depend
// on. A package that is not listed may depend on anything.
func TestImports(t *testing.T) {
	const (
		balance, config, daemon = "internal/balance", "internal/config", "internal/daemon"
		larspb, reactor, route  = "proto/larspb", "reactor", "internal/route"
		routepb, store, wire    = "internal/routepb", "internal/store", "internal/wire"
		inspect                 = "internal/inspect"
		peers, sim              = "internal/sim/peers", "internal/sim"
		program                 = "internal/program"
		snapshot                = "internal/snapshot"
		metrics                 = "internal/metrics"
		chaos                   = "internal/chaos"
	)
	for pkg, allowed := range map[string][]string{
		wire:    {},
		route:   {},
		config:  {},
		daemon:  {},
		reactor: {wire},
		store:   {config, route},
		balance: {route},
		routepb: {larspb, route},
		inspect: {},

		snapshot: {route},

		peers:          {},
		sim:            {balance, peers, route},
		sim + "/chart": {balance, peers, route, sim},
		program:        {},
		sim + "/live": {
			"api/lars", balance, config, larspb, peers, program, route, sim, store, wire,
		},

		chaos + "/fault":   {},
		chaos + "/relay":   {},
		chaos + "/history": {route},
		chaos + "/model":   {chaos + "/history", route},

		metrics: {reactor, wire},

		"internal/dns":      {config, larspb, metrics, reactor, route, routepb, snapshot, store, wire},
		"internal/reporter": {config, larspb, metrics, reactor, route, store, wire},
		"internal/lbagent":  {balance, config, inspect, larspb, metrics, reactor, route, routepb, snapshot, wire},

		"api/lars":           {larspb, route, wire},
		"api/lars/fakeagent": {larspb, route, wire},
		"example":            {"api/lars", larspb, route, wire},
	} {
		for _, d := range deps(t, pkg) {
			if !slices.Contains(allowed, d) {
				t.Errorf("%s imports %s; it may import %v", pkg, d, allowed)
			}
		}
	}
}
