package wire_test

import (
	"bytes"
	"errors"
	"testing"

	"github.com/lars-lb/lars/internal/wire"
)

func TestDecodeHead(t *testing.T) {
	for _, c := range []struct {
		name string
		in   []byte
		want wire.Head
		err  error
	}{
		{"empty", nil, wire.Head{}, wire.ErrShort},
		{"seven bytes", make([]byte, 7), wire.Head{}, wire.ErrShort},
		{"no body", []byte{4, 0, 0, 0, 0, 0, 0, 0}, wire.Head{ID: 4}, nil},
		{"little-endian", []byte{1, 2, 0, 0, 3, 4, 0, 0}, wire.Head{ID: 0x201, Len: 0x403}, nil},
		{"negative id", []byte{255, 255, 255, 255, 1, 0, 0, 0}, wire.Head{ID: -1, Len: 1}, nil},
		{"largest body", []byte{1, 0, 0, 0, 0xf7, 0xff, 0, 0}, wire.Head{ID: 1, Len: wire.MaxBody}, nil},
		{"one too long", []byte{1, 0, 0, 0, 0xf8, 0xff, 0, 0}, wire.Head{ID: 1, Len: wire.MaxBody + 1}, wire.ErrLength},
		{"negative length", []byte{1, 0, 0, 0, 255, 255, 255, 255}, wire.Head{ID: 1, Len: -1}, wire.ErrLength},
	} {
		got, err := wire.DecodeHead(c.in)
		if got != c.want || !errors.Is(err, c.err) {
			t.Errorf("%s: DecodeHead = %+v, %v; want %+v, %v", c.name, got, err, c.want, c.err)
		}
	}
}

func TestDecodeDatagram(t *testing.T) {
	frame := wire.AppendFrame(nil, 6, []byte("body"))
	id, body, err := wire.DecodeDatagram(frame)
	if id != 6 || string(body) != "body" || err != nil {
		t.Fatalf("DecodeDatagram = %d, %q, %v", id, body, err)
	}
	for n := range frame {
		want := wire.ErrLength
		if n < wire.HeadSize {
			want = wire.ErrShort
		}
		if _, _, err := wire.DecodeDatagram(frame[:n]); !errors.Is(err, want) {
			t.Errorf("first %d bytes: %v, want %v", n, err, want)
		}
	}
	if _, _, err := wire.DecodeDatagram(append(frame, 0)); !errors.Is(err, wire.ErrLength) {
		t.Errorf("one byte more: %v, want %v", err, wire.ErrLength)
	}
}

func TestCodecDoesNotAllocate(t *testing.T) {
	buf := make([]byte, 0, 64)
	body := []byte("body")
	if n := testing.AllocsPerRun(1000, func() {
		frame := wire.AppendFrame(buf, 4, body)
		if _, _, err := wire.DecodeDatagram(frame); err != nil {
			t.Error(err)
		}
	}); n != 0 {
		t.Errorf("%v allocations a frame, want none", n)
	}
}

func FuzzDecodeDatagram(f *testing.F) {
	f.Add([]byte{})
	f.Add(wire.AppendFrame(nil, 4, []byte("body")))
	f.Fuzz(func(t *testing.T, b []byte) {
		id, body, err := wire.DecodeDatagram(b)
		if err != nil {
			return
		}
		if again := wire.AppendFrame(nil, id, body); !bytes.Equal(again, b) {
			t.Errorf("% x encodes back to % x", b, again)
		}
	})
}
