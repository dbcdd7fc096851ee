package clouds

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/gophercloud/gophercloud"
	"github.com/gophercloud/utils/openstack/clientconfig"
)

// What can be wrong before anybody is asked.
var (
	// ErrNoConfig: no cloud is configured, or its configuration is incomplete.
	ErrNoConfig = errors.New("no usable cloud configuration")
	// ErrNoCloud: clouds.yaml has no entry of this name.
	ErrNoCloud = errors.New("no such cloud")
)

// Options say which cloud is meant.
type Options struct {
	// Name is that of an entry of clouds.yaml. Empty means what every OpenStack
	// client takes then: the entry named by OS_CLOUD, else the OS_* variables, else
	// the only entry of clouds.yaml.
	Name string
	// Region and Project replace those of the cloud. The project is a name in the
	// same domain, or an id (32 hexadecimal digits).
	Region, Project string
	// Login, when not nil, is used instead of clouds.yaml and the environment.
	Login *Login
	// Getenv reads the environment, as os.Getenv does: the OS_* variables, HOME
	// and XDG_CONFIG_HOME. Nil means an empty environment.
	Getenv func(name string) string
}

// Login is a cloud without a clouds.yaml: a user of the domain "default".
type Login struct {
	AuthURL  string // of Keystone v3, "http://host:5000/v3"
	Username string
	Password string
	Project  string // name
	Region   string // may be empty
}

// Cloud is where to log in, and how to reach the services from there.
type Cloud struct {
	Name     string                   // of its entry in clouds.yaml, or ""
	Auth     gophercloud.AuthOptions  // never with AllowReauth
	Region   string                   // "" when nothing says
	Reach    gophercloud.Availability // which of a service's URLs to take
	Override string                   // the clustering service's URL, instead of the catalog's; may be empty

	cacert, cert, key string // files
	insecure          bool
}

// String names the cloud in messages.
func (c Cloud) String() string {
	if c.Name == "" {
		return "the cloud"
	}
	return fmt.Sprintf("cloud %q", c.Name)
}

// Who names who logs in, and to which project, for messages: Keystone does not
// tell a wrong password from a project that is not there.
func (c Cloud) Who() string {
	switch scope := c.Auth.Scope; {
	case c.Auth.ApplicationCredentialID != "" || c.Auth.ApplicationCredentialName != "":
		return fmt.Sprintf("application credential %q", c.Auth.ApplicationCredentialID+c.Auth.ApplicationCredentialName)
	case c.Auth.TokenID != "":
		return "a token"
	case scope == nil:
		return fmt.Sprintf("user %q", c.Auth.Username+c.Auth.UserID)
	default:
		return fmt.Sprintf("user %q for project %q", c.Auth.Username+c.Auth.UserID, scope.ProjectName+scope.ProjectID)
	}
}

// Secrets is what a message must not show.
func (c Cloud) Secrets() []string {
	return slices.DeleteFunc([]string{c.Auth.Password, c.Auth.ApplicationCredentialSecret, c.Auth.TokenID},
		func(secret string) bool { return secret == "" })
}

// Find finds the cloud that the options mean. Its errors are [ErrNoCloud] and
// [ErrNoConfig].
func Find(options Options) (Cloud, error) {
	if options.Getenv == nil {
		options.Getenv = func(string) string { return "" }
	}
	if options.Login != nil {
		return options.Login.cloud(options)
	}
	name := options.Name
	if name == "" {
		name = options.Getenv("OS_CLOUD")
	}
	if name == envvars || (name == "" && options.Getenv("OS_AUTH_URL") != "") {
		return fromEnvironment(options)
	}
	return fromFiles(options, name)
}

func (l Login) cloud(options Options) (Cloud, error) {
	return assemble(options, "", "", clientconfig.Cloud{
		RegionName: l.Region,
		AuthInfo: &clientconfig.AuthInfo{
			AuthURL: l.AuthURL, Username: l.Username, Password: l.Password,
			ProjectName: l.Project, UserDomainID: "default", ProjectDomainID: "default",
		},
	})
}

