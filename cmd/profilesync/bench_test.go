package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"

	"profilesync/internal/apply"
	"profilesync/internal/devcloud"
	"profilesync/internal/diff"
	"profilesync/internal/reconcile"
	"profilesync/internal/senlin"
	"profilesync/internal/source"
)

// BenchmarkPlanInSync plans 10,000 profiles that are in sync, from a Git
// repository to the embedded cloud, as a whole process. The target is 1.5 s and
// 200 MiB on 2 cores.
func BenchmarkPlanInSync(b *testing.B) {
	dir := b.TempDir()
	docs := filepath.Join(dir, "repo", "docs")
	writeDocuments(b, docs, 10_000)
	for _, args := range [][]string{
		{"init", "-q", "-b", "main"},
		{"add", "-A"},
		{"-c", "user.name=Operator", "-c", "user.email=operator@example.org", "commit", "-q", "-m", "all"},
	} {
		command(b, "git", append([]string{"-C", filepath.Join(dir, "repo")}, args...)...)
	}
	fill(b, filepath.Join(dir, "state"), docs)
	binary := filepath.Join(dir, "profilesync")
	command(b, "go", "build", "-o", binary, ".")
	peak := int64(0)
	b.ResetTimer()
	for b.Loop() {
		cmd := exec.Command(binary, "plan", "--detailed-exitcode", "--source", filepath.Join(dir, "repo"), "--path", "docs", "--owner", "us", "--cloud", "devcloud")
		cmd.Env = append(os.Environ(), "XDG_STATE_HOME="+filepath.Join(dir, "state"))
		output, err := cmd.CombinedOutput()
		if err != nil || !bytes.Contains(output, []byte("In sync: 10000 profiles")) {
			b.Fatalf("%v\n%s", err, output)
		}
		peak = max(peak, cmd.ProcessState.SysUsage().(*syscall.Rusage).Maxrss)
	}
	b.ReportMetric(float64(peak)/1024, "MiB-peak")
}

// BenchmarkVersion is what it costs to start the program. The target is 30 ms.
func BenchmarkVersion(b *testing.B) {
	binary := filepath.Join(b.TempDir(), "profilesync")
	command(b, "go", "build", "-o", binary, ".")
	b.ResetTimer()
	for b.Loop() {
		command(b, binary, "version")
	}
}

func command(b *testing.B, name string, args ...string) {
	b.Helper()
	if output, err := exec.Command(name, args...).CombinedOutput(); err != nil {
		b.Fatalf("%s %v: %v\n%s", name, args, err, output)
	}
}

func writeDocuments(b *testing.B, dir string, n int) {
	b.Helper()
	if err := os.MkdirAll(dir, 0o755); err != nil {
		b.Fatal(err)
	}
	for i := range n {
		text := fmt.Sprintf(`name: p%05d
metadata: {team: web, tier: front, number: %d}
spec:
  type: os.nova.server
  version: "1.0"
  properties:
    flavor: m1.small
    image: debian-12
    key_name: ops
    name: server-%d
    networks:
      - network: private
      - network: storage
    security_groups: [default, web]
    metadata: {role: web, index: "%d"}
    user_data: "#cloud-config"
`, i, i, i, i)
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("p%05d.yaml", i)), []byte(text), 0o600); err != nil {
			b.Fatal(err)
		}
	}
}

// fill brings the embedded cloud of a state directory into sync, without
// waiting for the disk.
func fill(b *testing.B, state, docs string) {
	b.Helper()
	s := &settings{process: process{lookup: func(name string) (string, bool) { return state, name == "XDG_STATE_HOME" }}}
	cloud, err := devcloud.Open(devcloud.Options{Path: s.devcloudFile(), BaseURL: devcloudURL, Unsynced: true})
	if err != nil {
		b.Fatal(err)
	}
	client, err := senlin.Connect(b.Context(), senlin.Options{Transport: cloud.Transport(), Login: devcloudLogin()})
	if err != nil {
		b.Fatal(err)
	}
	set, _, err := reconcile.Documents(b.Context(), source.Directory{Dir: docs})
	if err != nil {
		b.Fatal(err)
	}
	pass := reconcile.Pass{Cloud: client, Options: diff.Options{Owner: "us", Prune: true}, Apply: apply.Options{Parallel: 8}}
	planned, err := pass.Plan(b.Context(), set)
	if err != nil {
		b.Fatal(err)
	}
	result, err := pass.Carry(b.Context(), planned)
	if err != nil || result.Failed() {
		b.Fatalf("%v: %v", err, result.Count())
	}
	if err := cloud.Close(); err != nil {
		b.Fatal(err)
	}
}
