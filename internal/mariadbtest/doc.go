// Package mariadbtest gives tests a real MariaDB: a private server in a
// temporary folder, on a free port of 127.0.0.1, that can be stopped, killed
// and started again on the same port and data. It keeps its data only as
// safely as a test needs, so kill the process if you like, but not the power.
//
// A Server is made once a test binary, as it takes about a second; each test
// then asks it for a database of its own. Its methods may be called from any
// goroutine, but those that stop, start or freeze it by one at a time.
//
// A Cluster is three such servers joined by Galera, with nodes that can be
// killed, frozen and cut off from the others. It takes some seconds to start, so
// tests share one where they can. A node that was away gets what it missed from
// the others; a whole copy of the data, which it needs if it was killed while a
// table was being defined, is not made.
package mariadbtest
