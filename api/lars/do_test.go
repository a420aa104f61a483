package lars_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"

	"github.com/lars-lb/lars/api/lars"
	"github.com/lars-lb/lars/api/lars/fakeagent"
)

func TestDo(t *testing.T) {
	agent, c := start(t)
	agent.SetRoute(1, 1, "10.0.0.1:80")
	broken := errors.New("broken")
	for i, row := range []struct {
		err  error
		code lars.Code
	}{{nil, lars.Success}, {broken, lars.Failure}} {
		ctx := context.WithValue(t.Context(), fakeagent.Request{}, i)
		err := c.Do(ctx, 1, 1, func(inner context.Context, addr string) error {
			if addr != "10.0.0.1:80" || inner != ctx {
				t.Errorf("fn was called with %v, %q", inner, addr)
			}
			return row.err
		})
		if err != row.err {
			t.Errorf("Do = %v, want %v as it is", err, row.err)
		}
		got := waitReports(t, agent, i+1)[i]
		want := fakeagent.Report{ModID: 1, CmdID: 1, Host: "10.0.0.1:80", Retcode: int32(row.code), Cost: got.Cost}
		if got != want || got.Cost <= 0 {
			t.Errorf("reported %+v, want %+v with a cost", got, want)
		}
	}
}

func TestDoWithoutHost(t *testing.T) {
	agent, c := start(t)
	agent.SetRetcode(1, 1, 1)
	err := c.Do(t.Context(), 1, 1, func(context.Context, string) error { t.Error("called"); return nil })
	checkKind(t, err, lars.ErrOverload)
}

// expiring is a context whose deadline passes when the test says so.
type expiring struct {
	context.Context
	expired atomic.Bool
}

func (e *expiring) Err() error {
	if e.expired.Load() {
		return context.DeadlineExceeded
	}
	return e.Context.Err()
}

// TestDoCancelled reports nothing for a caller that gave up, and a failure for
// a host that let the deadline pass; a success counts whatever happened since.
func TestDoCancelled(t *testing.T) {
	agent, c := start(t)
	agent.SetRoute(1, 1, "10.0.0.1:80")
	ctx, cancel := context.WithCancel(t.Context())
	err := c.Do(ctx, 1, 1, func(ctx context.Context, _ string) error { cancel(); return ctx.Err() })
	if err != context.Canceled {
		t.Errorf("Do = %v", err)
	}
	agent.SetRoute(1, 1, "10.0.0.2:80")
	late := &expiring{Context: t.Context()}
	err = c.Do(late, 1, 1, func(ctx context.Context, _ string) error { late.expired.Store(true); return ctx.Err() })
	if err != context.DeadlineExceeded {
		t.Errorf("Do = %v", err)
	}
	ctx, cancel = context.WithCancel(t.Context())
	if err := c.Do(ctx, 1, 1, func(context.Context, string) error { cancel(); return nil }); err != nil {
		t.Errorf("Do = %v", err)
	}
	if got := waitReports(t, agent, 2); len(got) != 2 || got[0].Host != "10.0.0.2:80" || got[0].Retcode == 0 || got[1].Retcode != 0 {
		t.Errorf("reported %+v, want a failure and a success", got)
	}
}

func TestDoPanic(t *testing.T) {
	agent, c := start(t)
	agent.SetRoute(1, 1, "10.0.0.1:80")
	func() {
		defer func() {
			if r := recover(); r != "ouch" {
				t.Errorf("recovered %v", r)
			}
		}()
		_ = c.Do(t.Context(), 1, 1, func(context.Context, string) error { panic("ouch") })
	}()
	if got := waitReports(t, agent, 1)[0]; got.Retcode == 0 {
		t.Errorf("reported %+v, want a failure", got)
	}
}
