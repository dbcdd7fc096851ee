package devcloud

import (
	"bytes"
	"fmt"

	"profilesync/internal/devcloud/identity"
)

// Account is a user of the cloud: fixed, documented, and the same in every devcloud.
//
//	name      password  project   may
//	demo      demo      demo      change things (a first run works as this one)
//	tenant-a  tenant-a  tenant-a  change things
//	tenant-b  tenant-b  tenant-b  change things
//	reader-a  reader-a  tenant-a  change things too: Senlin's default policy does not look at roles
//	admin     admin     admin     see and change every project's things
//
// Each has an application credential as well: NAME-app with the secret NAME-secret.
type Account = identity.Account

// Accounts returns the users. The first is the one that a first run works as.
func Accounts() []Account { return identity.Accounts() }

// CloudsYAML returns a clouds.yaml for openstacksdk, the openstack command and gophercloud, for a cloud that they
// reach at baseURL. Each account has two entries: NAME with its password, and NAME-app with its application
// credential.
func CloudsYAML(baseURL string) []byte {
	var out bytes.Buffer
	fmt.Fprintf(&out, "# A toy cloud on this machine. Its users and passwords are the same everywhere: no secret is in here.\nclouds:\n")
	for _, a := range Accounts() {
		fmt.Fprintf(&out, `  %[1]s:
    auth:
      auth_url: %[3]q
      username: %[1]q
      password: %[2]q
      project_name: %[4]q
      user_domain_name: Default
      project_domain_name: Default
    region_name: RegionOne
    identity_api_version: 3
    interface: public
  %[5]s:
    auth_type: v3applicationcredential
    auth:
      auth_url: %[3]q
      application_credential_id: %[6]q
      application_credential_secret: %[7]q
    region_name: RegionOne
    identity_api_version: 3
    interface: public
`, a.Name, a.Password, AuthURL(baseURL), a.Project, a.CredentialName(), a.CredentialID(), a.CredentialSecret())
	}
	return out.Bytes()
}
