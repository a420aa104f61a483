// Package mariadbtest gives tests a real MariaDB: a private server in a
// temporary folder, on a free port of 127.0.0.1, that can be stopped, killed
// and started again on the same port and data. It keeps its data only as
// safely as a test needs, so kill the process if you like, but not the power.
//
// A Server is made once a test binary, as it takes about a second; each test
// then asks it for a database of its own. Its methods may be called from any
// goroutine, but those that stop, start or freeze it by one at a time.
package mariadbtest
