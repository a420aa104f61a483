package dns

import (
	"bufio"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/go-sql-driver/mysql"

	"github.com/lars-lb/lars/internal/mariadbtest"
	"github.com/lars-lb/lars/internal/route"
	"github.com/lars-lb/lars/internal/store"
)

// hostsOf is how many hosts each module of a database has.
const hostsOf = 10

// module is the n-th of a database, from 0 on.
func module(n int) route.Module {
	return route.Module{ModID: int32(n/1000 + 1), CmdID: int32(n%1000 + 1)}
}

// host is the h-th of the n-th module.
func host(n, h int) route.Host {
	return route.Host{IP: 10<<24 | uint32(n)&0xffffff, Port: uint16(7000 + h)}
}

// server is a MariaDB with databases of routes.
type server struct {
	*mariadbtest.Server
	admin *sql.DB // in no database
}

// startServer starts a MariaDB that keeps the largest table in its memory, as
// an installation of that size would.
func startServer() (*server, error) {
	s, err := mariadbtest.New("--innodb-buffer-pool-size=1G", "--innodb-log-file-size=1G", "--performance-schema=0")
	if err != nil {
		return nil, err
	}
	db, err := open(s.Config(""))
	if err != nil {
		return nil, errors.Join(err, s.Stop())
	}
	return &server{s, db}, nil
}

func open(cfg store.Config) (*sql.DB, error) {
	c := mysql.NewConfig()
	c.User, c.Net, c.Addr, c.DBName = cfg.User, "tcp", fmt.Sprintf("%s:%d", cfg.Host, cfg.Port), cfg.Name
	c.InterpolateParams = true
	c.Logger = &mysql.NopLogger{}
	connector, err := mysql.NewConnector(c)
	if err != nil {
		return nil, err
	}
	return sql.OpenDB(connector), nil
}

func (s *server) stop() error { return errors.Join(s.admin.Close(), s.Stop()) }

// database is one of a number of modules.
type database struct {
	store   *store.Store
	config  store.Config
	modules int
	changed bool // a host was added to those it was filled with
}

func (d *database) rows() int { return d.modules * hostsOf }

// fill makes a database. Rows go into an empty table without a secondary index,
// which MariaDB fills without a log of each row, and the index is made of the
// whole: row by row it takes several times as long.
func (s *server) fill(ctx context.Context, modules int) (d *database, err error) {
	name := fmt.Sprintf("lars_%d", modules)
	if _, err := s.admin.ExecContext(ctx, "CREATE DATABASE "+name); err != nil {
		return nil, err
	}
	d = &database{config: s.Config(name), modules: modules}
	if d.store, err = store.Open(d.config); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			_ = d.store.Close()
		}
	}()
	if _, _, err := d.store.Migrate(ctx); err != nil {
		return nil, err
	}
	db, err := open(d.config)
	if err != nil {
		return nil, err
	}
	defer db.Close()
	conn, err := db.Conn(ctx)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	rows, w := io.Pipe()
	mysql.RegisterReaderHandler(name, func() io.Reader { return rows })
	defer mysql.DeregisterReaderHandler(name)
	written := make(chan error, 1)
	go func() { written <- w.CloseWithError(writeRows(w, modules)) }()
	defer func() {
		_ = rows.Close() // ends the writing if nobody reads on
		<-written
	}()
	for _, statement := range []string{
		"DROP INDEX RouteData_module ON RouteData",
		"SET SESSION unique_checks = 0, foreign_key_checks = 0",
		"LOAD DATA LOCAL INFILE 'Reader::" + name + "' INTO TABLE RouteData (modid, cmdid, serverip, serverport)",
		"CREATE INDEX RouteData_module ON RouteData (modid, cmdid)",
	} {
		if _, err := conn.ExecContext(ctx, statement); err != nil {
			return nil, fmt.Errorf("%s: %w", strings.Fields(statement)[0], err)
		}
	}
	return d, nil
}

// age makes the last change one of long ago. No lars-dns may run.
func (d *database) age(ctx context.Context) error {
	db, err := open(d.config)
	if err != nil {
		return err
	}
	defer db.Close()
	for _, statement := range []string{"DELETE FROM RouteChange", "UPDATE RouteVersion SET version = 1"} {
		if _, err := db.ExecContext(ctx, statement); err != nil {
			return err
		}
	}
	return nil
}

func writeRows(w io.Writer, modules int) error {
	out := bufio.NewWriterSize(w, 1<<20)
	line := make([]byte, 0, 64)
	for n := range modules {
		m := module(n)
		for h := range hostsOf {
			node := host(n, h)
			line = strconv.AppendInt(line[:0], int64(m.ModID), 10)
			line = strconv.AppendInt(append(line, '\t'), int64(m.CmdID), 10)
			line = strconv.AppendUint(append(line, '\t'), uint64(node.IP), 10)
			line = strconv.AppendUint(append(line, '\t'), uint64(node.Port), 10)
			if _, err := out.Write(append(line, '\n')); err != nil {
				return err
			}
		}
	}
	return out.Flush()
}

// conf is the part of a daemon's configuration that leads to the database.
func (d *database) conf() string {
	return fmt.Sprintf("[store]\ndriver = mysql\n[mysql]\ndb_host = %s\ndb_port = %d\ndb_user = %s\ndb_name = %s\n",
		d.config.Host, d.config.Port, d.config.User, d.config.Name)
}
