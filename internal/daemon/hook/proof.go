package hook

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"net/http"
	"strings"
)

// call is who says to call, and what is to prove it. Nothing in it is proven.
type call struct {
	sender   string // "" when it is none that is known
	event    string // the sender's word for what happened
	delivery string

	token  string   // the secret itself
	digest [][]byte // or HMAC-SHA256 digests, one of which has to fit
	front  string   // what is signed in front of the body
}

// recognise tells the senders by the header that names the event. Gitea and
// Forgejo send GitHub's as well, so they are asked for first.
func recognise(header http.Header) call {
	first := func(names ...string) string {
		for _, name := range names {
			if value := header.Get(name); value != "" {
				return value
			}
		}
		return ""
	}
	if event := first("X-Forgejo-Event", "X-Gitea-Event"); event != "" {
		signature := first("X-Forgejo-Signature", "X-Gitea-Signature", "X-Hub-Signature-256")
		return call{
			sender: Gitea, event: event, delivery: first("X-Forgejo-Delivery", "X-Gitea-Delivery"),
			digest: hexDigest(strings.TrimPrefix(signature, "sha256=")),
		}
	}
	if event := first("X-Gitlab-Event"); event != "" {
		return call{
			sender: GitLab, event: event, delivery: first("Idempotency-Key", "X-Gitlab-Event-UUID"),
			token: first("X-Gitlab-Token"), digest: standardDigests(first("Webhook-Signature")),
			front: first("Webhook-Id") + "." + first("Webhook-Timestamp") + ".",
		}
	}
	if event := first("X-GitHub-Event"); event != "" {
		signature, found := strings.CutPrefix(first("X-Hub-Signature-256"), "sha256=")
		if !found {
			signature = ""
		}
		return call{sender: GitHub, event: event, delivery: first("X-GitHub-Delivery"), digest: hexDigest(signature)}
	}
	if kind, token, _ := strings.Cut(first("Authorization"), " "); strings.EqualFold(kind, "Bearer") {
		return call{sender: Generic, token: strings.TrimSpace(token)}
	}
	return call{}
}

// hexDigest is a digest in hexadecimal, none when it is not one.
func hexDigest(text string) [][]byte {
	digest, err := hex.DecodeString(text)
	if err != nil || len(digest) != sha256.Size {
		return nil
	}
	return [][]byte{digest}
}

// standardDigests are the digests in a "webhook-signature" as Standard Webhooks
// has it, which GitLab follows: "v1,BASE64", more than one while a key is being
// replaced.
func standardDigests(text string) [][]byte {
	const most = 4
	var digests [][]byte
	for _, signature := range strings.Fields(text) {
		encoded, found := strings.CutPrefix(signature, "v1,")
		digest, err := base64.StdEncoding.DecodeString(encoded)
		if found && err == nil && len(digest) == sha256.Size && len(digests) < most {
			digests = append(digests, digest)
		}
	}
	return digests
}

// key is a secret as it is used.
type key struct {
	bytes []byte
	signs bool // what is sent is signed with it; otherwise it is sent itself
}

// keyOf says how a sender uses the secret. It is the secret that decides for
// GitLab, and not the request, so that nobody can choose the weaker way.
func keyOf(sender string, read Secret) (key, error) {
	secret, err := read()
	if err != nil {
		return key{}, err
	}
	if secret = bytes.TrimRight(secret, "\r\n"); len(secret) == 0 {
		return key{}, errors.New("it is empty, and would prove nothing")
	}
	switch sender {
	case GitHub, Gitea:
		return key{secret, true}, nil
	case GitLab:
		encoded, signs := bytes.CutPrefix(secret, []byte("whsec_"))
		if !signs {
			return key{secret, false}, nil
		}
		decoded, err := base64.StdEncoding.DecodeString(string(encoded))
		if err != nil || len(decoded) == 0 {
			return key{}, errors.New(`what follows "whsec_" is not base64`)
		}
		return key{decoded, true}, nil
	}
	return key{secret, false}, nil
}

// promises reports whether a request may turn out to be proven, before its body
// is read. With a secret that is sent itself, that is all there is to prove.
func (c call) promises(k key) bool {
	if k.signs {
		return len(c.digest) > 0
	}
	// Digests are compared, for they are of one length whatever was sent.
	sent, want := sha256.Sum256([]byte(c.token)), sha256.Sum256(k.bytes)
	return hmac.Equal(sent[:], want[:])
}

// holds reports whether a request is proven to come from whoever knows the key.
func (c call) holds(k key, signed []byte) bool {
	if !k.signs {
		return c.promises(k)
	}
	mac := hmac.New(sha256.New, k.bytes)
	mac.Write([]byte(c.front))
	mac.Write(signed)
	want := mac.Sum(nil)
	for _, digest := range c.digest {
		if hmac.Equal(digest, want) {
			return true
		}
	}
	return false
}
