package lars_test

import (
	"context"
	"errors"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/lars-lb/lars/api/lars"
	"github.com/lars-lb/lars/api/lars/fakeagent"
	"github.com/lars-lb/lars/internal/eventually"
)

// TestLoading is an agent that knows a module only after it was asked for it
// three times.
func TestLoading(t *testing.T) {
	for name, ask := range map[string]func(context.Context, *lars.Client) error{
		"GetHost":  func(ctx context.Context, c *lars.Client) error { _, err := c.GetHost(ctx, 1, 1); return err },
		"GetRoute": func(ctx context.Context, c *lars.Client) error { _, err := c.GetRoute(ctx, 1, 1); return err },
		"Register": func(ctx context.Context, c *lars.Client) error { return c.Register(ctx, 1, 1) },
	} {
		t.Run(name, func(t *testing.T) {
			agent, c := start(t)
			n := 0
			agent.Tap(func(_ fakeagent.Request, answer []byte) [][]byte {
				if n++; n == 3 {
					agent.SetRoute(1, 1, "10.0.0.1:80")
				}
				return [][]byte{answer}
			})
			if err := ask(t.Context(), c); err != nil {
				t.Error(err)
			}
			// Once more for each answer that a busy machine was late with.
			if n := len(agent.Requests()); n < 4 || n > 8 {
				t.Errorf("asked %d times, want 4", n)
			}
		})
	}
}

// TestMissing waits for a missing module once, then answers at once.
func TestMissing(t *testing.T) {
	agent, c := start(t)
	const calls = 20
	for range calls {
		_, err := c.GetHost(t.Context(), 1, 1)
		checkKind(t, err, lars.ErrNotExist)
		_, err = c.GetRoute(t.Context(), 1, 1)
		checkKind(t, err, lars.ErrNotExist)
	}
	// 3 more for the first call; on a slow machine a second may pass, and
	// with it the memory of that.
	if n := len(agent.Requests()); n < 2*calls+3 || n > 4*calls {
		t.Errorf("asked %d times for %d calls", n, 2*calls)
	}
	agent.SetRoute(1, 1, "10.0.0.1:80")
	if _, err := c.GetHost(t.Context(), 1, 1); err != nil {
		t.Errorf("a module that appeared is not found: %v", err)
	}
}

// TestMissingWithoutTime has no time for a second question after an answer,
// and asks again only if the first was not answered in that time either.
func TestMissingWithoutTime(t *testing.T) {
	agent := startAgent(t)
	c := newClient(t, lars.Config{Agent: agent.Addr(), Timeout: 49 * time.Millisecond})
	for name, ask := range map[string]func() error{
		"GetHost":  func() error { _, err := c.GetHost(t.Context(), 1, 1); return err },
		"Register": func() error { return c.Register(context.Background(), 1, 1) },
	} {
		before, tries := len(agent.Requests()), 1
		err := ask()
		for ; errors.Is(err, lars.ErrAgentDown); tries++ {
			err = ask()
		}
		checkKind(t, err, lars.ErrNotExist)
		if n := len(agent.Requests()) - before; n != tries {
			t.Errorf("%s asked %d times in %d calls", name, n, tries)
		}
	}
}

// countingContext tells how often it was looked at.
type countingContext struct {
	context.Context
	looks atomic.Int32
}

func (c *countingContext) Err() error {
	c.looks.Add(1)
	return c.Context.Err()
}

// TestRegisterWaits registers with an agent that is not there yet, and past
// Config.Timeout because the context allows it.
func TestRegisterWaits(t *testing.T) {
	gone := startAgent(t)
	addr := gone.Addr()
	gone.Close()
	c := newClient(t, lars.Config{Agent: addr, Timeout: time.Millisecond})
	checkKind(t, c.Register(context.Background(), 1, 1), lars.ErrAgentDown)

	bounded, cancel := context.WithTimeout(t.Context(), 2*patience)
	defer cancel()
	ctx := &countingContext{Context: bounded}
	done := make(chan error)
	go func() { done <- c.Register(ctx, 1, 1) }()
	eventually.True(t, patience, "a few questions are refused", func() bool { return ctx.looks.Load() >= 8 })
	conn, err := net.ListenPacket("udp4", strings.Split(addr, ",")[2])
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if err := conn.SetReadDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	if _, _, err := conn.ReadFrom(make([]byte, 512)); err != nil {
		t.Errorf("Register asks no more: %v", err)
	}
	cancel()
	checkKind(t, <-done, context.Canceled)
}
