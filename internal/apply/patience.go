package apply

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"profilesync/internal/profile"
)

const (
	defaultPatience = 140 * time.Second
	fewestFailures  = 3 // a change or two that the cloud chokes on do not stop the others
)

// patience is what is left of a pass's trust in a cloud that answers nothing.
// Without it, each of many changes would wait for its own deadline.
type patience struct {
	limit time.Duration

	mutex    sync.Mutex
	good     time.Time // when a change last ended otherwise; at first, the begin of the pass
	failures int       // changes since then, each of which the cloud has failed
}

func newPatience(limit time.Duration) *patience {
	if limit <= 0 {
		limit = defaultPatience
	}
	return &patience{limit: limit, good: time.Now()}
}

// note takes a change's end into account.
func (p *patience) note(outcome *Outcome) {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	switch {
	case outcome.Status == Skipped && !errors.Is(outcome.Err, ErrChanged): // the cloud was not asked
	case outcome.Status == Failed && failedByCloud(outcome.Err):
		p.failures++
	default:
		p.good, p.failures = time.Now(), 0
	}
}

// gone returns why no further change is to be begun, or nil.
func (p *patience) gone() error {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	silence := time.Since(p.good)
	if p.failures < fewestFailures || silence < p.limit {
		return nil
	}
	return fmt.Errorf("%w: the cloud has carried nothing out for %s", ErrStopped, silence.Round(time.Second))
}

// failedByCloud tells an outage from a refusal.
func failedByCloud(err error) bool {
	return errors.Is(err, profile.ErrUnavailable) || errors.Is(err, profile.ErrInDoubt) || errors.Is(err, context.DeadlineExceeded)
}
