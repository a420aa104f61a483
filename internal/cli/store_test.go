package cli_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestDB(t *testing.T) {
	dir := useEmptyStore(t)
	file := filepath.Join(dir, "lars.db")
	for _, line := range []string{"db version", "db version --json", "route ls", "name cmd ls", "counts", "route export x.csv"} {
		checkFails(t, line, 1, "lars: sqlite "+file+", named by "+dir, "there is no such file; run lars db init")
	}
	if _, err := os.Stat(file); err == nil {
		t.Error("looking at a store created it")
	}
	writeFile(t, file, "") // as daemons of another version might have left it
	var before struct{ Have, Want int64 }
	if err := json.Unmarshal([]byte(lars(t, "db version --json").out), &before); err != nil || before.Have != 0 || before.Want < 1 {
		t.Fatalf("the version of an empty store is %+v, %v", before, err)
	}
	check(t, "db version", fmt.Sprintf("sqlite %s has schema version 0, this program needs %d\nrun: lars db init\n", file, before.Want))
	for _, line := range []string{"route ls", "route add 1 1 10.0.0.1:80", "name mod ls", "route export"} {
		checkFails(t, line, 1, "lars: sqlite "+file+" has schema version 0", "run lars db init")
	}
	check(t, "db init", fmt.Sprintf("sqlite %s went from schema version 0 to %d\n", file, before.Want))
	check(t, "db init", fmt.Sprintf("sqlite %s is up to date, at schema version %d\n", file, before.Want))
	checkJSON(t, "db init", fmt.Sprintf(`{"from": %d, "to": %[1]d}`, before.Want))
	checkJSON(t, "db version", fmt.Sprintf(`{"have": %d, "want": %[1]d}`, before.Want))
	checkEmpty(t, "route ls", "MODID  CMDID  NAME  HOST  WEIGHT\n", "no routes: lars route add MODID CMDID IP:PORT adds one\n")
}

func TestConfiguration(t *testing.T) {
	dir := useStore(t)
	missing := filepath.Join(dir, "none.conf")
	checkBadConf(t, "route ls --conf "+missing, missing, "--conf FILE or LARS_CONF")
	checkBadConf(t, "route ls --conf -5", "lars: -5: cannot be read: ", "--conf FILE or LARS_CONF")
	checkBadConf(t, "route ls -7 --conf -5", "lars: -5: cannot be read: ")
	bad := filepath.Join(dir, "bad.conf")
	writeFile(t, bad, "[store]\ndriver = paper\n")
	checkBadConf(t, "route ls --conf "+bad, bad+":2", `"paper"`)
	t.Setenv("LARS_CONF", bad)
	checkBadConf(t, "db version", bad+":2")

	// A relative path is named as the absolute one that it stands for.
	t.Chdir(dir)
	writeFile(t, "relative.conf", "[store]\ndriver = sqlite\npath = none.db\n")
	checkFails(t, "route ls --conf relative.conf", 1, "sqlite "+filepath.Join(dir, "none.db")+", named by relative.conf")
}

// checkBadConf runs a command line whose configuration is at fault: the status
// is that of the daemons, and how to call the command is beside the point.
func checkBadConf(t *testing.T, line string, says ...string) {
	t.Helper()
	r := lars(t, line)
	if r.code != 2 || r.out != "" || !strings.HasPrefix(r.err, "lars: ") || strings.Contains(r.err, "usage:") {
		t.Errorf("lars %s: %+v; want exit 2 and only a message", line, r)
	}
	for _, s := range says {
		if !strings.Contains(r.err, s) {
			t.Errorf("lars %s: %q does not say %q", line, r.err, s)
		}
	}
}

func TestNames(t *testing.T) {
	useStore(t)
	checkEmpty(t, "name mod ls", "MODID  NAME\n", "no names: lars name mod set MODID TEXT gives one\n")
	if r := larsWith(t, "", "name", "mod", "set", "2", " user service "); r != (result{0, "modid 2 is \"user service\"\n", ""}) {
		t.Errorf("a quoted name: %+v", r)
	}
	check(t, "name mod set -5 odd", "modid -5 is \"odd\"\n")
	check(t, "name mod set 2 payment", "modid 2 is \"payment\"\n")
	checkJSON(t, "name cmd set 1 login", `{"id": 1, "name": "login"}`)
	check(t, "name mod ls", "MODID  NAME\n-5     odd\n2      payment\n")
	checkJSON(t, "name cmd ls", `[{"id": 1, "name": "login"}]`)

	check(t, "route add 2 1 10.0.0.1:80", "added 1 host to (2,1)\n")
	check(t, "route add 2 2 10.0.0.1:80", "added 1 host to (2,2)\n")
	check(t, "route add 3 1 10.0.0.1:80", "added 1 host to (3,1)\n")
	check(t, "route add 3 3 10.0.0.1:80", "added 1 host to (3,3)\n")
	check(t, "route ls", `MODID  CMDID  NAME             HOST         WEIGHT
2      1      payment / login  10.0.0.1:80  100
2      2      payment / -      10.0.0.1:80  100
3      1      - / login        10.0.0.1:80  100
3      3      -                10.0.0.1:80  100
`)
	checkJSON(t, "route ls 2 1", `[{"modid": 2, "cmdid": 1, "mod_name": "payment", "cmd_name": "login", "hosts": ["10.0.0.1:80"], "weights": {"10.0.0.1:80": 100}}]`)

	check(t, "name mod rm 2", "removed the name of modid 2\n")
	check(t, "name mod rm 2", "modid 2 had no name\n")
	checkJSON(t, "name cmd rm 1", `{"id": 1, "removed": true}`)
	checkJSON(t, "name cmd rm 1", `{"id": 1, "removed": false}`)
	for _, text := range []string{"", "  ", "two\nlines"} {
		if r := larsWith(t, "", "name", "mod", "set", "1", text); r.code != 2 || !strings.HasPrefix(r.err, "lars: TEXT ") {
			t.Errorf("the name %q: %+v", text, r)
		}
	}
	for line, says := range map[string]string{
		"name --help":         "A cmdid's name holds for that cmdid of all modids",
		"name cmd set --help": "that cmdid of every modid",
		"name cmd --help":     "lars name cmd set 1 \"refund a payment\"\n  lars name cmd ls\n",
	} {
		if r := lars(t, line); !strings.Contains(r.out, says) {
			t.Errorf("lars %s does not say %q:\n%s", line, says, r.out)
		}
	}
}
