package config

import (
	"slices"
	"time"
)

// Reporter is the configuration of lars-reporter.
type Reporter struct {
	Reactor   Reactor
	Store     Store
	DBThreads int // workers that write to the store; default 3, 1 to 64
	// HistoryRetention is how long calls are kept by the minute; default 168h,
	// 0 for no history, else 1h to 87600h.
	HistoryRetention time.Duration
	Log              Log
	Admin            Admin
}

// DefaultReporter is what an empty file means.
func DefaultReporter() Reporter {
	return Reporter{
		Reactor:          defaultReactor(7779),
		Store:            defaultStore(),
		DBThreads:        3,
		HistoryRetention: 168 * time.Hour,
		Log:              defaultLog(),
	}
}

// LoadReporter reads the file at path over the defaults. The error joins all
// that is wrong with the file; errors.Is(err, fs.ErrNotExist) tells that there
// is none.
func LoadReporter(path string) (Reporter, error) {
	c := DefaultReporter()
	if err := loadWithStore(path, &c.Store, c.keys(), misspelt()); err != nil {
		return Reporter{}, err
	}
	return c, nil
}

// misspelt are sections as files of Lars 1.0 spell them.
func misspelt() map[string]string { return map[string]string{"repoter": "reporter"} }

// Validate reports every field that is out of its bounds.
func (c Reporter) Validate() error { return validate(c.keys()) }

// Keys names every key of the file, as "[section] key".
func (c Reporter) Keys() []string { return names(c.keys()) }

// Changed names the keys in which next differs from c.
func (c Reporter) Changed(next Reporter) []string { return changed(c.keys(), next.keys()) }

func (c *Reporter) keys() []key {
	return slices.Concat(c.Reactor.keys(), c.Store.keys(), []key{
		bind("reporter", "db_thread_cnt", &c.DBThreads, number(1, 64)),
		bind("reporter", "history_retention", &c.HistoryRetention, durationOrNone(time.Hour, 87600*time.Hour)),
	}, c.Log.keys(), c.Admin.keys())
}
