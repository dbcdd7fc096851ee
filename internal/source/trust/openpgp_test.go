package trust

import (
	"fmt"
	"strings"
	"testing"

	"profilesync/internal/source/gittest"
)

const in2020, in2020Later = "--faked-system-time=20200101T000000", "--faked-system-time=20200601T000000"

// subkey adds a signing subkey and returns its fingerprint.
func subkey(g *gittest.GnuPG, primary, expire string, options ...string) string {
	g.Run(append(options, "--quick-add-key", primary, "ed25519", "sign", expire)...)
	var last string
	for line := range strings.SplitSeq(g.Run("--with-colons", "--list-keys", primary), "\n") {
		if fields := strings.Split(line, ":"); fields[0] == "fpr" {
			last = fields[9]
		}
	}
	return last
}

func TestOpenPGPAsGitJudgesIt(t *testing.T) {
	w := newWorld(t)
	g, outsiders := w.trusted, gittest.NewGnuPG(t)
	by := func(options ...string) []string { return openpgpBy(g.Program(options...)) }
	ada := g.Key("ada", "ed25519", "sign", "never")
	good := w.signed(ada)
	expired := g.Key("expired", "ed25519", "sign", "1y", in2020)
	revoked := g.Key("revoked", "ed25519", "sign", "never")
	byRevoked := w.signed(revoked)
	g.Revoke(revoked)
	parent := g.Key("parent", "ed25519", "cert", "never")
	sub := subkey(g, parent, "never")
	old := g.Key("old", "ed25519", "cert", "never", in2020)
	oldSub := subkey(g, old, "1y", in2020)
	gone := g.Key("gone", "ed25519", "cert", "never")
	goneSub := subkey(g, gone, "never")
	byGoneSub := w.signed(goneSub + "!")
	g.Input("key 1\nrevkey\ny\n0\n\ny\nsave\n", "--command-fd", "0", "--no-batch", "--edit-key", gone)
	later := g.Key("later", "ed25519", "cert", "never")
	laterSub := subkey(g, later, "never")
	byLaterSub := w.signed(laterSub + "!")
	g.Input("key 1\nrevkey\ny\n3\n\ny\nsave\n", "--faked-system-time=20400101T000000", "--command-fd", "0", "--no-batch", "--edit-key", later)
	aged := g.Key("aged", "ed25519", "sign", "never", in2020)
	outsider := outsiders.Key("mallory", "ed25519", "sign", "never")
	byOutsider := w.signed(outsider, openpgpBy(outsiders.Program())...)
	another := w.signed(ada)
	signatureOf := func(id string) string { s, _ := splitCommit([]byte(w.raw("commit", id))); return string(s.signature) }
	header := func(id string) string {
		raw := w.raw("commit", id)
		return raw[strings.Index(raw, "gpgsig "):strings.Index(raw, "\n\n")]
	}
	both := header(good) + "\n" + header(another)

	rows := []struct {
		name     string
		id       string
		why      error // nil: good
		stricter bool  // git accepts it
	}{
		{"by an Ed25519 key", good, nil, false},
		{"by an RSA key", w.signed(g.Key("rsa", "rsa2048", "sign", "never")), nil, false},
		{"by an ECDSA key", w.signed(g.Key("ecdsa", "nistp256", "sign", "never")), nil, false},
		{"by a subkey", w.signed(sub + "!"), nil, false},
		{"by an old key", w.signed(aged), nil, false},
		{"with another encoding", w.signed(ada, "-c", "i18n.commitEncoding=ISO-8859-1"), nil, false},
		{"with a message of odd line ends", w.signedMessage(ada, "One\r\n\r\n  two \r\n\n\n"), nil, false},
		{"with a message like a signature", w.signedMessage(ada, "gpgsig x\n\n-----BEGIN PGP SIGNATURE-----\n"), nil, false},
		{"with SHA-512", w.signed(ada, by("--digest-algo SHA512")...), nil, false},
		{"on a merge of a signed tag", merge(w, ada), nil, false},
		{"with the other hash's signature beside it", w.changed(good, "gpgsig ", "gpgsig-sha256 -----BEGIN\n anything\ngpgsig "), nil, false},
		{"not at all", w.repo.Commit("Unsigned"), ErrUnsigned, false},
		{"only for the other hash", w.changed(good, "gpgsig ", "gpgsig-sha256 "), ErrUnsigned, false},
		{"on a merge, unsigned, of a signed tag", mergeUnsigned(w, ada), ErrUnsigned, false},
		{"by a key that is not trusted", byOutsider, ErrUnknownKey, false},
		{"by a key that has expired since", w.signed(expired, by(in2020Later)...), ErrExpired, false},
		{"by a key that was revoked", byRevoked, ErrRevoked, false},
		{"by a subkey that has expired since", w.signed(oldSub+"!", by(in2020Later)...), ErrExpired, false},
		{"by a subkey that was revoked", byGoneSub, ErrRevoked, false},
		{"by a subkey that will be revoked", byLaterSub, ErrRevoked, false},
		{"by a signature that has expired since", w.signed(aged, by(in2020Later, "--default-sig-expire 1y")...), ErrExpired, false},
		{"in the future", w.signed(ada, by("--faked-system-time=20400101T000000")...), ErrExpired, true},
		{"before the key was made", w.signed(ada, by(in2020, "--ignore-time-conflict")...), ErrBad, false},
		{"with another message", w.changed(good, "\n\nSigned", "\n\nForged"), ErrBad, false},
		{"with other line ends", w.changed(good, "\n\nSigned\n", "\n\nSigned\r\n"), ErrBad, false},
		{"with another tree", w.changed(good, "tree 4b825dc6", "tree 4b825dc7"), ErrBad, false},
		{"with another parent", w.changed(good, "parent ", "parent "+good+"\nparent "), ErrBad, false},
		{"with another author", w.changed(good, "author Ada", "author Eve"), ErrBad, false},
		{"with another committer", w.changed(good, "committer Ada", "committer Eve"), ErrBad, false},
		{"with a header more", w.changed(good, "gpgsig ", "extra header\ngpgsig "), ErrBad, false},
		{"with a header more that begins alike", w.changed(good, "gpgsig ", "gpgsigned-by x\ngpgsig "), ErrBad, true},
		{"moved to another commit", w.changed(w.repo.Commit("Other"), "\n\nOther", "\n"+header(good)+"\n\nOther"), ErrBad, false},
		{"twice", w.changed(good, header(good), both), ErrSeveral, false},
		{"by two in one armor", w.signed("", openpgpBy(g.Program("-u "+ada+" -u "+sub+"!"))...), ErrSeveral, false},
		{"by a key of 1024 bits", w.signed(g.Key("short", "rsa1024", "sign", "never")), ErrWeak, true},
		{"by a DSA key", w.signed(g.Key("dsa", "dsa2048", "sign", "never")), ErrWeak, true},
		{"with SHA-1", w.signed(ada, by("--digest-algo SHA1")...), ErrWeak, true},
		{"in text mode", w.signed(ada, by("--textmode")...), ErrUnsupported, true},
		{"with text behind it", w.changed(good, "-----END PGP SIGNATURE-----\n", "-----END PGP SIGNATURE-----\n and more\n"), ErrBad, true},
		{"cut short", w.changed(good, signatureLine(signatureOf(good), 3), ""), ErrBad, false},
		{"with X.509", w.changed(good, "gpgsig -----BEGIN PGP SIGNATURE-----", "gpgsig -----BEGIN SIGNED MESSAGE-----"), ErrUnsupported, false},
		{"in a form that nobody knows", w.changed(good, "gpgsig -----BEGIN PGP SIGNATURE-----", "gpgsig -----BEGIN RUNES-----"), ErrUnsupported, false},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) { w.in(t).agrees(Commit, row.id, row.why, row.stricter) })
	}
}

