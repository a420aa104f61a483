package cli

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/lars-lb/lars/internal/store"
)

// naming is one of the two kinds of names.
type naming struct {
	use, argument, what string

	set    func(s *store.Store, ctx context.Context, id int32, name string) error
	remove func(s *store.Store, ctx context.Context, id int32) (bool, error)
	list   func(store.Names) map[int32]string
}

func modNaming() naming {
	return naming{
		use: "mod", argument: "MODID", what: "modid",
		set: (*store.Store).SetModName, remove: (*store.Store).DeleteModName,
		list: func(n store.Names) map[int32]string { return n.Mods },
	}
}

func cmdNaming() naming {
	return naming{
		use: "cmd", argument: "CMDID", what: "cmdid",
		set: (*store.Store).SetCmdName, remove: (*store.Store).DeleteCmdName,
		list: func(n store.Names) map[int32]string { return n.Cmds },
	}
}

func (a *app) nameCommand() *cobra.Command {
	name := &cobra.Command{
		Use:   "name",
		Short: "Name modules for people",
		Long: `Name modules for people: the modid after a business, the cmdid after one of
its functions. The names are shown by lars route ls; no daemon uses them.`,
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
		Use:     n.use,
		Short:   "Names of " + n.what + "s",
		Example: fmt.Sprintf("  lars name %s set 1 payment\n  lars name %s ls", n.use, n.use),
	}
	asGroup(group)
	group.AddCommand(
		&cobra.Command{
			Use:               "set " + n.argument + " TEXT",
			Short:             "Name a " + n.what + ", in place of any name it has",
			Example:           fmt.Sprintf("  lars name %s set 1 payment", n.use),
			Args:              atLeast(2),
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

func (a *app) setName(ctx context.Context, n naming, args []string) error {
	id, err := number(n.argument, args[0])
	if err != nil {
		return err
	}
	text := strings.TrimSpace(strings.Join(args[1:], " "))
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
		return a.show(names, func(w io.Writer) {
			fmt.Fprintf(w, "%s\tNAME\n", n.argument)
			for _, name := range names {
				fmt.Fprintf(w, "%d\t%s\n", name.ID, name.Name)
			}
		})
	})
}
