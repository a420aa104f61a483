package config_test

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/lars-lb/lars/internal/config"
)

var update = flag.Bool("update", false, "write the messages of testdata/bad anew")

func TestMain(m *testing.M) {
	os.Unsetenv(config.PasswordVariable) // whoever runs the tests may have it set
	os.Exit(m.Run())
}

// loaders reads a file as one daemon does; a test file's name starts with the
// daemon that it is for.
var loaders = map[string]func(path string) (any, error){
	"dns":      func(path string) (any, error) { return anyOf(config.LoadDNS(path)) },
	"reporter": func(path string) (any, error) { return anyOf(config.LoadReporter(path)) },
	"agent":    func(path string) (any, error) { return anyOf(config.LoadAgent(path)) },
}

func anyOf[C any](c C, err error) (any, error) { return c, err }

func write(t *testing.T, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "test.conf")
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// Every file in testdata/bad is refused with exactly the message beside it.
func TestBadFiles(t *testing.T) {
	files, err := filepath.Glob("testdata/bad/*.conf")
	if err != nil || len(files) == 0 {
		t.Fatalf("no bad files: %v", err)
	}
	for _, path := range files {
		t.Run(filepath.Base(path), func(t *testing.T) {
			daemon, _, _ := strings.Cut(filepath.Base(path), "-")
			_, err := loaders[daemon](path)
			if err == nil {
				t.Fatal("the file was accepted")
			}
			golden := strings.TrimSuffix(path, ".conf") + ".err"
			if *update {
				if err := os.WriteFile(golden, []byte(err.Error()+"\n"), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, readError := os.ReadFile(golden)
			if readError != nil {
				t.Fatal(readError)
			}
			if got := err.Error() + "\n"; got != string(want) {
				t.Errorf("message:\n%swant:\n%s", got, want)
			}
		})
	}
}

func TestUnreadable(t *testing.T) {
	dir := t.TempDir()
	for name, load := range loaders {
		missing := filepath.Join(dir, "missing.conf")
		_, err := load(missing)
		if !errors.Is(err, fs.ErrNotExist) || err.Error() != missing+": cannot be read: no such file or directory" {
			t.Errorf("%s: a missing file: %v", name, err)
		}
		if _, err := load(dir); err == nil || err.Error() != dir+": cannot be read: is a directory" {
			t.Errorf("%s: a directory: %v", name, err)
		}
		large := write(t, strings.Repeat("; padding\n", 1<<17))
		if _, err := load(large); err == nil || !strings.Contains(err.Error(), "larger than 1048576 bytes") {
			t.Errorf("%s: a large file: %v", name, err)
		}
	}
}

func TestEmptyFileMeansDefaults(t *testing.T) {
	for _, content := range []string{"", "\n\n", "; nothing\n# here\n", "[log]\r\n[admin]\r\naddr =\r\n", "\ufeff[log]\nlevel = info"} {
		path := write(t, content)
		if c, err := config.LoadDNS(path); err != nil || c != config.DefaultDNS() {
			t.Errorf("%q: %+v, %v", content, c, err)
		}
		if c, err := config.LoadReporter(path); err != nil || c != config.DefaultReporter() {
			t.Errorf("%q: %+v, %v", content, c, err)
		}
		if c, err := config.LoadAgent(path); err != nil || c != config.DefaultAgent() {
			t.Errorf("%q: %+v, %v", content, c, err)
		}
	}
}

func TestLars1Files(t *testing.T) {
	dns := config.DefaultDNS()
	dns.Store.Driver, dns.Store.Password = config.MySQL, "aceld"
	if got, err := config.LoadDNS("testdata/lars1/lars_dns.conf"); err != nil || got != dns {
		t.Errorf("dns: %+v, %v", got, err)
	}
	reporter := config.DefaultReporter()
	reporter.Store = dns.Store
	if got, err := config.LoadReporter("testdata/lars1/lars_reporter.conf"); err != nil || got != reporter {
		t.Errorf("reporter: %+v, %v", got, err)
	}
	agent := config.DefaultAgent()
	agent.Balance.SuccRate = 0.95
	got, err := config.LoadAgent("testdata/lars1/lars_lb_agent.conf")
	if err != nil || got != agent || got.Balance.Policy != config.Classic || got.Balance.Check != config.CheckTCP {
		t.Errorf("agent: %+v, %v", got, err)
	}
}

func TestEveryKeyIsRead(t *testing.T) {
	const shared = `[log]
level = debug
format = json
[admin]
addr = 127.0.0.1:7780
`
	const server = `[reactor]
ip = 0.0.0.0 ; behind a value
port = 0
maxConn = 7
threadNum = 2
[mysql]
db_host = db.example.org
db_port = 3307
db_user = lars
db_passwd = x
db_name = prod
[store]
driver = sqlite
path = "/tmp/a b.db"
`
	reactor := config.Reactor{IP: netip.IPv4Unspecified(), MaxConn: 7, Threads: 2}
	store := config.Store{
		Driver: config.SQLite, Path: "/tmp/a b.db",
		Host: "db.example.org", Port: 3307, User: "lars", Password: "x", Name: "prod",
	}
	log := config.Log{Level: slog.LevelDebug, Format: "json"}
	admin := config.Admin{Addr: netip.MustParseAddrPort("127.0.0.1:7780")}

	dns := config.DNS{
		Reactor: reactor, Store: store, Log: log, Admin: admin,
		PollInterval: 250 * time.Millisecond, ReloadInterval: 1500 * time.Millisecond, ChangeRetention: time.Hour,
		SnapshotMaxAge: 7 * 24 * time.Hour, ShrinkConfirm: 0, // and no snapshot
	}
	got, err := config.LoadDNS(write(t, shared+server+"[dns]\npoll_interval=0.25\nreload_interval = 1.5s\nchange_retention = 3600 # an hour\n"+
		"snapshot = ; none\nsnapshot_max_age = 168h\nshrink_confirm = 0\n"))
	if err != nil || got != dns {
		t.Errorf("dns: %+v, %v", got, err)
	}
	if n := len(dns.Changed(config.DefaultDNS())); n != len(dns.Keys())-1 { // the driver is the default
		t.Errorf("%d of %d keys differ from the defaults: a key is not read", n, len(dns.Keys()))
	}

	reporter := config.Reporter{Reactor: reactor, Store: store, Log: log, Admin: admin, DBThreads: 64}
	if got, err := config.LoadReporter(write(t, shared+server+"[reporter]\ndb_thread_cnt = 64\nhistory_retention = 0\n")); err != nil || got != reporter {
		t.Errorf("reporter: %+v, %v", got, err)
	}
	if n := len(reporter.Changed(config.DefaultReporter())); n != len(reporter.Keys())-1 {
		t.Errorf("%d of %d keys differ from the defaults: a key is not read", n, len(reporter.Keys()))
	}

	agent := config.Agent{
		IP: netip.MustParseAddr("10.0.0.1"), Port: 65533, Log: log, Admin: admin,
		DNSServer: config.Peer{Host: "lars-dns", Port: 1, Endpoints: "10.0.0.1:7778, [::1]:1, dns-2:65535"},
		Reporter:  config.Peer{Host: "::1", Port: 65535, Endpoints: "b:7779"},

		Snapshot: "/var/lib/lars/a b", SnapshotMaxAge: 36 * time.Hour,
		Balance: config.Balance{
			Policy: config.Adaptive, Check: config.CheckNone, CheckTCP: "1:1, -5:2147483647", CheckNone: "2:-2", ProbeNum: 1, InitSuccCount: 0, InitErrCount: 1_000_000,
			ErrRate: 0, SuccRate: 1, ContinSuccLimit: 2, ContinErrLimit: 3, WindowErrRate: 0.25,
			IdleTimeout: 100 * time.Millisecond, OverloadTimeout: 24 * time.Hour,
			UpdateTimeout: 30 * time.Second, ReportTimeout: time.Hour,
		},
	}
	gotAgent, err := config.LoadAgent(write(t, shared+`[agent]
ip = 10.0.0.1
port = 65533
snapshot = /var/lib/lars/a b ; behind a value
snapshot_max_age = 36h
[dnsserver]
ip = lars-dns
port = 1
endpoints = 10.0.0.1:7778 ,[::1]:1,dns-2:65535 ; behind a value
[reporter]
ip = ::1
port = 65535
endpoints = b:7779
[loadbalance]
policy = adaptive
check = none
check_tcp = 1:1 ,-5:+2147483647 ; behind a value
check_none=2:-2
probe_num = 1
init_succ_cnt = 0
init_err_cnt = 1000000
err_rate = 0
succ_rate = 1
contin_succ_limit = 2
contin_err_limit = 3
window_err_rate = .25
idle_timeout = 100ms
overload_timeout = 24h
update_timeout = 30
report_timeout = 60m
`))
	if err != nil || gotAgent != agent {
		t.Errorf("agent: %+v, %v", gotAgent, err)
	}
	if n := len(agent.Changed(config.DefaultAgent())); n != len(agent.Keys()) {
		t.Errorf("%d of %d keys differ from the defaults: a key is not read", n, len(agent.Keys()))
	}
}

func TestStoreDriver(t *testing.T) {
	for content, want := range map[string]string{
		"":                                    config.SQLite,
		"[mysql]\n":                           config.MySQL,
		"[mysql]\ndb_name = x\n":              config.MySQL,
		"[store]\npath = x.db\n":              config.SQLite,
		"[store]\ndriver = mysql\n":           config.MySQL,
		"[store]\ndriver = sqlite\n[mysql]\n": config.SQLite,
		"[store]\npath = x.db\n[mysql]\n":     config.MySQL,
	} {
		if c, err := config.LoadReporter(write(t, content)); err != nil || c.Store.Driver != want {
			t.Errorf("%q: driver %q, %v; want %q", content, c.Store.Driver, err, want)
		}
	}
}

func TestPassword(t *testing.T) {
	for _, c := range []struct{ line, environment, want string }{
		{`db_passwd = p#ss;word`, "", "p#ss;word"},
		{`db_passwd=#;`, "", "#;"},
		{`db_passwd = a ; b`, "", "a ; b"},
		{`db_passwd = " p#ss;word "`, "", " p#ss;word "},
		{`db_passwd = "it's"`, "", "it's"},
		{`db_passwd = %(db_user)s`, "", "%(db_user)s"},
		{`db_passwd = back\`, "", `back\`},
		{`db_passwd = a=b`, "", "a=b"},
		{`db_passwd =`, "", ""},
		{`db_passwd = file`, "environment", "environment"},
		{``, "environment", "environment"},
	} {
		t.Setenv(config.PasswordVariable, c.environment)
		got, err := config.LoadDNS(write(t, "[mysql]\n"+c.line+"\n"))
		if err != nil || string(got.Store.Password) != c.want {
			t.Errorf("%s with %s=%q: %q, %v; want %q", c.line, config.PasswordVariable, c.environment, string(got.Store.Password), err, c.want)
		}
	}
}

func TestSecretIsNotShown(t *testing.T) {
	store := config.Store{Password: "hunter2"}
	encoded, err := json.Marshal(store)
	if err != nil {
		t.Fatal(err)
	}
	var logged strings.Builder
	slog.New(slog.NewTextHandler(&logged, nil)).Info("start", "store", store, "password", store.Password)
	for _, shown := range []string{fmt.Sprint(store), fmt.Sprintf("%+v %#v %q", store, store, store.Password), string(encoded), logged.String()} {
		if strings.Contains(shown, "hunter2") {
			t.Errorf("shown: %s", shown)
		}
	}
}
