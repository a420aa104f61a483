package balance

// trouble is what adaptive knows about a module in which something was amiss: a
// call was bad, or late. Agents have very many modules, and in most of them all
// is well for long: those have none.
type trouble struct {
	sums    []sums    // of each host, by its slot
	records []*record // likewise; nil for those that were neither checked nor out

	tries    tries
	ramping  []slot // hosts that regain their share
	nextRamp int
	mode     mode
	trust    trust
	looked   uint32 // the number of reports when proof that ends a truce was last looked for
	pardoned []slot // scratch of pardon
}

// troubled returns what is known about trouble in the module, to be added to.
func (a *adaptive) troubled() *trouble {
	if a.trouble == nil {
		n := len(a.lists.hosts)
		a.trouble = &trouble{sums: make([]sums, n), records: make([]*record, n)}
	}
	return a.trouble
}

func (t *trouble) relocate(to []slot, n int) {
	t.sums = relocated(t.sums, to, n)
	t.records = relocated(t.records, to, n)
	for i, r := range t.records {
		if r != nil {
			r.host = slot(i)
		}
	}
	for i := range t.ramping {
		t.ramping[i] = to[t.ramping[i]] // who leaves has left the ramp before
	}
}

// record is that of a host, nil if there is none.
func (a *adaptive) record(i slot) *record {
	if a.trouble == nil {
		return nil
	}
	return a.trouble.records[i]
}

// keepRecord is record, and makes sure that there is one.
func (a *adaptive) keepRecord(i slot) *record {
	t := a.troubled()
	if t.records[i] == nil {
		t.records[i] = &record{host: i, checkedAt: never, returnedAt: never, since: a.lists.hosts[i].joinedAt(),
			away: away{slot: -1, probedAt: never}}
	}
	return t.records[i]
}
