// Package store keeps what Lars knows in SQL: the routes, the names of
// modules, and the call counts that agents report. It speaks to MySQL (and
// MariaDB) and to SQLite; the two differ in mysql.go and sqlite.go alone.
//
// The tables are those of Lars 1.0, so an existing database is adopted as it
// is. What Lars adds beside them is additive and made by Store.Migrate.
//
// # Routes and their version
//
// RouteData holds one row a host. Every writer here changes it in one
// transaction whose first statement raises RouteVersion and so locks it:
// writers follow one another, and the ids of the RouteChange rows they leave
// are committed in ascending order. The version is the Unix time, or one more
// than the last version where that is later, so two changes in one second
// have two versions. Readers compare Revisions and ask Changed which modules
// to read again.
//
// Other programs may edit the tables with plain SQL. Rows are therefore handed
// out as they are stored: RouteData may hold duplicates, impossible hosts and
// impossible weights, and RouteVersion may be empty.
//
// The weight of a host is a column that Migrate adds. As long as nobody has, the
// routes are read all the same, each weight being route.DefaultWeight, and only
// writing another one fails, with ErrNoWeights.
//
// # Reports, each once
//
// ServerCallStatus has the newest report of each agent about each host, as in
// Lars 1.0. CallHistory has sums by the minute, which must not change when a
// report comes twice. Agents number their reports; SaveReports notes the number
// of an agent's last one in ReportSequence, in the transaction that adds the
// counts, and passes over what is not above it. The transaction locks the
// agents' rows first. So it may be tried again whatever became of it, by any
// process, as long as no report is passed over that the agent still has.
//
// # Several servers
//
// A Config may name several servers of one cluster. The store then goes by
// cluster.go: it uses the first in order that works, leaves one that fails, and
// returns. Locks are one server's alone there: what two writers did at once is
// found out at COMMIT, and the second begins again. Readers see no state older
// than the Revision they asked for last, nor if a proxy chooses the server.
//
// # Goroutines and failures
//
// A Store may be used by many goroutines. With several servers it has one of
// its own, and more for a second at most, which look after them; Close waits
// for all. No call outlives its context, and none waits for ever without one:
// connecting, each read and write on a connection, and each wait for a lock have
// limits of their own. Deadlocks, lock time-outs, conflicts and a busy SQLite
// file are retried for a while; everything else is returned, naming the database
// and the operation, and nothing is logged.
package store
