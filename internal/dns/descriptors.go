package dns

import (
	"log/slog"

	"golang.org/x/sys/unix"
)

// otherDescriptors is how many descriptors lars-dns needs beside those of its
// connections, generously: loops, log, database, admin.
const otherDescriptors = 64

// checkDescriptors says so if the process may not have as many descriptors as it
// is to serve connections. Go has raised the limit as far as it may go when the
// process started.
func checkDescriptors(limit unix.Rlimit, maxConn int, log *slog.Logger) {
	if need := uint64(maxConn) + otherDescriptors; limit.Max < need {
		log.Warn("the limit of descriptors is too low for as many connections as maxConn says: the newest will be closed",
			"limit", limit.Max, "needed", need, "maxConn", maxConn, "do", "raise LimitNOFILE= in the unit file, or ulimit -Hn")
	}
}
