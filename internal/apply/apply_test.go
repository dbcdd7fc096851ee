package apply_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"go.uber.org/goleak"

	"profilesync/internal/apply"
	"profilesync/internal/desired"
	"profilesync/internal/diff"
	"profilesync/internal/live"
	"profilesync/internal/profile"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func spec(flavor string) profile.Spec {
	return profile.Spec{Type: "os.nova.server", Version: "1.0", Properties: profile.Properties{"flavor": flavor}}
}

func want(items ...string) desired.Set {
	set := desired.Set{Revision: "r1"}
	for _, item := range items {
		name, flavor, _ := strings.Cut(item, "=")
		set.Items = append(set.Items, desired.Item{
			Profile: profile.Profile{Name: name, Spec: spec(flavor)}, File: name + ".yaml", Line: 1,
		})
	}
	return set
}

// own adds a profile of ours, "name=flavor".
func (c *cloud) own(item string) live.Profile {
	name, flavor, _ := strings.Cut(item, "=")
	marks := profile.Marks{Owner: "us", Source: name + ".yaml", Revision: "r0"}
	return c.add(profile.Profile{Name: name, Metadata: marks.On(nil), Spec: spec(flavor)})
}

func (c *cloud) use(id string, kind live.Kind) {
	if c.users == nil {
		c.users = map[string][]live.User{}
	}
	c.users[id] = append(c.users[id], live.User{Kind: kind, ID: "u-" + id[:8], Name: "asg", Project: project})
}

// plan looks at the cloud without faults, as an earlier and undisturbed part of
// a pass would.
func (c *cloud) plan(t testing.TB, set desired.Set) diff.Plan {
	t.Helper()
	calm := &cloud{profiles: c.profiles, users: c.users}
	have, err := live.Read(context.Background(), calm)
	if err == nil {
		have, err = have.WithUsers(context.Background(), calm)
	}
	if err != nil {
		t.Fatal(err)
	}
	return diff.Compare(set, have, diff.Options{Owner: "us", Prune: true})
}

func (c *cloud) apply(t testing.TB, plan diff.Plan) apply.Result {
	t.Helper()
	result, err := apply.Run(context.Background(), plan, c, c, apply.Options{Parallel: 1})
	if err != nil {
		t.Fatal(err)
	}
	return result
}

// story is one change carried out while something happens.
type story struct {
	name   string
	given  func(*cloud) // what is live
	wanted desired.Set
	during func(*cloud) // what happens after the plan was made
	fault  func(n int, op string) fault
	calls  string // what is asked of the cloud, in order
	status apply.Status
	says   string // part of the error
	then   string // what is live afterwards
}

func once(op string, befalls fault) func(int, string) fault {
	done := false
	return func(_ int, at string) fault {
		if at != op || done {
			return none
		}
		done = true
		return befalls
	}
}

func always(op string, befalls fault) func(int, string) fault {
	return func(_ int, at string) fault {
		if at == op {
			return befalls
		}
		return none
	}
}

