package store

import (
	"errors"
	"fmt"
	"strings"

	"github.com/lars-lb/lars/internal/config"
)

// Drivers a Config may name.
const (
	SQLite = config.SQLite
	MySQL  = config.MySQL
)

// Config says where the tables are.
type Config struct {
	// Driver is SQLite or MySQL (MariaDB too).
	Driver string

	// Path is SQLite's file. Migrate creates it, and its folder, when missing.
	Path string

	// Host, Port, User, Password and Name are MySQL's servers, login and
	// database. The database must exist. Host may name several servers of one
	// cluster in the order of preference, with commas between; Port is of those
	// that name none.
	Host     string
	Port     uint16
	User     string
	Password string
	Name     string
}

// DefaultConfig is the embedded store in the working directory.
func DefaultConfig() Config { return ConfigFrom(config.DefaultDNS().Store) }

// ConfigFrom converts what a configuration file says.
func ConfigFrom(c config.Store) Config {
	return Config{
		Driver: c.Driver, Path: c.Path,
		Host: string(c.Host), Port: c.Port, User: c.User, Password: string(c.Password), Name: c.Name,
	}
}

// Addrs returns host and port of each of MySQL's servers, in the order of
// preference.
func (c Config) Addrs() ([]string, error) { return config.Servers(c.Host).Addrs(c.Port) }

// Validate says what is wrong with c. Fields of the other driver are ignored.
func (c Config) Validate() error {
	switch c.Driver {
	case SQLite:
		if c.Path == "" {
			return errors.New("store: the sqlite driver needs the path of a file")
		}
		if strings.Contains(c.Path, ":memory:") {
			return fmt.Errorf("store: path %q: a database in memory cannot be shared by the daemons, name a file", c.Path)
		}
	case MySQL:
		switch {
		case c.Host == "":
			return errors.New("store: the mysql driver needs a host")
		case c.Port == 0:
			return errors.New("store: the mysql driver needs a port of 1 to 65535")
		case c.User == "":
			return errors.New("store: the mysql driver needs a user")
		case c.Name == "":
			return errors.New("store: the mysql driver needs the name of a database")
		}
		if _, err := c.Addrs(); err != nil {
			return fmt.Errorf("store: host %q: %w", c.Host, err)
		}
	default:
		return fmt.Errorf("store: unknown driver %q, it is %q or %q", c.Driver, SQLite, MySQL)
	}
	return nil
}
