package store

import (
	"cmp"
	"context"
	"database/sql"
	"math"
	"slices"

	"github.com/lars-lb/lars/internal/route"
)

// Status is one row of ServerCallStatus: how one agent's calls to one host of
// one module went, as it last reported them.
type Status struct {
	Module route.Module
	Host   route.Host
	Caller uint32 // the agent's IPv4 address, host order

	Succ, Err uint32 // calls since the agent's report before
	TS        uint32 // Unix time of the report, seconds
	Overload  bool   // whether the agent held the host for overloaded
}

// statusColumns are ServerCallStatus, the key first.
const statusColumns = "modid, cmdid, ip, port, caller, succ_cnt, err_cnt, ts, overload"

// statusLayout says of columns that hold 32 bits whether they take numbers
// above 2^31 as they are. The others hold the int32 with the same bits.
type statusLayout struct {
	modid, cmdid, ip, caller bool
}

func column32(unsigned bool, v uint32) int64 {
	if unsigned {
		return int64(v)
	}
	return int64(int32(v))
}

// SaveStatuses writes statuses, each in place of the row with its module, host
// and caller unless that row has a higher TS. All are written in one transaction;
// after an error they may be written or not, and saving them again is right. Counts above 2,147,483,647, which the
// table cannot hold, are saved as that.
//
// Of two of one key and one TS the later in the slice stays.
func (s *Store) SaveStatuses(ctx context.Context, statuses []Status) error {
	const op = "save call statuses"
	layout, err := s.statusLayout(ctx)
	if err != nil {
		return s.failed(op, err)
	}
	newest := newestOf(statuses)
	err = s.inTurn(ctx, func(tx *sql.Tx) error { return s.saveStatuses(ctx, tx, layout, newest) })
	if err != nil {
		// The table may be another one when the database comes back.
		s.layout.Store(nil)
		return s.failed(op, err)
	}
	return nil
}

// newestOf returns the newest of each key, the later of two with one TS, by key:
// all writers touch the rows in one order, so that none waits for another that
// waits for it.
func newestOf(statuses []Status) []Status {
	order := make([]int, len(statuses))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(i, j int) int {
		if c := statuses[i].compareKey(statuses[j]); c != 0 {
			return c
		}
		return cmp.Or(cmp.Compare(statuses[i].TS, statuses[j].TS), cmp.Compare(i, j))
	})
	newest := make([]Status, 0, len(statuses))
	for n, i := range order {
		if n+1 < len(order) && statuses[i].compareKey(statuses[order[n+1]]) == 0 {
			continue
		}
		newest = append(newest, statuses[i])
	}
	return newest
}

// saveStatuses writes statuses, each key once, sorted by key.
func (s *Store) saveStatuses(ctx context.Context, to executor, layout statusLayout, statuses []Status) error {
	return insertRows(ctx, to, "ServerCallStatus ("+statusColumns+")", s.dialect.keepNewest(), len(statuses), func(i int, row []int64) []int64 {
		return statuses[i].appendTo(row, layout)
	})
}

func (s *Store) statusLayout(ctx context.Context) (statusLayout, error) {
	if l := s.layout.Load(); l != nil {
		return *l, nil
	}
	l, err := s.dialect.statusLayout(ctx, s.db)
	if err != nil {
		return statusLayout{}, err
	}
	s.layout.Store(&l)
	return l, nil
}

func (st Status) compareKey(o Status) int {
	if c := st.Module.Compare(o.Module); c != 0 {
		return c
	}
	if c := st.Host.Compare(o.Host); c != 0 {
		return c
	}
	return cmp.Compare(st.Caller, o.Caller)
}

// appendTo appends the columns. Overload is a text of one digit, to which both
// engines convert the number.
func (st Status) appendTo(row []int64, l statusLayout) []int64 {
	var overload int64
	if st.Overload {
		overload = 1
	}
	return append(row,
		column32(l.modid, uint32(st.Module.ModID)), column32(l.cmdid, uint32(st.Module.CmdID)),
		column32(l.ip, st.Host.IP), int64(st.Host.Port), column32(l.caller, st.Caller),
		int64(min(st.Succ, math.MaxInt32)), int64(min(st.Err, math.MaxInt32)), int64(st.TS), overload)
}

// ListStatuses returns the statuses of the modules f selects, ordered by
// module, host and caller. Rows that hold no host are left out.
func (s *Store) ListStatuses(ctx context.Context, f Filter) ([]Status, error) {
	var list []Status
	err := s.retry(ctx, func() error {
		list = nil
		rows, err := s.db.QueryContext(ctx, "SELECT "+statusColumns+" FROM ServerCallStatus")
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var modid, cmdid, ip, port, caller, succ, errs, ts int64
			var overload string
			if err := rows.Scan(&modid, &cmdid, &ip, &port, &caller, &succ, &errs, &ts, &overload); err != nil {
				return err
			}
			m := moduleFrom(modid, cmdid)
			h, ok := route.HostFromNumbers(int64(uint32(ip)), port)
			if !ok || !f.matches(m) {
				continue
			}
			list = append(list, Status{m, h, uint32(caller), uint32(succ), uint32(errs), uint32(ts), overload == "1"})
		}
		return rows.Err()
	})
	if err != nil {
		return nil, s.failed("list call statuses", err)
	}
	slices.SortFunc(list, Status.compareKey)
	return list, nil
}
