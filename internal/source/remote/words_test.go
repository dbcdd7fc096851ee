package remote_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"profilesync/internal/source/gittest"
	"profilesync/internal/source/remote"
	"profilesync/internal/source/remote/secret"
	"profilesync/internal/source/repository"
)

// What hosts of Git say over SSH in place of an answer, on standard error.
func TestWhatServersSay(t *testing.T) {
	r, _ := repo(t)
	key := gittest.SSHKey(t, "-t", "ed25519")
	for name, row := range map[string]struct {
		words string
		kind  error
		says  string
	}{
		"GitHub":    {"ERROR: Repository not found.\nfatal: Could not read from remote repository.\n", repository.ErrNoRepository, "the server says: Repository not found."},
		"GitLab":    {"remote: \nremote: ========================================\nremote: \nremote: ERROR: The project you were looking for could not be found or you don't have permission to view it.\nremote: \nremote: ========================================\nremote: \n", repository.ErrNoRepository, "the server says: The project you were looking for"},
		"Gitea":     {"Gitea: Unauthorized\n", repository.ErrAuthentication, "Gitea: Unauthorized"},
		"Forgejo":   {"Forgejo: Cannot find repository: org/x\n", repository.ErrNoRepository, "Cannot find repository"},
		"Bitbucket": {"conq: repository does not exist.\n", repository.ErrNoRepository, "does not exist"},
		"Azure":     {"remote: Public key authentication failed.\n", repository.ErrAuthentication, "Public key authentication failed"},
		"a disk":    {"fatal: write error: No space left on device\n", repository.ErrUnreachable, "No space left"},
		"no Git":    {"bash: line 1: git-upload-pack: command not found\n", repository.ErrUnreachable, "command not found"},
		"colours":   {"\x1b[31mERROR:\x1b[0m \x07 permission denied\r\n", repository.ErrAuthentication, "permission denied"},
		"a novel":   {strings.Repeat("line after line\n", 10_000), repository.ErrUnreachable, "line after line"},
		"nothing":   {"", repository.ErrUnreachable, "its answer"},
	} {
		t.Run(name, func(t *testing.T) {
			sshd := gittest.ServeSSH(t, []string{key + ".pub"}, "ForceCommand cat "+file(t, row.words)+" >&2; exit 1")
			fails(t, overSSH(t, sshd, r.Dir, with(sshd, key, "ed25519")), row.kind, row.says)
		})
	}
	t.Run("git itself", func(t *testing.T) {
		sshd := gittest.ServeSSH(t, []string{key + ".pub"})
		fails(t, overSSH(t, sshd, "/nowhere/it's!x.git", with(sshd, key, "ed25519")), repository.ErrNoRepository, "'/nowhere/it's!x.git' does not appear to be a git repository")
		fails(t, overSSH(t, sshd, gittest.New(t).Dir, with(sshd, key, "ed25519")), repository.ErrEmpty)
	})
	t.Run("a banner before the login", func(t *testing.T) {
		sshd := gittest.ServeSSH(t, nil, "Banner "+file(t, "Go away!\n"))
		fails(t, overSSH(t, sshd, r.Dir, with(sshd, key, "ed25519")), repository.ErrAuthentication, "the server lets in")
	})
}

func TestPathsOverSSHAreQuoted(t *testing.T) {
	r, commit := repo(t)
	key := gittest.SSHKey(t, "-t", "ed25519")
	sshd := gittest.ServeSSH(t, []string{key + ".pub"})
	strange := t.TempDir() + "/it's a $(touch pwned)!.git"
	r.Git("clone", "-q", "--bare", r.Dir, strange)
	server := overSSH(t, sshd, "", with(sshd, key, "ed25519"))
	server.Address.Path = strange
	gets(t, server, commit)
}

// A host may ask that each client can do multi_ack, as Azure DevOps does.
func TestMultiAckIsAskedForWhereItIsOffered(t *testing.T) {
	r, commit := repo(t)
	asked := ""
	server := r.Serve(func(h http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
			if req.Method == http.MethodPost {
				head := make([]byte, 300)
				n, _ := req.Body.Read(head)
				asked = string(head[:n])
				if !strings.Contains(asked, "multi_ack") {
					http.Error(w, "Clients must support multi-ack.", http.StatusBadRequest)
					return
				}
				req.Body = struct {
					*strings.Reader
					nothing
				}{strings.NewReader(asked), nothing{}}
			}
			h.ServeHTTP(w, req)
		})
	})
	gets(t, remote.Server{Address: address(t, server.URL+"/"+r.Name())}, commit)
	if strings.Contains(asked, "thin-pack") {
		t.Errorf("a pack that is not whole was asked for: %q", asked)
	}
}

type nothing struct{}

func (nothing) Close() error { return nil }

// A conversation goes on after a question that the server has refused, over
// SSH by another command on the same connection.
func TestAQuestionAfterAnother(t *testing.T) {
	r, first := repo(t)
	r.Write(map[string]string{"more.yaml": "name: more\n"})
	second := r.Commit("Add more")
	key := gittest.SSHKey(t, "-t", "ed25519")
	sshd := gittest.ServeSSH(t, []string{key + ".pub"})
	for name, server := range map[string]remote.Server{
		"HTTP": {Address: address(t, r.Serve(nil).URL+"/"+r.Name())},
		"SSH":  overSSH(t, sshd, r.Dir, with(sshd, key, "ed25519")),
	} {
		t.Run(name, func(t *testing.T) {
			server.Limit = 1 << 20
			c, err := server.Dial(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			refused := repository.Question{Wants: []repository.Hash{{1, 2, 3}}, Depth: 1}
			if _, err := c.Pack(t.Context(), refused); !errors.Is(err, repository.ErrNoPack) {
				t.Fatalf("%v", err)
			}
			whole := packed(t, c, repository.Question{Wants: []repository.Hash{hash(second)}})
			there := repository.Question{Wants: []repository.Hash{hash(second)}, Haves: []repository.Hash{hash(first), {1}}}
			if rest := packed(t, c, there); rest >= whole {
				t.Errorf("%d bytes for what is not there, %d for all", rest, whole)
			}
			there.Shallow, there.Depth = there.Haves[:1], 1
			if rest := packed(t, c, there); rest >= whole {
				t.Errorf("%d bytes for what is not there, %d for all", rest, whole)
			}
		})
	}
}

// A server may repeat what it was sent.
func TestAServerThatRepeatsTheSecret(t *testing.T) {
	const token = "abc" + mark
	service := "001e# service=git-upload-pack\n0000"
	for name, answer := range map[string]string{
		"in Git's protocol": service + pktLine("ERR denied to "+token+"\n"),
		"as garbage":        token + token,
	} {
		t.Run(name, func(t *testing.T) {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", "application/x-git-upload-pack-advertisement")
				_, _ = w.Write([]byte(answer))
			}))
			defer server.Close()
			for _, login := range []remote.Login{{Token: secret.Place{File: file(t, token)}}, {Password: secret.Place{File: file(t, token)}}} {
				fails(t, remote.Server{Address: address(t, server.URL+"/x"), Login: login}, repository.ErrUnreachable)
			}
		})
	}
}
