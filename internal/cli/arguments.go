package cli

import (
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/lars-lb/lars/internal/route"
)

// protectNumbers puts a space before negative numbers, so that -5 is taken for
// an argument and not for a flag: modules may be negative, flags are not. The
// numbers' parsers drop the space.
func protectNumbers(args []string) []string {
	protected := make([]string, len(args))
	for i, arg := range args {
		if _, err := strconv.ParseInt(arg, 10, 64); err == nil && arg[0] == '-' {
			arg = " " + arg
		}
		protected[i] = arg
	}
	return protected
}

// number reads one number of a module, or a return code.
func number(name, s string) (int32, error) {
	s = strings.TrimSpace(s)
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
func atLeast(n int) cobra.PositionalArgs    { return counted(cobra.MinimumNArgs(n)) }
func exactly(n int) cobra.PositionalArgs    { return counted(cobra.ExactArgs(n)) }
func between(m, n int) cobra.PositionalArgs { return counted(cobra.RangeArgs(m, n)) }

func counted(count cobra.PositionalArgs) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if err := count(cmd, args); err != nil {
			return &usageError{err}
		}
		return nil
	}
}
