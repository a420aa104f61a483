// Package snapshot keeps the last good routes of a daemon in a file, from
// which it serves when it starts and nobody is there to ask.
//
// # Format
//
// All numbers are little-endian.
//
//	magic    8 bytes  "LARSROUT"
//	format   uint32   1
//	owner    uint32   length, and as many bytes: the daemon that wrote it
//	saved    int64    Unix time, milliseconds
//	version  int64    RouteVersion of the routes, 0 if unknown
//	modules           one after the other, until the trailer:
//	  modid, cmdid int32, hosts uint32 (1 to 3000)
//	  each host: ip uint32, port uint16, weight uint16
//	trailer           modules uint64, hosts uint64
//	checksum uint32   CRC-32C of everything before it
//
// A file is written whole beside the old one, synced and renamed over it, so
// that a reader, or a machine that lost its power, finds the old one or the
// new one. It is checked whole before the first route of it is used.
//
// # Who may write
//
// A [Saver] holds a lock, on a file beside the one it writes, as long as it
// runs. So daemons that were given one path by mistake do not overwrite each
// other's routes: the first one writes, and the others say that they do not.
package snapshot
