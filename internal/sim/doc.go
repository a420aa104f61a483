// Package sim compares algorithms that choose hosts, in virtual time. A
// [Scenario] says what the hosts, the callers and the fault are; an [Algorithm]
// makes what decides; a [Batch] runs many of them on all cores and sums up.
//
// Two things make results comparable. A run depends on nothing but the
// scenario, the algorithm and the seed. And with equal seeds all algorithms
// meet the same luck: the n-th call comes at the same time and draws the same
// random numbers, whichever host it goes to.
//
// A Scenario is never changed once it was made, and may be shared. A run
// belongs to one goroutine. Nothing here does I/O or reads a clock.
package sim
