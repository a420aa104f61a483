package lars_test

import (
	"testing"
	"time"

	"github.com/lars-lb/lars/api/lars"
)

func TestConfigValidate(t *testing.T) {
	for _, good := range []lars.Config{
		{}, lars.DefaultConfig(),
		{Agent: "localhost:8888"}, {Agent: "10.0.0.1:65533"}, {Agent: "[::1]:1"},
		{Agent: "127.0.0.1:1,localhost:2, 127.0.0.2:65535"},
		{Timeout: time.Millisecond, MaxSockets: 1}, {Timeout: time.Minute, MaxSockets: 1024},
		{StaleFor: time.Second}, {StaleFor: 24 * time.Hour}, {StaleFor: -1}, {OnStale: func(lars.StaleEvent) {}},
	} {
		if err := good.Validate(); err != nil {
			t.Errorf("%+v: %v", good, err)
		}
		c, err := lars.NewClient(good)
		if err != nil {
			t.Errorf("%+v: %v", good, err)
			continue
		}
		c.Close()
	}
	const form = ": give one IP:PORT, the first of three consecutive ports, or three with commas"
	for _, row := range []struct {
		cfg  lars.Config
		want string
	}{
		{lars.Config{Agent: "8888"}, `lars: agent address "8888": "8888" is not IP:PORT`},
		{lars.Config{Agent: "host:8888"}, `lars: agent address "host:8888": "host:8888" is not IP:PORT`},
		{lars.Config{Agent: "127.0.0.1:0"}, `lars: agent address "127.0.0.1:0": 127.0.0.1:0 needs an address to send to and a port of 1 to 65535`},
		{lars.Config{Agent: "0.0.0.0:8888"}, `lars: agent address "0.0.0.0:8888": 0.0.0.0:8888 needs an address to send to and a port of 1 to 65535`},
		{lars.Config{Agent: "127.0.0.1:65534"}, `lars: agent address "127.0.0.1:65534": the first of three consecutive ports is at most 65533`},
		{lars.Config{Agent: "127.0.0.1:1,127.0.0.1:2"}, `lars: agent address "127.0.0.1:1,127.0.0.1:2"` + form},
		{lars.Config{Agent: "127.0.0.1:1,,127.0.0.1:2"}, `lars: agent address "127.0.0.1:1,,127.0.0.1:2": "" is not IP:PORT`},
		{lars.Config{Timeout: time.Microsecond}, "lars: timeout 1µs: must be from 1ms to 1m"},
		{lars.Config{Timeout: -1}, "lars: timeout -1ns: must be from 1ms to 1m"},
		{lars.Config{Timeout: time.Hour}, "lars: timeout 1h0m0s: must be from 1ms to 1m"},
		{lars.Config{MaxSockets: -1}, "lars: max sockets -1: must be from 1 to 1024"},
		{lars.Config{MaxSockets: 1025}, "lars: max sockets 1025: must be from 1 to 1024"},
		{lars.Config{StaleFor: 1}, "lars: stale for 1ns: must be from 1s to 24h, or negative for never"},
		{lars.Config{StaleFor: 25 * time.Hour}, "lars: stale for 25h0m0s: must be from 1s to 24h, or negative for never"},
	} {
		if err := row.cfg.Validate(); err == nil || err.Error() != row.want {
			t.Errorf("%+v: %v\nwant %s", row.cfg, err, row.want)
		}
		if c, err := lars.NewClient(row.cfg); err == nil {
			t.Errorf("%+v made a client", row.cfg)
			c.Close()
		}
	}
}

func TestHostText(t *testing.T) {
	h, err := lars.ParseHost("10.0.0.1:80")
	if err != nil {
		t.Fatal(err)
	}
	if text, err := h.MarshalText(); err != nil || string(text) != "10.0.0.1:80" {
		t.Errorf("MarshalText = %q, %v", text, err)
	}
	if h, err := lars.ParseHost("10.0.0.1"); err == nil {
		t.Errorf("a host without a port is %v", h)
	}
}

// FuzzAgentAddress holds what is accepted to what a client can be made from.
func FuzzAgentAddress(f *testing.F) {
	for _, s := range []string{"", "127.0.0.1:8888", "a,b,c", "[::1%lo]:1", "1.1.1.1:1,1.1.1.1:2,1.1.1.1:3", "localhost:65533", ",,"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		cfg := lars.Config{Agent: s}
		valid := cfg.Validate()
		c, err := lars.NewClient(cfg)
		if (valid == nil) != (err == nil) {
			t.Errorf("%q: Validate = %v, NewClient = %v", s, valid, err)
		}
		if err == nil {
			c.Close()
		}
	})
}
