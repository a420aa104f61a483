// Package reporter is lars-reporter: it takes the call counts that agents
// report over TCP and writes them to the store.
//
// # What happens to a report
//
// A ReportStatusRequest holds one agent's counts for the hosts of one module.
// Each of its results has a key: module, host and calling agent. The key alone
// chooses the worker, so one key is never written by two workers at a time.
// The worker keeps the newest result of a key (the highest ts, the later
// arrival of two equal ones) until it is saved, and saves in batches.
//
// A report that was read is not lost while the process lives: when the
// database does not answer, the workers keep what they have and try again, at
// least once a second. That holds from the start, when the tables may still
// have to be made. It is bounded by Config.MaxPending keys: beyond it results
// for further keys are dropped and counted, known keys go on being updated.
//
// # Goroutines
//
// Event loops read the connections; their handler only puts results into the
// worker's pending map, under its lock, and never waits for the database.
// Each of Config.DBThreads workers is one goroutine that takes batches out of
// its map. A batch stays in the map until it is saved.
//
// When Serve ends it closes the connections first and then saves what is
// pending, for Config.DrainTimeout at most; what is left after that is lost,
// and the error says how much.
package reporter
