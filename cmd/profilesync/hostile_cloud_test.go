package main

import (
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
)

// A server that lies. It is the embedded cloud but for one path, whose answers
// are written piece by piece and never held here.

type answer func(w http.ResponseWriter, request *http.Request, project string)

// lies serves the embedded cloud with another answer where a path ends
// like that, and returns the arguments that lead there.
func lies(path string, says answer, args ...string) func(*den) []string {
	return func(d *den) []string {
		var project atomic.Value
		project.Store("")
		e := edge{twist: func(cloud http.Handler, w http.ResponseWriter, r *http.Request) {
			id := project.Load().(string)
			if id == "" || !strings.HasSuffix(r.URL.Path, path) {
				cloud.ServeHTTP(w, r)
				return
			}
			w.Header().Set("Content-Type", "application/json")
			says(w, r, id)
		}}
		file := e.serve(d.t)
		s, err := (&api{cloudsFile: file}).logIn("tenant-a")
		if err != nil {
			d.t.Fatal(err)
		}
		project.Store(s.project)
		d.environment = append(d.environment, "OS_CLIENT_CONFIG_FILE="+file)
		d.good()
		return append(args, "--cloud", "tenant-a")
	}
}

// row is one of a list of profiles; name, metadata and properties are JSON.
func row(n int, project, name, metadata, properties string) string {
	return fmt.Sprintf(`{"id":"%08x-0000-4000-8000-000000000000","name":%s,"project":%q,"metadata":%s,`+
		`"spec":{"type":"os.nova.server","version":"1.0","properties":%s}}`, n, name, project, metadata, properties)
}

// once answers a list of the rows, and nothing after its last row.
func once(rows ...func(project string) string) answer {
	return func(w http.ResponseWriter, r *http.Request, project string) {
		if r.URL.Query().Get("marker") != "" {
			_, _ = io.WriteString(w, `{"profiles":[]}`)
			return
		}
		texts := make([]string, len(rows))
		for i, text := range rows {
			texts[i] = text(project)
		}
		_, _ = io.WriteString(w, `{"profiles":[`+strings.Join(texts, ",")+`]}`)
	}
}

func endless(text string) answer {
	return func(w http.ResponseWriter, r *http.Request, _ string) {
		_, _ = io.WriteString(w, `{"profiles":[{"id":"x","name":"`)
		for r.Context().Err() == nil {
			if _, err := io.WriteString(w, text); err != nil {
				return
			}
		}
	}
}

func million(w http.ResponseWriter, r *http.Request, project string) {
	_, _ = io.WriteString(w, `{"profiles":[`)
	for i := range 1_000_000 {
		_, _ = io.WriteString(w, `{"id":"`+fmt.Sprintf("%08x", i)+`","project":"`+project+`","spec":{}},`)
	}
	_, _ = io.WriteString(w, `{"id":"x"}]}`)
}

func hostileServers() []hostile {
	list, plan := []string{"list", "--all"}, []string{"plan", "--worktree", "good"}
	var page atomic.Int64
	escapes := func(project string) string {
		return row(1, project, `"web\u001b[2J\u0007\u202e\nprofilesync: all is well\u0000\u009b"`,
			`{"profilesync.owner":"us","\u001b]0;x\u0007":"\u2066\u001b[31m","profilesync.superseded":"\u001b[2J"}`, `{"\u001b[2J":"\u202e","user_data":"\u001b"}`)
	}
	deep := func(depth int) answer {
		return once(func(project string) string { return row(1, project, `"web"`, `{}`, `{"a":`+nested(depth)+`}`) })
	}
	rows := []hostile{
		{name: "a value nested 300 deep", status: harmless, shows: "web", make: lies("/v1/profiles", deep(300), list...)},
		{name: "a plan with a value nested 300 deep", status: harmless, shows: "Plan:", make: lies("/v1/profiles", deep(300), plan...)},
		{name: "values nested 100,000 deep", says: "nested deeper than 1000 levels", hint: "something else answers", make: lies("/v1/profiles", deep(100_000), list...)},
		{name: "a list of a million profiles", says: "more values in one list than are read", peak: 400, make: lies("/v1/profiles", million, list...)},
		{name: "an answer without end", says: "answered more than 128 MiB", peak: 500, make: lies("/v1/profiles", endless(strings.Repeat("x", 4096)), list...)},
		{name: "pages without end", says: "does not end", make: lies("/v1/profiles", func(w http.ResponseWriter, _ *http.Request, project string) {
			_, _ = io.WriteString(w, `{"profiles":[`+row(int(page.Add(1)), project, `"web"`, `null`, `{}`)+`]}`)
		}, list...)},
		{name: "clusters without end", says: "/v1/clusters answered more than 128 MiB", peak: 500, make: lies("/v1/clusters", endless(strings.Repeat("x", 4096)), list...)},
		{name: "an answer that inflates", says: "answered more than 128 MiB", peak: 500, make: zipped("/v1/profiles", list...)},
		{name: "a token of 100 MB", says: "v3 answered more than 8 MiB", hint: "auth_url", make: lies("/auth/tokens", func(w http.ResponseWriter, r *http.Request, project string) {
			w.WriteHeader(http.StatusCreated)
			endless(strings.Repeat("x", 4096))(w, r, project)
		}, list...)},
		{name: "a validation without end", says: "answered more than 8 MiB", make: lies("/v1/profiles/validate", endless(strings.Repeat("x", 4096)), plan...)},
		{name: "no UTF-8 in an answer", status: harmless, shows: "web", make: lies("/v1/profiles", once(func(project string) string {
			return row(1, project, "\"web\xff\xfe\"", `{}`, `{}`)
		}), list...)},
		{name: "numbers beyond 2^53 in an answer", status: harmless, shows: "9007199254740993", make: lies("/v1/profiles", once(func(project string) string {
			return row(1, project, `"web"`, `{"profilesync.owner":"us","a":9007199254740993}`, `{"flavor":"a","networks":[]}`)
		}), plan...)},
		{name: "a profile that is null", says: "without an id", make: lies("/v1/profiles", once(func(string) string { return "null" }), list...)},
		{name: "20 MB of headers", says: "cannot reach .*header", peak: 100, make: lies("/v1/profiles", headers, list...)},
	}
	for _, format := range []string{"text", "json", "markdown"} {
		rows = append(rows,
			hostile{name: "escape sequences in a list as " + format, status: harmless, shows: "web", make: lies("/v1/profiles", once(escapes), "list", "-o", format)},
			hostile{name: "escape sequences in a plan as " + format, status: harmless, shows: "web", make: lies("/v1/profiles", once(escapes), "plan", "-v", "--worktree", "good", "-o", format)},
		)
	}
	return rows
}

