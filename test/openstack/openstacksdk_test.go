//go:build openstack

package openstack

import (
	"path/filepath"
	"testing"
)

// tellOpenstackSDK tells the story of openstacksdk, which is in testdata/openstacksdk.py.
func tellOpenstackSDK(t *testing.T, as login, name string) string {
	needDebiansClients(t)
	script, err := filepath.Abs("testdata/openstacksdk.py")
	if err != nil {
		t.Fatal(err)
	}
	status, stdout, stderr := run(t, t.TempDir(), as.file, "/usr/bin/python3", script, as.cloud, name)
	if status != 0 {
		t.Fatalf("exit status %d after\n%s\n%s", status, stdout, stderr)
	}
	return stdout
}
