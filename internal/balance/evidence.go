package balance

import "math"

// The tests by which adaptive compares a host with its peers are cumulative
// sums (CUSUM; Page 1954): each observation adds the logarithm of how much
// likelier it is if the host is worse than if it is as its peers are, and the
// sum never falls below 0. Of all tests with the same rate of false alarms
// this one notices a change soonest in the worst case (Lorden 1971,
// Moustakides 1986), without any window or least amount of traffic.
//
// There are two hypotheses of being worse, each with its own sum: "failing"
// (nearly everything is bad; noticed after a handful of calls) and "degraded"
// (some multiple of normal; noticed after some dozens).
const (
	// Alarm is the sum at which a host is ejected, nats. A healthy host gets
	// there once in more than e^Alarm = 485 million calls (Lorden's bound).
	Alarm = 20
	// suspicion is the sum at which a host is looked at more closely: its
	// calls do not count for what is normal, and its TCP port is tried.
	suspicion = 9
	// doubt is the sum from which on a host is no witness for another's guilt:
	// if most are in doubt, the cause is shared.
	doubt = 5
	// headStart is the sum with which a host comes back, below suspicion: one
	// that is still bad is noticed sooner (fast initial response; Lucas and
	// Crosier 1982).
	headStart = 8.5
	// lightStart is that of all hosts after the dark, below doubt: one that is
	// still bad must not find that all others are in doubt, too.
	lightStart = 4.5

	// minNormal is the least share of bad calls that is taken for normal. Where
	// it is above maxNormal a bad call says nothing any more.
	minNormal = 0.002
	maxNormal = 0.9
	// worseFactor is how much above normal a degraded host is, at least
	// minWorse.
	worseFactor = 4
	minWorse    = 0.1
	// failingShare is the share of bad calls of a failing or hanging host, at
	// least half-way between normal and everything.
	failingShare = 0.9
	// maxSlow is the most that a slow call adds to a sum, nats: as much as a bad
	// call adds to degraded where 2.5% or more are normal. A host that takes
	// twice as long as its peers, by its nature or because it was the first to
	// be updated, has some calls beyond the limit and is no worse for that.
	maxSlow = 1.386 // ln worseFactor
)

// clues are what one call adds to the sums, nats.
type clues struct {
	failingBad, failingGood   float32
	degradedBad, degradedGood float32
}

// evidence has the clues for every normal share of bad calls, eight to the
// octave, so that a report takes no logarithm.
type evidence [firstOctave * 8]clues

// firstOctave is the exponent below 1 of the octave that holds minNormal.
const firstOctave = 9

// evidenceTable never changes.
var evidenceTable = newEvidence()

func newEvidence() *evidence {
	e := new(evidence)
	for i := range e {
		low := math.Ldexp(1+float64(i%8)/8, i/8-firstOctave)
		p0 := max(low*(1+1.0/16), minNormal) // the middle of the step
		if p0 > maxNormal {
			break
		}
		all := max(failingShare, (1+p0)/2)
		p1 := min(max(worseFactor*p0, minWorse), all)
		e[i] = clues{
			failingBad:   float32(math.Log(all / p0)),
			failingGood:  float32(math.Log((1 - all) / (1 - p0))),
			degradedBad:  float32(math.Log(p1 / p0)),
			degradedGood: float32(math.Log((1 - p1) / (1 - p0))),
		}
	}
	return e
}

// at returns the clues where normal is the share of bad calls.
func (e *evidence) at(normal float64) *clues {
	// The bits of a float32 below 1: exponent, then mantissa; their order is
	// that of the numbers.
	const shift = 23 - 3
	bits := int(math.Float32bits(float32(normal))>>shift) - (127-firstOctave)<<3
	return &e[min(max(bits, 0), len(e)-1)]
}

// cusum adds x to a sum.
func cusum(sum *float32, x float32) { *sum = max(0, *sum+x) }
