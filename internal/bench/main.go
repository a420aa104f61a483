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
	"strings"
	"syscall"
	"text/tabwriter"
	"time"

	"golang.org/x/sys/unix"

	"github.com/lars-lb/lars/internal/bench/agent"
	"github.com/lars-lb/lars/internal/bench/result"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// settings are those that every part is told.
type settings struct {
	bin    string
	rounds int
	length time.Duration
}

// part is one that can be run by itself.
type part struct {
	name string
	run  func(context.Context, settings, *result.Recorder) error
}

var parts = []part{
	{"agent", func(ctx context.Context, s settings, r *result.Recorder) error {
		return agent.Run(ctx, agent.Config{Bin: s.bin, Rounds: s.rounds, Length: s.length}, r)
	}},
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	var s settings
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.StringVar(&s.bin, "bin", "bin", "the folder with the daemons")
	flags.IntVar(&s.rounds, "rounds", 5, "rounds of each measurement; the medians are printed")
	flags.DurationVar(&s.length, "length", time.Second, "length of a round")
	only := flags.String("only", "", "the one part to run: "+names())
	canned := flags.Bool("canned", false, "be the Go responder (used by bench itself)")
	if err := flags.Parse(args); err != nil {
		return 2
	}
	if *canned {
		return agent.Respond(stdout, stderr)
	}
	if s.rounds < 1 || s.length < 10*time.Millisecond {
		fmt.Fprintln(stderr, "bench: -rounds must be at least 1, -length at least 10ms")
		return 2
	}
	chosen := slices.DeleteFunc(slices.Clone(parts), func(p part) bool { return *only != "" && p.name != *only })
	if len(chosen) == 0 {
		fmt.Fprintf(stderr, "bench: there is no part %q: want one of %s\n", *only, names())
		return 2
	}
	var uts unix.Utsname
	_ = unix.Uname(&uts)
	fmt.Fprintf(stdout, "%d CPUs, Linux %s, %s; medians of %d rounds\n\n",
		runtime.NumCPU(), unix.ByteSliceToString(uts.Release[:]), runtime.Version(), s.rounds)
	var rows []result.Row
	for _, p := range chosen {
		r := result.NewRecorder(p.name, stderr)
		err := p.run(ctx, s, r)
		fmt.Fprint(stderr, "\r\033[K")
		rows = append(rows, r.Rows...)
		if err != nil {
			fmt.Fprintf(stderr, "bench: %s: %v\n", p.name, err)
			return 1
		}
	}
	if !show(stdout, rows) {
		return 1
	}
	return 0
}

func names() string {
	var names []string
	for _, p := range parts {
		names = append(names, p.name)
	}
	return strings.Join(names, ", ")
}

// show prints the rows and reports whether each is as it should be.
func show(w io.Writer, rows []result.Row) (ok bool) {
	ok = true
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "part\twhat\tours\tbeside\tratio\taim\t")
	for _, r := range rows {
		mark := ""
		if !r.OK() {
			mark, ok = " MISSED", false
		}
		fmt.Fprintf(table, "%s\t%s\t%.5g %s\t%.5g %s\t%.2f\t%s %g%s\t\n", r.Part, r.What, r.Ours, r.Unit, r.Other, r.Than, r.Ratio(), r.Aim.Kind, r.Aim.Bound, mark)
	}
	_ = table.Flush()
	return ok
}
