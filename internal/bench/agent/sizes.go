package agent

import (
	"context"
	"fmt"

	"github.com/lars-lb/lars/internal/bench/result"
	"github.com/lars-lb/lars/internal/route"
)

// modulesOf are n modules with so many hosts each, of an origin. Their cmdids
// all take as many bytes.
func modulesOf(n, hosts int) []route.Module {
	modules := make([]route.Module, n)
	for i := range modules {
		modules[i] = route.Module{ModID: int32(hosts), CmdID: int32(20_000 + i)}
	}
	return modules
}

// oneSocket is the load of the measurements that compare agents.
func oneSocket(modules []route.Module) load { return load{sockets: 1, window: 32, modules: modules} }

// usualHosts is how many hosts a module has where that is not what matters.
const usualHosts = 10

// manyModules measures agents that know more and more modules, which they are
// asked for by chance.
func (b *bench) manyModules(ctx context.Context) error {
	counts := []int{1, 100, 10_000, 100_000}
	var all []contender
	for _, n := range counts {
		b.Progress("an agent with %d modules starts", n)
		modules := modulesOf(n, usualHosts)
		t, _, err := startFed(ctx, b.Bin, adaptive, modules)
		if err != nil {
			return err
		}
		defer t.stop()
		all = append(all, contender{target: t, load: oneSocket(modules)})
	}
	largest := all[len(all)-1]
	all = append(all, contender{target: largest.target, load: oneSocket(largest.load.modules[:1])})
	samples, err := b.inTurn(ctx, "GetHost of many modules", all...)
	if err != nil {
		return err
	}
	curve := result.Curve{
		Name: "gethost-modules", Title: "What a GetHost costs the agent, by the modules it knows and is asked for",
		X: "modules", Y: "CPU of each, µs", Series: []result.Series{{Name: "Lars"}},
	}
	for i, n := range counts {
		curve.Series[0].Points = append(curve.Series[0].Points, result.Point{X: float64(n), Y: mediansOf(samples[i]).cpu})
	}
	b.Curve(curve)
	random, one := mediansOf(samples[len(counts)-1]), mediansOf(samples[len(counts)])
	what := fmt.Sprintf("GetHost of %d modules x %d hosts by chance", counts[len(counts)-1], usualHosts)
	b.Row(result.Row{What: what, Unit: "/s", Ours: random.rate, Than: "one of them", Other: one.rate, Aim: result.RatioAtLeast(0.85), Note: shipped})
	b.Row(result.Row{What: what + ", CPU of each", Unit: "µs", Ours: random.cpu, Than: "one of them", Other: one.cpu, Note: shipped})
	rss, err := rssOf(largest.target.pid)
	if err != nil {
		return err
	}
	b.Row(result.Row{What: "RSS with these modules, after the load", Unit: "MB", Ours: rss, Aim: result.ValueAtMost(150)})
	return nil
}

// manyHosts measures an agent that is asked for modules of more and more hosts.
func (b *bench) manyHosts(ctx context.Context) error {
	counts := []int{1, 10, 100, 3000}
	var modules []route.Module
	for _, n := range counts {
		modules = append(modules, modulesOf(1, n)...)
	}
	t, _, err := startFed(ctx, b.Bin, adaptive, modules)
	if err != nil {
		return err
	}
	defer t.stop()
	var all []contender
	for i := range counts {
		pairs := oneSocket(modules[i : i+1])
		pairs.reports = true
		all = append(all, contender{target: t, load: oneSocket(modules[i : i+1])}, contender{target: t, load: pairs})
	}
	samples, err := b.inTurn(ctx, "GetHost of modules of many hosts", all...)
	if err != nil {
		return err
	}
	curve := result.Curve{
		Name: "gethost-hosts", Title: "What a GetHost costs the agent, by the hosts of its module",
		X: "hosts", Y: "CPU of each, µs", Series: []result.Series{{Name: "GetHost"}, {Name: "GetHost and Report"}},
	}
	for i, n := range counts {
		for j := range curve.Series {
			s := &curve.Series[j]
			s.Points = append(s.Points, result.Point{X: float64(n), Y: mediansOf(samples[2*i+j]).cpu})
		}
	}
	b.Curve(curve)
	return nil
}
