package desired

import (
	"slices"
	"strings"

	"profilesync/internal/desired/yamldoc"
)

// nearest suggests the known name that was probably meant, or says which ones
// there are.
func nearest(name string, known []string) string {
	if meant := closest(name, known); meant != "" {
		return `did you mean "` + meant + `"?`
	}
	return "known are " + enumerate(known)
}

// closest gives the known name that was probably meant, or "".
func closest(name string, known []string) string {
	if slices.Contains(known, name) {
		return name
	}
	best, bestDistance := "", min(max(1, len(name)/3), 2)+1
	plain := plainName(name)
	for _, candidate := range known {
		distance := editDistance(plain, plainName(candidate))
		if len(plain) >= 4 && (strings.HasPrefix(plain, candidate) || strings.HasPrefix(candidate, plain)) {
			distance = min(distance, 1)
		}
		if distance < bestDistance {
			best, bestDistance = candidate, distance
		}
	}
	return best
}

// plainName drops what spellings of a name differ in.
func plainName(name string) string {
	return strings.ReplaceAll(strings.ToLower(yamldoc.Short(name)), "-", "_")
}

// enumerate joins names as people do: a, b and c.
func enumerate(names []string) string {
	if len(names) < 2 {
		return strings.Join(names, "")
	}
	last := len(names) - 1
	return strings.Join(names[:last], ", ") + " and " + names[last]
}

// editDistance counts the letters to insert, delete, replace or swap with
// their neighbour to turn a into b.
func editDistance(a, b string) int {
	older, previous := make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range previous {
		previous[j] = j
	}
	for i := range len(a) {
		current := make([]int, len(b)+1)
		current[0] = i + 1
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			current[j+1] = min(previous[j+1]+1, current[j]+1, previous[j]+cost)
			if i > 0 && j > 0 && a[i] == b[j-1] && a[i-1] == b[j] {
				current[j+1] = min(current[j+1], older[j-1]+1)
			}
		}
		older, previous = previous, current
	}
	return previous[len(b)]
}
