//go:build race

package larstest

const raceDetector = true

// environment keeps the race detector from waiting a second, in every process
// that ends, for other threads to report.
func environment() []string { return []string{"GORACE=atexit_sleep_ms=0"} }
