// Package live plays the scenarios of package sim in real time, with the real
// programs: lars-dns and lars-lb-agent as processes with a store of their own,
// callers that use the client library, and hosts that are TCP listeners of this
// process.
//
// Nothing leaves the machine: hosts listen on addresses of 127.0.0.0/8, and a
// caller dials no other. When [Run] returns, for whatever reason, the processes
// have ended and their files are gone.
package live
