package trust

import (
	"errors"
	"strings"
	"testing"
	"time"

	"profilesync/internal/source/gittest"
)

func TestTagsAsGitJudgesThem(t *testing.T) {
	w := newWorld(t)
	ada := w.trusted.Key("ada", "ed25519", "sign", "never")
	outsiders := gittest.NewGnuPG(t)
	mallory := outsiders.Key("mallory", "ed25519", "sign", "never")
	ed := gittest.SSHKey(t, "-t", "ed25519")
	w.allow("ada@example.com " + publicKey(t, ed))
	g := w.repo.Git
	g("tag", "-u", ada, "-m", "One", "v1")
	g("tag", "-u", ada, "-m", "With a look-alike\n-----BEGIN PGP SIGNATURE-----\nof a signature", "alike")
	g("-c", "gpg.format=ssh", "tag", "-u", ed, "-m", "By SSH", "ssh")
	g("-c", "gpg.program="+outsiders.Program(), "tag", "-u", mallory, "-m", "By another", "foreign")
	g("tag", "-a", "-m", "Annotated", "unsigned")
	g("tag", "-u", ada, "-m", "A tag of a tag", "outer", "unsigned")
	g("tag", "-a", "-m", "An unsigned tag of a signed one", "wrapped", "v1")
	g("tag", "light")
	raw := w.raw("tag", "v1")
	put := func(name, raw string) string {
		g("update-ref", "refs/tags/"+name, w.store("tag", raw))
		return name
	}
	cut := strings.Index(raw, "-----BEGIN")
	_, signatureAt2, _ := strings.Cut(w.raw("tag", "outer"), "-----BEGIN")
	tagged := "refs/tags/"

	rows := []struct {
		name     string
		ref      string
		why      error
		stricter bool
	}{
		{"by an OpenPGP key", "v1", nil, false},
		{"by its full name", tagged + "v1", nil, false},
		{"by its id", g("rev-parse", "v1"), nil, false},
		{"by an SSH key", "ssh", nil, false},
		{"a tag of an unsigned tag", "outer", nil, false},
		{"with the other hash's signature beside it", put("v1", strings.Replace(raw, "tagger ", "gpgsig-sha256 -----BEGIN\n anything\ntagger ", 1)), nil, false},
		{"with a signature's first line in its message", "alike", nil, false},
		{"an unsigned tag", "unsigned", ErrUnsigned, false},
		{"an unsigned tag of a signed one", "wrapped", ErrUnsigned, false},
		{"by an unknown key", "foreign", ErrUnknownKey, false},
		{"a plain tag", "light", ErrNoTag, false},
		{"a branch", "main", ErrNoTag, false},
		{"a commit", g("rev-parse", "HEAD"), ErrNoTag, false},
		{"with another message", put("message", strings.Replace(raw, "One", "Two", 1)), ErrBad, false},
		{"of another commit", put("target", strings.Replace(raw, g("rev-parse", "HEAD"), w.repo.Commit("Next"), 1)), ErrBad, false},
		{"with another tagger", put("tagger", strings.Replace(raw, "tagger Ada", "tagger Eve", 1)), ErrBad, false},
		{"renamed in itself", put("v3", strings.Replace(raw, "tag v1", "tag v3", 1)), ErrBad, false},
		{"with another tag's signature", put("swapped", raw[:cut]+"-----BEGIN"+signatureAt2), ErrBad, false},
		{"in the place of another", put("v2", raw), ErrTagName, true},
		{"with more behind the signature", put("longer", raw+"more\n"), ErrBad, true},
		{"with a signature in its header", put("header", strings.Replace(raw[:cut], "tagger ", "gpgsig -----BEGIN PGP SIGNATURE-----\n x\ntagger ", 1)), ErrUnsigned, false},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			if s := w.in(t).agrees(Tag, row.ref, row.why, row.stricter); row.why == nil && s.Object != Tag {
				t.Errorf("of a %q", s.Object)
			}
		})
	}
	t.Run("in the place of a branch", func(t *testing.T) {
		w := w.in(t)
		w.repo.Write(map[string]string{".git/refs/heads/odd": g("rev-parse", "v1") + "\n"})
		_, err := w.keys(Tag).Check(w.commit("odd"), time.Now())
		if !errors.Is(err, ErrTagName) {
			t.Errorf("%v, want %q", err, ErrTagName)
		}
	})
}

func TestEitherTheTagOrTheCommit(t *testing.T) {
	w := newWorld(t)
	ada := w.trusted.Key("ada", "ed25519", "sign", "never")
	g := w.repo.Git
	g("tag", "-u", ada, "-m", "A signed tag of an unsigned commit", "signed")
	g("tag", "-a", "-m", "Neither", "neither")
	w.signed(ada)
	g("tag", "-a", "-m", "An unsigned tag of a signed commit", "unsigned")
	g("tag", "light")
	w.repo.Commit("Unsigned")
	for _, row := range []struct {
		ref  string
		of   Object
		why  []error
		says string
	}{
		{"signed", Tag, nil, ""},
		{"unsigned", Commit, nil, ""},
		{"light", Commit, nil, ""},
		{"light~0", "", nil, ""},
		{"main", "", []error{ErrUnsigned}, "commit "},
		{"neither", "", []error{ErrUnsigned}, `tag "neither": not signed; and revision not trusted: commit `},
	} {
		t.Run(row.ref, func(t *testing.T) {
			w := w.in(t)
			if strings.Contains(row.ref, "~") {
				row.ref, row.of = w.repo.Git("rev-parse", row.ref), Commit
			}
			s, err := w.keys(Either).Check(w.commit(row.ref), time.Now())
			if s.Object != row.of || (err != nil) != (row.why != nil) {
				t.Errorf("%+v, %v", s, err)
			}
			for _, why := range row.why {
				if !errors.Is(err, why) || !strings.Contains(err.Error(), row.says) {
					t.Errorf("%v, want %q", err, why)
				}
			}
		})
	}
}
