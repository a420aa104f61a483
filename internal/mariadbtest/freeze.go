package mariadbtest

import (
	"fmt"
	"syscall"
)

// Freeze stops the server where it is: connections stay open, and nothing
// answers. Thaw lets it go on; it must, before Stop, Shutdown or Restart.
func (s *Server) Freeze() error { return s.signal(syscall.SIGSTOP) }

// Thaw lets a frozen server go on.
func (s *Server) Thaw() error { return s.signal(syscall.SIGCONT) }

func (s *Server) signal(sig syscall.Signal) error {
	if s.cmd == nil {
		return fmt.Errorf("mariadbtest: signal %v: the server does not run", sig)
	}
	if err := s.cmd.Process.Signal(sig); err != nil {
		return fmt.Errorf("mariadbtest: signal %v: %w", sig, err)
	}
	return nil
}
