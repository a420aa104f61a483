// Example is the smallest program that uses Lars: it asks the agent for a host
// of one module, pretends to call it, and reports that the call went well.
//
//	example [-agent ADDRESS] MODID CMDID
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"time"

	"github.com/lars-lb/lars/api/lars"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// run returns the exit status: 0, 1 for a call that failed, 2 for arguments
// that make no sense.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	in, err := parse(args, stderr)
	if errors.Is(err, flag.ErrHelp) {
		return 0
	}
	if err != nil {
		return 2 // parse has said why
	}
	if err := call(ctx, in, stdout); err != nil {
		fmt.Fprintln(stderr, "example:", err)
		return 1
	}
	return 0
}

func call(ctx context.Context, in input, out io.Writer) error {
	client, err := lars.NewClient(lars.Config{Agent: in.agent})
	if err != nil {
		return err
	}
	defer client.Close()
	ctx, cancel := context.WithTimeout(ctx, 1500*time.Millisecond)
	defer cancel()

	route, err := client.GetRoute(ctx, in.modid, in.cmdid)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "route of (%d,%d):\n", in.modid, in.cmdid)
	for _, host := range route {
		fmt.Fprintln(out, " ", host)
	}

	host, err := client.GetHost(ctx, in.modid, in.cmdid)
	if err != nil {
		return err
	}
	fmt.Fprintln(out, "host is", host)

	start := time.Now() // here a real program calls host.String()
	if err := client.Report(in.modid, in.cmdid, host, lars.Success, time.Since(start)); err != nil {
		return err
	}
	fmt.Fprintln(out, "reported the call as a success")
	return nil
}
