// Package lars asks the Lars agent of this machine which host to call, and
// tells it how the call went.
//
// A remote service is a module, named by two numbers: modid (the business) and
// cmdid (one of its functions). The agent, lars-lb-agent, knows the hosts of
// every module in use and how their last calls went, from all programs of the
// machine together. It picks the host; the program then calls that host itself,
// so nothing stands between the two.
//
// Most programs need one client and [Client.Do]:
//
//	c, err := lars.NewClient(lars.Config{}) // agent at 127.0.0.1:8888, 8889 and 8890
//	if err != nil {
//		return err
//	}
//	defer c.Close()
//
//	err = c.Do(ctx, 1, 1, func(ctx context.Context, addr string) error {
//		return callMyService(ctx, addr) // addr is "192.168.1.177:7777"
//	})
//
// Do is [Client.GetHost], the call, and [Client.Report] in one. A program that
// calls them itself must report every call, failed ones too: reports are all
// that the agent's choice rests on. A program that knows its modules when it
// starts calls [Client.Register] for each, so that its first real call finds
// the route already there.
//
// # Errors
//
// Every error says what was asked, of which agent, and what to do about it.
// Tell them apart with [errors.Is]:
//
//   - [ErrNotExist]: the module has no hosts. Nothing to call; look at the numbers.
//   - [ErrOverload]: it has hosts, and all of them fail. Shed load, or try again later.
//   - [ErrAgentDown]: nothing answers at the agent's address.
//   - [ErrSystem]: the agent, or this process, could not do it.
//   - [ErrClosed]: the client was closed.
//   - [context.Canceled]: the caller gave up first.
//
// # Time
//
// No method blocks past its deadline: the context's, or [Config.Timeout] from
// now if that is earlier. A question that is lost on the way is asked again
// after 50 ms, then after 100, 200 and 400, and from then on every 500. An agent
// whose machine refuses the datagram is reported as ErrAgentDown at once; an
// agent that restarts is away for less than a second, so a caller that can wait
// tries again.
//
// The agent loads a module's route when it is first asked for. GetHost and
// GetRoute cover that by asking up to three more times, 50 ms apart, before
// they say ErrNotExist; for one second after that the client does not wait for
// this module again, so that a loop over a missing module stays fast.
//
// # Goroutines and sockets
//
// A [Client] is safe for any number of goroutines and starts none. It keeps
// connected UDP sockets, one for each call under way and at most
// [Config.MaxSockets] for each of the agent's three ports; further calls wait
// for one, inside their deadline. Make one client and share it.
//
// The library reads no environment variables and keeps no global state. The
// programs of the suite let LARS_AGENT name another agent and pass it as
// [Config.Agent].
//
// Package fakeagent stands in for the agent in tests.
package lars
