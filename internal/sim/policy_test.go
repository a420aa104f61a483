package sim

import (
	"math"
	"os"
	"testing"
	"time"
)

// These tests hold what the policy adaptive has to reach. Their seeds are
// fixed; the margins leave room for other luck.

// policySeeds is how many seeds a median is made of.
const policySeeds = 3

// simulate runs scenarios with the oracle and adaptive.
func simulate(t *testing.T, scenarios []Scenario) []Row {
	t.Helper()
	list := Algorithms()
	batch := Batch{Scenarios: scenarios, Algorithms: []Algorithm{list[0], list[len(list)-1]}, FirstSeed: 1, Seeds: policySeeds}
	rows, err := batch.Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

// scenario finds one by its ID, and changes it.
func scenario(t *testing.T, id string, options ...option) Scenario {
	t.Helper()
	for _, s := range Scenarios() {
		if s.ID == id {
			for _, o := range options {
				o(&s)
			}
			return s
		}
	}
	t.Fatalf("no scenario %s", id)
	return Scenario{}
}

// adaptive is a run of the policy.
func adaptive(s *Scenario, seed uint64) Result {
	list := Algorithms()
	return Run(s, list[len(list)-1], seed)
}

func TestAdaptiveIsNearTheOracle(t *testing.T) {
	t.Parallel()
	atMost := map[string]int{"hang-1of10": 30, "hang-1of5-slow-traffic": 6}
	for _, row := range simulate(t, InGroup(Reference)) {
		oracle, own := row.Cells[0], row.Cells[1]
		limit := int(1.3*float64(oracle.Lost.Median)) + 15
		if l, ok := atMost[row.Scenario.ID]; ok {
			limit = l
		}
		if own.Lost.Median > limit {
			t.Errorf("%s: %d calls lost, want at most %d; the oracle loses %d",
				row.Scenario.ID, own.Lost.Median, limit, oracle.Lost.Median)
		}
		if row.Scenario.ID == "all-fail-50pct" && own.Refused > 0 {
			t.Errorf("%s: %d calls refused", row.Scenario.ID, own.Refused)
		}
		if own.Ejection.Attempts > 1 {
			t.Errorf("%s: %d attempts at a dead host within a second", row.Scenario.ID, own.Ejection.Attempts)
		}
	}
}

func TestNoPeerIsBetterThanAdaptive(t *testing.T) {
	t.Parallel()
	for _, row := range once() {
		own := cellOf(t, &row, AdaptiveID).Lost.Median
		noise := int(3*math.Sqrt(float64(cellOf(t, &row, OracleID).Lost.Median))) + 5
		for _, c := range row.Cells[1:] {
			if own > c.Lost.Median+noise {
				t.Errorf("%s: adaptive loses %d calls, %s %d", row.Scenario.ID, own, c.Algorithm, c.Lost.Median)
			}
		}
	}
}

func TestAdaptiveKeepsNoHealthyHostOut(t *testing.T) {
	t.Parallel()
	for _, row := range simulate(t, InGroup(Natural)) {
		if e := row.Cells[1].Ejection; e.HealthyShare >= 0.0001 {
			t.Errorf("%s: healthy hosts are out for %.3f%% of their time, ejected %d times", row.Scenario.ID, 100*e.HealthyShare, e.Healthy)
		}
		if oracle, own := row.Cells[0].Lost.Median, row.Cells[1].Lost.Median; own > oracle+oracle/20+15 {
			t.Errorf("%s: %d calls lost, the oracle loses %d", row.Scenario.ID, own, oracle)
		}
	}
}

// An hour of fewer calls by default. With LARS_SIM_LONG=1 in the environment it
// is the whole scenario, ten hours, which takes minutes with the race detector.
func TestAdaptiveEjectsNobodyByChance(t *testing.T) {
	t.Parallel()
	s := scenario(t, "well-10h", length(time.Hour), func(s *Scenario) { s.Rate = 300 })
	if os.Getenv("LARS_SIM_LONG") != "" {
		s = scenario(t, "well-10h")
	}
	if r := adaptive(&s, 1); r.Ejections > 0 || r.Calls < 1_000_000 {
		t.Errorf("%d ejections in %d calls", r.Ejections, r.Calls)
	}
}

func TestAdaptiveLeavesADeadHostAmongManyAlone(t *testing.T) {
	t.Parallel()
	s := scenario(t, "refuse-1of100")
	for seed := range uint64(policySeeds) {
		r := adaptive(&s, seed+1)
		first, all := 0, 0
		for i := 10; i < len(r.Picks); i++ {
			first, all = first+r.FirstPicks[i], all+r.Picks[i]
		}
		if float64(first) >= 0.0001*float64(all) {
			t.Errorf("seed %d: a dead host gets %d of %d picks", seed+1, first, all)
		}
	}
}

func TestAdaptiveGivesRecoveredHostsTheirShare(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		ids    []string
		outage time.Duration
		within time.Duration
	}{
		{[]string{"down-20s", "hang-20s", "fail-20s"}, 20 * time.Second, 15 * time.Second},
		{[]string{"down-10min", "hang-10min", "fail-10min"}, 10 * time.Minute, 75 * time.Second},
	} {
		for _, id := range row.ids {
			const look = 5 // seconds, as a second alone is subject to chance
			from := int((row.outage + row.within) / time.Second)
			s := scenario(t, id, length(time.Duration(from+look)*time.Second))
			results := make([]Result, policySeeds)
			for i := range results {
				results[i] = adaptive(&s, uint64(i)+1)
			}
			share := medianOf(results, func(r *Result) float64 {
				first, all := 0, 0
				for i := from; i < from+look; i++ {
					first, all = first+r.FirstPicks[i], all+r.Picks[i]
				}
				return float64(first*s.Hosts) / float64(all)
			})
			if share < 0.9 {
				t.Errorf("%s: %v after its return the host has %.2f of its share", id, row.within, share)
			}
			for i := range results {
				if results[i].MostAttempts > 1 {
					t.Errorf("%s: %d attempts at a dead host within a second", id, results[i].MostAttempts)
				}
			}
		}
	}
}
