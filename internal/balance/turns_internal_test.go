package balance

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/lars-lb/lars/internal/route"
)

func turnsOf(weights ...uint16) (*lists, []*host) {
	ls := new(lists)
	var hs []*host
	for i, w := range weights {
		h := &host{addr: route.Host{IP: uint32(1 + i), Port: 1}, weight: w, share: fullShare(w)}
		ls.add(h)
		hs = append(hs, h)
	}
	return ls, hs
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
		ls, _ := turnsOf(c.weights...)
		var got strings.Builder
		for range len(c.want) {
			got.WriteByte(byte('A' + ls.idle.next().addr.IP - 1))
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
		ls, hs := turnsOf(weights...)
		got := make(map[*host]int)
		picks := 20_000
		for range picks {
			got[ls.idle.next()]++
		}
		for i, h := range hs {
			want := float64(picks) * float64(weights[i]) / sum
			if d := math.Abs(float64(got[h]) - want); d > 4+want*0.02 {
				t.Errorf("trial %d: host of weight %d among %v got %d picks, want %.1f", trial, weights[i], weights, got[h], want)
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
	ls, _ := turnsOf(weights...)
	picks := 100_000
	// Each visit adds the host's share to its turn, and a pick takes the
	// largest share of its class off: the sums tell the number of visits.
	visits := 0.0
	for range picks {
		h := ls.idle.next()
		most := int32(0)
		for i := range ls.idle.classes {
			if c := &ls.idle.classes[i]; c.power == powerOf(h.share) {
				most = c.max
			}
		}
		visits += float64(most) / float64(h.share)
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
	in := map[*host]bool{}
	var pool []*host
	for i := range 30 {
		pool = append(pool, &host{addr: route.Host{IP: uint32(1 + i), Port: 1}, share: 1 + random.Int32N(1000)})
	}
	for step := range 20_000 {
		h := pool[random.IntN(len(pool))]
		switch random.IntN(4) {
		case 0:
			if !in[h] {
				h.turn = 0
				ts.add(h)
			} else {
				ts.remove(h)
			}
			in[h] = !in[h]
		case 1:
			if in[h] {
				ts.reshare(h, 1+random.Int32N(1000))
			}
		default:
			if got := ts.next(); (got == nil) != (ts.len == 0) || got != nil && !in[got] {
				t.Fatalf("step %d: next is %v", step, got)
			}
		}
		if err := checkTurns(&ts, in); err != nil {
			t.Fatalf("step %d: %v", step, err)
		}
	}
}

func checkTurns(ts *turns, in map[*host]bool) error {
	n, credit := 0, int64(0)
	for i := range ts.classes {
		c := &ts.classes[i]
		credit += c.credit
		sum, most, at := int64(0), int32(0), 0
		for h := c.list.head; h != nil; h = h.next {
			n++
			sum += int64(h.share)
			if h.share > most {
				most, at = h.share, 0
			}
			if h.share == most {
				at++
			}
			if !in[h] || powerOf(h.share) != c.power || h.turn < 0 {
				return fmt.Errorf("host %v with share %d and turn %d in class %d", h.addr, h.share, h.turn, c.power)
			}
		}
		if sum != c.sum || most != c.max || at != c.atMax {
			return fmt.Errorf("class %d notes %d, %d x %d; is %d, %d x %d", c.power, c.sum, c.max, c.atMax, sum, most, at)
		}
	}
	want := 0
	for _, is := range in {
		if is {
			want++
		}
	}
	if n != want || ts.len != want || credit != 0 {
		return fmt.Errorf("%d hosts, it notes %d, want %d; credits %d", n, ts.len, want, credit)
	}
	return nil
}
