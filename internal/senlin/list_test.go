package senlin

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"profilesync/internal/devcloud"
	"profilesync/internal/profile"
)

func TestAListIsReadWhole(t *testing.T) {
	for _, row := range []struct{ cap, requests int }{
		{0, 2}, // the list, and the question for one row more
		{8, 2},
		{7, 2},
		{6, 3}, // 6, 1, nothing
		{2, 5}, // 2, 1, 2, 2, nothing
		{1, 8},
	} {
		t.Run(fmt.Sprintf("%d rows at a time", row.cap), func(t *testing.T) {
			r := connect(t, devcloud.Options{PageLimit: row.cap}, demo())
			if all, err := r.Profiles(t.Context()); err != nil || len(all) != 0 {
				t.Fatalf("%v, %v", all, err)
			}
			var want []string
			for i := range 7 {
				want = append(want, r.create(t, server(fmt.Sprint("web-", i))).Name)
			}
			r.since()
			all, err := r.Profiles(t.Context())
			if got := names(t, all, err); !slices.Equal(got, want) {
				t.Errorf("got %q", got)
			}
			if asked := r.since(); len(asked) != row.requests {
				t.Errorf("asked %q, want %d requests", asked, row.requests)
			}
		})
	}
}

func TestAMarkerThatVanishesStartsTheListAgain(t *testing.T) {
	r := connect(t, devcloud.Options{PageLimit: 3}, demo())
	for i := range 8 {
		r.create(t, server(fmt.Sprint("web-", i)))
	}
	markers := 0
	r.between(func(req *http.Request, next http.RoundTripper) (*http.Response, error) {
		if marker := req.URL.Query().Get("marker"); marker != "" {
			if markers++; markers == 1 || markers == 3 { // after the first page, and later in the second reading
				deletion := req.Clone(req.Context())
				deletion.Method, deletion.URL.Path, deletion.URL.RawQuery = http.MethodDelete, "/v1/profiles/"+marker, ""
				if resp, err := next.RoundTrip(deletion); err != nil || resp.StatusCode != http.StatusNoContent {
					t.Error(resp, err)
				}
			}
		}
		return next.RoundTrip(req)
	})
	all, err := r.Profiles(t.Context())
	got := names(t, all, err)
	r.between(nil)
	all, err = r.Profiles(t.Context())
	if want := names(t, all, err); len(want) != 6 || !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestAListEndsWhateverTheServerSays(t *testing.T) {
	row := func(n int64, more string) string {
		return fmt.Sprintf(`{"profiles": [{"id": "%08x-0000-0000-0000-000000000000", "spec": {}%s}]}`, n, more)
	}
	long := `, "name": "` + strings.Repeat("x", 34<<20) + `"`
	heavy := `, "metadata": {"a": [` + strings.Repeat("{},", 400_000) + `{}]}`
	deep := `, "metadata": {"a": ` + strings.Repeat("[", 1000) + strings.Repeat("]", 1000) + `}`
	var asked atomic.Int64
	for _, c := range []struct {
		name  string
		body  func() string
		want  error
		says  string
		atRow int64
	}{
		{"the same row for ever", func() string { return row(1, "") }, profile.ErrUnavailable, "changed whenever it was read", 2 * maxRestarts},
		{"another row for ever", func() string { return row(asked.Load(), "") }, ErrNotSenlin, "does not end", maxPages},
		{"long rows for ever", func() string { return row(asked.Load(), long) }, ErrNotSenlin, "more than 128 MiB in one list", 4},
		{"many values for ever", func() string { return row(asked.Load(), heavy) }, ErrNotSenlin, "more values in one list", 4},
		{"one value inside the other", func() string { return row(asked.Load(), deep) }, ErrNotSenlin, "nested deeper than 1000 levels", 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := connect(t, devcloud.Options{}, demo())
			asked.Store(0)
			r.between(func(req *http.Request, _ http.RoundTripper) (*http.Response, error) {
				asked.Add(1)
				return says(req, 200, c.body())
			})
			_, err := r.Profiles(t.Context())
			if !errors.Is(err, c.want) || asked.Load() != c.atRow || !strings.Contains(err.Error(), c.says) {
				t.Errorf("%d requests, want %d, %v, want %s", asked.Load(), c.atRow, err, c.says)
			}
		})
	}
	inBubble(t, "slow rows for ever", func(t *testing.T) {
		r := connect(t, devcloud.Options{}, demo())
		asked.Store(0)
		r.between(func(req *http.Request, _ http.RoundTripper) (*http.Response, error) {
			select {
			case <-time.After(20 * time.Second):
			case <-req.Context().Done():
				return nil, req.Context().Err()
			}
			return says(req, 200, row(asked.Add(1), ""))
		})
		begun := time.Now()
		_, err := r.Profiles(t.Context())
		if took := time.Since(begun); !errors.Is(err, ErrTimeout) || took > listTime+time.Minute || !strings.Contains(err.Error(), "longer than 10m0s") {
			t.Errorf("after %s: %v", took, err)
		}
	})
}

func TestAnAnswerThatIsNoListIsNoEmptyList(t *testing.T) {
	for name, body := range map[string]string{
		"nothing": "", "another thing": "{}", "null": `{"profiles": null}`, "no object": "[]", "half": `{"profiles": [{"id": "x"`,
		"a page": "<html>", "a row without an id": `{"profiles": [{"name": "x"}]}`, "no rows": `{"profiles": {}}`,
		"properties that are no object": `{"profiles": [{"id": "x", "spec": {"properties": []}}]}`,
	} {
		inBubble(t, name, func(t *testing.T) {
			r := connect(t, devcloud.Options{}, demo())
			r.between(func(req *http.Request, _ http.RoundTripper) (*http.Response, error) {
				return says(req, 200, strings.ReplaceAll(body, "profiles", req.URL.Path[len("/v1/"):]))
			})
			if all, err := r.Profiles(t.Context()); !errors.Is(err, ErrNotSenlin) {
				t.Errorf("got %v, %v", all, err)
			}
			if users, err := r.Users(t.Context()); !strings.Contains(name, "properties") && !errors.Is(err, ErrNotSenlin) {
				t.Errorf("got %v, %v", users, err)
			}
		})
	}
}

func TestAHalfListIsAskedForAgain(t *testing.T) {
	r := connect(t, devcloud.Options{}, demo())
	r.create(t, server("web"))
	var cut atomic.Bool
	r.between(func(req *http.Request, next http.RoundTripper) (*http.Response, error) {
		resp, err := next.RoundTrip(req)
		if err == nil && cut.CompareAndSwap(false, true) {
			resp.Body = io.NopCloser(io.LimitReader(resp.Body, 30))
		}
		return resp, err
	})
	if all, err := r.Profiles(t.Context()); err != nil || len(all) != 1 {
		t.Errorf("got %v, %v", all, err)
	}
}
