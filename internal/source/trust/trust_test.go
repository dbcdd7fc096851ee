package trust

import (
	"errors"
	"io/fs"
	"strings"
	"testing"
	"time"

	"profilesync/internal/source/gittest"
	"profilesync/internal/source/repository"
)

func TestAPolicyThatAsksForNothing(t *testing.T) {
	keys, err := Policy{}.Load(nil)
	if err != nil {
		t.Fatal(err)
	}
	s, err := keys.Check(repository.Commit{Raw: []byte("tree x\n\nunsigned")}, time.Now())
	if s != (Signature{}) || err != nil || (Policy{}).Asks() {
		t.Errorf("%+v, %v", s, err)
	}
}

func TestPoliciesThatCannotBeFollowed(t *testing.T) {
	g := gittest.NewGnuPG(t)
	ada := g.Key("ada", "ed25519", "sign", "never")
	public := g.Run("--armor", "--export", ada)
	ed := "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBQn5cGd9yvtaKSAt50+sTGzDRSiKuYcNlB4xYRGcVSJ"
	files := map[string][]byte{
		"good.asc": []byte(public), "good": []byte("ada@example.com " + ed),
		"empty": nil, "blank": []byte("\n \n"), "garbage": []byte("garbage\x00\xff"), "comment": []byte("# nobody\n"),
		"private.asc": []byte(g.Run("--armor", "--export-secret-keys", ada)), "private": []byte(g.Run("--export-secret-keys", ada)),
		"cut.asc": []byte(public[:len(public)/2]), "signature.asc": []byte(g.Input("x", "--armor", "--detach-sign")),
		"second.asc": []byte(public + "\n-----BEGIN PGP PUBLIC KEY BLOCK-----\n\ngarbage\n-----END PGP PUBLIC KEY BLOCK-----\n"),
		"half":       []byte("ada@example.com " + ed + "\neve@example.com ssh-ed25519 AAAA\n"),
	}
	rows := []struct {
		name   string
		policy Policy
		says   string
	}{
		{"no keys", Policy{Object: Commit}, "no file of them"},
		{"another object", Policy{Object: "branch", OpenPGP: []string{"good.asc"}}, `"branch" is none of`},
		{"a file that is not there", Policy{OpenPGP: []string{"gone"}}, `"gone"`},
		{"one of two that is not there", Policy{OpenPGP: []string{"good.asc"}, AllowedSigners: []string{"gone"}}, `"gone"`},
	}
	for _, file := range []string{"empty", "blank", "garbage", "comment", "private.asc", "private", "cut.asc", "signature.asc", "second.asc", "good"} {
		rows = append(rows, struct {
			name   string
			policy Policy
			says   string
		}{"OpenPGP keys from " + file, Policy{OpenPGP: []string{"good.asc", file}}, `OpenPGP keys of "` + file + `"`})
	}
	for _, file := range []string{"empty", "blank", "garbage", "comment", "half", "good.asc"} {
		rows = append(rows, struct {
			name   string
			policy Policy
			says   string
		}{"allowed signers from " + file, Policy{AllowedSigners: []string{"good", file}}, `allowed signers of "` + file + `"`})
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			keys, err := row.policy.Load(read(files))
			t.Log(err)
			if !errors.Is(err, ErrKeys) || !strings.Contains(err.Error(), row.says) || keys.object != "" {
				t.Fatalf("%v, want one that says %q", err, row.says)
			}
			if strings.Contains(row.says, "gone") && !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("%v is not wrapped", err)
			}
			if strings.ContainsAny(err.Error(), "\n\x00") {
				t.Errorf("unfit to print: %q", err)
			}
		})
	}
}

func TestKeysWithoutAnObjectAskForTheCommit(t *testing.T) {
	w := newWorld(t)
	w.trusted.Key("ada", "ed25519", "sign", "never")
	if _, err := w.keys("").Check(w.commit("main"), time.Now()); !errors.Is(err, ErrUnsigned) {
		t.Errorf("%v, want %q", err, ErrUnsigned)
	}
}

func TestKeyFilesOfEveryKind(t *testing.T) {
	g := gittest.NewGnuPG(t)
	ada, eve := g.Key("ada", "ed25519", "sign", "never"), g.Key("eve", "rsa2048", "sign", "never")
	armored := func(id string) string { return g.Run("--armor", "--export", id) }
	files := map[string][]byte{
		"both.asc":   []byte("The two of us:\n" + armored(ada) + "and\n\n" + strings.ReplaceAll(armored(eve), "\n", "\r\n")),
		"all.asc":    []byte(g.Run("--armor", "--export")),
		"binary.gpg": []byte(g.Run("--export")),
		"ada.asc":    []byte(armored(ada)), "eve.gpg": []byte(g.Run("--export", eve)),
	}
	for name, names := range map[string][]string{
		"blocks": {"both.asc"}, "one block": {"all.asc"}, "binary": {"binary.gpg"}, "two files": {"ada.asc", "eve.gpg"},
	} {
		t.Run(name, func(t *testing.T) {
			keys, err := Policy{OpenPGP: names}.Load(read(files))
			if err != nil || len(keys.openpgp.keys) != 2 {
				t.Errorf("%d keys, %v", len(keys.openpgp.keys), err)
			}
		})
	}
}

func TestAClockThatIsALittleAhead(t *testing.T) {
	w := newWorld(t)
	id := w.signed(w.trusted.Key("ada", "ed25519", "sign", "never"))
	keys, made := w.keys(Commit), time.Now()
	if _, err := keys.Check(w.commit(id), made.Add(-5*time.Minute)); err != nil {
		t.Errorf("ours is five minutes behind: %v", err)
	}
	if _, err := keys.Check(w.commit(id), made.Add(-time.Hour)); !errors.Is(err, ErrExpired) {
		t.Errorf("ours is an hour behind: %v", err)
	}
}
