package config_test

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/lars-lb/lars/internal/config"
)

func TestDefaultsAreValid(t *testing.T) {
	if err := config.DefaultDNS().Validate(); err != nil {
		t.Error(err)
	}
	if err := config.DefaultReporter().Validate(); err != nil {
		t.Error(err)
	}
	if err := config.DefaultAgent().Validate(); err != nil {
		t.Error(err)
	}
}

func TestValidate(t *testing.T) {
	c := config.DefaultDNS()
	c.PollInterval = time.Hour
	c.Reactor.MaxConn = 0
	const want = `[reactor] maxConn = "0": want a number of 1 to 1000000
[dns] poll_interval = "1h0m0s": want a duration of 10ms to 1m, with a unit (250ms, 15s, 24h) or in seconds`
	if err := c.Validate(); err == nil || err.Error() != want {
		t.Errorf("message:\n%v\nwant:\n%s", err, want)
	}
	if config.DefaultDNS().PollInterval != 100*time.Millisecond {
		t.Error("validation changed the defaults")
	}
}

// The zero value of a struct has no address to listen on, no driver and no
// intervals; nothing of it may pass for a configuration.
func TestZeroIsInvalid(t *testing.T) {
	err := config.Agent{}.Validate()
	if err == nil {
		t.Fatal("the zero Agent is valid")
	}
	for _, want := range []string{"[agent] ip", "[dnsserver] port", "[loadbalance] policy", "[loadbalance] report_timeout", "[log] format"} {
		if !strings.Contains(err.Error(), want+" = ") {
			t.Errorf("no word of %s in:\n%v", want, err)
		}
	}
}

func TestChanged(t *testing.T) {
	old := config.DefaultAgent()
	next := old
	if got := old.Changed(next); got != nil {
		t.Errorf("changed: %v", got)
	}
	next.Balance.ErrRate = 0.2
	next.Port = 9999
	next.Log.Level++
	if got, want := old.Changed(next), []string{"[agent] port", "[loadbalance] err_rate", "[log] level"}; !reflect.DeepEqual(got, want) {
		t.Errorf("changed: %v, want %v", got, want)
	}
	a, b := config.DefaultDNS(), config.DefaultDNS()
	b.Store.Password = "another"
	if got := a.Changed(b); !reflect.DeepEqual(got, []string{"[mysql] db_passwd"}) {
		t.Errorf("changed: %v", got)
	}
}
