package store_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/lars-lb/lars/internal/store"
)

func TestConfigValidate(t *testing.T) {
	for _, c := range []struct {
		cfg  store.Config
		want string // in the error; empty when there is none
	}{
		{store.DefaultConfig(), ""},
		{store.Config{}, "driver"},
		{store.Config{Driver: "oracle"}, "oracle"},
		{store.Config{Driver: store.SQLite}, "path"},
		{store.Config{Driver: store.SQLite, Path: ":memory:"}, "memory"},
		{store.Config{Driver: store.MySQL, Host: "h", Port: 1, User: "u", Name: "n"}, ""},
		{store.Config{Driver: store.MySQL, Port: 1, User: "u", Name: "n"}, "host"},
		{store.Config{Driver: store.MySQL, Host: "h", User: "u", Name: "n"}, "port"},
		{store.Config{Driver: store.MySQL, Host: "h", Port: 1, Name: "n"}, "user"},
		{store.Config{Driver: store.MySQL, Host: "h", Port: 1, User: "u"}, "database"},
	} {
		err := c.cfg.Validate()
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("Validate(%+v) = %v, want %q", c.cfg, err, c.want)
		}
		if c.want == "" {
			continue
		}
		if st, err := store.Open(c.cfg); err == nil {
			st.Close()
			t.Errorf("Open(%+v) succeeded", c.cfg)
		}
	}
}

// Each store has an error text that leads to its database.
func TestErrorsNameTheDatabase(t *testing.T) {
	onEngines(t, func(t *testing.T, cfg store.Config) {
		_, err := open(t, cfg).Revision(t.Context()) // never migrated
		where := cfg.Path
		if cfg.Driver == store.MySQL {
			where = fmt.Sprintf("%s at 127.0.0.1:%d", cfg.Name, cfg.Port)
		}
		if err == nil || !strings.Contains(err.Error(), where) || !strings.Contains(err.Error(), "revision") {
			t.Errorf("Revision() without tables = %v, want it to name %q", err, where)
		}
	})
}
