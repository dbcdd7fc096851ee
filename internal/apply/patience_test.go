package apply_test

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"profilesync/internal/apply"
	"profilesync/internal/live"
	"profilesync/internal/profile"
)

// slow is a cloud that takes longer to say who uses what than a change may take.
type slow struct{ *cloud }

func (s slow) Users(ctx context.Context) (map[string][]live.User, error) {
	select {
	case <-time.After(time.Hour):
		return s.cloud.Users(ctx)
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// A change that waits for another's look at the users must not wait beyond its
// own deadline, or deletes would add up their deadlines one after the other.
func TestWaitingForAnothersLookCountsAsWell(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &cloud{}
		for _, item := range []string{"a=1", "b=2", "c=3"} {
			c.own(item)
		}
		plan := c.plan(t, want())
		begun := time.Now()
		result, err := apply.Run(t.Context(), plan, c, slow{c}, apply.Options{Parallel: 3, Deadline: time.Minute})
		if err != nil {
			t.Fatal(err)
		}
		for _, outcome := range result.Outcomes {
			if outcome.Status != apply.Failed || !errors.Is(outcome.Err, context.DeadlineExceeded) {
				t.Errorf("%s: %s, %v", outcome.Name, outcome.Status, outcome.Err)
			}
		}
		if took := time.Since(begun); took > time.Minute {
			t.Errorf("gave up after %s", took)
		}
		if len(c.profiles) != 3 {
			t.Errorf("live: %s", c.names())
		}
	})
}

// wedged is a cloud that answers nothing about some profiles for a while.
type wedged struct {
	*cloud
	takes  time.Duration
	wedges func(flavor any) bool
}

func (w wedged) Validate(ctx context.Context, spec profile.Spec) error {
	if !w.wedges(spec.Properties["flavor"]) {
		return w.cloud.Validate(ctx, spec)
	}
	time.Sleep(w.takes)
	return fmt.Errorf("no answer within %s: %w", w.takes, profile.ErrUnavailable)
}

func many(n int) (items []string) {
	for i := range n {
		items = append(items, fmt.Sprintf("p%03d=%d", i, i))
	}
	return items
}

func TestACloudThatFailsEverythingIsGivenUp(t *testing.T) {
	for _, row := range []struct {
		name     string
		parallel int
		takes    time.Duration
		atMost   time.Duration
	}{
		{"it hangs, many at once", 8, 70 * time.Second, 140 * time.Second},
		{"it hangs, one after the other", 1, 70 * time.Second, 210 * time.Second},
		{"it says so at once", 8, 10 * time.Second, 140 * time.Second},
	} {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := wedged{&cloud{}, row.takes, func(any) bool { return true }}
				c.own("left=x")
				c.own("alone=y")
				plan := c.plan(t, want(many(300)...))
				begun := time.Now()
				result, err := apply.Run(t.Context(), plan, c, c, apply.Options{Parallel: row.parallel})
				if err != nil {
					t.Fatal(err)
				}
				if took := time.Since(begun); took > row.atMost {
					t.Errorf("gave up after %s, want %s", took, row.atMost)
				}
				for _, outcome := range result.Outcomes {
					told := errors.Is(outcome.Err, apply.ErrStopped) && strings.Contains(outcome.Err.Error(), "carried nothing out")
					if outcome.Status == apply.Skipped && !told {
						t.Errorf("%s: %v", outcome.Name, outcome.Err)
					}
				}
				if n := result.Count(); n[apply.Skipped]+n[apply.Failed] != 302 || n[apply.Failed] < 3 || !result.Failed() {
					t.Errorf("%v", n)
				}
				if len(c.profiles) != 2 {
					t.Errorf("live: %s", c.names())
				}
			})
		})
	}
}

func TestAFewChangesThatTheCloudChokesOnDoNotStopTheOthers(t *testing.T) {
	for _, row := range []struct {
		name   string
		takes  time.Duration
		wedges func(n int) bool
	}{
		{"the first two", 200 * time.Second, func(n int) bool { return n < 2 }},
		{"every other one", 200 * time.Second, func(n int) bool { return n%2 == 0 }},
		{"many, but not for so long", 7 * time.Second, func(n int) bool { return n < 19 }},
	} {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := wedged{&cloud{}, row.takes, func(flavor any) bool {
					n, _ := strconv.Atoi(fmt.Sprint(flavor))
					return row.wedges(n)
				}}
				result, err := apply.Run(t.Context(), c.plan(t, want(many(20)...)), c, c, apply.Options{Parallel: 1})
				if err != nil {
					t.Fatal(err)
				}
				if n := result.Count(); n[apply.Skipped] != 0 || n[apply.Done] != len(c.profiles) {
					t.Errorf("%v", n)
				}
			})
		})
	}
}
