package cli

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/lars-lb/lars/internal/store"
)

// historyKeys are what the calls of a module can be told apart by.
var historyKeys = []string{"minute", "hour", "host", "agent"}

func (a *app) historyCommand() *cobra.Command {
	since, by := time.Hour, []string{}
	cmd := &cobra.Command{
		Use:   "history [MODID [CMDID]]",
		Short: "Sum up the calls of a time",
		Long: `Sum up the calls that agents have reported through lars-reporter since a time
ago, of all modules, those of a modid, or one. Agents send what was reported to
them every report_timeout, 15 s by default; each call counts once, in the
minute in which it was sent. lars-reporter keeps them for history_retention.

--by tells the calls apart by minute or hour, by host, and by the agent that
counted them; several with commas between. Times are UTC. An agent of Lars 1.0
sends totals, which lars counts shows and which cannot be summed up.`,
		Example:           "  lars history\n  lars history 1 1 --since 24h --by hour\n  lars history 1 --by host,agent --json",
		Args:              between(0, 2),
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(cmd *cobra.Command, args []string) error {
			f, err := filter(args)
			if err != nil {
				return err
			}
			key, err := historyKey(by)
			if err != nil {
				return err
			}
			if since <= 0 {
				return wrongUsage("--since %v is not a time ago", since)
			}
			ctx := cmd.Context()
			return a.withStore(ctx, func(s *store.Store) error { return a.listHistory(ctx, s, f, since, key) })
		},
	}
	cmd.Flags().DurationVar(&since, "since", since, "how long ago to begin")
	expect(cmd, aDuration, "since")
	cmd.Flags().StringSliceVar(&by, "by", nil, "tell apart by "+strings.Join(historyKeys, ", "))
	_ = cmd.RegisterFlagCompletionFunc("by", cobra.FixedCompletions(historyKeys, cobra.ShellCompDirectiveNoFileComp))
	return cmd
}

func historyKey(by []string) (key store.HistoryKey, err error) {
	for _, word := range by {
		switch word {
		case "minute":
			key.Step = time.Minute
		case "hour":
			key.Step = max(key.Step, time.Hour)
		case "host":
			key.Host = true
		case "agent":
			key.Caller = true
		default:
			return key, wrongUsage("--by %q: want %s", word, strings.Join(historyKeys, ", "))
		}
	}
	if slices.Contains(by, "minute") && slices.Contains(by, "hour") {
		return key, wrongUsage("--by minute and hour: want one of them")
	}
	return key, nil
}

// historyJSON is the calls of one row.
type historyJSON struct {
	From *time.Time `json:"from,omitempty"`
	moduleJSON
	Host  string `json:"host,omitempty"`
	Agent string `json:"agent,omitempty"`
	Succ  uint64 `json:"succ"`
	Err   uint64 `json:"err"`
}

func (a *app) listHistory(ctx context.Context, s *store.Store, f store.Filter, since time.Duration, key store.HistoryKey) error {
	now := time.Now()
	sums, err := s.ListHistory(ctx, f, now.Add(-since).Truncate(time.Minute), now.Add(time.Minute), key)
	if err != nil {
		return err
	}
	rows := []historyJSON{}
	for _, h := range sums {
		row := historyJSON{moduleJSON: moduleJSON(h.Module), Succ: h.Succ, Err: h.Err}
		if key.Step > 0 {
			from := h.Time.UTC()
			row.From = &from
		}
		if key.Host {
			row.Host = h.Host.String()
		}
		if key.Caller {
			row.Agent = agentAddr(h.Caller)
		}
		rows = append(rows, row)
	}
	if len(rows) == 0 {
		a.hint(fmt.Sprintf("no calls were reported in the last %v", since))
	}
	return a.show(rows, func(w io.Writer) { historyTable(w, rows, key) })
}

func historyTable(w io.Writer, rows []historyJSON, key store.HistoryKey) {
	line := func(from, host, agent string, rest ...any) {
		if key.Step > 0 {
			fmt.Fprintf(w, "%s\t", from)
		}
		fmt.Fprintf(w, "%v\t%v\t", rest[0], rest[1])
		if key.Host {
			fmt.Fprintf(w, "%s\t", host)
		}
		if key.Caller {
			fmt.Fprintf(w, "%s\t", agent)
		}
		fmt.Fprintf(w, "%v\t%v\t%v\n", rest[2], rest[3], rest[4])
	}
	line("FROM (UTC)", "HOST", "AGENT", "MODID", "CMDID", "SUCC", "ERR", "FAILED")
	for _, r := range rows {
		from := ""
		if r.From != nil {
			from = r.From.Format("2006-01-02 15:04")
		}
		line(from, r.Host, r.Agent, r.ModID, r.CmdID, r.Succ, r.Err, fmt.Sprintf("%.2f%%", 100*float64(r.Err)/float64(max(1, r.Succ+r.Err))))
	}
}

// agentAddr is the address of an agent as tables hold it.
func agentAddr(caller uint32) string {
	var b [4]byte
	binary.BigEndian.PutUint32(b[:], caller)
	return netip.AddrFrom4(b).String()
}
