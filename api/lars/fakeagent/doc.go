// Package fakeagent is a stand-in for lars-lb-agent in tests of programs that
// use Lars. It serves the agent's three UDP ports on free ports of 127.0.0.1,
// answers from routes that the test sets, one host after the other, and keeps
// every report for the test to look at. It can also be made to lose, repeat and
// change answers, to freeze, and to come back at the address that it had.
//
//	agent, err := fakeagent.Start()
//	...
//	defer agent.Close()
//	agent.SetRoute(1, 1, "192.168.1.177:7777")
//	client, err := lars.NewClient(lars.Config{Agent: agent.Addr()})
//
// It makes no decisions: nothing is ever overloaded unless SetRetcode says so.
//
// All methods may be called from any goroutine. Each port is served by one
// goroutine, which Close waits for.
package fakeagent
