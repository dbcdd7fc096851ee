package identity

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"time"
)

// errUnknownToken is a token that this cloud did not make; errDeadToken is one that it did, and that has expired
// or was revoked.
var (
	errUnknownToken = errors.New("could not recognize token")
	errDeadToken    = errors.New("failed to validate token")
)

// token is what a token says. Like Keystone's Fernet tokens it is not stored: the text that the client holds is
// its content, sealed.
type token struct {
	User      string   `json:"u"`
	Project   string   `json:"p,omitempty"` // empty when unscoped
	Methods   []string `json:"m"`
	Audit     []string `json:"a"` // its own audit id, then that of the first token of the chain
	Issued    int64    `json:"i"`
	Expires   int64    `json:"e"`
	AppCredID string   `json:"c,omitempty"`
}

const tokenPrefix = "gAAAAAB"

func (s *Service) seal(t token) string {
	body, err := json.Marshal(t)
	if err != nil {
		panic(err) // strings and integers only
	}
	return tokenPrefix + base64.RawURLEncoding.EncodeToString(append(s.sign(body), body...))
}

func (s *Service) sign(body []byte) []byte {
	mac := hmac.New(sha256.New, s.o.Secret)
	mac.Write(body)
	return mac.Sum(nil)
}

// open returns what a token's text says, if it is ours and alive.
func (s *Service) open(text string) (token, error) {
	var t token
	if len(text) < len(tokenPrefix) || text[:len(tokenPrefix)] != tokenPrefix {
		return t, errUnknownToken
	}
	sealed, err := base64.RawURLEncoding.DecodeString(text[len(tokenPrefix):])
	if err != nil || len(sealed) < sha256.Size || !hmac.Equal(sealed[:sha256.Size], s.sign(sealed[sha256.Size:])) {
		return t, errUnknownToken
	}
	if err := json.Unmarshal(sealed[sha256.Size:], &t); err != nil {
		return t, errUnknownToken
	}
	if s.o.Now().Unix() >= t.Expires || s.o.Revoked(t.Audit[0]) {
		return t, errDeadToken
	}
	return t, nil
}

// issue makes a token. One that is made from another lives no longer than that.
func (s *Service) issue(a Account, project string, methods []string, parent *token) token {
	now := s.o.Now()
	t := token{
		User:    a.UserID(),
		Project: project,
		Methods: methods,
		Audit:   []string{auditID()},
		Issued:  now.Unix(),
		Expires: now.Add(s.o.TokenLife).Unix(),
	}
	if parent != nil {
		t.Audit = append(t.Audit, parent.Audit[len(parent.Audit)-1])
		t.Expires = min(t.Expires, parent.Expires)
		t.AppCredID = parent.AppCredID
		for _, m := range parent.Methods {
			if m != "token" {
				t.Methods = append(t.Methods, m)
			}
		}
	}
	return t
}

func auditID() string {
	var b [16]byte
	rand.Read(b[:]) // never fails
	return base64.RawURLEncoding.EncodeToString(b[:])
}

func (t token) account() Account {
	a, _ := find(func(a Account) bool { return a.UserID() == t.User })
	return a
}

func keystoneTime(unix int64) string {
	return time.Unix(unix, 0).UTC().Format("2006-01-02T15:04:05.000000Z")
}
