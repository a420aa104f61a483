package cli_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/lars-lb/lars/internal/route"
)

// TestImportRefuses holds every bad file to its exact message, and to changing
// nothing.
func TestImportRefuses(t *testing.T) {
	dir := useStore(t)
	check(t, "route add 9 9 10.0.0.9:99", "added 1 host to (9,9)\n")
	file := filepath.Join(dir, "routes.csv")
	const range32 = "is not a whole number from -2147483648 to 2147483647"
	many := "modid,cmdid,ip,port\n"
	for _, h := range hostNames(route.MaxHosts + 1) {
		many += "1,1," + strings.Replace(h, ":", ",", 1) + "\n"
	}
	for _, row := range []struct{ name, csv, want string }{
		{"text for a modid", "1,1,10.0.0.1,80\nx,1,10.0.0.1,80\n", `FILE:2: column modid: "x" ` + range32},
		{"a large cmdid", "1,2147483648,10.0.0.1,80\n", `FILE:1: column cmdid: "2147483648" ` + range32},
		{"a short address", "modid,cmdid,ip,port\n1,1,10.0.1,80\n", `FILE:2: column ip: "10.0.1" is not an IPv4 address such as 192.168.1.177`},
		{"no address", "1,1,0.0.0.0,80\n", `FILE:1: column ip: "0.0.0.0" is not an IPv4 address such as 192.168.1.177`},
		{"IPv6", "1,1,::1,80\n", `FILE:1: column ip: "::1" is not an IPv4 address such as 192.168.1.177`},
		{"port 0", "1,1,10.0.0.1,0\n", `FILE:1: column port: "0" is not a port from 1 to 65535`},
		{"port 65536", "\n# below an empty line and this\n1,1,10.0.0.1,65536\n", `FILE:3: column port: "65536" is not a port from 1 to 65535`},
		{"negative port", "1,1,10.0.0.1,-1\n", `FILE:1: column port: "-1" is not a port from 1 to 65535`},
		{"too few columns", "1,1,10.0.0.1\n", `FILE:1: 3 columns, want 4 or 5: modid,cmdid,ip,port and perhaps weight`},
		{"too many columns", "1,1,10.0.0.1,80,1,\n", `FILE:1: 6 columns, want 4 or 5: modid,cmdid,ip,port and perhaps weight`},
		{"no weight where one belongs", "1,1,10.0.0.1,80,\n", `FILE:1: column weight: "" is not a whole number from 0 to 10000`},
		{"a negative weight", "modid,cmdid,ip,port,weight\n1,1,10.0.0.1,80,-1\n", `FILE:2: column weight: "-1" is not a whole number from 0 to 10000`},
		{"a large weight", "1,1,10.0.0.1,80,10001\n", `FILE:1: column weight: "10001" is not a whole number from 0 to 10000`},
		{"two weights", "1,1,10.0.0.1,80\n1,1,10.0.0.1,80,5\n1,1,10.0.0.1,80,6\n", `FILE:3: column weight: host 10.0.0.1:80 of module (1,1) has 6 here and 5 in line 1`},
		{"another header", "ip,port,modid,cmdid\n", `FILE:1: column modid: "ip" ` + range32},
		{"a header further down", "1,1,10.0.0.1,80\nmodid,cmdid,ip,port\n", `FILE:2: column modid: "modid" ` + range32},
		{"a broken quote", "1,1,10.0.0.1,80\n1,1,\"10.0.0.2,80\n", "FILE:2: column 18: extraneous or missing \" in quoted-field"},
		{"two bad lines", "1,1,10.0.0.1,x\n1,1,10.0.0.1,80\ny,1,10.0.0.1,80\n",
			"FILE:1: column port: \"x\" is not a port from 1 to 65535\nFILE:3: column modid: \"y\" " + range32},
		{"all lines bad", strings.Repeat("bad\n", 50),
			repeat(10, "FILE:%d: 1 column, want 4 or 5: modid,cmdid,ip,port and perhaps weight\n") + "FILE: and perhaps more, the rest was not read"},
		{"a host too many", many, fmt.Sprintf("FILE:%d: host 10.0.11.184:80 is one too many for module (1,1), at most 3000 are possible", route.MaxHosts+2)},
	} {
		writeFile(t, file, row.csv)
		want := result{1, "", "lars: " + strings.ReplaceAll(row.want, "FILE", file) + "\n"}
		for _, flags := range []string{"", " --replace", " --dry-run"} {
			if r := lars(t, "route import "+file+flags); r != want {
				t.Errorf("%s%s: exit %d, %q\n%s\nwant\n%s", row.name, flags, r.code, r.out, r.err, want.err)
			}
		}
		r := larsWith(t, row.csv, "route", "import", "-")
		if want := strings.ReplaceAll(want.err, file, "standard input"); r.err != want {
			t.Errorf("%s from a pipe: %s\nwant\n%s", row.name, r.err, want)
		}
	}
	checkJSON(t, "route ls", `[{"modid": 9, "cmdid": 9, "hosts": ["10.0.0.9:99"], "weights": {"10.0.0.9:99": 100}}]`)
	checkFails(t, "route import "+filepath.Join(dir, "none.csv"), 1, "none.csv")
}

