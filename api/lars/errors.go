package lars

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"

	"github.com/lars-lb/lars/internal/route"
)

// What a call can end with, for errors.Is. The error itself also names the
// module and the agent, and says what to do.
var (
	// ErrNotExist: the agent knows no host of the module.
	ErrNotExist = errors.New("module does not exist")
	// ErrOverload: the module has hosts, and all of them are overloaded.
	ErrOverload = errors.New("every host of the module is overloaded")
	// ErrAgentDown: nothing answers at the agent's address, and the client has
	// nothing in memory to answer from. When the deadline passed in silence, the
	// error is a context.DeadlineExceeded as well.
	ErrAgentDown = errors.New("agent does not answer")
	// ErrSystem: the agent could not serve the request, or this process could
	// not send it.
	ErrSystem = errors.New("system error")
	// ErrClosed: the client was closed, before the call or under it.
	ErrClosed = errors.New("client is closed")
)

// What a call was to do, before "module (1,1)".
const (
	opGetHost  = "get host of"
	opGetRoute = "get route of"
	opRegister = "register"
	opReport   = "report on"
)

// callError is a call that failed. Its text is made when it is asked for:
// ErrOverload can be the answer to every call of a busy program.
type callError struct {
	op     string // one of the op constants
	module route.Module
	agent  string         // Config.Agent
	asked  netip.AddrPort // that of the agent's ports which was asked
	kind   error          // one of the errors above, or what ended the context
	cause  error          // what the system said, or nil
}

// Error names the operation, the module, the agent, the fault and the remedy.
func (e *callError) Error() string {
	s := fmt.Sprintf("lars: %s module %v at the agent's port %v: %v", e.op, e.module, e.asked, e.kind)
	if e.cause != nil {
		s += ": " + e.cause.Error()
	}
	if advice := e.advice(); advice != "" {
		s += "; " + advice
	}
	return s
}

func (e *callError) advice() string {
	switch e.kind {
	case ErrNotExist:
		return fmt.Sprintf("check the numbers, add a host (lars route add %d %d IP:PORT), or see whether the agent reaches lars-dns", e.module.ModID, e.module.CmdID)
	case ErrOverload:
		return "call later, and look at why its hosts fail"
	case ErrAgentDown:
		return fmt.Sprintf("start lars-lb-agent on %s, or name the right address", e.agent)
	default:
		return ""
	}
}

// Unwrap makes errors.Is find both the kind and the cause.
func (e *callError) Unwrap() []error {
	if e.cause == nil {
		return []error{e.kind}
	}
	return []error{e.kind, e.cause}
}

// callFailed turns what a socket reported into the error of a call. A connected
// UDP socket fails for one reason that matters: datagrams do not reach the
// agent (ECONNREFUSED on Unix, WSAECONNRESET on Windows, no route to it), or
// nothing comes back before the deadline.
func callFailed(op string, m route.Module, p *port, err error) error {
	e := &callError{op: op, module: m, agent: p.agent, asked: p.addr}
	var dial *dialError
	switch {
	case errors.Is(err, context.Canceled):
		e.kind = context.Canceled
	case errors.Is(err, ErrClosed), errors.Is(err, net.ErrClosed):
		e.kind = ErrClosed
	case errors.As(err, &dial):
		e.kind, e.cause = ErrSystem, dial
	default:
		e.kind, e.cause = ErrAgentDown, err
		// The addresses of the socket's two ends say nothing new.
		if op := new(net.OpError); errors.As(err, &op) {
			e.cause = op.Err
		}
	}
	return e
}

// dialError is a socket that could not be opened: usually the process has too
// many files open.
type dialError struct{ err error }

func (e *dialError) Error() string { return e.err.Error() }
func (e *dialError) Unwrap() error { return e.err }
