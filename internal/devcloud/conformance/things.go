package conformance

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"strconv"
	"testing"
	"time"
)

// server is a spec that every cloud takes; the drivers of a cloud may or may not look for what it names.
const server = `{"properties":{"flavor":"m1.small","image":"cirros","name":"srv","networks":[{"network":"private"}]},"type":"os.nova.server","version":"1.0"}`

// serverWith is the same with some properties written by hand. They must not repeat the flavor or the networks.
func serverWith(properties string) string {
	return `{"type":"os.nova.server","version":"1.0","properties":{"flavor":"m1.small","networks":[],` + properties + `}}`
}

// unique makes a name nobody else uses. It ends in 8 hexadecimal digits and never begins with one.
func unique(stem string) string {
	var random [4]byte
	if _, err := rand.Read(random[:]); err != nil {
		panic(err)
	}
	return "conf-" + stem + "-" + hex.EncodeToString(random[:])
}

// newProfile writes the body of a create call; rest is further members, such as `,"metadata":{}`.
func newProfile(name, spec, rest string) string {
	return fmt.Sprintf(`{"profile":{"name":%s,"spec":%s%s}}`, quote(name), spec, rest)
}

// makes posts the body of a create call, expects 201, and deletes the profile when the test ends.
func (c caller) makes(t testing.TB, body string) answer {
	t.Helper()
	made := c.post(t, "/v1/profiles", body).want(t, 201)
	id, _ := made.object(t, "profile")["id"].(string)
	c.deletesLater(t, "/v1/profiles/"+id)
	return made
}

// profile makes an ordinary profile with the given name and returns its id.
func (c caller) profile(t testing.TB, name string) string {
	t.Helper()
	id, _ := c.makes(t, newProfile(name, server, "")).object(t, "profile")["id"].(string)
	return id
}

// deletesLater deletes a profile at the end of the test, unless the test did.
func (c caller) deletesLater(t testing.TB, path string) {
	t.Cleanup(func() {
		if got := c.delete(t, path); got.status != 204 && got.status != 404 {
			t.Errorf("clean up: %s: got %d: %s", got.request, got.status, got.excerpt())
		}
	})
}

// eventually asks again and again until the answer is yes, and ends the test when it is not yes in time.
func eventually(t testing.TB, what string, yes func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !yes(); time.Sleep(pause) {
		if time.Now().After(deadline) {
			t.Fatalf("%s: not within %v", what, patience)
		}
	}
}

const (
	// patience bounds every wait for something asynchronous; the real engine takes three to four seconds for two nodes.
	patience = 30 * time.Second
	pause    = 50 * time.Millisecond
)

func itoa(n int) string { return strconv.Itoa(n) }
