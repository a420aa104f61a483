package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime"
	"slices"
	"syscall"
	"text/tabwriter"
	"time"

	"golang.org/x/sys/unix"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	flags.SetOutput(stderr)
	bin := flags.String("bin", "bin", "the folder with the daemons")
	rounds := flags.Int("rounds", 5, "rounds of each measurement; the medians are printed")
	length := flags.Duration("length", time.Second, "length of a round")
	canned := flags.Bool("canned", false, "be the Go responder (used by bench itself)")
	if err := flags.Parse(args); err != nil {
		return 2
	}
	if *canned {
		return runCanned(stdout, stderr)
	}
	if *rounds < 1 || *length < 10*time.Millisecond {
		fmt.Fprintln(stderr, "bench: -rounds must be at least 1, -length at least 10ms")
		return 2
	}
	if err := bench(ctx, *bin, *rounds, *length, stdout, stderr); err != nil {
		fmt.Fprintln(stderr, "bench:", err)
		return 1
	}
	return 0
}

// scenario is one load, with the ratio that Lars 1.0 reaches under it.
type scenario struct {
	name    string
	sockets int
	window  int // requests under way on each socket
	reports bool
	lars1   float64
}

var scenarios = []scenario{
	{"GetHost, 1 socket x 32 under way", 1, 32, false, 0.61},
	{"GetHost, 3 ports x 32 under way", 3, 32, false, 0.62},
	{"GetHost+Report, 1 socket x 32 under way", 1, 32, true, 0.28},
}

func bench(ctx context.Context, bin string, rounds int, length time.Duration, stdout, stderr io.Writer) error {
	responder, language, err := startResponder(ctx)
	if err != nil {
		return err
	}
	defer responder.stop()
	agent, err := startAgent(ctx, bin)
	if err != nil {
		return err
	}
	defer agent.stop()

	var uts unix.Utsname
	_ = unix.Uname(&uts)
	fmt.Fprintf(stdout, "%d CPUs, Linux %s, %s; canned responder in %s; medians of %d rounds of %v\n\n",
		runtime.NumCPU(), unix.ByteSliceToString(uts.Release[:]), runtime.Version(), language, rounds, length)
	table := tabwriter.NewWriter(stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "load\tagent/s\tcanned/s\tratio\tLars 1.0's\tagent CPU\tcanned CPU\tratio\tlost\t")
	below := false
	for i, s := range scenarios {
		var ours, theirs []sample
		for round := range rounds {
			fmt.Fprintf(stderr, "\r%s: round %d of %d (%d of %d loads) ", s.name, round+1, rounds, i+1, len(scenarios))
			for _, m := range []struct {
				target *target
				into   *[]sample
			}{{responder, &theirs}, {agent, &ours}} {
				got, err := measure(ctx, m.target, s, length)
				if err != nil {
					return err
				}
				*m.into = append(*m.into, got)
			}
		}
		fmt.Fprint(stderr, "\r\033[K")
		a, c := medians(ours), medians(theirs)
		mark := ""
		if a.rate/c.rate < s.lars1 {
			mark, below = " BELOW", true
		}
		fmt.Fprintf(table, "%s\t%.0f\t%.0f\t%.2f\t%.2f%s\t%.2f µs\t%.2f µs\t%.2f\t%d\t\n",
			s.name, a.rate, c.rate, a.rate/c.rate, s.lars1, mark, a.cpu, c.cpu, c.cpu/a.cpu, a.lost)
	}
	if err := table.Flush(); err != nil {
		return err
	}
	fmt.Fprint(stdout, `
Rates are those of one generator, which may itself be the limit; CPU time is
what the agent or the responder used for each answer, whatever the rate.
`)
	if language != languageC {
		fmt.Fprintln(stdout, "Lars 1.0's ratios were measured against a responder in C, so they say nothing here.")
	} else if below {
		return errors.New("the agent is slower than Lars 1.0 was")
	}
	return nil
}

// sample is the result of one round.
type sample struct {
	rate float64 // answers a second
	cpu  float64 // of the target for each answer, µs
	lost uint64  // requests that were not answered
}

// medians are those of each number by itself; what was lost is added up.
func medians(samples []sample) sample {
	median := func(of func(sample) float64) float64 {
		values := make([]float64, len(samples))
		for i, s := range samples {
			values[i] = of(s)
		}
		slices.Sort(values)
		return values[len(values)/2]
	}
	m := sample{
		rate: median(func(s sample) float64 { return s.rate }),
		cpu:  median(func(s sample) float64 { return s.cpu }),
	}
	for _, s := range samples {
		m.lost += s.lost
	}
	return m
}
