package cli

import (
	"math"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/lars-lb/lars/internal/route"
)

// number reads one number of a module, or a return code.
func number(name, s string) (int32, error) {
	n, err := strconv.ParseInt(s, 10, 32)
	if err != nil {
		return 0, wrongUsage("%s %q is not a whole number from -2147483648 to 2147483647", name, s)
	}
	return int32(n), nil
}

// module reads the first two arguments.
func module(args []string) (route.Module, error) {
	modid, err := number("MODID", args[0])
	if err != nil {
		return route.Module{}, err
	}
	cmdid, err := number("CMDID", args[1])
	return route.Module{ModID: modid, CmdID: cmdid}, err
}

func hosts(args []string) ([]route.Host, error) {
	list := make([]route.Host, len(args))
	for i, arg := range args {
		h, err := route.ParseHost(arg)
		if err != nil {
			return nil, &usageError{err}
		}
		list[i] = h
	}
	return list, nil
}

// atLeast, exactly and between count arguments.
func atLeast(n int) cobra.PositionalArgs { return between(n, math.MaxInt) }
func exactly(n int) cobra.PositionalArgs { return between(n, n) }

func between(least, most int) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if n := len(args); n < least || n > most {
			_, wanted, _ := strings.Cut(cmd.Use, " ")
			return wrongCount(cmd, wanted, n)
		}
		return nil
	}
}

// wrongCount says which arguments cmd takes; wanted is empty for none.
func wrongCount(cmd *cobra.Command, wanted string, got int) error {
	if wanted == "" {
		wanted = "no arguments"
	}
	return wrongUsage("%s wants %s, got %s", within(cmd), wanted, count(got, "argument", "arguments"))
}

// within is how a command is called inside the program: "route add". The root
// is called nothing.
func within(cmd *cobra.Command) string {
	return strings.TrimSpace(strings.TrimPrefix(cmd.CommandPath(), cmd.Root().Name()))
}
