package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"strconv"
	"strings"
	"time"

	"github.com/go-sql-driver/mysql"
	"github.com/pressly/goose/v3"
)

//go:embed migrations/mysql/*.sql
var mysqlMigrations embed.FS

// mysqlDialect is MySQL 5.7 and later, and MariaDB.
type mysqlDialect struct {
	cfg   Config
	addrs []string
}

func newMySQL(cfg Config) (mysqlDialect, error) {
	addrs, err := cfg.Addrs()
	return mysqlDialect{cfg, addrs}, err
}

func (d mysqlDialect) String() string {
	return "mysql " + d.cfg.Name + " at " + strings.Join(d.addrs, ", ")
}

func (d mysqlDialect) open(statement time.Duration) (*sql.DB, error) {
	c := mysql.NewConfig()
	c.Net, c.Addr = "tcp", d.addrs[0]
	c.User, c.Passwd, c.DBName = d.cfg.User, d.cfg.Password, d.cfg.Name
	c.Timeout = 2 * time.Second
	c.ReadTimeout, c.WriteTimeout = statement, statement
	// One round trip a statement rather than prepare, execute and close. The
	// values are numbers and names; the driver escapes them for this charset
	// and refuses those in which that is unsafe.
	c.InterpolateParams = true
	// The driver would print lost connections to stderr; they are returned.
	c.Logger = &mysql.NopLogger{}
	c.Params = map[string]string{
		// A number that does not fit is an error and never another number.
		"sql_mode":                 "'STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION'",
		"innodb_lock_wait_timeout": strconv.Itoa(int(lockTimeout / time.Second)),
	}
	if err := c.Apply(mysql.Charset("utf8mb4", "")); err != nil {
		return nil, err
	}
	connector, err := d.connector(c)
	if err != nil {
		return nil, err
	}
	db := sql.OpenDB(connector)
	// As many as the reporter can have workers, and some for the rest. Those
	// that nobody needs are closed.
	db.SetMaxOpenConns(72)
	db.SetMaxIdleConns(72)
	db.SetConnMaxIdleTime(30 * time.Second)
	// Below the idle limits of proxies and servers, and soon enough to follow
	// an address that moved.
	db.SetConnMaxLifetime(3 * time.Minute)
	return db, nil
}

func (d mysqlDialect) connector(c *mysql.Config) (driver.Connector, error) {
	if len(d.addrs) == 1 {
		return mysql.NewConnector(c)
	}
	return newCluster(c, d.addrs)
}

func (d mysqlDialect) servers() int { return len(d.addrs) }

// replicates: one address may be that of a proxy.
func (mysqlDialect) replicates() bool { return true }

// create does nothing: a database and its users are its administrator's.
func (mysqlDialect) create() error { return nil }

func (mysqlDialect) missing() error { return nil }

func (mysqlDialect) transient(err error) bool {
	const (
		lockWaitTimeout = 1205
		deadlock        = 1213 // in Galera also a conflict with another node, up to COMMIT
		changed         = 1020 // MariaDB: a row is newer than the snapshot
		rolledBack      = 3101 // the same in Group Replication
		writeConflict   = 9007 // the same in TiDB
	)
	var e *mysql.MySQLError
	if !errors.As(err, &e) {
		return false
	}
	switch e.Number {
	case lockWaitTimeout, deadlock, changed, rolledBack, writeConflict:
		return true
	}
	return false
}

func (mysqlDialect) lost(err error) bool { return serverLost(err) }

// unsure counts what Galera answers to a COMMIT that it could not confirm.
func (mysqlDialect) unsure(err error) bool {
	const errorDuringCommit, interrupted = 1180, 1317
	var e *mysql.MySQLError
	if errors.As(err, &e) {
		return e.Number == errorDuringCommit || e.Number == interrupted
	}
	// The connection was lost, or the caller had enough; the first of these
	// says that nothing was sent, the other that the transaction ended before.
	return !errors.Is(err, driver.ErrBadConn) && !errors.Is(err, sql.ErrTxDone)
}

func (mysqlDialect) denied(err error) bool {
	const noDatabaseRight, noTableRight, noColumnRight = 1044, 1142, 1143
	var e *mysql.MySQLError
	return errors.As(err, &e) && (e.Number == noDatabaseRight || e.Number == noTableRight || e.Number == noColumnRight)
}

func (mysqlDialect) goose() goose.Dialect { return goose.DialectMySQL }

func (d mysqlDialect) migrations() (fs.FS, []*goose.Migration) {
	// The folder is embedded, so Sub cannot fail.
	files, _ := fs.Sub(mysqlMigrations, "migrations/mysql")
	return files, []*goose.Migration{
		goose.NewGoMigration(2, &goose.GoFunc{RunTx: addMySQLIndexes}, nil),
		addWeights(d, "ALTER TABLE RouteData ADD COLUMN weight int(10) unsigned NOT NULL DEFAULT 100"),
	}
}

// addMySQLIndexes adds the indexes that polling and reloading need. MySQL has
// no CREATE INDEX IF NOT EXISTS, and an operator may have added one already.
func addMySQLIndexes(ctx context.Context, tx *sql.Tx) error {
	for _, index := range []struct{ name, table, columns string }{
		{"RouteData_module", "RouteData", "modid,cmdid"},
		{"RouteChange_version", "RouteChange", "version"},
	} {
		exists, err := mysqlIndexExists(ctx, tx, index.table, index.columns)
		if err != nil {
			return fmt.Errorf("look for the index on %s(%s): %w", index.table, index.columns, err)
		}
		if exists {
			continue
		}
		ddl := fmt.Sprintf("CREATE INDEX %s ON %s (%s)", index.name, index.table, index.columns)
		if _, err := tx.ExecContext(ctx, ddl); err != nil {
			return fmt.Errorf("%s: %w", ddl, err)
		}
	}
	return nil
}

