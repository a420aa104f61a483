package fakeagent_test

import (
	"context"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/lars-lb/lars/api/lars"
	"github.com/lars-lb/lars/api/lars/fakeagent"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestStartAt(t *testing.T) {
	for _, bad := range []string{"", "127.0.0.1:0", "127.0.0.1:0,127.0.0.1:0,nonsense", "127.0.0.1:0,127.0.0.1:0,127.0.0.1:0,127.0.0.1:0"} {
		if a, err := fakeagent.StartAt(bad); err == nil {
			t.Errorf("started at %q", bad)
			a.Close()
		}
	}
	a, err := fakeagent.Start()
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	if b, err := fakeagent.StartAt(a.Addr()); err == nil {
		t.Error("two agents at one address")
		b.Close()
	}
}

// TestFreeze sends a frozen agent a question and closes it, thawed and not.
func TestFreeze(t *testing.T) {
	for _, thaw := range []bool{true, false} {
		a, err := fakeagent.Start()
		if err != nil {
			t.Fatal(err)
		}
		defer a.Close()
		a.SetRoute(1, 1, "10.0.0.1:80")
		c, err := lars.NewClient(lars.Config{Agent: a.Addr(), Timeout: 20 * time.Second})
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		a.Freeze()
		a.Freeze()
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
		defer cancel()
		if _, err := c.GetHost(ctx, 1, 1); err == nil {
			t.Error("a frozen agent answers")
		}
		if thaw {
			a.Thaw()
			a.Thaw()
			if _, err := c.GetHost(t.Context(), 1, 1); err != nil {
				t.Error(err)
			}
		}
	}
}
