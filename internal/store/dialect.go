package store

import (
	"context"
	"database/sql"
	"io/fs"
	"time"

	"github.com/pressly/goose/v3"
)

// dialect is everything in which the two engines differ.
type dialect interface {
	// String names the database in errors, without the password.
	String() string

	// open returns a pool of connections. No statement on them may take
	// longer than statement, where the engine can hold that.
	open(statement time.Duration) (*sql.DB, error)

	// create makes the database itself, where that is nobody else's task.
	create() error

	// missing is what there is to say if create is still to be called; nil
	// when the database is there, or only its server knows.
	missing() error

	// transient reports whether err may be gone when the same transaction is
	// run again.
	transient(err error) bool

	// servers is how many servers there are to choose from.
	servers() int

	// replicates reports whether two connections may lead to two servers, of
	// which one lags.
	replicates() bool

	// lost reports whether err says that the server is of no use at the
	// moment, so that what failed may succeed at another one.
	lost(err error) bool

	// unsure reports whether a COMMIT that failed with err may have been, or
	// may yet be, carried out.
	unsure(err error) bool

	// denied reports whether err says that the user may not do what was asked.
	denied(err error) bool

	// goose names the dialect to the migration library.
	goose() goose.Dialect

	// migrations returns the steps in SQL, one file a version, and those that
	// have to look at the database first.
	migrations() (fs.FS, []*goose.Migration)

	// createSchemaTable is the statement that makes the table named so, for the
	// migration library's notes, in which no version can be noted twice. It is
	// one statement: on a cluster another process may note a version as soon
	// as there is a table.
	createSchemaTable(name string) string

	// countTables is the query for the number of tables, 0 or 1, named ?.
	countTables() string

	// countColumns is the query for the number of columns, 0 or 1, of the
	// table named by the first ? that are named the second ?.
	countColumns() string

	// joined is the expression for the text of numbers with a space between.
	joined(numbers ...string) string

	// clock is the query for the database's time, Unix milliseconds.
	clock() string

	// lockSchema keeps other processes from migrating until unlock is called.
	lockSchema(ctx context.Context, db *sql.DB) (unlock func(), err error)

	// raiseVersion is the statement that makes RouteVersion's row
	// max(version+1, ?), creates it when it is missing, and locks it.
	raiseVersion() string

	// keepNewest is the end of a multi-row insert into ServerCallStatus: of
	// two rows with one key the higher ts stays, the later of two equal ones.
	keepNewest() string

	// keepSequence is the end of a multi-row insert into ReportSequence: rows
	// that are there stay as they are, and all are locked.
	keepSequence() string

	// raiseSequence is likewise, and sets seq and seen of those that are there.
	raiseSequence() string

	// addCalls is the end of a multi-row insert into CallHistory: counts are
	// added to those that are there.
	addCalls() string

	// deleteSome is the statement that deletes rows of table that fulfil where,
	// as many as its last ? says at most.
	deleteSome(table, where string) string

	// statusLayout finds out how ServerCallStatus holds its numbers.
	statusLayout(ctx context.Context, db *sql.DB) (statusLayout, error)
}

func newDialect(cfg Config) (dialect, error) {
	if cfg.Driver == MySQL {
		return newMySQL(cfg)
	}
	return newSQLite(cfg.Path)
}