// noPrefix keeps clientconfig from the environment: leftover OS_USERNAME and the
// like would be mixed into a chosen cloud.
const noPrefix = "PROFILESYNC_NONE_"

// assemble makes a cloud of an entry.
func assemble(options Options, name, override string, entry clientconfig.Cloud) (Cloud, error) {
	home := options.Getenv("HOME")
	c := Cloud{
		Name: name, Region: entry.RegionName, Override: override,
		Reach:  clientconfig.GetEndpointType(entry.EndpointType),
		cacert: expand(entry.CACertFile, home),
		cert:   expand(entry.ClientCertFile, home), key: expand(entry.ClientKeyFile, home),
		insecure: entry.Verify != nil && !*entry.Verify,
	}
	if options.Region != "" {
		c.Region = options.Region
	}
	if entry.AuthInfo == nil || entry.AuthInfo.AuthURL == "" {
		return Cloud{}, fmt.Errorf("%w: auth_url of %s is missing", ErrNoConfig, c)
	}
	if strings.Contains(entry.AuthInfo.AuthURL, "/v2.0") {
		return Cloud{}, fmt.Errorf("%w: auth_url of %s is that of a Keystone v2, which is not supported", ErrNoConfig, c)
	}
	info := *entry.AuthInfo
	if isApplicationCredential(info) && options.Project != "" {
		return Cloud{}, fmt.Errorf("%w: %s logs in with an application credential, which is bound to its project", ErrNoConfig, c)
	}
	info = credentials(info, options.Project)
	auth, err := clientconfig.AuthOptions(&clientconfig.ClientOpts{AuthInfo: &info, EnvPrefix: noPrefix})
	if err != nil {
		return Cloud{}, fmt.Errorf("%w: %s: %w", ErrNoConfig, c, err)
	}
	c.Auth = *auth
	c.Auth.AllowReauth = false // whoever holds the session renews
	return c, nil
}

var projectID = regexp.MustCompile(`^[0-9a-f]{32}$`)

func isApplicationCredential(info clientconfig.AuthInfo) bool {
	return info.ApplicationCredentialID != "" || info.ApplicationCredentialName != ""
}

// credentials puts right what clientconfig and gophercloud would stumble over,
// and chooses the project.
func credentials(info clientconfig.AuthInfo, project string) clientconfig.AuthInfo {
	if info.DefaultDomain == "" {
		info.DefaultDomain = "default" // as the openstack command has it
	}
	switch {
	case isApplicationCredential(info):
		return applicationCredential(info)
	case projectID.MatchString(project):
		info.ProjectID, info.ProjectName = project, ""
	case project != "":
		info.ProjectID, info.ProjectName = "", project
	}
	return info
}

// applicationCredential keeps only what goes with one: it says by itself who
// logs in, and where to. One that is given by its name needs the user whose it
// is.
func applicationCredential(info clientconfig.AuthInfo) clientconfig.AuthInfo {
	kept := clientconfig.AuthInfo{
		AuthURL:                     info.AuthURL,
		ApplicationCredentialID:     info.ApplicationCredentialID,
		ApplicationCredentialSecret: info.ApplicationCredentialSecret,
	}
	if kept.ApplicationCredentialID != "" {
		return kept
	}
	kept.ApplicationCredentialName = info.ApplicationCredentialName
	if kept.UserID = info.UserID; kept.UserID != "" {
		return kept
	}
	kept.Username = info.Username
	kept.UserDomainID, kept.UserDomainName = info.UserDomainID, info.UserDomainName
	if kept.UserDomainID == "" && kept.UserDomainName == "" {
		kept.DomainID, kept.DomainName, kept.DefaultDomain = info.DomainID, info.DomainName, info.DefaultDomain
	}
	return kept
}
