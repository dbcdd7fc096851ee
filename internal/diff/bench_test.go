package diff_test

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"profilesync/internal/desired"
	"profilesync/internal/diff"
	"profilesync/internal/live"
	"profilesync/internal/profile"
)

// fleet is a large world. Its profiles are alike in size: 15 properties, some
// of them nested, and 5 labels. Out of ten, the number changed have another
// spec, the number relabelled another label, and the number replaced have gone
// and another name has come.
func fleet(size, changed, relabelled, replaced int) world {
	w := world{want: desired.Set{Revision: "r1"}, opts: diff.Options{Owner: "us", Prune: true}}
	w.have = live.Snapshot{Scope: live.Scope{Project: project}, UsersRead: true}
	marks := profile.Marks{Owner: "us", Source: "fleet.yaml", Revision: "r0"}
	for i := range size {
		name := fmt.Sprintf("web-%06d", i)
		p := live.Profile{
			Profile: profile.Profile{Name: name, Metadata: marks.On(fleetLabels(i)), Spec: fleetSpec(i)},
			ID:      fmt.Sprintf("%08x-0000-4000-8000-000000000000", i), Project: project,
			Created: time.Unix(int64(i/10), 0),
		}
		w.have.Profiles = append(w.have.Profiles, p)
		item := desired.Item{Profile: profile.Profile{Name: name, Metadata: fleetLabels(i), Spec: fleetSpec(i)}, File: name + ".yaml", Line: 1}
		switch {
		case i%10 < changed:
			item.Spec.Properties["flavor"] = "m1.huge"
		case i%10 < changed+relabelled:
			item.Metadata["team"] = "other"
		case i%10 < changed+relabelled+replaced:
			item.Name = "new-" + name
		}
		w.want.Items = append(w.want.Items, item)
	}
	return w
}

func fleetLabels(i int) map[string]any {
	return map[string]any{
		"team": "platform", "tier": "front", "stage": "production", "cost_centre": json.Number("4711"), "shard": fmt.Sprint(i),
	}
}

func fleetSpec(i int) profile.Spec {
	return profile.Spec{Type: "os.nova.server", Version: "1.0", Properties: profile.Properties{
		"name": fmt.Sprintf("web-%d", i), "flavor": "m1.small", "image": "debian-12", "key_name": "ops",
		"availability_zone": "nova", "admin_pass": "x", "auto_disk_config": true, "config_drive": false,
		"block_device_mapping_v2": []any{map[string]any{
			"uuid": "8a4b0a1e-1c2d-4e3f-9a0b-1c2d3e4f5a6b", "source_type": "image", "destination_type": "volume",
			"boot_index": json.Number("0"), "volume_size": json.Number("40"), "delete_on_termination": true,
		}},
		"networks": []any{
			map[string]any{"network": "private", "security_groups": []any{"default", "web"}},
			map[string]any{"network": "storage", "fixed_ip": "10.0.0.5"},
		},
		"metadata":        map[string]any{"role": "web", "index": fmt.Sprint(i)},
		"personality":     []any{map[string]any{"path": "/etc/motd", "contents": "hello"}},
		"scheduler_hints": map[string]any{"group": "4f5a6b7c-8a4b-4a1e-9c2d-1c2d3e4f5a6b"},
		"security_groups": []any{"default", "web"},
		"user_data":       "#cloud-config\npackages: [nginx]\n",
	}}
}

func BenchmarkCompare(b *testing.B) {
	for _, size := range []int{1_000, 10_000, 100_000} {
		for _, fleets := range []struct {
			name                         string
			changed, relabelled, replace int
		}{
			{"in sync", 0, 0, 0},
			{"tenth recreated", 1, 0, 0},
			{"tenth relabelled", 0, 1, 0},
			{"tenth renamed", 0, 0, 1},
		} {
			b.Run(fmt.Sprintf("%s/%d", fleets.name, size), func(b *testing.B) {
				w := fleet(size, fleets.changed, fleets.relabelled, fleets.replace)
				b.ReportAllocs()
				for b.Loop() {
					if plan := w.plan(); len(plan.Changes) != size {
						b.Fatalf("%d changes", len(plan.Changes))
					}
				}
			})
		}
	}
}

func BenchmarkDigest(b *testing.B) {
	plan := fleet(100_000, 1, 0, 0).plan()
	for b.Loop() {
		plan.Digest()
	}
}

func TestAFleetIsDecidedAsEachOfItsProfiles(t *testing.T) {
	for _, row := range []struct {
		name                          string
		changed, relabelled, replaced int
		want                          diff.Summary
	}{
		{"in sync", 0, 0, 0, diff.Summary{Unchanged: 200}},
		{"a tenth of everything", 1, 1, 1, diff.Summary{Recreate: 20, Update: 40, Unchanged: 140}},
	} {
		t.Run(row.name, func(t *testing.T) {
			plan := fleet(200, row.changed, row.relabelled, row.replaced).plan()
			if got := plan.Summary(); got != row.want {
				t.Errorf("summary is %+v", got)
			}
		})
	}
}
