package config

import (
	"slices"
	"time"
)

// DNS is the configuration of lars-dns.
type DNS struct {
	Reactor         Reactor
	Store           Store
	PollInterval    time.Duration // between looks at the store's version; default 100ms, 10ms to 1m
	ReloadInterval  time.Duration // between full reloads; default 1m, 1s to 24h
	ChangeRetention time.Duration // how long change rows are kept; default 24h, 1m to 8760h
	Snapshot        string        // the file of the last routes; default var/lars-dns.routes, empty for none
	SnapshotMaxAge  time.Duration // routes of an older file are not served; default 0, which is never; 0 to 8760h
	ShrinkConfirm   time.Duration // how long most routes must be gone before that is believed; default 1m, 0 for not at all, 0 to 24h
	Log             Log
	Admin           Admin
}

// DefaultDNS is what an empty file means.
func DefaultDNS() DNS {
	return DNS{
		Reactor:         defaultReactor(7778),
		Store:           defaultStore(),
		PollInterval:    100 * time.Millisecond,
		ReloadInterval:  time.Minute,
		ChangeRetention: 24 * time.Hour,
		Snapshot:        "var/lars-dns.routes",
		ShrinkConfirm:   time.Minute,
		Log:             defaultLog(),
	}
}

// LoadDNS reads the file at path over the defaults. The error joins all that
// is wrong with the file; errors.Is(err, fs.ErrNotExist) tells that there is none.
func LoadDNS(path string) (DNS, error) {
	c := DefaultDNS()
	if err := loadWithStore(path, &c.Store, c.keys(), nil); err != nil {
		return DNS{}, err
	}
	return c, nil
}

// Validate reports every field that is out of its bounds.
func (c DNS) Validate() error { return validate(c.keys()) }

// Keys names every key of the file, as "[section] key".
func (c DNS) Keys() []string { return names(c.keys()) }

// Changed names the keys in which next differs from c.
func (c DNS) Changed(next DNS) []string { return changed(c.keys(), next.keys()) }

func (c *DNS) keys() []key {
	return slices.Concat(c.Reactor.keys(), c.Store.keys(), []key{
		bind("dns", "poll_interval", &c.PollInterval, duration(10*time.Millisecond, time.Minute)),
		bind("dns", "reload_interval", &c.ReloadInterval, duration(time.Second, 24*time.Hour)),
		bind("dns", "change_retention", &c.ChangeRetention, duration(time.Minute, 8760*time.Hour)),
		bind("dns", "snapshot", &c.Snapshot, optionalPath()),
		bind("dns", "snapshot_max_age", &c.SnapshotMaxAge, duration(0, 8760*time.Hour)),
		bind("dns", "shrink_confirm", &c.ShrinkConfirm, duration(0, 24*time.Hour)),
	}, c.Log.keys(), c.Admin.keys())
}
