package lbagent

import (
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/lars-lb/lars/internal/balance"
	"github.com/lars-lb/lars/internal/route"
)

// A list of very many modules has each once, while others come and go.
func TestModulesAreListedInBatches(t *testing.T) {
	const modules = 3*listBatch + 1
	r := testLB(func(c *Config) { c.MaxUnknown, c.MaxModules = 2*modules, 2*modules })
	learn := func(id route.Module, known bool) {
		r.Pick(id, 0)
		if known {
			r.Apply(id, nodes(hostA), 0)
		}
	}
	var want []route.Module
	for i := range int32(modules) {
		id := route.Module{ModID: i}
		learn(id, i%2 == 0)
		if i%2 == 0 {
			want = append(want, id)
		}
	}
	stop := make(chan struct{})
	var other sync.WaitGroup
	other.Go(func() {
		for i := int32(0); ; i++ {
			select {
			case <-stop:
				return
			default:
				id := route.Module{ModID: -1 - i%modules}
				learn(id, true)
				r.Apply(id, nil, 0)
			}
		}
	})
	for range 5 {
		ids := slices.DeleteFunc(r.Modules(nil), func(id route.Module) bool { return id.ModID < 0 })
		slices.SortFunc(ids, route.Module.Compare)
		if !slices.Equal(ids, want) {
			t.Errorf("%d modules, want %d", len(ids), len(want))
		}
	}
	close(stop)
	other.Wait()
}

func TestViewOfMoods(t *testing.T) {
	r, helper := adaptiveLB(t, nil)
	if v, ok := r.View(module1, time.Second); !ok || v.Mood != "normal" || v.MoodLeftMS != nil || v.RouteAgeMS != 1000 {
		t.Errorf("%+v, %v", v, ok)
	}
	if v, ok := r.View(route.Module{ModID: 5}, 0); ok {
		t.Errorf("an unknown module is %+v", v)
	}
	now := time.Second
	for dark := false; !dark; now += 10 * time.Millisecond { // every host fails
		if now > time.Minute {
			t.Fatal("it does not get dark")
		}
		if h, v, _ := r.Pick(module1, now); v == balance.Picked {
			r.Report(module1, h, false, time.Millisecond, now)
		}
		v, _ := r.View(module1, now)
		if v.Mood == "shared cause" && (v.MoodLeftMS == nil || *v.MoodLeftMS <= 0) {
			t.Errorf("no end of %+v", v)
		}
		dark = v.Mood == "blackout"
	}
	if v, _ := r.View(module1, now); v.Overload != 3 || v.Idle != 0 || len(helper.events) == 0 {
		t.Errorf("in the dark: %+v", v)
	}
}
