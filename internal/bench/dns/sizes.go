package dns

import (
	"context"
	"fmt"
	"time"

	"github.com/lars-lb/lars/internal/bench/result"
	"github.com/lars-lb/lars/internal/route"
)

// quickPoll makes a change's own cost show: what is beyond it is not waiting.
const quickPoll = 10 * time.Millisecond

// measureSizes measures how start, memory and the cost of a change grow.
func (b *bench) measureSizes(ctx context.Context, sizes []*database) error {
	var starts, memory, changes []result.Point
	for _, d := range sizes {
		b.Progress("start and memory, %d rows", d.rows())
		p, err := startDaemon(ctx, b.Bin, b.dir, d, b.port, "", quickPoll)
		if err != nil {
			return err
		}
		took, mb, change, err := b.measureSize(ctx, d, p)
		p.stop()
		if err != nil {
			return err
		}
		rows := float64(d.rows())
		starts = append(starts, result.Point{X: rows, Y: took.Seconds()})
		memory = append(memory, result.Point{X: rows, Y: mb})
		changes = append(changes, result.Point{X: rows, Y: change.P50})
		if d != sizes[len(sizes)-1] {
			continue
		}
		b.Row(result.Row{What: fmt.Sprintf("first answer after the start, %d rows from the database", d.rows()), Unit: "s",
			Ours: took.Seconds(), Aim: result.ValueAtMost(15)})
		b.Row(result.Row{What: fmt.Sprintf("memory at rest, %d rows", d.rows()), Unit: "MB", Ours: mb, Aim: result.ValueAtMost(300), Lars1: 519})
		b.Row(result.Row{What: "a changed module is pushed, polling each 10 ms: 99%", Unit: "ms", Ours: change.P99, Aim: result.ValueAtMost(50),
			Than: fmt.Sprintf("%d rows", sizes[0].rows()), Other: changes[0].Y, Note: "beside: the median in the smallest table"})
	}
	b.Curve(result.Curve{Name: "dns-start", Title: "First answer after the start of lars-dns", X: "rows", Y: "s", Series: []result.Series{{Name: "from the database", Points: starts}}})
	b.Curve(result.Curve{Name: "dns-memory", Title: "Memory of lars-dns at rest", X: "rows", Y: "MB", Series: []result.Series{{Name: "lars-dns", Points: memory}}})
	b.Curve(result.Curve{Name: "dns-change", Title: "A changed module reaches a subscriber, polling each 10 ms", X: "rows", Y: "ms", Series: []result.Series{{Name: "median", Points: changes}}})
	return nil
}

func (b *bench) measureSize(ctx context.Context, d *database, p *daemon) (took time.Duration, mb float64, change result.Distribution, err error) {
	if took, err = p.firstAnswer(ctx); err != nil {
		return
	}
	disperse, _, err := b.gather(ctx, p, order{Open: 1, Common: []route.Module{module(0)}})
	if err != nil {
		return
	}
	defer disperse()
	// After the settling of the version that was found.
	if err = pause(ctx, 2*time.Second); err != nil {
		return
	}
	mb, _ = p.memory()
	latencies, err := b.change(ctx, d, 20*b.Rounds, 0)
	return took, mb, result.DistributionOf("", latencies), err
}
