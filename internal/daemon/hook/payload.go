package hook

import (
	"encoding/json"
	"errors"
	"net/url"
	"slices"
	"strings"
	"unicode"
)

// payload is what is read of a message. GitHub, Gitea and Forgejo name the
// repository "repository", GitLab "project" and, in part, "repository".
type payload struct {
	Ref        string `json:"ref"`
	After      string `json:"after"`
	Deleted    bool   `json:"deleted"`
	EventName  string `json:"event_name"` // in GitLab's system hooks
	Repository place  `json:"repository"`
	Project    place  `json:"project"`
}

// place is a repository by its addresses. A generic sender may name one address
// in the place of the object.
type place struct {
	CloneURL      string `json:"clone_url"`
	SSHURL        string `json:"ssh_url"`
	HTMLURL       string `json:"html_url"`
	GitHTTPURL    string `json:"git_http_url"`
	GitSSHURL     string `json:"git_ssh_url"`
	WebURL        string `json:"web_url"`
	URL           string `json:"url"`
	DefaultBranch string `json:"default_branch"`
}

func (p *place) UnmarshalJSON(text []byte) error {
	if len(text) > 0 && text[0] == '"' {
		return json.Unmarshal(text, &p.URL)
	}
	type object place // without this method
	return json.Unmarshal(text, (*object)(p))
}

func (p place) urls() []string {
	return []string{p.CloneURL, p.SSHURL, p.HTMLURL, p.GitHTTPURL, p.GitSSHURL, p.WebURL, p.URL}
}

const (
	longestURL      = 2048
	longestRef      = 1024
	longestDelivery = 100
)

// parse says what a proven message is about. When that is no push that anybody
// could be interested in, it says what it is instead.
func parse(call call, message []byte) (push Push, what string, err error) {
	const notLooked = "ignored: only pushes are looked at"
	if !mayBePush(call) {
		return Push{}, notLooked, nil
	}
	var p payload
	if len(message) > 0 || call.sender != Generic {
		if err := json.Unmarshal(message, &p); err != nil {
			return Push{}, "", errors.New("the body is not the JSON of a push")
		}
	}
	switch {
	case call.event == systemHook && p.EventName != "push" && p.EventName != "tag_push":
		return Push{}, notLooked, nil
	case p.Deleted || p.After != "" && strings.Trim(p.After, "0") == "":
		return Push{}, "ignored: a deletion leaves nothing to look at", nil
	case call.sender != Generic && !strings.HasPrefix(p.Ref, "refs/"):
		return Push{}, "", errors.New(`the push has no "ref"`)
	case !isPlain(p.Ref, longestRef) || !isPlain(p.After, longestRef):
		return Push{}, "", errors.New(`"ref" or "after" is not plain text`)
	}
	push = Push{
		Sender: call.sender, Ref: p.Ref, Commit: p.After, URLs: addresses(p),
		DefaultBranch: p.Project.DefaultBranch, Delivery: call.delivery,
	}
	if push.DefaultBranch == "" {
		push.DefaultBranch = p.Repository.DefaultBranch
	}
	if !isPlain(push.DefaultBranch, longestRef) {
		push.DefaultBranch = ""
	}
	if !isPlain(push.Delivery, longestDelivery) {
		push.Delivery = ""
	}
	if call.sender != Generic && len(push.URLs) == 0 {
		return Push{}, "", errors.New("the push names no repository")
	}
	return push, "", nil
}

// systemHook is the event of GitLab's hooks for a whole server; what happened
// is named in the message.
const systemHook = "System Hook"

func mayBePush(call call) bool {
	switch call.sender {
	case GitHub, Gitea:
		return call.event == "push"
	case GitLab:
		return call.event == systemHook || call.event == "Push Hook" || call.event == "Tag Push Hook"
	}
	return true
}

func addresses(p payload) []string {
	var all []string
	for _, address := range slices.Concat(p.Project.urls(), p.Repository.urls()) {
		if !isPlain(address, longestURL) {
			continue
		}
		if address = withoutPassword(address); address != "" && !slices.Contains(all, address) {
			all = append(all, address)
		}
	}
	return all
}

// isPlain reports whether a text may be shown and kept as it is.
func isPlain(text string, longest int) bool {
	return len(text) <= longest && !strings.ContainsFunc(text, func(r rune) bool {
		return !unicode.IsPrint(r) || unicode.IsSpace(r) || r == unicode.ReplacementChar
	})
}

// withoutPassword leaves a user's name where a login by SSH needs one, and
// nothing of what cannot be read.
func withoutPassword(address string) string {
	if !strings.Contains(address, "://") {
		return address
	}
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	name := u.User.Username()
	u.User = nil
	if strings.HasSuffix(u.Scheme, "ssh") && name != "" {
		u.User = url.User(name)
	}
	return u.String()
}
