package store_test

import (
	"sync"
	"testing"
	"time"

	"github.com/lars-lb/lars/internal/route"
	"github.com/lars-lb/lars/internal/store"
)

// Reports that come by several nodes at once, as an agent sends again what was
// not acknowledged, count once.
func TestClusterCountsReportsOnce(t *testing.T) {
	const reports = 40
	c, _, stores := onCluster(t)
	agent := store.Agent{Caller: 1, BootID: 7}
	host := route.Host{IP: 1, Port: 1}
	now := time.Now()
	var savers sync.WaitGroup
	for node, st := range stores {
		savers.Go(func() {
			for seq := uint64(1); seq <= reports; seq++ {
				r := store.Report{Agent: agent, Seq: seq, TS: uint32(now.Unix()), Results: []store.Result{{Host: host, Succ: 1, Err: 2}}}
				if _, err := st.SaveReports(t.Context(), []store.Report{r}, true); err != nil {
					t.Errorf("node %d, report %d: %v", node, seq, err)
				}
			}
		})
	}
	savers.Wait()
	c.WaitSynced(t)
	for node, st := range stores {
		list, err := st.ListHistory(t.Context(), store.Filter{}, now.Add(-time.Hour), now.Add(time.Hour), store.HistoryKey{Host: true})
		if err != nil || len(list) != 1 || list[0].Succ != reports || list[0].Err != 2*reports {
			t.Errorf("node %d has %+v, %v; want %d and %d calls", node, list, err, reports, 2*reports)
		}
	}
}
