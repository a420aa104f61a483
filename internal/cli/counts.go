package cli

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/lars-lb/lars/internal/store"
)

func (a *app) countsCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "counts [MODID [CMDID]]",
		Short: "Show the call counts that agents have reported",
		Long: `Show the call counts that agents have reported through lars-reporter: of all
modules, those of a modid, or one. For each agent and host it is what programs
reported in the last interval, 15 s by default, not a total; lars report
history has sums. Times are UTC.`,
		Example:           "  lars counts\n  lars counts 1 1\n  lars counts --json",
		Args:              between(0, 2),
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(cmd *cobra.Command, args []string) error {
			f, err := filter(args)
			if err != nil {
				return err
			}
			ctx := cmd.Context()
			return a.withStore(ctx, func(s *store.Store) error { return a.listCounts(ctx, s, f) })
		},
	}
}

// countsJSON is what one agent reported about one host.
type countsJSON struct {
	moduleJSON
	Host     string    `json:"host"`
	Agent    string    `json:"agent"`
	Succ     uint32    `json:"succ"`
	Err      uint32    `json:"err"`
	Overload bool      `json:"overload"`
	At       time.Time `json:"at"`
}

func (a *app) listCounts(ctx context.Context, s *store.Store, f store.Filter) error {
	statuses, err := s.ListStatuses(ctx, f)
	if err != nil {
		return err
	}
	rows := []countsJSON{}
	for _, st := range statuses {
		rows = append(rows, countsJSON{
			moduleJSON: moduleJSON(st.Module), Host: st.Host.String(), Agent: agentAddr(st.Caller),
			Succ: st.Succ, Err: st.Err, Overload: st.Overload, At: time.Unix(int64(st.TS), 0).UTC(),
		})
	}
	if len(rows) == 0 {
		what := "no reports"
		if f.ModID != nil {
			what = "no reports with these numbers"
		}
		a.hint(what + " yet: agents send them every report_timeout, 15 s by default")
	}
	return a.show(rows, func(w io.Writer) {
		fmt.Fprint(w, "MODID\tCMDID\tHOST\tAGENT\tSUCC\tERR\tSTATE\tAT (UTC)\n")
		for _, r := range rows {
			state := "idle"
			if r.Overload {
				state = "overload"
			}
			fmt.Fprintf(w, "%d\t%d\t%s\t%s\t%d\t%d\t%s\t%s\n",
				r.ModID, r.CmdID, r.Host, r.Agent, r.Succ, r.Err, state, r.At.Format(time.DateTime))
		}
	})
}
