// Package chaos hurts a whole suite of real processes and holds it to what it
// promises meanwhile. It is for tests.
//
// A [World] is MariaDB, several lars-dns, lars-reporter and agents, a relay in
// every connection between two of them, callers that ask each agent at a rate
// and report each answer, and an operator who changes routes. A test makes one,
// gives it a schedule of faults and looks at the result:
//
//	w := chaos.NewWorld(t, programs, database, chaos.Options{Rules: rules()})
//	r := w.Run(fault.Schedule{{Kind: fault.Kill, Target: "dns1", For: 2 * time.Second}})
//	if r.Failed > 0 { ... }
//
// Run fails the test by itself when the history breaks a promise of package
// model: it prints each violation with the faults and versions around it, the
// seed and the schedule, and leaves the last of the history as lines of JSON in
// a file. A test says only what it expects beyond that. [World.Inflict],
// [World.Change] and [World.WaitCurrent] are for what must hold while a fault
// lasts.
//
// Names of targets: agent1, dns2, reporter1, db, and connections such as
// agent1>dns1 and reporter1>db. See packages fault for what can be done to each,
// history for what is recorded, model for what is judged, relay for what
// connections suffer.
//
// The methods of a World are for the test's goroutine. Callers and the operator
// have goroutines of their own, which Run waits for. Only one World uses a
// database server at a time, as faults stop it.
package chaos
