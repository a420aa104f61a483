package dns

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/lars-lb/lars/reactor"
)

// patience bounds the wait for what an order is about.
const patience = 60 * time.Second

// members are the connections of the crowd. All belongs to one loop.
type members struct {
	loop   *reactor.Loop
	all    []*member
	router *reactor.Router[*reactor.TCPConn]
	done   chan report

	pushes  int // that are waited for; 0 for answers
	waiting int // members that do not have them yet; 0 if nobody waits
	giveUp  *reactor.Timer
	asking  *asking // nil if nothing is
}

// Crowd is the process: it takes orders from in until that ends, and returns an
// exit code.
func Crowd(in io.Reader, out, stderr io.Writer) int {
	loop, err := reactor.NewLoop()
	if err != nil {
		fmt.Fprintln(stderr, err)
		return 1
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = loop.Run()
	}()
	defer func() { loop.Close(); <-ended }()
	c := &members{loop: loop, done: make(chan report, 1)}
	c.router = c.routes()
	orders, reports := json.NewDecoder(in), json.NewEncoder(out)
	for {
		var o order
		if orders.Decode(&o) != nil {
			return 0
		}
		if loop.Post(func() { c.obey(o) }) != nil || reports.Encode(<-c.done) != nil {
			return 1
		}
	}
}

// obey begins what is ordered.
func (c *members) obey(o order) {
	switch {
	case o.Open > 0:
		for range o.Open {
			if err := c.open(o); err != nil {
				c.done <- report{Error: err.Error()}
				return
			}
		}
		c.wait(0)
	case o.Forget:
		for _, m := range c.all {
			m.pushed, m.at, m.timeouts = 0, 0, 0
		}
		c.done <- report{}
	case o.Wait != nil:
		c.wait(*o.Wait)
	case o.Ask > 0:
		c.ask(o)
	default:
		c.done <- report{Error: "an order without meaning"}
	}
}

// wait reports when every member has so many pushes, or its answers.
func (c *members) wait(pushes int) {
	c.pushes, c.waiting = pushes, 1 // for this function
	for _, m := range c.all {
		if !m.has(pushes) {
			c.waiting++
		}
	}
	c.giveUp = c.loop.AfterFunc(patience, func() {
		missing := c.waiting
		c.waiting = 0
		c.done <- report{Error: fmt.Sprintf("%d of %d connections have not got what they wait for within %v", missing, len(c.all), patience)}
	})
	c.arrived()
}

// arrived is called when one more member has what is waited for.
func (c *members) arrived() {
	if c.waiting == 0 {
		return // nobody asked
	}
	if c.waiting--; c.waiting > 0 {
		return
	}
	c.giveUp.Stop()
	var r report
	for _, m := range c.all {
		r.Times = append(r.Times, m.at)
		if m.timeouts > 1 {
			r.TimedOutTwice++
		}
	}
	c.done <- r
}

// connectFailed counts tries that had no answer.
func (m *member) connectFailed(err error) {
	if errors.Is(err, context.DeadlineExceeded) {
		m.timeouts++
	}
}
