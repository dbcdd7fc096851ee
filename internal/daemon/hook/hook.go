// Package hook hears from a Git server that something was pushed. It answers
// POST requests of GitHub, GitLab, Gitea and Forgejo, and of anybody who knows a
// bearer token, and says which repository and branch it was about.
//
//	request ─▶ sender ─▶ proof ─▶ payload ─▶ Push ─▶ Concerns ─▶ somebody looks at Git
//
// A push is a hint to look, never a command: what is there to apply is read from
// Git, so that a replayed or invented request costs one look and changes
// nothing. Nothing of a request is believed before it is proven to come from
// whoever knows the secret, and neither bodies nor secrets are ever logged.
//
// The package reads no file, keeps no queue and starts nothing.
package hook

import (
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"profilesync/internal/daemon/guess"
)

// The senders, as they are told to people and counted.
const (
	GitHub  = "github"
	GitLab  = "gitlab"
	Gitea   = "gitea" // and Forgejo
	Generic = "generic"
)

// What became of a request, as it is counted.
const (
	Accepted = "accepted" // a push was heard
	Ignored  = "ignored"  // it is no push, or a deletion
	Denied   = "denied"   // who sent it could not be proven
	Invalid  = "invalid"  // it is no request of a hook, or could not be read
)

// Secret gives the secret that is shared with a sender. It is asked at every
// request, so that a replaced file counts at once. Line breaks at its end do not
// belong to it; an empty one proves nothing, and is an error.
type Secret func() ([]byte, error)

// Options are who may send, and who wants to know.
type Options struct {
	// GitHub, GitLab, Gitea and Generic are the secrets; a sender without one is
	// not heard. GitLab's is the secret token or, where it begins with "whsec_",
	// the signing token.
	GitHub, GitLab, Gitea, Generic Secret
	// Push is called for each push, before the sender has its answer. It must
	// not block, and has to expect the same push many times over.
	Push func(Push)
	// Count is called once for each request, with one of the senders, or "" when
	// it is none of them, and what became of it. May be nil.
	Count func(sender, result string)
	// Log is told of requests without proof, but not of those that have to wait
	// after too many of them. May be nil.
	Log *slog.Logger
}

// Push is what a sender said. Every text is short and printable.
type Push struct {
	Sender        string
	URLs          []string // of the repository, without passwords; none when it was not named
	Ref           string   // "refs/heads/main"; of a generic sender also "main", or "" when it was not named
	Commit        string   // that the ref is at now; "" when it was not named
	DefaultBranch string   // "main"; "" when it was not named
	Delivery      string   // the sender's own number of the request, to look it up there; may be ""
}

// String is for people: "refs/heads/main, told by github in delivery 72d3162e".
func (p Push) String() string {
	text := "told by " + p.Sender
	if p.Ref != "" {
		text = p.Ref + ", " + text
	}
	if p.Delivery != "" {
		text += " in delivery " + p.Delivery
	}
	return text
}

// MaxBody bounds a request. GitHub sends up to 25 MB, but a push is told with at
// most 2,048 commits of about 1 KB and the names of the files in them; what is
// larger is left to the schedule.
const MaxBody = 4 << 20

const (
	bodies   = 8                // read at once: what others can make the process hold is 8 times MaxBody
	deadline = 10 * time.Second // of reading one
)

type handler struct {
	options  Options
	failures guess.Failures
	slots    chan struct{}
}

// New makes the handler of POST /hooks/git. The server around it bounds the
// header and the time for reading it.
func New(options Options) http.Handler {
	if options.Log == nil {
		options.Log = slog.New(slog.DiscardHandler)
	}
	if options.Count == nil {
		options.Count = func(string, string) {}
	}
	return &handler{options: options, slots: make(chan struct{}, bodies)}
}

// answer is what a sender gets to see, in the list of deliveries that it keeps.
type answer struct {
	status int
	result string
	text   string
	header [2]string // one more field; empty when there is none
	failed bool      // nothing was proven, which may happen so many times only
}

