package clouds

import (
	"errors"
	"strings"
	"testing"

	"github.com/gophercloud/utils/openstack/clientconfig"
)

// Whatever the files hold, an entry is a cloud that can be asked, or one of the
// errors that say what to do.
func FuzzCloud(f *testing.F) {
	for _, text := range []string{
		one, two,
		"clouds: {one: {profile: vendor}}\npublic-clouds: {vendor: {auth: " + ann + "}}",
		"clouds: {one: {regions: [{name: a, values: {auth: " + bob + "}}], auth: " + ann + "}}",
		"x: &x {auth: " + ann + "}\nclouds: {one: {<<: *x, verify: no, interface: internal}}",
		"clouds: {one: {auth_type: token, auth: {auth_url: http://k, token: t, system_scope: all}}}",
		"clouds: {one: {auth: {auth_url: http://k, application_credential_name: n, application_credential_secret: s}}}",
		"clouds: {one: null, two: }", "a: &a [*a]", "\x00",
	} {
		f.Add([]byte(text), []byte(""))
		f.Add([]byte(text), []byte("clouds: {one: {auth: {password: 1e3}}}"))
	}
	f.Fuzz(func(t *testing.T, text, secret []byte) {
		var content, other struct {
			Clouds map[string]clientconfig.Cloud `yaml:"clouds"`
			Public map[string]clientconfig.Cloud `yaml:"public-clouds"`
		}
		if decode(text, []any{&content}) != nil || decode(secret, []any{&other}) != nil {
			return
		}
		found := cloudFiles{main: "clouds.yaml", clouds: content.Clouds, secure: other.Clouds, public: content.Public}
		for name := range found.clouds {
			c, err := found.cloud(Options{Getenv: func(string) string { return "" }}, name)
			switch {
			case err == nil && c.Auth.IdentityEndpoint == "":
				t.Errorf("%q is a cloud without an address", name)
			case err != nil && !errors.Is(err, ErrNoConfig) && !errors.Is(err, ErrNoCloud):
				t.Errorf("%q: %v has no hint", name, err)
			case err != nil && c.Auth.Password != "" && strings.Contains(err.Error(), c.Auth.Password):
				t.Errorf("%q: the error shows the password", name)
			}
		}
	})
}
