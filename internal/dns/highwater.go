package dns

import "time"

// highWaterSteps is how many marks a highWater has at most.
const highWaterSteps = 64

// highWater is the largest of the numbers of some time past. The zero value,
// with a window, has none.
type highWater struct {
	window time.Duration
	marks  []mark // numbers descend, times ascend
}

// mark is the largest of the numbers of some time.
type mark struct {
	from, until time.Time
	n           int
}

// note says that the number was n until now. Marks that are close together
// become one: a number may be remembered for a window and a 64th of it.
func (h *highWater) note(now time.Time, n int) {
	for len(h.marks) > 0 && h.marks[len(h.marks)-1].n <= n {
		h.marks = h.marks[:len(h.marks)-1]
	}
	if last := len(h.marks) - 1; last >= 0 && now.Sub(h.marks[last].from) < h.window/highWaterSteps {
		h.marks[last].until = now
		return
	}
	h.marks = append(h.marks, mark{now, now, n})
}

// max is the largest number of the window that ends now, 0 if there is none.
func (h *highWater) max(now time.Time) int {
	for len(h.marks) > 0 && now.Sub(h.marks[0].until) > h.window {
		h.marks = h.marks[1:]
	}
	if len(h.marks) == 0 {
		return 0
	}
	return h.marks[0].n
}

// forget drops all numbers.
func (h *highWater) forget() { h.marks = nil }