func headers(w http.ResponseWriter, _ *http.Request, _ string) {
	for i := range 100_000 {
		w.Header()[fmt.Sprintf("X-%06d", i)] = []string{strings.Repeat("0", 200)}
	}
}

// zipped is an answer of a few hundred kilobytes that inflates a thousandfold.
func zipped(path string, args ...string) func(*den) []string {
	return lies(path, func(w http.ResponseWriter, _ *http.Request, _ string) {
		w.Header().Set("Content-Encoding", "gzip")
		small := gzip.NewWriter(w)
		_, _ = io.WriteString(small, `{"profiles":[{"id":"`)
		zeros := strings.Repeat("0", 1<<20)
		for range 200 {
			_, _ = io.WriteString(small, zeros)
		}
		_ = small.Close()
	}, args...)
}

// What else a process is given.
func hostileProcesses() []hostile {
	process := func(name, shell, says string, args ...string) hostile {
		return hostile{name: "process: " + name, says: says, make: func(d *den) []string {
			d.good()
			d.shell = shell
			return args
		}}
	}
	plan := []string{"plan", "--worktree", "good", "--cloud", "devcloud"}
	rows := []hostile{
		process("standard input closed", `exec "$@" <&-`, "nobody can be asked", "apply", "--worktree", "good"),
		process("standard output full", `exec "$@" >/dev/full`, "no space left on device", plan...),
		process("standard output and error full", `exec "$@" >/dev/full 2>/dev/full`, "^$", plan...),
		process("an argument of 100 KB", "", "the owner has 100000 characters", append(plan, "--owner", strings.Repeat("x", 100_000))...),
		process("an argument with an escape sequence", "", `owner "\\x1b\[2J" `, append(plan, "--owner", "\x1b[2J")...),
		process("an unknown command of 100 KB", "", "no command", strings.Repeat("x", 100_000)),
		process("a thousand unknown arguments", "", "unexpected argument", append(plan, strings.Split(strings.Repeat("x ", 1000), " ")...)...),
		process("an argument that is no UTF-8", "", "no such file", "plan", "--worktree", "caf\xe9\x1b"),
	}
	closed := process("standard output and everything else closed", `exec "$@" <&- >&- 2>&-`, "^$", plan...)
	closed.status = harmless // the Go runtime opens /dev/null in their place
	return append(rows, closed,
		hostile{name: "process: nobody reads standard output", status: 128 + 13, says: "^$", make: func(d *den) []string {
			read, write, err := os.Pipe()
			if err != nil {
				d.t.Fatal(err)
			}
			_ = read.Close() // what is written breaks the pipe
			d.stdout = write
			d.t.Cleanup(func() { _ = write.Close() })
			return []string{"plan", "--worktree", d.good(), "--cloud", "devcloud"}
		}},
		hostile{name: "process: no HOME", status: harmless, shows: "1 to create", make: func(d *den) []string {
			d.environment = []string{"TMPDIR=" + d.dir, "PROFILESYNC_OWNER=us"}
			return []string{"plan", "--worktree", d.good(), "--cloud", "devcloud"}
		}},
		hostile{name: "process: a HOME that is a file", says: "embedded cloud: .*not a directory", make: func(d *den) []string {
			d.environment = []string{"HOME=" + d.write("home", ""), "PROFILESYNC_OWNER=us"}
			return []string{"plan", "--worktree", d.good(), "--cloud", "devcloud"}
		}},
		hostile{name: "process: a state file that is none", says: "embedded cloud", peak: 64, make: func(d *den) []string {
			d.large(filepath.Join(".local", "state", "profilesync", "devcloud.db"))
			return []string{"plan", "--worktree", d.good(), "--cloud", "devcloud"}
		}},
	)
}

// The program reads answers as JSON; that the lies above are JSON where they
// are meant to be is checked here.
func TestTheRowsOfALieAreJSON(t *testing.T) {
	if text := row(1, "p", `"a\u001b"`, `{}`, `{"a":`+nested(300)+`}`); !json.Valid([]byte(text)) {
		t.Error(text)
	}
}
