// Package openstack tests profilesync against a real Keystone and Senlin. Its tests are built with the tag openstack only:
//
//	PROFILESYNC_TEST_CLOUDS_FILE=clouds.yaml go test -tags openstack ./test/openstack/
//
// The file is a clouds.yaml with the clouds admin, tenant-a, tenant-b and reader-a. The tests delete every cluster, node and
// profile of tenant-a and tenant-b. Without the variable, or with a cloud that does not answer, they fail.
//
// Those that take services of the cloud away need PROFILESYNC_TEST_OPENSTACK as well, the path of a scripts/openstack whose settings are
// those of the cloud. Without it they are skipped, and on a machine with CI set they fail.
package openstack
