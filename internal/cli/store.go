package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"github.com/lars-lb/lars/internal/config"
	"github.com/lars-lb/lars/internal/store"
)

// openStore opens the store that the configuration file names, with or without
// tables. The caller closes it.
func (a *app) openStore() (*store.Store, error) {
	c, err := config.LoadDNS(a.conf)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%w; name lars-dns's configuration with --conf FILE or LARS_CONF", err)
	}
	if err != nil {
		return nil, err
	}
	return store.Open(store.Config{
		Driver: c.Store.Driver, Path: c.Store.Path,
		Host: c.Store.Host, Port: c.Store.Port,
		User: c.Store.User, Password: string(c.Store.Password), Name: c.Store.Name,
	})
}

// withStore calls do with the store, whose tables are there.
func (a *app) withStore(ctx context.Context, do func(s *store.Store) error) error {
	s, err := a.openStore()
	if err != nil {
		return err
	}
	defer s.Close()
	have, want, err := s.SchemaVersion(ctx)
	if err != nil {
		return err
	}
	if have < want {
		return fmt.Errorf("the store of %s has schema version %d, this program needs %d: run lars db init", a.conf, have, want)
	}
	return do(s)
}
