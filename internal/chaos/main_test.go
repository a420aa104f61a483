package chaos_test

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/lars-lb/lars/internal/larstest"
	"github.com/lars-lb/lars/internal/mariadbtest"
)

// What make chaos and make soak set. The defaults are those of go test.
var (
	seed     = flag.Uint64("seed", 1, "seed of the first random schedule")
	rounds   = flag.Int("rounds", 1, "random schedules, each with the next seed")
	duration = flag.Duration("duration", 0, "length of a random schedule, or of the soak; default short")
	replay   = flag.String("replay", "", "a file with a schedule, in place of random ones")
	full     = flag.Bool("full", false, "outages of a minute, and numbers that are judged")
)

// programs and database are set once, before any test runs.
var (
	programs larstest.Programs
	database *mariadbtest.Server
)

func TestMain(m *testing.M) {
	flag.Parse()
	os.Exit(run(m))
}

func run(m *testing.M) (code int) {
	built, remove, err := larstest.BuildTemporary()
	if err == nil {
		defer remove()
		programs = built
		database, err = mariadbtest.New()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	code = m.Run()
	if err := errors.Join(database.Stop(), goleak.Find()); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return code
}

// outage is how long what fails stays away.
func outage() time.Duration {
	if *full {
		return time.Minute
	}
	return 2 * time.Second
}

// patience bounds what takes no time on a machine that is idle.
const patience = 30 * time.Second
