package deploy

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// exposed is what systemd-analyze may find, and no more: that the service talks
// to networks, wherever the clouds are, reads the host's files, and asks for the
// time of day.
func exposed() []string {
	return []string{
		"RootDirectory=/RootImage=", "RestrictAddressFamilies=~AF_UNIX", "RestrictAddressFamilies=~AF_(INET|INET6)",
		"PrivateNetwork=", "DeviceAllow=", "IPAddressDeny=",
	}
}

// unit is the service with a program that is there, alone in a directory.
func unit(t *testing.T) (file string) {
	t.Helper()
	dir := t.TempDir()
	program := filepath.Join(dir, "profilesync")
	write(t, program, "#!/bin/sh\n", 0o755)
	text := read(t, "deploy", "systemd", "profilesync.service")
	if !strings.Contains(text, "ExecStart=/usr/local/bin/profilesync daemon ") {
		t.Fatal("the unit starts something else")
	}
	file = filepath.Join(dir, "profilesync.service")
	write(t, file, strings.Replace(text, "/usr/local/bin/profilesync", program, 1), 0o644)
	return file
}

// Verify ends well even when it ignores a line that it does not understand, so
// it must not say anything about this unit either.
func TestSystemdTakesTheUnit(t *testing.T) {
	file := unit(t)
	verify := tool(t, "systemd-analyze", "verify", "--man=no", file)
	verify.Env = append(verify.Environ(), "SYSTEMD_UNIT_PATH="+filepath.Dir(file)+":/usr/lib/systemd/system:/lib/systemd/system")
	if said := output(t, verify); strings.Contains(said, "profilesync") {
		t.Error(said)
	}
}

func TestAMistakeInTheUnitIsFound(t *testing.T) {
	file := unit(t)
	text := read(t, "deploy", "systemd", "profilesync.service")
	write(t, file, strings.Replace(text, "ProtectSystem=strict", "ProtectSystem=sternly", 1), 0o644)
	verify := tool(t, "systemd-analyze", "verify", "--man=no", file)
	if said, _ := verify.CombinedOutput(); !strings.Contains(string(said), "profilesync.service") {
		t.Errorf("nothing was said: %s", said)
	}
}

func TestTheServiceIsLittleExposed(t *testing.T) {
	said := output(t, tool(t, "systemd-analyze", "security", "--offline=true", "--no-pager", "--threshold=15", unit(t)))
	var found []string
	for line := range strings.Lines(said) {
		if words := strings.Fields(line); len(words) > 1 && words[0] == "✗" {
			found = append(found, words[1])
		}
		if strings.Contains(line, "Overall") {
			t.Log(strings.TrimSpace(line))
		}
	}
	slices.Sort(found)
	if want := slices.Sorted(slices.Values(exposed())); !slices.Equal(found, want) {
		t.Errorf("exposed by %q, want %q", found, want)
	}
}
