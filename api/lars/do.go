package lars

import (
	"context"
	"errors"
	"time"
)

// Do gets a host, calls fn with its address as IP:PORT, and reports how that
// went and how long it took. It returns the error of GetHost, or that of fn
// as it is.
//
// fn is given ctx itself. An error from fn is a failure of the host, so return
// nil for what is not, such as an answer that says "no such user". A deadline
// that passes inside fn is a failure too, since a host that hangs shows no
// other sign; a caller that keeps its deadlines itself cancels ctx with the cause
// [context.DeadlineExceeded]. Nothing is reported when fn fails after the caller
// cancelled ctx for any other reason, for that says nothing about the host. A
// success is reported whatever became of ctx. If fn panics, a failure is reported
// and the panic goes on.
func (c *Client) Do(ctx context.Context, modid, cmdid int32, fn func(ctx context.Context, addr string) error) error {
	h, err := c.GetHost(ctx, modid, cmdid)
	if err != nil {
		return err
	}
	start := time.Now()
	code := Failure // of a fn that does not return
	defer func() {
		if code == Success || !cancelled(ctx) {
			// A lost report is no reason to fail a call that was made.
			_ = c.Report(modid, cmdid, h, code, time.Since(start))
		}
	}()
	err = fn(ctx, h.String())
	if err == nil {
		code = Success
	}
	return err
}

// cancelled reports whether the caller gave up, rather than ran out of time.
func cancelled(ctx context.Context) bool {
	return errors.Is(ctx.Err(), context.Canceled) && !errors.Is(context.Cause(ctx), context.DeadlineExceeded)
}
