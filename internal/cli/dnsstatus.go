package cli

import (
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/lars-lb/lars/internal/inspect"
)

// dnsStats is what this program needs of lars-dns's statistics, by the names
// that those have.
type dnsStats struct {
	Ready         bool          `json:"ready"`
	Stale         bool          `json:"stale"`
	Version       int64         `json:"version"`
	Modules       int           `json:"modules"`
	Hosts         int           `json:"hosts"`
	ShrinkHeld    bool          `json:"shrink_held"`
	HeldHosts     int           `json:"held_hosts"`
	HeldOf        int           `json:"held_of"`
	HeldLeftMS    int64         `json:"held_left_ms"`
	ShrinksHeld   uint64        `json:"shrinks_held"`
	SnapshotAgeMS int64         `json:"snapshot_age_ms"`
	Snapshot      snapshotStats `json:"snapshot"`
	Subscriptions int64         `json:"subscriptions"`
	TCP           struct {
		Open int64 `json:"open"`
	} `json:"tcp"`
}

type snapshotStats struct {
	Saves     uint64 `json:"saves"`
	Failures  uint64 `json:"failures"`
	SavedAtMS int64  `json:"saved_at_ms"`
}

func (a *app) dnsStatusCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "status",
		Short: "Show what lars-dns serves",
		Long: `Show what lars-dns serves: which version of the routes; whether they are those of
its file, because the database has not answered since it started; whether hosts
are held back that the database lacks; and how many agents are connected.`,
		Example: "  lars dns status\n  lars dns status --json --admin 10.0.0.2:7780",
		Args:    exactly(0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := a.newDNSAdmin()
			if err != nil {
				return err
			}
			defer c.close()
			var s dnsStats
			if err := c.get(cmd.Context(), "/stats", nil, &s); err != nil {
				return err
			}
			return a.show(s, func(w io.Writer) { s.print(w) })
		},
	}
}

func (s *dnsStats) print(w io.Writer) {
	state := "serving what the database says"
	switch {
	case !s.Ready:
		state = "waiting for the database, answering nobody"
	case s.Stale:
		state = "serving the routes of its file, as the database does not answer"
	case s.ShrinkHeld:
		state = "serving more than the database says: most hosts are gone from it"
	}
	fmt.Fprintf(w, "state\t%s\n", state)
	fmt.Fprintf(w, "routes\tversion %d, %s, %s\n", s.Version, count(s.Modules, "module", "modules"), count(s.Hosts, "host", "hosts"))
	held := "nothing"
	if s.ShrinkHeld {
		held = fmt.Sprintf("%s, as of %d most are gone; removed in %s unless they come back, or at once by lars dns accept",
			count(s.HeldHosts, "host", "hosts"), s.HeldOf, inspect.Millis(s.HeldLeftMS))
	}
	fmt.Fprintf(w, "held back\t%s\n", held)
	fmt.Fprintf(w, "agents\t%s, %s\n", count(int(s.TCP.Open), "connection", "connections"), count(int(s.Subscriptions), "subscription", "subscriptions"))
	file := "none"
	if s.SnapshotAgeMS > 0 || s.Snapshot.Saves > 0 {
		file = "saved " + inspect.Millis(s.SnapshotAgeMS) + " ago"
	}
	if s.Snapshot.Failures > 0 {
		file += fmt.Sprintf(", failed %s", count(int(s.Snapshot.Failures), "time", "times"))
	}
	fmt.Fprintf(w, "file\t%s\n", file)
}

func (a *app) dnsAcceptCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "accept",
		Short: "Accept that most hosts are removed, which lars-dns holds back",
		Long: `Accept that most hosts are removed, which lars-dns holds back.

When more than half of all hosts (and more than 10) are gone from the database,
lars-dns serves them for [dns] shrink_confirm longer, as it may be an accident.
If it was meant, this makes it remove them at once. See what is held back first:
lars dns status. Ask each lars-dns; they decide by themselves.`,
		Example: "  lars dns accept\n  lars dns accept --admin 10.0.0.2:7780",
		Args:    exactly(0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := a.newDNSAdmin()
			if err != nil {
				return err
			}
			defer c.close()
			// lars-dns answers when it is done, or nearly a second later.
			if a.timeout < 2*time.Second && !cmd.Flags().Changed("timeout") {
				c.patient(2 * time.Second)
			}
			var answer struct {
				Removed int  `json:"removed"`
				Of      int  `json:"of"`
				Applied bool `json:"applied"`
			}
			if err := c.post(cmd.Context(), "/accept", &answer); err != nil {
				return err
			}
			return a.show(answer, func(w io.Writer) {
				when := "are gone"
				if !answer.Applied {
					when = "go as soon as the database has answered a question that is under way"
				}
				fmt.Fprintf(w, "accepted: %d of %s %s\n", answer.Removed, count(answer.Of, "host", "hosts"), when)
			})
		},
	}
}
