package reporter_test

import (
	"math"
	"slices"
	"testing"

	"github.com/lars-lb/lars/internal/reporter"
	"github.com/lars-lb/lars/internal/route"
	"github.com/lars-lb/lars/internal/store"
	"github.com/lars-lb/lars/internal/wire"
	"github.com/lars-lb/lars/proto/larspb"
)

// What agents report is what the table holds, in whatever pieces it comes.
func TestReportsAreSaved(t *testing.T) {
	onStores(t, func(t *testing.T, st *store.Store) {
		r := serve(t, testConfig(), st)
		want := []store.Status{
			{Module: route.Module{ModID: math.MinInt32, CmdID: -1}, Host: route.Host{IP: math.MaxUint32, Port: math.MaxUint16}, Caller: math.MaxUint32, Succ: 1, TS: math.MaxUint32, Overload: true},
			{Module: route.Module{ModID: 1, CmdID: 1}, Host: route.Host{IP: 3232235953, Port: 7777}, Caller: 3232235777, Succ: 12, Err: 3, TS: 1770000000},
			{Module: route.Module{ModID: 1, CmdID: 1}, Host: route.Host{IP: 3232235953, Port: 7778}, Caller: 3232235777, TS: 1770000000, Overload: true},
		}
		stream := slices.Concat(report(t, want[1:]...), frame(t, &larspb.ReportStatusRequest{Modid: 5}), report(t, want[0]))
		a := dial(t, r)
		for i := range stream {
			a.send(stream[i : i+1])
		}
		r.awaitResults(3)
		r.awaitSaved()
		if got := statuses(t, st); !slices.Equal(got, want) {
			t.Errorf("saved %+v\nwant %+v", got, want)
		}
		if s := r.Stats(); s.Reports != 3 || s.Succ != 13 || s.Err != 3 || s.Rows != 3 || s.DBErrors != 0 || s.TCP.FramesIn != 3 {
			t.Errorf("Stats() = %+v", s)
		}
	})
}

// The highest ts of a key wins, the later arrival of two equal ones, whether
// they meet in the reporter, in one report, or in the table.
func TestNewestWins(t *testing.T) {
	for _, meet := range []string{"in the reporter", "in the table"} {
		t.Run(meet, func(t *testing.T) {
			onStores(t, func(t *testing.T, st *store.Store) {
				r := serve(t, testConfig(), st)
				a := dial(t, r)
				var want []store.Status
				taken := 0
				take := func(s ...store.Status) {
					a.send(report(t, s...))
					taken += len(s)
					r.awaitResults(taken) // one after the other, also from several connections
					if meet == "in the table" {
						r.awaitSaved()
					}
				}
				for n, ts := range [][]uint32{{5}, {5, 6}, {6, 5}, {5, 6, 4}, {7, 7}} {
					for i, ts := range ts {
						s := status(uint32(n), ts)
						s.Succ = uint32(i)
						take(s)
						if i == 0 || s.TS >= want[n].TS {
							want = append(want[:n], s)
						}
					}
				}
				twice := status(5, 9)
				later := twice
				later.Err++
				take(twice, later)
				want = append(want, later)
				r.awaitSaved()
				if got := statuses(t, st); !slices.Equal(got, want) {
					t.Errorf("saved %+v\nwant %+v", got, want)
				}
			})
		})
	}
}

// A result for what is no host is left out, the others of its report are not.
func TestInvalidResults(t *testing.T) {
	onStores(t, func(t *testing.T, st *store.Store) {
		r := serve(t, testConfig(), st)
		m := &larspb.ReportStatusRequest{Modid: 1, Cmdid: 1, Ts: 1}
		for _, h := range [][2]int32{{0, 80}, {1, 0}, {1, 65536}, {1, -1}, {1, math.MinInt32}, {-1, 65535}} {
			m.Results = append(m.Results, &larspb.HostCallResult{Ip: h[0], Port: h[1], Succ: 1})
		}
		dial(t, r).send(frame(t, m))
		r.awaitResults(6)
		r.awaitSaved()
		want := store.Status{Module: route.Module{ModID: 1, CmdID: 1}, Host: route.Host{IP: math.MaxUint32, Port: 65535}, Succ: 1, TS: 1}
		if got := statuses(t, st); !slices.Equal(got, []store.Status{want}) {
			t.Errorf("saved %+v, want %+v", got, want)
		}
		if got := r.Stats().DroppedInvalid; got != 5 {
			t.Errorf("%d invalid results counted, want 5", got)
		}
	})
}

// A stream that is no protocol of ours costs its connection and nothing else.
func TestBadStreams(t *testing.T) {
	good := report(t, status(1, 1))
	for _, c := range []struct {
		name   string
		stream []byte
		taken  uint64                        // results taken of the stream
		count  func(s reporter.Stats) uint64 // the reason's counter
		lives  bool                          // whether the connection goes on
	}{
		{"bad protobuf", wire.AppendFrame(nil, 3, []byte{0xff, 0xff, 0xff}), 0, func(s reporter.Stats) uint64 { return s.TCP.ClosedBadBody }, false},
		{"half a protobuf", wire.AppendFrame(nil, 3, good[wire.HeadSize:len(good)-1]), 0, func(s reporter.Stats) uint64 { return s.TCP.ClosedBadBody }, false},
		{"a boot id without a number", frame(t, &larspb.ReportStatusRequest{Modid: 1, BootId: 7}), 0, func(s reporter.Stats) uint64 { return s.TCP.ClosedBadBody }, false},
		{"negative length", []byte{3, 0, 0, 0, 0xff, 0xff, 0xff, 0xff}, 0, func(s reporter.Stats) uint64 { return s.TCP.ClosedBadFrame }, false},
		{"too long", []byte{3, 0, 0, 0, 0xf8, 0xff, 0, 0}, 0, func(s reporter.Stats) uint64 { return s.TCP.ClosedBadFrame }, false},
		{"a good one before", append(slices.Clone(good), 3, 0, 0, 0, 0, 0, 0, 0x80), 1, func(s reporter.Stats) uint64 { return s.TCP.ClosedBadFrame }, false},
		{"unknown message", wire.AppendFrame(nil, 99, []byte("news")), 0, func(s reporter.Stats) uint64 { return s.TCP.UnknownMessage }, true},
		{"unknown field", wire.AppendFrame(nil, 3, append(slices.Clone(good[wire.HeadSize:]), 0xf8, 0x07, 1)), 1, func(s reporter.Stats) uint64 { return s.Reports }, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := serve(t, testConfig(), newFakeStore())
			a := dial(t, r)
			a.send(c.stream)
			r.await("the stream counted", func(s reporter.Stats) bool { return c.count(s) == 1 && s.Results == c.taken })
			if c.lives {
				a.send(good)
			} else if _, err := a.Read(make([]byte, 1)); err == nil {
				t.Error("the connection was answered")
			}
			dial(t, r).send(good)
			want := c.taken + 1
			if c.lives {
				want++
			}
			r.await("the next good reports taken", func(s reporter.Stats) bool { return s.Results == want })
		})
	}
}
