package repository

import (
	"bytes"
	"compress/zlib"
	"context"
	"crypto/sha1"
	"encoding/binary"
	"errors"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/go-git/go-git/v5/plumbing"

	"profilesync/internal/source/gittest"
)

var roomy = Limits{Object: 1 << 20, Inflated: 1 << 20}

// packed returns the pack of a repository with deltas.
func packed(t testing.TB) []byte {
	t.Helper()
	r := gittest.New(t)
	for i := range 3 {
		r.Write(map[string]string{"a.yaml": strings.Repeat("name: web\n", 20+i), "dir/b.yaml": strings.Repeat("name: db\n", 30+i)})
		r.Commit("again")
	}
	r.Git("gc", "-q", "--aggressive")
	packs, _ := filepath.Glob(r.Dir + "/.git/objects/pack/*.pack")
	content, err := os.ReadFile(packs[0])
	if err != nil {
		t.Fatal(err)
	}
	return content
}

// makePack writes a pack of objects as they are given: each a type, a declared size and a content.
func makePack(objects ...[]byte) []byte {
	pack := binary.BigEndian.AppendUint32([]byte("PACK\x00\x00\x00\x02"), uint32(len(objects)))
	for _, o := range objects {
		pack = append(pack, o...)
	}
	sum := sha1.Sum(pack)
	return append(pack, sum[:]...)
}

func rawObject(kind plumbing.ObjectType, declared int, content []byte) []byte {
	first := byte(kind)<<4 | byte(declared&15)
	var head []byte
	for declared >>= 4; declared > 0; declared >>= 7 {
		head = append(head, first|0x80)
		first = byte(declared & 0x7f)
	}
	out := bytes.NewBuffer(append(head, first))
	if kind == plumbing.REFDeltaObject {
		base := plumbing.ComputeHash(plumbing.BlobObject, []byte("base"))
		out.Write(base[:])
	}
	z := zlib.NewWriter(out)
	z.Write(content)
	z.Close()
	return out.Bytes()
}

func TestPacksFromAServerAreHeldToTheLimits(t *testing.T) {
	base := rawObject(plumbing.BlobObject, 4, []byte("base"))
	huge := binary.AppendUvarint([]byte{4}, 1<<30)
	rows := []struct {
		name string
		pack []byte
		want error // nil: it is taken
	}{
		{"a blob", makePack(base), nil},
		{"none", makePack(), nil},
		{"a size that is too large", makePack(rawObject(plumbing.BlobObject, 1<<20+1, make([]byte, 1<<20+1))), ErrLimit},
		{"a size that is declared only", makePack(rawObject(plumbing.BlobObject, 1<<40, nil)), ErrLimit},
		{"more content than declared", makePack(rawObject(plumbing.BlobObject, 3, []byte("base"))), ErrDamaged},
		{"less content than declared", makePack(rawObject(plumbing.BlobObject, 5, []byte("base"))), ErrDamaged},
		{"too much together", makePack(rawObject(plumbing.BlobObject, 1<<19+1, make([]byte, 1<<19+1)), rawObject(plumbing.BlobObject, 1<<19, make([]byte, 1<<19))), ErrLimit},
		{"a delta that makes a large object", makePack(base, rawObject(plumbing.REFDeltaObject, len(huge), huge)), ErrLimit},
		{"a delta whose size never ends", makePack(base, rawObject(plumbing.REFDeltaObject, 12, bytes.Repeat([]byte{0xff}, 12))), ErrLimit},
		{"a delta of nothing that was sent", makePack(rawObject(plumbing.REFDeltaObject, 3, []byte{4, 1, 1})), ErrDamaged},
		{"more objects than there are", append([]byte("PACK\x00\x00\x00\x02\x00\x00\x00\x09"), make([]byte, 20)...), ErrDamaged},
		{"millions of objects", append([]byte("PACK\x00\x00\x00\x02\xff\xff\xff\xff"), make([]byte, 20)...), ErrLimit},
		{"another version", append([]byte("PACK\x00\x00\x00\x03\x00\x00\x00\x00"), make([]byte, 20)...), ErrDamaged},
		{"nothing", nil, ErrDamaged},
		{"another checksum", append(makePack(base)[:len(makePack(base))-1], 'x'), ErrDamaged},
		{"more behind the checksum", append(makePack(base), 'x'), ErrDamaged},
		{"a delta of what comes later", makePack(rawObject(plumbing.REFDeltaObject, 5, []byte{4, 2, 2, 'x', 'y'}), base), nil},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			if _, err := receive(t.Context(), bytes.NewReader(row.pack), roomy); !errors.Is(err, row.want) || (err == nil) != (row.want == nil) {
				t.Errorf("%v, want %v", err, row.want)
			}
		})
	}
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := receive(cancelled, bytes.NewReader(packed(t)), roomy); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

func TestDeltaTarget(t *testing.T) {
	for want, delta := range map[int64][]byte{
		5: {4, 5, 1}, 300: {0x80, 1, 0xac, 2}, 0: {4, 0},
		math.MaxInt64: {4},
		1<<56 - 1:     append([]byte{1}, append(bytes.Repeat([]byte{0xff}, 7), 0x7f)...),
	} {
		if _, got, _ := deltaSizes(delta); got != want {
			t.Errorf("%v makes %d bytes, want %d", delta, got, want)
		}
	}
}

