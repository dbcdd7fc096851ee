package notify

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"profilesync/internal/daemon/status"
	"profilesync/internal/report"
)

// The bounds of a message: what the narrowest of the services takes.
const (
	maxMessage = 1800
	maxQuote   = 400
	maxListed  = 10
)

// topic is events that are told in one paragraph: of one kind and, for
// failures, for one reason.
type topic struct {
	kind   Kind
	reason string
	events []event // of one target each, the last one
}

// message is one text for many events: a title for those who have one, and the
// whole.
func message(events []event, link string) (title, text string) {
	topics := sorted(events)
	var heads, parts []string
	for _, t := range topics {
		heads = append(heads, t.head())
		parts = append(parts, strings.Join(append([]string{t.head()}, t.body()...), "\n"))
	}
	title = "profilesync: " + heads[0]
	if len(heads) > 1 {
		title += fmt.Sprintf(", and %d more", len(heads)-1)
	}
	text = bound(strings.Join(parts, "\n\n"), maxMessage)
	if link != "" {
		text += "\n\n" + link
	}
	return bound(title, 160), text
}

// sorted makes topics of events, the worst news first. Of several of one kind
// of one target the last one counts.
func sorted(events []event) []topic {
	var topics []topic
	last := map[string]int{}
	for i, e := range events {
		last[string(e.kind)+"\x00"+e.pass.Target] = i
	}
	for i, e := range events {
		if e.kind != Applied && last[string(e.kind)+"\x00"+e.pass.Target] != i {
			continue
		}
		reason := ""
		if e.kind == Failed {
			reason = e.pass.Error
		}
		at := slices.IndexFunc(topics, func(t topic) bool { return t.kind == e.kind && t.reason == reason })
		if at < 0 {
			at, topics = len(topics), append(topics, topic{kind: e.kind, reason: reason})
		}
		topics[at].events = append(topics[at].events, e)
	}
	order := []Kind{Failed, Blocked, Recovered, Applied}
	slices.SortStableFunc(topics, func(a, b topic) int {
		return cmp.Compare(slices.Index(order, a.kind), slices.Index(order, b.kind))
	})
	return topics
}

// head says what happened to whom, in one line.
func (t topic) head() string {
	names := t.targets()
	who := strings.Join(names[:min(len(names), maxListed)], ", ")
	if more := len(names) - maxListed; more > 0 {
		who += fmt.Sprintf(" and %d more", more)
	}
	if len(names) > 1 {
		who = fmt.Sprintf("%d targets: %s", len(names), who)
	}
	switch t.kind {
	case Failed:
		return "failed: " + who
	case Blocked:
		return "blocked: " + who
	case Recovered:
		return "recovered: " + who
	}
	return "applied: " + who
}

func (t topic) targets() []string {
	var names []string
	for _, e := range t.events {
		if name := report.Clean(e.pass.Target); !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}

// body is what there is to know beyond the head.
func (t topic) body() []string {
	var lines []string
	if t.kind == Failed {
		return t.failure()
	}
	for i, e := range t.events {
		if i == maxListed {
			return append(lines, fmt.Sprintf("  and %d more", len(t.events)-i))
		}
		name := ""
		if len(t.targets()) > 1 {
			name = report.Clean(e.pass.Target) + ": "
		}
		switch t.kind {
		case Recovered:
			lasted := e.ended().Sub(e.since).Round(time.Second)
			lines = append(lines, fmt.Sprintf("  %s%s after %s", name, many(e.failures, "failed pass", "failed passes"), lasted))
		case Applied:
			lines = append(lines, "  "+name+counts(e.pass.Counts)+at(e.pass.Revision))
			lines = append(lines, list(carriedOut(e.pass), e.pass.Counts.Changed())...)
		case Blocked:
			lines = append(lines, "  "+name+many(e.pass.Counts.Blocked, "change", "changes"))
			lines = append(lines, list(blocked(e.pass), e.pass.Counts.Blocked)...)
		}
	}
	return lines
}

// failure is the reason, once, and what it was tried with.
func (t topic) failure() []string {
	first := t.events[0]
	lines := []string{"  " + quote(cmp.Or(t.reason, "no reason is known"))}
	if first.pass.Hint != "" {
		lines = append(lines, "  "+quote(first.pass.Hint))
	}
	if len(t.targets()) == 1 && first.failures > 1 {
		lines = append(lines, fmt.Sprintf("  %d passes in a row, since %s", first.failures, first.since.UTC().Format("2006-01-02 15:04 UTC")))
	}
	if at := at(first.pass.Revision); at != "" {
		lines = append(lines, " "+at)
	}
	return lines
}

func at(r status.Revision) string {
	if r.ID == "" {
		return ""
	}
	text := " at " + report.Clean(r.ID[:min(len(r.ID), 12)])
	if r.Subject != "" {
		text += " " + bound(quote(r.Subject), 80)
	}
	return text
}

func counts(c status.Counts) string {
	var words []string
	for _, n := range []struct {
		count int
		word  string
	}{
		{c.Created, "created"}, {c.Updated, "updated"}, {c.Recreated, "recreated"}, {c.Deleted, "deleted"}, {c.Failed, "failed"},
	} {
		if n.count > 0 {
			words = append(words, fmt.Sprintf("%d %s", n.count, n.word))
		}
	}
	return strings.Join(words, ", ")
}

// list names some of count changes.
func list(changes []status.Change, count int) []string {
	var lines []string
	for _, c := range changes[:min(len(changes), maxListed)] {
		line := "    " + report.Clean(c.Action) + " " + report.Clean(c.Name)
		if why := cmp.Or(c.Block, c.Reason); why != "" {
			line += ": " + quote(why)
		}
		lines = append(lines, line)
	}
	if more := count - len(lines); more > 0 {
		lines = append(lines, fmt.Sprintf("    and %d more", more))
	}
	return lines
}

func many(n int, one, more string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, more)
}

// quote makes what others wrote fit for one line.
func quote(text string) string {
	return report.Clean(bound(strings.Join(strings.Fields(text), " "), maxQuote))
}

func bound(text string, most int) string {
	const sign = "…"
	if len(text) <= most {
		return text
	}
	end := most - len(sign)
	for end > 0 && !utf8.RuneStart(text[end]) {
		end--
	}
	return text[:end] + sign
}

// calm keeps what others wrote from calling everybody of a channel, and from
// passing for a link of ours, or for markup of a mail.
func calm(text string) string {
	return strings.NewReplacer("<", "‹", ">", "›", "@", "@\u2060", "](", "] (", "\u0060", "'").Replace(text)
}
