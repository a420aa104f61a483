// Lars-reporter writes the call counts that agents report to SQL. See
// lars-reporter -h.
package main

import (
	"context"
	"net/netip"
	"os"

	"github.com/lars-lb/lars/internal/config"
	"github.com/lars-lb/lars/internal/daemon"
)

// version is set by the build; empty, the version is what Go recorded.
var version string

const about = `
Lars-reporter collects how calls went: agents (lars-lb-agent) send it their
counts over TCP, and it writes them in batches to SQL: the newest for each host,
module and agent, and sums by the minute, which "lars report history" shows.

It acknowledges what is in the database, and agents send again what is not: so
each call counts once, also when the database, a connection or lars-reporter
itself fails. Any number of lars-reporter may write to one MySQL database.`

func main() {
	os.Exit(daemon.Main(context.Background(), daemon.Spec[config.Reporter]{
		Name:        "lars-reporter",
		About:       about,
		Environment: config.PasswordVariable + "  when not empty, the password of MySQL instead of [mysql] db_passwd",
		DefaultConf: "conf/lars-reporter.conf",
		Version:     version,
		Load:        config.LoadReporter,
		Changed:     config.Reporter.Changed,
		Log:         func(c config.Reporter) daemon.LogConfig { return daemon.LogConfig(c.Log) },
		Admin:       func(c config.Reporter) netip.AddrPort { return c.Admin.Addr },
		Start:       start,
	}, os.Args[1:], os.Stdout, os.Stderr))
}
