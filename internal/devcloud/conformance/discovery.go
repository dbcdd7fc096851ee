package conformance

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
)

func (s suite) discovery(t *testing.T) {
	nobody := s.a.withToken("")
	t.Run("the versions are described without a token", func(t *testing.T) {
		for _, path := range []string{"", "/", "/versions"} {
			answer := nobody.get(t, path).want(t, 300)
			answer.hasRequestID(t)
			versions := answer.rows(t, "versions")
			if len(versions) != 1 {
				t.Fatalf("got %d versions, want one", len(versions))
			}
			s.describesVersion(t, versions[0], "/v1")
		}
	})
	t.Run("so is v1, with a self link that is wrong", func(t *testing.T) {
		answer := nobody.get(t, "/v1").want(t, 200)
		answer.hasRequestID(t)
		s.describesVersion(t, answer.object(t, "version"), "/v1/v1")
	})
	t.Run("but not v1 with a slash", func(t *testing.T) {
		nobody.get(t, "/v1/").unauthorized(t)
		s.describesVersion(t, s.a.get(t, "/v1/").want(t, 200).object(t, "version"), "/v1/v1")
	})
	t.Run("the build has two revisions", func(t *testing.T) {
		build := s.a.get(t, "/v1/build-info").want(t, 200).object(t, "build_info")
		if got := fmt.Sprint(build); got != "map[api:map[revision:1.0] engine:map[revision:1.0]]" {
			t.Errorf("got %s, want api and engine at revision 1.0", got)
		}
	})
	t.Run("another version does not exist", func(t *testing.T) {
		s.a.get(t, "/v2/profiles").refusedByFramework(t, 404, "Not Found", "The resource could not be found.<br /><br />...")
	})
	t.Run("microversions that exist", s.microversions)
	t.Run("microversions that do not", s.wrongMicroversions)
	t.Run("calls that need a higher one", s.callsNeedMicroversion)
}

func (s suite) describesVersion(t *testing.T, version map[string]any, self string) {
	t.Helper()
	if version["id"] != "1.0" || version["status"] != "CURRENT" || version["min_version"] != "1.0" || version["max_version"] != "1.14" {
		t.Errorf("got %v, want version 1.0 with microversions 1.0 to 1.14", version)
	}
	if links := fmt.Sprint(version["links"]); !strings.Contains(links, "map[href:"+s.a.base+self+" rel:self]") {
		t.Errorf("got links %s, want a self link to %s", links, s.a.base+self)
	}
}

// microversions expects the one that was negotiated in the answer.
func (s suite) microversions(t *testing.T) {
	const header = "OpenStack-API-Version"
	for _, c := range []struct{ name, asked, got string }{
		{"none means the lowest", "-", "1.0"},
		{"empty means the lowest", "", "1.0"},
		{"the lowest", "clustering 1.0", "1.0"},
		{"one between", "clustering 1.5", "1.5"},
		{"the highest", "clustering 1.14", "1.14"},
		{"the latest", "clustering latest", "1.14"},
		{"the service in capitals", "Clustering 1.2", "1.2"},
		{"of another service", "compute 2.1", "1.0"},
		{"of another service beside ours", "compute 2.1, clustering 1.3", "1.3"},
		{"the last of two", "clustering 1.3, clustering 1.5", "1.5"},
		{"no number", "clustering", "1.0"},
	} {
		t.Run(c.name, func(t *testing.T) {
			answer := s.a.with(header, c.asked).get(t, "/v1/profiles?limit=0").want(t, 200)
			if got := answer.header.Get(header); got != "clustering "+c.got {
				t.Errorf("got %s %q, want clustering %s", header, got, c.got)
			}
			answer.hasVersionHeaders(t)
		})
	}
}

// hasVersionHeaders checks the headers of a clustering answer that is not an error.
func (a answer) hasVersionHeaders(t testing.TB) {
	t.Helper()
	a.hasRequestID(t)
	if got := a.header.Get("OpenStack-API-Version"); !strings.HasPrefix(got, "clustering 1.") {
		t.Errorf("%s: got OpenStack-API-Version %q, want a clustering version", a.request, got)
	}
	if got := a.header.Get("Vary"); got != "OpenStack-API-Version" {
		t.Errorf("%s: got Vary %q, want OpenStack-API-Version", a.request, got)
	}
	if got := a.header.Get("Content-Type"); got != "application/json" {
		t.Errorf("%s: got Content-Type %q, want application/json", a.request, got)
	}
}

func (s suite) wrongMicroversions(t *testing.T) {
	for _, version := range []string{"1.15", "9.9", "2.0", "1.100"} {
		t.Run(version+" is not acceptable", func(t *testing.T) {
			s.a.at(version).get(t, "/v1/profiles").refused(t, 406, "InvalidGlobalAPIVersion",
				"Version '"+version+"' is not supported by the API. Minimum is '1.0' and maximum is '1.14'.")
		})
	}
	for _, version := range []string{"abc", "1", "0.9", "1.05", "1.", "v1.2", "1.2.3"} {
		t.Run(version+" is no microversion", func(t *testing.T) {
			s.a.at(version).get(t, "/v1/profiles").refusedByFramework(t, 400, "Bad Request",
				"...API Version String '"+version+"' is of invalid format. It must be of format 'major.minor'.\n...")
		})
	}
}

