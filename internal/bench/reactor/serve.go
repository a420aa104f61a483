package reactor

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"sync"

	"github.com/lars-lb/lars/internal/wire"
	"github.com/lars-lb/lars/reactor"
)

// The kinds of servers.
const (
	KindReactor = "reactor"
	KindNet     = "net"
)

// msgEcho is the message that is sent back, and maxConns what a server may be
// asked over at a time: more than it is.
const (
	msgEcho  = 1
	maxConns = 10_000
)

// Serve is one of the servers, as a process: it prints its port and serves
// until stdin ends, which is when the bench that started it does, or ctx. It
// returns an exit code.
func Serve(ctx context.Context, kind string, stdin io.Reader, stdout, stderr io.Writer) int {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	go func() { // ends with the process at the latest: a read of stdin cannot be broken off
		_, _ = io.Copy(io.Discard, stdin)
		stop()
	}()
	serve := map[string]func(context.Context, io.Writer) error{KindReactor: serveReactor, KindNet: serveNet}[kind]
	if serve == nil {
		fmt.Fprintf(stderr, "bench: there is no echo server %q\n", kind)
		return 2
	}
	if err := serve(ctx, stdout); err != nil {
		fmt.Fprintf(stderr, "bench: echo server %s: %v\n", kind, err)
		return 1
	}
	return 0
}

func serveReactor(ctx context.Context, stdout io.Writer) error {
	router := reactor.NewRouter[*reactor.TCPConn]()
	router.Handle(msgEcho, func(c *reactor.TCPConn, body []byte) error { return c.Send(msgEcho, body) })
	s, err := reactor.ListenTCP(reactor.TCPServerConfig{
		Addr: netip.MustParseAddrPort("127.0.0.1:0"), MaxConn: maxConns,
	}, router)
	if err != nil {
		return err
	}
	fmt.Fprintln(stdout, s.Addr().Port())
	return s.Serve(ctx)
}

func serveNet(ctx context.Context, stdout io.Writer) error {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Fprintln(stdout, ln.Addr().(*net.TCPAddr).Port)
	defer context.AfterFunc(ctx, func() { _ = ln.Close() })()
	var serving sync.WaitGroup
	defer serving.Wait()
	for {
		c, err := ln.Accept()
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			return err
		}
		serving.Go(func() {
			defer context.AfterFunc(ctx, func() { _ = c.Close() })()
			defer c.Close()
			_ = echo(c) // the peer has gone
		})
	}
}

// echo sends each frame back, writing when there is nothing left to read.
func echo(c net.Conn) error {
	r, w := bufio.NewReader(c), bufio.NewWriter(c)
	frame := make([]byte, wire.HeadSize+wire.MaxBody)
	for {
		if _, err := io.ReadFull(r, frame[:wire.HeadSize]); err != nil {
			return err
		}
		head, err := wire.DecodeHead(frame)
		if err != nil {
			return err
		}
		if head.ID != msgEcho {
			return errors.New("another message than to send back")
		}
		end := wire.HeadSize + int(head.Len)
		if _, err := io.ReadFull(r, frame[wire.HeadSize:end]); err != nil {
			return err
		}
		if _, err := w.Write(frame[:end]); err != nil {
			return err
		}
		if r.Buffered() == 0 {
			if err := w.Flush(); err != nil {
				return err
			}
		}
	}
}
