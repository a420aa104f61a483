package lars_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"time"

	"github.com/lars-lb/lars/api/lars"
	"github.com/lars-lb/lars/api/lars/fakeagent"
)

func Example() {
	// In a real program the agent is there, and lars.Config{} finds it.
	agent, err := fakeagent.Start()
	if err != nil {
		log.Fatal(err)
	}
	defer agent.Close()
	agent.SetRoute(1, 1, "192.168.1.177:7777")

	client, err := lars.NewClient(lars.Config{Agent: agent.Addr()})
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()
	err = client.Do(context.Background(), 1, 1, func(ctx context.Context, addr string) error {
		fmt.Println("calling", addr)
		return nil
	})
	fmt.Println("error:", err)
	// Output:
	// calling 192.168.1.177:7777
	// error: <nil>
}

func ExampleClient_GetHost() {
	agent, client := exampleClient()
	defer agent.Close()
	defer client.Close()

	ctx, cancel := context.WithTimeout(context.Background(), 500*time.Millisecond)
	defer cancel()
	host, err := client.GetHost(ctx, 1, 1)
	if err != nil {
		log.Fatal(err)
	}
	start := time.Now()
	code := lars.Success
	if err := callMyService(ctx, host.String()); err != nil {
		code = lars.Failure
	}
	if err := client.Report(1, 1, host, code, time.Since(start)); err != nil {
		log.Print(err)
	}
	// Output: called 192.168.1.177:7777
}

func ExampleClient_Do() {
	agent, client := exampleClient()
	defer agent.Close()
	defer client.Close()

	err := client.Do(context.Background(), 1, 1, callMyService)
	switch {
	case errors.Is(err, lars.ErrNotExist):
		fmt.Println("nobody serves this module")
	case errors.Is(err, lars.ErrOverload), errors.Is(err, lars.ErrAgentDown):
		fmt.Println("try again later")
	case err != nil:
		fmt.Println("the call failed:", err)
	}
	// Output: called 192.168.1.177:7777
}

func ExampleConfig_onStale() {
	agent, err := fakeagent.Start()
	if err != nil {
		log.Fatal(err)
	}
	defer agent.Close()
	agent.SetRoute(1, 1, "192.168.1.177:7777")
	client, err := lars.NewClient(lars.Config{
		Agent: agent.Addr(),
		OnStale: func(e lars.StaleEvent) { // count it, log it; do not block
			fmt.Printf("module (%d,%d) is served without the agent: %v\n", e.ModID, e.CmdID, e.Stale)
		},
	})
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()
	if _, err := client.GetHost(context.Background(), 1, 1); err != nil {
		log.Fatal(err)
	}
	agent.Close()
	fmt.Println(client.GetHost(context.Background(), 1, 1))
	// Output:
	// module (1,1) is served without the agent: true
	// 192.168.1.177:7777 <nil>
}

func ExampleClient_Ask() {
	agent, client := exampleClient()
	defer client.Close()

	for range 2 {
		answer, err := client.Ask(context.Background(), 1, 1)
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(answer.Host, "stale:", answer.Stale)
		agent.Close()
	}
	fmt.Println("from memory:", client.Stats().Stale)
	// Output:
	// 192.168.1.177:7777 stale: false
	// 192.168.1.177:7777 stale: true
	// from memory: 1
}

func ExampleClient_GetRoute() {
	agent, client := exampleClient()
	defer agent.Close()
	defer client.Close()

	hosts, err := client.GetRoute(context.Background(), 1, 1)
	if err != nil {
		log.Fatal(err)
	}
	for _, host := range hosts {
		fmt.Println(host)
	}
	// Output: 192.168.1.177:7777
}

func ExampleClient_Register() {
	agent, client := exampleClient()
	defer agent.Close()
	defer client.Close()

	// At start, for every module that the program will call.
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	fmt.Println(client.Register(ctx, 1, 1))
	// Output: <nil>
}

// exampleClient returns a client of an agent that knows one module.
func exampleClient() (*fakeagent.Agent, *lars.Client) {
	agent, err := fakeagent.Start()
	if err != nil {
		log.Fatal(err)
	}
	agent.SetRoute(1, 1, "192.168.1.177:7777")
	client, err := lars.NewClient(lars.Config{Agent: agent.Addr()})
	if err != nil {
		log.Fatal(err)
	}
	return agent, client
}

func callMyService(_ context.Context, addr string) error {
	fmt.Println("called", addr)
	return nil
}
