package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"

	"github.com/lars-lb/lars/internal/config"
	"github.com/lars-lb/lars/internal/store"
)

// namedStore is a store and what messages call it.
type namedStore struct {
	*store.Store
	name string // "sqlite /absolute/path" or "mysql host:port/database"
	conf string // the file that names it
}

// openStore opens the store that the configuration file names, with or without
// tables. The caller closes it.
func (a *app) openStore() (*namedStore, error) {
	c, err := config.LoadDNS(a.conf)
	if errors.Is(err, fs.ErrNotExist) {
		err = fmt.Errorf("%w; name lars-dns's configuration with --conf FILE or LARS_CONF", err)
	}
	if err != nil {
		return nil, &configError{err}
	}
	name, err := nameStore(c.Store)
	if err != nil {
		return nil, err
	}
	s, err := store.Open(store.ConfigFrom(c.Store))
	if err != nil {
		return nil, err
	}
	return &namedStore{s, name, a.conf}, nil
}

func nameStore(c config.Store) (string, error) {
	if c.Driver != config.SQLite {
		addrs, err := c.Host.Addrs(c.Port)
		return c.Driver + " " + strings.Join(addrs, ",") + "/" + c.Name, err
	}
	// The path is relative to the working directory, as the message's reader
	// may not see.
	path, err := filepath.Abs(c.Path)
	return c.Driver + " " + path, err
}

// schema returns the version that the tables have, and the one they must have.
func (s *namedStore) schema(ctx context.Context) (have, want int64, err error) {
	have, want, err = s.SchemaVersion(ctx)
	if errors.Is(err, store.ErrNoDatabase) {
		err = fmt.Errorf("%s, named by %s: %w; run lars db init to create it, or name another configuration with --conf", s.name, s.conf, store.ErrNoDatabase)
	}
	return have, want, err
}

// withStore calls do with the store, whose tables are there.
func (a *app) withStore(ctx context.Context, do func(s *store.Store) error) error {
	s, err := a.openStore()
	if err != nil {
		return err
	}
	defer s.Close()
	have, want, err := s.schema(ctx)
	if err != nil {
		return err
	}
	if have < want {
		return fmt.Errorf("%s has schema version %d, this program needs %d: run lars db init", s.name, have, want)
	}
	return do(s.Store)
}
