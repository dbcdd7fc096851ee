//go:build openstack

package openstack

import (
	"net/http"
	"strings"
	"testing"
	"time"
)

// outage is a service of the cloud that is stopped at a create in the middle of an apply.
type outage struct {
	name    string
	service string
	create  int    // the how many-th; the fifth and sixth are those of recreates
	says    string // on standard output
	advises string // on standard error
	plan    string // what the next plan says while the service is down
}

const (
	again = "hint: once the cloud works, run the same command again: it goes on from what is live"
)

func outages() []outage {
	const silent = "the service takes requests and does not answer them: its conductor, message broker or database may be down"
	return []outage{
		{
			name: "the message broker", service: "rabbitmq", create: 3,
			says: "/v1/profiles within 8s; it may have been carried out", advises: silent,
			plan: "/v1/profiles within 8s",
		},
		{
			name: "the conductor while it creates a successor", service: "senlin-conductor", create: 5,
			says: "error: earlier generation is aside as ", advises: silent,
			plan: "/v1/profiles within 8s",
		},
		{
			name: "the database", service: "mariadb", create: 3,
			says: "(50", advises: again, // Senlin's words, or its token filter's about a Keystone without a database
			plan: "/v3/auth/tokens closed the connection without an answer",
		},
	}
}

// TestOutages takes a service away in the middle of an apply, brings it back, and lets further passes finish the work. What the program
// says can be read with -v.
func TestOutages(t *testing.T) {
	script := controlled(t)
	program := buildProfilesync(t)
	for _, o := range outages() {
		t.Run(o.name, func(t *testing.T) { o.happen(t, script, program) })
	}
}

func (o outage) happen(t *testing.T, script control, program string) {
	s := newStage(t, program, login{script.clouds, "tenant-a"})
	t.Cleanup(func() { script.recover(t, o.service) })
	s.through.senlin.at("POST /v1/profiles", o.create, func(*http.Request) { script.must(t, "stop", o.service) })

	status, stdout, stderr := s.bounded(t, s.through.login, "apply", "--yes", "--parallel", "2", "--request-timeout", "8s")
	for what, missing := range map[string]bool{
		"exit status 1":                      status != 1,
		"what was done":                      !strings.Contains(stdout, "created in "),
		"what failed: " + o.says:             !strings.Contains(stdout, o.says),
		"the count of both":                  !strings.Contains(stdout, "\nApplied: ") || !strings.Contains(stdout, " failed"),
		"the next step: " + o.advises:        !strings.Contains(stderr, o.advises),
		"that it can be run again: " + again: !strings.Contains(stderr, again),
	} {
		if missing {
			t.Errorf("it does not say %s", what)
		}
	}
	status, stdout, stderr = s.bounded(t, s.direct, "plan", "--request-timeout", "8s")
	if status != 1 || stdout != "" || !strings.Contains(stderr, o.plan) || !strings.Contains(stderr, "\nhint: ") {
		t.Errorf("a plan meanwhile: exit status %d, want 1 and a word of %q with a hint", status, o.plan)
	}

	script.recover(t, o.service)
	s.run(t, "apply", "--yes") // while Senlin may still be at what was given up on
	await(t, "Senlin has answered everything", s.through.senlin.quiet)
	s.converge(t)
}

// bounded runs the program, which must come to its end by itself, and shows what an operator sees.
func (s *stage) bounded(t *testing.T, as login, args ...string) (status int, stdout, stderr string) {
	t.Helper()
	begun := time.Now()
	status, stdout, stderr = s.runAs(t, as, args...)
	took := time.Since(begun)
	t.Logf("%s: exit status %d after %s\n%s--- standard error\n%s", args[0], status, took.Round(100*time.Millisecond), stdout, stderr)
	if took > time.Minute {
		t.Errorf("%s took %s", args[0], took)
	}
	return status, stdout, stderr
}

// TestACreateLosesItsWay lets the first create go astray, on its way to a real Senlin or back.
func TestACreateLosesItsWay(t *testing.T) {
	program, as := buildProfilesync(t), login{cloudsFileOf(t, "PROFILESYNC_TEST_CLOUDS_FILE"), "tenant-a"}
	const create = "POST /v1/profiles"
	for _, row := range []struct {
		name   string
		astray func(*tap) (found func())
		before int // profiles of the name when the apply has ended
		after  int // and once the request is found again
	}{
		{"its answer is lost", func(p *tap) func() { p.mute(create); return func() {} }, 1, 1},
		{"it is carried out after a second one", func(p *tap) func() { return p.hold(create) }, 1, 2},
	} {
		t.Run(row.name, func(t *testing.T) {
			s := newStage(t, program, as)
			found := row.astray(s.through.senlin)
			t.Cleanup(found)
			if status, _, _ := s.bounded(t, s.through.login, "apply", "--yes", "--parallel", "1", "--request-timeout", "4s"); status != 0 {
				t.Errorf("exit status %d, want 0", status)
			}
			if n := len(s.named(t)["fresh-1"]); n != row.before {
				t.Errorf("%d profiles bear the name when the apply has ended, want %d", n, row.before)
			}
			found()
			await(t, "Senlin has answered everything", s.through.senlin.quiet)
			if n := len(s.named(t)["fresh-1"]); n != row.after {
				t.Errorf("%d profiles bear the name in the end, want %d", n, row.after)
			}
			s.converge(t)
		})
	}
}
