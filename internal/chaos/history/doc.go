// Package history keeps what happened while faults were made: what callers
// asked and were told, what they reported, how routes changed in the database,
// which faults lasted from when to when, and how it all ended.
//
// A [Recorder] takes records from any goroutine; a [History] is what it has at
// one moment, plain data, which package model judges. Times are since the
// recorder was made, on the monotonic clock.
package history
