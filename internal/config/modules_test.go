package config_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/lars-lb/lars/internal/config"
)

// A list may hold as many modules as it says, and no more.
func TestModulesAreBounded(t *testing.T) {
	list := func(n int) string {
		entries := make([]string, n)
		for i := range entries {
			entries[i] = fmt.Sprintf("%d:-2147483648", -i)
		}
		return "[loadbalance]\ncheck_none = " + strings.Join(entries, ",") + "\n"
	}
	c, err := config.LoadAgent(write(t, list(config.MaxModules)))
	if err != nil {
		t.Fatal(err)
	}
	n := int32(0)
	for modid, cmdid := range c.Balance.CheckNone.All() {
		if modid != -n || cmdid != -1<<31 {
			t.Fatalf("module %d is %d:%d", n, modid, cmdid)
		}
		n++
	}
	if n != config.MaxModules {
		t.Errorf("read %d modules, want %d", n, config.MaxModules)
	}
	_, err = config.LoadAgent(write(t, list(config.MaxModules+1)))
	if err == nil || !strings.Contains(err.Error(), `..., where there are more than 10000 entries: want up to 10000 modules`) || len(err.Error()) > 400 {
		t.Errorf("one more: %v", err)
	}
}

func TestValidateModules(t *testing.T) {
	c := config.DefaultAgent()
	c.Balance.CheckTCP = "1:1, x"
	c.Balance.CheckNone = "1:1"
	const want = `[loadbalance] check_tcp = "1:1, x", where entry 2 is "x": want up to 10000 modules as MODID:CMDID with commas between, such as 1:1, -5:3, or nothing
[loadbalance] check_none: 1:1 is in check_tcp, too; want each module in one of them`
	if err := c.Validate(); err == nil || err.Error() != want {
		t.Errorf("message:\n%v\nwant:\n%s", err, want)
	}
}
