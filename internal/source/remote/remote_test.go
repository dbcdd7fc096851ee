package remote_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/go-git/go-git/v5/plumbing"
	"go.uber.org/goleak"

	"profilesync/internal/source/gittest"
	"profilesync/internal/source/remote"
	"profilesync/internal/source/repository"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// address parses a URL.
func address(t *testing.T, raw string) *url.URL {
	t.Helper()
	u, err := url.Parse(raw)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

// read has a whole conversation: it returns the commit that HEAD is, and a pack
// of it without its history.
func read(ctx context.Context, server remote.Server) (commit string, pack []byte, err error) {
	server.Limit = 1 << 20
	c, err := server.Dial(ctx)
	if err != nil {
		return "", nil, err
	}
	defer c.Close()
	head := c.Advertised().Head
	if head == nil {
		return "", nil, errors.New("no HEAD")
	}
	content, err := c.Pack(ctx, repository.Question{Wants: []repository.Hash{*head}, Depth: 1})
	if err != nil {
		return "", nil, err
	}
	defer content.Close()
	pack, err = io.ReadAll(content)
	return head.String(), pack, err
}

// repo is a repository with a document, and its commit.
func repo(t *testing.T) (r *gittest.Repo, commit string) {
	t.Helper()
	r = gittest.New(t)
	r.Write(map[string]string{"web.yaml": "name: web\n" + strings.Repeat("# a comment\n", 100)})
	return r, r.Commit("Add web")
}

// gets in, and is sent the commit, with all that git wants to find in it.
func gets(t *testing.T, server remote.Server, want string) {
	t.Helper()
	got, pack, err := read(t.Context(), server)
	if err != nil {
		t.Fatalf("%v", err)
	}
	r := gittest.New(t)
	r.Input(string(pack), "index-pack", "--stdin")
	if kind := r.Git("cat-file", "-t", got); got != want || kind != "commit" {
		t.Errorf("%s %s, want commit %s", kind, got, want)
	}
	r.Git("ls-tree", "-r", got)
}

// fails with the sentinel, in the given words, and shows none of the secrets.
func fails(t *testing.T, server remote.Server, kind error, says ...string) error {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	got, _, err := read(ctx, server)
	if err == nil {
		t.Fatalf("no error, commit %s", got)
	}
	if kind != nil && !errors.Is(err, kind) {
		t.Errorf("%v, want %q", err, kind)
	}
	for _, words := range says {
		if !strings.Contains(err.Error(), words) {
			t.Errorf("%v, want it to say %q", err, words)
		}
	}
	printable(t, err)
	return err
}

// Every secret of these tests has this in it.
const mark = "Zs3cr3tZ"

// printable is one line without a secret, however it is formatted.
func printable(t *testing.T, err error) {
	t.Helper()
	if text := err.Error(); strings.ContainsAny(text, "\n\r\x1b") || len(text) > 1000 {
		t.Errorf("not one line: %q", text)
	}
	if strings.Contains(err.Error(), mark) {
		t.Errorf("%q shows a secret", err)
	}
}

// file writes a file into a directory of its own.
func file(t *testing.T, content string) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

// environment is a lookup of these variables.
func environment(variables map[string]string) func(string) (string, bool) {
	return func(name string) (string, bool) {
		value, found := variables[name]
		return value, found
	}
}

// pktLine frames text as Git does.
func pktLine(text string) string { return fmt.Sprintf("%04x%s", len(text)+4, text) }

func hash(digits string) repository.Hash { return plumbing.NewHash(digits) }

// packed counts the bytes of the pack that answers a question.
func packed(t *testing.T, c *remote.Conversation, q repository.Question) int {
	t.Helper()
	content, err := c.Pack(t.Context(), q)
	if err != nil {
		t.Fatal(err)
	}
	defer content.Close()
	pack, err := io.ReadAll(content)
	if err != nil || !strings.HasPrefix(string(pack), "PACK") {
		t.Fatalf("%d bytes, %v", len(pack), err)
	}
	return len(pack)
}
