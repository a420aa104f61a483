package dns

import (
	"context"
	"time"
)

const (
	// paceRows is how many rows are read between two looks at the clock.
	paceRows = 256
	// paceWork is how long a reading goes on before it rests for paceRest. The
	// event loops, which have the processors then, are to notice neither.
	paceWork = time.Millisecond
	paceRest = 3 * time.Millisecond
)

// pace slows the reading of very many rows down, so that it leaves processors to
// whoever is in a hurry. The nil pace does not. It is for one goroutine.
type pace struct {
	ctx   context.Context // ends a rest
	rows  int
	since time.Time // the last rest
}

func newPace(ctx context.Context) *pace { return &pace{ctx: ctx, since: time.Now()} }

// row is called for each row.
func (p *pace) row() {
	if p == nil {
		return
	}
	if p.rows++; p.rows%paceRows == 0 && time.Since(p.since) >= paceWork {
		sleep(p.ctx, paceRest)
		p.since = time.Now()
	}
}
