// Package metrics makes Prometheus metrics of what a daemon's Stats say: a
// table says which number of Stats, named as in its JSON, is which metric. So
// a counter that is new in Stats needs one more line in the table, and
// [Collector.Missing] tells of one that has none.
//
// A scrape calls the daemon's Stats once, on the goroutine of the scrape, and
// keeps nothing. Labels have few values, all known beforehand: never a module
// or a host, of which there may be a million.
package metrics
