package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime"
	"slices"
	"syscall"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// options are how large a fleet is, and how much of it changes.
type options struct {
	bin                      string
	agents, modules, changed int
	hosts                    int // of a module
	rounds                   int
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	var o options
	flags := flag.NewFlagSet("fleet", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.StringVar(&o.bin, "bin", "bin", "the folder with the daemons")
	flags.IntVar(&o.agents, "agents", 200, "agents, all of which know all modules")
	flags.IntVar(&o.modules, "modules", 10_000, "modules in the database")
	flags.IntVar(&o.hosts, "hosts", 3, "hosts of a module")
	flags.IntVar(&o.changed, "changed", 100, "modules that change while lars-dns is away")
	flags.IntVar(&o.rounds, "rounds", 3, "times that lars-dns is killed")
	if err := flags.Parse(args); err != nil {
		return 2
	}
	if o.agents < 1 || o.modules < 1 || o.hosts < 1 || o.hosts > 100 || o.changed < 0 || o.changed > o.modules || o.rounds < 1 {
		fmt.Fprintln(stderr, "fleet: -agents, -modules and -rounds must be at least 1, -hosts 1 to 100, -changed 0 to -modules")
		return 2
	}
	if err := measure(ctx, o, stdout); err != nil {
		fmt.Fprintln(stderr, "fleet:", err)
		return 1
	}
	return 0
}

func measure(ctx context.Context, o options, out io.Writer) (err error) {
	fmt.Fprintf(out, "%d agents, %d modules with %d hosts each, %d of them changed while lars-dns was away\n%s, %d CPUs\n\n",
		o.agents, o.modules, o.hosts, o.changed, runtime.Version(), runtime.NumCPU())
	f, err := newFleet(ctx, o)
	defer func() {
		if stopErr := f.stop(); err == nil {
			err = stopErr
		}
	}()
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "%-6s  %10s  %10s  %10s\n", "round", "50%", "99%", "all")
	for round := range o.rounds {
		took, err := f.outage(ctx)
		if err != nil {
			return err
		}
		slices.Sort(took)
		at := func(share float64) time.Duration { return took[min(len(took)-1, int(share*float64(len(took))))] }
		fmt.Fprintf(out, "%-6d  %10v  %10v  %10v\n", round+1,
			at(0.5).Round(time.Millisecond), at(0.99).Round(time.Millisecond), took[len(took)-1].Round(time.Millisecond))
	}
	fmt.Fprintln(out, "\nall agents have the routes of the database")
	return nil
}
