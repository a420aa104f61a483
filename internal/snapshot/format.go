package snapshot

import (
	"errors"
	"fmt"
	"hash/crc32"
	"time"
)

const (
	magic  = "LARSROUT"
	format = 1

	ownerMax    = 64         // bytes
	headSize    = 8 + 4 + 4  // up to the owner's bytes
	stampSize   = 8 + 8      // saved and version
	moduleSize  = 4 + 4 + 4  // up to the hosts
	hostSize    = 4 + 2 + 2  //
	trailerSize = 8 + 8      // before the checksum
	sumSize     = crc32.Size //
	bufferSize  = 256 << 10  // of a reader or writer
	minSize     = headSize + stampSize + trailerSize + sumSize
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// Why a file cannot be used.
var (
	// ErrForeign: it is no file of routes, or another daemon's.
	ErrForeign = errors.New("not a file of routes of this daemon")
	// errNoFile: a folder, a device or the like.
	errNoFile = fmt.Errorf("%w: not a regular file", ErrForeign)
	// ErrNewer: its format is one that this version does not know.
	ErrNewer = errors.New("written in a format that this version does not know")
	// ErrDamaged: it is cut short, or not what was written.
	ErrDamaged = errors.New("damaged")
)

// Head is what a file says of all its routes.
type Head struct {
	Owner   string    // the daemon that wrote it, 1 to 64 bytes
	SavedAt time.Time // when the routes were good, to the millisecond
	Version int64     // RouteVersion of the routes; 0 if unknown
}
