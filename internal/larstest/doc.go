// Package larstest runs the suite as its users do: the real programs, built
// from this tree, as processes with configuration files, on free ports of
// 127.0.0.1 and with data in a temporary folder.
//
// [Build] compiles the programs, once for a test binary; [NewSuite] prepares a
// suite whose daemons can be started, stopped, killed and started again in any
// order. Programs are built with the race detector when the test is; a test
// whose daemon reported a race fails.
package larstest
