package daemon

import (
	"slices"
	"strings"
)

// logLevel is the key that this package applies itself.
const logLevel = "[log] level"

// reload reads the configuration again and applies what can change live. When
// the file is bad, or the service refuses it, everything stays as it was.
func (p *process[C]) reload(service Service) {
	next, err := p.spec.Load(p.path)
	if err != nil {
		p.log.Error("reload refused, the settings stay as they were", "conf", p.path, "err", err)
		return
	}
	reloader, reloads := service.(Reloader[C])
	live := func(key string) bool {
		return key == logLevel || reloads && p.spec.Live != nil && p.spec.Live(key)
	}
	var applied, restart []string
	for _, key := range p.spec.Changed(p.current, next) {
		if live(key) {
			applied = append(applied, key)
		}
	}
	// Against the start, not the last reload: a change that waits for a
	// restart is told of every time.
	for _, key := range p.spec.Changed(p.started, next) {
		if !live(key) {
			restart = append(restart, key)
		}
	}
	if slices.ContainsFunc(applied, func(key string) bool { return key != logLevel }) {
		if err := reloader.Reload(next); err != nil {
			p.log.Error("reload refused, the settings stay as they were", "conf", p.path, "err", err)
			return
		}
	}
	p.current = next
	// Logged at the lower of the two levels: raising the level must not hide
	// that it was raised.
	level := p.spec.Log(next).Level
	p.level.Set(min(p.level.Level(), level))
	p.log.Info("reloaded", "conf", p.path, "applied", strings.Join(applied, ", "))
	if restart != nil {
		p.log.Warn("changed in the file, but needs a restart", "conf", p.path, "keys", strings.Join(restart, ", "))
	}
	p.level.Set(level)
}
