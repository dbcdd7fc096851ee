package devcloud_test

import (
	"fmt"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"profilesync/internal/devcloud"
)

// BenchmarkCreate10000 creates 10,000 profiles, eight at a time. Run it with -benchtime=1x.
func BenchmarkCreate10000(b *testing.B) {
	for _, unsynced := range []bool{false, true} {
		b.Run(fmt.Sprintf("unsynced=%t", unsynced), func(b *testing.B) {
			for range b.N {
				b.StopTimer()
				cloud := open(b, devcloud.Options{})
				if !unsynced {
					cloud = openDurable(b, filepath.Join(b.TempDir(), "durable.db"))
				}
				c := logIn(b, cloud, "demo")
				b.StartTimer()
				fill(b, c, 10_000)
			}
		})
	}
}

// BenchmarkList10000 reads a list of 10,000 profiles whole, as their project and as an admin.
func BenchmarkList10000(b *testing.B) {
	cloud := open(b, devcloud.Options{})
	fill(b, logIn(b, cloud, "demo"), 10_000)
	for _, who := range []string{"demo", "admin"} {
		c := logIn(b, cloud, who)
		b.Run(who, func(b *testing.B) {
			for range b.N {
				r := c.send(b, "GET", "/v1/profiles", "")
				b.SetBytes(int64(len(r.body)))
				if n := strings.Count(r.body, `"created_at"`); n != 10_000 {
					b.Fatalf("got %d profiles", n)
				}
			}
		})
	}
}

// BenchmarkOpen opens a cloud of 10,000 profiles.
func BenchmarkOpen(b *testing.B) {
	path := filepath.Join(b.TempDir(), "cloud.db")
	cloud := openDurable(b, path)
	fill(b, logIn(b, cloud, "demo"), 10_000)
	if err := cloud.Close(); err != nil {
		b.Fatal(err)
	}
	b.ResetTimer()
	for range b.N {
		cloud, err := devcloud.Open(devcloud.Options{Path: path})
		if err != nil {
			b.Fatal(err)
		}
		b.StopTimer()
		if err := cloud.Close(); err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
	}
}

// openDurable opens a cloud as the program does: what it has answered is on the disk.
func openDurable(b *testing.B, path string) *devcloud.Cloud {
	b.Helper()
	cloud, err := devcloud.Open(devcloud.Options{Path: path})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = cloud.Close() })
	return cloud
}

// fill creates n profiles, eight at a time.
func fill(b *testing.B, c client, n int) {
	b.Helper()
	var wg sync.WaitGroup
	var next atomic.Int64
	for range 8 {
		wg.Go(func() {
			for i := next.Add(1); i <= int64(n); i = next.Add(1) {
				if r := c.send(b, "POST", "/v1/profiles", profileBody(fmt.Sprintf("web-%05d", i), "")); r.status != http.StatusCreated {
					b.Errorf("profile %d: got %d", i, r.status)
				}
			}
		})
	}
	wg.Wait()
}
