package devcloud_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"profilesync/internal/devcloud"
)

func get(ctx context.Context, t *testing.T, h http.HandlerFunc) (*http.Response, error) {
	t.Helper()
	r, err := http.NewRequestWithContext(ctx, "GET", devcloud.InProcessURL+"/x", nil)
	if err != nil {
		t.Fatal(err)
	}
	return devcloud.InProcess(h).RoundTrip(r)
}

func TestARequestEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	left := make(chan struct{})
	_, err := get(ctx, t, func(_ http.ResponseWriter, r *http.Request) {
		cancel()
		<-r.Context().Done()
		close(left)
	})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	<-left // the handler is told as well
	if _, err := get(ctx, t, func(http.ResponseWriter, *http.Request) { t.Error("a dead request was served") }); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func TestAConnectionThatBreaks(t *testing.T) {
	if _, err := get(t.Context(), t, func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("before the answer: got %v", err)
	}
	for name, h := range map[string]http.HandlerFunc{
		"in the middle": func(w http.ResponseWriter, _ *http.Request) {
			_, _ = w.Write([]byte("half"))
			panic(http.ErrAbortHandler)
		},
		"short of what it promised": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "8")
			_, _ = w.Write([]byte("half"))
		},
	} {
		r, err := get(t.Context(), t, h)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if body, err := io.ReadAll(r.Body); string(body) != "half" || !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("%s: got %q, %v", name, body, err)
		}
	}
	if _, err := get(t.Context(), t, func(http.ResponseWriter, *http.Request) { panic("oops") }); err == nil || !strings.Contains(err.Error(), "oops") {
		t.Errorf("a panic: got %v", err)
	}
}

func TestWhatAHandlerSees(t *testing.T) {
	r, err := http.NewRequestWithContext(t.Context(), "POST", "http://devcloud.invalid/a%2Fb?q=1", strings.NewReader("body"))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("X-Auth-Token", "t")
	resp, err := devcloud.InProcess(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if string(body) != "body" || r.ContentLength != 4 || r.Host != "devcloud.invalid" || r.URL.Path != "/a/b" ||
			r.RequestURI != "/a%2Fb?q=1" || r.Header.Get("X-Auth-Token") != "t" {
			t.Errorf("got %+v", r)
		}
		w.Header().Set("A", "1")
		w.WriteHeader(http.StatusTeapot)
		w.Header().Set("A", "2") // too late, as on a socket
	})).RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	if resp.StatusCode != http.StatusTeapot || resp.Header.Get("A") != "1" || resp.ContentLength != 0 {
		t.Errorf("got %+v", resp)
	}
	unknown, err := http.NewRequestWithContext(t.Context(), "POST", "http://devcloud.invalid/", io.MultiReader(strings.NewReader("x")))
	if err != nil {
		t.Fatal(err)
	}
	_, err = devcloud.InProcess(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if r.ContentLength != -1 {
			t.Errorf("a body of unknown length: got %d", r.ContentLength)
		}
	})).RoundTrip(unknown)
	if err != nil {
		t.Fatal(err)
	}
}
