package main

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/lars-lb/lars/api/lars"
)

// call is what a program does that uses Lars, one step after the other. Most
// programs leave it to Client.Do.
func call(ctx context.Context, in input, out io.Writer) error {
	client, err := lars.NewClient(lars.Config{Agent: in.agent})
	if err != nil {
		return err
	}
	defer client.Close()
	ctx, cancel := context.WithTimeout(ctx, 1500*time.Millisecond)
	defer cancel()

	route, err := client.AskRoute(ctx, in.modid, in.cmdid)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "route of (%d,%d)%s:\n", in.modid, in.cmdid, since(route.Stale, route.Age))
	for _, host := range route.Hosts {
		fmt.Fprintln(out, " ", host)
	}

	answer, err := client.Ask(ctx, in.modid, in.cmdid)
	if err != nil {
		return err
	}
	host := answer.Host
	fmt.Fprintf(out, "host is %v%s\n", host, since(answer.Stale, answer.Age))

	start := time.Now() // here a real program calls host.String()
	if err := client.Report(in.modid, in.cmdid, host, lars.Success, time.Since(start)); err != nil {
		return err
	}
	fmt.Fprintln(out, "reported the call as a success")
	return nil
}

// since says that the agent is away and an answer is one of before.
func since(stale bool, age time.Duration) string {
	if !stale {
		return ""
	}
	return fmt.Sprintf(", which the agent said %v ago (it does not answer now)", age.Round(time.Millisecond))
}
