package store

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"maps"
	"math"
	"slices"
	"time"

	"github.com/lars-lb/lars/internal/route"
)

// Report is what an agent counted for one module in one of its numbered
// reports.
type Report struct {
	Agent   Agent
	Seq     uint64 // 1, 2, 3, ... of the agent
	Module  route.Module
	TS      uint32 // Unix time, seconds
	Results []Result
}

// Agent is one run of one agent.
type Agent struct {
	Caller uint32 // its IPv4 address, host order
	BootID uint64 // chosen by chance when it started
}

// Result is the calls to one host since the agent's report before.
type Result struct {
	Host      route.Host
	Succ, Err uint32
	Overload  bool // whether the agent held the host for overloaded
}

func (a Agent) compare(o Agent) int {
	return cmp.Or(cmp.Compare(a.Caller, o.Caller), cmp.Compare(a.BootID, o.BootID))
}

// Saved is what SaveReports did.
type Saved struct {
	Duplicates int // reports that were in the database before
	Gaps       int // reports that did not follow the last one noted of their agent
	Rows       int // of CallHistory that were added to
}

// SaveReports adds reports to CallHistory, if history is set, makes them the
// newest statuses, and notes how far each agent's are in the database: all in
// one transaction. A report whose number, or a higher one, was noted before is
// passed over, so it may be given again, here and by other processes at the
// same time, whenever it is not known whether it was saved. For this to be
// right the reports of one agent must be given in the order of their numbers,
// and none that the agent has not given up may be passed over.
//
// A gap is no error: what is missing was acknowledged once, and the database
// has forgotten it since, as one does that comes back from a backup; or it went
// to a lars-reporter of Lars 1.0, which notes nothing.
func (s *Store) SaveReports(ctx context.Context, reports []Report, history bool) (Saved, error) {
	const op = "save reports"
	layout, err := s.statusLayout(ctx)
	if err != nil {
		return Saved{}, s.failed(op, err)
	}
	agents := make(map[Agent]bool)
	for _, r := range reports {
		agents[r.Agent] = true
	}
	var saved Saved
	err = s.inTurn(ctx, func(tx *sql.Tx) error {
		saved = Saved{}
		// First of all: whoever else has reports of these agents waits for the
		// locks, and finds these noted when it has them.
		noted, err := s.lockAgents(ctx, tx, slices.SortedFunc(maps.Keys(agents), Agent.compare))
		if err != nil {
			return err
		}
		fresh := make([]Report, 0, len(reports))
		for _, r := range reports {
			if r.Seq <= noted[r.Agent] {
				saved.Duplicates++
				continue
			}
			if last := noted[r.Agent]; last > 0 && r.Seq > last+1 {
				saved.Gaps++
			}
			noted[r.Agent] = r.Seq
			fresh = append(fresh, r)
		}
		if len(fresh) == 0 {
			return nil
		}
		if history {
			if saved.Rows, err = s.addHistory(ctx, tx, fresh); err != nil {
				return err
			}
		}
		if err := s.saveStatuses(ctx, tx, layout, newestStatuses(fresh)); err != nil {
			return err
		}
		return s.noteAgents(ctx, tx, noted)
	})
	if err != nil {
		s.layout.Store(nil) // the table may be another one when the database comes back
		return Saved{}, s.failed(op, err)
	}
	return saved, nil
}

// HasHistory reports whether the tables that SaveReports needs are there:
// tables that nobody may migrate lack them.
func (s *Store) HasHistory(ctx context.Context) (bool, error) {
	var n int
	err := s.retry(ctx, func() error {
		return s.db.QueryRowContext(ctx, s.dialect.countTables(), "ReportSequence").Scan(&n)
	})
	if err != nil {
		return false, s.failed("look for the history", err)
	}
	return n > 0, nil
}

