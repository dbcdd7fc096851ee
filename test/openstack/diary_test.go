//go:build openstack

package openstack

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"testing"
)

// diary is what a client was seen to do in a story: a line for each step, and what came of it.
type diary struct{ strings.Builder }

// note writes down a step: the error, or else the value as one line of JSON. The value is not looked at after an error.
func (d *diary) note(t *testing.T, step string, value any, err error) {
	t.Helper()
	if err != nil {
		value = map[string]string{"raised": fmt.Sprintf("%T", err), "text": err.Error()}
	}
	line, err := json.Marshal(value)
	if err != nil {
		t.Fatalf("%s: %v", step, err)
	}
	fmt.Fprintf(d, "# %s\n%s\n", step, line)
}

var (
	dashedID = regexp.MustCompile(`\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b`)
	anyID    = regexp.MustCompile(dashedID.String() + `|\b[0-9a-f]{32}\b|\b[0-9a-f]{8}\b`)
	instant  = regexp.MustCompile(`\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ`)
	address  = regexp.MustCompile(`http://127\.0\.0\.1:\d+`)
)

// likeness takes out of a diary what no two clouds or runs have in common. An id becomes its number in the order of first
// sight, so that the same ids still stand in the same places; its first eight digits, which the openstack command lists, become
// that number too. All of it keeps its width, for the sake of tables.
func likeness(text, name string) string {
	text = instant.ReplaceAllString(text, "2000-01-01T00:00:00Z")
	text = address.ReplaceAllString(text, "http://cloud")
	starts := map[string]string{}
	for _, id := range dashedID.FindAllString(text, -1) {
		starts[id[:8]] = id
	}
	numbers := map[string]int{}
	text = anyID.ReplaceAllStringFunc(text, func(seen string) string {
		id := seen
		if len(seen) == 8 {
			if id = starts[seen]; id == "" {
				return seen
			}
		}
		if numbers[id] == 0 {
			numbers[id] = len(numbers) + 1
		}
		switch n := numbers[id]; len(seen) {
		case 8:
			return fmt.Sprintf("%08d", n)
		case 32:
			return fmt.Sprintf("%032d", n)
		default:
			return fmt.Sprintf("%08d-0000-0000-0000-000000000000", n)
		}
	})
	return strings.ReplaceAll(text, name, "story-"+strings.Repeat("0", len(name)-len("story-")))
}

func TestALikenessKeepsWhichIDIsWhich(t *testing.T) {
	const (
		a = "27453dec-b761-472c-8929-5a86273b4ca7"
		b = "00000000-0000-0000-0000-000000000000"
		p = "b312e0a5976949f5bac31ddf03a3d0c3"
	)
	got := likeness("story-AAAAAAAA "+a+" "+b+" "+a+" 27453dec deadbeef of "+p+" at 2026-11-22T23:06:27Z, http://127.0.0.1:8777/v1",
		"story-AAAAAAAA")
	want := "story-00000000 00000001-0000-0000-0000-000000000000 00000002-0000-0000-0000-000000000000" +
		" 00000001-0000-0000-0000-000000000000 00000001 deadbeef of 00000000000000000000000000000003 at 2000-01-01T00:00:00Z, http://cloud/v1"
	if got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}
