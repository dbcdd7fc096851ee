package conformance

import "testing"

// Sweep deletes every cluster, node and profile of tenant-a and tenant-b through the API. It serves as Cloud.Reset where a cloud
// lives longer than the tests, and may hold what an interrupted run has left behind.
func Sweep(t testing.TB, cloud Cloud) {
	t.Helper()
	s := logIn(t, cloud)
	for _, tenant := range []caller{s.a, s.b} {
		tenant.sweep(t)
	}
}

// sweep deletes clusters before nodes and nodes before profiles, as each holds on to the next.
func (c caller) sweep(t testing.TB) {
	t.Helper()
	for _, kind := range []string{"clusters", "nodes", "profiles"} {
		eventually(t, "no "+kind+" left", func() bool {
			rows := c.get(t, "/v1/"+kind).want(t, 200).rows(t, kind)
			for _, row := range rows {
				id, _ := row["id"].(string)
				c.delete(t, "/v1/"+kind+"/"+id)
			}
			return len(rows) == 0
		})
	}
}
