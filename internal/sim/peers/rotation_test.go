package peers

import (
	"fmt"
	"testing"
)

func TestRotation(t *testing.T) {
	tests := []struct {
		name  string
		steps string // a digit is a pick, + and - before it let a host join or leave, x is a pick without members
	}{
		{"in turn", "0120120"},
		{"a member that had its turn leaves", "01-0212"},
		{"the member whose turn it is leaves", "0-1202"},
		{"the last in line leaves", "01-20101"},
		{"who joins comes last", "0+312031"},
		{"who joins at the seam comes last", "012+3012301"},
		{"all leave, one returns", "0-0-1-2x+1111"},
		{"no member leaves", "0-7120"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := newRotation(3)
			for i := 0; i < len(tt.steps); i++ {
				switch c := tt.steps[i]; c {
				case '+':
					i++
					r.join(int(tt.steps[i] - '0'))
				case '-':
					i++
					r.leave(int(tt.steps[i] - '0'))
				default:
					got := "x"
					if h, ok := r.pick(); ok {
						got = fmt.Sprint(h)
					}
					if got != string(c) {
						t.Fatalf("after %q: got %s, want %c", tt.steps[:i], got, c)
					}
				}
			}
		})
	}
}
