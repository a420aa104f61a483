package reporter

import (
	"sync"

	"github.com/lars-lb/lars/internal/store"
	"github.com/lars-lb/lars/reactor"
)

// numbered is a report that its agent has numbered, and who is to be told when
// it is in the database.
type numbered struct {
	report store.Report
	from   *reactor.TCPConn
}

// inbox holds the numbered reports of one worker until they are saved, in the
// order in which they came. None of them is passed over: a number that is
// saved says that all before it are. Any goroutine may put; one at a time may
// take batches.
type inbox struct {
	room *room // for results, of all workers

	mu      sync.Mutex
	reports []numbered
	results int
}

// put appends a report. It returns the number of results after that, and false
// if there is no room.
func (b *inbox) put(n numbered) (results int, ok bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.room.take(int64(weight(n))) {
		return b.results, false
	}
	b.reports = append(b.reports, n)
	b.results += weight(n)
	return b.results, true
}

// weight is what a report takes of the room: one without results is saved, too.
func weight(n numbered) int { return max(1, len(n.report.Results)) }

// len is the number of reports, and of results in them.
func (b *inbox) len() (reports, results int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.reports), b.results
}

// batch appends the first reports to dst, until they have rows results or
// more. They stay until saved.
func (b *inbox) batch(dst []numbered, rows int) []numbered {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, n := range b.reports {
		if rows <= 0 {
			break
		}
		rows -= weight(n)
		dst = append(dst, n)
	}
	return dst
}

// saved removes the first n reports.
func (b *inbox) saved(n int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	done := 0
	for i := range b.reports[:n] {
		done += weight(b.reports[i])
		b.reports[i] = numbered{}
	}
	b.results -= done
	b.room.used.Add(-int64(done))
	if b.reports = b.reports[n:]; len(b.reports) == 0 {
		b.reports = nil
	}
}
