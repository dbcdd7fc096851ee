package report

import (
	"fmt"
	"io"
	"time"
)

// Source is what was read of the documents' source.
type Source struct {
	From, Ref, Path string // where, as it was asked for; From without credentials
	Revision        string
	Commit          *Commit // nil for a directory
	Files, Profiles int
	Bytes           int64 // of all documents
	Received        int64 // from a server
	Cached          bool  // a server had nothing that was not kept from an earlier run
	Took            time.Duration
}

// SourceText writes a line for each thing there is to know. The error is that of w.
func SourceText(w io.Writer, s Source, style Style) error {
	p := newPrinter(w, style)
	for _, row := range s.rows() {
		if row[1] != "" {
			p.print(p.paint(dim, pad(row[0], len("documents"))) + "  " + Clean(row[1]))
		}
	}
	return p.flush()
}

// SourceMarkdown writes the same as a list. The error is that of w.
func SourceMarkdown(w io.Writer, s Source) error {
	text := ""
	for _, row := range s.rows() {
		if row[1] != "" {
			text += "- " + row[0] + " " + span(row[1]) + "\n"
		}
	}
	_, err := io.WriteString(w, text)
	return err
}

func (s Source) rows() [][2]string {
	signature := ""
	if s.Commit != nil {
		if signature = s.Commit.Signer; signature == "" {
			signature = "not asked for"
		}
	}
	return [][2]string{
		{"source", s.From},
		{"ref", s.Ref},
		{"path", s.Path},
		{"revision", s.Revision},
		{"commit", s.Commit.unsigned().line()},
		{"signature", signature},
		{"documents", plural(s.Profiles, "profile") + " in " + plural(s.Files, "file") + ", " + byteCount(s.Bytes)},
		{"read", s.read()},
	}
}

// read says what reading cost.
func (s Source) read() string {
	took := fmt.Sprintf("%.2f s", s.Took.Seconds())
	switch {
	case s.Cached:
		return took + ", nothing new on the server"
	case s.Received > 0:
		return took + ", " + byteCount(s.Received) + " from the server"
	}
	return took
}

// unsigned is the commit without its signer, who has a line of his own.
func (c *Commit) unsigned() *Commit {
	if c == nil {
		return nil
	}
	return &Commit{Subject: c.Subject, Author: c.Author, When: c.When}
}

// byteCount is a number of bytes for people.
func byteCount(n int64) string {
	if n < 1<<10 {
		return fmt.Sprintf("%d B", n)
	}
	value, unit := float64(n)/(1<<10), "KiB"
	for _, next := range []string{"MiB", "GiB"} {
		if value >= 1<<10 {
			value, unit = value/(1<<10), next
		}
	}
	return fmt.Sprintf("%.1f %s", value, unit)
}

type jsonSource struct {
	Source   string      `json:"source"`
	Ref      string      `json:"ref"`
	Path     string      `json:"path"`
	Revision string      `json:"revision"`
	Commit   *jsonCommit `json:"commit,omitempty"`
	Profiles int         `json:"profiles"`
	Files    int         `json:"files"`
	Bytes    int64       `json:"bytes"`
	Received int64       `json:"received_bytes"`
	Cached   bool        `json:"cached"`
	TookMS   int64       `json:"took_ms"`
}

// SourceJSON writes one document; docs/json.md has its keys. The error is that of w.
func SourceJSON(w io.Writer, s Source) error {
	out := newJSONWriter(w)
	out.raw(fmt.Sprintf("{\"format_version\":%d,\"source\":", formatVersion))
	err := out.value(jsonSource{
		Source: s.From, Ref: s.Ref, Path: s.Path, Revision: s.Revision, Commit: commitOf(s.Commit), Profiles: s.Profiles,
		Files: s.Files, Bytes: s.Bytes, Received: s.Received, Cached: s.Cached, TookMS: s.Took.Milliseconds(),
	})
	if err != nil {
		return fmt.Errorf("source: %w", err)
	}
	out.raw("}\n")
	return out.w.Flush()
}
