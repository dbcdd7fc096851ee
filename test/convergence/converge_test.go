package convergence

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"profilesync/internal/apply"
	"profilesync/internal/devcloud"
	"profilesync/internal/devcloud/faults"
	"profilesync/internal/diff"
	"profilesync/internal/reconcile"
	"profilesync/internal/report"
	"profilesync/internal/senlin"
)

func TestEveryHistoryConverges(t *testing.T) {
	all := tally{begun: time.Now()}
	dir := directory(t)
	rapid.Check(t, func(rt *rapid.T) {
		h := rapid.Custom(drawHistory).Draw(rt, "history")
		path := filepath.Join(dir, fmt.Sprintf("%d.db", all.histories))
		var w *world
		synctest.Test(t, func(t *testing.T) { w = play(t, h, path) })
		all.add(w)
		if err := os.Remove(path); err != nil {
			rt.Fatal(err)
		}
		if len(w.broken) > 0 {
			rt.Fatalf("%s\n%s", strings.Join(w.broken, "\n"), strings.Join(w.diary, "\n"))
		}
	})
	t.Log(all.String())
}

// directory is in memory where there is such a place.
func directory(t *testing.T) string {
	dir, err := os.MkdirTemp("/dev/shm", "convergence")
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	return dir
}

// calmPasses is how many undisturbed passes a history may take to converge.
const calmPasses = 4

// play plays one history from beginning to end.
func play(t *testing.T, h history, path string) *world {
	cloud, err := devcloud.Open(devcloud.Options{
		Path: path, BaseURL: devcloud.InProcessURL, Unsynced: true, NameUnique: h.Unique,
		ActionTime: 10_000 * time.Hour, TokenLife: 10_000 * time.Hour,
	})
	if err != nil {
		t.Error(err)
		return &world{}
	}
	defer func() {
		if err := cloud.Close(); err != nil {
			t.Error(err)
		}
	}()
	w := newWorld(h, cloud)
	w.settle(func() {
		if err := cloud.Settle(t.Context()); err != nil {
			t.Error(err)
		}
	})
	for _, p := range h.Passes {
		w.disturbed(t.Context(), p)
	}
	calm := trouble{Want: h.Passes[len(h.Passes)-1].Want}
	for range calmPasses {
		if w.calm(t.Context(), calm) {
			return w // refused by a limit: it waits for a person
		}
	}
	w.rest(t.Context(), calm)
	return w
}

// disturbed is a pass in which things go wrong. What was abandoned in it and
// did not come yet comes at its end.
func (w *world) disturbed(ctx context.Context, p trouble) {
	w.open(p)
	w.diary = append(w.diary, fmt.Sprintf("pass: %v", p.Want))
	layer := faults.New(w, faults.Options{LateBy: p.LateBy, Plan: func(n int, r *http.Request) faults.Fault {
		w.amid(p, n)
		fault := p.fault(n, r)
		w.mu.Lock()
		defer w.mu.Unlock()
		w.diary = append(w.diary, fmt.Sprintf("%3d %s %s: %s", n, r.Method, r.URL.Path, fault))
		w.requests++
		switch {
		case p.Death > 0 && n == p.Death:
			w.deaths++
		case fault != faults.None && (p.Death == 0 || n < p.Death):
			w.befallen++
		}
		if fault.Late() && r.Method != http.MethodGet {
			w.late++
		}
		return fault
	}})
	w.run(ctx, layer, p)
	layer.Release()
	w.end()
}

// calm is a pass in which nothing goes wrong; it tells whether it was refused.
func (w *world) calm(ctx context.Context, p trouble) (refused bool) {
	w.open(p)
	w.diary = append(w.diary, "calm pass")
	_, _, err := w.run(ctx, w, p)
	w.end()
	var limit *diff.LimitError
	if errors.As(err, &limit) && w.Strict {
		if w.pass.writes > 0 {
			w.breaks("%d writes of a plan that was refused", w.pass.writes)
		}
		return true
	}
	if err != nil {
		w.breaks("a calm pass: %v", err)
	}
	return false
}

// rest is the pass after the last: it finds nothing to do and sends nothing.
func (w *world) rest(ctx context.Context, p trouble) {
	w.open(p)
	w.diary = append(w.diary, "pass at rest")
	plan, result, _ := w.run(ctx, w, p)
	w.end()
	w.remains(plan)
	hidden := 0
	for _, outcome := range result.Outcomes {
		if w.users()[outcome.ID()].hidden {
			hidden++
		}
	}
	if w.pass.writes > hidden {
		w.breaks("%d writes in a pass at rest", w.pass.writes)
	}
	w.converged()
}

func (w *world) end() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.judge()
}

// run is one life of the program: it logs in, plans, applies and reports.
func (w *world) run(ctx context.Context, cloud http.Handler, p trouble) (diff.Plan, apply.Result, error) {
	var out bytes.Buffer
	target := report.Target{Name: "cloud"}
	defer func() {
		synctest.Wait() // a request that was given up may still be with the cloud
		w.scan(&out, target)
	}()
	account, _ := w.account()
	client, err := senlin.Connect(ctx, senlin.Options{
		Transport: devcloud.InProcess(cloud), Log: slog.New(slog.NewJSONHandler(&out, &slog.HandlerOptions{Level: slog.LevelDebug})),
		Login: &senlin.Login{
			AuthURL: devcloud.AuthURL(devcloud.InProcessURL), Username: account, Password: account, Project: account,
		},
	})
	if target.Err = err; err != nil {
		return diff.Plan{}, apply.Result{}, err
	}
	defer client.Close()
	pass := reconcile.Pass{
		Cloud: client, Options: diff.Options{Owner: owner, Prune: w.Prune, Adopt: w.Adopt}, Apply: apply.Options{Parallel: w.Parallel},
	}
	if !w.Strict {
		pass.Limits = diff.Limits{Deletes: diff.Limit{Waiver: new(1000)}, Recreates: diff.Limit{Waiver: new(1000)}, AllowEmpty: true}
	}
	planned, err := pass.Plan(ctx, p.set())
	if target.Err = err; err != nil {
		return diff.Plan{}, apply.Result{}, err
	}
	target.Plan = &planned.Plan
	w.between(p)
	result, err := pass.Carry(ctx, planned)
	if target.Err = err; err == nil {
		target.Result = &result
	}
	return planned.Plan, result, err
}

// scan writes all reports of a pass and looks for secrets in them, and in the
// log.
func (w *world) scan(out *bytes.Buffer, target report.Target) {
	targets := []report.Target{target}
	err := errors.Join(
		report.Text(out, targets, report.Style{Verbose: true}), report.JSON(out, targets), report.Markdown(out, targets, 0),
	)
	if target.Plan != nil {
		err = errors.Join(err, report.WritePlan(out, []report.Target{{Plan: target.Plan}}))
	}
	if err != nil {
		w.breaks("a report: %v", err)
	}
	fmt.Fprintf(out, "%v %+v", target.Err, target.Plan)
	if target.Result != nil {
		for _, outcome := range target.Result.Outcomes {
			fmt.Fprintf(out, "%v %+v", outcome.Err, outcome)
		}
	}
	for _, word := range []string{secret, "gAAAAAB"} { // Keystone's tokens begin so
		if at := strings.Index(out.String(), word); at >= 0 {
			w.breaks("a secret is shown: %s", out.String()[max(at-200, 0):at+20])
		}
	}
}
