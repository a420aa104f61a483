package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/lars-lb/lars/internal/sim"
	"github.com/lars-lb/lars/internal/sim/chart"
)

// simOptions are the flags of sim.
type simOptions struct {
	group      string
	algorithms []string
	seeds      int
	first      uint64
	svg        string
	markdown   bool
	details    bool
	shares     bool
	live       bool
	liveTime   int // seconds
	bin        string
}

const (
	defaultSeeds = 5
	maxSeeds     = 1000
)

func (a *app) simCommand() *cobra.Command {
	var o simOptions
	cmd := &cobra.Command{
		Use:   "sim [all | ID...]",
		Short: "Compare how many calls are lost with Lars and with other algorithms",
		Long: `Compare how many calls are lost with Lars and with other algorithms that choose
hosts. Hosts, callers and faults are simulated in virtual time; what decides is
the agent's own code, and for the others their documented rules with their
documented defaults. Nothing is sent anywhere.

Without an ID it runs the reference scenarios; all is every scenario but those
that take minutes. A seed decides everything that is left to chance: equal
seeds give equal results, and all algorithms meet the same luck.

With --live it plays scenarios in real time instead, with the real programs:
lars-dns and an agent for each policy on free ports, callers that use the client
library, and hosts that listen on 127.0.0.0/8. Only adaptive and classic can be
played: they are what an agent has. Nothing leaves this machine, and nothing
stays on it.

Exit status 1 if it was interrupted; what was complete until then is shown.`,
		Example: `  lars sim
  lars sim list
  lars sim hang-1of10 down-20s --algorithms envoy,adaptive --seeds 20
  lars sim --group natural --details
  lars sim --svg decisions.svg
  lars sim --live hang-1of10 --live-seconds 15`,
		Args:                  cobra.ArbitraryArgs,
		ValidArgsFunction:     completeScenarios,
		DisableFlagsInUseLine: false,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := o.validate(cmd, a.json); err != nil {
				return err
			}
			if o.live {
				cfg, err := o.liveConfig(args)
				if err != nil {
					return err
				}
				return a.simLive(cmd.Context(), cfg, &o)
			}
			batch, err := o.batch(args)
			if err != nil {
				return err
			}
			return a.sim(cmd.Context(), batch, &o)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&o.group, "group", "", "the scenarios of `GROUP`, in addition to those named")
	flags.StringSliceVar(&o.algorithms, "algorithms", nil, "only these, as `NAMES` with commas (default: all)")
	flags.IntVar(&o.seeds, "seeds", defaultSeeds, fmt.Sprintf("how many seeds, 1 to %d; medians are shown", maxSeeds))
	flags.Uint64Var(&o.first, "seed", 1, "the first seed; the others follow it")
	flags.StringVar(&o.svg, "svg", "", "also draw a picture into `FILE`")
	flags.BoolVar(&o.markdown, "markdown", false, "print the tables in Markdown")
	flags.BoolVar(&o.details, "details", false, "also show which healthy hosts were kept out, how often dead ones were tried, and crowding")
	flags.BoolVar(&o.shares, "shares", false, "with --json: the share of the first host in each second")
	flags.BoolVar(&o.live, "live", false, "play in real time with the real programs")
	flags.IntVar(&o.liveTime, "live-seconds", defaultLiveTime, fmt.Sprintf("with --live: how long each scenario takes, %d to %d", minLiveTime, maxLiveTime))
	flags.StringVar(&o.bin, "bin", "", "with --live: the `FOLDER` of lars-dns and lars-lb-agent (default: that of lars)")
	expect(cmd, aCount, "seeds", "live-seconds")
	expect(cmd, aCount+" from 0 to 18446744073709551615", "seed")
	for flag, complete := range map[string]cobra.CompletionFunc{"group": completeGroups, "algorithms": completeAlgorithms} {
		if err := cmd.RegisterFlagCompletionFunc(flag, complete); err != nil {
			panic(err) // the flag does not exist: a slip in the lines above
		}
	}
	cmd.AddCommand(a.simListCommand(), a.simIncidentCommand())
	return cmd
}

// batch is what the arguments and flags ask for.
func (o *simOptions) batch(args []string) (*sim.Batch, error) {
	scenarios, err := pickScenarios(args, o.group)
	if err != nil {
		return nil, err
	}
	algorithms, err := pickAlgorithms(o.algorithms)
	if err != nil {
		return nil, err
	}
	if o.seeds < 1 || o.seeds > maxSeeds {
		return nil, wrongUsage("--seeds %d: must be from 1 to %d", o.seeds, maxSeeds)
	}
	return &sim.Batch{Scenarios: scenarios, Algorithms: algorithms, FirstSeed: o.first, Seeds: o.seeds, Shares: o.shares}, nil
}

// validate refuses flags that do not go together, and a picture that could not
// be written in the end.
func (o *simOptions) validate(cmd *cobra.Command, json bool) error {
	refused, why := []string{"live-seconds", "bin"}, "needs --live"
	if o.live {
		refused, why = []string{"seeds", "svg", "shares", "details"}, "does not go with --live"
	}
	for _, flag := range refused {
		if cmd.Flags().Changed(flag) {
			return wrongUsage("--%s %s", flag, why)
		}
	}
	switch {
	case json && o.markdown:
		return wrongUsage("--json and --markdown exclude each other")
	case o.shares && !json:
		return wrongUsage("--shares needs --json")
	case o.svg == "":
		return nil
	}
	if info, err := os.Stat(filepath.Dir(o.svg)); err != nil {
		return wrongUsage("--svg: %w", err)
	} else if !info.IsDir() {
		return wrongUsage("--svg: %w", &fs.PathError{Op: "open", Path: o.svg, Err: errors.New("not in a directory")})
	}
	return nil
}

func (a *app) sim(ctx context.Context, batch *sim.Batch, o *simOptions) error {
	step, done := a.progress("simulations", batch.Runs())
	batch.Progress = func(int) { step() }
	rows, failed := batch.Run(ctx) // by an interruption only
	done()
	if len(rows) > 0 {
		if err := a.showSim(batch, rows, o); err != nil {
			return err
		}
	}
	if failed != nil {
		return fmt.Errorf("interrupted: %d of %s complete", len(rows), count(len(batch.Scenarios), "scenario is", "scenarios are"))
	}
	if o.svg == "" {
		return nil
	}
	var picture bytes.Buffer
	if err := chart.Write(&picture, batch, rows); err != nil {
		return fmt.Errorf("draw the picture: %w", err)
	}
	if err := os.WriteFile(o.svg, picture.Bytes(), 0o644); err != nil {
		return fmt.Errorf("write the picture: %w", err)
	}
	return nil
}

// simJSON is the result of sim.
type simJSON struct {
	FirstSeed   uint64        `json:"first_seed"`
	Seeds       int           `json:"seeds"`
	LiveSeconds int           `json:"live_seconds,omitempty"`
	Results     []sim.Summary `json:"results"` // by scenario, then by algorithm
}

func (a *app) showSim(batch *sim.Batch, rows []sim.Row, o *simOptions) error {
	result := simJSON{FirstSeed: batch.FirstSeed, Seeds: batch.Seeds}
	for _, r := range rows {
		result.Results = append(result.Results, r.Cells...)
	}
	_, seen := terminal(a.Out)
	p := simPrinter{batch: batch, rows: rows, details: o.details, bold: seen && os.Getenv("NO_COLOR") == ""}
	if o.live {
		result.LiveSeconds, p.liveTime = o.liveTime, o.liveTime
	}
	if o.markdown {
		return a.show(result, p.markdown)
	}
	return a.show(result, p.text)
}
