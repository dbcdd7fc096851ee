package profile

import "strings"

// MarkPrefix begins every metadata key that belongs to this program; a
// document may not use it.
const MarkPrefix = "profilesync."

// The metadata keys of the marks.
const (
	OwnerKey      = MarkPrefix + "owner"      // who manages the profile
	SourceKey     = MarkPrefix + "source"     // file of the last write, for people
	RevisionKey   = MarkPrefix + "revision"   // commit of the last write, for people
	SupersededKey = MarkPrefix + "superseded" // the name an earlier generation had
	ProtectedKey  = MarkPrefix + "protected"  // "true" when it must not be deleted
)

// Marks is what this program wrote into a live profile's metadata. The zero
// value is a profile that nobody manages.
type Marks struct {
	Owner      string
	Source     string
	Revision   string
	Superseded string // on an earlier generation: the name it had
	Protected  bool
}

// MarksOf reads the marks out of a profile's metadata. A mark whose value is
// not a string counts as absent: this program never wrote it.
func MarksOf(metadata map[string]any) Marks {
	text := func(key string) string {
		value, _ := metadata[key].(string)
		return value
	}
	return Marks{
		Owner:      text(OwnerKey),
		Source:     text(SourceKey),
		Revision:   text(RevisionKey),
		Superseded: text(SupersededKey),
		Protected:  text(ProtectedKey) == "true",
	}
}

// Labels is the metadata without the marks: what Git is the truth for.
func Labels(metadata map[string]any) map[string]any {
	labels := make(map[string]any, len(metadata))
	for key, value := range metadata {
		if !strings.HasPrefix(key, MarkPrefix) {
			labels[key] = value
		}
	}
	return labels
}

// SameLabels reports whether two metadata maps agree on everything but marks.
func SameLabels(a, b map[string]any) bool {
	labels := 0
	for key, value := range a {
		if strings.HasPrefix(key, MarkPrefix) {
			continue
		}
		other, ok := b[key]
		if !ok || !Equal(value, other) {
			return false
		}
		labels++
	}
	for key := range b {
		if !strings.HasPrefix(key, MarkPrefix) {
			labels--
		}
	}
	return labels == 0
}

// On returns the labels of metadata together with these marks; marks already
// in it are dropped.
func (m Marks) On(metadata map[string]any) map[string]any {
	marked := Labels(metadata)
	for key, value := range map[string]string{
		OwnerKey: m.Owner, SourceKey: m.Source, RevisionKey: m.Revision, SupersededKey: m.Superseded,
	} {
		if value != "" {
			marked[key] = value
		}
	}
	if m.Protected {
		marked[ProtectedKey] = "true"
	}
	return marked
}

// Aside is the profile as an earlier generation: renamed after its id and
// marked superseded. It belongs to owner from now on. Its protection stays with
// it, for the case that it turns out to be all there is of the name.
func (p Profile) Aside(id, owner string) Profile {
	marks := MarksOf(p.Metadata)
	marks.Owner, marks.Superseded = owner, p.Name
	return Profile{
		Name:     AsideName(p.Name, id),
		Metadata: marks.On(p.Metadata),
		Spec:     p.Spec,
	}
}
