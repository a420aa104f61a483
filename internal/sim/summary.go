package sim

import "slices"

// Summary is what became of the callers in some runs of one algorithm in one
// scenario, with a seed each. Numbers are medians over the runs, each by
// itself, so they need not add up.
type Summary struct {
	Scenario  string `json:"scenario"`
	Algorithm string `json:"algorithm"`
	FirstSeed uint64 `json:"first_seed"`
	Seeds     int    `json:"seeds"`

	Calls   int    `json:"calls"` // after the fault
	Lost    Spread `json:"lost"`
	Failed  int    `json:"failed"`
	Slow    int    `json:"slow"`
	Refused int    `json:"refused"`

	// Ejection is nil for algorithms that keep no host out of the traffic.
	Ejection *Ejection `json:"ejection,omitempty"`
	// Crowding is the largest share of the picks within 100 ms that a host got,
	// beside the fair one, where there are several agents.
	Crowding float64 `json:"crowding,omitempty"`
	// FirstShare[i] is the share of the picks that host 0 got in second i after
	// the fault, where it is asked for.
	FirstShare []float64 `json:"first_host_share,omitempty"`
}

// Spread is how results of different seeds differ.
type Spread struct {
	Median int `json:"median"`
	Min    int `json:"min"`
	Max    int `json:"max"`
}

// Ejection is what hosts that are kept out of the traffic mean to callers.
type Ejection struct {
	// HealthyShare is the share of the time of hosts that were well for which
	// they were kept out, 0 to 1.
	HealthyShare float64 `json:"healthy_share"`
	// Healthy is how often a host that was well was found newly out.
	Healthy int `json:"healthy"`
	// Attempts is the most attempts within one second at a host that was of no
	// use: calls while it was kept out, and TCP checks.
	Attempts int `json:"attempts_per_s"`
}

// Summarize sums up runs of one algorithm in one scenario, of which there is at
// least one. It does not fill in what the runs were of.
func Summarize(results []Result) Summary {
	s := Summary{
		Seeds:   len(results),
		Calls:   medianOf(results, func(r *Result) int { return r.Calls }),
		Failed:  medianOf(results, func(r *Result) int { return r.Failed }),
		Slow:    medianOf(results, func(r *Result) int { return r.Slow }),
		Refused: medianOf(results, func(r *Result) int { return r.Refused }),

		Crowding: medianOf(results, func(r *Result) float64 { return r.Crowding }),
	}
	lost := sorted(results, (*Result).Lost)
	s.Lost = Spread{Median: lost[len(lost)/2], Min: lost[0], Max: lost[len(lost)-1]}
	if results[0].Ejects {
		s.Ejection = &Ejection{
			HealthyShare: medianOf(results, (*Result).healthyShare),
			Healthy:      medianOf(results, func(r *Result) int { return r.Ejections }),
			Attempts:     medianOf(results, func(r *Result) int { return r.MostAttempts }),
		}
	}
	return s
}

func (r *Result) healthyShare() float64 {
	if r.HostTime == 0 {
		return 0
	}
	return float64(r.HealthyOut) / float64(r.HostTime)
}

// FirstShare is the share of the picks that host 0 got in second i after the
// fault; without picks it is 0.
func (r *Result) FirstShare(i int) float64 {
	if r.Picks[i] == 0 {
		return 0
	}
	return float64(r.FirstPicks[i]) / float64(r.Picks[i])
}

// firstShares are the medians of FirstShare, for each second of the scenario.
func firstShares(results []Result, seconds int) []float64 {
	shares := make([]float64, seconds)
	for i := range shares {
		shares[i] = medianOf(results, func(r *Result) float64 { return r.FirstShare(i) })
	}
	return shares
}

type numeric interface{ int | float64 }

func sorted[N numeric](results []Result, of func(*Result) N) []N {
	values := make([]N, len(results))
	for i := range results {
		values[i] = of(&results[i])
	}
	slices.Sort(values)
	return values
}

// medianOf takes the larger one of two in the middle.
func medianOf[N numeric](results []Result, of func(*Result) N) N {
	return sorted(results, of)[len(results)/2]
}
