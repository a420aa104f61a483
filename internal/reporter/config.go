package reporter

import (
	"errors"
	"fmt"
	"net/netip"
	"time"

	"github.com/lars-lb/lars/internal/config"
)

// Config is what lars-reporter can be told.
type Config struct {
	// Listen is the TCP address; port 0 takes a free one. Default
	// 127.0.0.1:7779.
	Listen netip.AddrPort

	// MaxConn is the most connections served at a time; the newest beyond it
	// is closed. Default 1,024; 1 to 1,000,000.
	MaxConn int

	// Threads is the number of event loops that connections are spread over.
	// Default 5; 1 to 256.
	Threads int

	// DBThreads is the number of workers that write to the store at the same
	// time. Default 3; 1 to 64.
	DBThreads int

	// FlushInterval is how long a worker gathers results before it saves
	// them, if they are few. Default 200 ms; 1 ms to 1 min.
	FlushInterval time.Duration

	// BatchRows is the most keys saved at once, in one transaction. The more, the
	// more agents share one COMMIT, and the more reports of each are noted at
	// once. Default 5,000; 1 to 10,000.
	BatchRows int

	// EnoughRows is how many keys, or results of numbered reports, a worker has
	// when it does not wait for FlushInterval. While it saves them more come: a
	// database that is busy is given larger batches by that, up to BatchRows.
	// Default 500; 1 to 10,000.
	EnoughRows int

	// MaxPending is the most keys that wait to be saved, over all workers.
	// Default 1,000,000, at about 150 bytes each; 1 to 100,000,000.
	MaxPending int

	// MaxQueued is the most results of numbered reports that wait to be saved,
	// over all workers. The connection that brings one more is closed: its
	// agent keeps the report and comes back. Default 1,000,000, at about 16
	// bytes each and 100 for each report; 1 to 100,000,000.
	MaxQueued int

	// HistoryRetention is how long calls are kept by the minute. Default 168 h;
	// 0 for no history, else 1 h to 87,600 h.
	HistoryRetention time.Duration

	// DrainTimeout is how long Serve goes on saving when it ends. Default
	// 1.5 s; 1 ms to 1 min.
	DrainTimeout time.Duration
}

// DefaultConfig is what lars-reporter does when it is told nothing.
func DefaultConfig() Config {
	return Config{
		Listen:           netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), 7779),
		MaxConn:          1024,
		Threads:          5,
		DBThreads:        3,
		FlushInterval:    200 * time.Millisecond,
		BatchRows:        5_000,
		EnoughRows:       500,
		MaxPending:       1_000_000,
		MaxQueued:        1_000_000,
		HistoryRetention: 168 * time.Hour,
		DrainTimeout:     1500 * time.Millisecond,
	}
}

// ConfigFrom converts what a configuration file says.
func ConfigFrom(file config.Reporter) Config {
	c := DefaultConfig()
	c.Listen = file.Reactor.AddrPort()
	c.MaxConn = file.Reactor.MaxConn
	c.Threads = file.Reactor.Threads
	c.DBThreads = file.DBThreads
	c.HistoryRetention = file.HistoryRetention
	return c
}

// Validate reports the first setting that is out of its bounds, with its value
// and what is allowed.
func (c *Config) Validate() error {
	if !c.Listen.IsValid() {
		return errors.New("reporter: Listen is not an address with a port")
	}
	for _, n := range []struct {
		name            string
		value, min, max int
	}{
		{"MaxConn", c.MaxConn, 1, 1_000_000},
		{"Threads", c.Threads, 1, 256},
		{"DBThreads", c.DBThreads, 1, 64},
		{"BatchRows", c.BatchRows, 1, 10_000},
		{"EnoughRows", c.EnoughRows, 1, 10_000},
		{"MaxPending", c.MaxPending, 1, 100_000_000},
		{"MaxQueued", c.MaxQueued, 1, 100_000_000},
	} {
		if n.value < n.min || n.value > n.max {
			return fmt.Errorf("reporter: %s is %d, allowed is %d to %d", n.name, n.value, n.min, n.max)
		}
	}
	for _, d := range []struct {
		name       string
		value, max time.Duration
	}{
		{"FlushInterval", c.FlushInterval, time.Minute},
		{"DrainTimeout", c.DrainTimeout, time.Minute},
	} {
		if d.value < time.Millisecond || d.value > d.max {
			return fmt.Errorf("reporter: %s is %v, allowed is 1ms to %v", d.name, d.value, d.max)
		}
	}
	if h := c.HistoryRetention; h != 0 && (h < time.Hour || h > 87600*time.Hour) {
		return fmt.Errorf("reporter: HistoryRetention is %v, allowed is 0 or 1h to 87600h", h)
	}
	return nil
}
