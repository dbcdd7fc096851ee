package conformance

import (
	"fmt"
	"strings"
	"testing"
)

const nothingToDo = "No property needs an update."

func (s suite) patching(t *testing.T) {
	t.Run("a change answers 200 with the whole profile", s.patchAnswers)
	t.Run("metadata is replaced, not merged", s.patchReplacesMetadata)
	t.Run("a change of nothing is refused", s.patchOfNothing)
	t.Run("bodies that are refused", s.patchRefusals)
	t.Run("the name may be one in use", func(t *testing.T) {
		taken, id := unique("taken"), s.a.profile(t, unique("patch"))
		s.a.profile(t, taken)
		s.a.patch(t, "/v1/profiles/"+id, renamed(taken)).want(t, 200)
		s.a.get(t, "/v1/profiles/"+taken).refused(t, 400, "MultipleChoices", tooMany)
		s.a.patch(t, "/v1/profiles/"+taken, renamed("x")).refused(t, 400, "MultipleChoices", tooMany)
	})
	t.Run("by name and id prefix, as GET", func(t *testing.T) {
		name := unique("patch")
		id := s.a.profile(t, name)
		s.a.patch(t, "/v1/profiles/"+name, `{"profile":{"metadata":{"a":1}}}`).want(t, 200)
		s.a.patch(t, "/v1/profiles/"+id[:13], `{"profile":{"metadata":{"a":2}}}`).want(t, 200)
		if got := s.a.get(t, "/v1/profiles/"+id).want(t, 200).raw(t, "profile", "metadata"); got != `{"a":2}` {
			t.Errorf("got metadata %s, want the second patch's", got)
		}
	})
	t.Run("what is not there, or is another project's", func(t *testing.T) {
		theirs := s.b.profile(t, unique("patch"))
		for _, id := range []string{"nosuch", theirs} {
			s.a.patch(t, "/v1/profiles/"+id, renamed(unique("x"))).
				refused(t, 404, "ResourceNotFound", "The profile '"+id+"' could not be found.")
		}
	})
}

func renamed(name string) string { return `{"profile":{"name":` + quote(name) + `}}` }

func (s suite) patchAnswers(t *testing.T) {
	made := s.a.makes(t, newProfile(unique("patch"), server, `,"metadata":{"k":"v","z":1}`))
	before := made.object(t, "profile")
	id, _ := before["id"].(string)
	name := unique("patched")
	answer := s.a.patch(t, "/v1/profiles/"+id, renamed(name)).want(t, 200)
	after := answer.object(t, "profile")
	if updated, _ := after["updated_at"].(string); !wholeTime.MatchString(updated) {
		t.Errorf("got updated_at %v, want whole seconds in UTC", after["updated_at"])
	}
	if after["name"] != name {
		t.Errorf("got name %v, want %s", after["name"], name)
	}
	for _, key := range []string{"id", "type", "spec", "metadata", "created_at", "project", "user", "domain"} {
		if fmt.Sprint(after[key]) != fmt.Sprint(before[key]) {
			t.Errorf("a new name changed %s from %v to %v", key, before[key], after[key])
		}
	}
	if again := s.a.get(t, "/v1/profiles/"+id).want(t, 200).object(t, "profile"); fmt.Sprint(again) != fmt.Sprint(after) {
		t.Errorf("GET has %v, the PATCH answered %v", again, after)
	}
}

func (s suite) patchReplacesMetadata(t *testing.T) {
	made := s.a.makes(t, newProfile(unique("patch"), server, `,"metadata":{"k":"v","z":1}`))
	id, _ := made.object(t, "profile")["id"].(string)
	for _, c := range []struct{ sent, want string }{
		{`{"new":"x"}`, `{"new":"x"}`},
		{`{}`, `{}`},
		{`{"n":12345678901234567890,"f":1.0}`, `{"f":1.0,"n":12345678901234567890}`},
		{`null`, `null`},
		{`{"back":true}`, `{"back":true}`},
	} {
		answer := s.a.patch(t, "/v1/profiles/"+id, `{"profile":{"metadata":`+c.sent+`}}`).want(t, 200)
		if got := answer.raw(t, "profile", "metadata"); got != c.want {
			t.Errorf("metadata %s: the answer has %s, want %s", c.sent, got, c.want)
		}
		if got := s.a.get(t, "/v1/profiles/"+id).want(t, 200).raw(t, "profile", "metadata"); got != c.want {
			t.Errorf("metadata %s: read back as %s, want %s", c.sent, got, c.want)
		}
	}
}

