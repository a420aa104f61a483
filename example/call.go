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

	route, err := client.GetRoute(ctx, in.modid, in.cmdid)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "route of (%d,%d):\n", in.modid, in.cmdid)
	for _, host := range route {
		fmt.Fprintln(out, " ", host)
	}

	host, err := client.GetHost(ctx, in.modid, in.cmdid)
	if err != nil {
		return err
	}
	fmt.Fprintln(out, "host is", host)

	start := time.Now() // here a real program calls host.String()
	if err := client.Report(in.modid, in.cmdid, host, lars.Success, time.Since(start)); err != nil {
		return err
	}
	fmt.Fprintln(out, "reported the call as a success")
	return nil
}
