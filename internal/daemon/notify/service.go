package notify

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/cenkalti/backoff/v5"
	"github.com/nicholas-fedor/shoutrrr/pkg/router"
	"github.com/nicholas-fedor/shoutrrr/pkg/types"
)

// service sends messages to chat and mail, through shoutrrr. Its sends know no
// context: the one to a mail server that says nothing never ends. So each runs
// on a goroutine that may be left behind, and only so many may be.
type service struct {
	url    string
	scheme string
	link   string
	slots  chan struct{} // one for each send under way
}

// maxStuck bounds the sends of one receiver that do not end.
const maxStuck = 3

func newService(r Receiver, o Options) (*service, string, error) {
	at, err := url.Parse(r.Service)
	if err != nil || at.Scheme == "" {
		return nil, "", errors.New("the service is no URL of shoutrrr, which begins with slack:// or smtp://, for example")
	}
	scheme, _, _ := strings.Cut(strings.ToLower(at.Scheme), "+")
	known := (&router.ServiceRouter{}).ListServices()
	if !slices.Contains(known, scheme) || scheme == "logger" {
		return nil, "", errors.New("the service is none that is known")
	}
	s := &service{url: r.Service, scheme: scheme, link: o.Link, slots: make(chan struct{}, maxStuck)}
	if scheme == "matrix" {
		at.User = url.UserPassword("", "token") // a client of Matrix logs in when it is made, if the URL names a user
		r.Service = at.String()
	}
	if _, err := client(r.Service); err != nil {
		return nil, "", fmt.Errorf("the URL of the %s service is not valid", scheme)
	}
	return s, scheme + " service", nil
}

// client is for one send: a send changes it, and one that is stuck may still use
// it. What goes wrong may hold any part of the URL.
func client(at string) (made types.Service, err error) {
	defer func() {
		if recover() != nil {
			err = errors.New("a panic")
		}
	}()
	return (&router.ServiceRouter{}).Locate(at)
}

// send makes one message of the events. The error says the cause and nothing of
// what the service answered, which may quote the URL.
func (s *service) send(ctx context.Context, events []event) error {
	title, text := message(events, s.link)
	params := types.Params{}
	if s.scheme == "smtp" {
		params.SetTitle(title)
	}
	select {
	case s.slots <- struct{}{}:
	default:
		return fmt.Errorf("%d earlier messages are stuck", maxStuck)
	}
	sent := make(chan error, 1)
	go func() {
		defer func() { <-s.slots }()
		sent <- s.speak(calm(text), params)
	}()
	var err error
	select {
	case err = <-sent:
	case <-ctx.Done():
		err = ctx.Err()
	}
	if err != nil {
		return cause(err)
	}
	return nil
}

// speak sends a text, and takes the time that it takes.
func (s *service) speak(text string, params types.Params) (err error) {
	defer func() {
		if recover() != nil {
			err = backoff.Permanent(errors.New("it cannot be spoken to"))
		}
	}()
	to, err := client(s.url)
	if err != nil { // the URL is valid, so it was the login
		return errLogin
	}
	return to.Send(text, &params)
}

func (*service) close() {}
