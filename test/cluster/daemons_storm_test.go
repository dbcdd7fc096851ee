package cluster

import (
	"math/rand"
	"os"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"profilesync/test/daemon/rig"
)

// torment is one thing that was done to a daemon.
type torment struct {
	what     string
	instance string
	at       time.Time
}

// storm kills, pauses, cuts off and stops daemons at random, two at a time at
// most, and takes etcd away now and then. Most pauses begin in the middle of a
// pass that writes.
type storm struct {
	*fleet
	random *rand.Rand
	bad    map[int]bool // daemons that are not left alone at the moment; etcd is the last
	heals  []heal

	mutex sync.Mutex
	log   []torment
}

// heal is something to be put right again.
type heal struct {
	due time.Time
	do  func()
}

// stormTime is how long it storms.
func stormTime(t *testing.T) time.Duration {
	t.Helper()
	text := os.Getenv("PROFILESYNC_TEST_STORM")
	if text == "" {
		return 40 * time.Second
	}
	lasts, err := time.ParseDuration(text)
	if err != nil {
		t.Fatal(err)
	}
	return lasts
}

// stormSeed makes what happens, though not when to the millisecond, the same
// again.
func stormSeed(t *testing.T) int64 {
	t.Helper()
	text := os.Getenv("PROFILESYNC_TEST_SEED")
	if text == "" {
		return time.Now().UnixNano()
	}
	seed, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return seed
}

// TestNobodyWritesTwiceInAStorm lets three daemons share twenty targets, whose
// documents never rest, for a while in which nothing else is sure either.
func TestNobodyWritesTwiceInAStorm(t *testing.T) {
	lasts, seed := stormTime(t), stormSeed(t)
	t.Logf("for %s, with PROFILESYNC_TEST_SEED=%d", lasts, seed)
	random := rand.New(rand.NewSource(seed))
	f := muster(t, 3, 20)
	documents := newScribe(f.home, rand.New(rand.NewSource(seed+1)))
	for n := range f.daemons {
		f.begin(n)
	}
	for n, c := range f.clouds { // so that there is mostly a pass in the middle of its writes
		c.Delay(time.Duration(n) * 10 * time.Millisecond)
	}
	t.Logf("settled %s after the start", f.settled(documents, time.Minute).Round(time.Millisecond))
	asked := f.poll()
	s := &storm{fleet: f, random: random, bad: map[int]bool{}}
	var hooks sync.WaitGroup
	s.rage(lasts, documents, &hooks)
	over := time.Now()
	documents.change()
	f.tell(&hooks)
	f.settled(documents, time.Minute)
	calm := time.Since(over)
	hooks.Wait()
	samples := asked()
	s.report(documents, calm)
	s.takeover()
	s.judge(samples)
}

// takeover kills one more daemon while all else is well, and measures until the
// others serve everything.
func (s *storm) takeover() {
	s.Helper()
	d := s.daemon(0)
	killed := time.Now()
	d.Kill()
	rig.Eventually(s.T, time.Minute, "the others serve everything", func() bool {
		for _, c := range s.clouds {
			if holder := s.seen.now(serveKey(c)); holder == nobody || strings.HasPrefix(holder, d.Instance()+"@") {
				return false
			}
		}
		return true
	})
	s.Logf("in the calm, everything of a killed daemon was served again after %s", time.Since(killed).Round(time.Millisecond))
}

// rage storms until the time is over, and leaves everything healed.
func (s *storm) rage(lasts time.Duration, documents *scribe, hooks *sync.WaitGroup) {
	s.Helper()
	end := time.Now().Add(lasts)
	write, strike := time.Now(), time.Now()
	for time.Now().Before(end) {
		now := time.Now()
		s.mend(now)
		if now.After(write) {
			documents.change()
			s.tell(hooks)
			write = time.Now().Add(500*time.Millisecond + s.upTo(time.Second))
		}
		if now.After(strike) {
			s.strike()
			strike = time.Now().Add(100*time.Millisecond + s.upTo(time.Second))
		}
		time.Sleep(10 * time.Millisecond)
	}
	for len(s.heals) > 0 {
		s.mend(time.Now())
		time.Sleep(10 * time.Millisecond)
	}
}

func (s *storm) upTo(most time.Duration) time.Duration {
	return time.Duration(s.random.Int63n(int64(most)))
}

// mend does what is due.
func (s *storm) mend(now time.Time) {
	due := s.heals
	s.heals = nil
	for _, h := range due {
		if now.Before(h.due) {
			s.heals = append(s.heals, h)
		} else {
			h.do()
		}
	}
}

func (s *storm) did(what, instance string) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.log = append(s.log, torment{what, instance, time.Now()})
}

// strike does something bad to somebody who is well, unless two are not.
func (s *storm) strike() {
	n, what, lasts := s.random.Intn(len(s.daemons)), s.random.Intn(11), s.upTo(3*ttl-ttl/5)+ttl/5
	server := len(s.daemons)
	if what == 10 {
		n = server
	}
	if s.bad[n] || len(s.bad) >= 2 {
		return
	}
	s.bad[n] = true
	after := func(lasts time.Duration, do func()) {
		s.heals = append(s.heals, heal{time.Now().Add(lasts), do})
	}
	well := func(do func()) func() {
		return func() {
			do()
			delete(s.bad, n)
		}
	}
	if n == server {
		s.did("etcd away", "")
		s.seen.down(s.networks)
		after(lasts/2, well(func() { s.seen.back(s.T) }))
		return
	}
	d, network := s.daemon(n), s.networks[n]
	restart := well(func() { s.begin(n) })
	switch what {
	case 0, 1:
		s.set(n, nil)
		s.did("kill", d.Instance())
		d.Kill()
		after(s.upTo(lasts), restart)
	case 2:
		s.set(n, nil)
		s.did("stop", d.Instance())
		if code := d.Stop(); code != 0 {
			s.Errorf("exit status %d after SIGTERM", code)
		}
		after(s.upTo(lasts), restart)
	case 3, 4, 5:
		s.aim(d, func() { // with a write on its way, and more to come
			s.did("pause", d.Instance())
			d.Signal(syscall.SIGSTOP)
		})
		after(lasts+ttl/3, well(func() {
			s.aim(d, nil)
			s.did("resume", d.Instance())
			d.Signal(syscall.SIGCONT)
		}))
	case 6, 7:
		s.did("hang", d.Instance())
		network.hang()
		after(lasts, well(network.heal))
	case 8:
		s.did("reset", d.Instance())
		network.hang()
		network.cut()
		after(lasts, well(network.heal))
	case 9: // what it sent before the pause arrives later than what it sends after it
		s.did("hang and pause", d.Instance())
		network.hang()
		d.Signal(syscall.SIGSTOP)
		after(lasts/2, func() {
			s.did("resume", d.Instance())
			d.Signal(syscall.SIGCONT)
		})
		after(lasts, well(network.heal))
	}
}
