package devcloud_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"profilesync/internal/devcloud"
)

// client speaks to a cloud in this process.
type client struct {
	transport http.RoundTripper
	token     string
}

// reply is an answer, read whole.
type reply struct {
	status int
	header http.Header
	body   string
}

// logIn takes a token for an account of a cloud.
func logIn(t testing.TB, cloud *devcloud.Cloud, name string) client {
	t.Helper()
	for _, a := range devcloud.Accounts() {
		if a.Name == name {
			return logInAs(t, cloud, a)
		}
	}
	t.Fatalf("no account %q", name)
	return client{}
}

func logInAs(t testing.TB, cloud *devcloud.Cloud, a devcloud.Account) client {
	t.Helper()
	c := client{transport: cloud.Transport()}
	r := c.send(t, "POST", "/identity/v3/auth/tokens", fmt.Sprintf(`{"auth":{"identity":{"methods":["password"],"password":`+
		`{"user":{"name":%q,"domain":{"id":"default"},"password":%q}}},"scope":{"project":{"name":%q,"domain":{"id":"default"}}}}}`,
		a.Name, a.Password, a.Project))
	if r.status != http.StatusCreated {
		t.Fatalf("log in as %q: got %d %s", a.Name, r.status, r.body)
	}
	c.token = r.header.Get("X-Subject-Token")
	return c
}

// send makes a request and reads the answer.
func (c client) send(t testing.TB, method, path, body string) reply {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, devcloud.InProcessURL+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("X-Auth-Token", c.token)
	r.Header.Set("Accept", "application/json")
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("OpenStack-API-Version", "clustering 1.14")
	resp, err := c.transport.RoundTrip(r)
	if err != nil {
		t.Error(err)
		return reply{}
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Error(err)
	}
	return reply{resp.StatusCode, resp.Header, string(data)}
}

// want fails the test unless an answer has a status.
func (r reply) want(t testing.TB, status int) reply {
	t.Helper()
	if r.status != status {
		t.Fatalf("got %d %s, want %d", r.status, r.body, status)
	}
	return r
}

// field returns a member of the only object in an answer.
func (r reply) field(t testing.TB, name string) any {
	t.Helper()
	var document map[string]map[string]any
	if err := json.Unmarshal([]byte(r.body), &document); err != nil {
		t.Fatalf("%v in %s", err, r.body)
	}
	for _, o := range document {
		return o[name]
	}
	return nil
}

func (r reply) id(t testing.TB) string {
	t.Helper()
	id, _ := r.field(t, "id").(string)
	return id
}

// profileBody is the body of a request for a server profile. Extra is more of its properties: `,"key_name":"k"`.
func profileBody(name, extra string) string {
	return fmt.Sprintf(`{"profile":{"name":%q,"metadata":{"team":"web"},"spec":{"type":"os.nova.server","version":"1.0",`+
		`"properties":{"name":"srv","flavor":"m1.small","image":"cirros","networks":[{"network":"private"}]%s}}}}`, name, extra)
}
