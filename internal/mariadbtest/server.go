package mariadbtest

import (
	"database/sql"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"

	"github.com/lars-lb/lars/internal/store"
)

const (
	startTimeout = 30 * time.Second
	stopTimeout  = 10 * time.Second
)

// ErrMissing is returned when MariaDB's server is not installed.
var ErrMissing = errors.New("MariaDB's server (mariadbd) is not installed; `make test` installs it, or on Debian: apt-get install mariadb-server-core")

// Server is a running MariaDB, or a stopped one that can be started again.
type Server struct {
	binary, dir string
	port        uint16
	names       atomic.Int64 // numbers the databases
	more        []string     // flags beside those of all servers
	environment []string     // beside this process's own

	cmd    *exec.Cmd
	exited chan struct{} // closed when cmd has ended
}

// Start is New for one test, which fails when there is no server to be had.
func Start(tb testing.TB) *Server {
	tb.Helper()
	s, err := New()
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := s.Stop(); err != nil {
			tb.Error(err)
		}
	})
	return s
}

// New starts a server, with more flags if need be: by default it has little
// memory. The caller must Stop it.
func New(more ...string) (*Server, error) {
	binary, err := find("mariadbd", "mysqld")
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "lars-mariadb-") // short, for the socket's path
	if err != nil {
		return nil, fmt.Errorf("mariadbtest: %w", err)
	}
	s := &Server{binary: binary, dir: dir, more: more}
	if err := s.bootstrap(); err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	// Another process may take a port between the moment it is found free
	// and the moment the server binds it.
	for range 3 {
		if s.port, err = freePort(); err != nil {
			break
		}
		if err = s.run(); err == nil {
			return s, nil
		}
	}
	return nil, errors.Join(err, os.RemoveAll(dir))
}

// Addr is where the server listens, host and port.
func (s *Server) Addr() string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(int(s.port))) }

// PID is the id of the process; 0 if it does not run.
func (s *Server) PID() int {
	if s.cmd == nil {
		return 0
	}
	return s.cmd.Process.Pid
}

// Config is how a store reaches the database name as root.
func (s *Server) Config(name string) store.Config {
	return store.Config{Driver: store.MySQL, Host: "127.0.0.1", Port: s.port, User: "root", Name: name}
}

// NewDatabase makes an empty database, which lives as long as the server.
func (s *Server) NewDatabase(tb testing.TB) store.Config {
	tb.Helper()
	name := fmt.Sprintf("lars_%d", s.names.Add(1))
	s.Exec(tb, "CREATE DATABASE "+name)
	return s.Config(name)
}

// Exec runs statements as root, outside of any database.
func (s *Server) Exec(tb testing.TB, statements ...string) {
	tb.Helper()
	db := s.open()
	defer db.Close()
	for _, q := range statements {
		if _, err := db.Exec(q); err != nil {
			tb.Fatalf("mariadbtest: %s: %v", q, err)
		}
	}
}

// Stop ends the server and removes its data. It may be called twice.
func (s *Server) Stop() error {
	return errors.Join(s.Shutdown(), os.RemoveAll(s.dir))
}

// Shutdown ends the server as an operator does. Restart brings it back.
func (s *Server) Shutdown() error {
	if s.cmd == nil {
		return nil
	}
	// The process may have ended by itself; then there is nothing to signal.
	_ = s.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-s.exited:
		s.cmd = nil
		return nil
	case <-time.After(stopTimeout):
		s.Kill()
		return fmt.Errorf("mariadbtest: the server did not stop within %v and was killed", stopTimeout)
	}
}

// Kill ends the server at once, as kill -9 does. Restart brings it back.
func (s *Server) Kill() {
	if s.cmd == nil {
		return
	}
	_ = s.cmd.Process.Kill() // fails only when the process has ended
	<-s.exited
	s.cmd = nil
}

