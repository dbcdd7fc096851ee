package report

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"profilesync/internal/apply"
	"profilesync/internal/diff"
	"profilesync/internal/live"
)

// formatVersion is the version of every JSON document of this package. Keys may
// be added under one version; see docs/json.md.
const formatVersion = 1

// JSON writes targets as one document, a change a line, in the shape that
// docs/json.md describes. A target without a plan has its name and its error.
// The error is that of w, or names the change that JSON cannot hold.
func JSON(w io.Writer, targets []Target) error {
	return writeTargets(w, targets, func(apply.Outcome) bool { return true })
}

// writeTargets writes the changes that pass the filter, one at a time: what is
// held in memory does not grow with the plan.
func writeTargets(w io.Writer, targets []Target, filter func(apply.Outcome) bool) error {
	out := newJSONWriter(w)
	out.raw(fmt.Sprintf("{\"format_version\":%d,\"targets\":[", formatVersion))
	for i, target := range targets {
		if i > 0 {
			out.raw(",")
		}
		out.raw("\n")
		out.open(headOf(target))
		out.raw(",\"changes\":[")
		separator := "\n"
		for o := range target.outcomes() {
			if !filter(o) {
				continue
			}
			out.raw(separator)
			if err := out.value(changeOf(o)); err != nil {
				return fmt.Errorf("change of %q: %w", o.Name, err)
			}
			separator = ",\n"
		}
		out.raw("\n]}")
	}
	out.raw("\n]}\n")
	return out.w.Flush()
}

type jsonHead struct {
	Name     string       `json:"name"`
	Cloud    string       `json:"cloud"`
	Region   string       `json:"region"`
	Project  string       `json:"project"`
	Revision string       `json:"revision"`
	Commit   *jsonCommit  `json:"commit,omitempty"`
	Owner    string       `json:"owner"`
	Digest   string       `json:"digest"`
	Error    string       `json:"error,omitempty"`
	Summary  jsonSummary  `json:"summary"`
	Applied  *jsonApplied `json:"applied,omitempty"`
}

type jsonSummary struct {
	Create    int `json:"create"`
	Update    int `json:"update"`
	Recreate  int `json:"recreate"`
	Delete    int `json:"delete"`
	Blocked   int `json:"blocked"`
	Kept      int `json:"kept"`
	Unchanged int `json:"unchanged"`
}

type jsonApplied struct {
	Created   int   `json:"created"`
	Updated   int   `json:"updated"`
	Recreated int   `json:"recreated"`
	Deleted   int   `json:"deleted"`
	Failed    int   `json:"failed"`
	Skipped   int   `json:"skipped"`
	Blocked   int   `json:"blocked"`
	Kept      int   `json:"kept"`
	Unchanged int   `json:"unchanged"`
	TookMS    int64 `json:"took_ms"`
}

type jsonChange struct {
	Action string `json:"action"`
	Name   string `json:"name"`
	ID     string `json:"id"`
	// EarlierID is the id of the earlier generation that takes part.
	EarlierID string      `json:"earlier_id,omitempty"`
	Reason    string      `json:"reason"`
	Block     string      `json:"block"`
	Kept      bool        `json:"kept,omitempty"`
	File      string      `json:"file,omitempty"`
	Line      int         `json:"line,omitempty"`
	Fields    []jsonField `json:"fields"`
	Users     []jsonUser  `json:"users"`
	Status    string      `json:"status,omitempty"`
	Error     string      `json:"error,omitempty"`
	InDoubt   bool        `json:"in_doubt,omitempty"`
	NewID     string      `json:"new_id,omitempty"`
	TookMS    *int64      `json:"took_ms,omitempty"`
}

type jsonField struct {
	Path      string `json:"path"`
	Old       any    `json:"old"`
	New       any    `json:"new"`
	Sensitive bool   `json:"sensitive,omitempty"`
}

type jsonUser struct {
	Kind    string `json:"kind"`
	ID      string `json:"id"`
	Name    string `json:"name"`
	Status  string `json:"status"`
	Project string `json:"project,omitempty"`
}

