package notify

import (
	"reflect"
	"testing"
	"time"

	"profilesync/internal/daemon/status"
)

// noon is when the stories begin.
func noon() time.Time { return time.Date(2026, 3, 28, 12, 0, 0, 0, time.UTC) }

func pass(target string, after time.Duration, outcome status.Outcome) status.Pass {
	p := status.Pass{
		ID: 7, Target: target, Instance: "host-1/4711", Trigger: status.Schedule, Began: noon().Add(after), Outcome: outcome,
		Revision: status.Revision{ID: "0123456789abcdef0123456789abcdef01234567", Subject: "Say hello", Author: "A. U. Thor"},
	}
	if outcome == status.Failed {
		p.Error, p.Hint = "read the source: connection refused", "is the Git server up?"
	}
	return p
}

func changing(p status.Pass) status.Pass {
	p.Counts.Created = 1
	p.Changes = append(p.Changes, status.Change{Action: "create", Name: "web", Status: "done"})
	return p
}

func holding(p status.Pass, names ...string) status.Pass {
	for _, name := range names {
		p.Counts.Blocked++
		p.Changes = append(p.Changes, status.Change{Action: "delete", Name: name, Block: "in use", Status: "blocked"})
	}
	return p
}

func failures(at ...time.Duration) []status.Pass {
	var passes []status.Pass
	for _, after := range at {
		passes = append(passes, pass("prod", after, status.Failed))
	}
	return passes
}

func TestWhatIsNews(t *testing.T) {
	const h = time.Hour
	good := func(after time.Duration) status.Pass { return pass("prod", after, status.InSync) }
	bad := func(after time.Duration) status.Pass { return pass("prod", after, status.Failed) }
	held := func(names ...string) status.Pass { return holding(pass("prod", 0, status.Blocked), names...) }
	crowd := held("a")
	crowd.Counts.Blocked, crowd.Omitted = 80, 79
	for name, row := range map[string]struct {
		passes []status.Pass
		want   [][]Kind
	}{
		"nothing to do":                       {[]status.Pass{good(0), good(h)}, [][]Kind{nil, nil}},
		"drift that is only reported":         {[]status.Pass{pass("prod", 0, status.Drift)}, [][]Kind{nil}},
		"a failure and its end":               {[]status.Pass{bad(0), good(1), good(2)}, [][]Kind{{Failed}, {Recovered}, nil}},
		"soon after, the same failure":        {[]status.Pass{bad(0), bad(h / 60), bad(h - 1), bad(h), bad(h + 1)}, [][]Kind{{Failed}, nil, nil, {Failed}, nil}},
		"a failure that lasts doubles":        {failures(0, h, 2*h-1, 2*h, 4*h-1, 4*h, 8*h-1, 8*h, 16*h), [][]Kind{{Failed}, {Failed}, nil, {Failed}, nil, {Failed}, nil, {Failed}, {Failed}}},
		"and is told once a day in the end":   {failures(0, 100*h, 123*h, 124*h, 147*h, 148*h), [][]Kind{{Failed}, {Failed}, nil, {Failed}, nil, {Failed}}},
		"fails, recovers, fails":              {[]status.Pass{bad(0), good(1), bad(2)}, [][]Kind{{Failed}, {Recovered}, {Failed}}},
		"applied":                             {[]status.Pass{changing(pass("prod", 0, status.Applied)), changing(good(1))}, [][]Kind{{Applied}, {Applied}}},
		"applied in part, then failed":        {[]status.Pass{changing(bad(0))}, [][]Kind{{Failed, Applied}}},
		"recovered by applying":               {[]status.Pass{bad(0), changing(good(1))}, [][]Kind{{Failed}, {Recovered, Applied}}},
		"blocked is told once":                {[]status.Pass{held("a", "b"), held("b", "a")}, [][]Kind{{Blocked}, nil}},
		"less is blocked":                     {[]status.Pass{held("a", "b"), held("b")}, [][]Kind{{Blocked}, nil}},
		"something else is blocked":           {[]status.Pass{held("a"), held("b")}, [][]Kind{{Blocked}, {Blocked}}},
		"blocked, free, blocked":              {[]status.Pass{held("a"), good(1), held("a")}, [][]Kind{{Blocked}, nil, {Blocked}}},
		"a failure sees nothing of a block":   {[]status.Pass{held("a"), bad(1), held("a")}, [][]Kind{{Blocked}, {Failed}, {Recovered}}},
		"blocked in a pass that failed":       {[]status.Pass{holding(bad(0), "a"), held("a")}, [][]Kind{{Failed, Blocked}, {Recovered}}},
		"blocked more than a pass lists":      {[]status.Pass{held("a"), crowd, crowd}, [][]Kind{{Blocked}, {Blocked}, nil}},
		"the clock goes back during failures": {failures(h, 0, h, 2*h), [][]Kind{{Failed}, nil, nil, {Failed}}},
	} {
		t.Run(name, func(t *testing.T) {
			var story Story
			var kinds []Kind
			for i, p := range row.passes {
				story, kinds = story.Next(p)
				if !reflect.DeepEqual(kinds, row.want[i]) {
					t.Errorf("pass %d is %q, want %q", i, kinds, row.want[i])
				}
			}
		})
	}
}

func TestAStoryGoesOnOverARestart(t *testing.T) {
	for name, row := range map[string]struct {
		before, now status.Pass
		want        []Kind
	}{
		"it still fails":     {pass("prod", 0, status.Failed), pass("prod", 1, status.Failed), nil},
		"it is well again":   {pass("prod", 0, status.Failed), pass("prod", 1, status.InSync), []Kind{Recovered}},
		"it is still held":   {holding(pass("prod", 0, status.Blocked), "a"), holding(pass("prod", 1, status.Blocked), "a"), nil},
		"the last one wrote": {changing(pass("prod", 0, status.Applied)), pass("prod", 1, status.InSync), nil},
	} {
		t.Run(name, func(t *testing.T) {
			if _, kinds := After(row.before).Next(row.now); !reflect.DeepEqual(kinds, row.want) {
				t.Errorf("got %q, want %q", kinds, row.want)
			}
		})
	}
}

func TestAStoryDoesNotChangeTheOneBefore(t *testing.T) {
	first, _ := Story{}.Next(holding(pass("prod", 0, status.Blocked), "a"))
	second, _ := first.Next(holding(pass("prod", 1, status.Failed), "b"))
	if len(first.Blocked) != 1 || len(second.Blocked) != 2 {
		t.Errorf("%v, then %v", first.Blocked, second.Blocked)
	}
}
