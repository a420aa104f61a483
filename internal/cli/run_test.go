package cli_test

import (
	"strings"
	"testing"
)

func TestUsage(t *testing.T) {
	t.Setenv("LARS_AGENT", "")
	t.Setenv("LARS_CONF", "")
	t.Setenv("LARS_ADMIN", "")
	t.Setenv("LARS_DNS_ADMIN", "")
	for _, row := range []struct{ line, says string }{
		{"nonsense", `lars: no command "nonsense"`},
		{"rout", `lars: no command "rout"; did you mean route?`},
		{"route ad 1", `lars: route has no command "ad"; did you mean add`},
		{"route nonsense 1 1", `lars: route has no command "nonsense"`},
		{"name nonsense", `lars: name has no command "nonsense"`},
		{"name mod list", `lars: name mod has no command "list"`},
		{"db nonsense", `lars: db has no command "nonsense"`},
		{"completion nonsense", `lars: completion has no command "nonsense"`},
		{"help nonsense", `lars: no command "nonsense"`},
		{"help route ad", `lars: route has no command "ad"; did you mean add`},
		{"-5", "lars: no command \"-5\"\n"},
		{"nonsense", "\nusage: lars COMMAND\nlars --help says more.\n"},
		{"name mod nonsense", "\nusage: lars name mod COMMAND\n"},
		{"route nonsense", "\nusage: lars route {COMMAND | MODID CMDID}\n"},
		{"route 1", "lars: CMDID is missing: route wants MODID CMDID\n"},
		{"route -5", "lars: CMDID is missing: route wants MODID CMDID\n"},
		{"route 1 1 1", "lars: route wants MODID CMDID, got 3 arguments\n"},
		{"get", "lars: get wants MODID CMDID, got 0 arguments\n"},
		{"get -5", "lars: get wants MODID CMDID, got 1 argument\n"},
		{"get 1 1 1", "lars: get wants MODID CMDID, got 3 arguments\n"},
		{"db init now", "lars: db init wants no arguments, got 1 argument\n"},
		{"get one 1", `MODID "one" is not a whole number from -2147483648 to 2147483647`},
		{"get 1 2147483648", `CMDID "2147483648" is not a whole number`},
		{"get -2147483649 1", `MODID "-2147483649" is not a whole number`},
		{"get 1 1 --nonsense", "unknown flag: --nonsense"},
		{"get 1 1 --timeout 1h", "timeout 1h0m0s: must be from 1ms to 1m"},
		{"get -2.5 1", `MODID "-2.5" is not a whole number`},
		{"get -99999999999999999999 1", `MODID "-99999999999999999999" is not a whole number`},
		{"get 1 1 --timeout 0", "--timeout 0s: must be from 1ms to 1m"},
		{"get 1 1 --timeout -1s", "timeout -1s: must be from 1ms to 1m"},
		{"get 1 1 --timeout soon", `invalid argument "soon" for "--timeout" flag: want a duration such as 500ms or 3s`},
		{"get 1 1 --timeout 5", "want a duration such as 500ms or 3s"},
		{"get -5 1 --timeout", "flag needs an argument: --timeout"},
		{"get 1 1 --agent nonsense", `"nonsense" is not IP:PORT`},
		{"route 1 one", `CMDID "one" is not a whole number`},
		{"route add 1 1", "lars: route add wants MODID CMDID IP:PORT..., got 2 arguments\n"},
		{"route add 1 1 10.0.0.1", `host "10.0.0.1" is not IPv4:PORT`},
		{"route add 1 1 10.0.0.1:0", "a port of 1 to 65535"},
		{"route add 1 x 10.0.0.1:1", `CMDID "x"`},
		{"route add 1 1 10.0.0.1:1 --weight -1", `invalid argument "-1" for "--weight" flag: want a whole number from 0 to 10000`},
		{"route add 1 1 10.0.0.1:1 --weight 10001", "want a whole number from 0 to 10000"},
		{"route weight 1 1 50", "lars: route weight wants MODID CMDID WEIGHT IP:PORT..., got 3 arguments\n"},
		{"route weight 1 1 10001 10.0.0.1:1", `WEIGHT "10001" is not a whole number from 0 to 10000`},
		{"route weight 1 1 99999999999999999999 10.0.0.1:1", `WEIGHT "99999999999999999999" is not`},
		{"route weight 1 1 -1 10.0.0.1:1", `WEIGHT "-1" is not a whole number from 0 to 10000`},
		{"route weight 1 1 half 10.0.0.1:1", `WEIGHT "half" is not a whole number from 0 to 10000`},
		{"route weight 1 1 50 10.0.0.1", `host "10.0.0.1" is not IPv4:PORT`},
		{"route weight x 1 50 10.0.0.1:1", `MODID "x"`},
		{"route drain 1 1", "lars: route drain wants MODID CMDID IP:PORT..., got 2 arguments\n"},
		{"route drain 1 1 10.0.0.1:x", `host "10.0.0.1:x" is not IPv4:PORT`},
		{"route undrain 1 x 10.0.0.1:1", `CMDID "x"`},
		{"route undrain 1 1 10.0.0.1:1 --weight 0", `invalid argument "0" for "--weight" flag: want a whole number from 1 to 10000`},
		{"route rm 1 1", "say which hosts of (1,1) to remove: IP:PORT..., or --all"},
		{"route rm 1 1 10.0.0.1:1 --all", "say which hosts of (1,1) to remove"},
		{"route rm 1", "route rm wants MODID CMDID [IP:PORT...], got 1 argument"},
		{"route ls 1 2 3", "route ls wants [MODID [CMDID]], got 3 arguments"},
		{"route ls x", `MODID "x"`},
		{"route ls 1 y", `CMDID "y"`},
		{"route import", "route import wants FILE|-, got 0 arguments"},
		{"name mod set 1", "lars: name mod set wants MODID TEXT, got 1 argument\n"},
		{"name mod set 1 user service", "got 3 arguments; quote a TEXT that has spaces"},
		{"name mod set 1 a\aalarm", `TEXT "a\aalarm" has characters that cannot be shown`},
		{"name cmd set 1 \xff", `TEXT "\xff" has characters that cannot be shown`},
		{"name cmd set x y", `CMDID "x"`},
		{"name cmd rm x", `CMDID "x"`},
		{"register 1 x", `CMDID "x"`},
		{"agent nonsense", `lars: agent has no command "nonsense"`},
		{"agent host 1 1", `lars: agent has no command "host"; did you mean hosts?`},
		{"agent hosts 1", "lars: agent hosts wants MODID CMDID, got 1 argument\n"},
		{"agent hosts -5 x", `CMDID "x"`},
		{"agent modules 1", "lars: agent modules wants no arguments, got 1 argument\n"},
		{"agent modules --admin nonsense", `--admin "nonsense" is not IP:PORT, such as 127.0.0.1:7782`},
		{"agent modules --admin :7782", `--admin ":7782" is not IP:PORT`},
		{"agent modules --admin a b:1", "agent modules wants no arguments"},
		{"agent modules --admin 127.0.0.1:0", `--admin "127.0.0.1:0" is not IP:PORT`},
		{"agent modules --admin 127.0.0.1:http", `--admin "127.0.0.1:http" is not IP:PORT`},
		{"agent modules --timeout 0", "--timeout 0s: must be from 1ms to 1m"},
		{"agent hosts 1 1 --interval 2s", "--interval goes with --watch"},
		{"agent hosts 1 1 --watch --interval 1ms", "--interval 1ms: must be from 100ms to 1m0s"},
		{"agent hosts 1 1 --watch --interval often", "want a duration such as 500ms or 3s"},
		{"dns nonsense", `lars: dns has no command "nonsense"`},
		{"dns accept now", "lars: dns accept wants no arguments, got 1 argument\n"},
		{"dns status --admin nonsense", `--admin "nonsense" is not IP:PORT, such as 127.0.0.1:7780`},
		{"dns status --admin a:1 --timeout 0", "--timeout 0s: must be from 1ms to 1m"},
		{"report 1 1 10.0.0.1:1", "report wants MODID CMDID IP:PORT RETCODE, got 3 arguments"},
		{"report 1 x 10.0.0.1:1 0", `CMDID "x"`},
		{"report 1 1 host 0", `host "host" is not IPv4:PORT`},
		{"report 1 1 10.0.0.1:1 ok", `RETCODE "ok"`},
		{"report 1 1 10.0.0.1:1 0 --cost -1s", "--cost -1s is negative"},
		{"simulate x 1", `MODID "x"`},
		{"report -1 1 10.0.0.1:1 0 --cost long", "want a duration"},
		{"simulate 1 1 --calls 0", "--calls 0: must be at least 1"},
		{"simulate 1 1 --calls -4", "--calls -4: must be at least 1"},
		{"simulate -1 -1 --calls -4", "--calls -4: must be at least 1"},
		{"simulate 1 1 --calls all", `invalid argument "all" for "--calls" flag: want a whole number`},
		{"simulate 1 1 --seed -4", `invalid argument "-4" for "--seed" flag: want a whole number from 0`},
		{"simulate 1 1 --err-rate some", "want a number such as 0.25"},
		{"simulate 1 1 --err-rate -0.5", "--err-rate -0.5: must be from 0 to 1"},
		{"simulate 1 1 --err-rate 1.1", "--err-rate 1.1: must be from 0 to 1"},
		{"simulate 1 1 --err-rate NaN", "--err-rate NaN: must be from 0 to 1"},
		{"simulate 1 1 --host-err 10.0.0.1:1", "want IP:PORT=SHARE"},
		{"simulate 1 1 --host-err x=1", `host "x" is not IPv4:PORT`},
		{"simulate 1 1 --host-err 10.0.0.1:1=2", "--host-err 10.0.0.1:1=2: must be from 0 to 1"},
		{"simulate 1 1 --rate 1000001", "--rate 1000001: must be from 0 to 1000000"},
		{"sim refuse-1of1O", `lars: no scenario "refuse-1of1O"; did you mean refuse-1of10`},
		{"sim lst", `lars: no scenario "lst"; did you mean list?`},
		{"sim nonsense", `lars: no scenario "nonsense"; lars sim list shows all`},
		{"sim natural", "natural is a group of scenarios: say --group natural"},
		{"sim --group natral", `no group "natral"; did you mean natural?`},
		{"sim --group x", `no group "x"; there are reference, sizes,`},
		{"sim --algorithms envy", `no algorithm "envy"; did you mean envoy?`},
		{"sim --algorithms envoy,x", `no algorithm "x"; there are oracle, round-robin,`},
		{"sim --seeds 0", "--seeds 0: must be from 1 to 1000"},
		{"sim --seeds some", "want a whole number"},
		{"sim --seed -1", "want a whole number from 0"},
		{"sim --json --markdown", "--json and --markdown exclude each other"},
		{"sim --live well-10h --algorithms envoy", "--algorithms envoy: only classic and adaptive can be played live"},
		{"sim --live agents-20", "agents-20 cannot be played live: it has several agents"},
		{"sim --live --group fleet", "none of these scenarios can be played live"},
		{"sim --live --live-seconds 2", "--live-seconds 2: must be from 6 to 3600"},
		{"sim --live --seeds 2", "--seeds does not go with --live"},
		{"sim --bin bin", "--bin needs --live"},
		{"sim --shares", "--shares needs --json"},
		{"sim --svg /no/such/folder/x.svg", "--svg: stat /no/such/folder: no such file or directory"},
		{"sim list all", "sim list wants no arguments, got 1 argument"},
		{"simulate 1 1 --cost -1s", "--cost -1s is negative"},
	} {
		checkFails(t, row.line, 2, row.says)
	}
}

