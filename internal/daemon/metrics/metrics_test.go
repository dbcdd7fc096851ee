package metrics

import (
	"flag"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil/promlint"

	"profilesync/internal/daemon/status"
)

var update = flag.Bool("update", false, "write the golden files anew")

func golden(t *testing.T, file, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s is another now (-update writes it anew):\n%s", file, got)
	}
}

// scrape is what Prometheus is answered.
func scrape(t *testing.T, m *Metrics, accept string) *httptest.ResponseRecorder {
	t.Helper()
	request := httptest.NewRequest(http.MethodGet, "/metrics", nil)
	request.Header.Set("Accept", accept)
	answer := httptest.NewRecorder()
	m.Handler().ServeHTTP(answer, request)
	return answer
}

// ours is the text of a good scrape without what client_golang tells of Go, of
// the process and of itself.
func ours(t *testing.T, m *Metrics) string {
	t.Helper()
	answer := scrape(t, m, "")
	if answer.Code != http.StatusOK {
		t.Fatalf("scrape: %d %s", answer.Code, answer.Body)
	}
	var lines []string
	for line := range strings.Lines(answer.Body.String()) {
		if strings.HasPrefix(strings.TrimPrefix(strings.TrimPrefix(line, "# HELP "), "# TYPE "), "profilesync_") {
			lines = append(lines, line)
		}
	}
	text := strings.Join(lines, "")
	return regexp.MustCompile(`goversion="[^"]*"`).ReplaceAllString(text, `goversion="go"`)
}

func TestPrometheusIsToldEverything(t *testing.T) {
	m := New("1.2.3", aWorld)
	happen(m)
	golden(t, "testdata/metrics.txt", ours(t, m))
}

func TestTheNamesKeepTheConventions(t *testing.T) {
	m := New("1.2.3", aWorld)
	happen(m)
	families, err := m.registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	problems, err := promlint.NewWithMetricFamilies(families).Lint()
	if err != nil {
		t.Fatal(err)
	}
	for _, problem := range problems {
		if strings.HasPrefix(problem.Metric, "profilesync_") {
			t.Errorf("%s: %s", problem.Metric, problem.Text)
		}
	}
}

func TestWhatIsCollectedIsWhatWasDescribed(t *testing.T) {
	registry := prometheus.NewPedanticRegistry()
	events := newEvents()
	registry.MustRegister(newScraped(aWorld, events), events.reads, events.hooks)
	if _, err := registry.Gather(); err != nil {
		t.Error(err)
	}
}

func TestTwoDaemonsInOneProcessShareNothing(t *testing.T) {
	first, second := New("1", aWorld), New("2", aWorld)
	first.GitRead(true, nil)
	if text := ours(t, second); !strings.Contains(text, `profilesync_source_reads_total{result="fetched"} 0`) {
		t.Errorf("the second has counted what the first did:\n%s", text)
	}
}

func TestGoAndTheProcessAreTold(t *testing.T) {
	body := scrape(t, New("1.2.3", aWorld), "").Body.String()
	for _, want := range []string{"\ngo_goroutines ", "\nprocess_resident_memory_bytes ", "\nprocess_open_fds "} {
		if !strings.Contains(body, want) {
			t.Errorf("no %q", want)
		}
	}
}

func TestOpenMetricsEndsWithItsMark(t *testing.T) {
	answer := scrape(t, New("1.2.3", aWorld), "application/openmetrics-text; version=1.0.0")
	if kind := answer.Header().Get("Content-Type"); !strings.HasPrefix(kind, "application/openmetrics-text") {
		t.Errorf("answered %q", kind)
	}
	if !strings.HasSuffix(answer.Body.String(), "# EOF\n") {
		t.Error("no end mark")
	}
}

func TestPassesAreToldAsNativeHistogramsToo(t *testing.T) {
	m := New("1.2.3", aWorld)
	happen(m)
	families, err := m.registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, family := range families {
		if family.GetName() != "profilesync_pass_duration_seconds" {
			continue
		}
		for _, series := range family.GetMetric() {
			h := series.GetHistogram()
			if series.GetLabel()[0].GetValue() == "prod" && (h.GetSchema() != 3 || len(h.GetPositiveSpan()) != 2 || len(h.GetBucket()) == 0) {
				t.Errorf("not both kinds of buckets: %v", h)
			}
		}
		return
	}
	t.Error("no histogram of passes")
}

func TestAScrapeThatCannotTellEverythingFails(t *testing.T) {
	broken := New("1.2.3", func() status.Daemon { panic("no status") })
	if answer := scrape(t, broken, ""); answer.Code != http.StatusInternalServerError {
		t.Errorf("answered %d:\n%s", answer.Code, answer.Body)
	}
}

func TestScrapesDoNotPileUp(t *testing.T) {
	inside, release := make(chan bool), make(chan bool)
	m := New("1.2.3", func() status.Daemon {
		inside <- true
		<-release
		return aWorld()
	})
	handler := m.Handler()
	ask := func() int {
		answer := httptest.NewRecorder()
		handler.ServeHTTP(answer, httptest.NewRequest(http.MethodGet, "/metrics", nil))
		return answer.Code
	}
	codes := make(chan int)
	for range scrapesAtOnce {
		go func() { codes <- ask() }()
		<-inside
	}
	if code := ask(); code != http.StatusServiceUnavailable {
		t.Errorf("one too many was answered %d", code)
	}
	close(release)
	for range scrapesAtOnce {
		if code := <-codes; code != http.StatusOK {
			t.Errorf("one of the first was answered %d", code)
		}
	}
}

func TestTheOldestGenerationIsTheOneSetAsideFirst(t *testing.T) {
	plan := prod().Plan.Plan
	if got, want := oldest(kept(plan)), ago(72*time.Hour); !got.Equal(want) {
		t.Errorf("set aside at %v, want %v", got, want)
	}
	if got := oldest(nil); !got.IsZero() {
		t.Errorf("without any: %v", got)
	}
}
