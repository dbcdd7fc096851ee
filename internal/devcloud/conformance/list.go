package conformance

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"
)

// inventory is what the list tests make first: six servers and a stack, with names whose order is not the order of creation.
type inventory struct {
	caller
	ids   []string          // as created
	names map[string]string // by id
	stem  string
}

func (s suite) listing(t *testing.T) {
	stock := inventory{caller: s.b, names: map[string]string{}, stem: unique("list")}
	for i, suffix := range []string{"d", "a", "f", "c", "e", "b"} {
		body := newProfile(stock.stem+"."+suffix, server, fmt.Sprintf(`,"metadata":{"n":%d}`, i))
		stock.add(t, s.b.makes(t, body))
	}
	stock.add(t, s.b.makes(t, newProfile(stock.stem+".stack", stack(`"template":{"a":1}`), "")))
	t.Run("an item is what GET of it answers", stock.itemsAreWhole)
	t.Run("no limit gives everything, in the order of creation, and no links", stock.everything)
	t.Run("limits", stock.limits)
	t.Run("markers", stock.markers)
	t.Run("pages by marker give everything once, in any order", stock.pages)
	t.Run("sorting", stock.sorting)
	t.Run("sorting by the time of change puts the unchanged first", stock.sortingByChange)
	t.Run("filters by name and type", stock.filters)
	t.Run("parameters that do not exist", stock.unknownParameters)
	t.Run("another project's list", func(t *testing.T) {
		if rows := s.a.list(t, ""); len(rows) != 0 {
			t.Errorf("tenant-a sees %v, want nothing", rows)
		}
		if rows := s.a.list(t, "?marker="+stock.ids[2]); len(rows) != 0 {
			t.Errorf("tenant-a sees %v behind tenant-b's marker, want nothing", rows)
		}
	})
	t.Run("global_project is for admins", func(t *testing.T) { s.globalProject(t, stock) })
}

func (i *inventory) add(t *testing.T, made answer) {
	profile := made.object(t, "profile")
	id, _ := profile["id"].(string)
	i.ids = append(i.ids, id)
	i.names[id], _ = profile["name"].(string)
}

// list returns the names of the profiles that a query gives, in order.
func (c caller) list(t testing.TB, query string) []string {
	t.Helper()
	names := []string{}
	for _, row := range c.get(t, "/v1/profiles"+query).want(t, 200).rows(t, "profiles") {
		name, _ := row["name"].(string)
		names = append(names, name)
	}
	return names
}

// expect compares the names that a query gives, without their stem, with those wanted, in order.
func (i inventory) expect(t *testing.T, query, want string) {
	t.Helper()
	got := i.list(t, query)
	for n := range got {
		got[n] = strings.TrimPrefix(got[n], i.stem+".")
	}
	if joined := strings.Join(got, " "); joined != want {
		t.Errorf("GET /v1/profiles%s: got [%s], want [%s]", query, joined, want)
	}
}

func (i inventory) itemsAreWhole(t *testing.T) {
	answer := i.get(t, "/v1/profiles").want(t, 200)
	answer.hasRequestID(t)
	for _, row := range answer.rows(t, "profiles") {
		id, _ := row["id"].(string)
		if one := i.get(t, "/v1/profiles/"+id).want(t, 200).object(t, "profile"); fmt.Sprint(one) != fmt.Sprint(row) {
			t.Errorf("listed as\n\t%v, alone it is\n\t%v", row, one)
		}
	}
}

// everything needs the ids as tie-break: all were created within the same second or two.
func (i inventory) everything(t *testing.T) {
	rows := i.get(t, "/v1/profiles").want(t, 200).rows(t, "profiles")
	if len(rows) != len(i.ids) {
		t.Fatalf("got %d profiles, want %d", len(rows), len(i.ids))
	}
	position := func(row map[string]any) string { return fmt.Sprint(row["created_at"], " ", row["id"]) }
	if !slices.IsSortedFunc(rows, func(a, b map[string]any) int { return strings.Compare(position(a), position(b)) }) {
		t.Errorf("got %v, want them by created_at, then id", rows)
	}
	if got := len(i.list(t, "?limit=5000")); got != len(i.ids) {
		t.Errorf("a limit of 5000 gives %d profiles, want %d", got, len(i.ids))
	}
}

