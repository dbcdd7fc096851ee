package metrics

import (
	"encoding/json"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"
)

const (
	rulesFile  = "../../../deploy/prometheus/rules.yaml"
	casesFile  = "../../../deploy/prometheus/rules_test.yaml"
	boardFile  = "../../../deploy/grafana/profilesync.json"
	runbook    = "../../../docs/runbook.md"
	runbookURL = "docs/runbook.md#"
)

type rule struct {
	Alert       string            `json:"alert"`
	Expr        string            `json:"expr"`
	Labels      map[string]string `json:"labels"`
	Annotations map[string]string `json:"annotations"`
}

func text(t *testing.T, file string) string {
	t.Helper()
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

func rules(t *testing.T) []rule {
	t.Helper()
	var file struct {
		Groups []struct{ Rules []rule }
	}
	if err := yaml.Unmarshal([]byte(text(t, rulesFile)), &file); err != nil {
		t.Fatal(err)
	}
	var rules []rule
	for _, group := range file.Groups {
		rules = append(rules, group.Rules...)
	}
	return rules
}

// unknown finds the metrics and the labels in a query that are not on the page.
// A Prometheus would take such a query, and never answer it.
func unknown(page, query string) []string {
	var unknown []string
	for _, used := range regexp.MustCompile(`\b(profilesync_[a-z_]+)(\{[^}]*\})?`).FindAllStringSubmatch(query, -1) {
		name := used[1]
		for _, part := range []string{"_bucket", "_sum", "_count"} {
			name = strings.TrimSuffix(name, part)
		}
		row := regexp.MustCompile("(?m)^\\| `" + name + "` \\|.*$").FindString(page)
		if row == "" {
			unknown = append(unknown, name)
			continue
		}
		for _, label := range regexp.MustCompile(`(\w+)(=|!=|=~|!~)"`).FindAllStringSubmatch(used[2], -1) {
			if !strings.Contains(row, "`"+label[1]+"`") && label[1] != "job" {
				unknown = append(unknown, name+" by "+label[1])
			}
		}
	}
	return unknown
}

func TestAnUnknownMetricOrLabelIsFound(t *testing.T) {
	for query, want := range map[string]string{
		`sum(profilesync_hooks_total{job="a", sender="gitea"})`:  "",
		`profilesync_pass_duration_seconds_bucket{target=~"$t"}`: "",
		`profilesync_hook_total > 0`:                             "profilesync_hook_total",
		`profilesync_hooks_total{target="a"}`:                    "profilesync_hooks_total by target",
	} {
		if got := strings.Join(unknown(text(t, page), query), ", "); got != want {
			t.Errorf("%s: unknown is %q, want %q", query, got, want)
		}
	}
}

func TestAlertsAskForWhatThereIs(t *testing.T) {
	for _, rule := range rules(t) {
		for _, what := range unknown(text(t, page), rule.Expr) {
			t.Errorf("%s asks for %s", rule.Alert, what)
		}
		if !slices.Contains([]string{"critical", "warning", "info"}, rule.Labels["severity"]) {
			t.Errorf("%s has the severity %q", rule.Alert, rule.Labels["severity"])
		}
	}
}

func TestEveryAlertHasAChapterInTheRunbook(t *testing.T) {
	book := text(t, runbook)
	var chapters []string
	for _, chapter := range regexp.MustCompile(`(?m)^## (Profilesync\w+)\n\n\*\*Means\*\*[^#]*\*\*Look\*\*[^#]*\*\*Do\*\*`).FindAllStringSubmatch(book, -1) {
		chapters = append(chapters, chapter[1])
	}
	if all := strings.Count(book, "\n## "); all != len(chapters) {
		t.Errorf("%d of %d chapters say what it means, where to look and what to do", len(chapters), all)
	}
	var alerts []string
	for _, rule := range rules(t) {
		alerts = append(alerts, rule.Alert)
		if rule.Annotations["runbook"] != runbookURL+strings.ToLower(rule.Alert) {
			t.Errorf("%s points to %q", rule.Alert, rule.Annotations["runbook"])
		}
		if rule.Annotations["summary"] == "" || rule.Annotations["description"] == "" {
			t.Errorf("%s does not say what it is", rule.Alert)
		}
	}
	if !slices.Equal(alerts, chapters) {
		t.Errorf("the alerts are %q\nthe chapters are %q", alerts, chapters)
	}
}

func TestEveryAlertIsTriedBothWays(t *testing.T) {
	var file struct {
		Tests []struct {
			Cases []struct {
				Alert  string `json:"alertname"`
				Alerts []any  `json:"exp_alerts"`
			} `json:"alert_rule_test"`
		}
	}
	if err := yaml.Unmarshal([]byte(text(t, casesFile)), &file); err != nil {
		t.Fatal(err)
	}
	fires, silent := map[string]int{}, map[string]int{}
	for _, test := range file.Tests {
		for _, c := range test.Cases {
			if len(c.Alerts) > 0 {
				fires[c.Alert]++
			} else {
				silent[c.Alert]++
			}
		}
	}
	for _, rule := range rules(t) {
		if fires[rule.Alert] < 1 || silent[rule.Alert] < 2 {
			t.Errorf("%s fires in %d cases and is silent in %d", rule.Alert, fires[rule.Alert], silent[rule.Alert])
		}
	}
}

func TestTheDashboardShowsWhatThereIs(t *testing.T) {
	var board any
	if err := json.Unmarshal([]byte(text(t, boardFile)), &board); err != nil {
		t.Fatal(err)
	}
	queries := 0
	var walk func(any)
	walk = func(node any) {
		switch node := node.(type) {
		case []any:
			for _, inner := range node {
				walk(inner)
			}
		case map[string]any:
			for key, inner := range node {
				if query, is := inner.(string); is && slices.Contains([]string{"expr", "query", "definition"}, key) {
					queries++
					for _, what := range unknown(text(t, page), query) {
						t.Errorf("%q asks for %s", node["title"], what)
					}
				}
				walk(inner)
			}
		}
	}
	walk(board)
	if queries < 20 {
		t.Errorf("the test has found %d queries only", queries)
	}
}
