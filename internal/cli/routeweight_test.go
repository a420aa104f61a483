package cli_test

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
)

func TestWeights(t *testing.T) {
	useStore(t)
	check(t, "route add -5 1 10.0.0.1:80 10.0.0.2:80", "added 2 hosts to (-5,1)\n")
	check(t, "route weight -5 1 50 10.0.0.1:80 10.0.0.2:80", "changed the weight of 2 hosts of (-5,1) to 50\n")
	checkJSON(t, "route weight -5 1 50 10.0.0.1:80", `{"modid": -5, "cmdid": 1, "weight": 50, "changed": 0}`)
	check(t, "route drain -5 1 10.0.0.2:80", "drained 1 host of (-5,1)\n")
	check(t, "route ls", `MODID  CMDID  NAME  HOST         WEIGHT
-5     1      -     10.0.0.1:80  50
-5     1      -     10.0.0.2:80  0 (drained)
`)
	checkJSON(t, "route ls", `[{"modid": -5, "cmdid": 1, "hosts": ["10.0.0.1:80", "10.0.0.2:80"],
		"weights": {"10.0.0.1:80": 50, "10.0.0.2:80": 0}}]`)
	check(t, "route undrain -5 1 10.0.0.2:80", "gave 1 host of (-5,1) the weight 100\n")
	check(t, "route undrain -5 1 10.0.0.2:80 --weight 10000", "gave 1 host of (-5,1) the weight 10000\n")
	checkJSON(t, "route undrain -5 1 10.0.0.1:80", `{"modid": -5, "cmdid": 1, "weight": 100, "changed": 1}`)

	// Adding leaves weights alone unless it names one.
	check(t, "route add -5 1 10.0.0.2:80", "added 0 hosts to (-5,1)\n")
	check(t, "route add -5 1 10.0.0.2:80 10.0.0.3:80 --weight 7", "added 1 host to (-5,1), changed the weight of 1 host\n")
	checkJSON(t, "route add -5 1 10.0.0.2:80 --weight 8", `{"modid": -5, "cmdid": 1, "added": 0, "reweighed": 1}`)
	check(t, "route export", "modid,cmdid,ip,port,weight\n-5,1,10.0.0.1,80,100\n-5,1,10.0.0.2,80,8\n-5,1,10.0.0.3,80,7\n")
}

// A host that the module does not have changes nothing.
func TestWeightsOfMissingHosts(t *testing.T) {
	useStore(t)
	check(t, "route add 1 1 10.0.0.1:80", "added 1 host to (1,1)\n")
	for _, line := range []string{
		"route weight 1 1 5 10.0.0.1:80 10.0.0.2:80", "route drain 1 1 10.0.0.1:80 10.0.0.2:80", "route undrain 1 1 10.0.0.2:80 --weight 5",
	} {
		checkFails(t, line, 1, "hosts are not in the route of (1,1): [10.0.0.2:80]; nothing was changed, lars route ls 1 1 lists the hosts")
	}
	checkFails(t, "route drain -7 7 10.0.0.1:80", 1, "(-7,7): [10.0.0.1:80]", "lars route ls -7 7")
	checkJSON(t, "route ls", `[{"modid": 1, "cmdid": 1, "hosts": ["10.0.0.1:80"], "weights": {"10.0.0.1:80": 100}}]`)
}

// Whoever drains the last host of a module is warned, by every way to do it.
func TestDrainingEveryHost(t *testing.T) {
	dir := useStore(t)
	const hint = "every host of (1,-1) is drained: agents answer that it is overloaded, until lars route undrain 1 -1 IP:PORT\n"
	warns := func(line, out string) {
		t.Helper()
		if r := lars(t, line); r != (result{0, out, hint}) {
			t.Errorf("lars %s: %+v", line, r)
		}
	}
	check(t, "route add 1 -1 10.0.0.1:80 10.0.0.2:80", "added 2 hosts to (1,-1)\n")
	check(t, "route drain 1 -1 10.0.0.1:80", "drained 1 host of (1,-1)\n")
	warns("route drain 1 -1 10.0.0.2:80", "drained 1 host of (1,-1)\n")
	warns("route weight 1 -1 0 10.0.0.2:80", "changed the weight of 0 hosts of (1,-1) to 0\n")
	warns("route add 1 -1 10.0.0.3:80 --weight 0", "added 1 host to (1,-1)\n")
	checkJSON(t, "route drain 1 -1 10.0.0.1:80", `{"modid": 1, "cmdid": -1, "weight": 0, "changed": 0}`)
	check(t, "route add 1 -1 10.0.0.4:80", "added 1 host to (1,-1)\n")
	check(t, "route drain 1 -1 10.0.0.1:80", "drained 0 hosts of (1,-1)\n")

	file := filepath.Join(dir, "routes.csv")
	writeFile(t, file, "1,-1,10.0.0.4,80,0\n2,2,10.0.0.1,80,0\n2,2,10.0.0.2,80,1\n")
	check(t, "route import --dry-run "+file, "would add 2 hosts, remove 0 hosts and change the weight of 1 host, which changes 2 modules\n")
	warns("route import "+file, "added 2 hosts of 3, changed the weight of 1 host\n")
	warns("route import --replace "+file, "changed 1 module; the store has 3 routes now\n")
	var many strings.Builder
	for i := range 12 {
		fmt.Fprintf(&many, "%d,1,10.0.0.1,80,0\n", i)
	}
	writeFile(t, file, many.String())
	if r := lars(t, "route import "+file); r.code != 0 || strings.Count(r.err, "every host of") != 10 || !strings.HasSuffix(r.err, "\nand perhaps more modules\n") {
		t.Errorf("many modules: %+v", r)
	}
}

// A file without weights leaves those of hosts that are there alone, and with
// --replace they are the usual ones, as the file says nothing else.
func TestImportOfWeights(t *testing.T) {
	dir := useStore(t)
	old, mixed := filepath.Join(dir, "old.csv"), filepath.Join(dir, "mixed.csv")
	writeFile(t, old, "modid,cmdid,ip,port\n1,1,10.0.0.1,80\n1,1,10.0.0.2,80\n")
	writeFile(t, mixed, "ModID,CmdID,IP,Port,Weight\n1,1,10.0.0.1,80, 5 \n1,1,10.0.0.2,80\n1,1,10.0.0.1,80\n")
	check(t, "route add 1 1 10.0.0.1:80 --weight 50", "added 1 host to (1,1)\n")

	check(t, "route import --dry-run "+old, "would add 1 host, remove 0 hosts and change the weight of 0 hosts, which changes 1 module\n")
	check(t, "route import "+old, "added 1 host of 2\n")
	check(t, "route export", "modid,cmdid,ip,port,weight\n1,1,10.0.0.1,80,50\n1,1,10.0.0.2,80,100\n")
	checkJSON(t, "route import "+mixed, `{"routes": 2, "dry_run": false, "added": 0, "reweighed": 1}`)
	check(t, "route export", "modid,cmdid,ip,port,weight\n1,1,10.0.0.1,80,5\n1,1,10.0.0.2,80,100\n")
	check(t, "route import --replace "+mixed, "changed 0 modules; the store has 2 routes now\n")
	check(t, "route import --replace --dry-run "+old, "would add 0 hosts, remove 0 hosts and change the weight of 1 host, which changes 1 module\n")
	check(t, "route import --replace "+old, "changed 1 module; the store has 2 routes now\n")
	check(t, "route export", "modid,cmdid,ip,port,weight\n1,1,10.0.0.1,80,100\n1,1,10.0.0.2,80,100\n")
}
