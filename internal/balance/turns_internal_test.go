package balance

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/lars-lb/lars/internal/route"
)

func turnsOf(weights ...uint16) *lists {
	ls := new(lists)
	for i, w := range weights {
		ls.hosts = append(ls.hosts, host{Node: route.Node{IP: uint32(1 + i), Port: 1, Weight: w}, part: parts})
	}
	for i := range weights {
		ls.add(slot(i))
	}
	return ls
}

// Hosts come up as evenly as their weights allow.
func TestTurnsAreSmooth(t *testing.T) {
	for _, c := range []struct {
		weights []uint16
		want    string
	}{
		{[]uint16{100, 100, 100}, "ABCABCABC"},
		{[]uint16{5, 1, 1}, "ABAAACAABAAACA"},
		{[]uint16{4, 2, 1}, "ABACABAABACABA"},
		{[]uint16{1, 2}, "BABBAB"},
		{[]uint16{0, 7, 0}, "BBBB"},
		{[]uint16{3, 2}, "AABABAABAB"},
		{[]uint16{1}, "AAA"},
	} {
		ls := turnsOf(c.weights...)
		var got strings.Builder
		for range len(c.want) {
			got.WriteByte(byte('A' + ls.next()))
		}
		if got.String() != c.want {
			t.Errorf("weights %v: %s, want %s", c.weights, &got, c.want)
		}
	}
}

// Over any stretch of picks, each host gets its share, give or take a few:
// one lap of its class and the slack between classes.
func TestTurnsKeepShares(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 1))
	for trial := range 60 {
		n := 1 + random.IntN(40)
		weights := make([]uint16, n)
		sum := 0.0
		for i := range weights {
			weights[i] = uint16(1 + math.Exp(random.Float64()*math.Log(route.MaxWeight-1)))
			sum += float64(weights[i])
		}
		ls := turnsOf(weights...)
		got := make([]int, n)
		picks := 20_000
		for range picks {
			got[ls.next()]++
		}
		for i := range got {
			want := float64(picks) * float64(weights[i]) / sum
			if d := math.Abs(float64(got[i]) - want); d > 4+want*0.02 {
				t.Errorf("trial %d: host of weight %d among %v got %d picks, want %.1f", trial, weights[i], weights, got[i], want)
			}
		}
	}
}

// A pick passes a host over at most once per host served, whatever the weights:
// the turns of a whole lap are counted.
func TestTurnsTakeConstantTime(t *testing.T) {
	weights := make([]uint16, 3000)
	for i := range weights {
		weights[i] = uint16(1 + i*i*7919%route.MaxWeight)
	}
	weights[0] = route.MaxWeight
	ls := turnsOf(weights...)
	picks := 100_000
	// Each visit adds the host's share to its turn, and a pick takes the
	// largest share of its class off: the sums tell the number of visits.
	visits := 0.0
	for range picks {
		h := &ls.hosts[ls.next()]
		most := int32(0)
		for i := range ls.idle.classes {
			if c := &ls.idle.classes[i]; c.power == powerOf(h.share()) {
				most = c.max
			}
		}
		visits += float64(most) / float64(h.share())
	}
	if perPick := visits / float64(picks); perPick > 2 {
		t.Errorf("%.2f visits a pick, want at most 2", perPick)
	}
	if n := len(ls.idle.classes); n > 14 {
		t.Errorf("%d classes for weights up to %d", n, route.MaxWeight)
	}
}

// However hosts come, go and change their shares, the books stay right.
func TestTurnsBooks(t *testing.T) {
	random := rand.New(rand.NewPCG(2, 2))
	var ts turns
	hosts := make([]host, 30)
	in := make([]bool, len(hosts))
	weight := func() uint16 { return 1 + uint16(random.IntN(500)) }
	part := func() uint8 { return 1 + uint8(random.IntN(parts)) }
	for i := range hosts {
		hosts[i] = host{Node: route.Node{IP: uint32(1 + i), Port: 1, Weight: weight()}, part: part()}
	}
	for step := range 20_000 {
		i := slot(random.IntN(len(hosts)))
		switch random.IntN(4) {
		case 0:
			if !in[i] {
				hosts[i].turn = 0
				ts.add(hosts, i)
			} else {
				ts.remove(hosts, i)
			}
			in[i] = !in[i]
		case 1:
			if in[i] {
				ts.reshare(hosts, i, weight(), part())
			}
		default:
			if got := ts.next(hosts); (got == none) != (ts.len == 0) || got != none && !in[got] {
				t.Fatalf("step %d: next is %v", step, got)
			}
		}
		if err := checkTurns(&ts, hosts, in); err != nil {
			t.Fatalf("step %d: %v", step, err)
		}
	}
}

func checkTurns(ts *turns, hosts []host, in []bool) error {
	n, credit := 0, int64(0)
	for at := range ts.classes {
		c := &ts.classes[at]
		credit += c.credit
		sum, most, atMost := uint32(0), int32(0), uint16(0)
		for i := range c.list.all(hosts) {
			h := &hosts[i]
			n++
			sum += uint32(h.share())
			if h.share() > most {
				most, atMost = h.share(), 0
			}
			if h.share() == most {
				atMost++
			}
			if !in[i] || powerOf(h.share()) != c.power || h.turn < 0 {
				return fmt.Errorf("host %v with share %d and turn %d in class %d", h.Host(), h.share(), h.turn, c.power)
			}
		}
		if sum != c.sum || most != c.max || atMost != c.atMax {
			return fmt.Errorf("class %d notes %d, %d x %d; is %d, %d x %d", c.power, c.sum, c.max, c.atMax, sum, most, atMost)
		}
	}
	want := 0
	for _, is := range in {
		if is {
			want++
		}
	}
	if n != want || int(ts.len) != want || credit != 0 {
		return fmt.Errorf("%d hosts, it notes %d, want %d; credits %d", n, ts.len, want, credit)
	}
	return nil
}
