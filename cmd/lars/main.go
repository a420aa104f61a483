// Lars is the operator's tool: it changes and lists the routes that lars-dns
// serves, asks agents for hosts, and pretends calls. See lars --help.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"github.com/lars-lb/lars/internal/cli"
)

// version is set by the build; empty, the version is what Go recorded.
var version string

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // a second Ctrl-C ends the program at once
	os.Exit(cli.Run(ctx, version, os.Args[1:], cli.Streams{In: os.Stdin, Out: os.Stdout, Err: os.Stderr}))
}
