package snapshot

import (
	"errors"
	"fmt"
	"io/fs"
	"os"

	"golang.org/x/sys/unix"
)

// errTaken is the reason for leaving a file alone.
var errTaken = errors.New("another process writes this file; give each daemon a path of its own")

// lockPath is the file that stands for the right to write the one at path. It
// is never removed: whoever removed it could let two others have it at once.
func lockPath(path string) string { return path + ".lock" }

// lock is the right to write a file. The kernel ends it with the process,
// however that ends.
type lock struct{ file *os.File }

// takeLock returns errTaken if somebody has it.
func takeLock(path string) (*lock, error) {
	f, err := os.OpenFile(lockPath(path), os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return nil, fmt.Errorf("snapshot: %w", err)
	}
	whole := unix.Flock_t{Type: unix.F_WRLCK}
	if err := unix.FcntlFlock(f.Fd(), unix.F_OFD_SETLK, &whole); err != nil {
		_ = f.Close()
		if errors.Is(err, unix.EAGAIN) || errors.Is(err, unix.EACCES) {
			return nil, fmt.Errorf("snapshot: %s: %w", path, errTaken)
		}
		return nil, fmt.Errorf("snapshot: lock %s: %w", lockPath(path), err)
	}
	return &lock{f}, nil
}

func (l *lock) release() { _ = l.file.Close() }

// taken reports whether somebody has the right to write the file at path. It
// takes nothing itself.
func taken(path string) (bool, error) {
	f, err := os.Open(lockPath(path))
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	defer f.Close()
	whole := unix.Flock_t{Type: unix.F_WRLCK}
	if err := unix.FcntlFlock(f.Fd(), unix.F_OFD_GETLK, &whole); err != nil {
		return false, err
	}
	return whole.Type != unix.F_UNLCK, nil
}
