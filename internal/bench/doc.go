// Bench measures the suite: the agent over UDP, lars-dns at size,
// lars-reporter, and the reactor by itself. Each part is a package below, which
// measures the real programs as processes of their own, beside a yardstick in
// the same run, for several rounds; what is printed are medians and ratios,
// since machines are shared and noisy.
//
// Run it by make bench, which builds the daemons first. A run is a table, a file
// of JSON (package result) and pictures (package chart); make bench-docs writes
// one into docs/PERFORMANCE.md (package page).
package main