// TestHelp holds every command to a description and an example.
func TestHelp(t *testing.T) {
	for _, line := range []string{
		"", "route", "route add", "route rm", "route ls", "route weight", "route drain", "route undrain", "route import", "route export",
		"name", "name mod", "name mod set", "name mod rm", "name mod ls", "name cmd", "name cmd set", "name cmd rm", "name cmd ls",
		"db", "db init", "db version", "get", "register", "report", "simulate", "sim", "sim list", "sim incident", "version",
		"agent", "agent modules", "agent hosts", "dns", "dns status", "dns accept", "doctor",
	} {
		r := lars(t, line+" --help")
		if r.code != 0 || r.err != "" || !strings.Contains(r.out, "Examples:\n  lars "+line) || !strings.Contains(r.out, "--json") {
			t.Errorf("lars %s --help: exit %d\n%s%s", line, r.code, r.out, r.err)
		}
	}
	for _, group := range []string{"", "route", "name", "name mod", "db", "agent", "dns"} {
		if r := lars(t, group); r.code != 0 || !strings.Contains(r.out, "Available Commands:") {
			t.Errorf("lars %s: exit %d\n%s%s", group, r.code, r.out, r.err)
		}
	}
	for _, line := range []string{"help route add", "route add --help"} {
		if r := lars(t, line); r.code != 0 || r.err != "" || !strings.Contains(r.out, "Usage:\n  lars route add MODID CMDID IP:PORT... [flags]\n") {
			t.Errorf("lars %s: exit %d\n%s%s", line, r.code, r.out, r.err)
		}
	}
	for _, line := range []string{"", "help", "completion"} {
		if r := lars(t, line); r.code != 0 || r.err != "" || !strings.Contains(r.out, " COMMAND\n") || strings.Contains(r.out, "[command]") {
			t.Errorf("lars %s: exit %d\n%s%s", line, r.code, r.out, r.err)
		}
	}
	if r := lars(t, "__complete get -5 1 --ag"); r.code != 0 || !strings.HasPrefix(r.out, "--agent\t") {
		t.Errorf("completion behind a negative number: exit %d, %q", r.code, r.out)
	}
	if r := lars(t, "__complete help rou"); r.code != 0 || !strings.HasPrefix(r.out, "route\t") {
		t.Errorf("completion of help: exit %d, %q", r.code, r.out)
	}
	if r := lars(t, "completion bash"); r.code != 0 || !strings.Contains(r.out, "bash completion") {
		t.Errorf("completion: exit %d, %s", r.code, r.err)
	}
	if r := lars(t, "__complete route undrain -5 1 --we"); r.code != 0 || !strings.HasPrefix(r.out, "--weight\t") {
		t.Errorf("completion of a flag: exit %d, %q", r.code, r.out)
	}
	if r := lars(t, "__complete route drain 1 1 "); r.code != 0 || !strings.HasPrefix(r.out, ":4\n") {
		t.Errorf("completion of a host: exit %d, %q", r.code, r.out)
	}
	if r := lars(t, "__complete agent h"); r.code != 0 || !strings.HasPrefix(r.out, "hosts\t") {
		t.Errorf("completion of an agent command: exit %d, %q", r.code, r.out)
	}
	if r := lars(t, "__complete agent hosts -5 1 --adm"); r.code != 0 || !strings.HasPrefix(r.out, "--admin\t") {
		t.Errorf("completion of an agent flag: exit %d, %q", r.code, r.out)
	}
	if r := lars(t, "__complete route i"); r.code != 0 || !strings.HasPrefix(r.out, "import\t") {
		t.Errorf("completion of a command: exit %d, %q", r.code, r.out)
	}
}

func TestVersion(t *testing.T) {
	check(t, "--version", "lars v1.2.3\n")
	if r := lars(t, "version"); r.code != 0 || !strings.HasPrefix(r.out, "lars v1.2.3 go1.") {
		t.Errorf("version: %+v", r)
	}
	if r := lars(t, "version --json"); r.code != 0 || !strings.Contains(r.out, `"version": "v1.2.3"`) {
		t.Errorf("version: %+v", r)
	}
}
