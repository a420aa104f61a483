package fault

import (
	"slices"
	"strings"
)

// Kind is what is done to a target.
type Kind string

const (
	Kill        Kind = "kill"          // SIGKILL, and started again in the end
	Stop        Kind = "stop"          // SIGTERM, and started again in the end
	Freeze      Kind = "freeze"        // SIGSTOP, and SIGCONT in the end
	Descriptors Kind = "nodescriptors" // no more descriptors to be had
	Disk        Kind = "nodisk"        // no file can grow

	Refuse Kind = "refuse" // connections are reset, and refused
	Stall  Kind = "stall"  // connections stay, and nothing arrives
	Reset  Kind = "reset"  // connections are reset once
	Delay  Kind = "delay"  // each piece comes late
)

// Database is the target that is not one of ours.
const Database = "db"

// kinds are what can be done to a target.
func kinds(target string) []Kind {
	switch {
	case strings.Contains(target, ">"):
		return []Kind{Refuse, Stall, Reset, Delay}
	case target == Database:
		return []Kind{Kill, Stop, Freeze}
	default:
		return []Kind{Kill, Stop, Freeze, Descriptors, Disk}
	}
}

// Possible reports whether a kind can be done to a target.
func Possible(k Kind, target string) bool { return slices.Contains(kinds(target), k) }
