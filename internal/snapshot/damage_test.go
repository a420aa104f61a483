package snapshot_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/lars-lb/lars/internal/route"
	"github.com/lars-lb/lars/internal/snapshot"
)

// readBytes reads a file with this content, of which nothing may be given if it
// is not good.
func readBytes(t *testing.T, content []byte) error {
	t.Helper()
	path := filepath.Join(t.TempDir(), "routes")
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	given := 0
	_, err := snapshot.Read(path, owner, func(route.Module, []route.Node) { given++ })
	if err != nil && given > 0 {
		t.Errorf("%d modules of a bad file are given: %v", given, err)
	}
	return err
}

// signed ends a content with its checksum.
func signed(content []byte) []byte {
	return binary.LittleEndian.AppendUint32(content, crc32.Checksum(content, crc32.MakeTable(crc32.Castagnoli)))
}

func TestEveryDamagedByteIsNoticed(t *testing.T) {
	content := good(t)
	if err := readBytes(t, content); err != nil {
		t.Fatal(err)
	}
	for i := range content {
		for _, flip := range []byte{1, 0x80, 0xff} {
			bad := bytes.Clone(content)
			bad[i] ^= flip
			want := snapshot.ErrDamaged
			switch {
			case i < 8, 16 <= i && i < 16+len(owner):
				want = snapshot.ErrForeign
			case i < 12:
				want = snapshot.ErrNewer
			case i < 16: // another length of the owner makes it another owner, or a long one
				if err := readBytes(t, bad); !errors.Is(err, snapshot.ErrDamaged) && !errors.Is(err, snapshot.ErrForeign) {
					t.Errorf("byte %d: %v", i, err)
				}
				continue
			}
			if err := readBytes(t, bad); !errors.Is(err, want) {
				t.Errorf("byte %d ^ %#x: %v, want %v", i, flip, err, want)
			}
		}
	}
}

func TestEveryCutIsNoticed(t *testing.T) {
	content := good(t)
	for n := range content {
		want := snapshot.ErrDamaged
		if n < 8 {
			want = snapshot.ErrForeign
		}
		if err := readBytes(t, content[:n]); !errors.Is(err, want) {
			t.Errorf("%d bytes: %v", n, err)
		}
	}
	for _, more := range [][]byte{{0}, content} {
		if err := readBytes(t, append(bytes.Clone(content), more...)); !errors.Is(err, snapshot.ErrDamaged) {
			t.Errorf("%d bytes more: %v", len(more), err)
		}
	}
}

// Nobody writes such files; the checksum is right all the same.
func TestWellSignedNonsense(t *testing.T) {
	content := good(t)
	head := 16 + len(owner) + 16 // the modules begin
	end := len(content) - 4      // the checksum begins
	for name, change := range map[string]func([]byte) []byte{
		"no hosts":        func(b []byte) []byte { binary.LittleEndian.PutUint32(b[head+8:], 0); return b },
		"3001 hosts":      func(b []byte) []byte { binary.LittleEndian.PutUint32(b[head+8:], route.MaxHosts+1); return b },
		"4 billion hosts": func(b []byte) []byte { binary.LittleEndian.PutUint32(b[head+8:], 1<<32-1); return b },
		"one host more":   func(b []byte) []byte { binary.LittleEndian.PutUint32(b[head+8:], 3); return b },
		"one host fewer":  func(b []byte) []byte { binary.LittleEndian.PutUint32(b[head+8:], 1); return b },
		"no address":      func(b []byte) []byte { binary.LittleEndian.PutUint32(b[head+12:], 0); return b },
		"no port":         func(b []byte) []byte { binary.LittleEndian.PutUint16(b[head+16:], 0); return b },
		"a large weight":  func(b []byte) []byte { binary.LittleEndian.PutUint16(b[head+18:], route.MaxWeight+1); return b },
		"wrong modules":   func(b []byte) []byte { b[end-16]++; return b },
		"wrong hosts":     func(b []byte) []byte { b[end-8]++; return b },
		"half a module":   func(b []byte) []byte { return append(b[:head+6], b[end-16:]...) },
	} {
		if err := readBytes(t, signed(change(bytes.Clone(content[:end])))); !errors.Is(err, snapshot.ErrDamaged) {
			t.Errorf("%s: %v", name, err)
		}
	}
	newer := bytes.Clone(content[:end])
	newer[8] = 2
	if err := readBytes(t, signed(newer)); !errors.Is(err, snapshot.ErrNewer) {
		t.Errorf("newer: %v", err)
	}
}

func TestReadErrors(t *testing.T) {
	dir := t.TempDir()
	add := func(m route.Module, _ []route.Node) { t.Errorf("was given %v", m) }
	if _, err := snapshot.Read(filepath.Join(dir, "none"), owner, add); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no file: %v", err)
	}
	if _, err := snapshot.Read(dir, owner, add); !errors.Is(err, snapshot.ErrForeign) {
		t.Errorf("a folder: %v", err)
	}
	path := filepath.Join(dir, "routes")
	if err := os.WriteFile(path, good(t), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := snapshot.Read(path, "lars-lb-agent", add); !errors.Is(err, snapshot.ErrForeign) {
		t.Errorf("another daemon's: %v", err)
	}
}
