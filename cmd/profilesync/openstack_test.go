//go:build openstack

package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestOpenStackStories runs the stories on a real cloud, one after the other in
// the same projects, which are emptied before each.
func TestOpenStackStories(t *testing.T) {
	file := realClouds(t)
	for _, story := range cloudStories(t) {
		text, err := os.ReadFile(story)
		if err != nil {
			t.Fatal(err)
		}
		for _, account := range []string{"tenant-a", "tenant-b"} {
			if !strings.Contains(string(text), account) {
				continue
			}
			if err := empty(&api{cloudsFile: file}, account); err != nil {
				t.Fatal(err)
			}
		}
		t.Run(strings.TrimSuffix(filepath.Base(story), ".txtar"), func(t *testing.T) { tell(t, story, file) })
	}
}

// realClouds is the clouds.yaml of a real cloud. A missing one is a failure.
func realClouds(t *testing.T) string {
	t.Helper()
	file := os.Getenv("PROFILESYNC_TEST_CLOUDS_FILE")
	if file == "" {
		t.Fatal("PROFILESYNC_TEST_CLOUDS_FILE names no clouds.yaml: start one with scripts/openstack start")
	}
	return file
}

// empty deletes the clusters, nodes and profiles of an account's project.
func empty(a *api, account string) error {
	s, err := a.logIn(account)
	if err != nil {
		return err
	}
	for _, kind := range []string{"clusters", "nodes", "profiles"} {
		all, err := a.things(s, kind)
		if err != nil {
			return err
		}
		for _, one := range all {
			if one.Project != s.project {
				continue
			}
			_, header, _, err := s.do("DELETE", "/v1/"+kind+"/"+one.ID, "")
			if err != nil {
				return err
			}
			if location := header.Get("Location"); location != "" {
				if err := s.wait(location); err != nil {
					return err
				}
			}
		}
	}
	return nil
}
