package reporter

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"

	"github.com/go-sql-driver/mysql"
	_ "modernc.org/sqlite" // the driver that the store uses

	"github.com/lars-lb/lars/internal/mariadbtest"
	"github.com/lars-lb/lars/internal/store"
)

// engine is a database with the tables of Lars and its rows. Its methods are
// for one goroutine.
type engine struct {
	name  string
	conf  string // of lars-reporter: its sections about the store
	db    *sql.DB
	conns int    // over which the yardstick writes
	end   string // of an upsert, for the columns to be replaced
	pid   int    // of its server, 0 if it has none
	stop  func()
}

// startMariaDB starts a private server, and makes its tables.
func startMariaDB(ctx context.Context) (*engine, error) {
	// As a server of its own would have it: room for the rows, and a log that
	// is not full every second. Nothing has to survive a power failure here,
	// so a COMMIT does not wait for the disk, neither ours nor the yardstick's.
	s, err := mariadbtest.New("--innodb-buffer-pool-size=768M", "--innodb-log-file-size=512M")
	if err != nil {
		return nil, err
	}
	e := &engine{name: "MariaDB", conns: workers, pid: s.PID(), end: " ON DUPLICATE KEY UPDATE ", stop: func() { _ = s.Stop() }}
	c := s.Config("lars")
	dsn := mysql.NewConfig()
	dsn.Net, dsn.Addr, dsn.User = "tcp", s.Addr(), c.User
	dsn.Logger = &mysql.NopLogger{}
	admin, err := sql.Open("mysql", dsn.FormatDSN())
	if err == nil {
		_, err = admin.ExecContext(ctx, "CREATE DATABASE lars")
		err = errors.Join(err, admin.Close())
	}
	if err == nil {
		dsn.DBName = c.Name
		e.conf = fmt.Sprintf("[mysql]\ndb_host = %s\ndb_port = %d\ndb_user = %s\ndb_name = %s\n", c.Host, c.Port, c.User, c.Name)
		e.db, err = sql.Open("mysql", dsn.FormatDSN())
	}
	if err == nil {
		err = migrate(ctx, c)
	}
	if err != nil {
		e.close()
		return nil, err
	}
	e.db.SetMaxIdleConns(workers + 1)
	return e, nil
}

// startSQLite makes a file, and its tables, in a new folder.
func startSQLite(ctx context.Context) (*engine, error) {
	dir, err := os.MkdirTemp("", "lars-bench")
	if err != nil {
		return nil, err
	}
	path := filepath.Join(dir, "lars.db")
	// One writer at a time is all that SQLite has: more connections would only
	// wait for one another, and be slower by that.
	e := &engine{name: "SQLite", conns: 1, stop: func() { _ = os.RemoveAll(dir) }}
	e.conf = fmt.Sprintf("[store]\npath = %s\n", path)
	err = migrate(ctx, store.Config{Driver: store.SQLite, Path: path})
	if err == nil {
		e.db, err = sql.Open("sqlite", "file:"+path+"?_pragma=journal_mode(WAL)&_pragma=busy_timeout(5000)&_txlock=immediate")
	}
	if err != nil {
		e.close()
		return nil, err
	}
	return e, nil
}

func migrate(ctx context.Context, c store.Config) error {
	st, err := store.Open(c)
	if err != nil {
		return err
	}
	_, _, err = st.Migrate(ctx)
	return errors.Join(err, st.Close())
}

func (e *engine) close() {
	if e.db != nil {
		_ = e.db.Close()
	}
	e.stop()
}

// table is one that rows go to.
type table struct {
	name     string
	key      []string // the columns of its key, without those of a module, host and caller
	replaced []string
	added    []string // columns to which the new value is added
}

var (
	statusTable  = table{name: "ServerCallStatus", replaced: []string{"succ_cnt", "err_cnt", "ts", "overload"}}
	historyTable = table{name: "CallHistory", key: []string{"minute"}, added: []string{"succ_cnt", "err_cnt"}}
)

// upsert returns the two ends of a statement that writes rows.
func (e *engine) upsert(t table) (begin, end string) {
	columns := slices.Concat(t.key, []string{"modid", "cmdid", "ip", "port", "caller"})
	excluded := func(c string) string { return "VALUES(" + c + ")" }
	if end = e.end; end == "" {
		end = " ON CONFLICT ("
		for _, c := range columns {
			end += c + ","
		}
		end = end[:len(end)-1] + ") DO UPDATE SET "
		excluded = func(c string) string { return "excluded." + c }
	}
	for _, c := range t.replaced {
		end += c + "=" + excluded(c) + ","
	}
	for _, c := range t.added {
		end += c + "=" + c + "+" + excluded(c) + ","
	}
	begin = "INSERT INTO " + t.name + " ("
	for _, c := range slices.Concat(columns, t.replaced, t.added) {
		begin += c + ","
	}
	return begin[:len(begin)-1] + ") VALUES ", end[:len(end)-1]
}

// row is one result of a report.
type row struct {
	module, host, agent int
	succ, ts            uint32
}

func (r row) compare(o row) int {
	return cmp.Or(cmp.Compare(r.module, o.module), cmp.Compare(r.host, o.host), cmp.Compare(r.agent, o.agent))
}

// append appends the row as the values of a statement.
func (r row) append(b []byte, t table) []byte {
	number := func(n uint32, after byte) {
		b = append(strconv.AppendUint(b, uint64(n), 10), after)
	}
	b = append(b, '(')
	if t.key != nil {
		number(r.ts-r.ts%60, ',')
	}
	number(modid(r.module), ',')
	number(cmdid, ',')
	number(ipOf(r.module, r.host), ',')
	number(port, ',')
	number(callerOf(r.agent), ',')
	number(r.succ, ',')
	if t.key != nil {
		number(0, ')')
		return b
	}
	number(0, ',')
	number(r.ts, ',')
	return append(b, "'0')"...)
}

// statement writes rows with one statement.
func (e *engine) statement(b []byte, t table, rows []row) []byte {
	begin, end := e.upsert(t)
	b = append(b[:0], begin...)
	for i, r := range rows {
		if i > 0 {
			b = append(b, ',')
		}
		b = r.append(b, t)
	}
	return append(b, end...)
}
