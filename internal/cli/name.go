package cli

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"github.com/lars-lb/lars/internal/store"
)

// naming is one of the two kinds of names.
type naming struct {
	use, argument, what string
	example             string // a name, as typed
	reach               string // what a name holds for

	set    func(s *store.Store, ctx context.Context, id int32, name string) error
	remove func(s *store.Store, ctx context.Context, id int32) (bool, error)
	list   func(store.Names) map[int32]string
}

func modNaming() naming {
	return naming{
		use: "mod", argument: "MODID", what: "modid", example: "payment",
		reach: "It is shown for every module with that modid.",
		set:   (*store.Store).SetModName, remove: (*store.Store).DeleteModName,
		list: func(n store.Names) map[int32]string { return n.Mods },
	}
}

func cmdNaming() naming {
	return naming{
		use: "cmd", argument: "CMDID", what: "cmdid", example: `"refund a payment"`,
		reach: "It is shown for that cmdid of every modid: a cmdid has one name, not one in each\nmodid.",
		set:   (*store.Store).SetCmdName, remove: (*store.Store).DeleteCmdName,
		list: func(n store.Names) map[int32]string { return n.Cmds },
	}
}

func (a *app) nameCommand() *cobra.Command {
	name := &cobra.Command{
		Use:   "name COMMAND",
		Short: "Name modules for people",
		Long: `Name modules for people: the modid after a business, the cmdid after one of
its functions. A cmdid's name holds for that cmdid of all modids. The names are
shown by lars route ls; no daemon uses them.`,
		Example: `  lars name mod set 1 payment
  lars name cmd set 2 "refund a payment"
  lars name mod ls`,
	}
	asGroup(name)
	name.AddCommand(a.namesCommand(modNaming()), a.namesCommand(cmdNaming()))
	return name
}

// nameJSON is one name.
type nameJSON struct {
	ID   int32  `json:"id"`
	Name string `json:"name"`
}

func (a *app) namesCommand(n naming) *cobra.Command {
	group := &cobra.Command{
		Use:     n.use + " COMMAND",
		Short:   "Names of " + n.what + "s",
		Example: fmt.Sprintf("  lars name %s set 1 %s\n  lars name %[1]s ls", n.use, n.example),
	}
	asGroup(group)
	group.AddCommand(
		&cobra.Command{
			Use:               "set " + n.argument + " TEXT",
			Short:             "Name a " + n.what + ", in place of any name it has",
			Long:              "Name a " + n.what + ", in place of any name it has.\n" + n.reach + "\n\nTEXT is one argument: quote it when it has spaces.",
			Example:           fmt.Sprintf("  lars name %s set 1 %s", n.use, n.example),
			Args:              quotedText,
			ValidArgsFunction: cobra.NoFileCompletions,
			RunE:              func(cmd *cobra.Command, args []string) error { return a.setName(cmd.Context(), n, args) },
		},
		&cobra.Command{
			Use:               "rm " + n.argument,
			Short:             "Remove the name of a " + n.what,
			Example:           fmt.Sprintf("  lars name %s rm 1", n.use),
			Args:              exactly(1),
			ValidArgsFunction: cobra.NoFileCompletions,
			RunE:              func(cmd *cobra.Command, args []string) error { return a.removeName(cmd.Context(), n, args[0]) },
		},
		&cobra.Command{
			Use:     "ls",
			Short:   "List the names of " + n.what + "s",
			Example: fmt.Sprintf("  lars name %s ls --json", n.use),
			Args:    exactly(0),
			RunE:    func(cmd *cobra.Command, _ []string) error { return a.listNames(cmd.Context(), n) },
		},
	)
	return group
}

// quotedText counts the arguments MODID TEXT, and tells those who forgot the
// quotes.
func quotedText(cmd *cobra.Command, args []string) error {
	err := exactly(2)(cmd, args)
	if len(args) > 2 {
		return wrongUsage("%w; quote a TEXT that has spaces", err)
	}
	return err
}

func (a *app) setName(ctx context.Context, n naming, args []string) error {
	id, err := number(n.argument, args[0])
	if err != nil {
		return err
	}
	text := strings.TrimSpace(args[1])
	if text == "" {
		return wrongUsage("TEXT %q is empty; lars name %s rm %d removes a name", args[1], n.use, id)
	}
	if strings.ContainsFunc(text, unicode.IsControl) || !utf8.ValidString(text) {
		return wrongUsage("TEXT %q has characters that cannot be shown", text)
	}
	return a.withStore(ctx, func(s *store.Store) error {
		if err := n.set(s, ctx, id, text); err != nil {
			return err
		}
		return a.show(nameJSON{id, text}, func(w io.Writer) {
			fmt.Fprintf(w, "%s %d is %q\n", n.what, id, text)
		})
	})
}

func (a *app) removeName(ctx context.Context, n naming, arg string) error {
	id, err := number(n.argument, arg)
	if err != nil {
		return err
	}
	return a.withStore(ctx, func(s *store.Store) error {
		had, err := n.remove(s, ctx, id)
		if err != nil {
			return err
		}
		return a.show(struct {
			ID      int32 `json:"id"`
			Removed bool  `json:"removed"`
		}{id, had}, func(w io.Writer) {
			if had {
				fmt.Fprintf(w, "removed the name of %s %d\n", n.what, id)
				return
			}
			fmt.Fprintf(w, "%s %d had no name\n", n.what, id)
		})
	})
}

func (a *app) listNames(ctx context.Context, n naming) error {
	return a.withStore(ctx, func(s *store.Store) error {
		all, err := s.Names(ctx)
		if err != nil {
			return err
		}
		names := []nameJSON{}
		for id, name := range n.list(all) {
			names = append(names, nameJSON{id, name})
		}
		slices.SortFunc(names, func(x, y nameJSON) int { return cmp.Compare(x.ID, y.ID) })
		if len(names) == 0 {
			a.hint(fmt.Sprintf("no names: lars name %s set %s TEXT gives one", n.use, n.argument))
		}
		return a.show(names, func(w io.Writer) {
			fmt.Fprintf(w, "%s\tNAME\n", n.argument)
			for _, name := range names {
				fmt.Fprintf(w, "%d\t%s\n", name.ID, name.Name)
			}
		})
	})
}
