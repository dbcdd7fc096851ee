package notify

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cenkalti/backoff/v5"

	"profilesync/internal/daemon/status"
)

// double answers in turn as told, and with the last of that for ever.
type double struct {
	answers []error
	hangs   bool
	got     [][]event
	times   []time.Time
}

func (d *double) send(ctx context.Context, events []event) error {
	d.got, d.times = append(d.got, events), append(d.times, time.Now())
	if d.hangs {
		<-ctx.Done()
		return cause(ctx.Err())
	}
	if len(d.answers) == 0 {
		return nil
	}
	answer := d.answers[0]
	if len(d.answers) > 1 {
		d.answers = d.answers[1:]
	}
	return answer
}

func (*double) close() {}

// rig is a notifier with one receiver that is a double.
func rig(d *double, gathers bool) *Notifier {
	w := &worker{name: "test service", sender: d, gathers: gathers, log: slog.New(slog.DiscardHandler), wake: make(chan struct{}, 1)}
	return &Notifier{closing: make(chan struct{}), stories: map[string]Story{}, workers: []*worker{w}}
}

// pause lets time go by, and everybody come to rest.
func pause(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

func run(t *testing.T, d *double, gathers bool, story func(*Notifier)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		n := rig(d, gathers)
		go n.Run(t.Context())
		story(n)
		n.Close()
	})
}

func TestManyTargetsMakeOneMessage(t *testing.T) {
	var d double
	run(t, &d, true, func(n *Notifier) {
		for i := range 20 {
			n.Pass(nil, pass(string(rune('a'+i)), 0, status.Failed))
			time.Sleep(time.Second / 10)
		}
		time.Sleep(time.Hour)
	})
	if len(d.got) != 1 || len(d.got[0]) != 20 {
		t.Fatalf("%d messages", len(d.got))
	}
	_, text := message(d.got[0], "")
	if !strings.Contains(text, "failed: 20 targets: a, b, c") || strings.Count(text, "connection refused") != 1 {
		t.Errorf("the message is\n%s", text)
	}
}

func TestTheFirstPassFollowsHistory(t *testing.T) {
	var d double
	before := pass("prod", 0, status.Failed)
	run(t, &d, true, func(n *Notifier) {
		n.Pass(&before, pass("prod", time.Minute, status.Failed))
		n.Pass(&before, pass("prod", 2*time.Minute, status.InSync)) // the second failure is counted
		n.Pass(&before, pass("prod", 3*time.Minute, status.InSync)) // and is over
		pause(time.Hour)
	})
	if len(d.got) != 1 || len(d.got[0]) != 1 {
		t.Fatalf("got %v", d.got)
	}
	if e := d.got[0][0]; e.kind != Recovered || e.failures != 2 || !e.since.Equal(noon()) {
		t.Errorf("got %+v", e)
	}
}

func TestMessagesOfAServiceAreRare(t *testing.T) {
	var d double
	run(t, &d, true, func(n *Notifier) {
		for i := range 600 {
			n.Pass(nil, changing(pass("prod", time.Duration(i)*time.Second, status.Applied)))
			time.Sleep(time.Second)
		}
	})
	if len(d.got) > 12 || len(d.got) < 9 {
		t.Errorf("%d messages in ten minutes", len(d.got))
	}
	for i := 2; i < len(d.times)-1; i++ {
		if gap := d.times[i].Sub(d.times[i-1]); gap < between {
			t.Errorf("message %d comes after %s", i, gap)
		}
	}
}

func TestAWebhookIsNotFlooded(t *testing.T) {
	var d double
	run(t, &d, false, func(n *Notifier) {
		for i := range 100 {
			n.Pass(nil, changing(pass("prod", time.Duration(i)*time.Second, status.Applied)))
		}
		pause(time.Minute)
		if len(d.got) < 79 || len(d.got) > 82 {
			t.Errorf("%d events in the first minute", len(d.got))
		}
	})
}

func TestADeliveryIsTriedAgain(t *testing.T) {
	broken := errors.New("it answers 500 Internal Server Error")
	d := double{answers: []error{broken, broken, nil}}
	run(t, &d, false, func(n *Notifier) {
		n.Pass(nil, pass("prod", 0, status.Failed))
		pause(time.Second)
		if p := n.Problems(); len(p) != 1 || p[0].Text != "test service: it answers 500 Internal Server Error" || p[0].Kind != status.NotifyProblem {
			t.Errorf("the problems are %v", p)
		}
		pause(time.Minute)
		if p := n.Problems(); len(p) != 0 {
			t.Errorf("the problems are %v", p)
		}
	})
	if len(d.got) != 3 || d.times[1].Sub(d.times[0]) < 4*time.Second || d.times[2].Sub(d.times[1]) < 16*time.Second {
		t.Errorf("tried at %v", d.times)
	}
}

