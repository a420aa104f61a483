// Package config reads the daemons' configuration files: INI files with the
// sections and keys of Lars 1.0, to typed and validated structs.
//
// There is one struct a daemon ([DNS], [Reporter], [Agent]), one Default
// function and one Load function each. Every key stands in exactly one table,
// the keys method of its struct: where it is bound to, its bounds, and the
// words that describe them. Parsing, validation, the search for unknown keys
// and every error message come from that table.
//
// A file is good or it is refused: Load reports everything that is wrong with
// a file at once, in the order of its lines, each as
//
//	FILE:LINE: [section] key = "value": want what is allowed
//
// # Syntax
//
// A line is "[section]", "key = value", blank, or a comment that starts with
// ; or #. Behind a value a comment may follow after a space, except in
// db_passwd, which is taken as it stands: a password may contain ; and #, and
// may be put in quotes ("p#ss;word") to keep spaces at its ends. A value does
// not go on over several lines. Durations take a unit (250ms, 15s, 24h) or are
// plain seconds (15, 0.5).
//
// # Files of Lars 1.0
//
// An old file works as it is and means what it meant: where [store] driver is
// not given, the presence of a [mysql] section selects MySQL, and where
// [loadbalance] policy is not given the policy is classic. The section
// [repoter], misspelt in Lars 1.0, is read as [reporter].
//
// # Concurrency
//
// The structs are plain values without pointers; the functions keep no state
// and may be called from any goroutine.
package config
