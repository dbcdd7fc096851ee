package conformance

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
)

// caller speaks to one base address with one token. It is a value: at, without and with give changed copies.
type caller struct {
	http          *http.Client
	base          string // no trailing slash; paths are put behind it as they are
	token         string
	project, user string   // ids
	headers       []string // names and values in turn
}

// with adds one header to every request.
func (c caller) with(name, value string) caller {
	c.headers = append(append([]string(nil), c.headers...), name, value)
	return c
}

// at asks for a microversion, such as "1.6" or "latest".
func (c caller) at(version string) caller {
	return c.with("OpenStack-API-Version", "clustering "+version)
}

// withToken speaks with another token; "" sends none.
func (c caller) withToken(token string) caller {
	c.token = token
	return c
}

func (c caller) get(t testing.TB, path string) answer {
	t.Helper()
	return c.do(t, http.MethodGet, path, "")
}

func (c caller) post(t testing.TB, path, body string) answer {
	t.Helper()
	return c.do(t, http.MethodPost, path, body)
}

func (c caller) patch(t testing.TB, path, body string) answer {
	t.Helper()
	return c.do(t, http.MethodPatch, path, body)
}

func (c caller) delete(t testing.TB, path string) answer {
	t.Helper()
	return c.do(t, http.MethodDelete, path, "")
}

// do sends one request; one that gets no answer ends the test.
func (c caller) do(t testing.TB, method, path, body string) answer {
	t.Helper()
	got, err := c.send(method, path, body)
	if err != nil {
		t.Fatalf("%s %s: %v", method, path, err)
	}
	return got
}

// send sends one request and reads the whole answer, both within requestTimeout. The path goes out as it is written, so a
// test can send what no URL library would. A body is announced as JSON unless a header says otherwise.
func (c caller) send(method, path, body string) (answer, error) {
	var reader io.Reader
	if body != "" {
		reader = strings.NewReader(body)
	}
	req, err := http.NewRequestWithContext(context.Background(), method, c.base+path, reader)
	if err != nil {
		return answer{}, err
	}
	c.address(req, body != "")
	resp, err := c.http.Do(req)
	if err != nil {
		return answer{}, err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err != nil {
		return answer{}, fmt.Errorf("read the answer: %w", err)
	}
	return answer{request: method + " " + path, status: resp.StatusCode, header: resp.Header, body: string(text), closed: resp.Close}, nil
}

// address sets the headers of a request. The value "-" in the caller's own sends no header of that name.
func (c caller) address(req *http.Request, hasBody bool) {
	req.Header.Set("Accept", "application/json")
	if hasBody {
		req.Header.Set("Content-Type", "application/json")
	}
	if c.token != "" {
		req.Header.Set("X-Auth-Token", c.token)
	}
	for i := 0; i < len(c.headers); i += 2 {
		name, value := c.headers[i], c.headers[i+1]
		if req.Header.Del(name); value != "-" {
			req.Header.Set(name, value)
		}
	}
	req.Close = req.Header.Get("Connection") == "close"
}

// maxAnswer bounds how much of an answer is read.
const maxAnswer = 16 << 20
