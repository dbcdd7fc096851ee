package main

import "testing"

// Whatever a configuration holds, it is an error or has targets that can be
// told apart.
func FuzzConfig(f *testing.F) {
	f.Add([]byte("owner: us\ntargets: [{cloud: a}, {cloud: b, name: c}]\n"))
	f.Add([]byte("owner: &a [x, x]\nsource: [*a, *a]\n"))
	f.Add([]byte("a: &a {<<: *a}\n"))
	f.Add([]byte("owner: us\nowner: them\n"))
	f.Add([]byte("\x00\xff"))
	f.Fuzz(func(t *testing.T, text []byte) {
		c, err := parseConfig(text)
		if err != nil {
			return
		}
		names := map[string]bool{}
		for _, target := range c.Targets {
			if target.Name == "" || target.Cloud == "" || names[target.Name] {
				t.Fatalf("targets %+v", c.Targets)
			}
			names[target.Name] = true
		}
	})
}
