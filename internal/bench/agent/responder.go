package agent

import (
	"context"
	"fmt"
	"io"
	"net/netip"
	"sync"

	pb "github.com/lars-lb/lars/proto/larspb"
	"github.com/lars-lb/lars/reactor"
)

// Respond is the responder for machines without a C compiler: three UDP
// servers of the reactor that answer each GetHost with the same bytes. It
// returns an exit code if it cannot start, else never.
func Respond(stdout, stderr io.Writer) int {
	body, err := (&pb.GetHostResponse{Modid: 1, Cmdid: 1, Host: sampleHost()}).MarshalVT()
	if err != nil {
		fmt.Fprintln(stderr, err)
		return 1
	}
	router := reactor.NewRouter[*reactor.Datagram]()
	router.Handle(int32(pb.MessageId_ID_GetHostRequest), func(d *reactor.Datagram, _ []byte) error {
		return d.Reply(int32(pb.MessageId_ID_GetHostResponse), body)
	})
	router.Handle(int32(pb.MessageId_ID_ReportRequest), func(*reactor.Datagram, []byte) error { return nil })
	var servers sync.WaitGroup
	for range 3 {
		s, err := reactor.ListenUDP(reactor.UDPServerConfig{Addr: netip.MustParseAddrPort("127.0.0.1:0"), MaxDatagram: 2048}, router)
		if err != nil {
			fmt.Fprintln(stderr, err)
			return 1
		}
		fmt.Fprint(stdout, s.Addr().Port(), " ")
		servers.Go(func() { _ = s.Serve(context.Background()) })
	}
	fmt.Fprintln(stdout)
	servers.Wait() // until the parent kills the process
	return 0
}
