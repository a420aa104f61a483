package cli

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/lars-lb/lars/internal/sim"
	"github.com/lars-lb/lars/internal/sim/chart"
)

func (a *app) simIncidentCommand() *cobra.Command {
	var seed uint64
	var svg string
	cmd := &cobra.Command{
		Use:   "incident",
		Short: "Show what becomes of a host that fails, second by second",
		Long: `Show what the policy adaptive does with a host of ten at 1000 calls a second
that fails for 20 s: how much of the traffic it gets, when it is out, when it is
tried, and when it has its share again. Once its process is gone, which a TCP
connection shows; once every call fails, which only calls show.`,
		Example:           "  lars sim incident\n  lars sim incident --svg incident.svg",
		Args:              exactly(0),
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(*cobra.Command, []string) error {
			incidents := sim.Incidents(seed)
			if err := a.show(incidentsJSON(incidents), func(w io.Writer) { printIncidents(w, incidents) }); err != nil || svg == "" {
				return err
			}
			var picture bytes.Buffer
			if err := chart.WriteIncident(&picture, seed, incidents, sim.Evidences(seed)); err != nil {
				return fmt.Errorf("draw the picture: %w", err)
			}
			if err := os.WriteFile(svg, picture.Bytes(), 0o644); err != nil {
				return fmt.Errorf("write the picture: %w", err)
			}
			return nil
		},
	}
	cmd.Flags().Uint64Var(&seed, "seed", 1, "number that decides what is left to chance")
	cmd.Flags().StringVar(&svg, "svg", "", "also draw a picture into `FILE`")
	expect(cmd, aCount+" from 0 to 18446744073709551615", "seed")
	return cmd
}

// incidentJSON is one incident. Times are seconds from the fault on.
type incidentJSON struct {
	Fault  string     `json:"fault"`
	Lasts  float64    `json:"lasts_s"`
	Begin  float64    `json:"begin_s"`
	Shares []float64  `json:"shares"` // of the fair share, each second from begin_s on
	Checks []float64  `json:"checks_s"`
	Probes []float64  `json:"probes_s"`
	Turns  []turnJSON `json:"turns"`
}

type turnJSON struct {
	At    float64 `json:"at_s"`
	State string  `json:"state"`
	Cause string  `json:"cause"`
}

func incidentsJSON(incidents []sim.Incident) []incidentJSON {
	seconds := func(ds []time.Duration) []float64 {
		s := make([]float64, len(ds))
		for i, d := range ds {
			s[i] = d.Seconds()
		}
		return s
	}
	var all []incidentJSON
	for _, in := range incidents {
		j := incidentJSON{
			Fault: in.Name, Lasts: in.Fault.Seconds(), Begin: in.Begin.Seconds(), Shares: in.Shares,
			Checks: seconds(in.Checks), Probes: seconds(in.Probes), Turns: []turnJSON{},
		}
		for _, t := range in.Turns {
			j.Turns = append(j.Turns, turnJSON{t.At.Seconds(), t.State.String(), t.Reason.Cause.String()})
		}
		all = append(all, j)
	}
	return all
}

func printIncidents(w io.Writer, incidents []sim.Incident) {
	for i, in := range incidents {
		if i > 0 {
			fmt.Fprintln(w)
		}
		fmt.Fprintf(w, "%s, from 0 s to %v:\n", in.Name, in.Fault)
		fmt.Fprint(w, "SECOND\tSHARE\tCHECKS\tPROBES\tWHAT HAPPENED\n")
		for s, share := range in.Shares {
			from := in.Begin + time.Duration(s)*time.Second
			during := func(at time.Duration) bool { return at >= from && at < from+time.Second }
			what := ""
			for _, t := range in.Turns {
				if during(t.At) {
					what = fmt.Sprintf("%v at %v: %v, %d of %d calls bad",
						t.State, t.At.Round(time.Millisecond), t.Reason.Cause, t.Reason.Bad, t.Reason.Calls)
				}
			}
			fmt.Fprintf(w, "%d\t%.0f%%\t%d\t%d\t%s\n", from/time.Second, 100*share,
				countIf(in.Checks, during), countIf(in.Probes, during), what)
		}
	}
}

func countIf(ds []time.Duration, is func(time.Duration) bool) int {
	n := 0
	for _, d := range ds {
		if is(d) {
			n++
		}
	}
	return n
}
