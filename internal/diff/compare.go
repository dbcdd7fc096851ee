package diff

import (
	"profilesync/internal/desired"
	"profilesync/internal/live"
	"profilesync/internal/profile"
)

// Options are the operator's choices that bear on decisions.
type Options struct {
	Target string // name of the target, for the plan's head
	Cloud  string // its cloud, for the plan's head
	Owner  string // whose mark makes a profile ours
	Prune  bool   // delete our profiles that no document asks for
	Adopt  bool   // take over an unowned profile whose spec differs
}

// Compare decides what is done to every desired profile and every profile of
// ours. "Ours" bears our owner mark; an earlier generation is ours and marked
// superseded.
//
//	desired | live, ours              | live, not ours     | change
//	--------+-------------------------+--------------------+----------------------------------------
//	web     | same spec, same labels  | any                | = in sync
//	web     | same spec               | any                | ~ metadata differs
//	web     | other spec              | any                | ± spec differs
//	web     | other spec; an earlier generation has it     | ± restores it: labels only
//	web     | several                 | any                | best match as above; each other one is a
//	        |                         |                    |   duplicate: - unused, ~ set aside if used
//	web     | –                       | one, same spec     | ~ adopted
//	web     | –                       | one, other spec    | ! not ours  (± taken over with Adopt)
//	web     | –                       | several            | ! ambiguous
//	web     | –                       | another owner's    | ! owned by X
//	web     | –; an earlier generation has this spec       | ~ restores it
//	web     | –; exactly one undesired profile has it      | ~ renamed    (with Prune)
//	web     | –                       | –                  | + missing
//	–       | any                     | any, without Prune | ! prune is off
//	–       | protected               | any                | ! protected
//	–       | used                    | any                | ! in use
//	–       | unused                  | any                | - not desired
//	–       | earlier generation, renamed to a name in use | ~ set aside again
//	–       | earlier generation, used                     | = superseded, kept
//	–       | earlier generation, unused                   | - superseded (also without Prune)
//	–       | the newest earlier generation, unused, and   | as if it were the current one: it is
//	        | nothing current                              |   all there is of the name
//
// A plan made from a snapshot without users says so in NeedsUsers when the
// users matter.
func Compare(want desired.Set, have live.Snapshot, opts Options) Plan {
	slots, taken := arrange(want, have, opts)
	decision := decider{Options: opts, revision: want.Revision, snapshot: have, taken: taken}
	plan := Plan{
		Target: opts.Target, Cloud: opts.Cloud, Region: have.Region, Project: have.Project,
		Revision: want.Revision, Owner: opts.Owner, Desired: len(want.Items),
		Changes: make([]Change, 0, len(slots)),
	}
	for _, s := range slots {
		plan.Owned += s.owned()
		plan.Changes = decision.decide(s, plan.Changes)
	}
	plan.NeedsUsers = decision.askedInVain
	return plan
}

// decider holds what every row of the table may look at.
type decider struct {
	Options
	revision    string
	snapshot    live.Snapshot
	taken       names
	askedInVain bool // a row depended on users that were not read
}

// decide appends the changes of one slot.
func (d *decider) decide(s *slot, changes []Change) []Change {
	if s.item == nil {
		for _, p := range s.ours {
			changes = append(changes, d.undesired(p))
		}
		if p := s.last(); p != nil && d.vacated(p) == nil && len(d.users(p)) == 0 {
			changes = append(changes, d.undesired(p))
		}
		return d.generations(s, false, changes)
	}
	current := d.current(s)
	changes = append(changes, current)
	for _, p := range s.others() {
		changes = append(changes, d.duplicate(p))
	}
	return d.generations(s, current.Block != "", changes)
}

// current decides about the one profile that bears a desired name.
func (d *decider) current(s *slot) Change {
	switch {
	case len(s.ours) > 0:
		return d.ours(s, s.ours[0])
	case len(s.foreign) > 0:
		return d.foreign(s)
	case s.restores != nil:
		return d.relabel(s, s.restores, Restores)
	case s.renamed != nil:
		return d.relabel(s, s.renamed, Renamed)
	}
	after := d.after(s.item, s.newest())
	return d.change(s, Change{Action: Create, Reason: Missing, After: after, Earlier: s.newest(), Fields: contents(*after)})
}

func (d *decider) ours(s *slot, p *live.Profile) Change {
	if !p.Spec.Equal(s.item.Spec) {
		reason, earlier := SpecDiffers, s.newest()
		if s.restores != nil {
			reason, earlier = Restores, s.restores
		}
		return d.recreate(s, p, reason, earlier)
	}
	if d.sameLabels(s.item, p) {
		return d.change(s, Change{Action: NoOp, Reason: InSync, Before: p})
	}
	return d.relabel(s, p, LabelsDiffer)
}

