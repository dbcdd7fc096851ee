package conformance

import (
	"strings"
	"testing"
)

func (s suite) getting(t *testing.T) {
	t.Run("by id, id prefix or name", s.getByAnything)
	t.Run("the order of the look-ups", s.lookupOrder)
	t.Run("what is ambiguous is refused", s.ambiguous)
	t.Run("a prefix is a pattern", s.prefixIsPattern)
	t.Run("what is not there", s.notThere)
	t.Run("another project's profile is not there", s.otherProject)
	t.Run("other methods and paths", s.otherMethods)
}

// finds expects GET of the address to give the profile with the id.
func (c caller) finds(t *testing.T, address, id string) {
	t.Helper()
	if got := c.get(t, "/v1/profiles/"+address).want(t, 200).object(t, "profile")["id"]; got != id {
		t.Errorf("GET /v1/profiles/%s: got %v, want %s", address, got, id)
	}
}

// misses expects GET of the address to find nothing.
func (c caller) misses(t *testing.T, address string) {
	t.Helper()
	c.get(t, "/v1/profiles/"+address).refused(t, 404, "ResourceNotFound", "The profile '"+address+"' could not be found.")
}

const tooMany = "Multiple results found matching the query criteria '...'. Please be more specific."

func (s suite) getByAnything(t *testing.T) {
	name := unique("get")
	id := s.a.profile(t, name)
	s.a.finds(t, id, id)
	s.a.finds(t, strings.ToUpper(id), id)
	s.a.finds(t, id[:8], id)
	s.a.finds(t, id[:30], id)
	s.a.finds(t, name, id)
	s.a.finds(t, strings.ToUpper(name), id)
	s.a.misses(t, strings.ReplaceAll(id, "-", ""))
	s.a.misses(t, name[:len(name)-1])
	answer := s.a.get(t, "/v1/profiles/"+id).want(t, 200)
	answer.hasRequestID(t)
}

func (s suite) lookupOrder(t *testing.T) {
	first := s.a.profile(t, unique("order"))
	t.Run("a full id wins over a name", func(t *testing.T) {
		s.a.profile(t, first)
		s.a.finds(t, first, first)
	})
	t.Run("a name wins over an id prefix", func(t *testing.T) {
		named := s.a.profile(t, first[:7])
		s.a.finds(t, first[:7], named)
		s.a.finds(t, first[:8], first)
	})
	t.Run("a full id that is gone falls through to a name", func(t *testing.T) {
		gone := s.a.profile(t, unique("order"))
		s.a.delete(t, "/v1/profiles/"+gone).want(t, 204)
		s.a.misses(t, gone)
		s.a.finds(t, gone, s.a.profile(t, gone))
	})
}

func (s suite) ambiguous(t *testing.T) {
	name := unique("twice")
	one, two := s.a.profile(t, name), s.a.profile(t, name)
	if one == two {
		t.Fatal("two creates gave one id")
	}
	for _, address := range []string{name, strings.ToUpper(name)} {
		s.a.get(t, "/v1/profiles/"+address).
			refused(t, 400, "MultipleChoices", strings.Replace(tooMany, "...", address, 1))
	}
	s.a.finds(t, one, one)
	s.a.finds(t, two, two)
}

// prefixIsPattern runs as tenant-b, who has nothing else.
func (s suite) prefixIsPattern(t *testing.T) {
	id := s.b.profile(t, unique("pattern"))
	for _, address := range []string{"%25", "_", id[:1], id[:3] + "_" + id[4:8], "%25" + id[24:]} {
		s.b.finds(t, address, id)
	}
	s.b.misses(t, "x")
	s.b.profile(t, unique("pattern"))
	for _, address := range []string{"%25", "_"} {
		s.b.get(t, "/v1/profiles/"+address).refused(t, 400, "MultipleChoices", tooMany)
	}
}

func (s suite) notThere(t *testing.T) {
	for _, address := range []string{"nosuch", "00000000-0000-4000-8000-000000000000", "zz%20zz"} {
		s.a.get(t, "/v1/profiles/"+address).
			refused(t, 404, "ResourceNotFound", "The profile '"+strings.ReplaceAll(address, "%20", " ")+"' could not be found.")
	}
}

func (s suite) otherProject(t *testing.T) {
	name := unique("theirs")
	id := s.b.profile(t, name)
	s.a.misses(t, id)
	s.a.misses(t, name)
	s.a.misses(t, id[:20])
	s.admin.finds(t, id, id)
	s.admin.finds(t, name, id)
}

func (s suite) otherMethods(t *testing.T) {
	id := s.a.profile(t, unique("methods"))
	for _, method := range []string{"PUT", "POST"} {
		s.a.do(t, method, "/v1/profiles/"+id, `{}`).refusedByFramework(t, 404, "Not Found", "The resource could not be found.<br /><br />...")
	}
	s.a.do(t, "HEAD", "/v1/profiles/"+id, "").want(t, 404)
	for _, path := range []string{"/v1/profiles/", "/v1/profiles/" + id + "/", "/v1/nosuch", "/v1/profiles/" + id + "/nosuch"} {
		s.a.get(t, path).refusedByFramework(t, 404, "Not Found", "The resource could not be found.<br /><br />...")
	}
}
