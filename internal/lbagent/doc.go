// Package lbagent is lars-lb-agent, the daemon that runs on every machine and
// tells its programs which host to call.
//
// # Parts
//
// Three UDP servers answer callers, each on an event loop of its own. A
// module belongs to one of three [RouteLB]s, chosen by its ids alone; a
// request that reached another server is served by the module's RouteLB all
// the same, which is why a RouteLB has a mutex.
//
// A dns client, on its own loop, keeps a connection to one lars-dns: it sends the
// pulls that RouteLBs ask for and applies the routes that arrive. A report
// client, on its own loop, sends the call counts that the RouteLBs have
// collected to lars-reporter.
//
// A side loop does what must not hold the others up: it tries TCP connections
// to hosts that a LoadBalance wants checked, and logs which hosts are ejected
// and which are back. RouteLBs hand both over with their mutex held, over
// queues that never block.
//
// A keeper, on a goroutine of its own, keeps the routes in a file, from which
// they come when the agent starts. It copies them in small batches, so that
// nobody waits long for a RouteLB. Routes of a file are stale until lars-dns
// answers.
//
// [Agent.Route] adds handlers to an HTTP server that show modules and hosts.
// They run on goroutines of that server.
//
// # What holds
//
// A request is answered from what the RouteLB holds and never waits for
// another process. A module is pulled until lars-dns has answered: its state
// is kept in the RouteLB, not in a connection, so no lost connection can
// forget it. Counts leave the RouteLB when there is room for them in the report
// client's window; until then they add up. There they stay, as the bytes of
// numbered frames, until lars-reporter acknowledges them, and are sent again on
// each connection that is made meanwhile.
package lbagent
