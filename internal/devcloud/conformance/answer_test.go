package conformance

import "testing"

func TestExpectationsOfMessages(t *testing.T) {
	for _, c := range []struct {
		name, want, got string
		alike           bool
	}{
		{"the same text", "a (b)", "a (b)", true},
		{"another text", "a (b)", "a b", false},
		{"more in front", "a", "x a", false},
		{"more behind", "a", "a.", false},
		{"dots for the middle", "The '...' is gone.", "The 'x\ny' is gone.", true},
		{"dots for nothing", "a...b", "ab", true},
		{"dots for everything", "...", "", true},
		{"a single dot is a dot", "a.b", "axb", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := alike(c.want, c.got); got != c.alike {
				t.Errorf("alike(%q, %q) = %t, want %t", c.want, c.got, got, c.alike)
			}
		})
	}
}
