package inspect

// States of a host.
const (
	Idle     = "idle"     // takes calls
	Overload = "overload" // is out: only gets probes
)

// Hosts is the answer to GET /hosts?modid=M&cmdid=C: the hosts of one module,
// in the order of addresses.
type Hosts struct {
	Module Module `json:"module"`
	Hosts  []Host `json:"hosts"`
}

// Host is one host of a module at an agent.
type Host struct {
	Host    string `json:"host"` // IP:PORT
	Weight  int    `json:"weight"`
	Drained bool   `json:"drained"` // the weight is 0: no new calls
	State   string `json:"state"`   // Idle or Overload
	// SinceUnixMS is when the host entered its state or, if it is idle and the
	// policy is classic, when its window began; SinceMS is how long ago.
	SinceUnixMS int64  `json:"since_unix_ms"`
	SinceMS     int64  `json:"since_ms"`
	Why         string `json:"why"` // as Explain says it

	// What the policy adaptive goes by. Calls that took far longer than those
	// to peers are bad, too.
	Reason         Reason  `json:"reason"`           // what led to the state
	BadShare       float64 `json:"bad_share"`        // of its recent calls
	RecentCalls    float64 `json:"recent_calls"`     // what that is made of; older calls count less
	NormalBadShare float64 `json:"normal_bad_share"` // of the calls to its peers
	CostUS         int64   `json:"cost_us"`          // median of its calls; 0 is unknown
	PeerCostUS     int64   `json:"peer_cost_us"`     // median of its peers' medians; 0 is unknown
	Unreported     int     `json:"unreported"`       // recent picks without report
	Suspicion      float64 `json:"suspicion"`        // evidence against it; at 1 it is ejected
	Suspected      string  `json:"suspected"`        // what of: failing, degraded, hanging; or fresh for nothing
	RunBad         uint32  `json:"run_bad"`          // bad ones of
	RunCalls       uint32  `json:"run_calls"`        // the calls since there was no evidence
	TrafficShare   float64 `json:"traffic_share"`    // of its full share, while that grows back; else 1
	// NextProbeMS is when a host that is out is tried again, at the earliest; it
	// takes a call to do so. 0 is with the next one.
	NextProbeMS *int64 `json:"next_probe_ms,omitempty"`
	GoodProbes  int    `json:"good_probes"` // in a row, of
	NeedProbes  int    `json:"need_probes"` // as many as bring it back
	TCPRefused  bool   `json:"tcp_refused"` // its last TCP check failed

	// What the policy classic goes by; nil under another.
	Classic *Classic `json:"classic,omitempty"`
}

// Reason is what led to a state: the cause and the numbers that decided.
type Reason struct {
	Cause          string  `json:"cause"` // as balance.Cause
	Bad            uint32  `json:"bad"`   // calls of
	Calls          uint32  `json:"calls"` // these
	NormalBadShare float64 `json:"normal_bad_share"`
	CostUS         int64   `json:"cost_us"`
	PeerCostUS     int64   `json:"peer_cost_us"`
}

// Classic is what the policy classic counts since a host entered its state or
// began its window.
type Classic struct {
	VirtualSucc uint32 `json:"virtual_succ"` // calls, and a credit or charge to begin with
	VirtualErr  uint32 `json:"virtual_err"`
	Succ        uint32 `json:"succ"` // calls
	Err         uint32 `json:"err"`
	ContinSucc  uint32 `json:"contin_succ"` // the current run of equal results
	ContinErr   uint32 `json:"contin_err"`
}
