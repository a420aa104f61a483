package balance

import (
	"cmp"
	"slices"
	"time"
)

// median is a running estimate of the median of durations, in constant time
// and four bytes: each sample moves it a few percent towards itself (frugal
// streaming: Ma, Muthukrishnan and Sandler 2013, here in logarithmic steps).
// The zero value has no samples. Unit: microseconds.
type median struct {
	value float32
	count uint8 // samples, up to surelyMedian
}

const (
	// surelyMedian is how many samples make a median worth comparing with.
	surelyMedian = 5
	// boldMedian is how many samples may move it far: the first one may have
	// been untypical by orders of magnitude.
	boldMedian = 12
	slowStep   = 0.03
	fastStep   = 1.0 // of the samples that follow
)

func (m *median) add(d time.Duration) {
	x := float32(d) / float32(time.Microsecond)
	if m.count == 0 {
		m.value, m.count = max(x, 1), 1
		return
	}
	step := float32(slowStep)
	switch {
	case m.count < boldMedian:
		m.count++
		step = 1 // twice, or half
	case m.count < 32:
		m.count++
		step = max(slowStep, fastStep/float32(m.count))
	}
	if x > m.value {
		m.value = min(m.value*(1+step), x)
	} else {
		m.value = max(m.value/(1+step), x, 1)
	}
}

func (m median) known() bool { return m.count >= surelyMedian }

func (m median) duration() time.Duration {
	return time.Duration(m.value * float32(time.Microsecond))
}

// middle is the median of one value a host, for each host without its own: of
// the values in order, the two around the middle are enough to know it.
type middle struct {
	low, high float32 // 0 where there is no such value
}

// newMiddle reorders values. It takes time linear in their number.
func newMiddle(values []float32) middle {
	switch len(values) {
	case 0:
		return middle{}
	case 1:
		return middle{low: values[0]}
	}
	i := (len(values) - 2) / 2 // the lower median of all but one
	low := quickselect(values, i)
	high := values[i+1]
	for _, v := range values[i+2:] {
		high = min(high, v)
	}
	return middle{low, high}
}

// others is the median of the values of all hosts but one, which has the value
// own, or none if that is 0.
func (m middle) others(own float32) (float32, bool) {
	if own != 0 && own <= m.low {
		return m.high, m.high > 0
	}
	return m.low, m.low > 0
}

const (
	// fewHosts is of how many hosts the values are kept on the stack.
	fewHosts = 32
	// minRefresh is the least number of reports between two computations of
	// the peers' medians. With more hosts it is their number, so that the
	// computation, linear in it, costs each report the same.
	minRefresh = 16
)

// refreshMiddles computes the medians of the hosts' medians when it is time.
func (a *adaptive) refreshMiddles() {
	a.refresh--
	if a.refresh > 0 {
		return
	}
	a.refresh = int32(max(minRefresh, a.lists.open()))
	var few [fewHosts]float32
	values := few[:0]
	if n := int(a.lists.idle.len); n > fewHosts {
		s := a.besides()
		s.scratch = slices.Grow(s.scratch, n)
		values = s.scratch
	}
	a.lists.idle.all(a.lists.hosts, func(i slot) {
		if m := a.health[i].costMedian(); m.known() {
			values = append(values, m.value)
		}
	})
	a.costs = newMiddle(values)
	values = values[:0]
	a.lists.idle.all(a.lists.hosts, func(i slot) {
		if m := a.health[i].turnaroundMedian(); m.known() {
			values = append(values, m.value)
		}
	})
	a.turnarounds = newMiddle(values)
}

// quickselect returns the value that sorting would put at i. Afterwards none
// before i is larger and none after it smaller (Hoare 1961).
func quickselect[T cmp.Ordered](v []T, i int) T {
	lo, hi := 0, len(v)-1
	for lo < hi {
		pivot := v[lo+(hi-lo)/2]
		l, r := lo, hi
		for l <= r {
			for v[l] < pivot {
				l++
			}
			for pivot < v[r] {
				r--
			}
			if l <= r {
				v[l], v[r] = v[r], v[l]
				l, r = l+1, r-1
			}
		}
		switch {
		case i <= r:
			hi = r
		case i >= l:
			lo = l
		default:
			return v[i]
		}
	}
	return v[i]
}
