// Lars-dns answers agents' questions for routes from SQL, and pushes what
// changes. See lars-dns -h.
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
Lars-dns knows the routes: which hosts serve a module. It reads them from SQL,
answers agents (lars-lb-agent) over TCP, and pushes a changed route at once to
every agent that asked for it. Change routes with the program lars.

When it starts and the database is down it serves the routes of a file, in
which it keeps them as they were last; when the database fails later it goes on
with the routes it has. If most routes are suddenly gone from the database it
serves them for a while longer, as that may be an accident ("lars dns").
Any number of lars-dns may serve one MySQL database.`

func main() {
	os.Exit(daemon.Main(context.Background(), daemon.Spec[config.DNS]{
		Name:        "lars-dns",
		About:       about,
		Environment: config.PasswordVariable + "  when not empty, the password of MySQL instead of [mysql] db_passwd",
		DefaultConf: "conf/lars-dns.conf",
		Version:     version,
		Load:        config.LoadDNS,
		Changed:     config.DNS.Changed,
		Log:         func(c config.DNS) daemon.LogConfig { return daemon.LogConfig(c.Log) },
		Admin:       func(c config.DNS) netip.AddrPort { return c.Admin.Addr },
		Start:       start,
	}, os.Args[1:], os.Stdout, os.Stderr))
}
