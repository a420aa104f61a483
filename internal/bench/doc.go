// Bench measures lars-lb-agent over UDP: how many requests a second it
// answers, and what each costs in CPU time, beside a canned responder that
// takes and answers datagrams in batches and does nothing else, which is about
// the most that any program can do with these sockets.
//
// The agent and the responder are processes of their own, asked by this one
// with the same load, in turn, for several rounds; what is printed are medians
// and ratios, since machines are shared and noisy. The responder is written in
// C when there is a C compiler, else it is a Go program.
//
// Run it by make bench, which builds the daemons first.
package main
