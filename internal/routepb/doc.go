// Package routepb converts the nodes of a route to and from the messages that
// carry them. It is the one place that knows how a weight travels: left out
// when it is route.DefaultWeight, so that frames to and from peers that know no
// weights are what they always were.
package routepb
