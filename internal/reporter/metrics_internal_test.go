package reporter

import (
	"testing"

	"github.com/lars-lb/lars/internal/metrics/metricstest"
	"github.com/lars-lb/lars/reactor"
)

func TestMetrics(t *testing.T) {
	// With everything that may be missing, so that all are looked at.
	full := Stats{Loops: []reactor.NamedLoopStats{{Name: "a"}, {Name: "b"}}}
	metricstest.Check(t, metricsOf(func() Stats { return full }), "../../docs/METRICS.md", "lars-reporter")
}
