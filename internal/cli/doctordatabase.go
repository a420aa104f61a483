package cli

import (
	"errors"
	"fmt"
	"time"

	"github.com/lars-lb/lars/internal/store"
)

const (
	// someSkew and muchSkew are differences of clocks from which on they are
	// told of. RouteVersion is the time of whoever changes routes, and counts
	// are of the time of the agent that sent them.
	someSkew = 2 * time.Second
	muchSkew = time.Minute
)

// databaseRules are about the database.
func databaseRules() []rule {
	return []rule{
		{"database", onDatabase},
		onEach("database errors", func(d *daemon, s *suite, found func(severity, string, string, string)) {
			for _, name := range []string{"database_errors", "db_errors"} {
				if by := d.rise(name); by > 0 {
					found(warning, "its questions to the database fail", grew(name, by, s), "its log says what the database answers")
				}
			}
		}, dnsProgram, reporterProgram),
	}
}

func onDatabase(s *suite, found func(severity, string, string, string, string)) {
	d := s.database
	if d == nil {
		return
	}
	where := "database " + d.name
	switch {
	case errors.Is(d.err, store.ErrNoDatabase):
		found(failure, where, "it does not exist", d.err.Error(), "lars db init creates it; if the daemons use another, name lars-dns's configuration with --conf")
	case d.err != nil:
		found(failure, where, "it does not answer", d.err.Error(), "start it; see that [mysql] or [store] of lars-dns's configuration names it, with a user that may use it")
	case d.have < d.want:
		found(failure, where, "its tables are older than this program", fmt.Sprintf("schema version %d, wanted is %d", d.have, d.want), "lars db init")
	case d.have > d.want:
		found(warning, where, "its tables are newer than this program", fmt.Sprintf("schema version %d, this program knows %d", d.have, d.want), "install the version that the daemons of other machines have")
	}
	if d.err == nil && d.remote && d.skew.Abs() > someSkew {
		how := warning
		if d.skew.Abs() > muchSkew {
			how = failure
		}
		found(how, where, "its clock differs from this machine's", fmt.Sprintf("it is %v ahead (negative: behind)", d.skew.Round(10*time.Millisecond)),
			"have NTP set both: versions of routes are times, and so are counts")
	}
}
