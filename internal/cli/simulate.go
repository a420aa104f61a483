package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/lars-lb/lars/api/lars"
)

func (a *app) simulateCommand() *cobra.Command {
	var (
		sim     = simulation{hostErrRate: make(map[lars.Host]float64)}
		hostErr []string
	)
	cmd := &cobra.Command{
		Use:   "simulate MODID CMDID",
		Short: "Pretend to call a module, and show how its hosts were chosen",
		Long: `Pretend to call a module: ask the agent for a host, decide by chance whether
the call would have failed, report that, and so on. At the end, or on Ctrl-C,
print how the calls were spread. The module must have a route. Nothing is sent to the hosts themselves, but the
agent takes the reports for real and counts them.`,
		Example: `  lars simulate 1 1 --err-rate 0.2 --calls 1000
  lars simulate 1 1 --host-err 192.168.1.177:7777=0.5 --rate 100 --seed 7`,
		Args:              exactly(2),
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(cmd *cobra.Command, args []string) error {
			m, err := module(args)
			if err != nil {
				return err
			}
			sim.module = m
			if err := sim.setHostErrors(hostErr); err != nil {
				return err
			}
			if err := sim.validate(); err != nil {
				return err
			}
			if !cmd.Flags().Changed("seed") {
				sim.seed = rand.Uint64()
			}
			return a.withAgent(func(c *lars.Client) error { return a.simulate(cmd.Context(), c, &sim) })
		},
	}
	flags := cmd.Flags()
	flags.IntVar(&sim.calls, "calls", 1000, "how many calls to pretend")
	flags.Float64Var(&sim.errRate, "err-rate", 0.1, "share of calls that fail, 0 to 1")
	flags.StringArrayVar(&hostErr, "host-err", nil, "another share for one host, as `IP:PORT=SHARE`; may be repeated")
	flags.IntVar(&sim.rate, "rate", 0, "calls a second; 0 is as many as possible")
	flags.DurationVar(&sim.cost, "cost", time.Millisecond, "how long each call is said to have taken")
	flags.Uint64Var(&sim.seed, "seed", 0, "number that decides which calls fail (default: another each time)")
	expect(cmd, aCount, "calls", "rate")
	expect(cmd, aCount+" from 0 to 18446744073709551615", "seed")
	expect(cmd, aShare, "err-rate")
	expect(cmd, aDuration, "cost")
	return cmd
}

// setHostErrors reads IP:PORT=SHARE.
func (s *simulation) setHostErrors(args []string) error {
	for _, arg := range args {
		host, share, _ := strings.Cut(arg, "=")
		h, err := lars.ParseHost(host)
		if err != nil {
			return wrongUsage("--host-err %q: %w", arg, err)
		}
		rate, err := strconv.ParseFloat(share, 64)
		if err != nil {
			return wrongUsage("--host-err %q: want IP:PORT=SHARE", arg)
		}
		s.hostErrRate[h] = rate
	}
	return nil
}

func (s *simulation) validate() error {
	if s.calls < 1 {
		return wrongUsage("--calls %d: must be at least 1", s.calls)
	}
	if !(s.errRate >= 0 && s.errRate <= 1) {
		return wrongUsage("--err-rate %v: must be from 0 to 1", s.errRate)
	}
	for h, rate := range s.hostErrRate {
		if !(rate >= 0 && rate <= 1) {
			return wrongUsage("--host-err %v=%v: must be from 0 to 1", h, rate)
		}
	}
	if s.rate < 0 || s.rate > 1e6 {
		return wrongUsage("--rate %d: must be from 0 to 1000000", s.rate)
	}
	if s.cost < 0 {
		return wrongUsage("--cost %v is negative", s.cost)
	}
	return nil
}

// simulate runs sim and shows what became of it, also when it ended early, but
// not when there was no call at all.
func (a *app) simulate(ctx context.Context, c *lars.Client, sim *simulation) error {
	failed := sim.checkRoute(ctx, c)
	if failed == nil {
		progress, done := a.progress("calls", sim.calls)
		failed = sim.run(ctx, c, progress)
		done()
	}
	if sim.done > 0 {
		if err := a.show(sim.summary(), sim.print); err != nil {
			return err
		}
	}
	if errors.Is(failed, context.Canceled) {
		return fmt.Errorf("interrupted after %d of %d calls", sim.done, sim.calls)
	}
	return failed
}

// manyOverloaded is the share of calls that met only overloaded hosts, one in
// so many, beyond which the summary explains the word.
const manyOverloaded = 10

// print writes the summary for people.
func (s *simulation) print(w io.Writer) {
	sum := s.summary()
	fmt.Fprint(w, "HOST\tCALLS\tSUCC\tFAIL\tSHARE\n")
	for _, h := range sum.Hosts {
		fmt.Fprintf(w, "%s\t%d\t%d\t%d\t%.1f%%\n", h.Host, h.Calls, h.Succ, h.Fail, 100*h.Share)
	}
	fmt.Fprintf(w, "\n%s of %v: %d succeeded, %d failed, %d overloaded, %d did not exist (seed %d)\n",
		count(sum.Calls, "call", "calls"), s.module, sum.Succ, sum.Fail, sum.Overload, sum.NotExist, s.seed)
	if sum.Overload > sum.Calls/manyOverloaded {
		fmt.Fprintf(w, "Overloaded: too many reported calls had failed on every host, so the agent gave none,\nexcept now and then one to try.\n")
	}
}
