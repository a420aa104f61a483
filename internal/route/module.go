package route

import "strconv"

// Shards is the number of UDP servers, and so of RouteLBs, in one agent.
const Shards = 3

// Module is a remote service: a business (ModID) and one of its functions
// (CmdID). Any pair is a valid name, negative ones included.
type Module struct {
	ModID, CmdID int32
}

// Shard is the number, 0 to Shards-1, of the agent's UDP server that owns m:
// (ModID+CmdID) mod 3. The sum is taken in 64 bits and the remainder is never
// negative; for non-negative 32-bit sums Lars 1.0 clients compute the same.
func (m Module) Shard() int {
	r := (int64(m.ModID) + int64(m.CmdID)) % Shards
	if r < 0 {
		r += Shards
	}
	return int(r)
}

// Compare orders modules by ModID, then CmdID.
func (m Module) Compare(o Module) int {
	switch {
	case m.ModID < o.ModID, m.ModID == o.ModID && m.CmdID < o.CmdID:
		return -1
	case m == o:
		return 0
	default:
		return 1
	}
}

// String formats m as (modid,cmdid).
func (m Module) String() string {
	b := make([]byte, 0, 26)
	b = append(b, '(')
	b = strconv.AppendInt(b, int64(m.ModID), 10)
	b = append(b, ',')
	b = strconv.AppendInt(b, int64(m.CmdID), 10)
	b = append(b, ')')
	return string(b)
}
