package cli_test

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"testing"
)

func TestDB(t *testing.T) {
	dir := useEmptyStore(t)
	var before struct{ Have, Want int64 }
	if err := json.Unmarshal([]byte(lars(t, "db version --json").out), &before); err != nil || before.Have != 0 || before.Want < 1 {
		t.Fatalf("the version of an empty store is %+v, %v", before, err)
	}
	check(t, "db version", fmt.Sprintf("the store has schema version 0, this program needs %d\nrun: lars db init\n", before.Want))
	for _, line := range []string{"route ls", "route add 1 1 10.0.0.1:80", "name mod ls", "route export"} {
		checkFails(t, line, 1, "schema version 0", "run lars db init", dir)
	}
	check(t, "db init", fmt.Sprintf("the store went from schema version 0 to %d\n", before.Want))
	check(t, "db init", fmt.Sprintf("the store is up to date, at schema version %d\n", before.Want))
	checkJSON(t, "db init", fmt.Sprintf(`{"from": %d, "to": %[1]d}`, before.Want))
	checkJSON(t, "db version", fmt.Sprintf(`{"have": %d, "want": %[1]d}`, before.Want))
	check(t, "route ls", "MODID  CMDID  NAME  HOST\n")
}

func TestConfiguration(t *testing.T) {
	dir := useStore(t)
	missing := filepath.Join(dir, "none.conf")
	checkFails(t, "route ls --conf "+missing, 1, missing, "--conf FILE or LARS_CONF")
	bad := filepath.Join(dir, "bad.conf")
	writeFile(t, bad, "[store]\ndriver = paper\n")
	checkFails(t, "route ls --conf "+bad, 1, bad+":2", `"paper"`)
	t.Setenv("LARS_CONF", bad)
	checkFails(t, "db version", 1, bad+":2")
}

func TestNames(t *testing.T) {
	useStore(t)
	check(t, "name mod ls", "MODID  NAME\n")
	checkJSON(t, "name mod ls", `[]`)
	check(t, "name mod set 2 user service", "modid 2 is \"user service\"\n")
	check(t, "name mod set -5 odd", "modid -5 is \"odd\"\n")
	check(t, "name mod set 2 payment", "modid 2 is \"payment\"\n")
	checkJSON(t, "name cmd set 1 login", `{"id": 1, "name": "login"}`)
	check(t, "name mod ls", "MODID  NAME\n-5     odd\n2      payment\n")
	checkJSON(t, "name cmd ls", `[{"id": 1, "name": "login"}]`)

	check(t, "route add 2 1 10.0.0.1:80", "added 1 host to (2,1)\n")
	check(t, "route add 2 2 10.0.0.1:80", "added 1 host to (2,2)\n")
	check(t, "route add 3 1 10.0.0.1:80", "added 1 host to (3,1)\n")
	check(t, "route add 3 3 10.0.0.1:80", "added 1 host to (3,3)\n")
	check(t, "route ls", `MODID  CMDID  NAME             HOST
2      1      payment / login  10.0.0.1:80
2      2      payment / -      10.0.0.1:80
3      1      - / login        10.0.0.1:80
3      3      -                10.0.0.1:80
`)
	checkJSON(t, "route ls 2 1", `[{"modid": 2, "cmdid": 1, "mod_name": "payment", "cmd_name": "login", "hosts": ["10.0.0.1:80"]}]`)

	check(t, "name mod rm 2", "removed the name of modid 2\n")
	check(t, "name mod rm 2", "modid 2 had no name\n")
	checkJSON(t, "name cmd rm 1", `{"id": 1, "removed": true}`)
	checkJSON(t, "name cmd rm 1", `{"id": 1, "removed": false}`)
	if r := larsWith(t, "", "name", "mod", "set", "1", "  "); r.code != 1 {
		t.Errorf("an empty name: %+v", r)
	}
}
