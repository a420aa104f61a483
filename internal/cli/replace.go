package cli

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// errSpecial is for what must not be replaced by a file: devices, pipes.
var errSpecial = errors.New("it is not a plain file; use - for the standard output")

// replaceFile writes a file beside name, then gives it that name. Errors do not
// name the file: the caller knows it, and nobody knows the one beside it.
func replaceFile(name string, write func(io.Writer) error) (err error) {
	defer func() { err = withoutName(err) }()
	switch info, err := os.Stat(name); {
	case err != nil: // not there, as a rule; else creating it fails as well
	case info.IsDir():
		return errors.New("it is a folder, name a file")
	case !info.Mode().IsRegular():
		return errSpecial
	}
	f, err := os.CreateTemp(filepath.Dir(name), "."+filepath.Base(name)+".*")
	if errors.Is(err, fs.ErrNotExist) {
		return errors.New("there is no folder " + filepath.Dir(name))
	}
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(f.Name()))
		}
	}()
	if err := errors.Join(write(f), f.Chmod(0o644), f.Sync(), f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), name)
}

// withoutName is the system's reason alone.
func withoutName(err error) error {
	if at := new(fs.PathError); errors.As(err, &at) {
		return at.Err
	}
	if at := new(os.LinkError); errors.As(err, &at) {
		return at.Err
	}
	return err
}
