package daemon

import (
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"profilesync/internal/daemon/history"
	"profilesync/internal/daemon/schedule"
	"profilesync/internal/daemon/status"
)

func TestReportOnlyLooks(t *testing.T) {
	play(t, func(w *world) {
		w.config.Targets[0].Mode = status.Report
		w.start()
		w.after(6 * time.Minute)
		w.want("passes", w.outcomes(), []string{"start: drift", "schedule: drift"})
		w.wantNoWrites()
		told := w.first()
		if told.Plan == nil || !told.Plan.Open || len(told.Plan.Plan.Changes) != 1 {
			t.Errorf("the plan is not shown: %+v", told.Plan)
		}
		if ready, why := told.Ready(time.Now()); !ready {
			t.Errorf("drift is not a failure: %s", why)
		}
		if err := w.daemon.Ask("prod", status.Override, "op"); !errors.Is(err, ErrNoApply) {
			t.Errorf("an override: %v", err)
		}
	})
}

func TestASuspendedTargetIsNotLookedAt(t *testing.T) {
	play(t, func(w *world) {
		w.config.Targets[0].Mode = status.Suspended
		w.start()
		w.daemon.Push("github")
		w.after(time.Hour)
		w.want("passes", w.outcomes(), nil)
		if w.repo.readings() != 0 || !w.daemon.Status().Ready() {
			t.Error("it was looked at, or is not ready")
		}
		if err := w.daemon.Ask("prod", status.Manual, "op"); !errors.Is(err, ErrSuspended) {
			t.Errorf("a request: %v", err)
		}
	})
}

// atNight is open from 22:00 for two hours; the bubble begins at midnight.
func atNight(t *testing.T) schedule.Windows {
	t.Helper()
	window, err := schedule.ParseWindow("0 22 * * *", 2*time.Hour, "UTC")
	if err != nil {
		t.Fatal(err)
	}
	return schedule.Windows{window}
}

func TestOutsideItsWindowsATargetIsReportedOn(t *testing.T) {
	play(t, func(w *world) {
		w.config.Targets[0].Windows = atNight(t)
		w.config.Targets[0].Schedule = every(t, "0 */12 * * *") // never within the window
		w.start()
		w.after(21 * time.Hour)
		w.want("passes", w.outcomes(), []string{"start: drift", "schedule: drift"})
		w.wantNoWrites()
		if told := w.first().Window; told.Open || !told.Has || told.Change.Hour() != 22 {
			t.Errorf("got %+v", told)
		}
		w.after(2 * time.Hour)
		w.want("passes", w.outcomes(), []string{"start: drift", "schedule: drift", "schedule: applied"})
		if begun := w.journal.all()[2].Began.UTC(); begun.Hour() != 22 || begun.Minute() != 0 {
			t.Errorf("what waited for the window was carried out at %s", begun)
		}
	})
}

func TestAnOverrideWritesOutsideTheWindowsAndIsRemembered(t *testing.T) {
	play(t, func(w *world) {
		w.config.Targets[0].Windows = atNight(t)
		w.start()
		w.after(time.Minute)
		if err := w.daemon.Ask("prod", status.Override, "op: ticket 4711"); err != nil {
			t.Fatal(err)
		}
		w.after(time.Second)
		w.want("passes", w.outcomes(), []string{"start: drift", "override: applied"})
		if by := w.journal.all()[1].By; by != "op: ticket 4711" {
			t.Errorf("by %q", by)
		}
	})
}