// mysqlIndexExists reports whether an index of any name begins with columns.
// One on expressions has no column names.
func mysqlIndexExists(ctx context.Context, tx *sql.Tx, table, columns string) (bool, error) {
	rows, err := tx.QueryContext(ctx, `SELECT COALESCE(GROUP_CONCAT(column_name ORDER BY seq_in_index), '')
		FROM information_schema.statistics
		WHERE table_schema = DATABASE() AND table_name = ? GROUP BY index_name`, table)
	if err != nil {
		return false, err
	}
	defer rows.Close()
	for rows.Next() {
		var have string
		if err := rows.Scan(&have); err != nil {
			return false, err
		}
		if strings.HasPrefix(strings.ToLower(have)+",", columns+",") {
			return true, nil
		}
	}
	return false, rows.Err()
}

func (mysqlDialect) createSchemaTable(name string) string {
	return "CREATE TABLE " + name + ` (
		id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
		version_id BIGINT NOT NULL,
		is_applied BOOLEAN NOT NULL,
		tstamp DATETIME NULL DEFAULT CURRENT_TIMESTAMP,
		UNIQUE KEY ` + name + `_once (version_id)
	)`
}

func (mysqlDialect) countTables() string {
	return "SELECT COUNT(*) FROM information_schema.tables WHERE table_schema = DATABASE() AND table_name = ?"
}

func (mysqlDialect) joined(numbers ...string) string {
	return "CONCAT_WS(' ', " + strings.Join(numbers, ", ") + ")"
}

func (mysqlDialect) clock() string { return "SELECT CAST(UNIX_TIMESTAMP(NOW(3)) * 1000 AS SIGNED)" }

func (mysqlDialect) countColumns() string {
	return "SELECT COUNT(*) FROM information_schema.columns WHERE table_schema = DATABASE() AND table_name = ? AND column_name = ?"
}

// lockSchema takes a lock that belongs to one connection, so a process that
// dies releases it. Lock names are the server's and at most 64 long: hence
// the digest of the database's name. A cluster's server has locks of its own at
// best, and perhaps refuses to have any: Migrate bears with those who are at it
// on another one.
func (mysqlDialect) lockSchema(ctx context.Context, db *sql.DB) (unlock func(), err error) {
	conn, err := db.Conn(ctx)
	if err != nil {
		return nil, err
	}
	for {
		var got sql.NullInt64
		err := conn.QueryRowContext(ctx, `SELECT GET_LOCK(CONCAT('lars-schema-', MD5(DATABASE())), 1)`).Scan(&got)
		if refused := new(mysql.MySQLError); errors.As(err, &refused) && !serverLost(err) {
			return func() { _ = conn.Close() }, nil
		}
		if err != nil {
			return nil, errors.Join(err, conn.Close())
		}
		if got.Int64 == 1 {
			break
		}
	}
	return func() {
		// A failed release needs no handling: the connection is broken then,
		// and the lock gone with it.
		_, _ = conn.ExecContext(context.WithoutCancel(ctx),
			`DO RELEASE_LOCK(CONCAT('lars-schema-', MD5(DATABASE())))`)
		_ = conn.Close()
	}, nil
}

func (mysqlDialect) raiseVersion() string {
	return `INSERT INTO RouteVersion (id, version) VALUES (1, ?)
		ON DUPLICATE KEY UPDATE version = GREATEST(version + 1, VALUES(version))`
}

// The assignments are made from left to right, and each sees those before it:
// ts must come last.
func (mysqlDialect) keepNewest() string {
	return ` ON DUPLICATE KEY UPDATE
		succ_cnt = IF(VALUES(ts) >= ts, VALUES(succ_cnt), succ_cnt),
		err_cnt = IF(VALUES(ts) >= ts, VALUES(err_cnt), err_cnt),
		overload = IF(VALUES(ts) >= ts, VALUES(overload), overload),
		ts = GREATEST(ts, VALUES(ts))`
}

func (mysqlDialect) keepSequence() string { return " ON DUPLICATE KEY UPDATE seq = seq" }

func (mysqlDialect) raiseSequence() string {
	return " ON DUPLICATE KEY UPDATE seq = VALUES(seq), seen = VALUES(seen)"
}

func (mysqlDialect) addCalls() string {
	return " ON DUPLICATE KEY UPDATE succ_cnt = succ_cnt + VALUES(succ_cnt), err_cnt = err_cnt + VALUES(err_cnt)"
}

func (mysqlDialect) deleteSome(table, where string) string {
	return "DELETE FROM " + table + " WHERE " + where + " LIMIT ?"
}

// statusLayout reads which columns are signed: Lars 1.0 was installed with
// both, and a signed one holds a number above 2^31 only as its negative.
func (mysqlDialect) statusLayout(ctx context.Context, db *sql.DB) (statusLayout, error) {
	rows, err := db.QueryContext(ctx, `SELECT column_name, column_type FROM information_schema.columns
		WHERE table_schema = DATABASE() AND table_name = 'ServerCallStatus'`)
	if err != nil {
		return statusLayout{}, err
	}
	defer rows.Close()
	var l statusLayout
	for rows.Next() {
		var column, typ string
		if err := rows.Scan(&column, &typ); err != nil {
			return statusLayout{}, err
		}
		unsigned := strings.Contains(strings.ToLower(typ), "unsigned") || strings.HasPrefix(strings.ToLower(typ), "bigint")
		switch strings.ToLower(column) {
		case "modid":
			l.modid = unsigned
		case "cmdid":
			l.cmdid = unsigned
		case "ip":
			l.ip = unsigned
		case "caller":
			l.caller = unsigned
		}
	}
	return l, rows.Err()
}
