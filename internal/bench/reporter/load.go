package reporter

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"

	"github.com/lars-lb/lars/internal/bench/result"
)

// load is what the agents are told to send, as one line of JSON.
type load struct {
	Addr     string
	Keys     keys
	Numbered bool
	// Window is how many results of each agent may wait to be acknowledged, or,
	// if they are not numbered, to be saved; 0 for as many as the connection
	// takes.
	Window int
	Rate   float64 // frames a second of all agents together; 0 for as fast as they may
}

// keys are the rows that agents report on: each agent has calls to every host
// of every module.
type keys struct{ Agents, Modules, Hosts int }

func (k keys) rows() int { return k.Agents * k.Modules * k.Hosts }

// module is the one that an agent reports on at a step: all in turn, each agent
// beginning with another.
func (k keys) module(agent, step int) int { return (agent*7919 + step) % k.Modules }

// Numbers in the frames and tables, of what counts from 0 here.
func modid(module int) uint32       { return uint32(module) + 1 }
func callerOf(agent int) uint32     { return 172<<24 | 16<<16 | uint32(agent) }
func ipOf(module, host int) uint32  { return 10<<24 | uint32(module)<<10 | uint32(host) }
func succOf(step int) (succ uint32) { return uint32(step%1000) + 1 }

const cmdid, port uint32 = 1, 8080

// progress is what the agents say when they are asked.
type progress struct {
	At        int64               // when, Unix nanoseconds
	Connected int                 // agents
	Lost      int                 // connections, so far
	Sent      uint64              // results
	Done      uint64              // of them acknowledged, or saved
	Lag       result.Distribution // from frame to acknowledgement since the last time, ms

	// After the end: what the tables must hold.
	Rows   uint64 // keys that were reported on
	Newest uint64 // the sum of the calls that went well in their newest reports
	Calls  uint64 // and in all reports
}

// agents is the process that sends reports. Its methods are for one goroutine.
type agents struct {
	cmd *exec.Cmd
	in  io.WriteCloser
	out *bufio.Reader
}

// startAgents starts the process, this program with one more argument.
func startAgents(ctx context.Context, l load) (*agents, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	a := &agents{cmd: exec.CommandContext(ctx, self, "-agents")}
	a.cmd.Stderr = os.Stderr
	if a.in, err = a.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := a.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	a.out = bufio.NewReader(out)
	if err := a.cmd.Start(); err != nil {
		return nil, err
	}
	if err := json.NewEncoder(a.in).Encode(l); err != nil {
		a.stop()
		return nil, err
	}
	return a, nil
}

// command is what the agents are told while they run.
type command struct {
	Saved uint64 // so many results without a number are saved by now
	Tell  bool   // answer with a progress
	End   bool   // send nothing any more
}

func (a *agents) tell(c command) error { return json.NewEncoder(a.in).Encode(c) }

// progress asks for it.
func (a *agents) progress() (p progress, err error) {
	if err := a.tell(command{Tell: true}); err != nil {
		return p, fmt.Errorf("ask the agents: %w", err)
	}
	line, err := a.out.ReadBytes('\n')
	if err != nil {
		return p, fmt.Errorf("ask the agents: %w", err)
	}
	return p, json.Unmarshal(line, &p)
}

// stop ends the process.
func (a *agents) stop() {
	_ = a.in.Close() // it ends by that
	if err := a.cmd.Wait(); err != nil && !errors.As(err, new(*exec.ExitError)) {
		_ = a.cmd.Process.Kill()
	}
}
