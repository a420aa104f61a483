package larstest_test

import (
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/lars-lb/lars/api/lars"
	"github.com/lars-lb/lars/internal/larstest"
)

func TestExample(t *testing.T) {
	s := larstest.NewSuite(t, programs, larstest.Options{})
	st := s.Store()
	addHosts(t, st, entry(t, module1, "192.168.1.177:7777"))
	_, stderr, code := s.Run("example", "1", "1")
	if code == 0 || !strings.Contains(stderr, "agent") {
		t.Errorf("without an agent: code %d, %q", code, stderr)
	}
	s.Start()
	stdout := s.MustRun("example", "1", "1")
	if !strings.Contains(stdout, "\nhost is 192.168.1.177:7777\n") {
		t.Errorf("example 1 1 printed\n%s", stdout)
	}
	waitStatus(t, st, module1)
	for _, args := range [][]string{{"9", "9"}, {"-5", "1"}, {"one", "1"}, {"1"}, {}} {
		stdout, stderr, code := s.Run("example", args...)
		if code == 0 || stderr == "" || strings.Contains(stdout, "host is") {
			t.Errorf("example %v: code %d, printed %q, %q", args, code, stdout, stderr)
		}
	}
}

func TestSignalsStopCleanly(t *testing.T) {
	for _, sig := range []syscall.Signal{syscall.SIGTERM, syscall.SIGINT} {
		s := larstest.NewSuite(t, programs, larstest.Options{ReportTimeout: "1h"})
		st := s.Store()
		addHosts(t, st, entry(t, module1, "10.0.0.1:1"))
		s.Start()
		c := newClient(t, s.AgentAddr)
		waitHost(t, c, module1, "10.0.0.1:1")
		h, err := c.GetHost(t.Context(), 1, 1)
		if err != nil {
			t.Fatal(err)
		}
		if err := c.Report(1, 1, h, lars.Success, 0); err != nil {
			t.Fatal(err)
		}
		mustServe(t, c, module1) // the report, sent before, is counted now
		for _, d := range []*larstest.Daemon{s.Agent, s.Reporter, s.DNS} {
			code, took := d.StopBy(sig)
			if code != 0 {
				t.Errorf("%v: code %d after %v\n%s", sig, code, took, d.Log())
			}
			t.Logf("%v: stopped after %v", sig, took)
		}
		waitStatus(t, st, module1) // handed over although it was not due
	}
}

func TestReload(t *testing.T) {
	s := larstest.NewSuite(t, programs, larstest.Options{})
	addHosts(t, s.Store(), entry(t, module1, "10.0.0.1:1"))
	s.Start()
	c := newClient(t, s.AgentAddr)
	waitHost(t, c, module1, "10.0.0.1:1")
	for range 20 {
		h, err := c.GetHost(t.Context(), 1, 1)
		if err == nil {
			err = c.Report(1, 1, h, lars.Failure, 0)
		}
		if err != nil {
			break // overloaded
		}
	}
	conf, err := os.ReadFile(s.Agent.Conf())
	if err != nil {
		t.Fatal(err)
	}
	write := func(text string) {
		if err := os.WriteFile(s.Agent.Conf(), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		s.Agent.Signal(syscall.SIGHUP)
	}
	write(strings.Replace(string(conf), "[loadbalance]\n", "[loadbalance]\nprobe_num = 1\n", 1))
	s.Agent.WaitFor("reloaded")
	picked := 0
	for range 20 { // every other pick probes the only host now
		if _, err := c.GetHost(t.Context(), 1, 1); err == nil {
			picked++
		}
	}
	if picked < 8 {
		t.Errorf("%d of 20 picks were probes with probe_num = 1", picked)
	}
	write(fmt.Sprintf("%s[nonsense]\n", conf))
	s.Agent.WaitFor("reload refused, the settings stay as they were")
	mustEventuallyServe(t, c)
}

// mustEventuallyServe allows for the picks that an overloaded host is passed by.
func mustEventuallyServe(t *testing.T, c *lars.Client) {
	t.Helper()
	for range 20 {
		if _, err := c.GetHost(t.Context(), 1, 1); err == nil {
			return
		}
	}
	t.Error("the agent does not serve")
}

func TestUsedPortIsSaid(t *testing.T) {
	s := larstest.NewSuite(t, programs, larstest.Options{})
	s.Store()
	s.Start()
	for _, d := range []*larstest.Daemon{s.NewDNS(s.DNSAddr), s.NewAgent(s.AgentAddr, s.DNSAddr)} {
		start := time.Now()
		stderr, code := d.RunToEnd(t)
		if code != 1 || !strings.Contains(stderr, "address already in use") {
			t.Errorf("code %d after %v, %s", code, time.Since(start), stderr)
		}
	}
}