func (i inventory) limits(t *testing.T) {
	i.expect(t, "?sort=name&limit=2", "a b")
	i.expect(t, "?sort=name&limit=0", "")
	i.expect(t, "?sort=name&limit=", "a b c d e f stack")
	i.expect(t, "?limit=0", "")
	for value, message := range map[string]string{
		"-1":  "Value must be >= 0 for field 'limit'.",
		"abc": "The value for limit must be an integer: 'abc'.",
		"1.5": "The value for limit must be an integer: '1.5'.",
	} {
		i.get(t, "/v1/profiles?limit="+value).refused(t, 400, "HTTPBadRequest", message)
	}
	i.get(t, "/v1/profiles?limit=99999999999999999999").refused(t, 500, "...", "...")
}

func (i inventory) markers(t *testing.T) {
	byName := map[string]string{}
	for id, name := range i.names {
		byName[strings.TrimPrefix(name, i.stem+".")] = id
	}
	i.expect(t, "?sort=name&marker="+byName["c"], "d e f stack")
	i.expect(t, "?sort=name&marker="+strings.ToUpper(byName["c"]), "d e f stack")
	i.expect(t, "?sort=name:desc&marker="+byName["c"], "b a")
	i.expect(t, "?sort=name&limit=2&marker="+byName["c"], "d e")
	i.expect(t, "?sort=name&marker="+byName["stack"], "")
	i.expect(t, "?sort=name&marker=", "a b c d e f stack")
	t.Run("a marker that names no profile is as if absent", func(t *testing.T) {
		i.expect(t, "?sort=name&limit=3&marker=00000000-0000-4000-8000-000000000000", "a b c")
	})
	t.Run("and so is one that was deleted meanwhile", func(t *testing.T) {
		gone := i.profile(t, i.stem+".gone")
		i.caller.delete(t, "/v1/profiles/"+gone).want(t, 204)
		i.expect(t, "?sort=name&limit=3&marker="+gone, "a b c")
	})
	t.Run("anything but an id is refused", func(t *testing.T) {
		for _, value := range []string{"nosuch", i.stem + ".a", byName["a"][:8]} {
			i.get(t, "/v1/profiles?marker="+value).refused(t, 400, "HTTPBadRequest", "The value for marker is not a valid UUID: '"+value+"'.")
		}
	})
}

func (i inventory) pages(t *testing.T) {
	for _, sort := range []string{"", "name", "name:desc", "created_at", "created_at:desc", "updated_at", "updated_at:desc", "type", "type:desc,name"} {
		seen, marker := map[string]int{}, ""
		for page := 0; page <= len(i.ids); page++ {
			rows := i.get(t, "/v1/profiles?limit=3&sort="+sort+"&marker="+marker).want(t, 200).rows(t, "profiles")
			if len(rows) == 0 {
				break
			}
			for _, row := range rows {
				marker, _ = row["id"].(string)
				seen[marker]++
			}
		}
		for _, id := range i.ids {
			if seen[id] != 1 {
				t.Errorf("sort=%s: %s came %d times, want once", sort, i.names[id], seen[id])
			}
		}
	}
}

