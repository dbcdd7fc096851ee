package secret

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

const mark = "Zs3cr3tZ"

func file(t *testing.T, content string) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

func TestPlaces(t *testing.T) {
	env := func(name string) (string, bool) {
		value, found := map[string]string{"GOOD": "from " + mark, "EMPTY": "", "LINES": mark + "\n" + mark}[name]
		return value, found
	}
	pipe := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	link := filepath.Join(t.TempDir(), "link") // as Kubernetes mounts a secret
	if err := os.Symlink(file(t, mark), link); err != nil {
		t.Fatal(err)
	}
	for name, row := range map[string]struct {
		place Place
		want  Text
		says  string
	}{
		"a file":                     {Place{File: file(t, mark)}, mark, ""},
		"a file with a newline":      {Place{File: file(t, mark+"\n")}, mark, ""},
		"a file from Windows":        {Place{File: file(t, mark+"\r\n")}, mark, ""},
		"a link to a file":           {Place{File: link}, mark, ""},
		"spaces count":               {Place{File: file(t, " "+mark+" \n")}, " " + mark + " ", ""},
		"a variable":                 {Place{Variable: "GOOD"}, "from " + mark, ""},
		"an empty file":              {Place{File: file(t, "")}, "", "empty"},
		"a file with only a newline": {Place{File: file(t, "\n")}, "", "empty"},
		"a file of two lines":        {Place{File: file(t, mark+"\n\n")}, "", "more than one line"},
		"a file with a zero":         {Place{File: file(t, mark+"\x00")}, "", "control character"},
		"a file that is too large":   {Place{File: file(t, strings.Repeat(mark, 1<<16))}, "", "more than 65536 bytes"},
		"a file that is not there":   {Place{File: "/nowhere/token"}, "", `file "/nowhere/token": no such file`},
		"a directory":                {Place{File: t.TempDir()}, "", "not a regular file"},
		"a pipe":                     {Place{File: pipe}, "", "not a regular file"},
		"a variable that is not set": {Place{Variable: "NONE"}, "", `variable "NONE": not set`},
		"a variable that is empty":   {Place{Variable: "EMPTY"}, "", "empty"},
		"a variable of two lines":    {Place{Variable: "LINES"}, "", "more than one line"},
		"both a file and a variable": {Place{File: "f", Variable: "GOOD"}, "", "not in both"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := row.place.Read("token", env)
			if row.says == "" {
				if err != nil || got != row.want {
					t.Errorf("%v, %d characters", err, len(got))
				}
				return
			}
			if !errors.Is(err, ErrLogin) || !strings.Contains(err.Error(), row.says) || !strings.Contains(err.Error(), "token") {
				t.Errorf("%v, want %q", err, row.says)
			}
			if got != "" || strings.Contains(err.Error(), mark) {
				t.Errorf("%v shows the secret, or returns one", err)
			}
		})
	}
	if _, err := (Place{Variable: "GOOD"}).Read("token", nil); !errors.Is(err, ErrLogin) {
		t.Errorf("without an environment: %v", err)
	}
}
