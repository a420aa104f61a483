package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"
)

// errProblems ends a command that worked, and found something wrong, with
// exitFailed. What is wrong was shown.
var errProblems = errors.New("problems were found")

// doctorFlags are the flags of lars doctor.
type doctorFlags struct {
	confDir             string
	admin, dns, reports []string
	agentNamed          bool // --agent or LARS_AGENT says which UDP ports to ask
	interval            time.Duration
}

func (a *app) doctorCommand() *cobra.Command {
	var f doctorFlags
	cmd := &cobra.Command{
		Use:   "doctor",
		Short: "Look for what is wrong with the suite, and say what to do",
		Long: `Look for what is wrong with the suite, and say what to do.

It asks the admin addresses of all daemons whose configuration it finds in
--conf-dir, the agent's UDP ports (for the routes of the modules (0,0), (0,1)
and (0,2), whether there are any or not), and the database that lars-dns's
configuration names; the counters it asks for twice, --interval apart, to see
what grows. It changes nothing.

A daemon on another machine is named by its admin address: --admin for agents,
--dns and --reporter for the others, each as often as there are some; daemons
of that sort are not looked for in files then.

An error is something that does not work, a warning what may soon be one, a
note what could not be looked at.

Exit status: 0 all good, 1 there is an error or a warning, 2 called wrongly.`,
		Example:           "  lars doctor\n  lars doctor --conf-dir /etc/lars --json\n  lars doctor --dns 10.0.0.2:7780 --dns 10.0.0.3:7780 --reporter 10.0.0.2:7781",
		Args:              exactly(0),
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(cmd *cobra.Command, _ []string) error {
			f.agentNamed = cmd.Flags().Changed("agent") || fromEnvironment("LARS_AGENT", "") != ""
			if !cmd.Flags().Changed("conf-dir") {
				f.confDir = filepath.Dir(a.conf)
			}
			return a.doctor(cmd.Context(), &f)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&f.confDir, "conf-dir", "", "`FOLDER` with the daemons' configuration files (default: where --conf is)")
	flags.StringArrayVar(&f.admin, "admin", listFromEnvironment("LARS_ADMIN"), "admin `ADDRESS` of an agent, IP:PORT (LARS_ADMIN)")
	flags.StringArrayVar(&f.dns, "dns", listFromEnvironment("LARS_DNS_ADMIN"), "admin `ADDRESS` of a lars-dns, IP:PORT (LARS_DNS_ADMIN)")
	flags.StringArrayVar(&f.reports, "reporter", listFromEnvironment("LARS_REPORTER_ADMIN"), "admin `ADDRESS` of a lars-reporter, IP:PORT (LARS_REPORTER_ADMIN)")
	flags.DurationVar(&f.interval, "interval", time.Second, "time between two looks at the counters, 100ms to 1m")
	expect(cmd, aDuration, "interval")
	return cmd
}

// listFromEnvironment is the value of a variable as a list, empty if it is not
// set.
func listFromEnvironment(variable string) []string {
	if v := fromEnvironment(variable, ""); v != "" {
		return []string{v}
	}
	return nil
}

func (a *app) doctor(ctx context.Context, f *doctorFlags) error {
	if f.interval < minInterval || f.interval > maxInterval {
		return wrongUsage("--interval %v: must be from %v to %v", f.interval, minInterval, maxInterval)
	}
	if a.timeout < time.Millisecond || a.timeout > time.Minute {
		return wrongUsage("--timeout %v: must be from 1ms to 1m", a.timeout)
	}
	patient, err := a.findSuite(f)
	if err != nil {
		return err
	}
	if err := a.examine(ctx, patient, f.interval); err != nil {
		return err
	}
	findings := diagnose(patient)
	problems := 0
	for _, d := range findings {
		if d.Severity != note {
			problems++
		}
	}
	answer := struct {
		OK       bool      `json:"ok"`
		Asked    []asked   `json:"asked"`
		Findings []finding `json:"findings"`
	}{problems == 0, patient.asked(), findings}
	if err := a.show(&answer, func(w io.Writer) { printDiagnosis(w, answer.Asked, findings, problems) }); err != nil {
		return err
	}
	if problems > 0 {
		return errProblems
	}
	return nil
}

func printDiagnosis(w io.Writer, all []asked, findings []finding, problems int) {
	for _, one := range all {
		answer := "answers"
		if !one.OK {
			answer = "does not answer"
		}
		if one.Version != "" {
			answer += ", " + one.Version
		}
		fmt.Fprintf(w, "%s: %s\n", one.What, answer)
	}
	for _, d := range findings {
		fmt.Fprintf(w, "\n%s: %s: %s\n  seen: %s\n  do:   %s\n", d.Severity, d.Where, d.What, d.Evidence, d.Do)
	}
	if problems == 0 {
		fmt.Fprint(w, "\nall good\n")
		return
	}
	fmt.Fprintf(w, "\n%s\n", count(problems, "problem", "problems"))
}
