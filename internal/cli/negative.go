package cli

import (
	"strings"

	"github.com/spf13/cobra"
)

// protectNumbers puts "--" before the first argument that is a negative number,
// and the flags that follow before that: modules may be negative, and no flag
// begins with a digit. The arguments themselves stay as they are.
func protectNumbers(root *cobra.Command, args []string) []string {
	if len(args) > 0 && (args[0] == cobra.ShellCompRequestCmd || args[0] == cobra.ShellCompNoDescRequestCmd) {
		return withoutSigns(args)
	}
	// What came before the numbers; flags may still join it.
	var before, numbers []string
	for i := 0; i < len(args); i++ {
		arg := args[i]
		switch {
		case arg == "--" && len(numbers) == 0:
			return args // the caller has done it
		case arg == "--":
			return append(append(append(before, "--"), numbers...), args[i+1:]...)
		case isNegative(arg), len(numbers) > 0 && !isFlag(arg):
			numbers = append(numbers, arg)
		default:
			before = append(before, arg)
			if !takesValue(root, arg) {
				continue
			}
			if i++; i == len(args) {
				return before // a flag without its value is refused whatever else there is
			}
			before = append(before, args[i])
		}
	}
	if len(numbers) == 0 {
		return args
	}
	return append(append(before, "--"), numbers...)
}

// withoutSigns makes negative numbers positive. Completion only counts them,
// and completes no flags behind a "--".
func withoutSigns(args []string) []string {
	unsigned := make([]string, len(args))
	for i, arg := range args {
		if isNegative(arg) {
			arg = arg[1:]
		}
		unsigned[i] = arg
	}
	return unsigned
}

// isNegative reports whether arg is meant to be a negative number, also one
// that is too large or not whole: the error is then about the number.
func isNegative(arg string) bool {
	return len(arg) > 1 && arg[0] == '-' && arg[1] >= '0' && arg[1] <= '9'
}

// isFlag reports whether arg is a flag rather than - for the standard streams.
func isFlag(arg string) bool { return len(arg) > 1 && arg[0] == '-' }

// takesValue reports whether arg is a flag, of cmd or of any command below it,
// whose value is the next argument. A name means the same flag everywhere.
func takesValue(cmd *cobra.Command, arg string) bool {
	name, ok := strings.CutPrefix(arg, "--")
	if !ok {
		return false
	}
	f := cmd.PersistentFlags().Lookup(name)
	if f == nil {
		f = cmd.Flags().Lookup(name)
	}
	if f != nil {
		return f.NoOptDefVal == ""
	}
	for _, sub := range cmd.Commands() {
		if takesValue(sub, arg) {
			return true
		}
	}
	return false
}
