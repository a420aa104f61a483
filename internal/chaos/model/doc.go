// Package model says whether a history could have been made by a Lars that
// keeps its promises. It knows those alone, not how a daemon is built:
//
//   - an answer names a host that was in the module's route in the database at
//     some moment between the last time that the agent could have learnt
//     everything and the answer; and it says that there is none only if there
//     was none then;
//   - a request is answered by its deadline while its agent runs;
//   - after the last fault each agent comes to have the routes of the database
//     within a time;
//   - what callers reported is what the database counts, neither less nor more.
//
// Where a history leaves room, as after a write that met an error, the model
// gives it the benefit of the doubt: it has no false alarms, and every
// violation that it names is one.
package model