// lockAgents locks the rows of agents, in their order, and reads how far their
// reports are in the database. Those without a row get one.
//
// The rows are read without a lock, which in MySQL means as they were when the
// transaction first read like that. All locks come before that: nobody changes
// the rows after it, and whoever did before has committed. To read them with
// locks once more would make transactions that have no agent in common wait for
// one another, since MySQL may choose to look at every row of a small table.
func (s *Store) lockAgents(ctx context.Context, tx *sql.Tx, agents []Agent) (map[Agent]uint64, error) {
	if err := s.insertSequences(ctx, tx, agents, nil, s.dialect.keepSequence()); err != nil {
		return nil, fmt.Errorf("lock the sequences: %w", err)
	}
	noted := make(map[Agent]uint64, len(agents))
	for chunk := range slices.Chunk(agents, chunkRows) {
		if err := readSequences(ctx, tx, chunk, noted); err != nil {
			return nil, fmt.Errorf("read the sequences: %w", err)
		}
	}
	return noted, nil
}

func readSequences(ctx context.Context, tx *sql.Tx, agents []Agent, into map[Agent]uint64) error {
	query := []byte("SELECT caller, boot_id, seq FROM ReportSequence WHERE ")
	for i, a := range agents {
		if i > 0 {
			query = append(query, " OR "...)
		}
		query = fmt.Appendf(query, "(caller = %d AND boot_id = %d)", a.Caller, int64(a.BootID))
	}
	rows, err := tx.QueryContext(ctx, string(query))
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var caller, boot, seq int64
		if err := rows.Scan(&caller, &boot, &seq); err != nil {
			return err
		}
		into[Agent{uint32(caller), uint64(boot)}] = uint64(seq)
	}
	return rows.Err()
}

// noteAgents writes how far the reports of agents are in the database.
func (s *Store) noteAgents(ctx context.Context, tx *sql.Tx, agents map[Agent]uint64) error {
	sorted := slices.SortedFunc(maps.Keys(agents), Agent.compare)
	if err := s.insertSequences(ctx, tx, sorted, agents, s.dialect.raiseSequence()); err != nil {
		return fmt.Errorf("note the sequences: %w", err)
	}
	return nil
}

func (s *Store) insertSequences(ctx context.Context, tx *sql.Tx, agents []Agent, seqs map[Agent]uint64, end string) error {
	now := time.Now().Unix()
	return insertRows(ctx, tx, "ReportSequence (caller, boot_id, seq, seen)", end, len(agents), func(i int, row []int64) []int64 {
		a := agents[i]
		return append(row, int64(a.Caller), int64(a.BootID), int64(seqs[a]), now)
	})
}

// newestStatuses are the statuses of the reports, each key once, by key.
func newestStatuses(reports []Report) []Status {
	var all []Status
	for _, r := range reports {
		for _, res := range r.Results {
			all = append(all, Status{Module: r.Module, Host: res.Host, Caller: r.Agent.Caller,
				Succ: res.Succ, Err: res.Err, TS: r.TS, Overload: res.Overload})
		}
	}
	return newestOf(all)
}

// PruneSequences forgets agents that have not sent anything for keep. It works
// in small steps.
func (s *Store) PruneSequences(ctx context.Context, keep time.Duration) (int64, error) {
	n, err := s.prune(ctx, "ReportSequence", "seen", time.Now().Add(-keep).Unix())
	if err != nil {
		return n, s.failed("prune the sequences", err)
	}
	return n, nil
}

// prune deletes the rows of table in which column is below limit, in small
// steps, so that writers need not wait long.
func (s *Store) prune(ctx context.Context, table, column string, limit int64) (pruned int64, err error) {
	if limit = min(max(limit, 0), math.MaxUint32); limit == 0 {
		return 0, nil
	}
	for {
		var n int64
		err := s.retry(ctx, func() error {
			res, err := s.db.ExecContext(ctx, s.dialect.deleteSome(table, column+" < ?"), limit, chunkRows)
			if err != nil {
				return err
			}
			n, err = res.RowsAffected()
			return err
		})
		pruned += n
		if err != nil || n < chunkRows {
			return pruned, err
		}
	}
}
