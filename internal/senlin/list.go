package senlin

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/gophercloud/gophercloud"

	"profilesync/internal/profile"
	"profilesync/internal/senlin/session"
)

// The limits of one list, whatever the server says.
const (
	maxPages    = 1000
	maxRestarts = 5
	listTime    = 10 * time.Minute
	// listLimit and listWeight are of all pages together. Ten thousand ordinary
	// profiles have 5 MB, and weigh 700,000.
	listLimit  = 128 << 20
	listWeight = 8_000_000
)

var errListTime = fmt.Errorf("the list took longer than %s: %w", listTime, session.ErrTimeout)

// collection is a list of the API.
type collection[T any] struct {
	path   string // under /v1
	query  url.Values
	decode func(body []byte) ([]T, error)
	id     func(T) string
}

// read gives a collection whole.
//
// Senlin 14 answers everything when no limit is asked for, and neither a link
// nor a total says whether it did; a server or a proxy in between may cap the
// answer, and a profile that is not seen is one that is made a second time. So
// the rows after the last one are asked for until there are none. The first
// such request has limit=1: to a server that does not cap, it costs one look-up.
//
// A marker that has been deleted meanwhile does not fail: Senlin then begins
// again at the first row. A row seen twice tells, and the list is read anew.
func (l collection[T]) read(ctx context.Context, c *Client) ([]T, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, listTime, errListTime)
	defer cancel()
	for range maxRestarts {
		rows, whole, err := l.sweep(ctx, c)
		if whole || err != nil {
			return rows, err
		}
	}
	return nil, fmt.Errorf("list of %s at %s changed whenever it was read: %w", l.path, c.session.Service(), profile.ErrUnavailable)
}

// sweep reads page after page. It is not whole when a row came twice.
func (l collection[T]) sweep(ctx context.Context, c *Client) (rows []T, whole bool, err error) {
	seen := map[string]bool{}
	marker := ""
	var read allowance
	for page := range maxPages {
		limit := ""
		if page == 1 {
			limit = "1"
		}
		got, err := l.page(ctx, c, marker, limit, &read)
		if err != nil {
			return nil, false, err
		}
		if len(got) == 0 {
			return rows, true, nil
		}
		for _, row := range got {
			marker = l.id(row)
			if seen[marker] {
				return nil, false, nil
			}
			seen[marker] = true
		}
		rows = append(rows, got...)
	}
	return nil, false, fmt.Errorf("list of %s at %s does not end: %w", l.path, c.session.Service(), ErrNotSenlin)
}

// allowance is what the pages of a list have had so far.
type allowance struct{ bytes, weight int }

func (a *allowance) take(page []byte) error {
	if a.bytes += len(page); a.bytes > listLimit {
		return fmt.Errorf("more than %d MiB in one list", listLimit>>20)
	}
	weight, _ := weigh(page)
	if a.weight += weight; a.weight > listWeight {
		return errors.New("more values in one list than are read")
	}
	return nil
}

func (l collection[T]) page(ctx context.Context, c *Client, marker, limit string, read *allowance) (rows []T, err error) {
	query := url.Values{}
	for key, values := range l.query {
		query[key] = values
	}
	if marker != "" {
		query.Set("marker", marker)
	}
	if limit != "" {
		query.Set("limit", limit)
	}
	err = c.session.Do(ctx, session.Request{
		Limit: listLimit,
		Send: func(s *gophercloud.ServiceClient) (*http.Response, error) {
			address := s.ServiceURL("v1", l.path)
			if len(query) > 0 {
				address += "?" + query.Encode()
			}
			return s.Get(address, nil, session.Keep(nil, http.StatusOK))
		},
		Read: func(body []byte) error {
			if err := read.take(body); err != nil {
				return err
			}
			rows, err = l.decode(body)
			return err
		},
	})
	return rows, err
}
