package lars

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/lars-lb/lars/internal/route"
)

// Config says where the agent is and what a call may cost. The zero value of a
// field stands for its default, so Config{} is the usual configuration.
type Config struct {
	// Agent is the address of the agent's three UDP ports: either the first
	// of three consecutive ones ("127.0.0.1:8888"), or all three in order,
	// with commas ("127.0.0.1:8888,127.0.0.1:8889,127.0.0.1:8890"). Each is an
	// IP address, or localhost, and a port. Default 127.0.0.1:8888.
	Agent string

	// Timeout bounds a call whose context has no earlier deadline. Default
	// 1 s; 1 ms to 1 min.
	Timeout time.Duration

	// MaxSockets is how many calls may be under way to each of the agent's
	// three ports, a socket each. One more looks for an agent that is away. Default 64; 1 to 1024.
	MaxSockets int

	// StaleFor is how long after the agent's last answer for a module calls are
	// answered from memory while the agent is away. Default 5 min; 1 s to 24 h,
	// or negative for never.
	StaleFor time.Duration

	// OnStale, when it is set, is told of each module that begins or ends to be
	// answered for from memory. It is called by the call that notices, or one
	// that is under way then, before that call returns: it must not block. It
	// is called for one event at a time, in order, and may use the client.
	OnStale func(StaleEvent)
}

// DefaultConfig returns the configuration that Config{} stands for.
func DefaultConfig() Config {
	return Config{Agent: "127.0.0.1:8888", Timeout: time.Second, MaxSockets: 64, StaleFor: 5 * time.Minute}
}

// Validate says what is wrong with c and what is allowed instead.
func (c Config) Validate() error {
	c = c.withDefaults()
	if _, err := parseAgent(c.Agent); err != nil {
		return err
	}
	if c.Timeout < time.Millisecond || c.Timeout > time.Minute {
		return fmt.Errorf("lars: timeout %v: must be from 1ms to 1m", c.Timeout)
	}
	if c.MaxSockets < 1 || c.MaxSockets > 1024 {
		return fmt.Errorf("lars: max sockets %d: must be from 1 to 1024", c.MaxSockets)
	}
	if c.StaleFor >= 0 && c.StaleFor < time.Second || c.StaleFor > 24*time.Hour {
		return fmt.Errorf("lars: stale for %v: must be from 1s to 24h, or negative for never", c.StaleFor)
	}
	return nil
}

func (c Config) withDefaults() Config {
	d := DefaultConfig()
	if c.Agent == "" {
		c.Agent = d.Agent
	}
	if c.Timeout == 0 {
		c.Timeout = d.Timeout
	}
	if c.MaxSockets == 0 {
		c.MaxSockets = d.MaxSockets
	}
	if c.StaleFor == 0 {
		c.StaleFor = d.StaleFor
	}
	return c
}

// parseAgent reads Config.Agent. The addresses are in the order of the agent's
// shards.
func parseAgent(s string) ([route.Shards]netip.AddrPort, error) {
	var addrs [route.Shards]netip.AddrPort
	parts := strings.Split(s, ",")
	if len(parts) != 1 && len(parts) != route.Shards {
		return addrs, fmt.Errorf("lars: agent address %q: give one IP:PORT, the first of three consecutive ports, or three with commas", s)
	}
	for i, part := range parts {
		ap, err := parseAgentPort(strings.TrimSpace(part))
		if err != nil {
			return addrs, fmt.Errorf("lars: agent address %q: %w", s, err)
		}
		addrs[i] = ap
	}
	if len(parts) == 1 {
		first := addrs[0]
		if first.Port() > 65535-(route.Shards-1) {
			return addrs, fmt.Errorf("lars: agent address %q: the first of three consecutive ports is at most 65533", s)
		}
		for i := range addrs {
			addrs[i] = netip.AddrPortFrom(first.Addr(), first.Port()+uint16(i))
		}
	}
	return addrs, nil
}

func parseAgentPort(s string) (netip.AddrPort, error) {
	if number, ok := strings.CutPrefix(s, "localhost:"); ok {
		s = "127.0.0.1:" + number
	}
	ap, err := netip.ParseAddrPort(s)
	if err != nil {
		return ap, fmt.Errorf("%s is not IP:PORT", strconv.Quote(s))
	}
	if ap.Port() == 0 || ap.Addr().IsUnspecified() {
		return ap, fmt.Errorf("%s needs an address to send to and a port of 1 to 65535", s)
	}
	return ap, nil
}
