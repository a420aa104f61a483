package fakeagent_test

import (
	"context"
	"fmt"
	"log"
	"time"

	"github.com/lars-lb/lars/api/lars"
	"github.com/lars-lb/lars/api/lars/fakeagent"
)

// A test of a program that uses Lars: the agent gives out the hosts of the
// test, and knows afterwards what the program reported.
func Example() {
	agent, err := fakeagent.Start()
	if err != nil {
		log.Fatal(err)
	}
	defer agent.Close()
	agent.SetRoute(1, 1, "10.0.0.1:80", "10.0.0.2:80")

	client, err := lars.NewClient(lars.Config{Agent: agent.Addr()})
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()
	for range 2 {
		err := client.Do(context.Background(), 1, 1, func(_ context.Context, addr string) error {
			if addr == "10.0.0.2:80" {
				return fmt.Errorf("%s is broken", addr)
			}
			return nil
		})
		fmt.Println(err)
	}

	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	reports, err := agent.Reports(ctx, 2)
	if err != nil {
		log.Fatal(err)
	}
	for _, r := range reports {
		fmt.Println(r.Host, r.Retcode)
	}
	// Output:
	// <nil>
	// 10.0.0.2:80 is broken
	// 10.0.0.1:80 0
	// 10.0.0.2:80 1
}
