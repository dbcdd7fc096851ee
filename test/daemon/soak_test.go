package daemon

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"profilesync/test/daemon/rig"
)

// TestManyPassesLeaveNothingBehind makes pass after pass, some of which change
// something, and wants memory, goroutines, open files and files on disk as they
// were after the first hundreds.
func TestManyPassesLeaveNothingBehind(t *testing.T) {
	total := number(t, "PROFILESYNC_TEST_PASSES", 1000)
	home, cloud, d := began(t, configuration)
	var early measure
	for n := 1; n <= total; n++ {
		if n%100 == 0 {
			home.Document("web", fmt.Sprintf("m1.%d", n))
			home.Commit("Ask for another web")
		}
		before, _ := d.Metric(`profilesync_pass_duration_seconds_count{target="prod"}`)
		if status, text := d.Post("/hooks/git", "{}"); status/100 != 2 {
			t.Fatalf("hook %d: status %d: %s", n, status, text)
		}
		rig.Eventually(t, 10*time.Second, "the pass is over", func() bool {
			now, _ := d.Metric(`profilesync_pass_duration_seconds_count{target="prod"}`)
			return now > before
		})
		cloud.Forget()
		if n == total/3 {
			early = measured(t, home, d)
		}
	}
	late := measured(t, home, d)
	t.Logf("after %d passes: %s", total/3, early)
	t.Logf("after %d passes: %s", total, late)
	if late.goroutines > early.goroutines+5 || late.open > early.open+5 || late.files > early.files+5 {
		t.Error("something is left behind by each pass")
	}
	if late.resident > early.resident+early.resident/4 {
		t.Error("memory grows")
	}
}

// measure is what a process has.
type measure struct {
	resident, bytes         int64
	goroutines, open, files int
}

func (m measure) String() string {
	return fmt.Sprintf("%.1f MiB resident, %d goroutines, %d files open, %d files of %d KiB on disk",
		float64(m.resident)/(1<<20), m.goroutines, m.open, m.files, m.bytes>>10)
}

func measured(t *testing.T, home *rig.Home, d *rig.Daemon) measure {
	t.Helper()
	time.Sleep(time.Second) // connections of the pass before
	goroutines, known := d.Metric("go_goroutines")
	if !known {
		t.Fatal("no count of goroutines")
	}
	m := measure{resident: d.Resident(), goroutines: int(goroutines), open: d.Files()}
	for _, dir := range []string{"state", ".cache", ".local"} {
		err := filepath.WalkDir(filepath.Join(home.Dir, dir), func(_ string, entry os.DirEntry, err error) error {
			if err != nil || entry.IsDir() {
				return nil
			}
			info, err := entry.Info()
			if err == nil {
				m.files++
				m.bytes += info.Size()
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return m
}

// number reads one from the environment.
func number(t *testing.T, name string, otherwise int) int {
	t.Helper()
	text := os.Getenv(name)
	if text == "" {
		return otherwise
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return n
}
