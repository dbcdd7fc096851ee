package session

import (
	"net/http"
	"slices"
	"testing"

	"profilesync/internal/devcloud"
)

// sent writes down what goes out, as it goes out.
type sent struct {
	base     http.RoundTripper
	requests []string
}

func (s *sent) RoundTrip(req *http.Request) (*http.Response, error) {
	s.requests = append(s.requests, req.Method+" "+req.URL.Path)
	return s.base.RoundTrip(req)
}

func TestWhatStandsAroundTheNetworkSeesEveryRequestOnce(t *testing.T) {
	seen := &sent{}
	opened, err := Open(t.Context(), somewhere(), Options{
		Transport: devcloud.InProcess(&stub{}), Timeout: testTimeout,
		Wrap: func(base http.RoundTripper) http.RoundTripper {
			seen.base = base
			return seen
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := opened.get(t.Context(), "profiles"); err != nil {
		t.Fatal(err)
	}
	if want := []string{"POST /v3/auth/tokens", "GET /v1", "GET /v1/profiles"}; !slices.Equal(seen.requests, want) {
		t.Errorf("seen were %q, want %q", seen.requests, want)
	}
}
