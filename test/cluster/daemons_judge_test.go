package cluster

import (
	"encoding/json"
	"net/http"
	"path"
	"slices"
	"strings"
	"sync"
	"time"

	"profilesync/test/daemon/rig"
)

// sample is one answer of a daemon: what it says to serve, at some moment
// between the two times.
type sample struct {
	instance        string
	asked, answered time.Time
	serves          map[string]bool
}

// poll asks every daemon again and again until the function returned is called.
func (f *fleet) poll() (end func() []sample) {
	var group sync.WaitGroup
	var mutex sync.Mutex
	var samples []sample
	done := make(chan struct{})
	for n := range f.daemons {
		group.Go(func() {
			tick := time.NewTicker(200 * time.Millisecond)
			defer tick.Stop()
			for {
				select {
				case <-done:
					return
				case <-tick.C:
				}
				d := f.daemon(n)
				if d == nil {
					continue
				}
				one := sample{instance: d.Instance(), asked: time.Now(), serves: map[string]bool{}}
				told, err := d.Status()
				if err != nil {
					continue // it is being killed, or paused
				}
				one.answered = time.Now()
				for _, target := range told.Targets {
					one.serves[target.Name] = target.Lease != nil && target.Lease.Held // nil as it begins
				}
				mutex.Lock()
				samples = append(samples, one)
				mutex.Unlock()
			}
		})
	}
	return func() []sample {
		close(done)
		group.Wait()
		return samples
	}
}

// verdict is what the judges found.
type verdict struct {
	writes, unknown int
	closest         time.Duration // from the last write under a lease that lapsed to its end
	overlap         time.Duration // for which two surely said to serve the same target
	served          int           // holds of a lease for serving
	longest         time.Duration // from a kill to the next holder, while etcd was there
	without         time.Duration // the same while etcd went away as well
}

func (s *storm) judge(samples []sample) {
	s.Helper()
	v := verdict{closest: time.Hour}
	lapsed := s.seen.lapsed()
	for _, c := range s.clouds {
		writes := c.Writes()
		slices.SortStableFunc(writes, func(a, b rig.Request) int { return a.At.Compare(b.At) })
		v.writes += len(writes)
		s.judgeHolders(c, writes, &v)
		s.judgeOrder(c, writes)
		s.judgeNames(c, writes)
		s.measureClosest(c, writes, lapsed, &v)
		s.measureTakeovers(c, &v)
		v.overlap = max(v.overlap, overlap(samples, c.Name))
	}
	// A daemon tells of a loss once it has ended what it was doing, such as looking
	// what became of a write in doubt. That is not what permits a write.
	if v.overlap > 2*ttl {
		s.Errorf("two daemons said for %s to serve the same target", v.overlap)
	}
	s.Logf("%d writes judged, %d of them while etcd was away; the closest came %s before its lease lapsed", v.writes, v.unknown, v.closest.Round(time.Millisecond))
	s.Logf("%d times a target was taken, %s after a kill at the latest, %s where etcd went away as well; two said to serve the same for %s at most",
		v.served, v.longest.Round(time.Millisecond), v.without.Round(time.Millisecond), v.overlap.Round(time.Millisecond))
	if v.writes == 0 || v.served <= len(s.clouds) {
		s.Errorf("%d writes and %d takeovers are no storm", v.writes, v.served)
	}
}

// judgeHolders wants the sender of each write to be the holder in etcd's own
// memory as the write arrived. There is no tolerance: the margin of a term is
// larger than what a write is on its way, however busy the machine is.
func (s *storm) judgeHolders(c *rig.Cloud, writes []rig.Request, v *verdict) {
	s.Helper()
	for _, w := range writes {
		holder, _, _ := strings.Cut(w.Note, "@")
		switch {
		case w.Note == unknown:
			v.unknown++ // nobody can take a lease of an etcd that is away; the order is judged
		case holder != w.By:
			s.Errorf("%s: %s of %s by %s, while %s had the lease for writing; %s", c.Name, w.Method, w.Path, w.By, w.Note, s.lately(w))
		}
	}
}

// lately is what was done last to the sender of a write.
func (s *storm) lately(w rig.Request) string {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	for _, one := range slices.Backward(s.log) {
		if one.instance == w.By && one.at.Before(w.At) {
			return "last, " + w.At.Sub(one.at).String() + " before: " + one.what
		}
	}
	return "it was left alone"
}

// judgeOrder wants those who wrote, one after the other, to be among those who
// held the lease, one after the other. It reads no clock.
func (s *storm) judgeOrder(c *rig.Cloud, writes []rig.Request) {
	s.Helper()
	holds := s.seen.holds(writeKey(c))
	at, last := -1, ""
	for _, w := range writes {
		if w.By == last {
			continue
		}
		last = w.By
		for at++; at < len(holds) && holds[at].holder != w.By; at++ {
		}
		if at >= len(holds) {
			s.Errorf("%s: %s wrote out of turn (%s of %s); %s", c.Name, w.By, w.Method, w.Path, s.lately(w))
			return
		}
	}
}

