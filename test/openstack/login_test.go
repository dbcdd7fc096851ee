//go:build openstack

package openstack

import (
	"context"
	"errors"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/gophercloud/gophercloud"
	"github.com/gophercloud/gophercloud/openstack/clustering/v1/clusters"
	"github.com/gophercloud/gophercloud/openstack/clustering/v1/profiles"
	"github.com/gophercloud/utils/openstack/clientconfig"
	"sigs.k8s.io/yaml"
)

// patience bounds everything that a story waits for. The slowest, a cluster with a node, took three seconds.
const patience = time.Minute

// login is an entry of a clouds.yaml.
type login struct{ file, cloud string }

// senlin logs in and returns gophercloud's client. An empty microversion leaves the choice to Senlin, which takes the first.
func (l login) senlin(t testing.TB, microversion string) *gophercloud.ServiceClient {
	t.Helper()
	transport := http.DefaultTransport.(*http.Transport).Clone()
	t.Cleanup(transport.CloseIdleConnections)
	client, err := clientconfig.NewServiceClient("clustering", &clientconfig.ClientOpts{
		Cloud: l.cloud, YAMLOpts: cloudsFile(l.file), EnvPrefix: "PROFILESYNC_TEST_NONE_",
		HTTPClient: &http.Client{Transport: transport, Timeout: patience},
	})
	if err != nil {
		t.Fatalf("log in to %q of %s: %v", l.cloud, l.file, err)
	}
	client.Microversion = microversion
	return client
}

// sweep deletes the clusters and profiles whose names begin with a prefix.
func (l login) sweep(t testing.TB, prefix string) {
	t.Helper()
	senlin := l.senlin(t, "")
	for _, cluster := range allClusters(t, senlin) {
		if strings.HasPrefix(cluster.Name, prefix) {
			deleteCluster(t, senlin, cluster.ID)
		}
	}
	for _, profile := range allProfiles(t, senlin) {
		if strings.HasPrefix(profile.Name, prefix) {
			if err := profiles.Delete(senlin, profile.ID).ExtractErr(); err != nil {
				t.Errorf("delete profile %q: %v", profile.Name, err)
			}
		}
	}
}

func allProfiles(t testing.TB, senlin *gophercloud.ServiceClient) []profiles.Profile {
	t.Helper()
	page, err := profiles.List(senlin, profiles.ListOpts{Sort: "name,created_at"}).AllPages()
	if err != nil {
		t.Fatalf("list profiles: %v", err)
	}
	all, err := profiles.ExtractProfiles(page)
	if err != nil {
		t.Fatalf("list profiles: %v", err)
	}
	return all
}

func allClusters(t testing.TB, senlin *gophercloud.ServiceClient) []clusters.Cluster {
	t.Helper()
	page, err := clusters.List(senlin, nil).AllPages()
	if err != nil {
		t.Fatalf("list clusters: %v", err)
	}
	all, err := clusters.ExtractClusters(page)
	if err != nil {
		t.Fatalf("list clusters: %v", err)
	}
	return all
}

// createCluster makes a cluster without nodes and returns its id when it is there to stay.
func createCluster(t testing.TB, senlin *gophercloud.ServiceClient, name, profile string) (id string) {
	t.Helper()
	made, err := clusters.Create(senlin, clusters.CreateOpts{Name: name, ProfileID: profile, MaxSize: -1}).Extract()
	if err != nil {
		t.Fatalf("create cluster %q: %v", name, err)
	}
	await(t, "cluster "+name+" is ACTIVE", func() bool {
		cluster, err := clusters.Get(senlin, made.ID).Extract()
		if err != nil {
			t.Fatalf("read cluster %q: %v", name, err)
		}
		return cluster.Status == "ACTIVE"
	})
	return made.ID
}

// deleteCluster deletes a cluster that has nothing else to do and returns when it is gone.
func deleteCluster(t testing.TB, senlin *gophercloud.ServiceClient, id string) {
	t.Helper()
	if err := clusters.Delete(senlin, id).ExtractErr(); err != nil {
		t.Fatalf("delete cluster %q: %v", id, err)
	}
	awaitGone(t, senlin, id)
}

func awaitGone(t testing.TB, senlin *gophercloud.ServiceClient, id string) {
	t.Helper()
	await(t, "cluster "+id+" is gone", func() bool {
		_, err := clusters.Get(senlin, id).Extract()
		return errors.As(err, &gophercloud.ErrDefault404{})
	})
}

// await asks every tenth of a second whether something is so.
func await(t testing.TB, what string, so func() bool) {
	t.Helper()
	bounded, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for !so() {
		select {
		case <-bounded.Done():
			t.Fatalf("not within %s: %s", patience, what)
		case <-tick.C:
		}
	}
}

// cloudsFile is a clouds.yaml by its path: clientconfig would look for one by the environment, which stories that run side by
// side share.
type cloudsFile string

func (f cloudsFile) LoadCloudsYAML() (map[string]clientconfig.Cloud, error) {
	text, err := os.ReadFile(string(f))
	if err != nil {
		return nil, err
	}
	var file clientconfig.Clouds
	err = yaml.Unmarshal(text, &file)
	return file.Clouds, err
}

func (cloudsFile) LoadSecureCloudsYAML() (map[string]clientconfig.Cloud, error) { return nil, nil }
func (cloudsFile) LoadPublicCloudsYAML() (map[string]clientconfig.Cloud, error) { return nil, nil }
