package daemon

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
)

const (
	exitOK     = 0
	exitFailed = 1
	exitUsage  = 2
)

// arguments are the parsed command line.
type arguments struct {
	conf      string
	confGiven bool
	check     bool
	version   bool
	help      bool
}

func parseArguments(defaultConf string, args []string) (arguments, error) {
	var a arguments
	flags := flag.NewFlagSet("", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	flags.StringVar(&a.conf, "conf", defaultConf, "")
	flags.BoolVar(&a.check, "check", false, "")
	flags.BoolVar(&a.version, "version", false, "")
	flags.BoolVar(&a.help, "h", false, "")
	flags.BoolVar(&a.help, "help", false, "")
	if err := flags.Parse(args); err != nil {
		return a, err
	}
	if flags.NArg() > 0 {
		return a, fmt.Errorf("unexpected argument %q", flags.Arg(0))
	}
	flags.Visit(func(f *flag.Flag) { a.confGiven = a.confGiven || f.Name == "conf" })
	return a, nil
}

// Main is a daemon's main function: it does what args ask for and returns the
// exit code. Without -check, -version or -h it serves until a signal or ctx
// stops it. It takes the signals of the process, so it is called once.
func Main[C any](ctx context.Context, spec Spec[C], args []string, stdout, stderr io.Writer) int {
	a, err := parseArguments(spec.DefaultConf, args)
	if err != nil {
		fmt.Fprintf(stderr, "%s: %v\nTry %s -h.\n", spec.Name, err, spec.Name)
		return exitUsage
	}
	switch {
	case a.help:
		fmt.Fprint(stdout, usage(&spec))
		return exitOK
	case a.version:
		fmt.Fprintln(stdout, spec.Name, describe(version(spec.Version)))
		return exitOK
	}

	config, err := spec.Load(a.conf)
	if err != nil {
		fmt.Fprintln(stderr, err)
		if !a.confGiven && errors.Is(err, fs.ErrNotExist) {
			fmt.Fprintf(stderr, "%s: say where the configuration is with -conf FILE, or start in the directory that has %s\n", spec.Name, spec.DefaultConf)
		}
		return exitUsage
	}
	if a.check {
		fmt.Fprintf(stdout, "%s: ok\n", a.conf)
		return exitOK
	}

	p := newProcess(&spec, a.conf, config, stderr)
	if err := p.run(ctx); err != nil {
		p.log.Error(spec.Name+" failed", "err", err)
		return exitFailed
	}
	return exitOK
}
