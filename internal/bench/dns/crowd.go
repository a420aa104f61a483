package dns

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os/exec"

	"github.com/lars-lb/lars/internal/route"
)

// order is what the crowd, a process of its own that stands for agents, is asked
// to do. It answers each with a report, one at a time.
type order struct {
	// Open has so many more connections made to one of Addrs each, in turn. Each
	// asks for Common and for Own of the first Modules modules, others than the
	// connections before it. The report comes when all are answered: Times are
	// when, for each connection.
	Open         int
	Addrs        []string
	Common       []route.Module
	Own, Modules int

	// Forget has each connection forget what it has received. Wait waits until
	// each has been pushed that many since or, if that is 0, has been answered
	// all that it asked for; Times are when, for each connection.
	Forget bool
	Wait   *int

	// Ask sends so many requests a second, of any of the first Modules modules, on
	// the connections that are open, for MS milliseconds. Latencies are the times
	// to the answers.
	Ask, MS int
}

// report answers an order.
type report struct {
	Times         []int64 // Unix nanoseconds, for each connection
	Latencies     []int64 // nanoseconds, for each request
	TimedOutTwice int     // connections for which more than one try to connect had no answer
	Error         string
}

// crowd is the process, as bench sees it.
type crowd struct {
	cmd *exec.Cmd
	in  io.Closer
	to  *json.Encoder
	by  *json.Decoder
}

// startCrowd runs this program once more, as the crowd.
func startCrowd(self string) (*crowd, error) {
	cmd := exec.Command(self, "-crowd")
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	return &crowd{cmd, in, json.NewEncoder(in), json.NewDecoder(out)}, nil
}

// do waits for the report. It is told nothing of a context: whoever stops the
// crowd ends it.
func (c *crowd) do(o order) (report, error) {
	if err := c.tell(o); err != nil {
		return report{}, err
	}
	return c.hear()
}

func (c *crowd) tell(o order) error { return c.to.Encode(o) }

func (c *crowd) hear() (report, error) {
	var r report
	if err := c.by.Decode(&r); err != nil {
		return r, fmt.Errorf("the crowd of agents: %w", err)
	}
	if r.Error != "" {
		return r, errors.New("the crowd of agents: " + r.Error)
	}
	return r, nil
}

// kill ends what waits for a report. Any goroutine may call it.
func (c *crowd) kill() { _ = c.cmd.Process.Kill() }

func (c *crowd) stop() {
	_ = c.in.Close()
	c.kill()
	_ = c.cmd.Wait()
}