// judgeNames plays the writes again: no name is created while it is there.
func (s *storm) judgeNames(c *rig.Cloud, writes []rig.Request) {
	s.Helper()
	names := map[string]string{} // by id
	for _, w := range writes {
		var asked, told struct {
			Profile struct{ ID, Name string }
		}
		if w.Status/100 != 2 {
			continue
		}
		_ = json.Unmarshal([]byte(w.Body), &asked) // a DELETE has none
		_ = json.Unmarshal([]byte(w.Answer), &told)
		switch name := asked.Profile.Name; w.Method {
		case http.MethodPost:
			for id, there := range names {
				if there == name {
					s.Errorf("%s: %s created %q, which was there as %q; %s", c.Name, w.By, name, id, s.lately(w))
				}
			}
			names[told.Profile.ID] = name
		case http.MethodPatch:
			if name != "" {
				names[path.Base(w.Path)] = name
			}
		case http.MethodDelete:
			delete(names, path.Base(w.Path))
		}
	}
}

func (s *storm) measureClosest(c *rig.Cloud, writes []rig.Request, lapsed map[int64]bool, v *verdict) {
	ends := map[string]time.Time{}
	for _, h := range s.seen.holds(writeKey(c)) {
		if lapsed[h.ended] {
			ends[h.String()] = h.to
		}
	}
	for _, w := range writes {
		if end, ended := ends[w.Note]; ended {
			v.closest = min(v.closest, end.Sub(w.At))
		}
	}
}

func (s *storm) measureTakeovers(c *rig.Cloud, v *verdict) {
	holds := s.seen.holds(serveKey(c))
	v.served += len(holds)
	for i := range holds[:max(len(holds)-1, 0)] {
		for _, one := range s.log {
			if one.what != "kill" || one.instance != holds[i].holder {
				continue
			}
			took := holds[i+1].from.Sub(one.at)
			if s.wasAway(one.at.Add(-3*ttl), holds[i+1].from) {
				v.without = max(v.without, took)
			} else {
				v.longest = max(v.longest, took)
			}
		}
	}
}

// wasAway reports whether etcd went away between two moments.
func (s *storm) wasAway(from, to time.Time) bool {
	return slices.ContainsFunc(s.log, func(one torment) bool {
		return one.what == "etcd away" && one.at.After(from) && one.at.Before(to)
	})
}

// claim is a time for which a daemon surely said to serve a target.
type claim struct {
	by       string
	from, to time.Time
}

// overlap is for how long at one time at most two instances surely said to serve a target:
// between two answers of one that lie close together it has not changed its mind.
func overlap(samples []sample, target string) time.Duration {
	var claims []claim
	last := map[string]sample{}
	ordered := slices.SortedFunc(slices.Values(samples), func(a, b sample) int { return a.asked.Compare(b.asked) })
	for _, one := range ordered {
		before, known := last[one.instance]
		last[one.instance] = one
		if known && before.serves[target] && one.serves[target] && one.asked.Sub(before.answered) < time.Second {
			claims = append(claims, claim{one.instance, before.answered, one.asked})
		}
	}
	total, latest := map[string]time.Duration{}, map[string]time.Time{}
	var most time.Duration
	for i, a := range claims {
		for _, b := range claims[i+1:] {
			if both := common(a, b); a.by != b.by && both > 0 {
				pair := min(a.by, b.by) + " " + max(a.by, b.by)
				if a.from.Sub(latest[pair]) > 2*time.Second { // another time
					total[pair] = 0
				}
				total[pair], latest[pair] = total[pair]+both, a.to
				most = max(most, total[pair])
			}
		}
	}
	return most
}

// common is for how long both lasted.
func common(a, b claim) time.Duration {
	from, to := a.from, a.to
	if b.from.After(from) {
		from = b.from
	}
	if b.to.Before(to) {
		to = b.to
	}
	return max(to.Sub(from), 0)
}

func (s *storm) report(documents *scribe, calm time.Duration) {
	s.Helper()
	count := map[string]int{}
	for _, one := range s.log {
		count[one.what]++
	}
	passes := 0
	for _, c := range s.clouds {
		for _, r := range c.Requests() {
			if r.Method == http.MethodGet && strings.HasSuffix(r.Path, "/v1/profiles") {
				passes++
			}
		}
	}
	s.Logf("%d commits, %d lists of profiles; kills %d, stops %d, pauses %d, networks that hung %d, that broke %d, with a pause %d, etcd away %d",
		documents.commits, passes, count["kill"], count["stop"], count["pause"], count["hang"], count["reset"], count["hang and pause"], count["etcd away"])
	s.Logf("all in order %s after the last heal", calm.Round(time.Millisecond))
}
