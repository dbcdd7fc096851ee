package profile

import (
	"encoding/json"
	"fmt"
	"maps"
)

// Profile is what a document asks for and what the API holds, without the
// fields that only the server sets (id, project, times).
type Profile struct {
	Name     string
	Metadata map[string]any // nil and empty mean the same; on a live profile the marks are in it
	Spec     Spec
}

// Spec is the part of a profile that Senlin never changes once it is stored.
type Spec struct {
	Type       string // "os.nova.server"
	Version    string // the text, as written: "1.0" (Senlin looks up Type + "-" + Version)
	Properties Properties
}

// TypeName is the name under which Senlin registers the profile's type, such
// as "os.nova.server-1.0".
func (s Spec) TypeName() string { return s.Type + "-" + s.Version }

// Equal reports whether two specs mean the same: the same type, the same
// version text and equal properties.
func (s Spec) Equal(other Spec) bool {
	return s.Type == other.Type && s.Version == other.Version &&
		equalMaps(s.Properties, other.Properties)
}

// Format writes the profile with its properties redacted, whatever the verb.
// Without it fmt reaches past the Format of [Properties] when it meets a
// *Profile inside a struct and the verb does not suit a pointer.
func (p Profile) Format(state fmt.State, _ rune) {
	_, _ = fmt.Fprintf(state, "{%q %v %v}", p.Name, p.Metadata, p.Spec)
}

// Format writes the spec with its properties redacted, whatever the verb, for
// the same reason.
func (s Spec) Format(state fmt.State, _ rune) {
	_, _ = fmt.Fprintf(state, "{%s %v}", s.TypeName(), s.Properties)
}

// Properties is a spec's property map. It may hold secrets, so printing or
// marshalling it gives the redacted form; whoever needs the values converts it
// to map[string]any and says so by doing it.
type Properties map[string]any

// Format writes the redacted properties as JSON, whatever the verb.
func (p Properties) Format(state fmt.State, _ rune) {
	text, err := p.MarshalJSON()
	if err != nil {
		text = []byte("{}")
	}
	_, _ = state.Write(text) // a fmt.State keeps its own error
}

// MarshalJSON gives the properties with every secret replaced by [Redacted].
func (p Properties) MarshalJSON() ([]byte, error) {
	return json.Marshal(p.Redact())
}

// Redact copies the properties with every secret replaced by [Redacted].
func (p Properties) Redact() map[string]any {
	redacted := make(map[string]any, len(p))
	for key, value := range p {
		redacted[key] = redactValue(key, value, sensitiveProperties)
	}
	return redacted
}

// With returns a copy of the profile that bears another name and metadata.
// The spec is shared: nobody writes to it.
func (p Profile) With(name string, metadata map[string]any) Profile {
	return Profile{Name: name, Metadata: maps.Clone(metadata), Spec: p.Spec}
}
