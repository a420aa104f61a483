// Package dns is lars-dns: it answers which hosts serve a module, from routes
// kept in SQL, and pushes what changes to those who asked.
//
// # Goroutines and ownership
//
// The routes are a [Table] that never changes once it was published. One
// goroutine, the watcher, reads the database, makes the next Table, stores it
// behind an atomic pointer and then posts the changed modules to every event
// loop. Answers read the pointer and so never wait for a reload.
//
// What takes long with very many routes, the watcher has done by a [rebuild] on
// another goroutine: reading all of them, slowly so that others have the
// processors, and packing a Table anew after many changes. It goes on to poll and
// to publish meanwhile, notes what it has read, and puts that over the result.
//
// Each event loop has a worker that knows which of its own connections
// subscribed to what. Only the loop's goroutine touches it, so it has no
// locks. A request subscribes before it reads the pointer, and a change stores
// the pointer before it is posted: whichever comes first, the connection gets
// the new route. It may get it twice, never not at all.
//
// # The file and the guard
//
// What is published is also saved, by a [snapshot.Saver] on a goroutine of its
// own. At a start the file is read before anything else. If the database fails,
// or takes longer than a second, the file's Table is served, stale: as long as
// it is, routes that it lacks are not answered, for "no hosts" would make agents
// drop what they know. The watcher goes on trying meanwhile. What it publishes
// first is compared with that Table, and told to whoever was told otherwise or
// nothing.
//
// The watcher does not publish what the database says but what its guard makes
// of it: an accident that takes most routes away must not reach the agents.
//
// # Bounds
//
// A connection that does not read has at most Config.MaxBuffered bytes and one
// frame waiting. Beyond that only the names of its modules are kept, each
// once; when the output has been written, their routes as of then are sent. If
// it is not written within Config.PushTimeout the connection is closed and
// counted. A connection is subscribed to at most Config.MaxSubscriptions
// modules.
package dns
