//go:build !race

package larstest

const raceDetector = false

func environment() []string { return nil }
