package senlin

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"profilesync/internal/live"
	"profilesync/internal/profile"
)

// wireProfile is a profile as Senlin answers it.
type wireProfile struct {
	ID       string         `json:"id"`
	Name     string         `json:"name"`
	Project  string         `json:"project"`
	Metadata map[string]any `json:"metadata"` // null after a PATCH with null
	Spec     struct {
		Type       text           `json:"type"`
		Version    text           `json:"version"`
		Properties map[string]any `json:"properties"`
	} `json:"spec"`
	Created stamp `json:"created_at"`
	Updated stamp `json:"updated_at"`
}

func (w wireProfile) live() live.Profile {
	return live.Profile{
		Profile: profile.Profile{
			Name: w.Name, Metadata: w.Metadata,
			Spec: profile.Spec{
				Type: string(w.Spec.Type), Version: string(w.Spec.Version), Properties: w.Spec.Properties,
			},
		},
		ID: w.ID, Project: w.Project,
		Created: time.Time(w.Created), Updated: time.Time(w.Updated),
	}
}

// text is a string that may be written as a number: Senlin keeps a spec as it
// was sent, and many are sent with version 1.0. The number's text is kept.
type text string

func (t *text) UnmarshalJSON(data []byte) error {
	if data[0] == '"' {
		return json.Unmarshal(data, (*string)(t))
	}
	if string(data) == "null" {
		*t = ""
		return nil
	}
	*t = text(data)
	return nil
}

// stamp is a time, with a zone or without (then it is UTC). What is no time is
// the zero time: a list is not lost for it.
type stamp time.Time

func (s *stamp) UnmarshalJSON(data []byte) error {
	*s = stamp{}
	written := strings.Trim(string(data), `"`)
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04:05", "2006-01-02 15:04:05"} {
		if at, err := time.Parse(layout, written); err == nil {
			*s = stamp(at.UTC())
			return nil
		}
	}
	return nil
}

// maxDepth bounds how deeply an answer is nested. Senlin gives up below 300.
const maxDepth = 1000

// weigh tells, before anything is decoded, about how much memory an answer will
// take: an empty map of two bytes takes a hundred. Its weight is one for each
// value, and four more for an object.
func weigh(body []byte) (weight, depth int) {
	weight = 1
	for level, i := 0, 0; i < len(body); i++ {
		switch body[i] {
		case '"':
			for i++; i < len(body) && body[i] != '"'; i++ {
				if body[i] == '\\' {
					i++
				}
			}
		case ',':
			weight++
		case '{':
			weight += 5
			level++
		case '[':
			weight++
			level++
		case '}', ']':
			level--
		}
		depth = max(depth, level)
	}
	return weight, depth
}

// decode reads one JSON value, with numbers as [json.Number]. An answer that
// ends too early is [io.ErrUnexpectedEOF].
func decode(body []byte, into any) error {
	if _, depth := weigh(body); depth > maxDepth {
		return fmt.Errorf("values nested deeper than %d levels", maxDepth)
	}
	decoder := json.NewDecoder(bytes.NewReader(plainNumbers(body)))
	decoder.UseNumber()
	return decoder.Decode(into)
}

// decodeProfile reads {"profile": {...}}.
func decodeProfile(body []byte) (live.Profile, error) {
	var answer struct {
		Profile *wireProfile `json:"profile"`
	}
	if err := decode(body, &answer); err != nil {
		return live.Profile{}, err
	}
	if answer.Profile == nil || answer.Profile.ID == "" {
		return live.Profile{}, errors.New("no profile")
	}
	return answer.Profile.live(), nil
}

// decodeProfiles reads {"profiles": [...]}.
func decodeProfiles(body []byte) ([]live.Profile, error) {
	var answer struct {
		Profiles *[]wireProfile `json:"profiles"`
	}
	if err := decode(body, &answer); err != nil {
		return nil, err
	}
	if answer.Profiles == nil {
		return nil, errors.New("no list of profiles")
	}
	profiles := make([]live.Profile, len(*answer.Profiles))
	for i, w := range *answer.Profiles {
		if w.ID == "" {
			return nil, fmt.Errorf("profile %q without an id", w.Name)
		}
		profiles[i] = w.live()
	}
	return profiles, nil
}

// plainNumbers turns what Python writes for numbers that JSON does not have
// into JSON: Senlin stores 1e999 as an infinity and answers Infinity from then
// on. An infinity becomes 1e999 again, which no other number equals; NaN becomes
// a string.
func plainNumbers(body []byte) []byte {
	if !bytes.Contains(body, []byte("Infinity")) && !bytes.Contains(body, []byte("NaN")) {
		return body
	}
	plain := make([]byte, 0, len(body))
	quoted := false
	for i := 0; i < len(body); i++ {
		switch b := body[i]; {
		case quoted && b == '\\' && i+1 < len(body):
			plain = append(plain, b, body[i+1])
			i++
		case b == '"':
			quoted = !quoted
			plain = append(plain, b)
		case !quoted && bytes.HasPrefix(body[i:], []byte("Infinity")):
			plain = append(plain, "1e999"...)
			i += len("Infinity") - 1
		case !quoted && bytes.HasPrefix(body[i:], []byte("NaN")):
			plain = append(plain, `"NaN"`...)
			i += len("NaN") - 1
		default:
			plain = append(plain, b)
		}
	}
	return plain
}

// wireSpec is a spec as Senlin wants it: the version always a string, since a
// number 1.0 must not lose its zero, and properties always an object.
func wireSpec(spec profile.Spec) map[string]any {
	properties := map[string]any(spec.Properties) // the values themselves, secrets included
	if properties == nil {
		properties = map[string]any{}
	}
	return map[string]any{"type": spec.Type, "version": spec.Version, "properties": properties}
}

// wireMetadata makes an empty metadata {}: null would be stored as null.
func wireMetadata(metadata map[string]any) map[string]any {
	if metadata == nil {
		return map[string]any{}
	}
	return metadata
}

// encode writes the body of a request about a profile. json.Number keeps its
// digits.
func encode(fields map[string]any) (json.RawMessage, error) {
	body, err := json.Marshal(map[string]any{"profile": fields})
	if err != nil {
		return nil, fmt.Errorf("profile cannot be written as JSON (%w): %w", err, profile.ErrInvalid)
	}
	return body, nil
}

// secretsOf lists what must not be shown of a spec: Senlin quotes a value that
// it refuses.
func secretsOf(spec profile.Spec) []string {
	var secrets []string
	var collect func(value any, path []string)
	collect = func(value any, path []string) {
		switch value := value.(type) {
		case map[string]any:
			for key, item := range value {
				collect(item, append(slices.Clone(path), key))
			}
		case []any:
			for _, item := range value {
				collect(item, append(slices.Clone(path), ""))
			}
		case json.Number:
			collect(string(value), path)
		case string:
			if profile.Sensitive(path...) {
				secrets = append(secrets, value)
			}
		}
	}
	collect(map[string]any(spec.Properties), nil)
	return secrets
}
