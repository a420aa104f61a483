package fault

import (
	"bufio"
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"
)

// Step is one fault.
type Step struct {
	At     time.Duration // since the beginning
	Kind   Kind
	Target string
	For    time.Duration
}

// Schedule is steps in the order in which they begin. Two of one target do not
// overlap.
type Schedule []Step

const (
	// maxSteps and maxTime bound what Parse takes.
	maxSteps = 10_000
	maxTime  = 1000 * time.Hour
	// shortest and longest are the lengths of faults made by chance: short
	// enough for many, long enough for connections to be given up.
	shortest, longest = 100 * time.Millisecond, 3 * time.Second
)

// Random makes a schedule by chance, the same for the same arguments: about
// every a fault of one of the targets, all over by length.
func Random(seed uint64, targets []string, length, every time.Duration) Schedule {
	random := rand.New(rand.NewPCG(seed, 0x6c617273))
	var s Schedule
	free := make(map[string]time.Duration) // when the target's last fault is over
	for at := time.Duration(0); ; {
		at += every/2 + time.Duration(random.Int64N(int64(every)))
		target := targets[random.IntN(len(targets))]
		possible := kinds(target)
		kind := possible[random.IntN(len(possible))]
		lasts := (shortest + time.Duration(random.Int64N(int64(longest-shortest)))).Truncate(time.Millisecond)
		if at = at.Truncate(time.Millisecond); at >= length {
			return s
		}
		if at < free[target] || at+lasts > length {
			continue // the next comes at another time
		}
		free[target] = at + lasts
		s = append(s, Step{at, kind, target, lasts})
	}
}

// String is the schedule as Parse reads it, a line for each step.
func (s Schedule) String() string {
	var b strings.Builder
	for _, x := range s {
		fmt.Fprintf(&b, "%v\n", x)
	}
	return b.String()
}

func (x Step) String() string {
	return fmt.Sprintf("%v %s %s for %v", x.At, x.Kind, x.Target, x.For)
}

// Length is when the last fault is over.
func (s Schedule) Length() time.Duration {
	var end time.Duration
	for _, x := range s {
		end = max(end, x.At+x.For)
	}
	return end
}

// Parse reads a schedule. Empty lines are skipped, and what follows a #.
func Parse(text string) (Schedule, error) {
	var s Schedule
	n := 0
	for lines := bufio.NewScanner(strings.NewReader(text)); lines.Scan(); {
		n++
		line, _, _ := strings.Cut(lines.Text(), "#")
		if strings.TrimSpace(line) == "" {
			continue
		}
		x, err := parseStep(line)
		if err != nil {
			return nil, fmt.Errorf("schedule, line %d: %w", n, err)
		}
		if s = append(s, x); len(s) > maxSteps {
			return nil, fmt.Errorf("schedule, line %d: more than %d steps", n, maxSteps)
		}
	}
	slices.SortStableFunc(s, func(x, y Step) int { return cmp.Compare(x.At, y.At) })
	last := make(map[string]Step)
	for _, x := range s {
		if before, ok := last[x.Target]; ok && x.At < before.At+before.For {
			return nil, fmt.Errorf("schedule: %q begins before %q is over: one target has one fault at a time", x, before)
		}
		last[x.Target] = x
	}
	return s, nil
}

func parseStep(line string) (Step, error) {
	f := strings.Fields(line)
	if len(f) != 5 || f[3] != "for" {
		return Step{}, fmt.Errorf("%q is not TIME FAULT TARGET for TIME, as in 1.2s kill dns1 for 800ms", strings.TrimSpace(line))
	}
	x := Step{Kind: Kind(f[1]), Target: f[2]}
	for _, d := range []struct {
		text string
		into *time.Duration
	}{{f[0], &x.At}, {f[4], &x.For}} {
		var err error
		if *d.into, err = time.ParseDuration(d.text); err != nil || *d.into < 0 || *d.into > maxTime {
			return Step{}, fmt.Errorf("time %q is not 0s to %v", d.text, maxTime)
		}
	}
	if !Possible(x.Kind, x.Target) {
		return Step{}, fmt.Errorf("fault %q of %q is none; want one of %v", x.Kind, x.Target, kinds(x.Target))
	}
	return x, nil
}
