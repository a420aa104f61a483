package cli

import (
	"errors"

	"github.com/spf13/cobra"
)

// What a flag's value looks like.
const (
	aDuration = "a duration such as 500ms or 3s"
	aMoment   = `how long ago, such as 90m or 24h, or a time in UTC, such as "2026-11-24 10:30"`
	aCount    = "a whole number"
	aShare    = "a number such as 0.25"
)

// expect makes wrong values of the named flags say what is wanted instead.
func expect(cmd *cobra.Command, wanted string, names ...string) {
	for _, name := range names {
		f := cmd.Flag(name)
		f.Value = expected{f.Value, errors.New("want " + wanted)}
	}
}

// expected is the value of a flag, with an error of its own.
type expected struct {
	value
	wanted error
}

// value is what flags hold.
type value interface {
	String() string
	Set(string) error
	Type() string
}

func (e expected) Set(s string) error {
	if e.value.Set(s) != nil {
		return e.wanted
	}
	return nil
}

// yesFlag lets a command do what it would ask about.
func yesFlag(cmd *cobra.Command, yes *bool) {
	cmd.Flags().BoolVar(yes, "yes", false, "remove more than half of all hosts without asking")
}
