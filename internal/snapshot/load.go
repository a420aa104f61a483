package snapshot

import (
	"errors"
	"io/fs"
	"log/slog"
	"time"

	"github.com/lars-lb/lars/internal/route"
)

const (
	// handover is how long Load waits for another process to let go of the
	// file: the one before, which is just ending.
	handover = 200 * time.Millisecond
	// handoverStep is the time between two looks.
	handoverStep = 10 * time.Millisecond
)

// Load reads the file at path as Read does, and reports whether it could. What
// is wrong with a file is logged, and one that is not good is set aside. No
// file, and no path, is no fault. After false the caller has to drop what add
// was given, if anything.
//
// A file that another process is writing is left alone: that is another
// daemon's, which was given the same path by mistake.
func Load(path, owner string, log *slog.Logger, add func(m route.Module, nodes []route.Node)) (Info, bool) {
	if path == "" {
		return Info{}, false
	}
	for since := time.Now(); ; time.Sleep(handoverStep) {
		other, err := taken(path)
		if err != nil {
			log.Error("cannot tell whether another process writes the saved routes", "path", path, "err", err)
			break
		}
		if !other {
			break
		}
		if time.Since(since) >= handover {
			log.Error("the saved routes are not used", "path", path, "err", errTaken)
			return Info{}, false
		}
	}
	info, err := Read(path, owner, add)
	switch {
	case err == nil:
		return info, true
	case errors.Is(err, fs.ErrNotExist):
	case errors.Is(err, errNoFile):
		// Whatever it is, it was not put there by us: it stays.
		log.Error("the saved routes cannot be used", "path", path, "err", err)
	case errors.Is(err, ErrForeign), errors.Is(err, ErrNewer), errors.Is(err, ErrDamaged):
		to, asideErr := SetAside(path)
		if asideErr != nil {
			log.Error("the saved routes cannot be used, nor set aside", "path", path, "err", errors.Join(err, asideErr))
		} else {
			log.Error("the saved routes cannot be used and were set aside", "path", path, "aside", to, "err", err)
		}
	default:
		log.Error("the saved routes cannot be read", "path", path, "err", err)
	}
	return Info{}, false
}
