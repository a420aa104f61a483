// Package fault describes what is done to a suite, as data: a [Schedule] is a
// list of steps, each a fault of one target, when it begins and how long it
// lasts. It is made by chance from a seed, or written down, and it prints as
// text that Parse reads, so whatever was found can be played again:
//
//	1.2s kill dns1 for 800ms
//	2s stall agent1>dns1 for 1.5s
//
// Targets are processes (agent1, dns1, reporter1), the database (db) and
// connections between two of them (agent1>dns1, dns1>db). Package chaos carries
// schedules out.
package fault
