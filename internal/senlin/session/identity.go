package session

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/gophercloud/gophercloud"
	"github.com/gophercloud/gophercloud/openstack"
	"github.com/gophercloud/gophercloud/openstack/identity/v3/tokens"

	"profilesync/internal/profile"
	"profilesync/internal/senlin/clouds"
)

// identity is who logs in to which cloud, and over what.
type identity struct {
	cloud     clouds.Cloud
	transport *transport
	userAgent string
}

// login asks Keystone for a token. The provider that comes back is good for a
// single login: who keeps it gives later requests their contexts by other means.
func (id identity) login(ctx context.Context) (provider *gophercloud.ProviderClient, err error) {
	err = retry(ctx, id.transport.timeout, func() error {
		provider, err = openstack.NewClient(id.cloud.Auth.IdentityEndpoint)
		if err != nil {
			return fmt.Errorf("%w: auth_url of %s: %w", clouds.ErrNoConfig, id.cloud, innermost(err))
		}
		provider.HTTPClient = http.Client{Transport: id.transport, CheckRedirect: follow}
		provider.Context = ctx
		if id.userAgent != "" {
			provider.UserAgent.Prepend(id.userAgent)
		}
		if err := openstack.Authenticate(provider, id.cloud.Auth); err != nil {
			return id.rejection(ctx, err)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	provider.Context = nil
	return provider, nil
}

// rejection makes an error of a login that failed.
func (id identity) rejection(ctx context.Context, err error) error {
	var answer gophercloud.ErrUnexpectedResponseCode
	var inURL *url.Error
	var begun *cut
	var syntax *json.SyntaxError
	var shape *json.UnmarshalTypeError
	switch {
	case errors.As(err, &answer):
		return id.keystoneSays(Request{Secrets: id.cloud.Secrets()}.refusal(answer))
	case errors.As(err, &inURL):
		return Request{}.loss(strings.ToUpper(inURL.Op), inURL.URL, &call{ctx: ctx, limit: answerLimit}, id.transport.timeout, err)
	case errors.As(err, &syntax), errors.As(err, &shape), errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		at := plainURL(id.cloud.Auth.IdentityEndpoint)
		return &Error{URL: at, Message: at + " does not answer as a Keystone v3 does", kinds: []error{ErrNotKeystone}}
	case errors.Is(err, errTooLarge):
		at := plainURL(id.cloud.Auth.IdentityEndpoint)
		return &Error{URL: at, Message: fmt.Sprintf("%s answered more than %d MiB", at, answerLimit>>20), kinds: []error{ErrNotKeystone}}
	case errors.As(err, &begun):
		return Request{}.loss(begun.method, begun.address, &call{ctx: ctx, limit: answerLimit}, id.transport.timeout, err)
	}
	return fmt.Errorf("%w: login to %s: %s", clouds.ErrNoConfig, id.cloud, scrub(oneLine(err.Error()), id.cloud.Secrets()))
}

// keystoneSays gives an error answer the meaning that it has at Keystone.
func (id identity) keystoneSays(e *Error) *Error {
	switch {
	case e.again: // it is down for a while, and the words say so
		e.kinds = []error{profile.ErrUnavailable}
		e.Message = e.URL + " answered: " + e.Message
	case e.Status == http.StatusUnauthorized, e.Status == http.StatusForbidden:
		e.kinds = []error{ErrAuth, profile.ErrDenied}
		e.Message = fmt.Sprintf("Keystone at %s refused %s: %s", plainURL(id.cloud.Auth.IdentityEndpoint), id.cloud.Who(), e.Message)
	case errors.Is(e, ErrNotSenlin):
		e.kinds = []error{ErrNotKeystone}
	case e.Status == http.StatusBadRequest:
		e.kinds = []error{clouds.ErrNoConfig}
		e.Message = fmt.Sprintf("Keystone at %s cannot log in %s: %s", plainURL(id.cloud.Auth.IdentityEndpoint), id.cloud.Who(), e.Message)
	default:
		e.kinds = []error{ErrNotKeystone}
		e.Message = e.URL + " answered: " + e.Message
	}
	return e
}

// grant reads out of the token what it is good for.
func (id identity) grant(provider *gophercloud.ProviderClient) (project string, catalog []tokens.CatalogEntry, err error) {
	token, ok := provider.GetAuthResult().(interface {
		ExtractProject() (*tokens.Project, error)
		ExtractServiceCatalog() (*tokens.ServiceCatalog, error)
	})
	at := plainURL(id.cloud.Auth.IdentityEndpoint)
	if !ok || provider.Token() == "" {
		return "", nil, &Error{URL: at, Message: at + " does not answer as a Keystone v3 does", kinds: []error{ErrNotKeystone}}
	}
	scope, err := token.ExtractProject()
	if err != nil || scope == nil || scope.ID == "" {
		return "", nil, fmt.Errorf("%w: token of %s is not scoped to a project, project_name or project_id is missing", clouds.ErrNoConfig, id.cloud)
	}
	services, err := token.ExtractServiceCatalog()
	if err != nil {
		return "", nil, &Error{URL: at, Message: at + " answered a catalog that cannot be read", kinds: []error{ErrNotKeystone}}
	}
	return scope.ID, services.Entries, nil
}
