// Package daemon is what the mains of all daemons share: flags, reading the
// configuration, logging, signals, reloading, the admin HTTP server and exit
// codes. A main describes its daemon in a [Spec] and returns what [Main]
// returns:
//
//	func main() {
//		os.Exit(daemon.Main(context.Background(), spec(), os.Args[1:], os.Stdout, os.Stderr))
//	}
//
// # Threading
//
// Main itself runs on the caller's goroutine, and is the only one that reads
// signals and calls Reload. Start and Serve run one after the other on a
// goroutine of their own; Stats, and the handlers of a [Router], run on
// goroutines of the admin server. Main waits for all but these handlers, except
// when the service does not stop in time: it then returns without it, for the
// process to end.
//
// # Signals
//
//   - SIGTERM, SIGINT: the context given to Start and Serve is cancelled. If
//     Serve does not return within 2 s, or a second signal arrives, Main
//     returns 1 at once.
//   - SIGHUP: the configuration is read again, and what can change live does.
//     A bad file is logged and changes nothing.
//   - SIGPIPE: ignored, so that a daemon outlives the reader of its log.
//
// # Exit codes
//
// 0 for a clean stop, -h, -version and a good -check; 1 when the daemon
// failed; 2 for bad arguments or a bad configuration.
package daemon
