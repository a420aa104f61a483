package chaos

import (
	"path/filepath"

	"github.com/lars-lb/lars/internal/eventually"
	"github.com/lars-lb/lars/internal/route"
	"github.com/lars-lb/lars/internal/snapshot"
)

// WaitSaved waits until every agent and every lars-dns has all routes on its
// disk, which is a few seconds after it began.
func (w *World) WaitSaved() {
	w.t.Helper()
	for name, d := range w.daemons {
		program, file := "lars-dns", "lars-dns.routes"
		if _, agent := w.agents[name]; agent {
			program, file = "lars-lb-agent", "lars-lb-agent.routes"
		} else if name[0] != 'd' {
			continue // lars-reporter has none
		}
		path := filepath.Join(d.Dir(), "var", file)
		eventually.True(w.t, patience, name+" has all routes on its disk", func() bool {
			saved := 0
			_, err := snapshot.Read(path, program, func(route.Module, []route.Node) { saved++ })
			return err == nil && saved == len(w.editor.modules)
		})
	}
}
