package daemon

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"profilesync/internal/daemon/status"
)

func TestAPassWithNothingToDoIsOneLookAndOneList(t *testing.T) {
	play(t, func(w *world) {
		w.start()
		w.after(time.Second)
		w.want("passes", w.outcomes(), []string{"start: applied"})
		w.asked()
		read := w.repo.readings()
		w.after(5 * time.Minute)
		w.want("passes", w.outcomes(), []string{"start: applied", "schedule: in sync"})
		// A list is two requests: the second one tells a whole list from a capped one.
		w.want("requests", w.asked(), []string{"GET profiles", "GET profiles"})
		if more := w.repo.readings() - read; more != 1 {
			t.Errorf("the source was read %d times", more)
		}
	})
}

func TestPushesThatComeTogetherMakeOnePassMore(t *testing.T) {
	play(t, func(w *world) {
		w.start()
		w.after(time.Second)
		w.lag = 10 * time.Second
		w.repo.commit("r2", "web:m1.large")
		for range 500 {
			w.daemon.Push("github")
		}
		w.after(2 * time.Second)
		if w.first().Running == nil {
			t.Fatal("no pass is under way")
		}
		for range 500 {
			w.daemon.Push("github")
		}
		w.after(3 * time.Minute)
		w.want("passes", w.outcomes(), []string{"start: applied", "push: applied", "push: in sync"})
	})
}

func TestAFailingTargetIsNotHammered(t *testing.T) {
	play(t, func(w *world) {
		w.sever(errDown)
		w.start()
		w.after(2 * time.Hour)
		var gaps []time.Duration
		passes := w.journal.all()
		for i := 1; i < len(passes); i++ {
			gaps = append(gaps, passes[i].Began.Sub(passes[i-1].Began).Round(time.Second))
			if passes[i].Outcome != status.Failed || passes[i].Trigger != status.Retry {
				t.Errorf("pass %d: %s, %s", i, passes[i].Trigger, passes[i].Outcome)
			}
		}
		if len(gaps) < 8 || len(gaps) > 16 {
			t.Errorf("%d retries in two hours: %v", len(gaps), gaps)
		}
		for i := 1; i < 5; i++ {
			if gaps[i] < gaps[i-1] {
				t.Errorf("retry %d comes sooner than the one before: %v", i, gaps)
			}
		}
		if ready := w.daemon.Status().Ready(); ready {
			t.Error("it says to be ready")
		}
		w.sever(nil)
		w.after(20 * time.Minute)
		if last := w.first(); last.Failures != 0 || last.Last.Outcome == status.Failed || !w.daemon.Status().Ready() {
			t.Errorf("it has not healed: %+v", last)
		}
	})
}

func TestWhatEndsTheWaitingOfAFailedPass(t *testing.T) {
	for name, row := range map[string]struct {
		event func(w *world)
		wait  time.Duration
		want  string
	}{
		"a push":                  {func(w *world) { w.daemon.Push("gitlab") }, time.Second, "push: applied"},
		"somebody asks":           {func(w *world) { _ = w.daemon.Ask("prod", status.Manual, "op") }, time.Second, "manual: applied"},
		"a new revision":          {func(w *world) { w.repo.commit("r2", "web:m1.small") }, 5 * time.Minute, "schedule: applied"},
		"nothing, while it lasts": {func(w *world) {}, 5 * time.Minute, ""},
	} {
		t.Run(name, func(t *testing.T) {
			play(t, func(w *world) {
				w.sever(errDown)
				w.start()
				w.after(61 * time.Minute) // the next retry is many minutes off
				w.sever(nil)
				for time.Until(w.first().Retry) < 6*time.Minute {
					w.sever(errDown)
					w.after(time.Minute)
					w.sever(nil)
				}
				before := len(w.outcomes())
				row.event(w)
				w.after(row.wait)
				got := ""
				if passes := w.outcomes(); len(passes) > before {
					got = passes[before]
				}
				if got != row.want {
					t.Errorf("got %q, want %q", got, row.want)
				}
			})
		})
	}
}

func TestABadDocumentFailsEveryPassUntilItIsMended(t *testing.T) {
	play(t, func(w *world) {
		w.repo.files["bad.yaml"] = w.repo.files["web.yaml"]
		w.start()
		w.after(time.Second)
		if last := w.first().Last; last == nil || last.Outcome != status.Failed || !strings.Contains(last.Error, "web") {
			t.Fatalf("got %+v", last)
		}
		w.want("requests", w.asked(), nil)
		w.repo.commit("r2", "web:m1.small")
		w.after(time.Minute)
		w.want("passes", w.outcomes(), []string{"start: failed", "retry: applied"})
	})
}

func TestTheSourceIsDown(t *testing.T) {
	play(t, func(w *world) {
		w.start()
		w.after(time.Second)
		w.repo.fail(errors.New("git server is down"))
		w.after(16 * time.Minute)
		told := w.first()
		if ready, why := told.Ready(time.Now()); ready || !strings.Contains(why, "git server is down") {
			t.Errorf("ready %t: %s", ready, why)
		}
		if told.Plan == nil {
			t.Error("the last plan is forgotten")
		}
		w.repo.fail(nil)
		w.after(5 * time.Minute)
		if ready, why := w.first().Ready(time.Now()); !ready {
			t.Errorf("it has not healed: %s", why)
		}
	})
}

func TestAStopFinishesTheChangeInHand(t *testing.T) {
	play(t, func(w *world) {
		w.repo.commit("r1", "a:s", "b:s", "c:s", "d:s")
		w.config.Targets[0].Pass.Apply.Parallel = 1
		w.start()
		w.stop()
		w.lag = time.Second
		w.asked()
		w.repo.commit("r2", "a:m", "b:m", "c:m", "d:m")
		w.start()
		for range 60 { // reads first
			w.after(time.Second)
			if slices.ContainsFunc(w.asked(), func(r string) bool { return strings.HasPrefix(r, "PATCH") }) {
				break
			}
		}
		w.stop()
		w.stop = nil
		synctest.Wait()
		passes := w.journal.all()
		last := passes[len(passes)-1]
		if c := last.Counts; c.Recreated == 0 || c.Recreated == 4 || c.Failed > 0 {
			t.Errorf("got %+v", last)
		}
		if last.Outcome != status.Drift || last.Counts.Pending == 0 || last.Error != "" {
			t.Errorf("a stop is no failure: %+v", last)
		}
	})
}

func TestAPassThatIsStoppedBeforeItHasAPlanIsForgotten(t *testing.T) {
	play(t, func(w *world) {
		w.lag = time.Minute
		w.start()
		w.after(time.Second)
		if w.first().Running == nil {
			t.Fatal("no pass is under way")
		}
		w.stop()
		w.want("passes", w.outcomes(), nil)
	})
}