func (d *decider) foreign(s *slot) Change {
	if len(s.foreign) > 1 {
		return d.change(s, Change{Action: NoOp, Reason: Missing, Block: Ambiguous})
	}
	p := s.foreign[0]
	same, owner := p.Spec.Equal(s.item.Spec), p.Marks().Owner
	switch {
	case same && owner == "":
		return d.relabel(s, p, Adopted)
	case same:
		return held(d.relabel(s, p, Adopted), OwnedBy(owner))
	case owner != "":
		return held(d.replace(s, p, TakenOver, s.newest()), OwnedBy(owner))
	case !d.Adopt:
		return held(d.replace(s, p, TakenOver, s.newest()), NotOurs)
	}
	return d.recreate(s, p, TakenOver, s.newest())
}

// held is the change with a reason not to make it.
func held(change Change, block Block) Change {
	change.Block = block
	return change
}

// undesired decides about a profile of ours that no document asks for.
func (d *decider) undesired(p *live.Profile) Change {
	change := Change{Action: Delete, Name: p.Name, Reason: NotDesired, Before: p}
	switch {
	case !d.Prune: // nobody asked for it to go, so nothing is held up
		change.Block = PruneOff
	case p.Marks().Protected:
		change.Block = Protected
	default:
		if change.Users = d.users(p); len(change.Users) > 0 {
			change.Block = InUse
		}
	}
	return change
}

// duplicate decides about a profile of ours that bears a desired name beside
// the best match. A lost reply to a create can leave one.
func (d *decider) duplicate(p *live.Profile) Change {
	aside := p.Aside(p.ID, d.Owner)
	change := Change{Action: Delete, Name: p.Name, Reason: Duplicate, Before: p, After: &aside, Users: d.users(p)}
	if len(change.Users) > 0 {
		change.Action, change.Fields = Update, differences(p.Profile, aside)
	}
	return change
}

// generations decides about the earlier generations of a name. While the
// current profile is held up they stay: one of them may be all there is.
func (d *decider) generations(s *slot, heldUp bool, changes []Change) []Change {
	for _, p := range s.earlier {
		if p == s.restores {
			continue // it becomes the current one
		}
		if after := d.vacated(p); after != nil { // whether it may go is for a later pass to say
			changes = append(changes, Change{
				Action: Update, Name: p.Name, Reason: AsideAgain, Before: p, After: after, Fields: differences(p.Profile, *after),
			})
			continue
		}
		change := Change{Action: Delete, Name: p.Name, Reason: Superseded, Before: p, Users: d.users(p)}
		switch {
		case p == s.last() && len(change.Users) == 0:
			continue // it counts as the current one
		case len(change.Users) > 0 || heldUp:
			change.Action = NoOp
		}
		changes = append(changes, change)
	}
	return changes
}

// vacated is an earlier generation that somebody gave a name in use, as it is to
// be: a server with unique names would refuse the name to whom it belongs. It is
// nil for one that is in nobody's way.
func (d *decider) vacated(p *live.Profile) *profile.Profile {
	aside := profile.AsideName(p.Marks().Superseded, p.ID)
	if p.Name == aside || !d.taken.has(p.Name) {
		return nil
	}
	return &profile.Profile{Name: aside, Metadata: p.Metadata, Spec: p.Spec}
}

func (d *decider) relabel(s *slot, p *live.Profile, reason Reason) Change {
	after := d.after(s.item, p)
	return d.change(s, Change{
		Action: Update, Reason: reason, Before: p, After: after, Fields: differences(p.Profile, *after),
	})
}

func (d *decider) recreate(s *slot, p *live.Profile, reason Reason, earlier *live.Profile) Change {
	change := d.replace(s, p, reason, earlier)
	change.Users = d.users(p)
	return change
}

// replace is a recreate without its users: they cost three lists, and do not
// matter when the change is held up anyway.
func (d *decider) replace(s *slot, p *live.Profile, reason Reason, earlier *live.Profile) Change {
	after := d.after(s.item, p)
	return d.change(s, Change{
		Action: Recreate, Reason: reason, Before: p, After: after, Earlier: earlier, Fields: differences(p.Profile, *after),
	})
}

func (d *decider) change(s *slot, c Change) Change {
	c.Name, c.File, c.Line = s.name, s.item.File, s.item.Line
	return c
}

// after is the desired profile with its marks. A document that says nothing
// about protection leaves the mark as it is on p, which may be nil.
func (d *decider) after(item *desired.Item, p *live.Profile) *profile.Profile {
	marks := profile.Marks{Owner: d.Owner, Source: item.File, Revision: d.revision}
	if p != nil {
		marks.Protected = p.Marks().Protected
	}
	if item.Lifecycle.Protect != nil {
		marks.Protected = *item.Lifecycle.Protect
	}
	after := item.With(item.Name, marks.On(item.Metadata))
	return &after
}

// sameLabels leaves out source and revision: they are provenance, written
// along with a change and never a difference by themselves.
func (d *decider) sameLabels(item *desired.Item, p *live.Profile) bool {
	if protect := item.Lifecycle.Protect; protect != nil && *protect != p.Marks().Protected {
		return false
	}
	return profile.SameLabels(item.Metadata, p.Metadata)
}

func (d *decider) users(p *live.Profile) []live.User {
	d.askedInVain = d.askedInVain || !d.snapshot.UsersRead
	return d.snapshot.Users[p.ID]
}
