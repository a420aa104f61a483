//go:build linux

package reactor_test

import (
	"context"
	"fmt"
	"net/netip"

	"github.com/lars-lb/lars/reactor"
)

// An echo server, and a client that talks to it once it has connected.
func Example() {
	const echo = 1

	serverRouter := reactor.NewRouter[*reactor.TCPConn]()
	serverRouter.Handle(echo, func(c *reactor.TCPConn, body []byte) error {
		return c.Send(echo, body)
	})
	server, err := reactor.ListenTCP(reactor.TCPServerConfig{
		Addr:    netip.MustParseAddrPort("127.0.0.1:0"),
		Workers: 2,
	}, serverRouter)
	if err != nil {
		fmt.Println(err)
		return
	}
	served := make(chan error)
	go func() { served <- server.Serve(context.Background()) }()

	loop, err := reactor.NewLoop()
	if err != nil {
		fmt.Println(err)
		return
	}
	clientRouter := reactor.NewRouter[*reactor.TCPConn]()
	clientRouter.Handle(echo, func(_ *reactor.TCPConn, body []byte) error {
		fmt.Printf("the server says %q\n", body)
		loop.Close()
		return nil
	})
	client, err := reactor.NewTCPClient(loop, reactor.TCPClientConfig{
		Addrs: []string{server.Addr().String()},
		Hooks: reactor.ConnHooks{OnOpen: func(c *reactor.TCPConn) {
			_ = c.Send(echo, []byte("hello"))
		}},
	}, clientRouter)
	if err != nil {
		fmt.Println(err)
		return
	}
	_ = client.Start()
	_ = loop.Run() // until the answer closes it

	server.Close()
	fmt.Println("server ended:", <-served)
	// Output:
	// the server says "hello"
	// server ended: <nil>
}

// A UDP server answers each datagram of a batch with one system call for all.
func ExampleListenUDP() {
	router := reactor.NewRouter[*reactor.Datagram]()
	router.Handle(1, func(d *reactor.Datagram, body []byte) error {
		return d.Reply(1, body)
	})
	server, err := reactor.ListenUDP(reactor.UDPServerConfig{Addr: netip.MustParseAddrPort("127.0.0.1:0")}, router)
	if err != nil {
		fmt.Println(err)
		return
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel() // a real server would go on
	fmt.Println(server.Serve(ctx))
	// Output: <nil>
}
