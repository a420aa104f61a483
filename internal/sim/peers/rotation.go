package peers

import "slices"

// rotation hands out its members in turn. A pick takes constant time; joining
// and leaving take time linear in the members, and no allocation.
type rotation struct {
	members []int
	next    int // index of the member whose turn it is; 0 without members
}

// newRotation has the hosts 0 to n-1 as members.
func newRotation(n int) rotation {
	r := emptyRotation(n)
	for i := range n {
		r.members = append(r.members, i)
	}
	return r
}

// emptyRotation has no members, and room for n.
func emptyRotation(n int) rotation { return rotation{members: make([]int, 0, n)} }

func (r *rotation) pick() (host int, ok bool) {
	if len(r.members) == 0 {
		return 0, false
	}
	host = r.members[r.next]
	r.step()
	return host, true
}

// join adds a host that is not a member. Its turn comes after everybody else's.
func (r *rotation) join(host int) {
	r.members = slices.Insert(r.members, r.next, host)
	r.step()
}

// leave removes a host if it is a member, and changes nobody else's turn.
func (r *rotation) leave(host int) {
	i := slices.Index(r.members, host)
	if i < 0 {
		return
	}
	r.members = slices.Delete(r.members, i, i+1)
	if i < r.next {
		r.next--
	}
	if r.next == len(r.members) {
		r.next = 0
	}
}

func (r *rotation) step() {
	if r.next++; r.next == len(r.members) {
		r.next = 0
	}
}
