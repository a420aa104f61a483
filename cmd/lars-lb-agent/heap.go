package main

import (
	"os"
	"runtime/debug"
)

// heapSlack is how much the heap may grow beyond what is in use before it is
// collected, percent. Routes are most of it, and answering allocates nothing: so
// the collector seldom runs, and Go's default, 100, would only keep as much
// again for nothing. Even while a
// hundred thousand routes come in, the collector takes less than a second.
const heapSlack = 5

// saveMemory sets that, unless whoever starts the agent has said how.
func saveMemory() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(heapSlack)
	}
}
