package remote_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"profilesync/internal/source/remote"
	"profilesync/internal/source/remote/secret"
)

func TestALoginIsNotShown(t *testing.T) {
	login := remote.Login{Username: "robot", Proxy: "http://me:" + mark + "@proxy:3128", Helper: secret.Helper{Command: []string{"helper", "--key=" + mark}}}
	inside := struct {
		Login remote.Login
		Text  secret.Text
	}{login, mark}
	var logged bytes.Buffer
	slog.New(slog.NewTextHandler(&logged, nil)).Info("x", "login", login, "inside", inside, "text", inside.Text)
	slog.New(slog.NewJSONHandler(&logged, nil)).Info("x", "login", login, "inside", inside, "text", inside.Text)
	encoded, err := json.Marshal(inside)
	if err != nil {
		t.Fatal(err)
	}
	shown := logged.String() + string(encoded)
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%d", "%x", "%T"} {
		shown += fmt.Sprintf(verb+verb+verb+verb, login, &login, inside, inside.Text)
	}
	if strings.Contains(shown, mark) || strings.Contains(shown, fmt.Sprintf("%x", mark)) {
		t.Errorf("a secret is shown: %s", shown)
	}
}