func TestNoChangeIsBegunOnceTheWindowHasClosed(t *testing.T) {
	play(t, func(w *world) {
		w.config.Targets[0].Windows = atNight(t)
		w.config.Targets[0].Schedule = every(t, "0 */12 * * *")
		w.config.Targets[0].Pass.Apply.Parallel = 1
		w.start()
		w.after(24*time.Hour - 10*time.Second)
		w.repo.commit("r2", "web:m1.small", "a:s", "b:s", "c:s", "d:s", "e:s", "f:s", "g:s", "h:s", "i:s")
		w.mutex.Lock()
		w.lag = time.Second
		w.mutex.Unlock()
		w.daemon.Push("github")
		w.after(time.Minute)
		passes := w.journal.all()
		cut := passes[slices.IndexFunc(passes, func(p status.Pass) bool { return p.Trigger == status.Push })]
		if c := cut.Counts; cut.Outcome != status.Drift || c.Created == 0 || c.Pending == 0 || c.Created+c.Pending != 9 {
			t.Errorf("got %+v", cut)
		}
		told := w.first()
		if told.Failures != 0 || !told.Plan.Open {
			t.Errorf("%d failures, and the rest of the plan is open: %t", told.Failures, told.Plan.Open)
		}
		w.after(24 * time.Hour)
		if c := w.journal.all(); c[len(c)-1].Outcome != status.InSync && c[len(c)-1].Outcome != status.Applied {
			t.Errorf("the next window did not bring the rest: %q", w.outcomes())
		}
	})
}

func TestAReload(t *testing.T) {
	play(t, func(w *world) {
		w.config.Targets = append(w.config.Targets, w.target("test"))
		w.config.Targets[1].Mode = status.Suspended
		w.start()
		w.after(time.Minute)
		w.want("before", w.outcomes(), []string{"start: applied"})

		w.daemon.Refused(errors.New("line 3: no such key"))
		w.after(5 * time.Minute)
		problems := w.daemon.Status().Problems
		if len(problems) != 1 || problems[0].Kind != status.ConfigProblem || !strings.Contains(problems[0].Text, "line 3") {
			t.Errorf("problems: %+v", problems)
		}
		w.want("a refused one changes nothing", w.outcomes(), []string{"start: applied", "schedule: in sync"})

		// prod goes, test is no longer suspended.
		config := w.config
		config.Targets = []Target{w.target("test")}
		w.daemon.Reload(config)
		w.after(5 * time.Minute)
		told := w.daemon.Status()
		if len(told.Targets) != 1 || told.Targets[0].Name != "test" || len(told.Problems) != 0 {
			t.Errorf("got %+v", told)
		}
		for _, p := range w.journal.all()[2:] {
			if p.Target != "test" {
				t.Errorf("a pass of %q, which is gone", p.Target)
			}
		}
	})
}

func TestWhatIsAskedOfATargetThatIsNotThere(t *testing.T) {
	play(t, func(w *world) {
		w.start()
		if err := w.daemon.Ask("nonsense", status.Manual, "op"); !errors.Is(err, ErrNoTarget) {
			t.Errorf("got %v", err)
		}
	})
}

func TestARestartRemembers(t *testing.T) {
	play(t, func(w *world) {
		kept, _, err := history.Open(filepath.Join(t.TempDir(), "history.db"), history.Options{})
		if err != nil {
			t.Fatal(err)
		}
		w.options.Journal = kept
		w.start()
		w.after(time.Minute)
		before := w.first()
		w.stop()
		w.sever(errDown)
		w.start()
		w.after(time.Minute)
		told := w.first()
		if !told.LastSuccess.Equal(before.LastSuccess) || told.Last.Outcome != status.Failed {
			t.Errorf("last success at %s, want %s", told.LastSuccess, before.LastSuccess)
		}
		w.stop()
		w.stop = nil
		if err := kept.Close(); err != nil {
			t.Error(err)
		}
	})
}

func TestAHistoryThatCannotBeKeptStopsNoPass(t *testing.T) {
	play(t, func(w *world) {
		w.journal.err = errors.New("no space left on device")
		w.start()
		w.after(6 * time.Minute)
		w.want("passes", w.outcomes(), []string{"start: applied", "schedule: in sync"})
		if p := w.daemon.Status().Problems; len(p) != 1 || p[0].Kind != status.HistoryProblem {
			t.Errorf("got %+v", p)
		}
		w.journal.mutex.Lock()
		w.journal.err = nil
		w.journal.mutex.Unlock()
		w.after(5 * time.Minute)
		if p := w.daemon.Status().Problems; len(p) != 0 {
			t.Errorf("it has not healed: %+v", p)
		}
	})
}

