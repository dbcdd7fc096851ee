package report

import (
	"fmt"
	"io"
	"time"

	"profilesync/internal/profile"
)

// ListJSON writes live profiles without their contents, a profile a line, in
// the shape that docs/json.md describes. The error is that of w.
func ListJSON(w io.Writer, rows []Row) error { return rowsJSON(w, rows, false) }

// ShowJSON writes live profiles with their metadata and their spec, secrets
// redacted. The error is that of w, or names the profile that JSON cannot hold.
func ShowJSON(w io.Writer, rows []Row) error { return rowsJSON(w, rows, true) }

func rowsJSON(w io.Writer, rows []Row, contents bool) error {
	out := newJSONWriter(w)
	out.raw(fmt.Sprintf("{\"format_version\":%d,\"profiles\":[", formatVersion))
	separator := "\n"
	for _, row := range rows {
		out.raw(separator)
		if err := out.value(profileOf(row, contents)); err != nil {
			return fmt.Errorf("profile %q: %w", row.ID, err)
		}
		separator = ",\n"
	}
	out.raw("\n]}\n")
	return out.w.Flush()
}

type jsonProfile struct {
	Name       string         `json:"name"`
	ID         string         `json:"id"`
	Project    string         `json:"project"`
	Type       string         `json:"type"`
	Version    string         `json:"version"`
	Owner      string         `json:"owner"`
	Generation string         `json:"generation"` // "current", "superseded"; "" when nobody manages it
	Superseded string         `json:"superseded"` // the name an earlier generation had
	Protected  bool           `json:"protected"`
	Source     string         `json:"source"`
	Revision   string         `json:"revision"`
	Created    *time.Time     `json:"created"`
	Updated    *time.Time     `json:"updated"`
	Users      []jsonUser     `json:"users"`
	Metadata   map[string]any `json:"metadata,omitzero"`
	Spec       *jsonSpec      `json:"spec,omitempty"`
}

type jsonSpec struct {
	Type       string         `json:"type"`
	Version    string         `json:"version"`
	Properties map[string]any `json:"properties"`
}

func profileOf(row Row, contents bool) jsonProfile {
	marks := row.Marks()
	p := jsonProfile{
		Name: row.Name, ID: row.ID, Project: row.Project, Type: row.Spec.Type, Version: row.Spec.Version,
		Owner: marks.Owner, Superseded: marks.Superseded, Protected: marks.Protected,
		Source: marks.Source, Revision: marks.Revision,
		Created: utc(row.Created), Updated: utc(row.Updated), Users: usersOf(row.Users),
	}
	switch {
	case marks.Superseded != "":
		p.Generation = "superseded"
	case marks.Owner != "":
		p.Generation = "current"
	}
	if contents {
		p.Metadata = profile.Labels(row.Metadata)
		p.Spec = &jsonSpec{row.Spec.Type, row.Spec.Version, row.Spec.Properties.Redact()}
	}
	return p
}

func utc(at time.Time) *time.Time {
	if at.IsZero() {
		return nil
	}
	at = at.UTC()
	return &at
}
