// Package reporter measures lars-reporter: from the frames of agents to rows
// that are committed, beside bare upserts of many rows into the same database in
// the same run.
//
// The agents are one process, this program started again: a thousand
// connections that number what they send, as agents do, or do not, as those of
// Lars 1.0. The yardstick is upserts of the same rows, 500 a statement, over as
// many connections as lars-reporter has workers, from prepared text and without
// anything that makes reports exact. Both go on in turn, for several rounds.
//
// What a row is depends on what is kept. Without a history one result of a
// report is one row of ServerCallStatus. With one it is two, and the yardstick
// then writes the same two.
package reporter
