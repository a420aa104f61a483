package snapshot

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"iter"
	"os"
	"path/filepath"
	"strings"

	"github.com/lars-lb/lars/internal/route"
)

// Write puts routes into the file at path, whose folder is made if it is not
// there. Modules without hosts are left out. After an error the old file, if
// there was one, is as it was.
//
// What earlier calls left beside the file, as their process was killed, is
// removed. So of two calls at once on one path one may fail; a Saver sees to it
// that there is one only.
func Write(path string, h Head, routes iter.Seq2[route.Module, []route.Node]) (err error) {
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("snapshot: %w", err)
	}
	if st, err := os.Stat(path); err == nil && !st.Mode().IsRegular() {
		return fmt.Errorf("snapshot: %s: %w", path, errNoFile) // such as /dev/null
	}
	removeLeft(path)
	f, err := os.CreateTemp(dir, filepath.Base(path)+".tmp-*")
	if err != nil {
		return fmt.Errorf("snapshot: %w", err)
	}
	defer func() {
		if err != nil {
			err = fmt.Errorf("snapshot: %w", errors.Join(err, os.Remove(f.Name())))
		}
	}()
	if err := errors.Join(encode(f, h, routes), f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := os.Rename(f.Name(), path); err != nil {
		return err
	}
	// Without this a power failure may undo the renaming. Some file systems
	// cannot; the file is good in either case.
	if d, err := os.Open(dir); err == nil {
		_ = d.Sync()
		_ = d.Close()
	}
	return nil
}

// removeLeft removes what CreateTemp made for path and nobody renamed. What it
// cannot remove stays: that is no reason not to write.
func removeLeft(path string) {
	dir := filepath.Dir(path)
	entries, _ := os.ReadDir(dir) // as far as it can be read
	for _, e := range entries {
		random, ok := strings.CutPrefix(e.Name(), filepath.Base(path)+".tmp-")
		if ok && random != "" && strings.Trim(random, "0123456789") == "" && e.Type().IsRegular() {
			_ = os.Remove(filepath.Join(dir, e.Name()))
		}
	}
}

// encode writes a whole file to w.
func encode(w io.Writer, h Head, routes iter.Seq2[route.Module, []route.Node]) error {
	if n := len(h.Owner); n == 0 || n > ownerMax {
		return fmt.Errorf("owner %q has %d bytes, allowed are 1 to %d", h.Owner, n, ownerMax)
	}
	sum := crc32.New(castagnoli)
	out := bufio.NewWriterSize(io.MultiWriter(w, sum), bufferSize)
	le := binary.LittleEndian
	b := append(make([]byte, 0, 64<<10), magic...)
	b = le.AppendUint32(b, format)
	b = le.AppendUint32(b, uint32(len(h.Owner)))
	b = append(b, h.Owner...)
	b = le.AppendUint64(b, uint64(h.SavedAt.UnixMilli()))
	b = le.AppendUint64(b, uint64(h.Version))
	var modules, hosts uint64
	for m, nodes := range routes {
		if len(nodes) == 0 {
			continue
		}
		if len(nodes) > route.MaxHosts {
			return fmt.Errorf("module %v has %d hosts, at most %d are possible", m, len(nodes), route.MaxHosts)
		}
		modules++
		hosts += uint64(len(nodes))
		b = le.AppendUint32(b, uint32(m.ModID))
		b = le.AppendUint32(b, uint32(m.CmdID))
		b = le.AppendUint32(b, uint32(len(nodes)))
		for _, n := range nodes {
			if !n.Host().Valid() || n.Weight > route.MaxWeight {
				return fmt.Errorf("module %v has the host %v with weight %d, which nobody could read", m, n.Host(), n.Weight)
			}
			b = le.AppendUint32(b, n.IP)
			b = le.AppendUint16(b, n.Port)
			b = le.AppendUint16(b, n.Weight)
		}
		if _, err := out.Write(b); err != nil {
			return err
		}
		b = b[:0]
	}
	b = le.AppendUint64(b, modules)
	b = le.AppendUint64(b, hosts)
	if _, err := out.Write(b); err != nil {
		return err
	}
	if err := out.Flush(); err != nil {
		return err
	}
	_, err := w.Write(le.AppendUint32(nil, sum.Sum32()))
	return err
}
