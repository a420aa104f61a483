package cli

import (
	"strconv"
	"strings"

	"github.com/spf13/cobra"
)

// asGroup makes a command that only holds others show its help, and refuse
// what is none of them.
func asGroup(cmd *cobra.Command) {
	cmd.Args = unknownCommand
	cmd.SuggestionsMinimumDistance = 2
	cmd.DisableFlagsInUseLine = true
	cmd.RunE = func(cmd *cobra.Command, _ []string) error { return cmd.Help() }
}

// unknownCommand refuses args, the first of which should have been a command
// of the group.
func unknownCommand(group *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	message := within(group) + " has no command " + strconv.Quote(args[0])
	if within(group) == "" {
		message = "no command " + strconv.Quote(args[0])
	}
	// A number is near to every short name, and like none.
	_, err := strconv.Atoi(args[0])
	if near := group.SuggestionsFor(args[0]); err != nil && len(near) > 0 {
		message += "; did you mean " + strings.Join(near, " or ") + "?"
	}
	return wrongUsage("%s", message)
}

// adopt makes the commands that the library adds, help and completion, behave
// like the others. They are added after these, and write to root's streams.
func adopt(root *cobra.Command) {
	// A group's usage line says COMMAND already.
	root.SetUsageTemplate(strings.NewReplacer(
		"{{if .HasAvailableSubCommands}}\n  {{.CommandPath}} [command]{{end}}", "",
		"[command]", "COMMAND",
	).Replace(root.UsageTemplate()))
	root.InitDefaultHelpCmd()
	root.InitDefaultCompletionCmd()
	for _, cmd := range root.Commands() {
		switch cmd.Name() {
		case "help":
			cmd.Use = "help [COMMAND]"
			cmd.RunE = help
		case "completion":
			cmd.Use = "completion COMMAND"
			asGroup(cmd)
		}
	}
}

// help shows the help of the command that args name.
func help(cmd *cobra.Command, args []string) error {
	about, rest, err := cmd.Root().Find(args)
	if err != nil {
		return &usageError{err}
	}
	if len(rest) > 0 {
		return unknownCommand(about, rest)
	}
	about.InitDefaultHelpFlag()
	about.InitDefaultVersionFlag()
	return about.Help()
}