func stories() []story {
	web := func(c *cloud) { c.own("web=small") }
	used := func(c *cloud) { c.use(c.own("web=small").ID, live.Cluster) }
	return []story{
		{
			name: "a missing profile is validated and created", given: func(*cloud) {}, wanted: want("web=small"),
			calls: "validate, create web", status: apply.Done, then: "web=small",
		},
		{
			name: "a create whose reply is lost is found, not repeated", given: func(*cloud) {}, wanted: want("web=small"),
			fault: once("create", lostAfter), calls: "validate, create web, list", status: apply.Done, then: "web=small",
		},
		{
			name: "a create that never arrived is sent a second time after looking", given: func(*cloud) {}, wanted: want("web=small"),
			fault: once("create", lostFirst), calls: "validate, create web, list, list, list, create web", status: apply.Done, then: "web=small",
		},
		{
			name: "a create is never sent a third time", given: func(*cloud) {}, wanted: want("web=small"),
			fault: always("create", lostFirst), calls: "validate, create web, list, list, list, create web, list, list, list",
			status: apply.Failed, says: "connection reset",
		},
		{
			name: "a create in doubt is not repeated when the list cannot be read", given: func(*cloud) {}, wanted: want("web=small"),
			fault: func(_ int, op string) fault {
				return map[string]fault{"create": lostFirst, "list": busy}[op]
			},
			calls: "validate, create web, list", status: apply.Failed, says: "busy",
		},
		{
			name: "a refused spec touches nothing", given: web, wanted: want("web=bad"),
			calls: "validate", status: apply.Failed, says: "validation by the server", then: "web=small",
		},
		{
			name: "a changed spec sets the old one aside, creates, and deletes the old one last", given: web, wanted: want("web=large"),
			calls:  "validate, get web, update web -> web~00000001, create web, get web~00000001, users, delete web~00000001",
			status: apply.Done, then: "web=large",
		},
		{
			name: "a used old one stays aside", given: used, wanted: want("web=large"),
			calls:  "validate, get web, update web -> web~00000001, create web, get web~00000001, users",
			status: apply.Done, then: "web=large web~00000001=small",
		},
		{
			name: "an old one used by what nobody can see stays aside", given: func(c *cloud) {
				c.hidden = map[string]bool{c.own("web=small").ID: true}
			}, wanted: want("web=large"),
			calls:  "validate, get web, update web -> web~00000001, create web, get web~00000001, users, delete web~00000001",
			status: apply.Done, then: "web=large web~00000001=small",
		},
		{
			name: "an old one that an unfinished action is about to use stays aside", given: func(c *cloud) {
				c.use(c.own("web=small").ID, live.Action)
			}, wanted: want("web=large"),
			calls:  "validate, get web, update web -> web~00000001, create web, get web~00000001, users",
			status: apply.Done, then: "web=large web~00000001=small",
		},
		{
			name: "a create refused for good gives the name back", given: web, wanted: want("web=large"), fault: always("create", refused),
			calls:  "validate, get web, update web -> web~00000001, create web, list, get web~00000001, update web~00000001 -> web",
			status: apply.Failed, says: "bears the name again", then: "web=small",
		},
		{
			name: "the name is not given back when somebody took it", given: web, wanted: want("web=large"),
			fault: always("create", refused), during: func(c *cloud) {
				c.before = func(_ int, op string) {
					if op == "create" {
						c.add(profile.Profile{Name: "Web", Spec: spec("theirs")})
					}
				}
			},
			calls:  "validate, get web, update web -> web~00000001, create web, list",
			status: apply.Failed, says: "is taken", then: "Web=theirs web~00000001=small",
		},
		{
			name: "the name is not given back to what somebody took over", given: web, wanted: want("web=large"),
			fault: always("create", refused), during: func(c *cloud) {
				c.before = func(_ int, op string) {
					if op == "create" {
						c.profiles[0].Metadata = map[string]any{profile.OwnerKey: "them"}
					}
				}
			},
			calls:  "validate, get web, update web -> web~00000001, create web, list, get web~00000001",
			status: apply.Failed, says: "not given back", then: "web~00000001=small",
		},
		{
			name: "a create that may succeed later leaves the old one aside", given: web, wanted: want("web=large"), fault: always("create", busy),
			calls:  "validate, get web, update web -> web~00000001, create web",
			status: apply.Failed, says: `aside as "web~00000001", its successor: create: busy`, then: "web~00000001=small",
		},
		{
			name: "setting aside whose reply is lost goes on when it was done", given: web, wanted: want("web=large"), fault: once("update", lostAfter),
			calls:  "validate, get web, update web -> web~00000001, get web~00000001, create web, get web~00000001, users, delete web~00000001",
			status: apply.Done, then: "web=large",
		},
		{
			name: "setting aside whose reply is lost stops when it was not done", given: web, wanted: want("web=large"), fault: once("update", lostFirst),
			calls:  "validate, get web, update web -> web~00000001, get web",
			status: apply.Failed, says: "set aside", then: "web=small",
		},
		{
			name: "a profile that somebody relabelled is left alone", given: web, wanted: want("web=large"), during: func(c *cloud) {
				c.profiles[0].Metadata = map[string]any{"note": "mine", profile.OwnerKey: "us"}
			},
			calls: "validate, get web", status: apply.Skipped, says: "metadata of profile", then: "web=small",
		},
		{
			name: "a profile that somebody deleted is not updated", given: func(c *cloud) {
				c.own("web=small")
				c.profiles[0].Metadata["note"] = "drift"
			}, wanted: want("web=small"), during: func(c *cloud) { c.profiles = nil },
			calls: "get ?00000001", status: apply.Skipped, says: "not found",
		},
		{
			name: "drift is put right in place", given: func(c *cloud) {
				c.own("web=small")
				c.profiles[0].Metadata["note"] = "drift"
			}, wanted: want("web=small"),
			calls: "get web, update web -> web", status: apply.Done, then: "web=small",
		},
		{
			name: "an undesired profile is looked at and deleted", given: web, wanted: want(),
			calls: "get web, users, delete web", status: apply.Done,
		},
		{
			name: "an undesired profile that is gone already is done", given: web, wanted: want(), during: func(c *cloud) { c.profiles = nil },
			calls: "get ?00000001", status: apply.Done,
		},
		{
			name: "an undesired profile that came into use is blocked", given: web, wanted: want(), during: func(c *cloud) {
				c.use(c.profiles[0].ID, live.Cluster)
			},
			calls: "get web, users", status: apply.Blocked, then: "web=small",
		},
		{
			name: "an undesired profile that an action is about to use is blocked", given: web, wanted: want(), during: func(c *cloud) {
				c.use(c.profiles[0].ID, live.Action)
			},
			calls: "get web, users", status: apply.Blocked, then: "web=small",
		},
		{
			name: "an undesired profile used by what nobody can see is blocked by the server", given: func(c *cloud) {
				c.hidden = map[string]bool{c.own("web=small").ID: true}
			}, wanted: want(),
			calls: "get web, users, delete web", status: apply.Blocked, then: "web=small",
		},
		{
			name: "nothing is deleted when the users cannot be read", given: web, wanted: want(), fault: always("users", busy),
			calls: "get web, users", status: apply.Failed, says: "users of profile", then: "web=small",
		},
		{
			name: "an earlier generation with the wanted spec returns", given: func(c *cloud) {
				old := c.own("web=small")
				aside := old.Aside(old.ID, "us")
				c.profiles[0].Name, c.profiles[0].Metadata = aside.Name, aside.Metadata
				c.own("web=large")
			}, wanted: want("web=small"),
			calls:  "get web~00000001, get web, update web -> web~00000002, update web~00000001 -> web, get web~00000002, users, delete web~00000002",
			status: apply.Done, then: "web=small",
		},
	}
}

