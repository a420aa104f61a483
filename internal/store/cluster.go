package store

import (
	"cmp"
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/go-sql-driver/mysql"
)

const (
	// connectTimeout limits connecting to one of several servers, and asking
	// whether it can be used. A caller with less time shares it among them.
	connectTimeout = time.Second
	// fairTry is how long a server must have had to answer before its silence
	// is held against it.
	fairTry = 200 * time.Millisecond
	// lookEvery is the time between two looks at what the servers do.
	lookEvery = 200 * time.Millisecond
	// silentAfter is how long a statement may wait before the server is asked
	// on another connection whether it lives. One that does not answer there
	// within connectTimeout is left, and what waits for it fails: so a frozen
	// server costs less than 2 s, and a slow statement is let be.
	silentAfter = 500 * time.Millisecond
	// steadyFor is how long a server must be seen to work before it is used
	// again. It is doubled each time that the server fails within relapse of
	// its return, up to maxSteady, so that one that comes and goes is left
	// alone.
	steadyFor = 3 * time.Second
	maxSteady = time.Minute
	relapse   = time.Minute
	// maxPatience bounds the random time for which a connection stays where it
	// is although a server before it in the order works again: the connections
	// of all replicas do not move at once.
	maxPatience = 5 * time.Second
)

// cluster connects to several servers of one database, as database/sql's
// Connector: to the first in order that works. It notes which do not, on
// connecting and by what becomes of statements, looks at those now and then,
// and returns to them when they work again. Its methods may be called from any
// goroutine.
type cluster struct {
	servers []*server

	begin   sync.Once
	closing context.Context
	close   context.CancelFunc
	running sync.WaitGroup // of look, and the probes it makes
}

// newCluster copies cfg for each of addrs.
func newCluster(cfg *mysql.Config, addrs []string) (*cluster, error) {
	c := &cluster{}
	c.closing, c.close = context.WithCancel(context.Background())
	for i, addr := range addrs {
		own := cfg.Clone()
		own.Addr = addr
		own.Timeout = connectTimeout
		own.DialFunc = dialNoting
		connector, err := mysql.NewConnector(own)
		if err != nil {
			return nil, err
		}
		c.servers = append(c.servers, &server{place: i, addr: addr, connector: connector, conns: make(map[*serverConn]struct{})})
	}
	return c, nil
}

// Driver is called by database/sql.
func (c *cluster) Driver() driver.Driver { return c.servers[0].connector.Driver() }

// Close is called by database/sql when the pool is closed, and after it no
// Connect begins.
func (c *cluster) Close() error {
	c.begin.Do(func() {}) // look is not begun any more
	c.close()
	c.running.Wait()
	return nil
}

// Connect returns a connection to the first server that can be used. One that
// is not fit to be preferred, as it can only be read for example, is taken
// when there is no other.
func (c *cluster) Connect(ctx context.Context) (driver.Conn, error) {
	c.begin.Do(func() { c.running.Go(c.look) })
	var spare *serverConn
	var failures []error
	order := c.order()
	for i, s := range order {
		conn, err := s.try(ctx, len(order)-i)
		if err != nil {
			failures = append(failures, fmt.Errorf("%s: %w", s.addr, err))
			if ctx.Err() != nil {
				break
			}
			continue
		}
		if conn.unfit == nil {
			s.inUse()
			if spare != nil {
				_ = spare.Close()
			}
			return c.own(conn), nil
		}
		s.failed(conn.unfit)
		if spare == nil {
			spare = conn
		} else {
			_ = conn.Close()
		}
	}
	if spare != nil {
		return c.own(spare), nil
	}
	return nil, errors.Join(failures...)
}

func (c *cluster) own(conn *serverConn) *serverConn {
	conn.cluster = c
	conn.patience = rand.N(maxPatience)
	return conn
}

// order returns all servers: those that work as they are configured, then those
// that do not, the one that has not for longest first.
func (c *cluster) order() []*server {
	type standing struct {
		*server
		bad   bool
		since time.Time
	}
	var all []standing
	for _, s := range c.servers {
		bad, since := s.standing()
		all = append(all, standing{s, bad, since})
	}
	slices.SortStableFunc(all, func(a, b standing) int {
		if a.bad != b.bad {
			if a.bad {
				return 1
			}
			return -1
		}
		if !a.bad {
			return cmp.Compare(a.place, b.place)
		}
		return a.since.Compare(b.since)
	})
	var order []*server
	for _, s := range all {
		order = append(order, s.server)
	}
	return order
}

// outgrown reports whether another server is to be used in place of conn's.
func (c *cluster) outgrown(conn *serverConn) bool {
	bad, _ := conn.server.standing()
	for _, s := range c.servers {
		if s == conn.server {
			if !bad {
				return false // what comes behind it is no better
			}
			continue
		}
		otherBad, since := s.standing()
		if !otherBad && (bad || time.Since(since) > conn.patience) {
			return true
		}
	}
	return false
}

// look finds servers that work again, and those that do not answer what was
// asked, until Close.
func (c *cluster) look() {
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for {
		select {
		case <-c.closing.Done():
			return
		case now := <-tick.C:
			for _, s := range c.servers {
				if s.wantsProbe(now) {
					c.running.Go(func() { s.probe(c.closing) })
				}
			}
		}
	}
}
