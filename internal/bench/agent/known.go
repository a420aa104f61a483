package agent

import (
	"context"
	"fmt"
	"net/netip"
	"time"

	"golang.org/x/sys/unix"

	"github.com/lars-lb/lars/internal/route"
)

const (
	// knownPatience bounds the wait for an agent to know modules.
	knownPatience = time.Minute
	// knownAtOnce is how many are asked for at a time.
	knownAtOnce = 1024
	// knownPause is for how long those that are not known yet are left alone.
	knownPause = 20 * time.Millisecond
)

// makeKnown asks an agent for modules until each is answered with a host, so
// that what is measured is not the answer that there is none.
func makeKnown(ctx context.Context, addr netip.AddrPort, modules []route.Module) error {
	c, err := dial(addr, modules, false)
	if err != nil {
		return err
	}
	defer c.close()
	if err := c.patience(silence); err != nil {
		return err
	}
	unknown := make([]int, len(modules))
	for i := range unknown {
		unknown[i] = i
	}
	for end := time.Now().Add(knownPatience); len(unknown) > 0; {
		if err := ctx.Err(); err != nil {
			return err
		}
		if time.Now().After(end) {
			return fmt.Errorf("the agent does not learn %d of %d routes", len(unknown), len(modules))
		}
		var left []int
		for len(unknown) > 0 {
			some := unknown[:min(len(unknown), knownAtOnce)]
			unknown = unknown[len(some):]
			left = append(left, c.unknownOf(some)...)
		}
		if unknown = left; len(unknown) > 0 {
			time.Sleep(knownPause)
		}
	}
	return nil
}

// unknownOf asks for some modules, each once, and returns those that were not
// answered with a host.
func (c *client) unknownOf(modules []int) (unknown []int) {
	first := c.next
	for _, which := range modules {
		c.askFor(which)
	}
	c.flush()
	answered := make([]bool, len(modules))
	for waiting := len(modules); waiting > 0; {
		n, errno := c.in.receive(c.fd, unix.MSG_WAITFORONE)
		if errno == unix.EINTR {
			continue
		} else if errno != 0 {
			break
		}
		for i := range n {
			frame := c.in.at(i)
			if seq, ok := seqOf(frame); ok && int(seq-first) < len(modules) && hostOf(frame) != nil {
				answered[seq-first] = true
			}
		}
		waiting -= n
	}
	for i, which := range modules {
		if !answered[i] {
			unknown = append(unknown, which)
		}
	}
	return unknown
}