func headOf(target Target) jsonHead {
	head := jsonHead{Name: target.name()}
	if target.Err != nil {
		head.Error = target.Err.Error()
	}
	plan := target.plan()
	if plan == nil {
		return head
	}
	head.Cloud, head.Region, head.Project = plan.Cloud, plan.Region, plan.Project
	head.Revision, head.Owner, head.Digest = plan.Revision, plan.Owner, plan.Digest()
	head.Commit = commitOf(target.Commit)
	head.Summary = jsonSummary(plan.Summary())
	if target.Result != nil {
		t := count(target)
		head.Applied = &jsonApplied{
			Created: t.create, Updated: t.update, Recreated: t.recreate, Deleted: t.remove,
			Failed: t.failed, Skipped: t.skipped, Blocked: t.blocked, Kept: t.kept, Unchanged: t.unchanged,
			TookMS: t.took.Milliseconds(),
		}
	}
	return head
}

func changeOf(o apply.Outcome) jsonChange {
	change := jsonChange{
		Action: o.Action.String(), Name: o.Name, ID: o.ID(), Reason: string(o.Reason), Block: string(o.Block), EarlierID: earlierID(o.Change),
		Kept: o.Change.Kept() || o.Kept, File: o.File, Line: o.Line,
		Fields: make([]jsonField, len(o.Fields)), Users: usersOf(o.Users),
	}
	for i, field := range o.Fields {
		change.Fields[i] = fieldOf(field)
	}
	if o.Status == "" {
		return change
	}
	took := o.Took.Milliseconds()
	change.Status, change.NewID, change.TookMS = string(o.Status), o.NewID, &took
	change.InDoubt = inDoubt(o)
	if o.Err != nil {
		change.Error = o.Err.Error()
	}
	return change
}

func fieldOf(field diff.Field) jsonField {
	before, after := redacted(field)
	return jsonField{Path: field.Path, Old: before, New: after, Sensitive: field.Sensitive}
}

func usersOf(users []live.User) []jsonUser {
	list := make([]jsonUser, len(users))
	for i, user := range users {
		list[i] = jsonUser{string(user.Kind), user.ID, user.Name, user.Status, user.Project}
	}
	return list
}

// jsonWriter writes a document piece by piece; the first error of its writer
// stays until Flush.
type jsonWriter struct {
	w       *bufio.Writer
	buffer  bytes.Buffer
	encoder *json.Encoder
}

func newJSONWriter(w io.Writer) *jsonWriter {
	out := &jsonWriter{w: bufio.NewWriter(w)}
	out.encoder = json.NewEncoder(&out.buffer)
	out.encoder.SetEscapeHTML(false)
	return out
}

func (out *jsonWriter) raw(text string) { _, _ = out.w.WriteString(text) }

// open writes an object without its closing brace, so that more can follow.
// Heads hold nothing that could fail to encode.
func (out *jsonWriter) open(head any) {
	out.buffer.Reset()
	_ = out.encoder.Encode(head)
	out.raw(visible(strings.TrimSuffix(out.buffer.String(), "}\n")))
}

func (out *jsonWriter) value(value any) error {
	out.buffer.Reset()
	if err := out.encoder.Encode(value); err != nil {
		return err
	}
	out.raw(visible(strings.TrimSuffix(out.buffer.String(), "\n")))
	return nil
}

// visible escapes in JSON text what JSON allows in clear but a terminal may act
// on: DEL, C1 codes and bidirectional overrides. They can only stand inside of
// strings, and mean the same there.
func visible(document string) string {
	if strings.IndexFunc(document, hidden) < 0 {
		return document
	}
	var b strings.Builder
	for _, r := range document {
		switch {
		case !hidden(r):
			b.WriteRune(r)
		case r > 0xFFFF:
			r -= 0x10000
			fmt.Fprintf(&b, `\u%04x\u%04x`, 0xD800+r>>10, 0xDC00+r&0x3FF)
		case r == utf8.RuneError:
			b.WriteString(`\ufffd`)
		default:
			fmt.Fprintf(&b, `\u%04x`, r)
		}
	}
	return b.String()
}