func TestDeltasThatDoNotFit(t *testing.T) {
	// Memory behind a slice is not part of it.
	base := []byte("0123456789abcdef")[:10]
	rows := []struct {
		name  string
		delta []byte
		want  string // "" for an error
	}{
		{"a part, and bytes of its own", []byte{10, 5, 0x91, 2, 3, 2, 'x', 'y'}, "234xy"},
		{"all of it", []byte{10, 10, 0x90, 10}, "0123456789"},
		{"another base", []byte{9, 3, 0x90, 3}, ""},
		{"beyond the base", []byte{10, 11, 0x90, 11}, ""},
		{"from beyond the base", []byte{10, 1, 0x91, 10, 1}, ""},
		{"far beyond the base", []byte{10, 1, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}, ""},
		{"64 KiB, which is written as nothing", []byte{10, 10, 0x80}, ""},
		{"more than it says", []byte{10, 2, 0x90, 3}, ""},
		{"less than it says", []byte{10, 4, 0x90, 3}, ""},
		{"more of its own than there is", []byte{10, 4, 4, 'x'}, ""},
		{"a place that is cut short", []byte{10, 1, 0x91}, ""},
		{"the byte that means nothing", []byte{10, 1, 0}, ""},
		{"nothing", nil, ""},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			got, err := applyDelta(make([]byte, 0, 32), base, row.delta)
			if string(got) != row.want || (err == nil) != (row.want != "") {
				t.Errorf("%q, %v; want %q", got, err, row.want)
			}
		})
	}
}

// TestWhatWasReadStaysAsItIs reads more than is remembered of a pack.
func TestWhatWasReadStaysAsItIs(t *testing.T) {
	r := gittest.New(t)
	files := map[string]string{}
	for i := range 400 {
		files[strings.Repeat("d/", i%3)+strings.Repeat("f", i/3+1)] = strings.Repeat("some line of many\n", 600) + strings.Repeat("x", i)
	}
	r.Write(files)
	r.Commit("Add all")
	r.Git("gc", "-q", "--aggressive")
	packs, _ := filepath.Glob(r.Dir + "/.git/objects/pack/*.pack")
	content, err := os.ReadFile(packs[0])
	if err != nil {
		t.Fatal(err)
	}
	p, err := receive(t.Context(), bytes.NewReader(content), Limits{Object: 1 << 20, Inflated: 1 << 30})
	if err != nil {
		t.Fatal(err)
	}
	index, err := os.ReadFile(strings.TrimSuffix(packs[0], ".pack") + ".idx")
	if err != nil || !bytes.Equal(p.index.raw, index) {
		t.Errorf("git has made another index (%v)", err)
	}
	all, err := (&store{packs: []*pack{p.pack}}).withPrefix(t.Context(), "")
	if err != nil || len(all) < 400 {
		t.Fatal(len(all), err)
	}
	read := map[Hash][]byte{}
	kinds := map[Hash]plumbing.ObjectType{}
	for _, h := range all {
		if kinds[h], read[h], err = p.get(h, 1<<20); err != nil {
			t.Fatal(err)
		}
	}
	for h, content := range read {
		if plumbing.ComputeHash(kinds[h], content) != h {
			t.Fatalf("object %s has changed after it was read", h)
		}
	}
}

// FuzzPack reads every object of any pack, as a server could send it: content
// that has the hash it is asked for by, or an error; never a panic.
func FuzzPack(f *testing.F) {
	whole := packed(f)
	f.Add(whole)
	f.Add(makePack(rawObject(plumbing.BlobObject, 4, []byte("base")), rawObject(plumbing.REFDeltaObject, 5, []byte{4, 2, 2, 'x', 'y'})))
	f.Fuzz(func(t *testing.T, content []byte) {
		if len(content) > 20 { // let the mutations past the checksum
			sum := sha1.Sum(content[:len(content)-20])
			content = append(content[:len(content)-20:len(content)-20], sum[:]...)
		}
		p, err := receive(t.Context(), bytes.NewReader(content), Limits{Object: 1 << 16, Inflated: 1 << 18})
		if err != nil {
			return
		}
		s := &store{packs: []*pack{p.pack}}
		all, err := s.withPrefix(t.Context(), "")
		if err != nil {
			return
		}
		for _, h := range all {
			if kind, content, err := s.readAny(h, 1<<16); err == nil && plumbing.ComputeHash(kind, content) != h {
				t.Errorf("object %s has another content", h)
			}
		}
	})
}

func FuzzObjectFile(f *testing.F) {
	f.Add([]byte("blob 4\x00base"))
	f.Add([]byte("tree -1\x00"))
	f.Fuzz(func(t *testing.T, content []byte) {
		var deflated bytes.Buffer
		z := zlib.NewWriter(&deflated)
		z.Write(content)
		z.Close()
		kind, got, err := inflateLoose(&deflated, 1<<10)
		if err != nil {
			return
		}
		if _, after, _ := bytes.Cut(content, []byte{0}); !bytes.Equal(got, after) || !kind.Valid() {
			t.Errorf("%q is %s %q", content, kind, got)
		}
	})
}

func TestPrintable(t *testing.T) {
	for in, want := range map[string]string{
		"fix: ünïcode ☃": "fix: ünïcode ☃", "a\x1b[31mb\tc\r\n": "a [31mb c", "\xff\xfe": "?", "a\u202eb": "a b", strings.Repeat("ä", 300): strings.Repeat("ä", 200) + "…",
	} {
		if got := Printable(in); got != want {
			t.Errorf("%q is printed as %q, want %q", in, got, want)
		}
	}
}