func (s suite) callsNeedMicroversion(t *testing.T) {
	tooLow := func(version string) string { return "API version '" + version + "' is not supported on this method." }
	spec := `{"profile":{"spec":` + server + `}}`
	s.a.post(t, "/v1/profiles/validate", spec).refused(t, 400, "MethodVersionNotFound", tooLow("1.0"))
	s.a.at("1.1").post(t, "/v1/profiles/validate", spec).refused(t, 400, "MethodVersionNotFound", tooLow("1.1"))
	s.a.at("1.2").post(t, "/v1/profiles/validate", spec).want(t, 200)
	const ops = "/v1/profile-types/os.nova.server-1.0/ops"
	s.a.get(t, ops).refused(t, 400, "MethodVersionNotFound", tooLow("1.0"))
	s.a.at("1.3").get(t, ops).refused(t, 400, "MethodVersionNotFound", tooLow("1.3"))
	s.a.at("1.4").get(t, ops).want(t, 200)
}

// envelopes are the frame of the answers: which headers they bear, and what an error looks like to whom.
func (s suite) envelopes(t *testing.T) {
	t.Run("success bears the microversion", func(t *testing.T) {
		made := s.a.makes(t, newProfile(unique("headers"), server, ""))
		made.hasVersionHeaders(t)
		id, _ := made.object(t, "profile")["id"].(string)
		s.a.get(t, "/v1/profiles").want(t, 200).hasVersionHeaders(t)
		s.a.get(t, "/v1/profiles/"+id).want(t, 200).hasVersionHeaders(t)
		s.a.patch(t, "/v1/profiles/"+id, `{"profile":{"metadata":{"k":1}}}`).want(t, 200).hasVersionHeaders(t)
		s.a.get(t, "/v1/profile-types").want(t, 200).hasVersionHeaders(t)
		s.a.get(t, "/v1/clusters").want(t, 200).hasVersionHeaders(t)
	})
	t.Run("a 204 and errors do not", func(t *testing.T) {
		id := s.a.profile(t, unique("headers"))
		gone := s.a.delete(t, "/v1/profiles/"+id).want(t, 204)
		gone.hasErrorHeaders(t)
		if gone.body != "" {
			t.Errorf("got a body: %s", gone.excerpt())
		}
		s.a.misses(t, id)
	})
	t.Run("Connection: close comes back, and only then", func(t *testing.T) {
		if got := s.a.with("Connection", "close").get(t, "/v1/profiles?limit=0").want(t, 200); !got.closed {
			t.Error("asked to close, the answer does not say so")
		}
		if got := s.a.get(t, "/v1/profiles?limit=0").want(t, 200); got.closed {
			t.Error("the answer says Connection: close, unasked")
		}
	})
	t.Run("a request id that is sent is not taken over", func(t *testing.T) {
		const sent = "req-11111111-2222-4333-8444-555555555555"
		answer := s.a.with("X-Openstack-Request-Id", sent).get(t, "/v1/profiles?limit=0").want(t, 200)
		if answer.hasRequestID(t); answer.header.Get("X-Openstack-Request-Id") == sent {
			t.Error("the answer repeats the request id that was sent")
		}
	})
	t.Run("no token, or none that is known, is 401 in the words of Keystone", func(t *testing.T) {
		for _, token := range []string{"", "bogus", s.a.token[:len(s.a.token)-10] + "AAAAAAAAAA"} {
			for _, path := range []string{"/v1/profiles", "/v1/profiles/nosuch", "/v1/nosuch"} {
				answer := s.a.withToken(token).get(t, path).want(t, 401)
				answer.unauthorized(t)
				answer.hasErrorHeaders(t)
			}
		}
	})
	t.Run("an unknown path is plain text to whom does not ask for JSON", func(t *testing.T) {
		answer := s.a.with("Accept", "-").get(t, "/v1/nosuch").want(t, 404)
		if json.Valid([]byte(answer.body)) || !strings.Contains(answer.body, "The resource could not be found.") {
			t.Errorf("got %s, want a text", answer.excerpt())
		}
		answer.hasErrorHeaders(t)
	})
	t.Run("Senlin's own errors are JSON to everybody", func(t *testing.T) {
		s.a.with("Accept", "text/html").get(t, "/v1/profiles/nosuch").refused(t, 404, "ResourceNotFound", "The profile 'nosuch' could not be found.")
		s.a.with("Accept", "-").get(t, "/v1/profiles?nosuch=1").refused(t, 400, "HTTPBadRequest", "Invalid parameter nosuch")
	})
}
