package balance

import (
	"math/bits"
	"slices"
)

// turns are the idle hosts, in the order of a smooth weighted round robin:
// hosts come up as often as their shares say, and each as evenly spread as
// that allows. With equal shares it is a plain round robin.
//
// Hosts are grouped into classes by the power of two that their share is
// above; there are at most as many classes as a share has bits, and mostly
// one. Between the classes decides the smooth weighted round robin that NGINX
// made known, by the sums of their shares. Within a class hosts take turns,
// and one whose share is below the largest passes some of them on: as no share
// is less than half of another, fewer than every second. So a pick takes
// constant time however many hosts there are and however unequal they are.
// (Stratified round robin: Ramabhadran and Pasquale, SIGCOMM 2003.)
type turns struct {
	classes []class // in ascending order; none is empty
	len     int     // hosts of all classes
}

// class holds the hosts with a share of 2^power up to twice that.
type class struct {
	power  int
	list   list
	sum    int64 // of the shares
	credit int64 // what the class is owed by the others; all add up to 0
	max    int32 // the largest share
	atMax  int   // how many hosts have it
}

// shareUnit is the share of a host of weight 1 that gets all that its weight
// says. A host that comes back starts with a fraction of that.
const shareUnit = 64

func powerOf(share int32) int { return bits.Len32(uint32(share)) - 1 }

// add puts h at the tail of its class.
func (t *turns) add(h *host) {
	p := powerOf(h.share)
	i, found := slices.BinarySearchFunc(t.classes, p, func(c class, p int) int { return c.power - p })
	if !found {
		t.classes = slices.Insert(t.classes, i, class{power: p})
	}
	c := &t.classes[i]
	c.list.pushBack(h)
	c.sum += int64(h.share)
	switch {
	case h.share > c.max:
		c.max, c.atMax = h.share, 1
	case h.share == c.max:
		c.atMax++
	}
	t.len++
}

// remove takes h out; its share must be what it was when it was added.
func (t *turns) remove(h *host) {
	p := powerOf(h.share)
	i := slices.IndexFunc(t.classes, func(c class) bool { return c.power == p })
	c := &t.classes[i]
	c.list.remove(h)
	c.sum -= int64(h.share)
	t.len--
	if c.list.len == 0 {
		owed := c.credit
		t.classes = slices.Delete(t.classes, i, i+1)
		if len(t.classes) > 0 {
			t.classes[0].credit += owed
		}
		return
	}
	if h.share == c.max {
		if c.atMax--; c.atMax == 0 {
			c.findMax()
		}
	}
}

// findMax looks at all hosts. It happens when the one with the largest share
// of the class leaves it or gets another.
func (c *class) findMax() {
	c.max, c.atMax = 0, 0
	for h := c.list.head; h != nil; h = h.next {
		switch {
		case h.share > c.max:
			c.max, c.atMax = h.share, 1
		case h.share == c.max:
			c.atMax++
		}
	}
}

// reshare gives h another share. It keeps its place if its class stays.
func (t *turns) reshare(h *host, share int32) {
	if share == h.share {
		return
	}
	p := powerOf(h.share)
	if powerOf(share) != p {
		t.remove(h)
		h.share, h.turn = share, 0
		t.add(h)
		return
	}
	i := slices.IndexFunc(t.classes, func(c class) bool { return c.power == p })
	c := &t.classes[i]
	c.sum += int64(share - h.share)
	was := h.share
	h.share = share
	switch {
	case share > c.max:
		c.max, c.atMax = share, 1
	case share == c.max:
		c.atMax++
	case was == c.max:
		if c.atMax--; c.atMax == 0 {
			c.findMax()
		}
	}
}

// next returns the host whose turn it is, and puts it behind those of its
// class; nil when there are none.
func (t *turns) next() *host {
	if t.len == 0 {
		return nil
	}
	c := t.nextClass()
	for {
		h := c.list.head
		if c.list.tail != h {
			c.list.remove(h)
			c.list.pushBack(h)
		}
		if h.turn += h.share; h.turn >= c.max {
			h.turn -= c.max
			return h
		}
	}
}

func (t *turns) nextClass() *class {
	if len(t.classes) == 1 {
		return &t.classes[0]
	}
	best, all := 0, int64(0)
	for i := range t.classes {
		c := &t.classes[i]
		c.credit += c.sum
		all += c.sum
		if c.credit > t.classes[best].credit {
			best = i
		}
	}
	c := &t.classes[best]
	c.credit -= all
	return c
}

// all calls f for every host, in no order. f must not change the turns.
func (t *turns) all(f func(*host)) {
	for i := range t.classes {
		for h := t.classes[i].list.head; h != nil; h = h.next {
			f(h)
		}
	}
}
