package relay_test

import (
	"errors"
	"io"
	"net"
	"os"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/lars-lb/lars/internal/chaos/relay"
	"github.com/lars-lb/lars/internal/eventually"
	"github.com/lars-lb/lars/internal/larstest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patience bounds waiting for what takes no time on an idle machine.
const patience = 30 * time.Second

// echo is a server that sends back what it is sent, and a relay before it.
func echo(t *testing.T) *relay.Relay {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				_, _ = io.Copy(c, c)
				_ = c.Close()
			}()
		}
	}()
	r, err := relay.New(larstest.FreeTCP(t).String(), l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		r.Close()
		r.Close()
		_ = l.Close()
		<-ended
	})
	return r
}

func dial(t *testing.T, r *relay.Relay) net.Conn {
	t.Helper()
	c, err := net.Dial("tcp", r.Addr())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

func send(t *testing.T, c net.Conn, text string) {
	t.Helper()
	if _, err := io.WriteString(c, text); err != nil {
		t.Fatal(err)
	}
}

func expect(t *testing.T, c net.Conn, text string) {
	t.Helper()
	_ = c.SetReadDeadline(time.Now().Add(patience))
	got := make([]byte, len(text))
	if _, err := io.ReadFull(c, got); err != nil || string(got) != text {
		t.Fatalf("got %q, %v; want %q", got, err, text)
	}
}

// silent fails the test if anything arrives, or c ends, within a moment.
func silent(t *testing.T, c net.Conn) {
	t.Helper()
	_ = c.SetReadDeadline(time.Now().Add(50 * time.Millisecond))
	if n, err := c.Read(make([]byte, 1)); n != 0 || !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Fatalf("%d bytes, %v", n, err)
	}
}

// ended expects a reset, behind what may have arrived before.
func ended(t *testing.T, c net.Conn) {
	t.Helper()
	_ = c.SetReadDeadline(time.Now().Add(patience))
	if _, err := io.Copy(io.Discard, c); !errors.Is(err, syscall.ECONNRESET) {
		t.Fatalf("%v, want a reset", err)
	}
}

func TestPass(t *testing.T) {
	r := echo(t)
	c := dial(t, r)
	send(t, c, "hello")
	expect(t, c, "hello")
	if err := c.(*net.TCPConn).CloseWrite(); err != nil {
		t.Fatal(err)
	}
	_ = c.SetReadDeadline(time.Now().Add(patience))
	if _, err := c.Read(make([]byte, 1)); err != io.EOF {
		t.Errorf("%v: the end does not come back", err)
	}
	eventually.True(t, patience, "the connection is forgotten", func() bool { return r.Connections() == 0 })
}

func TestStall(t *testing.T) {
	r := echo(t)
	old := dial(t, r)
	send(t, old, "a")
	expect(t, old, "a")
	r.Stall()
	r.Stall()
	send(t, old, "b")
	silent(t, old)
	young := dial(t, r) // taken, but nobody is behind
	send(t, young, "c")
	silent(t, young)
	if err := r.Pass(); err != nil {
		t.Fatal(err)
	}
	expect(t, old, "b")
	expect(t, young, "c")
}

func TestReset(t *testing.T) {
	r := echo(t)
	for _, stalled := range []bool{false, true} {
		c := dial(t, r)
		if send(t, c, "a"); stalled {
			r.Stall()
		}
		eventually.True(t, patience, "it is passed on", func() bool { return r.Connections() == 1 })
		r.Reset()
		ended(t, c)
		eventually.True(t, patience, "it is forgotten", func() bool { return r.Connections() == 0 })
	}
	if err := r.Pass(); err != nil {
		t.Fatal(err)
	}
	c := dial(t, r)
	send(t, c, "b")
	expect(t, c, "b")
}

func TestRefuse(t *testing.T) {
	r := echo(t)
	c := dial(t, r)
	send(t, c, "a")
	expect(t, c, "a")
	r.Refuse()
	ended(t, c)
	if _, err := net.Dial("tcp", r.Addr()); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("%v, want to be refused", err)
	}
	for range 2 {
		if err := r.Pass(); err != nil {
			t.Fatal(err)
		}
	}
	c = dial(t, r)
	send(t, c, "b")
	expect(t, c, "b")
}

func TestDelay(t *testing.T) {
	r := echo(t)
	c := dial(t, r)
	r.Delay(100 * time.Millisecond)
	start := time.Now()
	send(t, c, "a")
	expect(t, c, "a")
	if took := time.Since(start); took < 200*time.Millisecond {
		t.Errorf("there and back in %v", took)
	}
	r.Delay(time.Hour)
	send(t, c, "b")
	silent(t, c)
	r.Reset() // ends a wait
	ended(t, c)
}

func TestNobodyBehind(t *testing.T) {
	r, err := relay.New(larstest.FreeTCP(t).String(), larstest.FreeTCP(t).String())
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	c, err := net.Dial("tcp", r.Addr())
	if errors.Is(err, syscall.ECONNRESET) {
		return // as quick as that
	} else if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	ended(t, c)
}

func TestClosedRelay(t *testing.T) {
	r, err := relay.New(larstest.FreeTCP(t).String(), "127.0.0.1:1")
	if err != nil {
		t.Fatal(err)
	}
	other, err := relay.New(r.Addr(), "127.0.0.1:1")
	if err == nil {
		other.Close()
		t.Error("two relays at one address")
	}
	r.Stall()
	dial(t, r)
	r.Close()
	if err := r.Pass(); !errors.Is(err, net.ErrClosed) {
		t.Errorf("%v", err)
	}
}
