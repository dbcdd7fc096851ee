package deploy

import (
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"
)

func TestPromtoolTakesTheRules(t *testing.T) {
	rules := root(t, "deploy", "prometheus", "rules.yaml")
	t.Log(strings.TrimSpace(output(t, tool(t, "promtool", "check", "rules", "--lint=all", "--lint-fatal", rules))))
}

func TestAlertsFireWhenTheyShould(t *testing.T) {
	cases := root(t, "deploy", "prometheus", "rules_test.yaml")
	said := output(t, tool(t, "promtool", "test", "rules", cases))
	t.Logf("%d cases\n%s", strings.Count(read(t, "deploy", "prometheus", "rules_test.yaml"), "eval_time:"), strings.TrimSpace(said))
}

func TestPromtoolTakesTheMetrics(t *testing.T) {
	check := tool(t, "promtool", "check", "metrics")
	check.Stdin = strings.NewReader(read(t, "internal", "daemon", "metrics", "testdata", "metrics.txt"))
	if said := output(t, check); said != "" {
		t.Error(said)
	}
}

// The queries of the dashboard are put into a file of rules, which promtool
// parses; what Grafana fills in gets a value first.
func TestPromtoolTakesTheQueriesOfTheDashboard(t *testing.T) {
	var board struct {
		Panels []struct {
			Title   string
			Targets []struct{ Expr string }
		}
		Annotations struct {
			List []struct{ Expr string }
		}
	}
	if err := json.Unmarshal([]byte(read(t, "deploy", "grafana", "profilesync.json")), &board); err != nil {
		t.Fatal(err)
	}
	var queries []string
	for _, panel := range board.Panels {
		for _, target := range panel.Targets {
			queries = append(queries, target.Expr)
		}
	}
	for _, note := range board.Annotations.List {
		queries = append(queries, note.Expr)
	}
	filled := strings.NewReplacer("$__rate_interval", "5m", "$job", ".*", "$target", ".*")
	var rules []map[string]string
	for i, query := range queries {
		query = filled.Replace(query)
		if query == "" || strings.Contains(query, "$") {
			t.Errorf("query %d is not filled in: %q", i, query)
		}
		rules = append(rules, map[string]string{"record": "dashboard:query", "expr": query})
	}
	text, err := yaml.Marshal(map[string]any{"groups": []any{map[string]any{"name": "dashboard", "rules": rules}}})
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "rules.yaml")
	write(t, file, string(text), 0o644)
	output(t, tool(t, "promtool", "check", "rules", "--lint=none", file))
	t.Logf("%d queries", len(queries))
	if len(queries) < 20 {
		t.Error("where are the others?")
	}
}