func (i inventory) sorting(t *testing.T) {
	i.expect(t, "?sort=name", "a b c d e f stack")
	i.expect(t, "?sort=name:asc", "a b c d e f stack")
	i.expect(t, "?sort=name:desc", "stack f e d c b a")
	i.expect(t, "?sort=type,name", "stack a b c d e f")
	i.expect(t, "?sort=type:desc,name:desc", "f e d c b a stack")
	i.expect(t, "?sort=type&sort=name", "a b c d e f stack") // the last one counts
	for _, key := range []string{"id", "metadata", "user", "project", "nosuch"} {
		i.get(t, "/v1/profiles?sort="+key).refused(t, 400, "HTTPBadRequest", "Unsupported sort key '"+key+"' for 'sort'.")
	}
	i.get(t, "/v1/profiles?sort=name:up").refused(t, 400, "HTTPBadRequest", "Unsupported sort dir 'up' for 'sort'.")
}

// sortingByChange asks for no pages: by a time that some rows lack, the real service's pages leave rows out, and repeat others.
func (i inventory) sortingByChange(t *testing.T) {
	changed := i.ids[4] // e
	i.patch(t, "/v1/profiles/"+changed, `{"profile":{"metadata":{"changed":true}}}`).want(t, 200)
	i.expect(t, "?sort=updated_at,name", "a b c d f stack e")
	i.expect(t, "?sort=updated_at:desc,name", "e a b c d f stack")
}

func (i inventory) filters(t *testing.T) {
	name := func(suffix string) string { return "name=" + url.QueryEscape(i.stem+"."+suffix) }
	i.expect(t, "?"+name("c"), "c")
	i.expect(t, "?name="+strings.ToUpper(i.stem+".c"), "c")
	i.expect(t, "?sort=name&"+name("c")+"&"+name("a"), "a c")
	i.expect(t, "?"+name("nosuch"), "")
	i.expect(t, "?name="+i.stem, "")
	i.expect(t, "?name="+url.QueryEscape(i.stem+".%"), "")
	i.expect(t, "?type=os.heat.stack-1.0", "stack")
	i.expect(t, "?type=os.nova.server", "")
	i.expect(t, "?sort=name&type=os.nova.server-1.0", "a b c d e f")
	i.expect(t, "?sort=name&type=os.nova.server-1.0&type=os.heat.stack-1.0", "a b c d e f stack")
	i.expect(t, "?type=os.nova.server-1.0&"+name("stack"), "")
}

func (i inventory) unknownParameters(t *testing.T) {
	for _, key := range []string{"id", "metadata", "user", "project", "sort_key", "with_count", "nosuch"} {
		i.get(t, "/v1/profiles?"+key+"=x").refused(t, 400, "HTTPBadRequest", "Invalid parameter "+key)
	}
	i.get(t, "/v1/profiles/"+i.ids[0]+"?nosuch=x").want(t, 200)
}

func (s suite) globalProject(t *testing.T, stock inventory) {
	for _, value := range []string{"true", "True"} {
		s.b.get(t, "/v1/profiles?global_project="+value).
			refused(t, 403, "Forbidden", "You are not authorized to complete this operation.")
	}
	for _, value := range []string{"false", "False", ""} {
		stock.expect(t, "?sort=name&global_project="+value, "a b c d e f stack")
	}
	for _, value := range []string{"1", "0", "yes"} {
		s.b.get(t, "/v1/profiles?global_project="+value).
			refused(t, 400, "HTTPBadRequest", "Invalid value '"+value+"' specified for 'global_project'")
	}
	ours := ""
	for _, name := range stock.names {
		ours += "&name=" + name
	}
	for _, query := range []string{"?limit=1000", "?global_project=true", "?global_project=false"} {
		rows := s.admin.get(t, "/v1/profiles"+query+ours).want(t, 200).rows(t, "profiles")
		seen := 0
		for _, row := range rows {
			if id, _ := row["id"].(string); slices.Contains(stock.ids, id) && row["project"] == s.b.project {
				seen++
			}
		}
		if seen != len(stock.ids) {
			t.Errorf("as admin, %q lists %d of tenant-b's %d profiles, want all", query, seen, len(stock.ids))
		}
	}
}