func (s suite) patchOfNothing(t *testing.T) {
	name := unique("patch")
	made := s.a.makes(t, newProfile(name, server, `,"metadata":{"a":1,"b":[1,2]}`))
	id, _ := made.object(t, "profile")["id"].(string)
	for what, body := range map[string]string{
		"no members":                     `{}`,
		"a null name":                    `{"name":null}`,
		"the same name":                  `{"name":` + quote(name) + `}`,
		"the same metadata":              `{"metadata":{"b":[1,2],"a":1}}`,
		"the same number as a float":     `{"metadata":{"b":[1,2],"a":1.0}}`,
		"true for one":                   `{"metadata":{"b":[1,2],"a":true}}`,
		"the same name and metadata":     `{"name":` + quote(name) + `,"metadata":{"a":1,"b":[1,2]}}`,
		"a null name, the same metadata": `{"name":null,"metadata":{"a":1,"b":[1,2]}}`,
	} {
		t.Run(what, func(t *testing.T) {
			s.a.patch(t, "/v1/profiles/"+id, `{"profile":`+body+`}`).refused(t, 400, "BadRequest", nothingToDo)
		})
	}
	if got := s.a.get(t, "/v1/profiles/"+id).want(t, 200).object(t, "profile")["updated_at"]; got != nil {
		t.Errorf("got updated_at %v, want null: nothing was updated", got)
	}
	t.Run("the same name beside other metadata is a change", func(t *testing.T) {
		s.a.patch(t, "/v1/profiles/"+id, `{"profile":{"name":`+quote(name)+`,"metadata":{}}}`).want(t, 200)
	})
	t.Run("and so is another case", func(t *testing.T) {
		s.a.patch(t, "/v1/profiles/"+id, renamed(strings.ToUpper(name))).want(t, 200)
	})
}

func (s suite) patchRefusals(t *testing.T) {
	id := s.a.profile(t, unique("patch"))
	unexpected := func(key string) string {
		return "Additional properties are not allowed ('" + key + "' was unexpected)"
	}
	for _, c := range []struct{ name, body, message string }{
		{"a spec", `{"profile":{"spec":` + server + `}}`, unexpected("spec")},
		{"a spec beside a name", `{"profile":{"name":"x","spec":{}}}`, unexpected("spec")},
		{"a type", `{"profile":{"type":"os.heat.stack-1.0"}}`, unexpected("type")},
		{"an id", `{"profile":{"id":"x"}}`, unexpected("id")},
		{"an empty name", `{"profile":{"name":""}}`, "..."},
		{"a name with a space", renamed("bad name"), "The value for the 'name' (bad name) contains illegal characters. ..."},
		{"a name of 256 characters", renamed(strings.Repeat("a", 256)), "... must be less than 255 characters long..."},
		{"a number for a name", `{"profile":{"name":7}}`, "..."},
		{"a list for metadata", `{"profile":{"metadata":[]}}`, "[] is not of type 'object', 'null'"},
		{"text for metadata", `{"profile":{"metadata":"x"}}`, "..."},
		{"no profile", `{}`, "Malformed request data, missing 'profile' key in request body."},
		{"profile null", `{"profile":null}`, "Malformed request data, missing 'profile' key in request body."},
		{"broken JSON", `{"profile":`, "..."},
	} {
		t.Run(c.name, func(t *testing.T) {
			s.a.patch(t, "/v1/profiles/"+id, c.body).refused(t, 400, "HTTPBadRequest", c.message)
		})
	}
}

