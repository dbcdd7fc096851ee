package report

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"profilesync/internal/apply"
	"profilesync/internal/diff"
	"profilesync/internal/live"
	"profilesync/internal/profile"
)

// verb is what an action is called before it is done, after, and when it is
// not done.
type verb struct{ will, done, not string }

func verbOf(action diff.Action) verb {
	switch action {
	case diff.Create:
		return verb{"create", "created", "not created"}
	case diff.Update:
		return verb{"update in place", "updated in place", "not updated"}
	case diff.Recreate:
		return verb{"recreate", "recreated", "not recreated"}
	case diff.Delete:
		return verb{"delete", "deleted", "not deleted"}
	}
	return verb{"leave", "unchanged", "left alone"}
}

// headline says in one line what will happen to a profile, or happened, and
// why. What is foreign in it is clean.
func headline(o apply.Outcome) string {
	verb := verbOf(o.Action)
	switch {
	case inDoubt(o):
		return "perhaps " + verb.done + ", in doubt: " + why(o.Change)
	case o.Status == apply.Failed:
		return verb.not + ", failed: " + why(o.Change)
	case o.Status == apply.Skipped:
		return verb.not + ", skipped: " + why(o.Change)
	case o.Block != "":
		return held(o.Change)
	case o.Change.Kept():
		return "kept: " + waitsFor(o.Change)
	case inSync(o.Change):
		return string(diff.InSync)
	case setAside(o) && o.After != nil:
		return "set aside as " + label(o.After.Name) + done(o) + ", something uses it"
	case o.Status == apply.Done:
		return verb.done + done(o)
	}
	text := verb.will + ": " + why(o.Change)
	if o.Action == diff.Delete {
		text += " [id=" + Clean(o.ID()) + "]"
	}
	return text
}

// inDoubt reports whether the cloud may have carried out what failed.
func inDoubt(o apply.Outcome) bool {
	return o.Status == apply.Failed && errors.Is(o.Err, profile.ErrInDoubt)
}

func done(o apply.Outcome) string {
	text := " in " + seconds(o.Took)
	if o.NewID != "" {
		text += " [id=" + Clean(o.NewID) + "]"
	}
	return text
}

// why is the reason, with the other profile it speaks of where there is one.
func why(c diff.Change) string {
	switch {
	case c.Reason == diff.Renamed && c.Before != nil && c.Before.Name != "":
		return "renamed from " + label(c.Before.Name)
	case c.Reason == diff.Restores && generation(c) != "":
		return "restores the earlier generation " + label(generation(c))
	case c.Reason == diff.Duplicate && c.Action == diff.Update && c.After != nil:
		return "duplicate in use, set aside as " + label(c.After.Name)
	}
	return Clean(string(c.Reason))
}

// generation is the name of the earlier generation that a change brings back.
func generation(c diff.Change) string {
	switch {
	case c.Earlier != nil:
		return c.Earlier.Name
	case c.Action == diff.Update && c.Before != nil:
		return c.Before.Name
	}
	return ""
}

// held says why a change is not made.
func held(c diff.Change) string {
	not := verbOf(c.Action).not + ": "
	if owner, ok := strings.CutPrefix(string(c.Block), string(diff.OwnedBy(""))); ok {
		return not + "owned by " + label(owner)
	}
	switch c.Block {
	case diff.InUse:
		if len(c.Users) == 0 { // the server's word, from the late look
			return not + "in use by something that this project cannot see"
		}
	case diff.NotOurs:
		return not + "the live profile of this name is not ours, and its spec differs"
	case diff.Ambiguous:
		return "not created: several live profiles bear this name, and none is ours"
	case diff.Protected:
		if c.Reason == diff.Superseded {
			return not + "superseded, but protected"
		}
	}
	return not + Clean(string(c.Block))
}

// hint is the next step for a blocked change, or "".
func hint(c diff.Change) string {
	if strings.HasPrefix(string(c.Block), string(diff.OwnedBy(""))) {
		return "choose another name, or have the other owner let go of it"
	}
	switch c.Block {
	case diff.InUse:
		if len(c.Users) == 0 {
			return "ask an administrator: its user may lie in another project"
		}
		return "move them to another profile, or bring its document back"
	case diff.Protected:
		if c.Reason == diff.Superseded {
			return "remove " + profile.ProtectedKey + " from its metadata"
		}
		return "bring its document back with lifecycle: {protect: false}, apply, then remove it"
	case diff.PruneOff:
		return "--prune=true deletes it"
	case diff.NotOurs:
		return "--adopt takes it over"
	case diff.Ambiguous:
		return "delete all but one of them; profilesync list --all shows them"
	}
	return ""
}

// waitsFor says what an earlier generation is kept for.
func waitsFor(c diff.Change) string {
	if len(c.Users) == 0 {
		return "superseded, its successor is not in place yet"
	}
	return "superseded, " + inUseBy(c.Users, 60)
}

// stays says what becomes of the profile that a recreate sets aside, or "".
func stays(o apply.Outcome) string {
	if o.Action != diff.Recreate || o.Before == nil || o.Block != "" {
		return ""
	}
	name := o.Before.Name
	if name == "" {
		name = o.Name
	}
	aside := label(profile.AsideName(name, o.Before.ID))
	switch planned := o.Status == ""; {
	case planned && len(o.Users) > 0, o.Kept && len(o.Users) > 0:
		return "the old generation stays as " + aside + " until they have moved on"
	case o.Kept:
		return "the old generation stays as " + aside + ", a later pass looks at it again"
	}
	return ""
}

// inUseBy names users: as many as fit into a number of columns, at least one,
// or all when that is 0.
func inUseBy(users []live.User, width int) string {
	text := "in use by "
	for i, user := range users {
		name := userText(user)
		if i > 0 {
			name = ", " + name
		}
		rest := ""
		if left := len(users) - i - 1; left > 0 {
			rest = fmt.Sprintf(" and %d more", left)
		}
		if i > 0 && width > 0 && columns(text+name+rest) > width {
			return text + fmt.Sprintf(" and %d more", len(users)-i)
		}
		text += name
	}
	return text
}

func userText(user live.User) string {
	name := user.Name
	if name == "" {
		name = user.ID
	}
	text := Clean(string(user.Kind)) + " " + strconv.Quote(short(name, 80))
	if user.Status != "" {
		text += " (" + Clean(short(user.Status, 40)) + ")"
	}
	return text
}
