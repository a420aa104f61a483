// Package inspect is what an agent says on its admin address about its modules
// and hosts: the JSON of GET /modules and GET /hosts, and what it means in
// words. The agent writes it and the operator's tool reads it.
//
// The names of fields are for programs of other people as well: they stay, and
// new ones are only ever added. Durations are numbers with the unit in their
// name; a share is 0 to 1.
//
// The types are plain values; the functions may be called from any goroutine.
package inspect

// Error is the answer to a request that is refused, with status 400 or 404.
type Error struct {
	Error string `json:"error"`
}