// signatureLine is one line of a signature as it stands in a commit.
func signatureLine(signature string, n int) string {
	return " " + strings.Split(signature, "\n")[n] + "\n"
}

// merge makes a merge of a signed tag, itself signed.
func merge(w *world, key string) string {
	side := fmt.Sprintf("side-%d", len(w.repo.Git("branch", "--list")))
	w.repo.Git("checkout", "-q", "-b", side)
	w.repo.Git("commit", "-q", "--allow-empty", "-m", "Side")
	w.repo.Git("tag", "-u", key, "-m", "Tag "+side, "merged-"+side)
	w.repo.Git("checkout", "-q", "main")
	w.repo.Git("merge", "-q", "--no-ff", "-S"+key, "-m", "Merge", "merged-"+side)
	return w.repo.Git("rev-parse", "HEAD")
}

// mergeUnsigned makes a merge of a signed tag that only the tag's owner has signed.
func mergeUnsigned(w *world, key string) string {
	id := merge(w, key)
	raw := w.raw("commit", id)
	if !strings.Contains(raw, "mergetag object") {
		w.t.Fatalf("no tag was merged: %s", raw)
	}
	s, err := splitCommit([]byte(raw))
	if err != nil {
		w.t.Fatal(err)
	}
	return w.store("commit", string(s.payload))
}
