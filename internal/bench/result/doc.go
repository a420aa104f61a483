// Package result is what the parts of make bench have in common: the rows,
// curves and latencies that each of them measures, and how these are shown, as
// a table, as JSON and as pictures.
//
// A part is given a Recorder and adds to it whatever it has measured as soon as
// it has. What it wants to be judged by is in the rows; whoever runs the parts
// prints them.
package result
