package convergence

import (
	"net/http"
	"slices"
	"strings"

	"pgregory.net/rapid"

	"profilesync/internal/desired"
	"profilesync/internal/devcloud/faults"
	"profilesync/internal/profile"
)

// history is everything that is drawn before it is played: rapid can shrink
// it, and print it.
type history struct {
	Prune, Adopt bool
	Unique       bool // the server refuses a second profile of a name
	Admin        bool // the token is an admin's, which sees every project
	Strict       bool // the default limits hold; otherwise none do
	Parallel     int
	Live         []given
	Passes       []trouble // the last one's documents are those to converge on
}

// given is a profile that is live when the history begins.
type given struct {
	Name, Flavor string
	Whose        string // us, earlier, them, nobody, elsewhere
	Protected    bool
	Drift        bool // a label that no document has
	Use          string
	Renamed      string // what somebody called an earlier generation, if anything
}

// trouble is a pass that is disturbed.
type trouble struct {
	Want    []wanted
	Befalls []faults.Fault // by the number of the request
	LateBy  int
	// Orderly lets only creates be carried out late: no abandoned relabelling or
	// delete comes after somebody else has acted. Senlin has no ETag, so nothing
	// could stop that.
	Orderly bool
	Death   int // request from which on none arrives; 0 for a process that lives
	Others  []other
}

// wanted is a document.
type wanted struct {
	Name, Flavor, Team string
	Protect            *bool
}

// other is what somebody else does: before the request of this number of the
// pass, or between plan and apply.
type other struct {
	Act          string // rename, relabel, strip, delete, create, create ours, use
	Name, Flavor string
	Index        int // of the profile among those that are live
	Request      int // for use only
}

const (
	owner  = "us"
	secret = "PLANTED-SECRET" // in every spec, where a secret may be
)

func drawHistory(t *rapid.T) history {
	h := history{
		Prune: rapid.IntRange(0, 4).Draw(t, "prune") > 0, Adopt: rapid.IntRange(0, 3).Draw(t, "adopt") == 0,
		Unique: rapid.IntRange(0, 4).Draw(t, "unique") == 0, Admin: rapid.IntRange(0, 3).Draw(t, "admin") == 0,
		Strict: rapid.IntRange(0, 7).Draw(t, "strict") == 0, Parallel: rapid.SampledFrom([]int{1, 4}).Draw(t, "parallel"),
	}
	if h.Admin { // for an admin, the names of all projects have to be unique
		h.Unique = false
	}
	h.Live = rapid.SliceOfN(rapid.Custom(drawGiven), 0, 8).Draw(t, "live")
	h.Passes = rapid.SliceOfN(rapid.Custom(drawTrouble), 1, 3).Draw(t, "passes")
	if slices.ContainsFunc(h.Passes, func(p trouble) bool { return len(p.Others) > 0 }) {
		for i := range h.Passes {
			h.Passes[i].Orderly = true
		}
		// Who takes a profile called API away from us keeps api from us for good
		// where names are unique: that waits for a person.
		for i := range h.Live {
			h.Live[i].Renamed = strings.ToLower(h.Live[i].Renamed)
		}
	}
	return h
}

func drawGiven(t *rapid.T) given {
	return given{
		Name:   rapid.SampledFrom([]string{"web", "db", "api", "old"}).Draw(t, "name"),
		Flavor: drawFlavor(t), Protected: rapid.IntRange(0, 5).Draw(t, "protected") == 0, Drift: rapid.IntRange(0, 5).Draw(t, "drift") == 0,
		Whose:   rapid.SampledFrom([]string{"us", "us", "us", "earlier", "earlier", "them", "nobody", "elsewhere"}).Draw(t, "whose"),
		Use:     rapid.SampledFrom([]string{"", "", "", "", "cluster", "node", "action", "hidden"}).Draw(t, "use"),
		Renamed: rapid.SampledFrom([]string{"", "", "", "", "web", "db", "API"}).Draw(t, "renamed"),
	}
}

func drawFlavor(t *rapid.T) string {
	return rapid.SampledFrom([]string{"small", "large", "huge"}).Draw(t, "flavor")
}

func drawTrouble(t *rapid.T) trouble {
	var p trouble
	for _, name := range []string{"web", "db", "api"} {
		if rapid.IntRange(0, 3).Draw(t, "wants "+name) > 0 {
			w := wanted{Name: name, Flavor: drawFlavor(t), Team: rapid.SampledFrom([]string{"", "a", "b"}).Draw(t, "team")}
			w.Protect = rapid.SampledFrom([]*bool{nil, nil, nil, new(false), new(true)}).Draw(t, "protect")
			p.Want = append(p.Want, w)
		}
	}
	p.Befalls = drawFaults(t)
	p.LateBy = rapid.IntRange(0, 12).Draw(t, "late by")
	p.Death = max(rapid.IntRange(-25, 25).Draw(t, "death"), 0)
	if rapid.IntRange(0, 3).Draw(t, "others") == 0 {
		p.Others = rapid.SliceOfN(rapid.Custom(drawOther), 1, 2).Draw(t, "others")
	}
	return p
}

// drawFaults draws one fault at a random request most of the time, and many at
// others.
func drawFaults(t *rapid.T) []faults.Fault {
	befalls := make([]faults.Fault, 25)
	count := rapid.SampledFrom([]int{0, 1, 1, 1, 2, 2, 4, 12}).Draw(t, "faults")
	for range count {
		at := rapid.IntRange(0, len(befalls)-1).Draw(t, "at")
		befalls[at] = rapid.SampledFrom(faults.All()).Draw(t, "fault")
	}
	return befalls
}

func drawOther(t *rapid.T) other {
	return other{
		Act:  rapid.SampledFrom([]string{"rename", "relabel", "strip", "delete", "create", "create ours", "use", "use"}).Draw(t, "act"),
		Name: rapid.SampledFrom([]string{"web", "db", "api", "old"}).Draw(t, "name"), Flavor: drawFlavor(t),
		Index:   rapid.IntRange(0, 9).Draw(t, "index"),
		Request: max(rapid.IntRange(-10, 25).Draw(t, "request"), 0),
	}
}

// fault is what befalls the n-th request of a pass.
func (p trouble) fault(n int, r *http.Request) faults.Fault {
	if p.Death > 0 && n >= p.Death {
		return faults.DropBefore
	}
	if n > len(p.Befalls) {
		return faults.None
	}
	fault := p.Befalls[n-1]
	if fault.Late() && p.Orderly && r.Method != http.MethodPost {
		return faults.DropBefore
	}
	return fault
}

func spec(flavor string) profile.Spec {
	return profile.Spec{Type: "os.nova.server", Version: "1.0", Properties: profile.Properties{
		"flavor": flavor, "networks": []any{}, "user_data": secret + "-data-" + flavor, "admin_pass": secret + "-pass-" + flavor,
		"context": map[string]any{"auth_token": secret + "-token"},
	}}
}

func (p trouble) set() desired.Set {
	set := desired.Set{Revision: "0123456789abcdef0123456789abcdef01234567"}
	for i, w := range p.Want {
		item := desired.Item{File: w.Name + ".yaml", Line: i + 1, Lifecycle: desired.Lifecycle{Protect: w.Protect}}
		item.Profile = profile.Profile{Name: w.Name, Spec: spec(w.Flavor)}
		if w.Team != "" {
			item.Metadata = map[string]any{"team": w.Team}
		}
		set.Items = append(set.Items, item)
	}
	slices.SortFunc(set.Items, func(a, b desired.Item) int {
		if a.Name < b.Name {
			return -1
		}
		return 1
	})
	return set
}
