package store

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync/atomic"
	"time"

	"github.com/go-sql-driver/mysql"
)

// driverConn is what a connection of the MySQL driver can do.
type driverConn interface {
	driver.Conn
	driver.ConnBeginTx
	driver.ConnPrepareContext
	driver.ExecerContext
	driver.QueryerContext
	driver.NamedValueChecker
	driver.Pinger
	driver.SessionResetter
	driver.Validator
}

// serverConn is a connection to one server of a cluster, which learns from it
// how the server does. As any connection it is used by one goroutine at a time.
type serverConn struct {
	driverConn
	cluster  *cluster
	server   *server
	socket   net.Conn
	unfit    error         // why it should be used only if there is no other server
	patience time.Duration // see maxPatience

	waiting atomic.Int64 // since when for the server, Unix nanoseconds; 0 for not
}

// wait notes that the server is waited for, until done is called.
func (c *serverConn) wait() (done func()) {
	c.waiting.Store(time.Now().UnixNano())
	return func() { c.waiting.Store(0) }
}

// waitsSince reports whether the server has been waited for since before t.
func (c *serverConn) waitsSince(t time.Time) bool {
	since := c.waiting.Load()
	return since != 0 && since < t.UnixNano()
}

// note passes an error on, and has the server passed over if it is its fault.
func (c *serverConn) note(err error) error {
	if serverLost(err) {
		c.server.failed(err)
	}
	return err
}

func (c *serverConn) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	defer c.wait()()
	res, err := c.driverConn.ExecContext(ctx, query, args)
	return res, c.note(err)
}

func (c *serverConn) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	defer c.wait()()
	rows, err := c.driverConn.QueryContext(ctx, query, args)
	if err != nil {
		return nil, c.note(err)
	}
	return serverRows{rows, c}, nil
}

func (c *serverConn) Ping(ctx context.Context) error {
	defer c.wait()()
	return c.note(c.driverConn.Ping(ctx))
}

func (c *serverConn) BeginTx(ctx context.Context, opts driver.TxOptions) (driver.Tx, error) {
	defer c.wait()()
	tx, err := c.driverConn.BeginTx(ctx, opts)
	if err != nil {
		return nil, c.note(err)
	}
	return serverTx{tx, c}, nil
}

// ResetSession is called by database/sql before the connection is used again.
func (c *serverConn) ResetSession(ctx context.Context) error {
	if c.cluster.outgrown(c) {
		return driver.ErrBadConn // it takes another, or connects
	}
	return c.driverConn.ResetSession(ctx)
}

// IsValid is called by database/sql when it has used the connection.
func (c *serverConn) IsValid() bool { return c.driverConn.IsValid() && !c.cluster.outgrown(c) }

func (c *serverConn) Close() error {
	c.server.forget(c)
	return c.driverConn.Close()
}

// serverRows waits for the server between rows.
type serverRows struct {
	driver.Rows
	conn *serverConn
}

func (r serverRows) Next(dest []driver.Value) error {
	defer r.conn.wait()()
	err := r.Rows.Next(dest)
	if err == io.EOF {
		return err // the last row was read
	}
	return r.conn.note(err)
}

// serverTx waits for the server when a transaction ends.
type serverTx struct {
	driver.Tx
	conn *serverConn
}

func (t serverTx) Commit() error {
	defer t.conn.wait()()
	return t.conn.note(t.Tx.Commit())
}

func (t serverTx) Rollback() error {
	defer t.conn.wait()()
	return t.conn.note(t.Tx.Rollback())
}

var (
	errNotReady = errors.New("the server is not part of a working cluster at the moment")
	errReadOnly = errors.New("the server can only be read")
)

// fitness asks a server whether it can be used. unfit is why it is better to
// use another one. What the server does not know of itself does not matter:
// that is how one tells MySQL from a Galera node.
func fitness(ctx context.Context, conn driverConn) (unfit, err error) {
	vars, err := show(ctx, conn, `SHOW GLOBAL VARIABLES WHERE Variable_name IN ('wsrep_on', 'wsrep_provider', 'read_only')`)
	if err != nil {
		return nil, err
	}
	if isOn(vars["wsrep_on"]) && vars["wsrep_provider"] != "none" {
		status, err := show(ctx, conn, `SHOW GLOBAL STATUS WHERE Variable_name IN ('wsrep_ready', 'wsrep_local_state', 'wsrep_local_state_comment')`)
		if err != nil {
			return nil, err
		}
		if ready, known := status["wsrep_ready"]; known && !isOn(ready) {
			return nil, fmt.Errorf("%w: it is %s", errNotReady, status["wsrep_local_state_comment"])
		}
		const synced = "4"
		if state, known := status["wsrep_local_state"]; known && state != synced {
			return fmt.Errorf("the server lags behind its cluster: it is %s", status["wsrep_local_state_comment"]), nil
		}
	}
	if isOn(vars["read_only"]) {
		return errReadOnly, nil
	}
	return nil, nil
}

func isOn(value string) bool { return value == "1" || strings.EqualFold(value, "ON") }

// show returns the names and values that a SHOW statement yields, names in
// lower case; none if the server refuses it.
func show(ctx context.Context, conn driverConn, query string) (map[string]string, error) {
	rows, err := conn.QueryContext(ctx, query, nil)
	if err != nil {
		var refused *mysql.MySQLError
		if errors.As(err, &refused) && !serverLost(err) {
			return nil, nil
		}
		return nil, err
	}
	defer rows.Close()
	values := make(map[string]string)
	cells := make([]driver.Value, len(rows.Columns()))
	for {
		err := rows.Next(cells)
		if err == io.EOF {
			return values, nil
		}
		if err != nil {
			return nil, err
		}
		if len(cells) >= 2 {
			values[strings.ToLower(text(cells[0]))] = text(cells[1])
		}
	}
}

func text(v driver.Value) string {
	if b, ok := v.([]byte); ok {
		return string(b)
	}
	return fmt.Sprint(v)
}

// serverLost reports whether err says that the server, or the way to it, is of
// no use at the moment, so that another server may well do.
func serverLost(err error) bool {
	if err == nil {
		return false
	}
	const (
		unknownCommand  = 1047 // Galera: not prepared for application use
		shuttingDown    = 1053
		optionPrevents  = 1290 // --read-only
		readOnlyMode    = 1836
		connKilled      = 1927 // MariaDB
		serverIsStopped = 3169 // MySQL: the session was killed
	)
	var e *mysql.MySQLError
	if errors.As(err, &e) {
		switch e.Number {
		case unknownCommand, shuttingDown, optionPrevents, readOnlyMode, connKilled, serverIsStopped:
			return true
		}
		return false
	}
	var network net.Error
	return errors.Is(err, driver.ErrBadConn) || errors.Is(err, mysql.ErrInvalidConn) ||
		errors.Is(err, io.EOF) || errors.Is(err, net.ErrClosed) ||
		errors.As(err, &network) && !errors.Is(err, context.DeadlineExceeded)
}
