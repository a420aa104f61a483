package config

import "os"

// PasswordVariable is the environment variable that overrides [mysql]
// db_passwd, so that the password need not stand in a file. An empty value
// overrides nothing.
const PasswordVariable = "LARS_MYSQL_PASSWORD"

// The values of [store] driver.
const (
	SQLite = "sqlite"
	MySQL  = "mysql"
)

// Store is where routes and call status are kept: the sections [store] and
// [mysql].
type Store struct {
	Driver   string  // SQLite or MySQL; default MySQL when the file has [mysql], else SQLite
	Path     string  // the SQLite file, relative to the working directory; default var/lars.db
	Host     Servers // MySQL servers in the order of preference; default 127.0.0.1
	Port     uint16  // of those that name none; default 3306, 1 to 65535
	User     string  // default root
	Password Secret  // default none
	Name     string  // database; default lars_dns
}

func defaultStore() Store {
	return Store{
		Driver: SQLite, Path: "var/lars.db",
		Host: "127.0.0.1", Port: 3306, User: "root", Name: "lars_dns",
	}
}

func (s *Store) keys() []key {
	hosts := bind("mysql", "db_host", &s.Host, servers())
	hosts.clash = func() string {
		if s.Host.wrong() != "" {
			return "" // said already
		}
		return s.Host.twice(s.Port)
	}
	return []key{
		bind("store", "driver", &s.Driver, oneOf(SQLite, MySQL)),
		bind("store", "path", &s.Path, text("the name of a file")),
		hosts,
		bind("mysql", "db_port", &s.Port, port(1, 65535)),
		bind("mysql", "db_user", &s.User, text("the name of a database user")),
		bind("mysql", "db_passwd", &s.Password, secret()),
		bind("mysql", "db_name", &s.Name, text("the name of a database")),
	}
}

// loadWithStore loads a file that has the sections of a store, which is among
// the fields that keys are bound to.
func loadWithStore(path string, s *Store, keys []key, aliases map[string]string) error {
	s.Driver = ""
	sections, err := load(path, keys, aliases)
	if err != nil {
		return err
	}
	if s.Driver == "" {
		s.Driver = SQLite
		if sections["mysql"] {
			s.Driver = MySQL
		}
	}
	if password := os.Getenv(PasswordVariable); password != "" {
		s.Password = Secret(password)
	}
	return nil
}

// Secret is a text that is not shown when it is printed, logged or encoded;
// string(s) is the text itself.
type Secret string

// String returns a mask, which does not tell the length; nothing for nothing.
func (s Secret) String() string {
	if s == "" {
		return ""
	}
	return "******"
}

// GoString masks s where %#v prints it.
func (s Secret) GoString() string { return s.String() }

// MarshalText masks s where it is encoded, in JSON for example.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }
