package identity

import (
	"crypto/sha256"
	"encoding/hex"
)

// Account is a user of the toy cloud, with the one project it may work in. Everything about it is fixed and
// documented: the cloud listens on loopback, for trying things out.
type Account struct {
	Name     string // the user's name, and the name of its entry in clouds.yaml
	Password string
	Project  string   // the project's name
	Roles    []string // in that project: reader; reader and member; reader, member and admin
}

// Accounts returns the users. The first is the one a first run works as.
func Accounts() []Account {
	member := []string{"reader", "member"}
	return []Account{
		{Name: "demo", Password: "demo", Project: "demo", Roles: member},
		{Name: "tenant-a", Password: "tenant-a", Project: "tenant-a", Roles: member},
		{Name: "tenant-b", Password: "tenant-b", Project: "tenant-b", Roles: member},
		{Name: "reader-a", Password: "reader-a", Project: "tenant-a", Roles: []string{"reader"}},
		{Name: "admin", Password: "admin", Project: "admin", Roles: []string{"reader", "member", "admin"}},
	}
}

// id makes a stable identifier of Keystone's form.
func id(kind, name string) string {
	sum := sha256.Sum256([]byte("devcloud " + kind + " " + name))
	return hex.EncodeToString(sum[:16])
}

// UserID returns the user's id.
func (a Account) UserID() string { return id("user", a.Name) }

// ProjectID returns the id of the account's project.
func (a Account) ProjectID() string { return id("project", a.Project) }

// CredentialID returns the id of the account's application credential, which is restricted to its project.
func (a Account) CredentialID() string { return id("application credential", a.Name) }

// CredentialName returns the name of the account's application credential.
func (a Account) CredentialName() string { return a.Name + "-app" }

// CredentialSecret returns the secret of the account's application credential.
func (a Account) CredentialSecret() string { return a.Name + "-secret" }

func (a Account) isAdmin() bool {
	for _, r := range a.Roles {
		if r == "admin" {
			return true
		}
	}
	return false
}

// The one domain.
const (
	domainID   = "default"
	domainName = "Default"
)

// find returns the first account that ok says yes to.
func find(ok func(Account) bool) (Account, bool) {
	for _, a := range Accounts() {
		if ok(a) {
			return a, true
		}
	}
	return Account{}, false
}

// projects returns one account per project.
func projects() []Account {
	var all []Account
	seen := map[string]bool{}
	for _, a := range Accounts() {
		if !seen[a.Project] {
			seen[a.Project] = true
			all = append(all, a)
		}
	}
	return all
}
