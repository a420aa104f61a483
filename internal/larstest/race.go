//go:build race

package larstest

const raceDetector = true
