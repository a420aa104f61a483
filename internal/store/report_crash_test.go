package store_test

import (
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/lars-lb/lars/internal/route"
	"github.com/lars-lb/lars/internal/store"
)

// brittle stands between a store and its database, and breaks each connection
// after some bytes in one of the directions: between any two statements, in the
// middle of one, or when the database has done it and nobody has heard.
type brittle struct {
	ln     net.Listener
	server string
	random func(n int) int
	whole  atomic.Bool // break nothing any more
	broken atomic.Int64
	group  sync.WaitGroup
}

func newBrittle(t *testing.T, server string, random func(n int) int) *brittle {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	b := &brittle{ln: ln, server: server, random: random}
	b.group.Go(b.accept)
	t.Cleanup(func() {
		_ = ln.Close()
		b.group.Wait()
	})
	return b
}

func (b *brittle) accept() {
	for {
		client, err := b.ln.Accept()
		if err != nil {
			return
		}
		server, err := net.Dial("tcp", b.server)
		if err != nil {
			_ = client.Close()
			continue
		}
		// The login takes some hundred bytes each way, a batch some thousand
		// there and fifty or so back.
		there, back := int64(1<<40), int64(1<<40)
		if !b.whole.Load() {
			if b.random(2) == 0 {
				there = int64(300 + b.random(9000))
			} else {
				back = int64(200 + b.random(400))
			}
		}
		forward := func(to, from net.Conn, most int64) {
			if _, err := io.CopyN(to, from, most); err == nil {
				b.broken.Add(1)
			}
			_ = to.Close()
			_ = from.Close()
		}
		b.group.Go(func() { forward(server, client, there) })
		b.group.Go(func() { forward(client, server, back) })
	}
}

// agentModel is an agent as far as reports go: it has made some, and knows of
// those up to acked that they were counted.
type agentModel struct {
	run         store.Agent
	made, acked uint64
}

// report is report seq of the agent, which never changes.
func (a *agentModel) report(seq uint64) store.Report {
	return store.Report{Agent: a.run, Seq: seq, Module: route.Module{ModID: 1, CmdID: 1}, TS: uint32(seq * 13),
		Results: []store.Result{{Host: route.Host{IP: 1 + uint32(seq%3), Port: 80}, Succ: uint32(seq), Err: uint32(seq % 2)}}}
}

// Two replicas save the reports of the same agents at the same time, and any of
// their transactions may break off anywhere, also where the database commits it
// and the replica does not hear. A replica tries a batch again, or dies with
// it. Every report counts once.
func TestSaveReportsWhateverBreaks(t *testing.T) {
	const replicas, agents, last = 2, 5, 120
	onEngines(t, func(t *testing.T, cfg store.Config) {
		random := rand.New(rand.NewPCG(11, 12))
		var mu sync.Mutex // of random and the models
		dice := func(n int) int {
			mu.Lock()
			defer mu.Unlock()
			return random.IntN(n)
		}
		direct := open(t, cfg)
		if _, _, err := direct.Migrate(t.Context()); err != nil {
			t.Fatal(err)
		}
		var relay *brittle
		if cfg.Driver == store.MySQL {
			relay = newBrittle(t, netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), cfg.Port).String(), dice)
			cfg.Port = uint16(relay.ln.Addr().(*net.TCPAddr).Port)
		}
		models := make([]agentModel, agents)
		for i := range models {
			models[i].run = store.Agent{Caller: uint32(i % 2), BootID: uint64(i) << 60}
		}
		var failures, duplicates atomic.Int64
		var running sync.WaitGroup
		for range replicas {
			st := open(t, cfg)
			running.Go(func() {
				for {
					batch, done := nextBatch(&mu, random, models, last)
					if done {
						return
					}
					for {
						ctx, cancel := context.WithTimeout(t.Context(), time.Duration(100+dice(4000))*time.Microsecond)
						if cfg.Driver == store.MySQL {
							ctx, cancel = context.WithTimeout(t.Context(), 30*time.Second)
						}
						saved, err := st.SaveReports(ctx, batch, true)
						cancel()
						if err == nil {
							duplicates.Add(int64(saved.Duplicates))
							acknowledge(&mu, models, batch)
							break
						}
						if t.Context().Err() != nil || errors.Is(err, store.ErrNoDatabase) {
							t.Error(err)
							return
						}
						failures.Add(1)
						if dice(4) == 0 {
							break // the replica dies, and with it what it knew
						}
					}
				}
			})
		}
		running.Wait()
		if relay != nil {
			relay.whole.Store(true)
			if relay.broken.Load() < 20 {
				t.Errorf("%d connections were broken: too few to tell", relay.broken.Load())
			}
		}
		t.Logf("%d transactions failed, %d reports came again", failures.Load(), duplicates.Load())
		if failures.Load() == 0 || duplicates.Load() == 0 {
			t.Errorf("%d transactions failed and %d reports came again: too few to tell", failures.Load(), duplicates.Load())
		}
		checkCounted(t, direct, models)
	})
}

// nextBatch is what some agents send on their next connections: from a report
// on that follows one they know to be counted, or an earlier one.
func nextBatch(mu *sync.Mutex, random *rand.Rand, models []agentModel, last uint64) (batch []store.Report, done bool) {
	mu.Lock()
	defer mu.Unlock()
	done = true
	for i := range models {
		m := &models[i]
		done = done && m.acked == last
		if random.IntN(2) == 0 {
			continue
		}
		from := m.acked - min(m.acked, random.Uint64N(4))
		to := min(last, m.acked+random.Uint64N(6))
		m.made = max(m.made, to)
		for seq := from + 1; seq <= to; seq++ {
			batch = append(batch, m.report(seq))
		}
	}
	return batch, done
}

func acknowledge(mu *sync.Mutex, models []agentModel, batch []store.Report) {
	mu.Lock()
	defer mu.Unlock()
	for _, r := range batch {
		for i := range models {
			if models[i].run == r.Agent {
				models[i].acked = max(models[i].acked, r.Seq)
			}
		}
	}
}

func checkCounted(t *testing.T, st *store.Store, models []agentModel) {
	t.Helper()
	type key struct {
		minute int64
		host   route.Host
		caller uint32
	}
	want := make(map[key][2]uint64)
	for i := range models {
		for seq := uint64(1); seq <= models[i].made; seq++ {
			r := models[i].report(seq)
			k := key{int64(r.TS - r.TS%60), r.Results[0].Host, r.Agent.Caller}
			sum := want[k]
			want[k] = [2]uint64{sum[0] + uint64(r.Results[0].Succ), sum[1] + uint64(r.Results[0].Err)}
		}
	}
	got, err := st.ListHistory(t.Context(), store.Filter{}, time.Unix(0, 0), time.Unix(1e9, 0), store.HistoryKey{Step: time.Minute, Host: true, Caller: true})
	if err != nil {
		t.Fatal(err)
	}
	if len(got) != len(want) {
		t.Errorf("%d rows of history, want %d", len(got), len(want))
	}
	for _, h := range got {
		if sum := want[key{h.Time.Unix(), h.Host, h.Caller}]; sum != [2]uint64{h.Succ, h.Err} {
			t.Errorf("%+v, want %v calls", h, sum)
		}
	}
}
