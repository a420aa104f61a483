package cli

import (
	"slices"
	"strings"
	"testing"
)

func TestProtectNumbers(t *testing.T) {
	for _, row := range []struct{ args, want string }{
		{"", ""},
		{"get 1 1 --agent x", "get 1 1 --agent x"},
		{"-5", "-- -5"},
		{"get -5 1", "get -- -5 1"},
		{"get 1 -1 --agent x", "get 1 --agent x -- -1"},
		{"get -5 --agent x -1 --json -2", "get --agent x --json -- -5 -1 -2"},
		{"get -5 --agent=x 1", "get --agent=x -- -5 1"},
		{"get -5 1 --agent", "get --agent"},
		{"get --agent", "get --agent"},
		{"simulate 1 1 --calls -4", "simulate 1 1 --calls -4"},
		{"simulate -1 1 --calls -4 --err-rate -0.5", "simulate --calls -4 --err-rate -0.5 -- -1 1"},
		{"--conf -5 route rm -1 1 --all", "--conf -5 route rm --all -- -1 1"},
		{"--nonsense -5", "--nonsense -- -5"},
		{"route import -", "route import -"},
		{"route add -1 - -h", "route add -h -- -1 -"},
		{"route undrain -1 1 h:1 --weight -5", "route undrain --weight -5 -- -1 1 h:1"},
		{"route weight 1 1 -5 h:1", "route weight 1 1 -- -5 h:1"},
		{"get -- -5 1", "get -- -5 1"},
		{"get -5 -- 1 --agent x", "get -- -5 1 --agent x"},
		{"get -1.5 -99999999999999999999 -x", "get -x -- -1.5 -99999999999999999999"},
		{"__complete get -5 --a", "__complete get 5 --a"},
	} {
		root := (&app{}).rootCommand()
		args := strings.Fields(row.args)
		given := slices.Clone(args)
		if got := protectNumbers(root, args); !slices.Equal(got, strings.Fields(row.want)) {
			t.Errorf("%q becomes %q, want %q", row.args, got, row.want)
		}
		if !slices.Equal(args, given) {
			t.Errorf("%q was changed to %q", given, args)
		}
	}
}