func TestStories(t *testing.T) {
	for _, s := range stories() {
		t.Run(s.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { // the pauses between looks cost nothing
				c := &cloud{}
				s.given(c)
				plan := c.plan(t, s.wanted)
				if s.during != nil {
					s.during(c)
				}
				c.fault = s.fault
				result := c.apply(t, plan)
				if calls := strings.Join(c.calls, ", "); calls != s.calls {
					t.Errorf("calls:\n got %s\nwant %s", calls, s.calls)
				}
				outcome := result.Outcomes[0]
				if outcome.Status != s.status {
					t.Errorf("status: got %q (%v), want %q", outcome.Status, outcome.Err, s.status)
				}
				if s.says != "" && (outcome.Err == nil || !strings.Contains(outcome.Err.Error(), s.says)) {
					t.Errorf("error: got %v, want one that says %q", outcome.Err, s.says)
				}
				if got := c.names(); got != s.then {
					t.Errorf("live: got %q, want %q", got, s.then)
				}
			})
		})
	}
}

// Somebody gave an earlier generation a name that a document asks for, and the
// server wants names to be unique.
func TestWhatIsInTheWayIsSetAsideBeforeItsNameIsTaken(t *testing.T) {
	c := &cloud{unique: true}
	old := c.own("db=small")
	c.profiles[0].Metadata[profile.SupersededKey] = "web"
	c.own("web=large")
	c.use(old.ID, live.Cluster)
	for _, outcome := range c.apply(t, c.plan(t, want("db=large", "web=large"))).Outcomes {
		if outcome.Status != apply.Done && outcome.Status != apply.Unchanged {
			t.Errorf("%s %q: %s: %v", outcome.Action, outcome.Name, outcome.Status, outcome.Err)
		}
	}
	if calls := strings.Join(c.calls, ", "); calls != "get db, update db -> web~00000001, validate, create db" {
		t.Errorf("calls: %s", calls)
	}
	if live := c.names(); live != "db=large web=large web~00000001=small" {
		t.Errorf("live: %s", live)
	}
}

