package report

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"profilesync/internal/live"
	"profilesync/internal/profile"
)

// ShowText writes all there is to know of each profile: what the server holds,
// the document it amounts to with its secrets redacted, and who holds on to it.
// The error is that of w.
func ShowText(w io.Writer, rows []Row, style Style) error {
	p := newPrinter(w, style)
	for i, row := range rows {
		if i > 0 {
			p.print("")
		}
		p.show(row)
	}
	return p.flush()
}

// ShowMarkdown writes what [ShowText] does as a block of code, of at most limit
// bytes (0 means [DefaultMarkdownLimit]). The error is that of w.
func ShowMarkdown(w io.Writer, rows []Row, limit int) error {
	var text strings.Builder
	if err := ShowText(&text, rows, Style{}); err != nil {
		return err
	}
	return writeBlock(w, text.String(), limit, "line")
}

func (p *printer) show(row Row) {
	marks := row.Marks()
	p.print(p.paint(bold, label(row.Name)))
	for _, pair := range [][2]string{
		{"id", Clean(row.ID)},
		{"project", Clean(orDash(row.Project))},
		{"type", Clean(row.Spec.TypeName())},
		{"owner", Clean(orDash(marks.Owner))},
		{"generation", generationOf(marks)},
		{"protected", map[bool]string{true: "yes", false: "no"}[marks.Protected]},
		{"source", Clean(orDash(marks.Source))},
		{"revision", Clean(orDash(marks.Revision))},
		{"created", moment(row.Created)},
		{"updated", moment(row.Updated)},
	} {
		p.print("  " + p.paint(dim, pad(pair[0], len("generation"))) + "  " + pair[1])
	}
	p.tree(1, "metadata", profile.Labels(row.Metadata))
	p.tree(1, "properties", row.Spec.Properties.Redact())
	p.usedBy(row.Users)
}

func (p *printer) usedBy(users []live.User) {
	if len(users) == 0 {
		p.print("  " + p.paint(dim, "used by") + "     -")
		return
	}
	p.print("  " + p.paint(dim, "used by"))
	for _, user := range users {
		p.print("    " + userText(user) + "  " + p.paint(dim, Clean(user.ID)))
	}
}

// tree writes a value below its key, maps by key.
func (p *printer) tree(depth int, key string, value any) {
	space := strings.Repeat("  ", depth)
	head := space + p.paint(dim, key)
	switch value := value.(type) {
	case map[string]any:
		if len(value) == 0 {
			break
		}
		p.print(head)
		for _, name := range slices.Sorted(maps.Keys(value)) {
			p.tree(depth+1, label(name), value[name])
		}
		return
	case []any:
		if len(value) == 0 {
			break
		}
		p.print(head)
		for i, item := range value {
			p.tree(depth+1, fmt.Sprintf("%d", i), item)
		}
		return
	case string:
		if value == profile.Redacted {
			p.print(head + "  " + value)
			return
		}
		if strings.Contains(value, "\n") {
			p.print(head)
			for l := range strings.SplitSeq(strings.TrimSuffix(value, "\n"), "\n") {
				p.print(space + "  | " + cleanLine(l))
			}
			return
		}
	}
	p.print(head + "  " + valueText(value, 0, 0))
}

func moment(at time.Time) string {
	if at.IsZero() {
		return "-"
	}
	return at.UTC().Format(time.DateTime) + " UTC"
}
