// Lars-lb-agent tells the programs of one machine which host to call. See
// lars-lb-agent -h.
package main

import (
	"context"
	"net/netip"
	"os"
	"strings"

	"github.com/lars-lb/lars/internal/config"
	"github.com/lars-lb/lars/internal/daemon"
)

// version is set by the build; empty, the version is what Go recorded.
var version string

const about = `
Lars-lb-agent runs once on every machine. The programs there ask it over UDP
which host of a module to call now, and report how the call went; it keeps away
from hosts that fail, and tries them again now and then. Routes come from
lars-dns, call counts go to lars-reporter. It serves what it knows while either
of them is away, also after a start: it keeps its routes in a file.

A reload changes every key of [loadbalance] while the agent runs.`

func main() {
	os.Exit(daemon.Main(context.Background(), daemon.Spec[config.Agent]{
		Name:        "lars-lb-agent",
		About:       about,
		DefaultConf: "conf/lars-lb-agent.conf",
		Version:     version,
		Load:        config.LoadAgent,
		Changed:     config.Agent.Changed,
		Live:        func(key string) bool { return strings.HasPrefix(key, "[loadbalance] ") },
		Log:         func(c config.Agent) daemon.LogConfig { return daemon.LogConfig(c.Log) },
		Admin:       func(c config.Agent) netip.AddrPort { return c.Admin.Addr },
		Start:       start,
	}, os.Args[1:], os.Stdout, os.Stderr))
}
