package secret

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
	"unicode"

	"go.uber.org/goleak"

	"profilesync/internal/source/gittest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func script(commands string) Helper {
	return Helper{Command: []string{"/bin/sh", "-c", commands, "helper"}}
}

func TestGitsOwnHelper(t *testing.T) {
	gittest.Need(t, "git")
	store := file(t, "https://robot:pass%20"+mark+"@example.com:8443\nhttps://other:x@example.com\n")
	helper := Helper{Command: []string{"git", "credential-store", "--file", store}}
	before := fmt.Sprint(os.ReadFile(store))
	q := Question{Protocol: "https", Host: "example.com:8443", Path: "org/x.git"}
	got, err := helper.Get(t.Context(), q)
	if want := (Answer{"robot", "pass " + mark}); err != nil || got != want {
		t.Errorf("%q, %v", got.Username, err)
	}
	q.Username = "somebody"
	if _, err = helper.Get(t.Context(), q); !errors.Is(err, ErrLogin) || !strings.Contains(err.Error(), `it has no password for "example.com:8443"`) {
		t.Errorf("%v", err)
	}
	if after := fmt.Sprint(os.ReadFile(store)); after != before {
		t.Error("the store was changed")
	}
}

func TestWhatAHelperIsAsked(t *testing.T) {
	heard := file(t, "")
	helper := script("echo \"$1\" > " + heard + "; cat >> " + heard + "; echo password=x")
	q := Question{Protocol: "https", Host: "example.com", Path: "org/x.git", Username: "us"}
	for withPath, want := range map[bool]string{
		false: "get\nprotocol=https\nhost=example.com\nusername=us\n\n",
		true:  "get\nprotocol=https\nhost=example.com\npath=org/x.git\nusername=us\n\n",
	} {
		helper.WithPath = withPath
		if _, err := helper.Get(t.Context(), q); err != nil {
			t.Fatal(err)
		}
		if got, _ := os.ReadFile(heard); string(got) != want {
			t.Errorf("asked %q, want %q", got, want)
		}
	}
	helper.WithPath = true
	for _, q := range []Question{{Protocol: "https", Host: "a\nhost=b"}, {Host: "a", Path: "x\rhost=b"}, {Host: "a", Username: "x\x00"}} {
		if _, err := helper.Get(t.Context(), q); !errors.Is(err, ErrLogin) || !strings.Contains(err.Error(), "control character") {
			t.Errorf("%q: %v", q, err)
		}
	}
}

func TestWhatAHelperAnswers(t *testing.T) {
	q := Question{Protocol: "https", Host: "example.com", Username: "us"}
	later := time.Now().Add(time.Hour).Unix()
	for name, row := range map[string]struct {
		helper Helper
		want   Answer
		says   string
	}{
		"a password":                {script("echo password=" + mark), Answer{"us", mark}, ""},
		"another user":              {script("echo username=them; echo password=a=b"), Answer{"them", "a=b"}, ""},
		"what is unknown":           {script("echo capability[]=x; echo password=p; echo password_expiry_utc=" + fmt.Sprint(later)), Answer{"us", "p"}, ""},
		"more after the end":        {script("echo password=p; echo; echo password=" + mark), Answer{"us", "p"}, ""},
		"a daemon that stays":       {script("echo password=p; sleep 5 & exit 0"), Answer{"us", "p"}, ""},
		"without reading":           {script("exec <&-; echo password=p"), Answer{"us", "p"}, ""},
		"nothing":                   {script("true"), Answer{}, `it has no password for "example.com"`},
		"no password":               {script("echo username=" + mark), Answer{}, "it has no password"},
		"an empty one":              {script("echo password="), Answer{}, "it has no password"},
		"to stop":                   {script("echo quit=1; echo password=" + mark), Answer{}, "not to go on"},
		"an expired one":            {script("echo password=" + mark + "; echo password_expiry_utc=1"), Answer{}, "expired"},
		"no lines of key and value": {script("echo " + mark), Answer{}, "key=value"},
		"a failure":                 {script("echo password=" + mark + "; echo " + mark + " >&2; exit 3"), Answer{}, "exit status 3"},
		"too much":                  {script("yes " + mark), Answer{}, "more than 65536 bytes"},
		"not at all":                {Helper{Command: []string{"/nowhere/helper", mark}}, Answer{}, "no such file"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := row.helper.Get(t.Context(), q)
			if row.says == "" {
				if err != nil || got != row.want {
					t.Errorf("%q, %v", got.Username, err)
				}
				return
			}
			if !errors.Is(err, ErrLogin) || !strings.Contains(err.Error(), row.says) {
				t.Errorf("%v, want %q", err, row.says)
			}
			if strings.Contains(err.Error(), mark) {
				t.Errorf("%v shows what it said", err)
			}
		})
	}
}

func TestAHelperThatHangsEndsWithTheContext(t *testing.T) {
	pid := file(t, "")
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() {
		_, err := script("sleep 1000 & echo $! > "+pid+"; wait").Get(ctx, Question{})
		done <- err
	}()
	for {
		if started, _ := os.ReadFile(pid); strings.HasSuffix(string(started), "\n") {
			break
		}
		time.Sleep(time.Millisecond)
	}
	cancel()
	select {
	case err := <-done:
		if !errors.Is(err, context.Canceled) || errors.Is(err, ErrLogin) {
			t.Errorf("%v", err)
		}
	case <-time.After(20 * time.Second):
		t.Fatal("still there")
	}
	started, _ := os.ReadFile(pid)
	for range 1000 {
		state, err := exec.Command("ps", "-o", "stat=", "-p", strings.TrimSpace(string(started))).Output()
		if err != nil || strings.HasPrefix(string(state), "Z") {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Error("what the helper has started is still there")
}

func FuzzAnswer(f *testing.F) {
	f.Add("username=x\n", "\n")
	f.Add("password=", "\npassword_expiry_utc=1\n")
	f.Add("quit=1\npassword", "=\r\n\n")
	f.Fuzz(func(t *testing.T, before, after string) {
		got, err := decode(before+mark+after, Question{Host: "example.com"}, time.Now())
		if err != nil && strings.Contains(err.Error(), mark) {
			t.Errorf("%v shows the answer", err)
		}
		if err == nil && (got.Password == "" || strings.ContainsFunc(got.Username+string(got.Password), unicode.IsControl)) {
			t.Errorf("%d bytes of a password, user %q", len(got.Password), got.Username)
		}
	})
}
