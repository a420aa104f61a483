package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/lars-lb/lars/internal/bench/agent"
	"github.com/lars-lb/lars/internal/bench/dns"
	"github.com/lars-lb/lars/internal/bench/reactor"
	"github.com/lars-lb/lars/internal/bench/reporter"
	"github.com/lars-lb/lars/internal/bench/result"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // a second signal ends it at once
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
	{"dns", func(ctx context.Context, s settings, r *result.Recorder) error {
		return dns.Run(ctx, dns.Config{Bin: s.bin, Rounds: s.rounds, Length: s.length}, r)
	}},
	{"reactor", func(ctx context.Context, s settings, r *result.Recorder) error {
		return reactor.Run(ctx, reactor.Config{Rounds: s.rounds, Length: s.length}, r)
	}},
	{"reporter", func(ctx context.Context, s settings, r *result.Recorder) error {
		return reporter.Run(ctx, reporter.Config{Bin: s.bin, Rounds: s.rounds, Length: s.length}, r)
	}},
}

// usage is what -h says above the flags.
const usage = `Bench measures the suite: real programs, beside a yardstick in the same run.

  make bench                                  everything
  make bench ONLY=agent                       one part, or several: ONLY=agent,dns
  make bench ROUNDS=9 LENGTH=2s               longer, and less noisy
  make bench-docs                             the last run into docs/PERFORMANCE.md

Parts: %s.

It prints a table and writes bench.json and pictures into the folder -out.
Ctrl-C ends it, and what was measured until then is shown and written, too.
Exit codes: 0 every aim was reached, 1 one was missed or a part failed, 2 bad usage.

Flags:
`

func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	var s settings
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.Usage = func() {
		fmt.Fprintf(flags.Output(), usage, names(parts))
		flags.PrintDefaults()
	}
	out := flags.String("out", filepath.Join("var", "bench"), "the `folder` for bench.json and the pictures")
	docs := flags.String("docs", "", "measure nothing: write the run in -from into PERFORMANCE.md in this `folder`, and its pictures beside it")
	from := flags.String("from", "", "the `file` with the run for -docs (default bench.json in -out)")
	flags.StringVar(&s.bin, "bin", "bin", "the `folder` with the daemons")
	flags.IntVar(&s.rounds, "rounds", 5, "rounds of each measurement; the medians are printed")
	flags.DurationVar(&s.length, "length", time.Second, "length of a round")
	only := flags.String("only", "", "the `parts` to run, with commas between; all if empty")
	canned := flags.Bool("canned", false, "be the Go responder (used by bench itself)")
	crowd := flags.Bool("crowd", false, "be the agents of the part dns (used by bench itself)")
	agents := flags.Bool("agents", false, "be the agents that report (used by bench itself)")
	echo := flags.String("echo", "", "be a TCP echo server: "+reactor.KindReactor+" or "+reactor.KindNet+" (used by bench itself)")
	if err := flags.Parse(args); errors.Is(err, flag.ErrHelp) {
		return 0
	} else if err != nil {
		return 2
	}
	if *crowd {
		return dns.Crowd(os.Stdin, stdout, stderr)
	}
	if *canned {
		return agent.Respond(stdout, stderr)
	}
	if *echo != "" {
		return reactor.Serve(ctx, *echo, os.Stdin, stdout, stderr)
	}
	if *agents {
		return reporter.Send(os.Stdin, stdout, stderr)
	}
	if s.rounds < 1 || s.length < 10*time.Millisecond {
		fmt.Fprintln(stderr, "bench: -rounds must be at least 1, -length at least 10ms")
		return 2
	}
	if flags.NArg() > 0 {
		fmt.Fprintf(stderr, "bench: what is %q? See bench -h\n", flags.Arg(0))
		return 2
	}
	if *docs != "" {
		return publish(*docs, cmp.Or(*from, filepath.Join(*out, jsonName)), stdout, stderr)
	}
	chosen, err := choose(parts, *only)
	if err != nil {
		fmt.Fprintf(stderr, "bench: %v\n", err)
		return 2
	}
	m := measurement{settings: s, parts: chosen, out: *out, stdout: stdout, stderr: stderr}
	return m.run(ctx)
}

// choose are the parts that are named, in their own order; all if only is empty.
func choose(parts []part, only string) ([]part, error) {
	if only == "" {
		return parts, nil
	}
	wanted := strings.FieldsFunc(only, func(r rune) bool { return r == ',' || r == ' ' })
	for _, name := range wanted {
		if !slices.ContainsFunc(parts, func(p part) bool { return p.name == name }) {
			return nil, fmt.Errorf("there is no part %q: want some of %s", name, names(parts))
		}
	}
	if len(wanted) == 0 {
		return nil, fmt.Errorf("no part is named: want some of %s", names(parts))
	}
	return slices.DeleteFunc(slices.Clone(parts), func(p part) bool { return !slices.Contains(wanted, p.name) }), nil
}

func names(parts []part) string {
	var names []string
	for _, p := range parts {
		names = append(names, p.name)
	}
	return strings.Join(names, ", ")
}
