package relay

import (
	"net"
	"sync"
)

// pair is a connection that is passed on, and the one it is passed on to.
type pair struct {
	client *net.TCPConn
	ended  chan struct{} // closed by reset

	mu     sync.Mutex
	server *net.TCPConn // nil until there is one
	gone   bool
}

// setServer reports false, and closes c, if the pair was reset meanwhile.
func (p *pair) setServer(c *net.TCPConn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.gone {
		_ = c.Close()
		return false
	}
	p.server = c
	return true
}

// reset ends both connections with a reset.
func (p *pair) reset() { p.end(true) }

// close ends both connections as they are.
func (p *pair) close() { p.end(false) }

func (p *pair) end(reset bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.gone {
		return
	}
	p.gone = true
	close(p.ended)
	for _, c := range []*net.TCPConn{p.client, p.server} {
		if c == nil {
			continue
		}
		if reset {
			_ = c.SetLinger(0) // fails on a closed connection only
		}
		_ = c.Close()
	}
}
