package relay

import (
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"time"
)

// Relay passes connections on to one target. Any goroutine may call its methods.
type Relay struct {
	addr, target string

	mu       sync.Mutex
	listener net.Listener // nil while it refuses
	delay    time.Duration
	open     chan struct{} // closed while what is read is passed on
	pairs    map[*pair]bool
	closed   bool

	running sync.WaitGroup
}

// New listens on an address of this machine, whose port must not be 0, and
// passes on what comes there to target.
func New(addr, target string) (*Relay, error) {
	r := &Relay{addr: addr, target: target, open: make(chan struct{}), pairs: make(map[*pair]bool)}
	close(r.open)
	if err := r.listen(); err != nil {
		return nil, err
	}
	return r, nil
}

// Addr is where the relay listens.
func (r *Relay) Addr() string { return r.addr }

// Pass ends every fault: what was held back arrives, and connections are taken.
func (r *Relay) Pass() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return net.ErrClosed
	}
	r.delay = 0
	r.unstall()
	return r.listenLocked()
}

// Delay makes each piece that arrives later by d. What was sent behind it waits
// for it, so at most one piece, of up to 32 KiB, passes in d.
func (r *Relay) Delay(d time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.delay = d
}

// Stall holds everything back: connections stay open, and new ones are taken,
// but nothing arrives any more, not even that one end has closed.
func (r *Relay) Stall() {
	r.mu.Lock()
	defer r.mu.Unlock()
	select {
	case <-r.open:
		r.open = make(chan struct{})
	default:
	}
}

// Reset resets all connections. New ones are taken at once.
func (r *Relay) Reset() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.resetLocked()
}

// Refuse resets all connections and takes no new ones.
func (r *Relay) Refuse() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.refuseLocked()
}

// Connections is how many are passed on now.
func (r *Relay) Connections() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.pairs)
}

// Close resets all connections and waits for the relay's goroutines. It may be
// called twice.
func (r *Relay) Close() {
	r.mu.Lock()
	r.closed = true
	r.refuseLocked()
	r.unstall()
	r.mu.Unlock()
	r.running.Wait()
}

func (r *Relay) unstall() {
	select {
	case <-r.open:
	default:
		close(r.open)
	}
}

func (r *Relay) resetLocked() {
	for p := range r.pairs {
		p.reset()
	}
}

func (r *Relay) refuseLocked() {
	if r.listener != nil {
		_ = r.listener.Close() // its goroutine sees it
		r.listener = nil
	}
	r.resetLocked()
}

func (r *Relay) listen() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.listenLocked()
}

func (r *Relay) listenLocked() error {
	if r.listener != nil {
		return nil
	}
	l, err := net.Listen("tcp", r.addr)
	if err != nil {
		return fmt.Errorf("relay to %s: %w", r.target, err)
	}
	r.listener = l
	r.running.Go(func() { r.accept(l) })
	return nil
}

func (r *Relay) accept(l net.Listener) {
	for {
		c, err := l.Accept()
		if errors.Is(err, net.ErrClosed) {
			return
		} else if err != nil {
			continue // the client has gone again
		}
		r.running.Go(func() { r.serve(l, c.(*net.TCPConn)) })
	}
}

// serve passes on one connection until both ends have closed, or it is reset.
func (r *Relay) serve(l net.Listener, client *net.TCPConn) {
	p := &pair{client: client, ended: make(chan struct{})}
	r.mu.Lock()
	if r.listener != l { // it refuses since
		p.reset()
		r.mu.Unlock()
		return
	}
	r.pairs[p] = true
	r.mu.Unlock()
	defer func() {
		r.mu.Lock()
		delete(r.pairs, p)
		r.mu.Unlock()
		p.close()
	}()
	if !r.wait(p) {
		return
	}
	server, err := net.DialTimeout("tcp", r.target, dialTimeout)
	if err != nil || !p.setServer(server.(*net.TCPConn)) {
		p.reset()
		return
	}
	var back sync.WaitGroup
	back.Go(func() { r.copy(p, p.client, p.server) })
	r.copy(p, p.server, p.client)
	back.Wait()
}

// dialTimeout bounds the way to the target, which is on this machine.
const dialTimeout = 2 * time.Second

// copy passes on what one side sends until it closes, which it passes on too.
func (r *Relay) copy(p *pair, to, from *net.TCPConn) {
	buffer := make([]byte, 32<<10)
	for {
		n, err := from.Read(buffer)
		if !r.wait(p) {
			return
		}
		if n > 0 {
			if _, werr := to.Write(buffer[:n]); werr != nil {
				p.reset()
				return
			}
		}
		if err != nil {
			if errors.Is(err, io.EOF) {
				_ = to.CloseWrite() // fails if it is closed already
			} else {
				p.reset()
			}
			return
		}
	}
}

// wait returns when a piece may be passed on; false when its connection ended.
func (r *Relay) wait(p *pair) bool {
	for {
		r.mu.Lock()
		open, delay := r.open, r.delay
		r.mu.Unlock()
		select {
		case <-p.ended:
			return false
		case <-open:
		}
		if delay == 0 {
			return true
		}
		timer := time.NewTimer(delay)
		select {
		case <-p.ended:
			timer.Stop()
			return false
		case <-timer.C:
			return true
		}
	}
}
