package cli

import (
	"context"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/lars-lb/lars/api/lars"
	"github.com/lars-lb/lars/internal/route"
)

// withAgent calls do with a client of the agent that the flags name.
func (a *app) withAgent(do func(c *lars.Client) error) error {
	if a.timeout == 0 { // the library's default
		return wrongUsage("--timeout %v: must be from 1ms to 1m", a.timeout)
	}
	// What is shown is what the agent says, or that it is away.
	c, err := lars.NewClient(lars.Config{Agent: a.agent, Timeout: a.timeout, StaleFor: -1})
	if err != nil {
		return &usageError{err}
	}
	defer c.Close()
	return do(c)
}

func (a *app) getCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "get MODID CMDID",
		Short: "Ask the agent for one host of a module",
		Long: `Ask the agent for one host of a module, and print it as IP:PORT.

The agent counts this as a call that was handed out; nothing is reported.`,
		Example:           "  lars get 1 1\n  lars get -5 1 --agent 127.0.0.1:18888",
		Args:              exactly(2),
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(cmd *cobra.Command, args []string) error {
			m, err := module(args)
			if err != nil {
				return err
			}
			return a.withAgent(func(c *lars.Client) error { return a.get(cmd.Context(), c, m) })
		},
	}
}

func (a *app) get(ctx context.Context, c *lars.Client, m route.Module) error {
	h, err := c.GetHost(ctx, m.ModID, m.CmdID)
	if err != nil {
		return err
	}
	return a.show(struct {
		moduleJSON
		Host lars.Host `json:"host"`
	}{moduleJSON(m), h}, func(w io.Writer) { fmt.Fprintln(w, h) })
}

// agentRoute is "lars route MODID CMDID".
func (a *app) agentRoute(ctx context.Context, c *lars.Client, m route.Module) error {
	list, err := c.GetRoute(ctx, m.ModID, m.CmdID)
	if err != nil {
		return err
	}
	return a.show(struct {
		moduleJSON
		Hosts []lars.Host `json:"hosts"`
	}{moduleJSON(m), list}, func(w io.Writer) {
		for _, h := range list {
			fmt.Fprintln(w, h)
		}
	})
}

func (a *app) registerCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "register MODID CMDID",
		Short: "Make the agent load the route of a module",
		Long: `Make the agent load the route of a module, and wait until it has it, for
--timeout at most.`,
		Example:           "  lars register 1 1 --timeout 5s",
		Args:              exactly(2),
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(cmd *cobra.Command, args []string) error {
			m, err := module(args)
			if err != nil {
				return err
			}
			return a.withAgent(func(c *lars.Client) error {
				if err := c.Register(cmd.Context(), m.ModID, m.CmdID); err != nil {
					return err
				}
				return a.show(struct {
					moduleJSON
					Registered bool `json:"registered"`
				}{moduleJSON(m), true}, func(w io.Writer) {
					fmt.Fprintf(w, "the agent has the route of %v\n", m)
				})
			})
		},
	}
}