// ServeHTTP answers 202 to a push and to what is not looked at, 200 to a ping,
// and a status from 400 on to what is refused.
func (h *handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	call := recognise(r.Header)
	got := h.take(w, r, call)
	h.options.Count(call.sender, got.result)
	header := w.Header()
	if got.header[0] != "" {
		header.Set(got.header[0], got.header[1])
	}
	header.Set("Content-Type", "text/plain; charset=utf-8")
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("Cache-Control", "no-store")
	w.WriteHeader(got.status)
	fmt.Fprintln(w, got.text)
}

// take goes from the cheap questions to the dear ones: a body is read only for
// a sender that is known, and kept only if it proves to come from it.
func (h *handler) take(w http.ResponseWriter, r *http.Request, call call) answer {
	secret := h.secretOf(call.sender)
	switch {
	case r.Method != http.MethodPost:
		return answer{
			status: http.StatusMethodNotAllowed, result: Invalid, text: "only POST is taken here",
			header: [2]string{"Allow", http.MethodPost},
		}
	case call.sender == "":
		return answer{status: http.StatusBadRequest, result: Invalid, text: "the sender is not known"}
	case secret == nil:
		return answer{status: http.StatusForbidden, result: Denied, text: "this sender is not taken here"}
	case r.ContentLength > MaxBody:
		return tooLarge()
	case r.Header.Get("Content-Encoding") != "":
		return answer{status: http.StatusUnsupportedMediaType, result: Invalid, text: "a body is taken without a content encoding only"}
	}
	if wait := h.failures.Wait(r.RemoteAddr, time.Now()); wait > 0 {
		seconds := fmt.Sprint(int(wait/time.Second) + 1)
		return answer{
			status: http.StatusTooManyRequests, result: Denied, text: "too many failed attempts",
			header: [2]string{"Retry-After", seconds},
		}
	}
	got := h.prove(w, r, call, secret)
	if got.failed {
		h.failures.Add(r.RemoteAddr, time.Now())
		h.options.Log.Warn("hook refused", "sender", call.sender, "from", r.RemoteAddr, "reason", got.text)
	}
	return got
}

func (h *handler) secretOf(sender string) Secret {
	switch sender {
	case GitHub:
		return h.options.GitHub
	case GitLab:
		return h.options.GitLab
	case Gitea:
		return h.options.Gitea
	case Generic:
		return h.options.Generic
	}
	return nil
}

// prove takes what proves to come from the sender.
func (h *handler) prove(w http.ResponseWriter, r *http.Request, call call, read Secret) answer {
	key, err := keyOf(call.sender, read)
	if err != nil {
		h.options.Log.Error("secret of a hook", "sender", call.sender, "error", err)
		return answer{status: http.StatusServiceUnavailable, result: Invalid, text: "the secret cannot be read here", failed: true}
	}
	if !call.promises(key) {
		return unproven(call.sender)
	}
	body, refused := h.read(w, r)
	if refused.status != 0 {
		return refused
	}
	message, err := document(call.sender, r.Header.Get("Content-Type"), body)
	if err != nil {
		return answer{status: http.StatusUnsupportedMediaType, result: Invalid, text: err.Error()}
	}
	signed := body
	if call.sender == Gitea {
		signed = message // Gitea signs the payload, and not the form around it
	}
	if !call.holds(key, signed) {
		return unproven(call.sender)
	}
	return h.hear(call, message)
}

func unproven(sender string) answer {
	got := answer{status: http.StatusUnauthorized, result: Denied, text: "the secret does not fit", failed: true}
	if sender == Generic {
		got.header = [2]string{"WWW-Authenticate", "Bearer"}
	}
	return got
}

func tooLarge() answer {
	text := fmt.Sprintf("a body of more than %d bytes is not taken; the schedule will notice the push", MaxBody)
	return answer{status: http.StatusRequestEntityTooLarge, result: Invalid, text: text}
}

// hear says what a proven message means.
func (h *handler) hear(call call, message []byte) answer {
	if call.sender == GitHub && call.event == "ping" {
		return answer{status: http.StatusOK, result: Ignored, text: "pong"}
	}
	push, what, err := parse(call, message)
	switch {
	case err != nil:
		return answer{status: http.StatusBadRequest, result: Invalid, text: err.Error()}
	case what != "":
		return answer{status: http.StatusAccepted, result: Ignored, text: what}
	}
	h.options.Push(push)
	return answer{status: http.StatusAccepted, result: Accepted, text: "taken: " + push.String()}
}
