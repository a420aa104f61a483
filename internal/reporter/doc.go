// Package reporter is lars-reporter: it takes the call counts that agents
// report over TCP and writes them to the store.
//
// # What happens to a report
//
// A ReportStatusRequest holds one agent's counts for the hosts of one module.
// It is numbered (it has a boot_id) unless an agent of Lars 1.0 sent it.
//
// The numbered reports of one run of an agent go to one worker, which saves
// them in the order in which they came, several in one transaction, and then
// acknowledges the last. They wait in its inbox until then. What waits is
// bounded by Config.MaxQueued: the connection that brings more is closed, since
// after a report that was dropped none of the same agent may be taken. The
// agent has all that was not acknowledged and sends it again, here or to
// another replica; those that were saved are passed over then. At the first of
// a connection the agent is told that there will be acknowledgements, by one of
// number 0.
//
// Each result of a report without a number has a key: module, host and calling
// agent. The key alone chooses the worker, which keeps the newest result of a
// key (the highest ts, the later arrival of two equal ones) until it is saved,
// and saves in batches. These are lost if the process dies. They are bounded by
// Config.MaxPending keys: beyond it results for further keys are dropped and
// counted, known keys go on being updated.
//
// When the database does not answer, the workers keep what they have and try
// again, at least once a second. That holds from the start, when the tables may
// still have to be made. Where nobody may make those for numbered reports, their
// results are saved as the statuses they are, and acknowledged all the same.
//
// # Goroutines
//
// Event loops read the connections; their handler only puts results into the
// worker's pending map or reports into its inbox, under a lock, and never waits
// for the database. Each of Config.DBThreads workers is one goroutine that takes
// batches out of both. A batch stays there until it is saved. Acknowledgements
// are posted to the loops of the connections. One more goroutine deletes what is
// old, every ten minutes.
//
// When Serve ends it closes the connections first and then saves what waits,
// for Config.DrainTimeout at most. What is left after that is with the agents,
// or, if it has no number, lost, and the error says how much that is.
package reporter
