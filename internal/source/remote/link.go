package remote

import (
	"context"
	"io"
	"time"

	"profilesync/internal/source/repository"
)

// link carries a conversation. It is used by one goroutine at a time.
type link interface {
	// references begins the conversation and returns what the server says of
	// itself, in Git's protocol. What was returned before is closed by then.
	references(context.Context) (io.ReadCloser, error)
	// ask sends a question and returns the answer.
	ask(ctx context.Context, question []byte) (io.ReadCloser, error)
	// explain turns an error that reading or asking has met into one of package
	// repository's or of this one, going by what the link has seen where the
	// layers between drop the cause.
	explain(error) error
	// close ends the conversation.
	close()
}

const (
	// connectTime bounds how long it takes to get a connection, and a
	// handshake on it.
	connectTime = 30 * time.Second
	// usualPatience is for a server that counts objects for a while before it answers.
	usualPatience = 2 * time.Minute
)

// meter bounds what is received.
type meter struct {
	limit    int64
	received int64
	exceeded int64 // the limit that was
}

// reader fails once more was received than limit, or the meter's own.
func (m *meter) reader(from io.Reader, limit int64) io.Reader {
	return &metered{from, m, min(limit, m.limit)}
}

type metered struct {
	from  io.Reader
	meter *meter
	limit int64
}

func (r *metered) Read(p []byte) (int, error) {
	n, err := r.from.Read(p)
	r.meter.received += int64(n)
	if r.meter.received > r.limit {
		r.meter.exceeded = r.limit
		return 0, repository.ErrLimit
	}
	return n, err
}

// patient gives up when one read takes too long. Time in which nobody reads
// does not count.
type patient struct {
	from  io.Reader
	time  time.Duration
	timer *time.Timer
}

// newPatient calls giveUp, which must make the read fail.
func newPatient(from io.Reader, limit time.Duration, giveUp func()) *patient {
	p := &patient{from, limit, time.AfterFunc(limit, giveUp)}
	p.timer.Stop()
	return p
}

func (p *patient) Read(b []byte) (int, error) {
	p.timer.Reset(p.time)
	defer p.timer.Stop()
	return p.from.Read(b)
}

// answer is a stream and what ends it.
type answer struct {
	io.Reader
	end func()
}

func (a answer) Close() error {
	a.end()
	return nil
}
