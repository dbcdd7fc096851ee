package desired_test

import (
	"fmt"
	"testing"
	"testing/fstest"

	"profilesync/internal/desired"
)

// A large repository: 10,000 files of one document each, as people write them.
// The target is half a second on two cores.
func BenchmarkLoad(b *testing.B) {
	for _, count := range []int{1_000, 10_000} {
		files := fstest.MapFS{}
		for i := range count {
			text := fmt.Sprintf(`# front end %d
name: web-%05d
metadata:
  team: web
  tier: %d
spec:
  type: os.nova.server
  version: 1.0
  properties:
    flavor: m1.small
    image: 4e1f0a2b-9c3d-4f5e-8a7b-%012d
    key_name: ops
    networks:
    - network: private
    security_groups: [default, web]
    config_drive: true
`, i, i, i%7, i)
			files[fmt.Sprintf("p%02d/web-%05d.yaml", i%100, i)] = &fstest.MapFile{Data: []byte(text)}
		}
		b.Run(fmt.Sprint(count), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				set, err := desired.Load(files, "r1")
				if err != nil || len(set.Items) != count {
					b.Fatal(len(set.Items), err)
				}
			}
		})
	}
}
