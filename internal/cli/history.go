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
func historyKeys() []string { return []string{"minute", "hour", "host", "caller"} }

// clocksAhead is by how much the clocks of agents may be ahead of this one.
const clocksAhead = 2 * time.Hour

func (a *app) historyCommand() *cobra.Command {
	since, until, by := moment{ago: time.Hour}, moment{ago: -clocksAhead}, []string{}
	cmd := &cobra.Command{
		Use:   "history [MODID [CMDID]]",
		Short: "Sum up the calls of a time, as agents have reported them",
		Long: `Sum up the calls that agents have reported through lars-reporter, of all
modules, those of a modid, or one: those of the last hour, or from --since until
--until. Each is a time ago (90m, 24h) or a time in UTC ("2026-11-24 10:30").

--by tells the calls apart by minute or hour, by host, and by the agent that
counted them, which is the caller's machine; several with commas between.

FROM    the minute or hour, UTC
AGENT   address of the agent; 0.0.0.0 if it reaches lars-reporter over IPv6
SUCC    calls that went well; ERR those that did not, FAILED their share

Agents send what programs have reported to them every report_timeout, 15 s by
default, and each call counts once, in the minute in which its agent sent it.
lars-reporter keeps that for history_retention, 168h by default. Agents of Lars
1.0 send totals, which lars counts shows and which cannot be summed up.`,
		Example:           "  lars report history\n  lars report history 1 1 --since 24h --by hour\n  lars report history 1 --since \"2026-11-24 10:30\" --until \"2026-11-24 11:00\" --by host\n  lars report history --by minute,caller --json",
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
			now := time.Now()
			from, to := since.at(now), until.at(now)
			if !from.Before(to) {
				return wrongUsage("--since %v is not before --until %v", &since, &until)
			}
			ctx := cmd.Context()
			return a.withStore(ctx, func(s *store.Store) error { return a.listHistory(ctx, s, f, from, to, key) })
		},
	}
	cmd.Flags().Var(&since, "since", "`TIME` to begin at, or how long ago that is")
	cmd.Flags().Var(&until, "until", "`TIME` to end before, or how long ago that is (default now)")
	cmd.Flag("until").DefValue = ""
	expect(cmd, aMoment, "since", "until")
	cmd.Flags().StringSliceVar(&by, "by", nil, "tell apart by "+strings.Join(historyKeys(), ", "))
	// Fails only for a flag that is not there.
	_ = cmd.RegisterFlagCompletionFunc("by", cobra.FixedCompletions(historyKeys(), cobra.ShellCompDirectiveNoFileComp))
	return cmd
}

func historyKey(by []string) (key store.HistoryKey, err error) {
	for _, word := range by {
		switch word {
		case "minute":
			key.Step = time.Minute
		case "hour":
			key.Step = time.Hour
		case "host":
			key.Host = true
		case "caller":
			key.Caller = true
		default:
			return key, wrongUsage("--by %q: want %s", word, strings.Join(historyKeys(), ", "))
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

func (a *app) listHistory(ctx context.Context, s *store.Store, f store.Filter, from, to time.Time, key store.HistoryKey) error {
	sums, err := s.ListHistory(ctx, f, from.Truncate(time.Minute), to, key)
	if err != nil {
		return err
	}
	rows := []historyJSON{}
	for _, h := range sums {
		row := historyJSON{moduleJSON: moduleJSON(h.Module), Succ: h.Succ, Err: h.Err}
		if key.Step > 0 {
			begin := h.Time.UTC()
			row.From = &begin
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
		a.hint("no calls were reported from " + from.UTC().Format(minuteLayout) + " (UTC) on; lars counts shows what came last, and when")
	}
	return a.show(rows, func(w io.Writer) { historyTable(w, rows, key) })
}

// historyTable prints rows and, below more than one, their sum.
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
	failed := func(succ, errs uint64) string {
		return fmt.Sprintf("%.2f%%", 100*float64(errs)/max(1, float64(succ)+float64(errs)))
	}
	var succ, errs uint64
	for _, r := range rows {
		from := ""
		if r.From != nil {
			from = r.From.Format(minuteLayout)
		}
		succ += r.Succ
		errs += r.Err
		line(from, r.Host, r.Agent, r.ModID, r.CmdID, r.Succ, r.Err, failed(r.Succ, r.Err))
	}
	if len(rows) > 1 {
		line("", "", "", "total", "", succ, errs, failed(succ, errs))
	}
}

// agentAddr is the address of an agent as tables hold it.
func agentAddr(caller uint32) string {
	var b [4]byte
	binary.BigEndian.PutUint32(b[:], caller)
	return netip.AddrFrom4(b).String()
}
