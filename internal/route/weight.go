package route

// ClampWeight converts a weight as tables and frames carry it to the nearest
// one that a Node may have, and reports whether it was one already.
func ClampWeight(n int64) (weight uint16, ok bool) {
	w := min(max(n, 0), MaxWeight)
	return uint16(w), w == n
}
