// Callstatus prints the call counts that agents have reported, as they are in
// the store that a configuration file of lars-dns names. The demo uses it.
//
//	callstatus FILE
package main

import (
	"context"
	"fmt"
	"io"
	"os"

	"github.com/lars-lb/lars/internal/config"
	"github.com/lars-lb/lars/internal/store"
)

func main() {
	if err := run(context.Background(), os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "callstatus:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, out io.Writer) error {
	if len(args) != 1 {
		return fmt.Errorf("usage: callstatus FILE")
	}
	c, err := config.LoadDNS(args[0])
	if err != nil {
		return err
	}
	s, err := store.Open(store.Config{
		Driver: c.Store.Driver, Path: c.Store.Path,
		Host: c.Store.Host, Port: c.Store.Port,
		User: c.Store.User, Password: string(c.Store.Password), Name: c.Store.Name,
	})
	if err != nil {
		return err
	}
	defer s.Close()
	rows, err := s.ListStatuses(ctx, store.Filter{})
	if err != nil {
		return err
	}
	for _, r := range rows {
		fmt.Fprintf(out, "module %v  host %v  succeeded %d  failed %d  overloaded %t\n", r.Module, r.Host, r.Succ, r.Err, r.Overload)
	}
	return nil
}
