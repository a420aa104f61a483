package config

import "strings"

// nearest returns the candidate that name is most likely a slip of: the one
// at the smallest edit distance, at most a third of its length.
func nearest(name string, candidates []string) (string, bool) {
	best, least := "", 0
	for _, c := range candidates {
		if abs(len(name)-len(c)) > len(c)/3 {
			continue // also bounds the work for a name of any length
		}
		d := distance(strings.ToLower(name), strings.ToLower(c))
		if d <= len(c)/3 && (best == "" || d < least) {
			best, least = c, d
		}
	}
	return best, best != ""
}

// distance is the Levenshtein distance of a and b in bytes.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}

func abs(n int) int { return max(n, -n) }
