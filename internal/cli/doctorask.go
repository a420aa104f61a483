package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"github.com/lars-lb/lars/api/lars"
	"github.com/lars-lb/lars/internal/config"
	"github.com/lars-lb/lars/internal/inspect"
	"github.com/lars-lb/lars/internal/store"
)

const (
	// maxAnswer bounds what is read of one answer: an agent's million modules
	// are 250 MB.
	maxAnswer = 512 << 20
	// examineWithin bounds the look at the database, whose driver has limits
	// of its own for each statement.
	examineWithin = 15 * time.Second
)

// examine asks everybody, at the same time, and again an interval later.
func (a *app) examine(ctx context.Context, s *suite, interval time.Duration) error {
	client := &http.Client{Transport: &http.Transport{
		DialContext:           (&net.Dialer{Timeout: a.timeout}).DialContext,
		ResponseHeaderTimeout: a.timeout,
		DisableKeepAlives:     true,
	}}
	var all sync.WaitGroup
	for _, d := range s.daemons {
		all.Go(func() { d.ask(ctx, client, a.timeout, interval) })
	}
	for _, p := range s.ports {
		all.Go(func() { p.ask(ctx, a.timeout) })
	}
	all.Go(func() { a.askDatabase(ctx, s) })
	all.Wait()
	return context.Cause(ctx)
}

// ask fills in what the daemon says.
func (d *daemon) ask(ctx context.Context, client *http.Client, timeout, interval time.Duration) {
	if d.listen != "" {
		c, err := (&net.Dialer{Timeout: timeout}).DialContext(ctx, "tcp", d.listen)
		if err == nil {
			_ = c.Close()
		}
		d.listenErr = err
	}
	if d.admin == "" {
		return
	}
	if d.err = d.get(ctx, client, "/stats", &d.before.root); d.err != nil {
		return
	}
	_ = d.get(ctx, client, "/version", &d.version)
	d.health, d.ready = d.askCondition(ctx, client, "/healthz"), d.askCondition(ctx, client, "/readyz")
	if d.program == agentProgram {
		var modules inspect.Modules
		if d.get(ctx, client, "/modules", &modules) == nil {
			d.modules = modules.Modules
		}
	}
	wait := time.NewTimer(interval)
	defer wait.Stop()
	select {
	case <-wait.C:
	case <-ctx.Done():
	}
	d.err = d.get(ctx, client, "/stats", &d.now.root)
	d.askDescriptors(ctx, client)
}

// askCondition is nil for a daemon that does not know the question.
func (d *daemon) askCondition(ctx context.Context, client *http.Client, path string) *condition {
	c := new(condition)
	if d.get(ctx, client, path, c) != nil {
		return nil
	}
	return c
}

// get reads an answer into value: a text as it is, anything else from JSON. A
// condition is also in an answer of 503.
func (d *daemon) get(ctx context.Context, client *http.Client, path string, value any) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+d.admin+path, nil)
	if err != nil {
		return err
	}
	request.Header.Set("Accept", "application/json")
	response, err := client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	_, isCondition := value.(*condition)
	if response.StatusCode != http.StatusOK && !(isCondition && response.StatusCode == http.StatusServiceUnavailable) {
		return fmt.Errorf("GET %s: %s", path, response.Status)
	}
	body := io.LimitReader(response.Body, maxAnswer)
	if text, ok := value.(*string); ok {
		b, err := io.ReadAll(body)
		*text = strings.TrimSpace(string(b))
		return err
	}
	return json.NewDecoder(body).Decode(value)
}

// askDescriptors reads how many descriptors the daemon has, from its metrics.
func (d *daemon) askDescriptors(ctx context.Context, client *http.Client) {
	var text string
	if d.get(ctx, client, "/metrics", &text) != nil {
		return // of an older version
	}
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(strings.NewReader(text + "\n"))
	if err != nil {
		return
	}
	gauge := func(name string) float64 {
		if m := families[name].GetMetric(); len(m) == 1 {
			return m[0].GetGauge().GetValue()
		}
		return 0
	}
	d.openFDs, d.maxFDs = gauge("process_open_fds"), gauge("process_max_fds")
}

// ask asks each of the ports for a route. Nobody needs to have one: that there
// is none is an answer.
func (p *agentPorts) ask(ctx context.Context, timeout time.Duration) {
	c, err := lars.NewClient(lars.Config{Agent: p.addr, Timeout: timeout})
	if err != nil {
		p.errs, p.failed = []error{err}, []int{0}
		return
	}
	defer c.Close()
	for i := range int32(3) { // (0,i) is served by port i
		if _, err := c.GetRoute(ctx, 0, i); err != nil && !errors.Is(err, lars.ErrNotExist) {
			p.errs, p.failed = append(p.errs, err), append(p.failed, int(i))
		}
	}
}

// askDatabase asks the database that lars-dns's configuration names.
func (a *app) askDatabase(ctx context.Context, s *suite) {
	if _, err := os.Stat(a.conf); err != nil {
		s.remark(a.conf, "there is no such file, so the database was not asked", err.Error(), "name lars-dns's configuration with --conf, where the database can be reached from")
		return
	}
	c, err := config.LoadDNS(a.conf)
	if err != nil {
		s.database = &database{name: "named by " + a.conf, err: err}
		return
	}
	db, err := a.openStore()
	if err != nil {
		s.database = &database{name: a.conf, err: err}
		return
	}
	defer db.Close()
	ctx, cancel := context.WithTimeoutCause(ctx, examineWithin, fmt.Errorf("no answer for %v", examineWithin))
	defer cancel()
	s.database = &database{name: db.name, remote: c.Store.Driver == config.MySQL}
	s.database.look(ctx, db.Store)
}

func (d *database) look(ctx context.Context, s *store.Store) {
	if d.have, d.want, d.err = s.SchemaVersion(ctx); d.err != nil {
		return
	}
	before := time.Now()
	theirs, err := s.Clock(ctx)
	if d.err = err; err != nil {
		return
	}
	after := time.Now()
	d.skew = theirs.Sub(before.Add(after.Sub(before) / 2))
}
