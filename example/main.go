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
