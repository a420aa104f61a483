package store

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/pressly/goose/v3"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

//go:embed migrations/sqlite/*.sql
var sqliteMigrations embed.FS

// sqliteDialect is one file, shared by the daemons of one machine.
type sqliteDialect struct{ path string }

func newSQLite(path string) (sqliteDialect, error) {
	abs, err := filepath.Abs(path)
	if err != nil {
		return sqliteDialect{}, fmt.Errorf("store: path %q: %w", path, err)
	}
	return sqliteDialect{abs}, nil
}

func (d sqliteDialect) String() string { return "sqlite " + d.path }

func (d sqliteDialect) open(time.Duration) (*sql.DB, error) {
	q := url.Values{
		// Whoever only looks must not leave an empty database behind.
		"mode":          {"rw"},
		"_busy_timeout": {strconv.FormatInt(lockTimeout.Milliseconds(), 10)},
		// Readers go on while one process writes.
		"_journal_mode": {"WAL"},
		// A transaction takes the write lock when it begins: one that began
		// by reading could not wait for the lock, it would fail at once.
		"_txlock": {"immediate"},
		// A quoted name that does not exist is an error and not a string.
		"_dqs": {"0"},
		// Without this an error while opening quotes an unrelated message.
		"_error_rc": {"1"},
	}
	dsn := url.URL{Scheme: "file", Path: d.path, RawQuery: q.Encode()}
	connector, err := sqlite.NewConnector(dsn.String())
	if err != nil {
		return nil, err
	}
	db := sql.OpenDB(connector)
	// Writers wait for one another anyway.
	db.SetMaxOpenConns(8)
	db.SetMaxIdleConns(2)
	return db, nil
}

func (d sqliteDialect) create() error {
	if err := os.MkdirAll(filepath.Dir(d.path), 0o755); err != nil {
		return err
	}
	file, err := os.OpenFile(d.path, os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return err
	}
	return file.Close()
}

func (d sqliteDialect) missing() error {
	if _, err := os.Stat(d.path); errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%w; lars db init creates it, or another path is meant", ErrNoDatabase)
	}
	return nil
}

func (sqliteDialect) transient(err error) bool {
	const primary = 0xff // an extended code carries the primary one below
	var e *sqlite.Error
	if !errors.As(err, &e) {
		return false
	}
	return e.Code()&primary == sqlite3.SQLITE_BUSY || e.Code()&primary == sqlite3.SQLITE_LOCKED
}

// servers is one: the file.
func (sqliteDialect) servers() int { return 1 }

func (sqliteDialect) replicates() bool { return false }

// lost is always false: there is no other file to turn to.
func (sqliteDialect) lost(error) bool { return false }

// unsure is always false: a COMMIT that fails was not carried out.
func (sqliteDialect) unsure(error) bool { return false }

// denied is always false: who may write the file may change its tables.
func (sqliteDialect) denied(error) bool { return false }

func (sqliteDialect) goose() goose.Dialect { return goose.DialectSQLite3 }

func (d sqliteDialect) migrations() (fs.FS, []*goose.Migration) {
	// The folder is embedded, so Sub cannot fail.
	files, _ := fs.Sub(sqliteMigrations, "migrations/sqlite")
	return files, []*goose.Migration{
		// Unsigned, as in MySQL.
		addWeights(d, "ALTER TABLE RouteData ADD COLUMN weight INTEGER NOT NULL DEFAULT 100 CHECK (weight >= 0)"),
	}
}

func (sqliteDialect) createSchemaTable(name string) string {
	return "CREATE TABLE " + name + ` (
		id INTEGER PRIMARY KEY AUTOINCREMENT,
		version_id INTEGER NOT NULL UNIQUE,
		is_applied INTEGER NOT NULL,
		tstamp TIMESTAMP DEFAULT (datetime('now'))
	)`
}

func (sqliteDialect) countTables() string {
	return "SELECT COUNT(*) FROM sqlite_master WHERE type = 'table' AND name = ?"
}

func (sqliteDialect) joined(numbers ...string) string {
	return strings.Join(numbers, " || ' ' || ")
}

func (sqliteDialect) clock() string {
	return "SELECT CAST(ROUND((julianday('now') - 2440587.5) * 86400000) AS INTEGER)"
}

func (sqliteDialect) countColumns() string {
	return "SELECT COUNT(*) FROM pragma_table_info(?) WHERE lower(name) = ?"
}

// lockSchema has nothing to lock: SQLite knows no lock beyond a transaction,
// and each migration is one, together with its row in the schema table. Of two
// processes at the same migration the second one fails on that table's unique
// index, and finds the work done when it looks again.
func (sqliteDialect) lockSchema(context.Context, *sql.DB) (unlock func(), err error) {
	return func() {}, nil
}

func (sqliteDialect) raiseVersion() string {
	return `INSERT INTO RouteVersion (id, version) VALUES (1, ?)
		ON CONFLICT (id) DO UPDATE SET version = max(version + 1, excluded.version)`
}

func (sqliteDialect) keepNewest() string {
	return ` ON CONFLICT (modid, cmdid, ip, port, caller) DO UPDATE SET
		succ_cnt = excluded.succ_cnt, err_cnt = excluded.err_cnt,
		overload = excluded.overload, ts = excluded.ts
		WHERE excluded.ts >= ServerCallStatus.ts`
}

func (sqliteDialect) keepSequence() string { return " ON CONFLICT (caller, boot_id) DO NOTHING" }

func (sqliteDialect) raiseSequence() string {
	return " ON CONFLICT (caller, boot_id) DO UPDATE SET seq = excluded.seq, seen = excluded.seen"
}

func (sqliteDialect) addCalls() string {
	return ` ON CONFLICT (minute, modid, cmdid, ip, port, caller) DO UPDATE SET
		succ_cnt = succ_cnt + excluded.succ_cnt, err_cnt = err_cnt + excluded.err_cnt`
}

func (sqliteDialect) deleteSome(table, where string) string {
	return "DELETE FROM " + table + " WHERE rowid IN (SELECT rowid FROM " + table + " WHERE " + where + " LIMIT ?)"
}

// statusLayout stores what Lars 1.0's own schema does. SQLite's integers have
// 64 bits, whatever a column was declared as.
func (sqliteDialect) statusLayout(context.Context, *sql.DB) (statusLayout, error) {
	return statusLayout{ip: true, caller: true}, nil
}