func TestADeliveryWaitsAsLongAsItIsAskedTo(t *testing.T) {
	d := double{answers: []error{&backoff.RetryAfterError{Duration: 3 * time.Minute}, nil}}
	run(t, &d, false, func(n *Notifier) {
		n.Pass(nil, pass("prod", 0, status.Failed))
		time.Sleep(time.Hour)
	})
	if len(d.times) != 2 || d.times[1].Sub(d.times[0]) != 3*time.Minute {
		t.Errorf("tried at %v", d.times)
	}
}

func TestAReceiverIsGivenUp(t *testing.T) {
	for name, row := range map[string]struct {
		answer error
		hangs  bool
		tries  int
		want   string
	}{
		"it is broken for long": {answer: errors.New("it answers 502 Bad Gateway"), tries: maxTries, want: "it answers 502 Bad Gateway"},
		"it will never take it": {answer: backoff.Permanent(errors.New("it answers 403 Forbidden")), tries: 1, want: "it answers 403 Forbidden"},
		"it hangs":              {hangs: true, tries: maxTries, want: "no answer in time"},
	} {
		t.Run(name, func(t *testing.T) {
			d := double{answers: []error{row.answer}, hangs: row.hangs}
			run(t, &d, false, func(n *Notifier) {
				n.Pass(nil, pass("prod", 0, status.Failed))
				pause(within + time.Minute)
				if len(d.got) != row.tries {
					t.Errorf("%d tries", len(d.got))
				}
				p := n.Problems()
				if len(p) != 1 || p[0].Text != "test service: "+row.want+"; notifications lost: 1" {
					t.Fatalf("the problems are %v", p)
				}
				d.hangs, d.answers = false, nil
				n.Pass(nil, pass("prod", time.Minute, status.InSync))
				pause(time.Minute)
				if p := n.Problems(); len(p) != 0 {
					t.Errorf("a later one came through, and the problems are %v", p)
				}
			})
		})
	}
}

func TestAQueueLosesItsOldest(t *testing.T) {
	d := double{hangs: true}
	run(t, &d, false, func(n *Notifier) {
		n.Pass(nil, changing(pass("first", 0, status.Applied)))
		synctest.Wait() // this one is under way
		for i := range maxQueued + 10 {
			n.Pass(nil, changing(pass("prod", time.Duration(i), status.Applied)))
		}
		w := n.workers[0]
		if len(w.queue) != maxQueued || w.queue[0].pass.Began != noon().Add(10) {
			t.Errorf("%d are queued, the first of %v", len(w.queue), w.queue[0].pass.Began)
		}
		if p := n.Problems(); len(p) != 1 || !strings.Contains(p[0].Text, "the queue is full; notifications lost: 10") {
			t.Errorf("the problems are %v", p)
		}
	})
}

func TestTheEndIsBounded(t *testing.T) {
	for name, d := range map[string]*double{
		"all is well":         {},
		"it hangs":            {hangs: true},
		"it waits for a turn": {answers: []error{errors.New("it answers 500"), nil}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n := rig(d, true)
				ended := make(chan struct{})
				go func() { n.Run(t.Context()); close(ended) }()
				n.Pass(nil, pass("prod", 0, status.Failed))
				synctest.Wait()
				began := time.Now()
				n.Close()
				<-ended
				if took := time.Since(began); took > lastWords {
					t.Errorf("it took %s", took)
				}
				if len(d.got) == 0 {
					t.Error("what was queued was not tried")
				}
				n.Close() // once more does no harm
			})
		})
	}
}

func TestWhoCannotBeTold(t *testing.T) {
	for name, row := range map[string]struct {
		receiver Receiver
		want     string
	}{
		"nobody":            {Receiver{}, "either a webhook or a service"},
		"two at once":       {Receiver{Webhook: "http://h", Service: "slack://x"}, "either a webhook or a service"},
		"no URL":            {Receiver{Webhook: "hidden"}, "no http or https URL"},
		"a broken URL":      {Receiver{Webhook: "http://hidden\x7f"}, "no http or https URL"},
		"another scheme":    {Receiver{Webhook: "ftp://hidden/"}, "no http or https URL"},
		"an unknown kind":   {Receiver{Webhook: "http://h/", On: []Kind{"drift"}}, `no kind "drift"`},
		"an unknown one":    {Receiver{Service: "carrierpigeon://hidden@coop"}, "none that is known"},
		"the log":           {Receiver{Service: "logger://"}, "none that is known"},
		"a service's fault": {Receiver{Service: "slack://hidden"}, "the URL of the slack service is not valid"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := New(Options{Receivers: []Receiver{row.receiver}})
			if err == nil || !strings.Contains(err.Error(), row.want) || strings.Contains(err.Error(), "hidden") {
				t.Errorf("got %v", err)
			}
		})
	}
}
