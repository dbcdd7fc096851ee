package source

import (
	"context"
	"fmt"
	"io/fs"
	"net/http"
	"strings"
	"testing"

	"profilesync/internal/source/gittest"
)

// document is a realistic profile of some 300 bytes.
func document(i int) string {
	return fmt.Sprintf("name: web-%d\nmetadata:\n  team: team-%d\nspec:\n  type: os.nova.server\n  version: \"1.0\"\n  properties:\n"+
		"    flavor: m1.small\n    image: ubuntu-24.04-%d\n    networks:\n      - network: net-%d\n    key_name: ops\n", i, i%17, i%7, i%5)
}

// tenThousand is a packed repository of 10,000 documents in 100 directories.
func tenThousand(b *testing.B) *gittest.Repo {
	r := gittest.New(b)
	var stream strings.Builder
	stream.WriteString("commit refs/heads/main\ncommitter Ada <ada@example.com> 1767323045 +0000\ndata 4\nmany\n")
	for i := range 10_000 {
		doc := document(i)
		fmt.Fprintf(&stream, "M 100644 inline profiles/t%02d/p%05d.yaml\ndata %d\n%s\n", i%100, i, len(doc), doc)
	}
	r.Input(stream.String(), "fast-import", "--quiet")
	r.Git("reset", "-q", "--hard")
	r.Git("gc", "-q")
	return r
}

func BenchmarkRead10000(b *testing.B) {
	r := tenThousand(b)
	server := r.Serve(func(h http.Handler) http.Handler { return h })
	for name, read := range map[string]func(context.Context) (Snapshot, error){
		"local":     Git{URL: r.Dir, Path: "profiles"}.Read,
		"http":      Git{URL: server.URL + "/" + r.Name(), Path: "profiles"}.Read,
		"directory": Directory{Dir: r.Dir, Path: "profiles"}.Read,
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				s, err := read(b.Context())
				if err != nil {
					b.Fatal(err)
				}
				if found, err := fs.Glob(s.Files, "*/*.yaml"); len(found) != 10_000 || err != nil {
					b.Fatalf("%d documents, %v", len(found), err)
				}
			}
		})
	}
}
