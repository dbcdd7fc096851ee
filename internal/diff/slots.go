package diff

import (
	"crypto/sha256"
	"slices"
	"strings"

	"profilesync/internal/desired"
	"profilesync/internal/live"
	"profilesync/internal/profile"
)

// slot is everything that bears one name.
type slot struct {
	name     string
	item     *desired.Item   // nil when no document asks for the name
	ours     []*live.Profile // best match first
	foreign  []*live.Profile // not ours, under a desired name
	earlier  []*live.Profile // our earlier generations of the name, oldest first
	restores *live.Profile   // the one of earlier that has the desired spec
	renamed  *live.Profile   // our undesired profile that is to bear the name
	left     bool            // our profile of the name is to bear another
}

// others are our profiles of the name beside the best match.
func (s *slot) others() []*live.Profile {
	if len(s.ours) < 2 {
		return nil
	}
	return s.ours[1:]
}

// owned counts our profiles of the name; earlier generations are left out unless
// one is all there is.
func (s *slot) owned() int {
	if s.renamed != nil || s.last() != nil {
		return len(s.ours) + 1
	}
	return len(s.ours)
}

// last is the newest earlier generation when it is all there is of a name that
// nobody asks for, or nil.
func (s *slot) last() *live.Profile {
	if s.item != nil || len(s.ours) > 0 || s.left {
		return nil
	}
	return s.newest()
}

// newest is the latest earlier generation, or nil.
func (s *slot) newest() *live.Profile {
	if len(s.earlier) == 0 {
		return nil
	}
	return s.earlier[len(s.earlier)-1]
}

// arrange puts everything that matters into slots, by name. Profiles that are
// not ours and whose name nobody asks for are nobody's business. The names in
// use are gathered only when an earlier generation may bear one of them.
func arrange(want desired.Set, have live.Snapshot, opts Options) (slots []*slot, inUse names) {
	byName := make(map[string]*slot, len(want.Items))
	slots = make([]*slot, 0, len(want.Items))
	at := func(name string) *slot {
		s, ok := byName[name]
		if !ok {
			s = &slot{name: name}
			byName[name] = s
			slots = append(slots, s)
		}
		return s
	}
	for i := range want.Items {
		at(want.Items[i].Name).item = &want.Items[i]
	}
	profiles := have.Profiles
	if !slices.IsSortedFunc(profiles, live.Older) {
		profiles = slices.SortedFunc(slices.Values(profiles), live.Older)
	}
	renamed := false // an earlier generation, by hand
	for i := range profiles {
		p := &profiles[i]
		marks := p.Marks()
		switch {
		case opts.Owner == "" || marks.Owner != opts.Owner:
			if s := byName[p.Name]; s != nil && s.item != nil {
				s.foreign = append(s.foreign, p)
			}
		case marks.Superseded != "":
			s := at(marks.Superseded)
			s.earlier = append(s.earlier, p)
			renamed = renamed || p.Name != profile.AsideName(marks.Superseded, p.ID)
		default:
			s := at(p.Name)
			s.ours = append(s.ours, p)
		}
	}
	if renamed {
		inUse = taken(slots)
	}
	for _, s := range slots {
		s.choose(have.Users, inUse)
	}
	if opts.Prune {
		findRenames(slots)
	}
	slices.SortFunc(slots, func(a, b *slot) int { return strings.Compare(a.name, b.name) })
	return slots, inUse
}

// names is a set of names as Senlin's database compares them: without regard to
// case.
type names map[string]bool

func (n names) has(name string) bool { return n[strings.ToLower(name)] }

// taken are the names that a document asks for or a current profile of ours
// bears.
func taken(slots []*slot) names {
	all := make(names, len(slots))
	for _, s := range slots {
		if s.item != nil || len(s.ours) > 0 {
			all[strings.ToLower(s.name)] = true
		}
	}
	return all
}

// choose puts the best match first and finds the generation to return to. One
// that bears a name which is another's does not return: with unique names, two
// of them could wait for each other's name for ever.
func (s *slot) choose(users map[string][]live.User, inUse names) {
	if s.item == nil {
		return
	}
	if len(s.ours) > 1 {
		s.bestFirst(users)
	}
	if len(s.earlier) == 0 || len(s.ours) == 0 && len(s.foreign) > 0 {
		return // there is none, or it is not for us to say
	}
	if len(s.ours) > 0 && s.ours[0].Spec.Equal(s.item.Spec) {
		return // there is a current profile
	}
	for _, p := range s.earlier { // the newest wins
		own := strings.EqualFold(p.Name, s.name)
		if p.Spec.Equal(s.item.Spec) && (own || !inUse.has(p.Name)) {
			s.restores = p
		}
	}
}

// bestFirst orders our profiles of the name: by spec, labels, use and age.
func (s *slot) bestFirst(users map[string][]live.User) {
	score := func(p *live.Profile) int {
		switch {
		case !p.Spec.Equal(s.item.Spec):
			return 0
		case !profile.SameLabels(p.Metadata, s.item.Metadata):
			return 1
		}
		return 2
	}
	slices.SortStableFunc(s.ours, func(a, b *live.Profile) int {
		if order := score(b) - score(a); order != 0 {
			return order
		}
		return min(len(users[b.ID]), 1) - min(len(users[a.ID]), 1)
	})
}

// findRenames pairs a missing profile with the one undesired profile of ours
// that has its very spec. The pair must be unambiguous from both sides, and a
// protected profile is only renamed by a document that protects it too.
func findRenames(slots []*slot) {
	type spec = [sha256.Size]byte
	missing := map[spec][]*slot{}
	for _, s := range slots {
		if s.item != nil && len(s.ours) == 0 && len(s.foreign) == 0 && s.restores == nil {
			key := s.item.Spec.Fingerprint()
			missing[key] = append(missing[key], s)
		}
	}
	if len(missing) == 0 {
		return
	}
	undesired := map[spec][]leaver{}
	for _, s := range slots {
		if s.item == nil {
			for _, p := range s.ours {
				key := p.Spec.Fingerprint()
				undesired[key] = append(undesired[key], leaver{s, p})
			}
		}
	}
	for key, wanting := range missing {
		leaving := undesired[key]
		if len(wanting) != 1 || len(leaving) != 1 {
			continue
		}
		to, from, p := wanting[0], leaving[0].slot, leaving[0].profile
		if protect := to.item.Lifecycle.Protect; p.Marks().Protected && (protect == nil || !*protect) {
			continue
		}
		index := slices.Index(from.ours, p)
		to.renamed, from.ours, from.left = p, slices.Delete(from.ours, index, index+1), true
	}
}

// leaver is an undesired profile of ours and the slot it is in.
type leaver struct {
	slot    *slot
	profile *live.Profile
}
