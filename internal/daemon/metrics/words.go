package metrics

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"profilesync/internal/daemon/status"
	"profilesync/internal/diff"
)

// longest is the most bytes of a label. Names of targets, clouds and holders
// are far shorter; what is longer comes from somebody who does not mean well.
const longest = 200

// clean makes a label of a name from outside. Prometheus refuses a whole scrape
// for one byte that is not UTF-8; quotes and newlines it can carry.
func clean(name string) string {
	name = strings.ToValidUTF8(name, "\uFFFD")
	if len(name) <= longest {
		return name
	}
	cut := longest
	for !utf8.RuneStart(name[cut]) {
		cut--
	}
	return name[:cut] + "…"
}

// label writes a word as labels are written: "in sync" as "in_sync".
func label[Word ~string](word Word) string {
	return strings.ReplaceAll(string(word), " ", "_")
}

// oneOf is the word as a label if it is one of the known ones, else "other".
func oneOf[Word ~string](known []Word, word string) string {
	if !slices.Contains(known, Word(word)) {
		return "other"
	}
	return label(word)
}

func outcomes() []status.Outcome {
	return []status.Outcome{status.InSync, status.Applied, status.Drift, status.Blocked, status.Failed}
}

func triggers() []status.Trigger {
	return []status.Trigger{status.Start, status.Schedule, status.Push, status.Retry, status.Manual, status.Override}
}

func problems() []string {
	return []string{
		status.ConfigProblem, status.HistoryProblem, status.CacheProblem,
		status.ClockProblem, status.LeaseProblem, status.NotifyProblem,
	}
}

func senders() []string { return []string{"github", "gitlab", "gitea", "generic"} }

func results() []string { return []string{"accepted", "ignored", "denied", "invalid"} }

func methods() []string {
	return []string{http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete}
}

// codeWord is a status code as a label: none without an answer, other when HTTP
// knows no such code, for a server may send any number.
func codeWord(code int) string {
	switch {
	case code == 0:
		return "none"
	case http.StatusText(code) == "":
		return "other"
	}
	return strconv.Itoa(code)
}

const ownedByAnother = "owned_by_another"

func blocks() []string {
	return []string{label(diff.InUse), label(diff.Protected), label(diff.NotOurs), label(diff.Ambiguous), ownedByAnother}
}

// blockWord leaves out who else owns a profile: that is anybody's word.
func blockWord(block diff.Block) string {
	if strings.HasPrefix(string(block), string(diff.OwnedBy(""))) {
		return ownedByAnother
	}
	if slices.Contains(blocks(), label(block)) {
		return label(block)
	}
	return "other"
}
