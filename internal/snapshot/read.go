package snapshot

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"syscall"
	"time"

	"github.com/lars-lb/lars/internal/route"
)

// Info is what a file holds.
type Info struct {
	Head
	Modules, Hosts int
}

// Read checks the file at path, which owner must have written, and gives each
// module of it, in the order in which they were written, to add, which may keep
// neither slice nor order for granted: nodes is used again. Nothing is given of
// a file that is not good. The error is fs.ErrNotExist, ErrForeign, ErrNewer,
// ErrDamaged, or what the system said.
func Read(path, owner string, add func(m route.Module, nodes []route.Node)) (Info, error) {
	// Without O_NONBLOCK opening a pipe would wait for somebody to write to it.
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return Info{}, fmt.Errorf("snapshot: %w", err)
	}
	defer f.Close()
	st, err := f.Stat()
	if err != nil {
		return Info{}, fmt.Errorf("snapshot: %w", err)
	}
	if !st.Mode().IsRegular() {
		return Info{}, fmt.Errorf("snapshot: %s: %w", path, errNoFile)
	}
	info, err := decode(f, st.Size(), owner, add)
	if err != nil {
		return Info{}, fmt.Errorf("snapshot: %s: %w", path, err)
	}
	return info, nil
}

// decode reads a file of size bytes, twice: once to check it, once to use it.
func decode(f io.ReaderAt, size int64, owner string, add func(route.Module, []route.Node)) (Info, error) {
	info, start, err := readHead(f, size, owner)
	if err != nil {
		return Info{}, err
	}
	if err := checkSum(f, size); err != nil {
		return Info{}, err
	}
	// What the checksum covers was written by a program of ours, so what
	// follows fails only on one that had a fault. It is no less checked.
	if err := readModules(f, start, size, &info, nil); err != nil {
		return Info{}, err
	}
	return info, readModules(f, start, size, &info, add)
}

// readHead reads up to the first module, which begins at start.
func readHead(f io.ReaderAt, size int64, owner string) (info Info, start int64, err error) {
	b := make([]byte, min(size, headSize+ownerMax+stampSize))
	if _, err := f.ReadAt(b, 0); err != nil {
		return Info{}, 0, err
	}
	le := binary.LittleEndian
	switch {
	case len(b) < len(magic), string(b[:len(magic)]) != magic:
		return Info{}, 0, ErrForeign
	case size < minSize:
		return Info{}, 0, fmt.Errorf("%w: %d bytes are too few", ErrDamaged, size)
	}
	if v := le.Uint32(b[8:]); v != format {
		return Info{}, 0, fmt.Errorf("%w: %d, known is %d", ErrNewer, v, format)
	}
	n := le.Uint32(b[12:])
	if n > ownerMax || int64(n) > size-minSize {
		return Info{}, 0, fmt.Errorf("%w: an owner of %d bytes", ErrDamaged, n)
	}
	rest := b[headSize:]
	info.Owner, rest = string(rest[:n]), rest[n:]
	if info.Owner != owner {
		return Info{}, 0, fmt.Errorf("%w: %s, but of %q", ErrForeign, owner, info.Owner)
	}
	info.SavedAt = time.UnixMilli(int64(le.Uint64(rest)))
	info.Version = int64(le.Uint64(rest[8:]))
	return info, headSize + int64(n) + stampSize, nil
}

func checkSum(f io.ReaderAt, size int64) error {
	sum := crc32.New(castagnoli)
	if _, err := io.CopyBuffer(sum, io.NewSectionReader(f, 0, size-sumSize), make([]byte, bufferSize)); err != nil {
		return err
	}
	var b [sumSize]byte
	if _, err := f.ReadAt(b[:], size-sumSize); err != nil {
		return err
	}
	if binary.LittleEndian.Uint32(b[:]) != sum.Sum32() {
		return fmt.Errorf("%w: the checksum is another", ErrDamaged)
	}
	return nil
}

// readModules walks over the modules from start on, and gives them to add if
// that is not nil.
func readModules(f io.ReaderAt, start, size int64, info *Info, add func(route.Module, []route.Node)) error {
	end := size - trailerSize - sumSize // of the modules
	in := bufio.NewReaderSize(io.NewSectionReader(f, start, end-start), bufferSize)
	le := binary.LittleEndian
	var nodes []route.Node
	head, body := make([]byte, moduleSize), make([]byte, route.MaxHosts*hostSize)
	modules, hosts := 0, 0
	for at := start; at < end; {
		if _, err := io.ReadFull(in, head); err != nil {
			return fmt.Errorf("%w: at byte %d: %v", ErrDamaged, at, err)
		}
		m := route.Module{ModID: int32(le.Uint32(head)), CmdID: int32(le.Uint32(head[4:]))}
		n := le.Uint32(head[8:])
		if n == 0 || n > route.MaxHosts {
			return fmt.Errorf("%w: module %v has %d hosts", ErrDamaged, m, n)
		}
		hostsOf := body[:n*hostSize]
		if _, err := io.ReadFull(in, hostsOf); err != nil {
			return fmt.Errorf("%w: at byte %d: %v", ErrDamaged, at, err)
		}
		at += moduleSize + int64(len(hostsOf))
		modules++
		hosts += int(n)
		nodes = nodes[:0]
		for ; len(hostsOf) > 0; hostsOf = hostsOf[hostSize:] {
			node := route.Node{IP: le.Uint32(hostsOf), Port: le.Uint16(hostsOf[4:]), Weight: le.Uint16(hostsOf[6:])}
			if !node.Host().Valid() || node.Weight > route.MaxWeight {
				return fmt.Errorf("%w: module %v has the host %v with weight %d", ErrDamaged, m, node.Host(), node.Weight)
			}
			nodes = append(nodes, node)
		}
		if add != nil {
			add(m, nodes)
		}
	}
	var b [trailerSize]byte
	if _, err := f.ReadAt(b[:], end); err != nil {
		return err
	}
	if le.Uint64(b[:]) != uint64(modules) || le.Uint64(b[8:]) != uint64(hosts) {
		return fmt.Errorf("%w: it holds %d modules and %d hosts, not as many as it says", ErrDamaged, modules, hosts)
	}
	info.Modules, info.Hosts = modules, hosts
	return nil
}

// SetAside renames the file at path so that it is in nobody's way and can be
// looked at, and returns its new name. One that was set aside before is
// replaced.
func SetAside(path string) (string, error) {
	to := path + ".bad"
	if err := os.Rename(path, to); err != nil {
		return "", fmt.Errorf("snapshot: set aside: %w", err)
	}
	return to, nil
}
