package cli

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/lars-lb/lars/api/lars"
	"github.com/lars-lb/lars/internal/route"
)

func (a *app) reportCommand() *cobra.Command {
	var cost time.Duration
	cmd := &cobra.Command{
		Use:   "report {COMMAND | MODID CMDID IP:PORT RETCODE}",
		Short: "Report a call to the agent; or sum up what was reported",
		Long: `Report a call to the agent; with the command history, show what agents have
sent to lars-reporter.

A call is reported as a program does after it. RETCODE 0 is a success, any other
number a failure.

Agents ignore reports on hosts that are not in the module's route and do not
answer reports, so the route is asked for first.`,
		Example:                    "  lars report 1 1 192.168.1.177:7777 0 --cost 3ms\n  lars report 1 1 192.168.1.177:7777 1\n  lars report history 1 1",
		SuggestionsMinimumDistance: 2,
		DisableFlagsInUseLine:      true,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				if _, err := strconv.Atoi(args[0]); err != nil {
					return unknownCommand(cmd, args)
				}
			}
			if len(args) != 4 {
				return wrongCount(cmd, "MODID CMDID IP:PORT RETCODE", len(args))
			}
			return nil
		},
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(cmd *cobra.Command, args []string) error {
			m, err := module(args)
			if err != nil {
				return err
			}
			h, err := lars.ParseHost(args[2])
			if err != nil {
				return &usageError{err}
			}
			code, err := number("RETCODE", args[3])
			if err != nil {
				return err
			}
			if cost < 0 {
				return wrongUsage("--cost %v is negative", cost)
			}
			return a.withAgent(func(c *lars.Client) error {
				return a.report(cmd.Context(), c, m, h, lars.Code(code), cost)
			})
		},
	}
	cmd.Flags().DurationVar(&cost, "cost", 0, "how long the call took; 0 is unknown")
	expect(cmd, aDuration, "cost")
	cmd.AddCommand(a.historyCommand())
	return cmd
}

func (a *app) report(ctx context.Context, c *lars.Client, m route.Module, h lars.Host, code lars.Code, cost time.Duration) error {
	list, err := c.GetRoute(ctx, m.ModID, m.CmdID)
	if err != nil {
		return err
	}
	if err := inRoute(h, m, list); err != nil {
		return err
	}
	if err := c.Report(m.ModID, m.CmdID, h, code, cost); err != nil {
		return err
	}
	return a.show(struct {
		moduleJSON
		Host    lars.Host `json:"host"`
		Retcode lars.Code `json:"retcode"`
		CostUS  int64     `json:"cost_us"`
	}{moduleJSON(m), h, code, cost.Microseconds()}, func(w io.Writer) {
		outcome := "success"
		if code != lars.Success {
			outcome = "failure"
		}
		fmt.Fprintf(w, "reported a %s of %v for %v\n", outcome, h, m)
	})
}

// inRoute refuses a host that the agent would not take reports on.
func inRoute(h lars.Host, m route.Module, list []lars.Host) error {
	if slices.Contains(list, h) {
		return nil
	}
	return fmt.Errorf("host %v is not in the route of %v, which is %v: the agent would ignore the report", h, m, list)
}
