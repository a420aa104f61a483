package cli

import (
	"errors"
	"fmt"
	"strconv"

	"github.com/lars-lb/lars/internal/route"
	"github.com/lars-lb/lars/internal/store"
)

// aWeight is what a weight looks like that is not below least, in messages.
func aWeight(least uint16) string {
	return fmt.Sprintf("a whole number from %d to %d", least, route.MaxWeight)
}

// parseWeight reads a weight. The error says nothing that the caller cannot say
// better.
func parseWeight(s string) (uint16, error) {
	n, err := strconv.ParseUint(s, 10, 16)
	if err != nil {
		return 0, err
	}
	w, ok := route.ClampWeight(int64(n))
	if !ok {
		return 0, strconv.ErrRange
	}
	return w, nil
}

// weightText is a weight in a table.
func weightText(w uint16) string {
	if w == 0 {
		return "0 (drained)"
	}
	return strconv.Itoa(int(w))
}

// weightValue is a flag that holds a weight, or none until it is given one.
type weightValue struct {
	store.Weight
	least uint16 // that it takes
}

func (v *weightValue) String() string {
	w, given := v.Value()
	if !given {
		return ""
	}
	return strconv.Itoa(int(w))
}

func (v *weightValue) Set(s string) error {
	w, err := parseWeight(s)
	if err != nil || w < v.least {
		return errors.New("want " + aWeight(v.least))
	}
	v.Weight = store.WeightOf(w)
	return nil
}

func (v *weightValue) Type() string { return "N" }
