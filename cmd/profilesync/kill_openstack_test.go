//go:build openstack

package main

import (
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"testing"

	"sigs.k8s.io/yaml"
)

// TestOpenStackFinishesAKilledApply kills the program in front of a real Senlin:
// a request that is "under way" when it dies is one that Senlin is working on.
// The project is emptied before each kill.
func TestOpenStackFinishesAKilledApply(t *testing.T) {
	file := realClouds(t)
	spread(t, number(t, killsVariable, 6), func(t *testing.T, binary string) *victim {
		if err := empty(&api{cloudsFile: file}, tenant); err != nil {
			t.Fatal(err)
		}
		return newVictim(t, binary, behindProxy(file))
	})
}

// behindProxy is the Senlin of a clouds.yaml, and a clouds.yaml by which it is
// reached elsewhere; Keystone is where it was.
func behindProxy(file string) place {
	return func(t *testing.T, _, proxy string) (http.Handler, []byte) {
		s, err := (&api{cloudsFile: file}).logIn(tenant)
		if err != nil {
			t.Fatal(err)
		}
		senlin, err := url.Parse(s.endpoint)
		if err != nil {
			t.Fatal(err)
		}
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var clouds struct {
			Clouds map[string]map[string]any `json:"clouds"`
		}
		if err := yaml.Unmarshal(text, &clouds); err != nil {
			t.Fatal(err)
		}
		clouds.Clouds[tenant]["clustering_endpoint_override"] = proxy
		text, err = yaml.Marshal(clouds)
		if err != nil {
			t.Fatal(err)
		}
		return &httputil.ReverseProxy{
			Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(senlin) },
			// A killed program's requests end early, which is nothing to log.
			ErrorHandler: func(w http.ResponseWriter, _ *http.Request, _ error) { w.WriteHeader(http.StatusBadGateway) },
		}, text
	}
}