// Restart starts a server that was shut down or killed, or stops it first,
// and returns when it answers: same port, same data.
func (s *Server) Restart() error {
	if err := s.Shutdown(); err != nil {
		return err
	}
	return s.run()
}

func (s *Server) open() *sql.DB {
	cfg := mysql.NewConfig()
	cfg.User, cfg.Net, cfg.Addr = "root", "tcp", s.Addr()
	cfg.Timeout = time.Second
	cfg.Logger = &mysql.NopLogger{}
	connector, err := mysql.NewConnector(cfg)
	if err != nil {
		panic("mariadbtest: " + err.Error()) // the config above is constant
	}
	return sql.OpenDB(connector)
}

func (s *Server) flags(more ...string) []string {
	flags := []string{
		"--no-defaults",
		"--datadir=" + filepath.Join(s.dir, "data"),
		"--tmpdir=" + s.dir,
		"--innodb-buffer-pool-size=16M",
		"--innodb-log-file-size=8M",
		"--innodb-data-file-path=ibdata1:4M:autoextend",
		"--innodb-temp-data-file-path=ibtmp1:4M:autoextend",
		// Nothing has to survive a power failure.
		"--innodb-flush-log-at-trx-commit=2",
		"--innodb-flush-method=nosync",
		"--innodb-doublewrite=0",
	}
	if os.Getuid() == 0 {
		flags = append(flags, "--user=root") // it refuses to run as root unasked
	}
	return append(flags, more...)
}

// startWith starts a process that ends when this one does, and returns what is
// closed when it has ended.
func startWith(cmd *exec.Cmd) (exited chan struct{}, err error) {
	// A test binary that dies takes its server along. To the kernel the parent
	// is the thread that starts it: that one is kept until the server has ended,
	// for others may end at any time.
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	exited = make(chan struct{})
	started := make(chan error)
	go func() {
		defer close(exited)
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := cmd.Start()
		started <- err
		if err == nil {
			_ = cmd.Wait() // a killed server is no failure
		}
	}()
	return exited, <-started
}

// run starts the process, with more flags, and returns when it answers.
func (s *Server) run(more ...string) error {
	logPath := filepath.Join(s.dir, "log")
	log, err := os.Create(logPath)
	if err != nil {
		return fmt.Errorf("mariadbtest: %w", err)
	}
	defer log.Close()
	cmd := exec.Command(s.binary, s.flags(
		"--bind-address=127.0.0.1", "--port="+strconv.Itoa(int(s.port)),
		"--socket="+filepath.Join(s.dir, "socket"), "--pid-file="+filepath.Join(s.dir, "pid"),
		"--skip-log-bin", "--skip-name-resolve", "--max-connections=300")...)
	cmd.Args = append(cmd.Args, s.more...)
	cmd.Args = append(cmd.Args, more...)
	cmd.Env = append(os.Environ(), s.environment...)
	cmd.Stdout, cmd.Stderr = log, log
	exited, err := startWith(cmd)
	if err != nil {
		return fmt.Errorf("mariadbtest: start: %w", err)
	}
	s.cmd, s.exited = cmd, exited

	db := s.open()
	defer db.Close()
	poll := time.NewTicker(20 * time.Millisecond)
	defer poll.Stop()
	deadline := time.After(startTimeout)
	for {
		// Ask whose server it is: another one may have taken the port.
		var datadir string
		if err := db.QueryRow("SELECT @@datadir").Scan(&datadir); err == nil && strings.HasPrefix(datadir, s.dir+"/") {
			return nil
		}
		select {
		case <-poll.C:
		case <-exited:
			s.cmd = nil
			out, _ := os.ReadFile(logPath)
			return fmt.Errorf("mariadbtest: the server ended while it started:\n%s", out)
		case <-deadline:
			s.Kill()
			out, _ := os.ReadFile(logPath)
			return fmt.Errorf("mariadbtest: no answer within %v:\n%s", startTimeout, out)
		}
	}
}
