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
	classes []class  // in ascending order; none is empty
	len     uint16   // hosts of all classes
	first   [1]class // where classes begins: most modules have one
}

// class holds the hosts with a share of 2^power up to twice that.
type class struct {
	credit int64  // what the class is owed by the others; all add up to 0
	sum    uint32 // of the shares: up to 2 x route.MaxHosts x 10,000 x shareUnit
	max    int32  // the largest share
	list   list
	atMax  uint16 // how many hosts have it
	power  uint8
}

func powerOf(share int32) uint8 { return uint8(bits.Len32(uint32(share)) - 1) }

// count notes a host with that share, be it on the list before or not.
func (c *class) count(share int32) {
	switch {
	case share > c.max:
		c.max, c.atMax = share, 1
	case share == c.max:
		c.atMax++
	}
}

// discount notes that a host of the list does not have that share any more.
func (c *class) discount(hosts []host, share int32) {
	if share < c.max {
		return
	}
	if c.atMax--; c.atMax > 0 {
		return
	}
	// All are looked at when the last of those with the largest share leaves
	// the class or gets another.
	c.max = 0
	for i := range c.list.all(hosts) {
		c.count(hosts[i].share())
	}
}

func (t *turns) index(power uint8) int {
	return slices.IndexFunc(t.classes, func(c class) bool { return c.power == power })
}

// add puts a host at the tail of its class.
func (t *turns) add(hosts []host, i slot) {
	share := hosts[i].share()
	p := powerOf(share)
	at := t.index(p)
	if at < 0 {
		if len(t.classes) == 0 {
			t.classes = t.first[:0]
		}
		at = 0
		for at < len(t.classes) && t.classes[at].power < p {
			at++
		}
		t.classes = slices.Insert(t.classes, at, class{power: p})
	}
	c := &t.classes[at]
	c.list.pushBack(hosts, i)
	c.sum += uint32(share)
	c.count(share)
	t.len++
}

// remove takes a host out; its share must be what it was when it was added.
func (t *turns) remove(hosts []host, i slot) {
	share := hosts[i].share()
	at := t.index(powerOf(share))
	c := &t.classes[at]
	c.list.remove(hosts, i)
	c.sum -= uint32(share)
	t.len--
	if c.list.len == 0 {
		owed := c.credit
		t.classes = slices.Delete(t.classes, at, at+1)
		if len(t.classes) > 0 {
			t.classes[0].credit += owed
		}
		return
	}
	c.discount(hosts, share)
}

// reshare gives a host another share. It keeps its place if its class stays.
func (t *turns) reshare(hosts []host, i slot, weight uint16, part uint8) {
	h := &hosts[i]
	was, share := h.share(), shareOf(weight, part)
	p := powerOf(was)
	if powerOf(share) != p {
		t.remove(hosts, i)
		h.Weight, h.part, h.turn = weight, part, 0
		t.add(hosts, i)
		return
	}
	h.Weight, h.part = weight, part
	if share == was {
		return
	}
	c := &t.classes[t.index(p)]
	c.sum += uint32(share - was)
	c.count(share)
	c.discount(hosts, was)
}

// next returns the host whose turn it is, and puts it behind those of its
// class; none when there are none.
func (t *turns) next(hosts []host) slot {
	if t.len == 0 {
		return none
	}
	c := t.nextClass()
	for {
		i := c.list.rotate(hosts)
		h := &hosts[i]
		if h.turn += h.share(); h.turn >= c.max {
			h.turn -= c.max
			return i
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
		c.credit += int64(c.sum)
		all += int64(c.sum)
		if c.credit > t.classes[best].credit {
			best = i
		}
	}
	c := &t.classes[best]
	c.credit -= all
	return c
}

// all calls f for every host, in no order. f must not change the turns.
func (t *turns) all(hosts []host, f func(slot)) {
	for at := range t.classes {
		for i := range t.classes[at].list.all(hosts) {
			f(i)
		}
	}
}
