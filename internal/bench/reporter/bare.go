package reporter

import (
	"context"
	"database/sql"
	"errors"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// rowsPerStatement is how many the yardstick writes with one, after which it
// commits.
const rowsPerStatement = 500

// bare writes rows for length, after some time to warm up, and returns how
// many results a second that were: each is a row of every table.
func bare(ctx context.Context, e *engine, k keys, length time.Duration, tables ...table) (sample, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var done atomic.Int64
	var writing sync.WaitGroup
	failures := make(chan error, e.conns)
	for i := range e.conns {
		writing.Go(func() {
			if err := bareOver(ctx, e, k, i, &done, tables); err != nil && ctx.Err() == nil {
				failures <- err
			}
		})
	}
	measure := func() (sample, error) {
		if err := wait(ctx, warmUp(length), failures); err != nil {
			return sample{}, err
		}
		m := newMeter(os.Getpid(), e.pid, uint64(done.Load()))
		if err := wait(ctx, length, failures); err != nil {
			return sample{}, err
		}
		return m.sample(uint64(done.Load())), nil
	}
	got, err := measure()
	cancel()
	writing.Wait()
	return got, err
}

// wait waits for d, or until there is an error.
func wait(ctx context.Context, d time.Duration, failures <-chan error) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case err := <-failures:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// bareOver writes rows of every e.conns-th agent, each on its next module in
// turn, over a connection of its own, until ctx is done.
func bareOver(ctx context.Context, e *engine, k keys, index int, done *atomic.Int64, tables []table) (err error) {
	conn, err := e.db.Conn(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, conn.Close()) }()
	var rows []row
	var text []byte
	for step := 0; ; step++ {
		for agent := index; agent < k.Agents; agent += e.conns {
			r := row{module: k.module(agent, step), agent: agent, succ: succOf(step), ts: uint32(time.Now().Unix())}
			for r.host = range k.Hosts {
				rows = append(rows, r)
			}
			if len(rows) < rowsPerStatement {
				continue
			}
			if text, err = writeBare(ctx, e, conn, text, rows, tables); err != nil {
				return err
			}
			done.Add(int64(len(rows)))
			rows = rows[:0]
		}
	}
}

// writeBare writes rows to each table, in one transaction if there are several.
func writeBare(ctx context.Context, e *engine, conn *sql.Conn, text []byte, rows []row, tables []table) ([]byte, error) {
	slices.SortFunc(rows, row.compare) // none waits for another that waits for it
	if len(tables) == 1 {
		text = e.statement(text, tables[0], rows)
		_, err := conn.ExecContext(ctx, string(text))
		return text, err
	}
	tx, err := conn.BeginTx(ctx, nil)
	if err != nil {
		return text, err
	}
	for _, t := range tables {
		text = e.statement(text, t, rows)
		if _, err := tx.ExecContext(ctx, string(text)); err != nil {
			return text, errors.Join(err, tx.Rollback())
		}
	}
	return text, tx.Commit()
}

// fill writes the row of each key, so that from then on rows are only changed:
// as it is when all agents have reported once.
func fill(ctx context.Context, e *engine, k keys) error {
	conn, err := e.db.Conn(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	tx, err := conn.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }() // nothing after a COMMIT
	long := uint32(time.Now().Add(-time.Hour).Unix())
	var text []byte
	rows := make([]row, 0, rowsPerStatement)
	write := func() error {
		text = e.statement(text, statusTable, rows)
		rows = rows[:0]
		_, err := tx.ExecContext(ctx, string(text))
		return err
	}
	for module := range k.Modules {
		for host := range k.Hosts {
			for agent := range k.Agents {
				if rows = append(rows, row{module, host, agent, 1, long}); len(rows) == cap(rows) {
					if err := write(); err != nil {
						return err
					}
				}
			}
		}
	}
	if len(rows) > 0 {
		if err := write(); err != nil {
			return err
		}
	}
	return tx.Commit()
}
