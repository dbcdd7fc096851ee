package report

import (
	"bufio"
	"io"
	"strings"

	"profilesync/internal/apply"
	"profilesync/internal/diff"
)

const (
	defaultWidth = 100
	minWidth     = 40
	nameColumn   = 28 // longer names push their line to the right
	detailIndent = 6
)

// Text writes targets for people: for each a head, a line per change with what
// differs below it, and the summary as the last line. Plans and results may be
// mixed. A target that never had a plan is left out: its error belongs on
// standard error. The error is that of w.
func Text(w io.Writer, targets []Target, style Style) error {
	out := newPrinter(w, style)
	var total tally
	shown, gap := 0, false
	for _, target := range targets {
		if target.plan() == nil {
			continue
		}
		t := count(target)
		loud := !t.quiet() || style.Verbose || t.kept > 0 || target.Err != nil
		if shown > 0 && (gap || loud) {
			out.print("")
		}
		out.target(target, t, loud, len(targets) > 1)
		total, shown, gap = total.plus(t), shown+1, loud
	}
	if shown > 1 {
		out.print("")
		out.print(out.paint(bold, plural(shown, "target")+":") + " " + total.String())
	}
	return out.flush()
}

// printer writes lines of text; the first error of its writer stays.
type printer struct {
	w      *bufio.Writer
	style  Style
	width  int
	hinted map[string]bool // each hint is given once for a target
}

func newPrinter(w io.Writer, style Style) *printer {
	width := style.Width
	if width <= 0 {
		width = defaultWidth
	}
	return &printer{w: bufio.NewWriter(w), style: style, width: max(width, minWidth)}
}

func (p *printer) paint(ink ink, text string) string { return palette(p.style.Color).paint(ink, text) }

func (p *printer) print(text string) {
	_, _ = p.w.WriteString(text) // flush returns the writer's error
	_ = p.w.WriteByte('\n')
}

func (p *printer) flush() error { return p.w.Flush() }

// target writes one target; one that is not loud takes a single line.
func (p *printer) target(target Target, t tally, loud, several bool) {
	p.hinted = map[string]bool{}
	if loud {
		p.print(p.head(target))
		if line := target.Commit.line(); line != "" {
			p.print(strings.Repeat(" ", min(columns(label(target.name())), nameColumn)) + "  " + p.paint(dim, line))
		}
		p.print("")
		p.changes(target)
	}
	switch well := allWell(t, shortRevision(target.plan().Revision)); {
	case !t.quiet() || target.Err != nil:
		p.print(p.paint(bold, t.word()) + " " + t.String())
	case !loud && several:
		p.print(p.paint(bold, label(target.name())) + "  " + well)
	default:
		p.print(p.paint(green, well))
	}
}

// head names the target and what it is compared with.
func (p *printer) head(target Target) string {
	return p.paint(bold, label(target.name())) + "  " + p.paint(dim, strings.Join(where(target), " · "))
}

// where are the parts of a target's head behind its name.
func where(target Target) []string {
	plan := target.plan()
	var parts []string
	add := func(word, value string) {
		if value != "" {
			parts = append(parts, strings.TrimSpace(word+" "+Clean(short(value, 64))))
		}
	}
	switch cloud := short(plan.Cloud, 32); {
	case plan.Cloud == "" || plan.Cloud == target.name():
		add("region", plan.Region)
	case plan.Region != "":
		add("cloud", cloud+" ("+short(plan.Region, 28)+")")
	default:
		add("cloud", cloud)
	}
	add("project", plan.Project)
	add("revision", shortRevision(plan.Revision))
	return parts
}

func (p *printer) changes(target Target) {
	width, any := 0, false
	for o := range target.outcomes() {
		if p.shows(o) {
			width, any = max(width, min(columns(label(o.Name)), nameColumn)), true
		}
	}
	for o := range target.outcomes() {
		if p.shows(o) {
			p.change(o, width)
		}
	}
	if any {
		p.print("")
	}
}

func (p *printer) shows(o apply.Outcome) bool { return p.style.Verbose || !inSync(o.Change) }

func (p *printer) change(o apply.Outcome, width int) {
	glyph, ink := glyphOf(o)
	name := pad(label(o.Name), width)
	text := headline(o)
	if o.Action == diff.NoOp && o.Block == "" {
		p.print("  " + p.paint(dim, glyph+" "+name+"  "+text))
		return
	}
	p.print("  " + p.paint(ink, glyph) + " " + p.paint(bold, name) + "  " + text)
	room := layout{width: p.width - detailIndent - len("~ "), verbose: p.style.Verbose}
	for _, l := range details(o, room) {
		p.detail(l)
	}
}

// glyphOf is the sign of a change and its colour. What is held up or went wrong
// has a sign of its own.
func glyphOf(o apply.Outcome) (string, ink) {
	switch {
	case o.Status == apply.Failed:
		return "✗", red
	case o.Block == diff.PruneOff: // stays because nobody asked for more
		return "!", yellow
	case o.Status == apply.Skipped, o.Block != "":
		return "!", red
	}
	return string(o.Action), inkOf(o.Action)
}

func (p *printer) detail(l line) {
	space := strings.Repeat(" ", detailIndent+2*l.depth)
	switch l.mark {
	case note:
		p.print(space + l.text)
	case failure:
		word, text, _ := strings.Cut(l.text, ":")
		p.print(space + p.paint(red, word+":") + text)
	case advice:
		if !p.hinted[l.text] {
			p.hinted[l.text] = true
			p.print(space + p.paint(dim, "→ "+l.text))
		}
	case place:
		p.print(space + p.paint(dim, l.text))
	case context:
		p.print(strings.TrimRight(space+p.paint(dim, "  "+l.text), " "))
	default:
		sign := string(rune(l.mark))
		if l.depth > 0 { // part of a value
			p.print(space + p.paint(l.mark.ink(), sign+" "+l.text))
			return
		}
		p.print(space + p.paint(l.mark.ink(), sign) + " " + l.text)
	}
}