func TestTheWallClockJumps(t *testing.T) {
	for name, row := range map[string]struct {
		jump time.Duration
		want int // passes within the half hour after it
	}{
		"an hour forward": {time.Hour, 6},
		"an hour back":    {-time.Hour, 6},
		"ten days back":   {-240 * time.Hour, 6},
	} {
		t.Run(name, func(t *testing.T) {
			play(t, func(w *world) {
				w.options.Now = w.wall
				w.start()
				w.after(16 * time.Minute)
				before := len(w.outcomes())
				w.setClock(row.jump)
				w.after(30 * time.Minute)
				if made := len(w.outcomes()) - before; made < row.want || made > row.want+1 {
					t.Errorf("%d passes in half an hour, want %d", made, row.want)
				}
			})
		})
	}
}

func TestAJumpOfTheWallClockIsToldForAWhile(t *testing.T) {
	play(t, func(w *world) {
		w.options.Now = w.wall
		w.start()
		w.after(time.Minute)
		w.setClock(-time.Hour)
		w.after(time.Minute)
		if p := w.daemon.Status().Problems; len(p) != 1 || p[0].Kind != status.ClockProblem || !strings.Contains(p[0].Text, "back by 1h") {
			t.Errorf("got %+v", p)
		}
		w.after(11 * time.Minute)
		if p := w.daemon.Status().Problems; len(p) != 0 {
			t.Errorf("still told: %+v", p)
		}
	})
}

func TestADayAcrossAChangeToSummerTime(t *testing.T) {
	for name, row := range map[string]struct {
		from time.Time
		want int // of a target at each five minutes of Berlin's clock
		once int // of one that runs at 02:30
	}{
		"23 hours": {time.Date(2026, 3, 28, 23, 0, 0, 0, time.UTC), 23 * 12, 1},
		"24 hours": {time.Date(2026, 6, 1, 22, 0, 0, 0, time.UTC), 24 * 12, 1},
		"25 hours": {time.Date(2026, 10, 24, 22, 0, 0, 0, time.UTC), 25 * 12, 1},
	} {
		t.Run(name, func(t *testing.T) {
			play(t, func(w *world) {
				berlin, err := time.LoadLocation("Europe/Berlin")
				if err != nil {
					t.Fatal(err)
				}
				often, once := w.target("often"), w.target("once")
				often.Schedule = zoned(t, "*/5 * * * *", "Europe/Berlin")
				often.Jitter = 30 * time.Second
				once.Schedule = zoned(t, "30 2 * * *", "Europe/Berlin")
				w.config.Targets = []Target{often, once}
				w.repo.commit("r1")
				for i := range w.config.Targets {
					w.config.Targets[i].Pass.Limits.AllowEmpty = true
				}
				time.Sleep(time.Until(row.from) + time.Second)
				w.start()
				year, month, day := row.from.In(berlin).Date()
				next := time.Date(year, month, day, 0, 0, 0, 0, berlin).AddDate(0, 0, 1)
				w.after(time.Until(next) + time.Minute)
				made := map[string]int{}
				for _, p := range w.journal.all() {
					if p.Trigger != status.Schedule {
						continue
					}
					made[p.Target]++
					if late := p.Began.Sub(p.Began.Truncate(5 * time.Minute)); p.Target == "often" && late > 30*time.Second {
						t.Errorf("a pass at %s is %s late", p.Began, late)
					}
				}
				if made["often"] != row.want || made["once"] != row.once {
					t.Errorf("%d and %d passes, want %d and %d", made["often"], made["once"], row.want, row.once)
				}
			})
		})
	}
}

func zoned(t *testing.T, expression, zone string) schedule.Schedule {
	t.Helper()
	s, err := schedule.Parse(expression, zone)
	if err != nil {
		t.Fatal(err)
	}
	return s
}
