package metrics_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/lars-lb/lars/internal/metrics"
	"github.com/lars-lb/lars/reactor"
)

type part struct {
	Good uint64 `json:"good"`
	Bad  uint64 `json:"bad"`
}

type named struct {
	Name string `json:"name"`
	part
	Took reactor.Durations `json:"took"`
}

type stats struct {
	Up     bool              `json:"up"`
	Left   int64             `json:"left"`
	Ms     float64           `json:"ms"`
	Age    *float64          `json:"age"`
	Shards [2]part           `json:"shards"`
	Loops  []named           `json:"loops"`
	Causes map[string]uint64 `json:"causes"`
	One    struct {
		Deep int `json:"deep"`
	} `json:"one"`
}

func fields() []metrics.Field {
	return slices.Concat([]metrics.Field{
		metrics.Gauge("up", "up", "Is up."),
		metrics.Gauge("ms", "took_seconds", "Took.").Times(1e-3),
		metrics.Gauge("age", "age_seconds", "Age."),
		metrics.Counter("causes", "causes_total", "By cause.").Each("cause"),
		metrics.Gauge("one.deep", "deep", "Is deep."),
	}, metrics.Each("shard",
		metrics.Counter("shards.good", "things_total", "Things.").With("kind", "good"),
		metrics.Counter("shards.bad", "things_total", "Things.").With("kind", "bad"),
	), metrics.Each("loop",
		metrics.Counter("loops.good", "loop_good_total", "Good."),
		metrics.Gauge("loops.took", "loop_took_seconds", "Took."),
	))
}

func TestCollect(t *testing.T) {
	s := stats{Up: true, Left: -3, Ms: 2500, Shards: [2]part{{1, 2}, {3, 4}}, Causes: map[string]uint64{"a cause": 7}}
	s.One.Deep = 9
	s.Loops = []named{{Name: "x", part: part{Good: 5}}}
	s.Loops[0].Took.Add(3 * time.Millisecond)
	s.Loops[0].Took.Add(time.Minute)
	c := metrics.New("t_", func() stats { return s }, fields(), "loops.bad")
	if missing := c.Missing(); !slices.Equal(missing, []string{"left"}) {
		t.Errorf("missing: %v", missing)
	}
	want := `# HELP t_up Is up.
# TYPE t_up gauge
t_up 1
# HELP t_took_seconds Took.
# TYPE t_took_seconds gauge
t_took_seconds 2.5
# HELP t_causes_total By cause.
# TYPE t_causes_total counter
t_causes_total{cause="a cause"} 7
# HELP t_deep Is deep.
# TYPE t_deep gauge
t_deep 9
# HELP t_things_total Things.
# TYPE t_things_total counter
t_things_total{kind="good",shard="0"} 1
t_things_total{kind="bad",shard="0"} 2
t_things_total{kind="good",shard="1"} 3
t_things_total{kind="bad",shard="1"} 4
# HELP t_loop_good_total Good.
# TYPE t_loop_good_total counter
t_loop_good_total{loop="x"} 5
# HELP t_loop_took_seconds Took.
# TYPE t_loop_took_seconds histogram
`
	below := 0
	for _, bound := range reactor.DurationBounds() {
		if bound == 0.005 {
			below = 1
		}
		want += fmt.Sprintf("t_loop_took_seconds_bucket{loop=\"x\",le=\"%v\"} %d\n", bound, below)
	}
	want += "t_loop_took_seconds_bucket{loop=\"x\",le=\"+Inf\"} 2\nt_loop_took_seconds_sum{loop=\"x\"} 60.003\nt_loop_took_seconds_count{loop=\"x\"} 2\n"
	if err := testutil.CollectAndCompare(c, strings.NewReader(want)); err != nil {
		t.Error(err) // and t_age_seconds is not there: it is nil
	}
	s.Age = new(4.0)
	if err := testutil.CollectAndCompare(c, strings.NewReader("# HELP t_age_seconds Age.\n# TYPE t_age_seconds gauge\nt_age_seconds 4\n"), "t_age_seconds"); err != nil {
		t.Error(err)
	}
	if table := c.Table(); !strings.Contains(table, "| `t_things_total` | `kind`: good, bad; `shard` | Things. |\n") || strings.Count(table, "\n") != 10 {
		t.Errorf("table:\n%s", table)
	}
}

// What the tables of daemons get wrong is told at once, in every test of theirs.
func TestWrongTables(t *testing.T) {
	for name, c := range map[string]struct {
		fields  []metrics.Field
		leftOut string
		says    string
	}{
		"unknown path":     {[]metrics.Field{metrics.Gauge("ups", "up", "Is up.")}, "left", "has no number ups"},
		"a text":           {[]metrics.Field{metrics.Gauge("loops.name", "name", "Name.").Each("loop")}, "left", "has no number loops.name"},
		"a whole struct":   {[]metrics.Field{metrics.Gauge("one", "one", "One.")}, "left", "has no number one"},
		"no label":         {[]metrics.Field{metrics.Gauge("shards.good", "good", "Good.")}, "left", "the label of its elements"},
		"needless label":   {[]metrics.Field{metrics.Gauge("up", "up", "Is up.").Each("up")}, "left", "the label of its elements"},
		"twice the same":   {[]metrics.Field{metrics.Gauge("up", "up", "Is up."), metrics.Gauge("left", "up", "Is up.")}, "left", "must differ in the value of a label"},
		"two helps":        {[]metrics.Field{metrics.Gauge("up", "up", "Is up.").With("a", "1"), metrics.Gauge("left", "up", "Left.").With("a", "2")}, "left", "must differ in the value of a label"},
		"nothing left out": {nil, "lef", "has no number lef to be left out"},
	} {
		func() {
			defer func() {
				if got := fmt.Sprint(recover()); !strings.Contains(got, c.says) {
					t.Errorf("%s: %s, want %s", name, got, c.says)
				}
			}()
			metrics.New("t_", func() stats { return stats{} }, c.fields, c.leftOut)
		}()
	}
}
