package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"
)

// Exit statuses.
const (
	exitOK     = 0
	exitFailed = 1
	exitUsage  = 2 // also for a bad configuration, as the daemons'
)

// Streams are what the commands read and write.
type Streams struct {
	In       io.Reader
	Out, Err io.Writer
}

// app is one run of the program: its streams and its global flags.
type app struct {
	Streams
	version string

	json  bool
	conf  string // lars-dns's configuration file
	agent string // as lars.Config.Agent
	admin string // address of an agent's admin server
	// dnsAdmin is that of lars-dns's; empty: what conf says.
	dnsAdmin string
	timeout  time.Duration
}

// Run executes one command line, without the program's name, and returns the
// exit status. The version may be empty. When ctx is cancelled the command ends
// early.
func Run(ctx context.Context, version string, args []string, s Streams) int {
	a := &app{Streams: s, version: versionOf(version)}
	root := a.rootCommand()
	root.SetArgs(protectNumbers(root, args))
	cmd, err := root.ExecuteContextC(ctx)
	if err == nil {
		return exitOK
	}
	if errors.Is(err, errProblems) {
		return exitFailed
	}
	// The client library's errors begin with the program's name already.
	fmt.Fprintf(s.Err, "lars: %s\n", strings.TrimPrefix(err.Error(), "lars: "))
	if wrong := new(usageError); errors.As(err, &wrong) {
		fmt.Fprintf(s.Err, "usage: %s\n%s --help says more.\n", cmd.UseLine(), cmd.CommandPath())
		return exitUsage
	}
	if bad := new(configError); errors.As(err, &bad) {
		return exitUsage
	}
	return exitFailed
}

// usageError is a command that was called wrongly.
type usageError struct{ err error }

func (e *usageError) Error() string { return e.err.Error() }
func (e *usageError) Unwrap() error { return e.err }

// configError is a configuration file that is missing or bad.
type configError struct{ err error }

func (e *configError) Error() string { return e.err.Error() }
func (e *configError) Unwrap() error { return e.err }

func wrongUsage(format string, args ...any) error {
	return &usageError{fmt.Errorf(format, args...)}
}

func (a *app) rootCommand() *cobra.Command {
	root := &cobra.Command{
		Use:   "lars COMMAND",
		Short: "Manage the routes of Lars, and ask its agents",
		Long: `Manage the routes of Lars, and ask its agents.

Commands on the store (route add|rm|ls|weight|drain|undrain|import|export, name,
counts, report history, db) work on the tables of lars-dns and lars-reporter; they find them by
lars-dns's configuration file.
Commands on an agent (get, route MODID CMDID, register, report, simulate) do
what a program does that uses Lars; agent shows what it thinks of the hosts.
dns shows what lars-dns serves, and tells it that a removal of most was meant.
doctor asks everybody and says what is wrong.
sim needs neither: it shows what the agent's decisions are worth.

Exit status: 0 success, 1 the command failed, 2 it was called wrongly or its
configuration file is missing or bad.`,
		Example: `  lars db init
  lars route add 1 1 192.168.1.177:7777
  lars get 1 1
  lars agent hosts 1 1`,
		Version:       a.version,
		SilenceErrors: true,
		SilenceUsage:  true,
	}
	root.SetIn(a.In)
	root.SetOut(a.Out)
	root.SetErr(a.Err)
	root.SetVersionTemplate("lars {{.Version}}\n")
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return &usageError{err} })
	flags := root.PersistentFlags()
	flags.BoolVar(&a.json, "json", false, "print the result as JSON")
	flags.StringVar(&a.conf, "conf", fromEnvironment("LARS_CONF", "conf/lars-dns.conf"),
		"lars-dns's configuration `FILE`, which says where the store is (LARS_CONF)")
	flags.StringVar(&a.agent, "agent", fromEnvironment("LARS_AGENT", "127.0.0.1:8888"),
		"`ADDRESS` of the agent: IP:PORT of its first port, or all three with commas (LARS_AGENT)")
	flags.DurationVar(&a.timeout, "timeout", time.Second, "how long to wait for the agent, 1ms to 1m")
	expect(root, aDuration, "timeout")
	asGroup(root)
	root.AddCommand(
		a.routeCommand(), a.nameCommand(), a.countsCommand(), a.dbCommand(),
		a.getCommand(), a.registerCommand(), a.reportCommand(), a.simulateCommand(), a.simCommand(),
		a.agentCommand(), a.dnsCommand(), a.doctorCommand(), a.versionCommand(),
	)
	adopt(root)
	return root
}

func fromEnvironment(variable, otherwise string) string {
	if v := os.Getenv(variable); v != "" {
		return v
	}
	return otherwise
}
