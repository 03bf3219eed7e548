package scf

import (
	"slices"
	"strings"
)

// suggest gives the known word that a wrong one is likely meant to be: other capitals, few other letters, or one the
// beginning of the other. Empty where none is near.
func suggest(wrong string, known []string) string {
	slices.Sort(known)
	best, least := "", max(len(wrong)/3, 1)+1
	for _, k := range known {
		d := distance(strings.ToLower(wrong), strings.ToLower(k))
		if long, short := max(len(wrong), len(k)), min(len(wrong), len(k)); d == long-short && short >= 4 &&
			strings.EqualFold(wrong[:short], k[:short]) {
			d = 1
		}
		if d < least {
			best, least = k, d
		}
	}
	return best
}

// distance counts the letters to change, add, remove or swap with their neighbour. Words longer than any setting's name
// are far from all.
func distance(a, b string) int {
	const longest = 64
	if len(a) > longest || len(b) > longest {
		return longest
	}
	rows := make([][]int, len(a)+1)
	for i := range rows {
		rows[i] = make([]int, len(b)+1)
		rows[i][0] = i
	}
	for j := range rows[0] {
		rows[0][j] = j
	}
	for i := 1; i <= len(a); i++ {
		for j := 1; j <= len(b); j++ {
			change := 1
			if a[i-1] == b[j-1] {
				change = 0
			}
			rows[i][j] = min(rows[i-1][j]+1, rows[i][j-1]+1, rows[i-1][j-1]+change)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				rows[i][j] = min(rows[i][j], rows[i-2][j-2]+1)
			}
		}
	}
	return rows[len(a)][len(b)]
}
