package inspect

// Moods of a module.
const (
	Calm        = "normal"
	SharedCause = "shared cause" // most hosts seemed bad: nothing is ejected for a while
	Blackout    = "blackout"     // every host fails: only a trickle of calls goes out
)

// Modules is the answer to GET /modules: those that have hosts, in order.
type Modules struct {
	Modules []Module `json:"modules"`
}

// Module is one module at an agent.
type Module struct {
	ModID    int32  `json:"modid"`
	CmdID    int32  `json:"cmdid"`
	Policy   string `json:"policy"`
	TCPCheck bool   `json:"tcp_check"` // its hosts may be checked over TCP
	Hosts    int    `json:"hosts"`     // all of the three below
	Idle     int    `json:"idle"`      // take calls
	Overload int    `json:"overload"`  // are out: only get probes
	Drained  int    `json:"drained"`   // have the weight 0
	Mood     string `json:"mood"`      // Calm, SharedCause or Blackout
	// MoodLeftMS is how long that lasts, if it is known.
	MoodLeftMS *int64 `json:"mood_left_ms,omitempty"`
	// NormalBadShare is the share of bad calls that is normal now; 0 under the
	// policy classic.
	NormalBadShare float64 `json:"normal_bad_share"`
	// RouteAgeMS is the time since lars-dns sent the route; if that is Stale,
	// since the time for which it was good.
	RouteAgeMS int64 `json:"route_age_ms"`
	// Stale: the route is from a file, of the agent or of lars-dns. It is used
	// until a lars-dns that reaches its database sends another.
	Stale bool `json:"stale"`
}
