package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/lars-lb/lars/internal/store"
)

// minAsked is how many hosts must go before anybody is asked; and more than
// half of all. It is what lars-dns holds back.
const minAsked = 10

// errNotConfirmed is an answer other than yes.
var errNotConfirmed = errors.New("nothing was changed")

// confirmRemoval asks whether so many of all hosts are to be removed, if they
// are most, and returns an error unless they are. It reports whether they are
// most. Yes is a yes that was given beforehand.
func (a *app) confirmRemoval(ctx context.Context, removed, all int, yes bool) (most bool, err error) {
	if removed <= minAsked || removed <= all/2 {
		return false, nil
	}
	if yes {
		return true, nil
	}
	what := fmt.Sprintf("this removes %d of %s", removed, count(all, "host", "hosts"))
	in, ok := terminal(a.In)
	if _, seen := terminal(a.Err); !ok || !seen {
		return true, fmt.Errorf("%s, more than half of all: add --yes if that is meant; nothing was changed", what)
	}
	fmt.Fprintf(a.Err, "T%s, more than half of all. Go on? [y/N] ", what[1:])
	line, err := readLine(ctx, in)
	if err != nil {
		fmt.Fprintln(a.Err)
		return true, fmt.Errorf("%w: %w", errNotConfirmed, err)
	}
	switch strings.ToLower(strings.TrimSpace(line)) {
	case "y", "yes":
		return true, nil
	}
	return true, errNotConfirmed
}

// hintHeld says what becomes of the removal of most hosts.
func (a *app) hintHeld() {
	a.hint("lars-dns holds back the removal of most hosts for a while ([dns] shrink_confirm): lars dns accept removes them at once")
}

// readLine reads what somebody enters at a terminal, until ctx is done.
func readLine(ctx context.Context, in *os.File) (string, error) {
	const step = 50 // ms between two looks at ctx
	buffer := make([]byte, 256)
	fds := []unix.PollFd{{Fd: int32(in.Fd()), Events: unix.POLLIN}}
	for ctx.Err() == nil {
		n, err := unix.Poll(fds, step)
		if err != nil && !errors.Is(err, unix.EINTR) {
			return "", err
		}
		if n > 0 {
			n, err := in.Read(buffer) // a terminal gives a line at a time
			return string(buffer[:n]), err
		}
	}
	return "", context.Cause(ctx)
}

// countRoutes counts the hosts in the store, and those of them that go.
func countRoutes(ctx context.Context, s *store.Store, goes func(store.Entry) bool) (gone, all int, err error) {
	have, err := s.ListRoutes(ctx, store.Filter{})
	for _, e := range have {
		if goes(e) {
			gone++
		}
	}
	return gone, len(have), err
}
