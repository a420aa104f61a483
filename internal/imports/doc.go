// Package imports holds the rules of who may import whom, as a test over what
// the go command reports. docs/ARCHITECTURE.md has the reasons.
package imports
