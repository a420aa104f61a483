// Package balance decides which host of a module is called next, from what
// callers report about earlier calls.
//
// A [LoadBalance] holds the hosts of one module, each on exactly one of two
// lists: idle hosts take the traffic, overloaded hosts only get probes. A
// policy chooses the host of each pick and moves hosts between the lists; the
// LoadBalance owns the lists, the map from address to host, and the call
// counts that have yet to be sent to lars-reporter.
//
// The package is pure: it does no I/O, starts no goroutine, takes no lock and
// reads no clock. A LoadBalance belongs to one goroutine at a time; its owner
// holds a lock around every call. Time is a parameter: now is a
// [time.Duration] since any epoch the owner likes, as long as all calls on
// one LoadBalance share it. A now before an earlier one is harmless: nothing
// becomes due.
//
// Pick and Report take constant time and do not allocate.
package balance
