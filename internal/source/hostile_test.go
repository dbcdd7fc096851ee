package source

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"testing"

	"profilesync/internal/source/gittest"
)

// replay is the two answers of one fetch.
type replay struct{ get, post *httptest.ResponseRecorder }

func record(h http.Handler, rec *replay) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		answer := httptest.NewRecorder()
		h.ServeHTTP(answer, req)
		if req.Method == http.MethodGet {
			rec.get = answer
		} else {
			rec.post = answer
		}
		maps.Copy(w.Header(), answer.Header())
		w.Write(answer.Body.Bytes())
	})
}

func TestADamagedAnswerIsAnErrorOrAllFiles(t *testing.T) {
	r, want := history(t)
	var rec replay
	live := r.Serve(func(h http.Handler) http.Handler { return record(h, &rec) })
	if _, err := (Git{URL: live.URL + "/" + r.Name()}).Read(t.Context()); err != nil {
		t.Fatal(err)
	}
	var answer []byte
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		from, body := rec.post, answer
		if req.Method == http.MethodGet {
			from, body = rec.get, rec.get.Body.Bytes()
		}
		maps.Copy(w.Header(), from.Header())
		w.Write(body)
	}))
	defer server.Close()
	whole := rec.post.Body.Bytes()
	caches, count := []string{"", filepath.Join(t.TempDir(), "cache")}, 0
	read := func(how string, harmed []byte) (noticed bool) {
		answer = harmed
		count++
		cache := caches[count%len(caches)]
		os.RemoveAll(cache)
		s, err := Git{URL: server.URL, Cache: cache}.Read(t.Context())
		if err != nil {
			return true
		}
		if got := contents(t, s.Files); !maps.Equal(got, want) {
			t.Errorf("%s: no error, and %d files in place of %d", how, len(got), len(want))
		}
		return false
	}
	if read("whole", whole) {
		t.Fatal("the whole answer is refused")
	}
	for at := 0; at < len(whole); at += 1 + len(whole)/150 {
		if how := fmt.Sprintf("cut at %d of %d", at, len(whole)); !read(how, whole[:at]) && at < len(whole)-8 {
			t.Error(how + " was not noticed")
		}
		read(fmt.Sprintf("a bit of byte %d", at), flipped(whole, at, uint(at%8)))
		read(fmt.Sprintf("byte %d left out", at), slices.Delete(slices.Clone(whole), at, at+1))
	}
}

func TestBombs(t *testing.T) {
	r := gittest.New(t)
	r.Write(map[string]string{"web.yaml": "name: web\n"})
	big, err := os.Create(r.Dir + "/zeros.bin")
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(big.Truncate(maxObject+1), big.Close()); err != nil {
		t.Fatal(err)
	}
	r.Commit("Add a bomb")
	server := r.Serve(nil)
	address := server.URL + "/" + r.Name()
	t.Run("a large object", func(t *testing.T) {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, err := Git{URL: address}.Read(t.Context())
		runtime.ReadMemStats(&after)
		fails(t, err, ErrLimit, fmt.Sprint(maxObject+1))
		if used := after.TotalAlloc - before.TotalAlloc; used > 16<<20 {
			t.Errorf("%d MiB were used to refuse it", used>>20)
		}
	})
	t.Run("more than the wire may carry", func(t *testing.T) {
		_, err := Git{URL: address, Limits: Limits{WireBytes: 4000}}.Read(t.Context())
		fails(t, err, ErrLimit, "4000")
	})
	t.Run("references without end", func(t *testing.T) {
		endless := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
			w.Header().Set("Content-Type", "application/x-git-upload-pack-advertisement")
			io.WriteString(w, pktLine("# service=git-upload-pack\n")+"0000")
			caps := "\x00shallow"
			for i := 1; ; i++ {
				if _, err := io.WriteString(w, pktLine(fmt.Sprintf("%040x refs/heads/%07d%s\n", i, i, caps))); err != nil {
					return
				}
				caps = ""
			}
		}))
		defer endless.Close()
		_, err := Git{URL: endless.URL, Limits: Limits{WireBytes: 1 << 20}}.Read(t.Context())
		fails(t, err, ErrLimit, "1048576")
	})
	t.Run("on disk, it is not even read", func(t *testing.T) {
		if _, err := (Git{URL: r.Dir}).Read(t.Context()); err != nil {
			t.Error(err)
		}
	})
}
