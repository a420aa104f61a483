package cli

import (
	"context"
	"fmt"
	"io"
	"net/url"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/lars-lb/lars/internal/inspect"
	"github.com/lars-lb/lars/internal/route"
)

// Bounds of --interval.
const (
	minInterval = 100 * time.Millisecond
	maxInterval = time.Minute
)

func (a *app) agentHostsCommand() *cobra.Command {
	var (
		watching bool
		interval time.Duration
	)
	cmd := &cobra.Command{
		Use:   "hosts MODID CMDID",
		Short: "Show the hosts of a module at an agent, and why each is called or not",
		Long: `Show the hosts of a module at an agent, and why each is called or not.

STATE   idle: it takes calls; returning 40%: it does again, of that part of its
        share by now; out: it only gets probes; drained: its weight is 0
SINCE   for how long
BAD     share of its recent calls that failed or were far slower than those to
        its peers, or of the calls that led to its being out; PEERS is theirs
COST    how long its calls take, median; PEER COST is that of its peers
UNREP.  recent picks that no program has reported yet
PROBE   when a host that is out is tried again, by the next call after that
WHY     why it is called or not, with the numbers that decided

With --watch the table is shown again each --interval, in place on a terminal,
until Ctrl-C.`,
		Example:           "  lars agent hosts 1 1\n  lars agent hosts 1 1 --watch --interval 500ms\n  lars agent hosts -5 1 --json --admin 10.0.0.5:7782",
		Args:              exactly(2),
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(cmd *cobra.Command, args []string) error {
			m, err := module(args)
			if err != nil {
				return err
			}
			switch {
			case cmd.Flags().Changed("interval") && !watching:
				return wrongUsage("--interval goes with --watch")
			case interval < minInterval || interval > maxInterval:
				return wrongUsage("--interval %v: must be from %v to %v", interval, minInterval, maxInterval)
			}
			c, err := a.newAgentAdmin()
			if err != nil {
				return err
			}
			defer c.close()
			show := func(ctx context.Context, a *app) error { return a.agentHosts(ctx, c, m) }
			if watching {
				return a.watch(cmd.Context(), interval, show)
			}
			return show(cmd.Context(), a)
		},
	}
	cmd.Flags().BoolVar(&watching, "watch", false, "show it again and again, until Ctrl-C")
	cmd.Flags().DurationVar(&interval, "interval", time.Second, "time between two looks with --watch, 100ms to 1m")
	expect(cmd, aDuration, "interval")
	return cmd
}

func (a *app) agentHosts(ctx context.Context, c *adminClient, id route.Module) error {
	query := url.Values{}
	query.Set("modid", strconv.Itoa(int(id.ModID)))
	query.Set("cmdid", strconv.Itoa(int(id.CmdID)))
	var answer inspect.Hosts
	if err := c.get(ctx, "/hosts", query, &answer); err != nil {
		return err
	}
	return a.show(&answer, func(w io.Writer) { printHosts(w, id, &answer) })
}

func printHosts(w io.Writer, id route.Module, answer *inspect.Hosts) {
	m := &answer.Module
	fmt.Fprintf(w, "%v: policy %s, %d idle, %d out, %d drained", id, m.Policy, m.Idle, m.Overload, m.Drained)
	if m.Policy != policyClassic {
		fmt.Fprintf(w, "; normal is %s bad calls", normal(m))
	}
	switch m.Mood {
	case inspect.SharedCause:
		fmt.Fprintf(w, "; most hosts looked bad at once, so none is ejected")
		if m.MoodLeftMS != nil {
			fmt.Fprintf(w, " for %s", inspect.Millis(*m.MoodLeftMS))
		}
	case inspect.Blackout:
		fmt.Fprint(w, "; every host fails, so only a trickle of calls is let through")
	}
	if m.Stale {
		fmt.Fprintf(w, "; the route is from a file, %s old", inspect.Millis(m.RouteAgeMS))
	}
	fmt.Fprint(w, "\n\nHOST\tWEIGHT\tSTATE\tSINCE\tBAD\tPEERS\tCOST\tPEER COST\tUNREP.\tPROBE\tWHY\n")
	for i := range answer.Hosts {
		h := &answer.Hosts[i]
		fmt.Fprintf(w, "%s\t%d\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n",
			h.Host, h.Weight, hostState(h), inspect.Millis(h.SinceMS), bad(h), peers(h),
			inspect.Micros(h.CostUS), inspect.Micros(h.PeerCostUS), unreported(h), nextProbe(h), h.Why)
	}
}

func hostState(h *inspect.Host) string {
	switch {
	case h.Drained:
		return "drained"
	case h.State == inspect.Overload:
		return "out"
	case h.TrafficShare < 1:
		return fmt.Sprintf("returning %.0f%%", 100*h.TrafficShare)
	}
	return "idle"
}

// bad is the share of a host's calls that were bad, if there were any. Of a
// host that is out it is that of the calls which decided: among its recent ones
// are those from before the fault.
func bad(h *inspect.Host) string {
	switch c := h.Classic; {
	case c != nil && c.Succ+c.Err > 0:
		return inspect.Percent(float64(c.Err) / (float64(c.Succ) + float64(c.Err)))
	case c == nil && h.State == inspect.Overload && h.Reason.Calls > 0:
		return inspect.Percent(float64(h.Reason.Bad) / float64(h.Reason.Calls))
	case c == nil && h.RecentCalls > 0:
		return inspect.Percent(h.BadShare)
	}
	return "-"
}

func peers(h *inspect.Host) string {
	if h.Classic != nil {
		return "-"
	}
	return inspect.Percent(h.NormalBadShare)
}

func unreported(h *inspect.Host) string {
	if h.Classic != nil {
		return "-"
	}
	return strconv.Itoa(h.Unreported)
}

func nextProbe(h *inspect.Host) string {
	switch {
	case h.NextProbeMS == nil:
		return "-"
	case *h.NextProbeMS == 0:
		return "next call"
	}
	return "in " + inspect.Millis(*h.NextProbeMS)
}
