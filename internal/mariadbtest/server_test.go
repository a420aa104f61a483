package mariadbtest_test

import (
	"context"
	"errors"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"testing"
	"time"

	"go.uber.org/goleak"
	"golang.org/x/sys/unix"

	"github.com/lars-lb/lars/internal/eventually"
	"github.com/lars-lb/lars/internal/mariadbtest"
	"github.com/lars-lb/lars/internal/store"
)

func TestServer(t *testing.T) {
	defer goleak.VerifyNone(t)
	t.Setenv("TMPDIR", t.TempDir())
	srv, err := mariadbtest.New()
	if err != nil {
		t.Fatal(err)
	}
	defer srv.Stop()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()

	a, b := srv.NewDatabase(t), srv.NewDatabase(t)
	if a == b {
		t.Fatalf("two databases with one configuration: %+v", a)
	}
	st, err := store.Open(a)
	if err != nil {
		t.Fatal(err)
	}
	defer st.Close()
	if _, _, err := st.Migrate(ctx); err != nil {
		t.Fatal(err)
	}
	if err := st.SetModName(ctx, 1, "kept"); err != nil {
		t.Fatal(err)
	}
	for _, end := range []func(){
		func() { srv.Kill() },
		func() {
			if err := srv.Shutdown(); err != nil {
				t.Error(err)
			}
		},
	} {
		addr := srv.Addr()
		end()
		if c, err := net.Dial("tcp", addr); err == nil {
			c.Close()
			t.Error("the server still listens")
		}
		if err := srv.Restart(); err != nil {
			t.Fatal(err)
		}
		if srv.Addr() != addr {
			t.Errorf("the server moved from %s to %s", addr, srv.Addr())
		}
		if names, err := st.Names(ctx); err != nil || names.Mods[1] != "kept" {
			t.Errorf("after the restart: %v, %v", names, err)
		}
	}

	if err := srv.Stop(); err != nil {
		t.Error(err)
	}
	if err := srv.Stop(); err != nil {
		t.Errorf("the second Stop: %v", err)
	}
	if left, _ := filepath.Glob(filepath.Join(os.TempDir(), "*")); len(left) != 0 {
		t.Errorf("left behind: %q", left)
	}
}

// Programs under test have threads that end, and one of them may be the one that
// started the server.
func TestServerOutlivesTheThreadThatStartsIt(t *testing.T) {
	var srv *mariadbtest.Server
	tid := onThreadThatEnds(func() { srv = mariadbtest.Start(t) })
	eventually.True(t, 10*time.Second, "the thread has ended", func() bool {
		_, err := os.Stat(filepath.Join("/proc/self/task", strconv.Itoa(tid)))
		return errors.Is(err, fs.ErrNotExist)
	})
	srv.NewDatabase(t)
}

// onThreadThatEnds runs f on a thread that ends soon after, and returns its id.
func onThreadThatEnds(f func()) (tid int) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		runtime.LockOSThread() // never unlocked: it ends with the goroutine
		if tid = unix.Gettid(); tid == unix.Getpid() {
			tid = onThreadThatEnds(f) // the first one does not, and is held meanwhile
			runtime.UnlockOSThread()
			return
		}
		f()
	}()
	<-done
	return tid
}
