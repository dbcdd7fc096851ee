package conformance

import (
	"slices"
	"sync"
	"testing"
)

// atOnce is how many requests the parallel tests send at a time.
const atOnce = 10

// together sends one request many times at once and returns the answers.
func (c caller) together(t *testing.T, method, path, body string) []answer {
	t.Helper()
	answers, errs := make([]answer, atOnce), make([]error, atOnce)
	var all sync.WaitGroup
	for i := range atOnce {
		all.Go(func() { answers[i], errs[i] = c.send(method, path, body) })
	}
	all.Wait()
	for _, err := range errs {
		if err != nil {
			t.Errorf("%s %s: %v", method, path, err)
		}
	}
	return answers
}

func (s suite) parallel(t *testing.T) {
	name := unique("parallel")
	t.Run("creates of one name all give a profile of their own", func(t *testing.T) {
		var ids []string
		for _, answer := range s.a.together(t, "POST", "/v1/profiles", newProfile(name, server, "")) {
			id, _ := answer.want(t, 201).object(t, "profile")["id"].(string)
			s.a.deletesLater(t, "/v1/profiles/"+id)
			ids = append(ids, id)
		}
		slices.Sort(ids)
		if distinct := len(slices.Compact(ids)); distinct != atOnce {
			t.Errorf("got %d ids, want %d", distinct, atOnce)
		}
		if got := len(s.a.list(t, "?name="+name)); got != atOnce {
			t.Errorf("the list has %d of them, want %d", got, atOnce)
		}
	})
	t.Run("changes are all taken, and one is the last", func(t *testing.T) {
		id := s.a.profile(t, name)
		answers := s.a.together(t, "PATCH", "/v1/profiles/"+id, `{"profile":{"metadata":{"k":1}}}`)
		taken := 0
		for _, answer := range answers {
			if answer.status == 200 {
				taken++
				continue
			}
			answer.refused(t, 400, "BadRequest", nothingToDo)
		}
		if got := s.a.get(t, "/v1/profiles/"+id).want(t, 200).raw(t, "profile", "metadata"); taken == 0 || got != `{"k":1}` {
			t.Errorf("%d were taken and the metadata is %s", taken, got)
		}
	})
	t.Run("of many deletes one or a few are told it was them", func(t *testing.T) {
		id := s.a.profile(t, name)
		done := 0
		for _, answer := range s.a.together(t, "DELETE", "/v1/profiles/"+id, "") {
			if answer.status == 204 {
				done++ // two, seen once under load: the real service looks, and then deletes
				continue
			}
			answer.refused(t, 404, "ResourceNotFound", "The profile '"+id+"' could not be found.")
		}
		if done == 0 {
			t.Error("none was answered 204")
		}
		s.a.misses(t, id)
	})
}
