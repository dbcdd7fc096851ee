package metrics

import (
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
)

const page = "../../../docs/metrics.md"

// table is the documentation of all metrics, one row each.
func table(t *testing.T) string {
	t.Helper()
	m := New("1.2.3", aWorld)
	happen(m)
	families, err := m.registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	var rows strings.Builder
	rows.WriteString("| name | type | labels | meaning |\n|---|---|---|---|\n")
	for _, family := range families {
		if !strings.HasPrefix(family.GetName(), "profilesync_") {
			continue
		}
		var labels []string
		for _, label := range family.GetMetric()[0].GetLabel() {
			labels = append(labels, "`"+label.GetName()+"`")
		}
		fmt.Fprintf(&rows, "| `%s` | %s | %s | %s |\n", family.GetName(),
			strings.ToLower(family.GetType().String()), strings.Join(labels, ", "), family.GetHelp())
	}
	return rows.String()
}

func TestThePageListsWhatIsThere(t *testing.T) {
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	rows := regexp.MustCompile(`(?m)^\| name \|.*\n(\|.*\n)+`)
	if !rows.Match(text) {
		t.Fatalf("%s has no table", page)
	}
	golden(t, page, rows.ReplaceAllLiteralString(string(text), table(t)))
}

// What is absent from the world of these tests would be absent from the table.
func TestTheTableIsWhole(t *testing.T) {
	descriptions := make(chan *prometheus.Desc, 1000)
	events := newEvents()
	newScraped(aWorld, events).Describe(descriptions)
	events.reads.Describe(descriptions)
	events.hooks.Describe(descriptions)
	close(descriptions)
	rows, described := table(t), 1 // the build's, which is no part of either
	for description := range descriptions {
		described++
		name := regexp.MustCompile(`fqName: "([^"]*)"`).FindStringSubmatch(description.String())[1]
		if !strings.Contains(rows, "| `"+name+"` |") {
			t.Errorf("no row for %s", name)
		}
	}
	if listed := strings.Count(rows, "| `profilesync_"); listed != described {
		t.Errorf("%d rows for %d metrics", listed, described)
	}
}
