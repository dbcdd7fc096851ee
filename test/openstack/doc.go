// Package openstack tests profilesync against a real Keystone and Senlin. Its tests are built with the tag openstack only.
package openstack
