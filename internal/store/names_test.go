package store_test

import (
	"database/sql"
	"maps"
	"strings"
	"testing"

	"github.com/lars-lb/lars/internal/store"
)

func TestNames(t *testing.T) {
	onStores(t, func(t *testing.T, st *store.Store, raw *sql.DB) {
		want := func(mods, cmds map[int32]string) {
			t.Helper()
			got, err := st.Names(t.Context())
			if err != nil || !maps.Equal(got.Mods, mods) || !maps.Equal(got.Cmds, cmds) {
				t.Errorf("Names() = %v, %v, want %v and %v", got, err, mods, cmds)
			}
		}
		must := func(err error) {
			t.Helper()
			if err != nil {
				t.Error(err)
			}
		}
		want(nil, nil)
		must(st.SetModName(t.Context(), 1, "pay"))
		must(st.SetCmdName(t.Context(), 1, "  Zahlung – 支付 "))
		must(st.SetModName(t.Context(), -1, strings.Repeat("é", 255)))
		want(map[int32]string{1: "pay", -1: strings.Repeat("é", 255)}, map[int32]string{1: "Zahlung – 支付"})
		must(st.SetModName(t.Context(), 1, "mail"))
		want(map[int32]string{1: "mail", -1: strings.Repeat("é", 255)}, map[int32]string{1: "Zahlung – 支付"})
		for _, bad := range []string{"", " ", strings.Repeat("x", 256), "\xff"} {
			if err := st.SetModName(t.Context(), 1, bad); err == nil || !strings.Contains(err.Error(), "modid 1") {
				t.Errorf("SetModName(%q) = %v", bad, err)
			}
		}
		if found, err := st.DeleteModName(t.Context(), -1); !found || err != nil {
			t.Errorf("DeleteModName() = %v, %v", found, err)
		}
		if found, err := st.DeleteCmdName(t.Context(), 2); found || err != nil {
			t.Errorf("DeleteCmdName() of no name = %v, %v", found, err)
		}
		want(map[int32]string{1: "mail"}, map[int32]string{1: "Zahlung – 支付"})

		// Two rows for one number: the last one counts, and one name replaces both.
		mustExec(t, raw, "INSERT INTO ModIDConfig (modid, content) VALUES (1, 'later')")
		want(map[int32]string{1: "later"}, map[int32]string{1: "Zahlung – 支付"})
		must(st.SetModName(t.Context(), 1, "mail"))
		if got := mustQuery(t, raw, "SELECT COUNT(*) FROM ModIDConfig"); got[0] != "1" {
			t.Errorf("%s rows, want 1", got[0])
		}
	})
}
