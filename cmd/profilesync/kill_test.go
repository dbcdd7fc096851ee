package main

import (
	"fmt"
	"testing"
	"time"
)

// The built program is killed at one request after the other of an apply that
// does everything an apply can do. Whatever was live when it died, the next
// passes converge, and nothing is lost. On a real cloud the same is told in
// kill_openstack_test.go, and of worlds drawn at random in kill_random_test.go.
//
// PROFILESYNC_TEST_KILLS says how often each of them kills; without it a few
// kills are spread over the apply.

const killsVariable = "PROFILESYNC_TEST_KILLS"

func TestAKilledApplyIsFinishedByTheNextOnes(t *testing.T) {
	spread(t, number(t, killsVariable, 9), func(t *testing.T, binary string) *victim {
		return newVictim(t, binary, onDevcloud)
	})
}

// spread kills victims at requests that are spread over the apply, in each way.
func spread(t *testing.T, kills int, fresh func(*testing.T, string) *victim) {
	begun, binary := time.Now(), build(t)
	whole := fresh(t, binary)
	whole.prepare()
	whole.apply()
	length := whole.senlin.count()
	whole.converged("not killed at all")
	died := 0
	for i := range kills {
		at, how := 1+i*length/kills, deaths()[i%len(deaths())]
		what := fmt.Sprintf("killed at request %d of %d, %s", at, length, how)
		t.Run(what, func(t *testing.T) {
			v := fresh(t, binary)
			v.prepare()
			before := v.look()
			if v.die(at, how) {
				died++
			}
			if how != amid { // otherwise the next pass meets what is still under way
				v.survived(what, before, "")
				v.momentarily(what, before)
			}
			v.converge(what)
			v.converged(what)
		})
	}
	t.Logf("%d kills at %d requests, %d of them while it ran, in %s", kills, length, died, time.Since(begun).Round(time.Second))
	if died < kills*9/10 {
		t.Errorf("only %d of %d kills hit the program", died, kills)
	}
}

// prepare makes a cloud in which the next apply has everything to do.
func (v *victim) prepare() {
	v.t.Helper()
	v.flags = []string{"--max-deletes", "10"}
	v.post("profiles", `{"profile":{"name":"theirs","metadata":{"a":1},"spec":{"type":"os.nova.server","version":"1.0","properties":{"flavor":"t","networks":[]}}}}`)
	v.wants("keep=k a", "label=l a", "plain=p1 a", "used=u1 a", "gone=g a", "before=r a", "back=b1 a")
	v.apply()
	v.wants("keep=k a", "label=l a", "plain=p1 a", "used=u1 a", "gone=g a", "before=r a", "back=b2 a")
	v.post("clusters", `{"cluster":{"name":"asg","profile_id":"used","desired_capacity":0}}`)
	v.post("clusters", `{"cluster":{"name":"old","profile_id":"back","desired_capacity":0}}`)
	v.apply()
	v.wants("keep=k a", "label=l b", "plain=p2 a", "used=u2 a", "after=r a", "back=b1 a", "fresh=f a")
}
