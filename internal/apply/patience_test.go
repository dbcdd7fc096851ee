package apply_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"profilesync/internal/apply"
	"profilesync/internal/live"
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
