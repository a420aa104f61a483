// Command fleet measures how soon agents have the routes of the database after
// lars-dns comes back: very many agents, in this process, that know very many
// modules, and a real lars-dns, which is killed, and started when routes have
// changed. "make converge" runs it.
//
// The clock starts when lars-dns says that it serves, and stops, for each
// agent, when it has had an answer for every module. After that every route of
// every agent is compared with what the database holds.
package main
