package sim

import "time"

// Scenario is a module of some hosts, its callers, and what befalls it. It is
// never changed; many runs may share one.
type Scenario struct {
	ID    string // stable: small letters, digits and hyphens
	Group Group
	Name  string // for people, with the traffic
	About string // what is to be learnt from it: one sentence
	Long  bool   // takes many seconds to simulate, so it is run only by its ID

	Hosts  int
	Rate   float64 // calls a second, of all callers together
	Agents int     // that the calls are spread over by chance; 0 is one
	// Workers, if not 0, are callers in place of Rate: each makes one call
	// after another and thinks for Think, on average, between them.
	Workers int
	Think   time.Duration

	// Warmup is how long all is well before the fault, and Length what is
	// looked at from then on.
	Warmup, Length time.Duration
	State          States
	// Blameless says that what befalls the hosts is no fault of theirs: all of
	// them count as well.
	Blameless bool

	Timeout  time.Duration // when callers give up
	Natural  float64       // share of calls that fail at a host that is well; 0 is 0.05%
	Bimodal  bool          // some calls take much longer by nature
	SlowLost bool          // a slow call is a lost one
	Capacity float64       // calls a second that a host can do; 0 is no limit
	NoTCP    bool          // the hosts do not listen on TCP

	// Pause, if not 0, is how long the machine of the callers and their agent
	// stands still, once in PauseEvery.
	Pause, PauseEvery time.Duration

	FailuresOnly bool          // callers report no success
	NoCost       bool          // callers do not report how long a call took
	ReportDelay  time.Duration // how much later than its end a call is reported
}

func (s *Scenario) agents() int { return max(1, s.Agents) }

const (
	// calm is how long all is well before a fault. It ends before Envoy's first
	// sweep, after which a healthy host may hold the one place among ten that
	// it has for hosts kept out; see refuse-1of10-after-calm.
	calm = 5 * time.Second
	// slowCalm is that where there are few calls, to have some.
	slowCalm = time.Minute
	// aftermath is what is looked at, and slowAftermath where there are few
	// calls.
	aftermath     = 2 * time.Minute
	slowAftermath = 10 * time.Minute
)

// option changes a scenario from what is usual.
type option func(*Scenario)

// newScenario makes a scenario that is usual but for its options. It belongs to
// no group yet.
func newScenario(id, name, about string, hosts int, rate float64, states States, options ...option) Scenario {
	s := Scenario{
		ID: id, Name: name, About: about, Hosts: hosts, Rate: rate, State: states,
		Warmup: calm, Length: aftermath, Timeout: time.Second,
	}
	for _, o := range options {
		o(&s)
	}
	return s
}

func fewCalls(s *Scenario)     { s.Warmup, s.Length = slowCalm, slowAftermath }
func slowLost(s *Scenario)     { s.SlowLost = true }
func noTCP(s *Scenario)        { s.NoTCP = true }
func bimodal(s *Scenario)      { s.Bimodal = true }
func noCost(s *Scenario)       { s.NoCost = true }
func blameless(s *Scenario)    { s.Blameless = true }
func takesLong(s *Scenario)    { s.Long = true }
func failuresOnly(s *Scenario) { s.FailuresOnly = true }

func timeout(d time.Duration) option { return func(s *Scenario) { s.Timeout = d } }
func length(d time.Duration) option  { return func(s *Scenario) { s.Length = d } }
func warmup(d time.Duration) option  { return func(s *Scenario) { s.Warmup = d } }
func natural(share float64) option   { return func(s *Scenario) { s.Natural = share } }
func late(d time.Duration) option    { return func(s *Scenario) { s.ReportDelay = d } }
func agents(n int) option            { return func(s *Scenario) { s.Agents = n } }
func capacity(rate float64) option   { return func(s *Scenario) { s.Capacity = rate } }
func pauses(d, every time.Duration) option {
	return func(s *Scenario) { s.Pause, s.PauseEvery = d, every }
}
func workers(n int, think time.Duration) option {
	return func(s *Scenario) { s.Workers, s.Think = n, think }
}
