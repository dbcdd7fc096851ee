package remote

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"strings"
	"time"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"

	"profilesync/internal/source/remote/secret"
)

// keyring are the keys to show to a server, and who signs with them.
type keyring struct {
	from    string // for people
	signers []ssh.Signer
	agent   net.Conn // nil for a key file
}

// String says which keys they are.
func (k *keyring) String() string { return k.from }

func (k *keyring) close() {
	if k != nil && k.agent != nil {
		k.agent.Close()
	}
}

func (l Login) variable(name string) string {
	if l.Lookup == nil {
		return ""
	}
	value, _ := l.Lookup(name)
	return value
}

// keys returns those of the key file, or else of the agent.
func (l Login) keys(ctx context.Context) (*keyring, error) {
	if l.SSH.Key != "" {
		signer, err := l.keyFile()
		if err != nil {
			return nil, fmt.Errorf("%w: key: %w", ErrLogin, err)
		}
		from := fmt.Sprintf("the key of the file %q (%s)", l.SSH.Key, ssh.FingerprintSHA256(signer.PublicKey()))
		return &keyring{from: from, signers: []ssh.Signer{signer}}, nil
	}
	socket := l.variable("SSH_AUTH_SOCK")
	if socket == "" {
		return nil, fmt.Errorf("%w: neither a key file nor an agent (SSH_AUTH_SOCK)", ErrLogin)
	}
	keys, err := askAgent(ctx, socket)
	if err != nil && ctx.Err() == nil {
		err = fmt.Errorf("%w: agent %q: %w", ErrLogin, socket, err)
	}
	return keys, err
}

// maxKey bounds a key file: an RSA key of 16384 bits is a fifth of it.
const maxKey = 64 << 10

func (l Login) keyFile() (ssh.Signer, error) {
	content, err := secret.ReadFile(l.SSH.Key, maxKey)
	if err != nil {
		return nil, err
	}
	signer, err := ssh.ParsePrivateKey(content)
	var encrypted *ssh.PassphraseMissingError
	switch {
	case err == nil:
		return signer, nil
	case errors.As(err, &encrypted):
		return l.decrypt(content)
	case strings.HasPrefix(string(content), "PuTTY-User-Key-File"):
		return nil, fmt.Errorf("file %q: a key of PuTTY's: convert it with puttygen -O private-openssh", l.SSH.Key)
	}
	if _, _, _, _, err := ssh.ParseAuthorizedKey(content); err == nil {
		return nil, fmt.Errorf("file %q: this is the public key: name the file of the private one", l.SSH.Key)
	}
	return nil, fmt.Errorf("file %q: no private key that can be read: %s", l.SSH.Key, strings.TrimPrefix(err.Error(), "ssh: "))
}

func (l Login) decrypt(content []byte) (ssh.Signer, error) {
	if l.SSH.Passphrase.IsZero() {
		return nil, fmt.Errorf("file %q: the key is encrypted, and no passphrase is given", l.SSH.Key)
	}
	passphrase, err := l.SSH.Passphrase.Read("passphrase", l.Lookup)
	if err != nil {
		return nil, err
	}
	signer, err := ssh.ParsePrivateKeyWithPassphrase(content, []byte(passphrase))
	switch {
	case errors.Is(err, x509.IncorrectPasswordError):
		return nil, fmt.Errorf("file %q: the passphrase is wrong", l.SSH.Key)
	case err != nil:
		// The old PEM has no check of its own: once in a few hundred times what a
		// wrong passphrase decrypts it to looks right until it is parsed.
		return nil, fmt.Errorf("file %q: the passphrase is wrong, or the key is damaged: %s", l.SSH.Key, strings.TrimPrefix(err.Error(), "ssh: "))
	}
	return signer, nil
}

// agentTime is how long an agent may take to list its keys.
const agentTime = 10 * time.Second

// askAgent asks an agent before any server is asked, so that one that hangs is
// known as what hangs.
func askAgent(ctx context.Context, socket string) (*keyring, error) {
	ctx, cancel := context.WithTimeout(ctx, agentTime)
	defer cancel()
	conn, err := (&net.Dialer{}).DialContext(ctx, "unix", socket)
	if err != nil {
		return nil, err
	}
	defer context.AfterFunc(ctx, func() { conn.Close() })()
	signers, err := agent.NewClient(conn).Signers()
	switch {
	case ctx.Err() != nil:
		err = fmt.Errorf("it does not answer: %w", ctx.Err())
	case err == nil && len(signers) == 0:
		err = errors.New("it holds no keys")
	}
	if err != nil {
		conn.Close()
		return nil, err
	}
	return &keyring{from: fmt.Sprintf("the %d keys of the agent", len(signers)), signers: signers, agent: conn}, nil
}
