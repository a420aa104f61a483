package lbagent

import (
	"testing"

	"github.com/lars-lb/lars/internal/metrics/metricstest"
	"github.com/lars-lb/lars/reactor"
)

func TestMetrics(t *testing.T) {
	// With everything that may be missing, so that all are looked at.
	full := Stats{RouteAge: new(1.5), Befell: new(befellCounters).snapshot(), Loops: []reactor.NamedLoopStats{{Name: "a"}, {Name: "b"}}}
	metricstest.Check(t, metricsOf(func() Stats { return full }), "../../docs/METRICS.md", "lars-lb-agent")
}
