package mariadbtest

import (
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// find looks for a program in PATH and where Debian keeps servers.
func find(names ...string) (string, error) {
	for _, name := range names {
		for _, candidate := range []string{name, "/usr/sbin/" + name, "/usr/libexec/" + name} {
			if path, err := exec.LookPath(candidate); err == nil {
				return path, nil
			}
		}
	}
	return "", ErrMissing
}

// bootstrap makes the system tables, as mariadb-install-db does, which needs
// programs that the server's package does not contain.
func (s *Server) bootstrap() error {
	if err := os.Mkdir(filepath.Join(s.dir, "data"), 0o700); err != nil {
		return fmt.Errorf("mariadbtest: %w", err)
	}
	script := []io.Reader{strings.NewReader("CREATE DATABASE mysql;\nUSE mysql;\nSET @auth_root_socket = NULL;\n")}
	for _, name := range []string{"mysql_system_tables.sql", "mysql_system_tables_data.sql"} {
		f, err := openShare(name)
		if err != nil {
			return err
		}
		defer f.Close()
		script = append(script, f)
	}
	ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
	defer cancel()
	cmd := exec.CommandContext(ctx, s.binary, s.flags("--bootstrap")...)
	cmd.Stdin = io.MultiReader(script...)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("mariadbtest: make the system tables: %w\n%s", err, out)
	}
	return nil
}

// openShare opens a file that comes with the server.
func openShare(name string) (*os.File, error) {
	for _, dir := range []string{"/usr/share/mysql", "/usr/share/mariadb"} {
		if f, err := os.Open(filepath.Join(dir, name)); err == nil {
			return f, nil
		}
	}
	return nil, fmt.Errorf("%w (%s is neither in /usr/share/mysql nor /usr/share/mariadb)", ErrMissing, name)
}

// freePort returns a port that nobody listens on at the moment.
func freePort() (uint16, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, fmt.Errorf("mariadbtest: find a port: %w", err)
	}
	port := l.Addr().(*net.TCPAddr).Port
	return uint16(port), l.Close()
}
