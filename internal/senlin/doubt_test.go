package senlin

import (
	"errors"
	"net/http"
	"testing"

	"profilesync/internal/devcloud"
	"profilesync/internal/profile"
)

func TestACreateWhoseReplyIsLostIsInDoubtAndNeverRepeated(t *testing.T) {
	for name, after := range map[string]bool{"before the cloud acted": false, "after it": true} {
		t.Run(name, func(t *testing.T) {
			r := connect(t, devcloud.Options{}, demo())
			r.between(losing(http.MethodPost, after))
			_, err := r.Create(t.Context(), server("web"))
			if !errors.Is(err, profile.ErrInDoubt) {
				t.Errorf("got %v", err)
			}
			if n := asked(r.since(), http.MethodPost); n != 1 {
				t.Errorf("%d requests, want 1", n)
			}
			if all, err := r.Profiles(t.Context()); err != nil || (len(all) == 1) != after {
				t.Errorf("%v are there, %v", all, err)
			}
		})
	}
}

func TestACreateWithAnAnswerThatCannotBeReadIsInDoubt(t *testing.T) {
	for name, body := range map[string]string{"half": `{"profile": {"id": "x`, "a page": "<html>", "nothing": "", "no profile": "{}"} {
		t.Run(name, func(t *testing.T) {
			r := connect(t, devcloud.Options{}, demo())
			r.between(func(req *http.Request, _ http.RoundTripper) (*http.Response, error) { return says(req, 201, body) })
			if _, err := r.Create(t.Context(), server("web")); !errors.Is(err, profile.ErrInDoubt) || !errors.Is(err, ErrNotSenlin) {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestADeleteWhoseReplyIsLostIsSettledByALook(t *testing.T) {
	for _, row := range []struct {
		name  string
		after bool
		want  error
	}{{"the cloud had acted", true, nil}, {"it had not, and may still", false, profile.ErrInDoubt}} {
		t.Run(row.name, func(t *testing.T) {
			r := connect(t, devcloud.Options{}, demo())
			made := r.create(t, server("web"))
			namesake := r.create(t, server(made.ID))
			r.since()
			r.between(losing(http.MethodDelete, row.after))
			if err := r.Delete(t.Context(), made.ID); !errors.Is(err, row.want) {
				t.Errorf("got %v, want %v", err, row.want)
			}
			if n := asked(r.since(), http.MethodDelete); n != 1 {
				t.Errorf("%d requests, want 1", n)
			}
			if _, err := r.Profile(t.Context(), namesake.ID); err != nil {
				t.Error("the profile that is named like the id:", err)
			}
		})
	}
}

func TestAnUpdateWhoseReplyIsLostIsSettledByALook(t *testing.T) {
	labels, others := map[string]any{"a": "b"}, map[string]any{"a": "c"}
	for _, row := range []struct {
		name     string
		after    bool
		to       string
		metadata map[string]any
		want     error
	}{
		{"the cloud had acted", true, "new", others, nil},
		{"it had not given the name, and may still", false, "new", labels, profile.ErrInDoubt},
		{"it had not given the metadata, and may still", false, "web", others, profile.ErrInDoubt},
	} {
		t.Run(row.name, func(t *testing.T) {
			r := connect(t, devcloud.Options{}, demo())
			made := r.create(t, profile.Profile{Name: "web", Metadata: labels, Spec: server("web").Spec})
			r.since()
			r.between(losing(http.MethodPatch, row.after))
			got, err := r.Update(t.Context(), made.ID, row.to, row.metadata)
			if !errors.Is(err, row.want) || (err == nil && (got.Name != row.to || got.ID != made.ID)) {
				t.Errorf("got %v, %v, want %v", got, err, row.want)
			}
			if n := asked(r.since(), http.MethodPatch); n != 1 {
				t.Errorf("%d requests, want 1", n)
			}
		})
	}
}

func TestAWriteThatSurelyDidNotHappenIsRepeated(t *testing.T) {
	for _, method := range []string{http.MethodPost, http.MethodPatch, http.MethodDelete} {
		inBubble(t, method, func(t *testing.T) {
			r := connect(t, devcloud.Options{}, demo())
			made := r.create(t, server("web"))
			r.since()
			busy := true
			r.between(func(req *http.Request, next http.RoundTripper) (*http.Response, error) {
				if req.Method == method && busy {
					busy = false
					return says(req, 503, "No server is available to handle this request.")
				}
				return next.RoundTrip(req)
			})
			err := map[string]func() error{
				http.MethodPost:   func() error { return second(r.Create(t.Context(), server("two"))) },
				http.MethodPatch:  func() error { return second(r.Update(t.Context(), made.ID, "two", nil)) },
				http.MethodDelete: func() error { return r.Delete(t.Context(), made.ID) },
			}[method]()
			if n := asked(r.since(), method); err != nil || n != 2 {
				t.Errorf("%d requests, want 2, %v", n, err)
			}
		})
	}
}
