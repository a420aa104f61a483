package store_test

import (
	"testing"
	"time"

	"github.com/lars-lb/lars/internal/store"
)

func TestClock(t *testing.T) {
	onEngines(t, func(t *testing.T, cfg store.Config) {
		s := open(t, cfg)
		if _, _, err := s.Migrate(t.Context()); err != nil { // an embedded database has to be there
			t.Fatal(err)
		}
		before := time.Now().Truncate(time.Millisecond)
		got, err := s.Clock(t.Context())
		if after := time.Now(); err != nil || got.Before(before) || got.After(after) {
			t.Errorf("%v, %v; want from %v to %v", got, err, before, after)
		}
	})
}