// repeat formats the numbers from 1.
func repeat(n int, format string) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, format, i+1)
	}
	return b.String()
}

func TestImport(t *testing.T) {
	dir := useStore(t)
	check(t, "route add 1 1 10.0.0.1:80 10.0.0.2:80", "added 2 hosts to (1,1)\n")
	file := filepath.Join(dir, "routes.csv")
	writeFile(t, file, "\ufeffModID, CmdID, IP, Port\r\n1,1,10.0.0.2,80\r\n# a comment\r\n\r\n -5, \"1\",10.0.0.3 , 80\r\n-5,1,10.0.0.3,80\r\n")

	check(t, "route import --dry-run "+file, "would add 1 host, remove 0 hosts and change the weight of 0 hosts, which changes 1 module\n")
	check(t, "route import --dry-run --replace "+file, "would add 1 host, remove 1 host and change the weight of 0 hosts, which changes 2 modules\n")
	checkJSON(t, "route import --dry-run "+file, `{"routes": 2, "dry_run": true, "added": 1, "reweighed": 0, "removed": 0, "changed": 1}`)
	checkJSON(t, "route ls -5", `[]`)

	check(t, "route import "+file, "added 1 host of 2\n")
	checkJSON(t, "route import "+file, `{"routes": 2, "dry_run": false, "added": 0, "reweighed": 0}`)
	const merged = "modid,cmdid,ip,port,weight\n-5,1,10.0.0.3,80,100\n1,1,10.0.0.1,80,100\n1,1,10.0.0.2,80,100\n"
	check(t, "route export", merged)

	check(t, "route import --replace "+file, "changed 1 module; the store has 2 routes now\n")
	checkJSON(t, "route import --replace "+file, `{"routes": 2, "dry_run": false, "changed": 0}`)
	check(t, "route export", "modid,cmdid,ip,port,weight\n-5,1,10.0.0.3,80,100\n1,1,10.0.0.2,80,100\n")

	writeFile(t, file, "modid,cmdid,ip,port\n")
	check(t, "route import "+file, "added 0 hosts of 0\n")
	checkFails(t, "route import --replace "+file, 1, file+" has no routes", "--allow-empty")
	check(t, "route import --replace --allow-empty "+file, "changed 2 modules; the store has 0 routes now\n")
}

// TestRoundTrip exports, imports into another store, and exports the same.
func TestRoundTrip(t *testing.T) {
	dir := useStore(t)
	check(t, "route add -2147483648 2147483647 255.255.255.255:65535 0.0.0.1:1", "added 2 hosts to (-2147483648,2147483647)\n")
	check(t, "route add 1 1 10.0.0.1:80 --weight 7", "added 1 host to (1,1)\n")
	exported := lars(t, "route export")
	file := filepath.Join(dir, "backup.csv")
	writeFile(t, file, "old")
	check(t, "route export "+file, "wrote 3 routes to "+file+"\n")
	checkJSON(t, "route export "+file, fmt.Sprintf(`{"file": %q, "routes": 3}`, file))
	checkJSON(t, "route export", `[{"modid": -2147483648, "cmdid": 2147483647, "ip": "0.0.0.1", "port": 1, "weight": 100},
		{"modid": -2147483648, "cmdid": 2147483647, "ip": "255.255.255.255", "port": 65535, "weight": 100},
		{"modid": 1, "cmdid": 1, "ip": "10.0.0.1", "port": 80, "weight": 7}]`)
	if got, err := os.ReadFile(file); err != nil || string(got) != exported.out {
		t.Errorf("the file holds %q, %v; want %q", got, err, exported.out)
	}

	useStore(t)
	check(t, "route import "+file, "added 3 hosts of 3\n")
	check(t, "route export", exported.out)

	// - is a file that happens to be the standard output: CSV in any case.
	check(t, "route export -", exported.out)
	check(t, "route export - --json", exported.out)
	t.Chdir(dir)
	check(t, "route export -5", "wrote 3 routes to -5\n")
	if got, err := os.ReadFile("-5"); err != nil || string(got) != exported.out {
		t.Errorf("the file -5 holds %q, %v", got, err)
	}
}

// TestExportRefused names the file that was asked for, and leaves none behind.
func TestExportRefused(t *testing.T) {
	dir := useStore(t)
	none := filepath.Join(dir, "none", "x.csv")
	checkExact := func(name, why string) {
		t.Helper()
		if r := lars(t, "route export "+name); r != (result{1, "", "lars: write the routes to " + name + ": " + why + "\n"}) {
			t.Errorf("route export %s: %+v", name, r)
		}
	}
	checkExact(dir, "it is a folder, name a file")
	checkExact(none, "there is no folder "+filepath.Dir(none))
	checkExact("/dev/null", "it is not a plain file; use - for the standard output")
	checkExact(filepath.Join(dir, "lars.db", "x.csv"), "not a directory")
	left, err := filepath.Glob(filepath.Join(dir, ".*"))
	if err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}
