package cli_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/lars-lb/lars/internal/route"
)

func TestRoutes(t *testing.T) {
	useStore(t)
	check(t, "route add 1 1 192.168.1.177:7777 192.168.1.178:7777", "added 2 hosts to (1,1)\n")
	check(t, "route add 1 1 192.168.1.177:7777 192.168.1.179:7777", "added 1 host to (1,1)\n")
	check(t, "route add -5 1 10.0.0.1:80", "added 1 host to (-5,1)\n")
	checkJSON(t, "route add 1 -2 10.0.0.1:80", `{"modid": 1, "cmdid": -2, "added": 1, "reweighed": 0}`)
	check(t, "route ls", `MODID  CMDID  NAME  HOST                WEIGHT
-5     1      -     10.0.0.1:80         100
1      -2     -     10.0.0.1:80         100
1      1      -     192.168.1.177:7777  100
1      1      -     192.168.1.178:7777  100
1      1      -     192.168.1.179:7777  100
`)
	check(t, "route ls -5", "MODID  CMDID  NAME  HOST         WEIGHT\n-5     1      -     10.0.0.1:80  100\n")
	checkJSON(t, "route ls 1", `[{"modid": 1, "cmdid": -2, "hosts": ["10.0.0.1:80"], "weights": {"10.0.0.1:80": 100}},
		{"modid": 1, "cmdid": 1, "hosts": ["192.168.1.177:7777", "192.168.1.178:7777", "192.168.1.179:7777"],
			"weights": {"192.168.1.177:7777": 100, "192.168.1.178:7777": 100, "192.168.1.179:7777": 100}}]`)
	checkJSON(t, "route ls 1 -2", `[{"modid": 1, "cmdid": -2, "hosts": ["10.0.0.1:80"], "weights": {"10.0.0.1:80": 100}}]`)
	checkEmpty(t, "route ls 7 7", "MODID  CMDID  NAME  HOST  WEIGHT\n", "no routes with these numbers: lars route add MODID CMDID IP:PORT adds one\n")

	check(t, "route rm 1 1 192.168.1.177:7777 1.1.1.1:1", "removed 1 host from (1,1)\n")
	checkJSON(t, "route rm 1 1 1.1.1.1:1", `{"modid": 1, "cmdid": 1, "removed": 0}`)
	check(t, "route rm 1 1 --all", "removed 2 hosts from (1,1)\n")
	check(t, "route rm 1 1 --all", "removed 0 hosts from (1,1)\n")
	check(t, "route rm -5 1 10.0.0.1:80", "removed 1 host from (-5,1)\n")
	checkJSON(t, "route ls", `[{"modid": 1, "cmdid": -2, "hosts": ["10.0.0.1:80"], "weights": {"10.0.0.1:80": 100}}]`)
}

// hostNames returns n hosts as IP:PORT.
func hostNames(n int) []string {
	names := make([]string, n)
	for i := range names {
		names[i] = route.Host{IP: 10<<24 + uint32(i), Port: 80}.String()
	}
	return names
}

// TestTooManyHosts refuses the 3,001st host by every way in.
func TestTooManyHosts(t *testing.T) {
	useStore(t)
	names := hostNames(route.MaxHosts + 1)
	check(t, "route add 1 1 "+strings.Join(names[:route.MaxHosts], " "), "added 3000 hosts to (1,1)\n")
	one := names[route.MaxHosts]
	checkFails(t, "route add 1 1 "+one, 1, "too many hosts", "(1,1)", "3000")
	csv := fmt.Sprintf("2,2,10.0.0.1,80\n1,1,%s,%s\n", one[:len(one)-3], one[len(one)-2:])
	for _, args := range [][]string{{"route", "import", "-"}, {"route", "import", "--dry-run", "-"}} {
		if r := larsWith(t, csv, args...); r.code != 1 || r.out != "" || !strings.Contains(r.err, "too many hosts: module (1,1)") {
			t.Errorf("%v: %+v", args, r)
		}
	}
	checkJSON(t, "route ls 2", `[]`)
	if r := larsWith(t, csv, "route", "import", "--replace", "--yes", "-"); r.code != 0 || r.out != "changed 2 modules; the store has 2 routes now\n" {
		t.Errorf("replacing the full module: %+v", r)
	}
}
