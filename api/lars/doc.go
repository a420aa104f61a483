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
//   - [ErrAgentDown]: nothing answers at the agent's address, and nothing that
//     it answered before is of use.
//   - [ErrSystem]: the agent, or this process, could not do it.
//   - [ErrClosed]: the client was closed.
//   - [context.Canceled]: the caller gave up first.
//
// # Time
//
// No method blocks past its deadline: the context's, or [Config.Timeout] from
// now if that is earlier. A question that is lost on the way is asked again
// after 50 ms, then after 100, 200 and 400, and from then on every 500. An agent
// whose machine refuses the datagram is away, which is known at once.
//
// The agent loads a module's route when it is first asked for. GetHost and
// GetRoute cover that by asking up to three more times, 50 ms apart, before
// they say ErrNotExist; for one second after that the client does not wait for
// this module again, so that a loop over a missing module stays fast.
//
// # When the agent is away
//
// An agent that restarts, hangs or is gone fails no call for a module that it
// named a host of before. GetHost then names the hosts of its last answers, for
// [Config.StaleFor] (5 min) after the last of them, and [ErrAgentDown] is left for
// what was never asked or is too old. [Host.Stale] says whether a host is such a one, [Client.Ask] and [Client.AskRoute] how old the
// answer is, and [Config.OnStale] when that begins and ends. A stale [Host] is ==
// to a fresh one of the same address, and the same key of a map.
//
// The client remembers the last 64 answers for each module (of a module that is
// asked for more than 640 times a second a sample, over 100 ms at least) and goes
// round them. So hosts come as often as the agent gave them lately, and hosts
// that were drained or ejected do not come. While the agent is away a host with 3
// failures in a row reported is left out for 5 s at a time, unless no other is
// left. Of each of the agent's three ports 1024 modules are remembered, about
// 1 KB each, and for GetRoute 256 routes of 65536 hosts together; beyond that the
// one used the longest ago is forgotten.
//
// An agent that refuses is missed at once. One that is silent is waited for
// 250 ms, or half of the time that a call has if that is less; once nothing was
// answered for 100 ms, one call every 50 ms asks it, for 20 ms at most, and all
// others are answered from memory at once. The first answer, be it late, brings
// all calls back to the agent. Only calls ask: the client is back within 50 ms of
// traffic. Calls for modules that are not remembered ask the agent as ever, and
// so does Register, which only the agent can answer.
//
// An agent that came back less than 10 s ago and does not know a module that is
// remembered may have lost its file of routes, and is not believed: the answer is
// a stale one. Later, or if the client did not notice that the agent was away,
// ErrNotExist is the truth, and the module is forgotten at once. ErrOverload is
// passed on as it is, and not remembered.
//
// Reports are kept meanwhile, and Report returns nil: up to 4096 for each of the
// three ports and for a minute each; beyond either the oldest are dropped. Once the
// agent answered again, be it the probe of a report, each call sends 16 of them
// along, and Close what is left; but those on a module that is remembered only when
// the agent has named a host of it, for 10 s, as it ignores reports on what it does
// not know yet. The
// report after which the agent was found to be gone is kept as well, since its
// refusal shows when its socket is next used. Lost are the reports that the agent
// had not read when it was killed, those sent to an agent on another machine that
// vanished, up to the moment at which it was missed, and those that wait when the
// client is closed and the agent is away. [Client.Stats] counts all of this.
//
// A caller that gives up says nothing about the agent, and is told
// [context.Canceled] rather than a stale answer.
//
// # Goroutines and sockets
//
// A [Client] is safe for any number of goroutines and starts none. It keeps
// connected UDP sockets, one for each call under way and at most
// [Config.MaxSockets] for each of the agent's three ports, and one more to find
// an agent that is away; further calls wait for one, inside their deadline. Make one client and share it.
//
// The library reads no environment variables and keeps no global state. The
// programs of the suite let LARS_AGENT name another agent and pass it as
// [Config.Agent].
//
// Package fakeagent stands in for the agent in tests.
package lars
