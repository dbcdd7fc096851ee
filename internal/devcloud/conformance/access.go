package conformance

import "testing"

// access checks the default policy: any role in a project may do anything to its profiles, and an admin to everybody's.
func (s suite) access(t *testing.T) {
	t.Run("a reader creates, changes and deletes", func(t *testing.T) {
		id := s.reader.profile(t, unique("reader"))
		s.reader.patch(t, "/v1/profiles/"+id, `{"profile":{"metadata":{"by":"reader"}}}`).want(t, 200)
		s.reader.delete(t, "/v1/profiles/"+id).want(t, 204)
	})
	t.Run("a project has its profiles together", func(t *testing.T) {
		id := s.a.profile(t, unique("shared"))
		s.reader.finds(t, id, id)
		s.reader.patch(t, "/v1/profiles/"+id, `{"profile":{"metadata":{"by":"reader"}}}`).want(t, 200)
		profile := s.a.get(t, "/v1/profiles/"+id).want(t, 200).object(t, "profile")
		if profile["user"] != s.a.user {
			t.Errorf("got user %v, want still tenant-a's, who made it", profile["user"])
		}
		s.reader.delete(t, "/v1/profiles/"+id).want(t, 204)
	})
	t.Run("an admin sees, changes and deletes any project's", func(t *testing.T) {
		name := unique("any")
		id := s.a.profile(t, name)
		s.admin.finds(t, id, id)
		s.admin.finds(t, id[:23], id)
		changed := s.admin.patch(t, "/v1/profiles/"+name, `{"profile":{"metadata":{"by":"admin"}}}`).want(t, 200).object(t, "profile")
		if changed["project"] != s.a.project || changed["user"] != s.a.user {
			t.Errorf("got project %v and user %v, want tenant-a's as before", changed["project"], changed["user"])
		}
		s.admin.delete(t, "/v1/profiles/"+id).want(t, 204)
		s.a.misses(t, id)
	})
	t.Run("an admin's own profile is in the admin's project", func(t *testing.T) {
		id := s.admin.profile(t, unique("admins"))
		s.a.misses(t, id)
		s.b.misses(t, id)
	})
	t.Run("a name in two projects is ambiguous to an admin only", func(t *testing.T) {
		name := unique("both")
		ours, theirs := s.a.profile(t, name), s.b.profile(t, name)
		s.a.finds(t, name, ours)
		s.b.finds(t, name, theirs)
		s.admin.get(t, "/v1/profiles/"+name).refused(t, 400, "MultipleChoices", tooMany)
	})
	t.Run("another project's cluster can keep a profile in use", func(t *testing.T) {
		profile := s.b.profile(t, unique("foreign"))
		id := s.admin.cluster(t, profile, 0)
		s.b.inUse(t, profile)
		if rows := s.b.get(t, "/v1/clusters").want(t, 200).rows(t, "clusters"); len(rows) != 0 {
			t.Errorf("tenant-b sees %v, want nothing", rows)
		}
		s.admin.removesNow(t, "/v1/clusters/"+id)
		s.b.delete(t, "/v1/profiles/"+profile).want(t, 204)
	})
	t.Run("another project's profile is no profile for a cluster", func(t *testing.T) {
		profile := s.b.profile(t, unique("foreign"))
		s.a.post(t, "/v1/clusters", `{"cluster":{"name":"x","profile_id":"`+profile+`"}}`).
			refused(t, 400, "BadRequest", "The specified profile '"+profile+"' could not be found.")
	})
}
