package snapshot_test

import (
	"bytes"
	"errors"
	"iter"
	"maps"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/lars-lb/lars/internal/route"
	"github.com/lars-lb/lars/internal/snapshot"
)

// limited makes this test a process that writes a file larger than its limit,
// which is what a full disk is to it.
const limited = "LARS_TEST_WRITE_BEYOND_THE_LIMIT"

func TestMain(m *testing.M) {
	if path := os.Getenv(limited); path != "" {
		signal.Ignore(syscall.SIGXFSZ)
		limit := syscall.Rlimit{Cur: 1 << 20, Max: 1 << 20}
		if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &limit); err != nil {
			os.Exit(3)
		}
		err := snapshot.Write(path, snapshot.Head{Owner: owner}, many(100))
		if errors.Is(err, syscall.EFBIG) {
			os.Exit(0)
		}
		os.Stderr.WriteString("not refused\n")
		os.Exit(4)
	}
	os.Exit(m.Run())
}

// many is n modules of as many hosts as there may be, 24 KB each.
func many(n int32) iter.Seq2[route.Module, []route.Node] {
	nodes := make([]route.Node, route.MaxHosts)
	for i := range nodes {
		nodes[i] = route.Node{IP: uint32(i + 1), Port: 80}
	}
	return func(yield func(route.Module, []route.Node) bool) {
		for i := range n {
			if !yield(route.Module{ModID: i}, nodes) {
				return
			}
		}
	}
}

func files(t *testing.T, dir string) (names []string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

// A full disk leaves the file of before, and nothing beside it.
func TestFullDisk(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "routes")
	before := good(t)
	if err := os.WriteFile(path, before, 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), limited+"="+path)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	after, err := os.ReadFile(path)
	if err != nil || !bytes.Equal(before, after) || !slices.Equal(files(t, dir), []string{"routes"}) {
		t.Errorf("the file changed: %v; files %q", err, files(t, dir))
	}
}

// A process that was killed while it wrote leaves a file beside the one of
// before. The next one removes it, and nothing else.
func TestLeftFilesAreRemoved(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "routes[1]*") // no pattern
	others := []string{"routes[1]*.tmp-", "routes[1]*.tmp-1x", "routes[1]*.tmp", "routes1.tmp-1", "routes[1]*.bad"}
	for _, name := range append(slices.Clone(others), "routes[1]*.tmp-123", "routes[1]*.tmp-4") {
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(path+".tmp-9", 0o700); err != nil {
		t.Fatal(err)
	}
	if err := snapshot.Write(path, snapshot.Head{Owner: owner}, many(1)); err != nil {
		t.Fatal(err)
	}
	want := append(others, "routes[1]*.tmp-9", "routes[1]*")
	slices.Sort(want)
	if got := files(t, dir); !slices.Equal(got, want) {
		t.Errorf("files %q, want %q", got, want)
	}
}

// What Read would refuse is refused before it replaces what it would not.
func TestWriteRefuses(t *testing.T) {
	one := route.Module{ModID: 1}
	for name, c := range map[string]struct {
		head  snapshot.Head
		nodes []route.Node
	}{
		"no owner":       {snapshot.Head{}, []route.Node{{IP: 1, Port: 1}}},
		"a long owner":   {snapshot.Head{Owner: strings.Repeat("x", 65)}, []route.Node{{IP: 1, Port: 1}}},
		"no address":     {snapshot.Head{Owner: owner}, []route.Node{{Port: 1}}},
		"no port":        {snapshot.Head{Owner: owner}, []route.Node{{IP: 1}}},
		"a large weight": {snapshot.Head{Owner: owner}, []route.Node{{IP: 1, Port: 1, Weight: route.MaxWeight + 1}}},
		"3001 hosts":     {snapshot.Head{Owner: owner}, make([]route.Node, route.MaxHosts+1)},
	} {
		dir := t.TempDir()
		err := snapshot.Write(filepath.Join(dir, "routes"), c.head, maps.All(map[route.Module][]route.Node{one: c.nodes}))
		if err == nil || len(files(t, dir)) > 0 {
			t.Errorf("%s: %v, files %q", name, err, files(t, dir))
		}
	}
	dir := t.TempDir()
	err := snapshot.Write(filepath.Join(dir, strings.Repeat("x", 300)), snapshot.Head{Owner: owner}, many(1))
	if err == nil || len(files(t, dir)) > 0 {
		t.Errorf("a name too long: %v, files %q", err, files(t, dir))
	}
}

// Whatever is written is read, in its order.
func TestAnythingWrittenIsRead(t *testing.T) {
	type written struct {
		module route.Module
		nodes  []route.Node
	}
	rng := rand.New(rand.NewPCG(1, 2))
	path := filepath.Join(t.TempDir(), "routes")
	for range 200 {
		head := snapshot.Head{
			Owner:   strings.Repeat("é", 1+rng.IntN(32)),
			SavedAt: time.UnixMilli(rng.Int64N(math.MaxInt32) - 1000), Version: int64(rng.Uint64()),
		}
		var want []written
		hosts := 0
		for range rng.IntN(20) {
			w := written{module: route.Module{ModID: int32(rng.Uint32()), CmdID: int32(rng.Uint32())}}
			n := rng.IntN(5)
			if rng.IntN(50) == 0 {
				n = route.MaxHosts
			}
			for range n {
				w.nodes = append(w.nodes, route.Node{IP: 1 + uint32(rng.Int64N(1<<32-1)), Port: uint16(1 + rng.IntN(65535)), Weight: uint16(rng.IntN(route.MaxWeight + 1))})
			}
			want = append(want, w)
			hosts += n
		}
		err := snapshot.Write(path, head, func(yield func(route.Module, []route.Node) bool) {
			for _, w := range want {
				if !yield(w.module, w.nodes) {
					return
				}
			}
		})
		if err != nil {
			t.Fatal(err)
		}
		want = slices.DeleteFunc(want, func(w written) bool { return len(w.nodes) == 0 })
		var got []written
		info, err := snapshot.Read(path, head.Owner, func(m route.Module, nodes []route.Node) {
			got = append(got, written{m, slices.Clone(nodes)})
		})
		if err != nil || info != (snapshot.Info{Head: head, Modules: len(want), Hosts: hosts}) {
			t.Fatalf("%+v, %v; written %+v", info, err, head)
		}
		if !slices.EqualFunc(got, want, func(a, b written) bool { return a.module == b.module && slices.Equal(a.nodes, b.nodes) }) {
			t.Fatalf("read %v, want %v", got, want)
		}
	}
}
