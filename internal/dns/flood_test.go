package dns_test

import (
	"bytes"
	"io"
	"sync"
	"testing"
	"time"

	"github.com/lars-lb/lars/internal/dns"
)

// An agent that asks for its modules as fast as it can does not hold up another
// one of the same event loop.
func TestFloodOfRequestsLeavesTimeForOthers(t *testing.T) {
	cfg := quick()
	cfg.Threads = 1
	db := openStore(t, sqlite(t))
	add(t, db, m11, hostN(1))
	s := start(t, cfg, db, quiet())
	flood, other := s.dial(), s.dial()
	if err := flood.SetDeadline(time.Time{}); err != nil {
		t.Fatal(err)
	}
	var both sync.WaitGroup
	both.Go(func() { _, _ = io.Copy(io.Discard, flood.Conn) })
	both.Go(func() {
		many := bytes.Repeat(request(m11), 10_000)
		for {
			if _, err := flood.Conn.Write(many); err != nil {
				return
			}
		}
	})
	s.eventually("the flood is on", func(st dns.Stats) bool { return st.Answers > 20_000 })
	for range 5 {
		other.subscribe(m11, hostN(1))
	}
	before := s.Stats().Answers
	s.eventually("the flood was on all the time", func(st dns.Stats) bool { return st.Answers > before })
	_ = flood.Close()
	both.Wait()
}