// deleting leaves out the 409 of a profile in use, which the clusters' section has.
func (s suite) deleting(t *testing.T) {
	t.Run("204, and then it is gone", func(t *testing.T) {
		id := s.a.profile(t, unique("delete"))
		s.a.delete(t, "/v1/profiles/"+id).want(t, 204)
		s.a.misses(t, id)
		s.a.delete(t, "/v1/profiles/"+id).refused(t, 404, "ResourceNotFound", "The profile '"+id+"' could not be found.")
	})
	t.Run("by name and by id prefix", func(t *testing.T) {
		name := unique("delete")
		first := s.a.profile(t, name)
		s.a.delete(t, "/v1/profiles/"+strings.ToUpper(name)).want(t, 204)
		s.a.misses(t, first)
		second := s.a.profile(t, name)
		s.a.delete(t, "/v1/profiles/"+second[:12]).want(t, 204)
		s.a.misses(t, second)
	})
	t.Run("not by an ambiguous name", func(t *testing.T) {
		name := unique("delete")
		one, two := s.a.profile(t, name), s.a.profile(t, name)
		s.a.delete(t, "/v1/profiles/"+name).refused(t, 400, "MultipleChoices", tooMany)
		s.a.finds(t, one, one)
		s.a.finds(t, two, two)
	})
	t.Run("a pattern deletes the only profile there is", func(t *testing.T) {
		id := s.b.profile(t, unique("delete"))
		s.b.delete(t, "/v1/profiles/%25").want(t, 204)
		s.b.misses(t, id)
	})
	t.Run("a second delete can hit a profile of that name", func(t *testing.T) {
		id := s.a.profile(t, unique("delete"))
		namesake := s.a.profile(t, id)
		s.a.delete(t, "/v1/profiles/"+id).want(t, 204)
		s.a.finds(t, namesake, namesake)
		s.a.delete(t, "/v1/profiles/"+id).want(t, 204)
		s.a.misses(t, namesake)
	})
	t.Run("not another project's, but as admin", func(t *testing.T) {
		id := s.b.profile(t, unique("delete"))
		s.a.delete(t, "/v1/profiles/"+id).refused(t, 404, "ResourceNotFound", "The profile '"+id+"' could not be found.")
		s.admin.delete(t, "/v1/profiles/"+id).want(t, 204)
		s.b.misses(t, id)
	})
	t.Run("not with a body", func(t *testing.T) {
		id := s.a.profile(t, unique("delete"))
		s.a.do(t, "DELETE", "/v1/profiles/"+id, `{}`).want(t, 400)
		s.a.finds(t, id, id)
	})
}

// validating runs the specs that create refuses, and some that it takes: no difference but the frame is known.
func (s suite) validating(t *testing.T) {
	check := s.a.at("1.2")
	t.Run("a good spec answers with a profile that is none", func(t *testing.T) {
		answer := check.post(t, "/v1/profiles/validate", `{"profile":{"spec":`+server+`}}`).want(t, 200)
		profile := answer.object(t, "profile")
		for key, want := range map[string]any{
			"id": nil, "created_at": nil, "updated_at": nil, "metadata": nil, "domain": nil, "name": "validated_profile",
			"type": "os.nova.server-1.0", "project": s.a.project, "user": s.a.user,
		} {
			if got, ok := profile[key]; !ok || got != want {
				t.Errorf("got %s %v, want %v", key, got, want)
			}
		}
		if got := answer.raw(t, "profile", "spec"); got != server {
			t.Errorf("got spec %s, want it as sent", got)
		}
		s.a.misses(t, "validated_profile")
	})
	t.Run("the number 1.0 is a version", func(t *testing.T) {
		check.post(t, "/v1/profiles/validate", `{"profile":{"spec":`+versioned("1.0")+`}}`).want(t, 200)
	})
	for name, spec := range goodSpecs {
		t.Run(name, func(t *testing.T) {
			check.post(t, "/v1/profiles/validate", `{"profile":{"spec":`+spec+`}}`).want(t, 200)
		})
	}
	for _, c := range badSpecs {
		t.Run(c.name, func(t *testing.T) {
			check.post(t, "/v1/profiles/validate", `{"profile":{"spec":`+c.spec+`}}`).refused(t, c.status, c.kind, c.onValidate())
		})
	}
	t.Run("one spec fares differently: a null context", func(t *testing.T) {
		spec, name := serverWith(`"context":null`), unique("bad")
		check.post(t, "/v1/profiles/validate", `{"profile":{"spec":`+spec+`}}`).refused(t, 500, "ESchema", "'None' is not a Map")
		check.post(t, "/v1/profiles", newProfile(name, spec, "")).
			refused(t, 400, "InvalidSpec", "Failed in creating profile "+name+": 'None' is not a Map")
	})
	for _, key := range []string{"name", "metadata"} {
		t.Run("not with "+key, func(t *testing.T) {
			check.post(t, "/v1/profiles/validate", `{"profile":{"spec":`+server+`,"`+key+`":{}}}`).
				refused(t, 400, "HTTPBadRequest", "Additional properties are not allowed ('"+key+"' was unexpected)")
		})
	}
}
