package main

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strconv"
	"testing"
	"time"

	"profilesync/internal/profile"
)

// seedVariable repeats a run; without it each draws other worlds.
const seedVariable = "PROFILESYNC_TEST_SEED"

// TestAnApplyKilledAnywhereInAnyWorldIsFinished kills one program after the
// other, each once or several times in a row, in worlds drawn at random.
func TestAnApplyKilledAnywhereInAnyWorldIsFinished(t *testing.T) {
	kills, seed := number(t, killsVariable, 9), number(t, seedVariable, int(time.Now().UnixNano()>>10))
	begun, binary := time.Now(), build(t)
	worlds, died, sent := 0, 0, 0
	for ; died < kills && sent < 3*kills && !t.Failed(); worlds++ {
		d := drawer{rand.New(rand.NewPCG(uint64(seed), uint64(worlds)))}
		t.Run(fmt.Sprintf("world %d of seed %d", worlds, seed), func(t *testing.T) {
			v := newVictim(t, binary, onDevcloud)
			v.inhabit(d)
			for range 1 + d.IntN(3) {
				sent++
				if v.dieSomewhere(d) {
					died++
				}
			}
			v.converge("at last")
			v.converged("at last")
		})
	}
	t.Logf("%d kills in %d worlds of seed %d, %d of them while the program ran, in %s",
		sent, worlds, seed, died, time.Since(begun).Round(time.Second))
	if died < kills {
		t.Errorf("only %d of %d kills hit the program", died, sent)
	}
}

// dieSomewhere is a pass that is killed at a random request, in a random way.
func (v *victim) dieSomewhere(d drawer) bool {
	v.t.Helper()
	at, how := 1+d.IntN(1+d.IntN(30)), deaths()[d.IntN(len(deaths()))]
	what := fmt.Sprintf("killed at request %d, %s", at, how)
	before := v.look()
	died := v.die(at, how)
	v.senlin.flights.Wait()
	v.survived(what, before, "")
	v.momentarily(what, before)
	v.t.Logf("%s: %v", what, died)
	return died
}

// drawer draws what is left to chance.
type drawer struct{ *rand.Rand }

func (d drawer) of(words ...string) string { return words[d.IntN(len(words))] }

// chance is true once in so many times.
func (d drawer) chance(of int) bool { return d.IntN(of) == 0 }

// inhabit fills a world: profiles of ours, with duplicates and earlier
// generations, of others, and of nobody, some of them used; and documents that
// ask for some of the same names.
func (v *victim) inhabit(d drawer) {
	v.t.Helper()
	v.prune = !d.chance(4)
	v.flags = []string{
		"--max-deletes", "99", "--max-recreates", "99", "--allow-empty",
		"--parallel", d.of("1", "8"), "--adopt=" + strconv.FormatBool(d.chance(4)), "--prune=" + strconv.FormatBool(v.prune),
	}
	for i := range d.IntN(9) {
		v.settle(d, i)
	}
	var items []string
	for _, name := range []string{"web", "db", "api"} {
		if !d.chance(4) {
			items = append(items, fmt.Sprintf("%s=%s %s", name, d.of("small", "large", "huge"), d.of("a", "b")))
		}
	}
	v.wants(items...)
	v.t.Logf("%v wants %v", v.flags, items)
}

// settle makes the n-th profile, and perhaps somebody who uses it.
func (v *victim) settle(d drawer, n int) {
	v.t.Helper()
	name, flavor := d.of("web", "db", "api", "old"), d.of("small", "large", "huge")
	whose := d.of("ours", "ours", "ours", "ours before", "ours before", "theirs", "nobody's")
	user := d.of("no", "no", "no", "cluster", "node")
	marks := map[string]profile.Marks{"ours": {Owner: owner}, "ours before": {Owner: owner}, "theirs": {Owner: "them"}}[whose]
	labels := marks.On(map[string]any{"team": d.of("a", "b")})
	id := v.post("profiles", body("profile", map[string]any{
		"name": name, "metadata": labels, "spec": map[string]any{
			"type": "os.nova.server", "version": "1.0", "properties": map[string]any{"flavor": flavor, "networks": []any{}},
		},
	}))
	if whose == "ours before" {
		aside := profile.Profile{Name: name, Metadata: labels}.Aside(id, owner)
		v.relabel(id, aside.Name, aside.Metadata)
	}
	if user != "no" {
		holds := map[string]any{"name": fmt.Sprintf("u%d", n), "profile_id": id}
		if user == "cluster" {
			holds["desired_capacity"] = 0
		}
		v.post(user+"s", body(user, holds))
	}
	v.t.Logf("%s is %s, %s, %v, used by %s", name, whose, flavor, labels, user)
}

func (v *victim) relabel(id, name string, metadata map[string]any) {
	v.t.Helper()
	status, _, text, err := v.session.do("PATCH", "/v1/profiles/"+id, body("profile", map[string]any{"name": name, "metadata": metadata}))
	if err != nil || status != 200 {
		v.t.Fatalf("PATCH: status %d, %v\n%s", status, err, text)
	}
}

// body is a request's JSON.
func body(kind string, content map[string]any) string {
	text, _ := json.Marshal(map[string]any{kind: content}) // of words and numbers
	return string(text)
}
