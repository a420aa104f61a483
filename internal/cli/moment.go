package cli

import (
	"fmt"
	"time"
)

// minuteLayout is how tables show a minute, in UTC.
const minuteLayout = "2006-01-02 15:04"

// moment is the value of a flag that means a time, or how long ago it was.
type moment struct {
	fixed time.Time
	ago   time.Duration // if fixed is zero
}

// at is the time it means.
func (m *moment) at(now time.Time) time.Time {
	if m.fixed.IsZero() {
		return now.Add(-m.ago)
	}
	return m.fixed
}

// String, Set and Type make *moment a flag's value.

func (m *moment) String() string {
	switch {
	case !m.fixed.IsZero():
		return m.fixed.Format(minuteLayout)
	case m.ago < 0:
		return "now"
	case m.ago%time.Hour == 0:
		return fmt.Sprintf("%dh", m.ago/time.Hour)
	}
	return m.ago.String()
}

func (m *moment) Set(text string) error {
	if d, err := time.ParseDuration(text); err == nil {
		if d < 0 {
			return fmt.Errorf("%v is not a time ago", d)
		}
		*m = moment{ago: d}
		return nil
	}
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04:05", "2006-01-02T15:04", time.DateTime, minuteLayout, time.DateOnly} {
		if t, err := time.Parse(layout, text); err == nil {
			*m = moment{fixed: t.UTC()}
			return nil
		}
	}
	return fmt.Errorf("%q is no time", text)
}

func (*moment) Type() string { return "time" }
