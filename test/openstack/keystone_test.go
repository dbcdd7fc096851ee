//go:build openstack

package openstack

import (
	"fmt"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"testing"
	"time"
)

// TestKeystone takes from an apply what it needs of Keystone: the service, or its token while many write with it. Senlin's API is told to
// ask Keystone about every token; it would trust one that it has seen for five minutes.
func TestKeystone(t *testing.T) {
	script := controlled(t)
	script.set(t, "PROFILESYNC_OPENSTACK_TOKEN_CACHE=-1")
	program := buildProfilesync(t)
	t.Run("is stopped", func(t *testing.T) {
		outage{
			service: "keystone", create: 3, says: "The Keystone service is temporarily unavailable (503, req-", advises: again,
			plan: "/v3/auth/tokens: connect: connection refused",
		}.happen(t, script, program)
	})
	t.Run("revokes the token", func(t *testing.T) { revokeTokens(t, script, program) })
	t.Run("lets the token expire", func(t *testing.T) { outliveTokens(t, script, program) })
}

// writers is how many changes of an apply are carried out side by side when its token is lost.
const writers = 8

// revokeTokens revokes the token of a running apply twice. Whatever was under way is refused at once.
func revokeTokens(t *testing.T, script control, program string) {
	c := newCrowd(t, program, login{script.clouds, "tenant-a"}, 40)
	for _, nth := range []int{10, 30} {
		c.through.senlin.at("POST /v1/profiles", nth, func(r *http.Request) { revoke(t, c.through.keystone, r.Header.Get("X-Auth-Token")) })
	}
	if logins := c.apply(t); logins != 1+2 {
		t.Errorf("%d logins, want one at first and one for each token that was revoked", logins)
	}
}

// outliveTokens lets an apply take longer than its tokens live.
func outliveTokens(t *testing.T, script control, program string) {
	text := os.Getenv("PROFILESYNC_TEST_TOKEN_LIFE")
	if text == "" {
		t.Skip("not run: it takes minutes, and PROFILESYNC_TEST_TOKEN_LIFE does not say how many seconds a token lives, such as 60")
	}
	life, err := strconv.Atoi(text)
	if err != nil {
		t.Fatalf("PROFILESYNC_TEST_TOKEN_LIFE: %v", err)
	}
	script.set(t, "PROFILESYNC_OPENSTACK_TOKEN_CACHE=-1", "PROFILESYNC_OPENSTACK_TOKEN_TTL="+strconv.Itoa(life))
	const profiles = 40
	c := newCrowd(t, program, login{script.clouds, "tenant-a"}, profiles)
	// Each profile takes two requests, one after the other, and all of them together a life and a half.
	c.through.senlin.slow(time.Duration(life) * time.Second * 3 / 2 / (2 * profiles / writers))
	begun := time.Now()
	logins := c.apply(t)
	lives := int(time.Since(begun).Seconds()) / life
	if lives == 0 || logins < 2 || logins > 1+lives+1 {
		t.Errorf("%d logins in %s, in which a token of %d s lives %d times", logins, time.Since(begun), life, lives)
	}
}

// revoke makes a token worthless.
func revoke(t *testing.T, keystone *tap, token string) {
	request, err := http.NewRequest(http.MethodDelete, keystone.server.URL+"/v3/auth/tokens", nil)
	if err != nil {
		t.Error(err)
		return
	}
	request.Header.Set("X-Auth-Token", token)
	request.Header.Set("X-Subject-Token", token)
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Error(err)
		return
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusNoContent {
		t.Errorf("a token is revoked: %s", answer.Status)
	}
}

// crowd is a stage on which many profiles are to be created, and nothing else.
type crowd struct {
	*stage
	want []string
}

func newCrowd(t *testing.T, program string, as login, n int) crowd {
	t.Helper()
	as.sweep(t, "")
	t.Cleanup(func() { as.sweep(t, "") })
	c := crowd{stage: &stage{program: program, home: t.TempDir(), direct: as, through: tapping(t, as), senlin: as.senlin(t, "1.14")}}
	if err := os.Mkdir(filepath.Join(c.home, "documents"), 0o755); err != nil {
		t.Fatal(err)
	}
	for i := range n {
		name := fmt.Sprintf("p%02d", i)
		c.write(t, map[string]string{name: fmt.Sprintf("f%d a", i)})
		c.want = append(c.want, name)
	}
	return c
}

// apply creates everything, each profile once, and returns how often it has logged in. Each request that is refused because of its token
// may be sent once more.
func (c crowd) apply(t *testing.T) (logins int) {
	t.Helper()
	status, stdout, stderr := c.run(t, "apply", "--yes", "--parallel", strconv.Itoa(writers))
	if status != 0 {
		t.Errorf("exit status %d\n%s%s", status, stdout, stderr)
	}
	logins = c.through.keystone.count("POST /v3/auth/tokens")
	creates := c.through.senlin.count("POST /v1/profiles")
	t.Logf("%d profiles with %d creates and %d logins", len(c.want), creates, logins)
	if limit := len(c.want) + writers*(logins-1); creates > limit {
		t.Errorf("%d creates are sent, want no more than %d", creates, limit)
	}
	c.senlin = c.direct.senlin(t, "1.14") // its token may be lost as well
	named := c.named(t)
	for name, ids := range named {
		if len(ids) != 1 {
			t.Errorf("%d profiles bear the name %q", len(ids), name)
		}
	}
	if got := slices.Sorted(maps.Keys(named)); !slices.Equal(got, c.want) {
		t.Errorf("live are %q", got)
	}
	return logins
}