func TestAPlanMadeWithoutUsersIsRefused(t *testing.T) {
	c := &cloud{}
	c.own("web=small")
	have, _ := live.Read(context.Background(), c)
	plan := diff.Compare(want(), have, diff.Options{Owner: "us", Prune: true})
	c.calls = nil
	if _, err := apply.Run(context.Background(), plan, c, c, apply.Options{}); err == nil {
		t.Error("the plan was carried out")
	}
	if len(c.calls) > 0 {
		t.Errorf("the cloud was asked: %v", c.calls)
	}
}

func TestAnEarlierGenerationOutlivesAFailedSuccessor(t *testing.T) {
	c := &cloud{}
	old := c.own("web=small")
	aside := old.Aside(old.ID, "us")
	c.profiles[0].Name, c.profiles[0].Metadata = aside.Name, aside.Metadata
	plan := c.plan(t, want("web=large"))
	c.fault = always("create", busy)
	result := c.apply(t, plan)
	if got := c.names(); got != "web~00000001=small" {
		t.Errorf("live: %q", got)
	}
	if outcome := result.Outcomes[1]; outcome.Status != apply.Skipped || !strings.Contains(outcome.Err.Error(), "successor") {
		t.Errorf("the generation's outcome: %q, %v", outcome.Status, outcome.Err)
	}
}

func TestOneFailureNeverStopsTheOthers(t *testing.T) {
	c := &cloud{}
	c.own("gone=small")
	plan := c.plan(t, want("a=1", "b=bad", "c=3"))
	result := c.apply(t, plan)
	if got := c.names(); got != "a=1 c=3" {
		t.Errorf("live: %q", got)
	}
	if got := result.Count(); got[apply.Done] != 3 || got[apply.Failed] != 1 {
		t.Errorf("outcomes: %v", got)
	}
	if last := c.calls[len(c.calls)-1]; last != "delete gone" {
		t.Errorf("the delete does not come last: %v", c.calls)
	}
}

func TestAStoppedPassFinishesWhatIsInHand(t *testing.T) {
	c := &cloud{}
	c.own("gone=small")
	plan := c.plan(t, want("a=1", "b=2"))
	ctx, stop := context.WithCancel(context.Background())
	c.before = func(_ int, op string) {
		if op == "create" {
			stop()
		}
	}
	result, err := apply.Run(ctx, plan, c, c, apply.Options{Parallel: 1})
	if err != nil {
		t.Fatal(err)
	}
	if got := c.names(); got != "a=1 gone=small" {
		t.Errorf("live: %q", got)
	}
	stopped := slices.DeleteFunc(result.Outcomes, func(o apply.Outcome) bool { return !errors.Is(o.Err, apply.ErrStopped) })
	if len(stopped) != 2 {
		t.Errorf("%d changes say they were stopped, want 2", len(stopped))
	}
}
