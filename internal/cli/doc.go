// Package cli is the lars command, the operator's tool, without its main: the
// commands, their arguments and what they print.
//
// There are four sorts of commands. Those on the store (route add, rm, ls,
// weight, drain, undrain, import and export, name, db) read and write the tables
// that lars-dns serves, and find them by lars-dns's configuration file. Those on
// an agent (get, route MODID CMDID, register, report, simulate) do what a
// program does that uses package lars. Those under agent ask an agent's admin
// address what it thinks of its hosts, and doctor asks everybody for what is wrong.
// And sim compares algorithms by itself.
//
// A command prints its result to Out, as text or with --json as one JSON value,
// and everything else to Err. Run returns the exit status: 0 for success, 1 for
// a command that failed, 2 for one that was called wrongly or whose
// configuration file is missing or bad.
//
// Each file holds one command or group: a constructor that returns its
// cobra.Command, and the method of app that it runs. An app belongs to one Run
// and to the goroutine that called it.
package cli
