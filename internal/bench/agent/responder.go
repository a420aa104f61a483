package agent

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"slices"
	"sync"

	pb "github.com/lars-lb/lars/proto/larspb"
	"github.com/lars-lb/lars/reactor"
)

// Respond is the responder for machines without a C compiler: three UDP
// servers of the reactor that answer each GetHost with the same bytes, but for
// its number. It returns an exit code if it cannot start, else never.
func Respond(stdout, stderr io.Writer) int {
	ip := netip.MustParseAddr("192.168.1.177").As4()
	host := &pb.HostInfo{Ip: int32(binary.BigEndian.Uint32(ip[:])), Port: 7777}
	answer, err := (&pb.GetHostResponse{Seq: firstSeq, Modid: 1, Cmdid: 1, Host: host}).MarshalVT()
	if err != nil {
		fmt.Fprintln(stderr, err)
		return 1
	}
	var servers sync.WaitGroup
	for range 3 {
		router := reactor.NewRouter[*reactor.Datagram]()
		body := slices.Clone(answer)
		router.Handle(int32(pb.MessageId_ID_GetHostRequest), func(d *reactor.Datagram, request []byte) error {
			if len(request) < seqEnd-seqAt {
				return errors.New("no number")
			}
			copy(body, request[:seqEnd-seqAt])
			return d.Reply(int32(pb.MessageId_ID_GetHostResponse), body)
		})
		router.Handle(int32(pb.MessageId_ID_ReportRequest), func(*reactor.Datagram, []byte) error { return nil })
		s, err := reactor.ListenUDP(reactor.UDPServerConfig{Addr: netip.MustParseAddrPort("127.0.0.1:0"), MaxDatagram: 2048, RecvBuffer: 512 << 10}, router)
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
