package dns

import (
	"errors"
	"fmt"
	"net/netip"
	"time"

	"github.com/lars-lb/lars/internal/config"
)

// Config is what lars-dns can be told.
type Config struct {
	// Listen is the TCP address; port 0 takes a free one. Default
	// 127.0.0.1:7778.
	Listen netip.AddrPort

	// MaxConn is the most connections served at a time; the newest beyond it
	// is closed. Default 1,024; 1 to 1,000,000.
	MaxConn int

	// Threads is the number of event loops that connections are spread over.
	// Default 5; 1 to 256.
	Threads int

	// PollInterval is the time between two looks at the version of the
	// routes, and so about the time a change takes to be pushed. Default
	// 100 ms; 10 ms to 1 min.
	PollInterval time.Duration

	// ReloadInterval is the time between two readings of all routes, which
	// find what nobody announced. Default 1 min; 10 ms to 24 h.
	ReloadInterval time.Duration

	// SmallTable is the number of hosts up to which all routes are read
	// whenever the version moved, and at each poll for 1.5 s after that: it
	// costs next to nothing then, and finds also what was changed beside an
	// announced change without a word, or in the same second. Default 10,000;
	// 0 to 1,000,000.
	SmallTable int

	// ChangeRetention is the age at which announced changes are deleted from
	// the database. Every replica must have read them by then. Default 24 h;
	// 1 min to 8,760 h.
	ChangeRetention time.Duration

	// PruneInterval is the time between two such deletions. Default 1 h; 10 ms
	// to 24 h.
	PruneInterval time.Duration

	// Snapshot is the path of the file in which the routes are kept as they
	// were last, to serve when the Server starts and the database does not
	// answer. Default empty, which keeps none.
	Snapshot string

	// SnapshotMaxAge is the age beyond which that file is not used. Default 0,
	// which is never; 0 to 8,760 h.
	SnapshotMaxAge time.Duration

	// ShrinkConfirm is how long the database must say the same, if more than
	// half of all hosts are gone from it, before that is served. Default
	// 1 min; 0, which serves everything at once, to 24 h.
	ShrinkConfirm time.Duration

	// MaxBuffered is how many bytes may wait on a connection before answers
	// and pushes are put off until they are written. Default 256 KiB; 4 KiB
	// to 64 MiB.
	MaxBuffered int

	// PushTimeout is how long a connection with something put off may take to
	// read what waits, at most MaxBuffered and one frame, before it is closed.
	// Default 10 s; 10 ms to 10 min.
	PushTimeout time.Duration

	// MaxSubscriptions is how many modules one connection may subscribe to.
	// Beyond it a subscription to a module without hosts makes room for the
	// next; if there is none, modules are answered, and their changes are only
	// seen by asking again. Default 500,000, at about 100 bytes each; 1 to
	// 10,000,000.
	MaxSubscriptions int
}

// DefaultConfig is what lars-dns does when it is told nothing.
func DefaultConfig() Config {
	return Config{
		Listen:           netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), 7778),
		MaxConn:          1024,
		Threads:          5,
		PollInterval:     100 * time.Millisecond,
		ReloadInterval:   time.Minute,
		SmallTable:       10_000,
		ChangeRetention:  24 * time.Hour,
		PruneInterval:    time.Hour,
		ShrinkConfirm:    time.Minute,
		MaxBuffered:      256 << 10,
		PushTimeout:      10 * time.Second,
		MaxSubscriptions: 500_000,
	}
}

// ConfigFrom converts what a configuration file says.
func ConfigFrom(file config.DNS) Config {
	c := DefaultConfig()
	c.Listen = file.Reactor.AddrPort()
	c.MaxConn = file.Reactor.MaxConn
	c.Threads = file.Reactor.Threads
	c.PollInterval = file.PollInterval
	c.ReloadInterval = file.ReloadInterval
	c.ChangeRetention = file.ChangeRetention
	c.Snapshot = file.Snapshot
	c.SnapshotMaxAge = file.SnapshotMaxAge
	c.ShrinkConfirm = file.ShrinkConfirm
	return c
}

// Validate reports the first setting that is out of its bounds, with its value
// and what is allowed.
func (c *Config) Validate() error {
	if !c.Listen.IsValid() {
		return errors.New("dns: Listen is not an address with a port")
	}
	for _, n := range []struct {
		name            string
		value, min, max int
	}{
		{"MaxConn", c.MaxConn, 1, 1_000_000},
		{"Threads", c.Threads, 1, 256},
		{"SmallTable", c.SmallTable, 0, 1_000_000},
		{"MaxBuffered", c.MaxBuffered, 4 << 10, 64 << 20},
		{"MaxSubscriptions", c.MaxSubscriptions, 1, 10_000_000},
	} {
		if n.value < n.min || n.value > n.max {
			return fmt.Errorf("dns: %s is %d, allowed is %d to %d", n.name, n.value, n.min, n.max)
		}
	}
	for _, d := range []struct {
		name            string
		value, min, max time.Duration
	}{
		{"PollInterval", c.PollInterval, 10 * time.Millisecond, time.Minute},
		{"ReloadInterval", c.ReloadInterval, 10 * time.Millisecond, 24 * time.Hour},
		{"ChangeRetention", c.ChangeRetention, time.Minute, 8760 * time.Hour},
		{"PruneInterval", c.PruneInterval, 10 * time.Millisecond, 24 * time.Hour},
		{"SnapshotMaxAge", c.SnapshotMaxAge, 0, 8760 * time.Hour},
		{"ShrinkConfirm", c.ShrinkConfirm, 0, 24 * time.Hour},
		{"PushTimeout", c.PushTimeout, 10 * time.Millisecond, 10 * time.Minute},
	} {
		if d.value < d.min || d.value > d.max {
			return fmt.Errorf("dns: %s is %v, allowed is %v to %v", d.name, d.value, d.min, d.max)
		}
	}
	return nil
}
