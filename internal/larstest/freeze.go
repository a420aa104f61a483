package larstest

import "syscall"

// Freeze stops the program where it is, as a machine does that hangs. Its
// sockets stay open.
func (d *Daemon) Freeze() {
	d.Signal(syscall.SIGSTOP)
	d.frozen = true
}

// Thaw lets a frozen program go on.
func (d *Daemon) Thaw() {
	d.frozen = false
	d.Signal(syscall.SIGCONT)
}

// Running reports whether the program was started and has not ended.
func (d *Daemon) Running() bool {
	if d.cmd == nil {
		return false
	}
	select {
	case <-d.ended:
		return false
	default:
		return true
	}
}
