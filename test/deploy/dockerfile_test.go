package deploy

import (
	"slices"
	"strings"
	"testing"

	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	"github.com/moby/buildkit/frontend/dockerfile/linter"
	"github.com/moby/buildkit/frontend/dockerfile/parser"
)

// stages are the Dockerfile's, as BuildKit reads them. It must have nothing to
// complain about.
func stages(t *testing.T) []instructions.Stage {
	t.Helper()
	parsed, err := parser.Parse(strings.NewReader(read(t, "deploy", "container", "Dockerfile")))
	if err != nil {
		t.Fatal(err)
	}
	for _, warning := range parsed.Warnings {
		t.Error(warning.Short)
	}
	lint := linter.New(&linter.Config{Warn: func(rule, _, _, message string, _ []parser.Range) {
		t.Errorf("%s: %s", rule, message)
	}})
	stages, _, err := instructions.Parse(parsed.AST, lint)
	if err != nil {
		t.Fatal(err)
	}
	return stages
}

// commands are a stage's of one kind.
func commands[Kind instructions.Command](stage instructions.Stage) []Kind {
	var found []Kind
	for _, command := range stage.Commands {
		if command, is := command.(Kind); is {
			found = append(found, command)
		}
	}
	return found
}

func TestTheImageHoldsNothingElse(t *testing.T) {
	stages := stages(t)
	image := stages[len(stages)-1]
	if image.BaseName != "scratch" {
		t.Errorf("the image is made from %q", image.BaseName)
	}
	if runs := commands[*instructions.RunCommand](image); len(runs) > 0 {
		t.Errorf("a command is run in an image without commands: %v", runs)
	}
	if users := commands[*instructions.UserCommand](image); len(users) != 1 || users[0].User != "65532:65532" {
		t.Errorf("it runs as %v, where Kubernetes wants a number that is not 0", users)
	}
	for _, adds := range commands[*instructions.AddCommand](image) {
		t.Errorf("%v fetches what nobody has checked", adds)
	}
	if volumes := commands[*instructions.VolumeCommand](image); len(volumes) != 1 || !slices.Equal(volumes[0].Volumes, writable()) {
		t.Errorf("the volumes are %v, where %q are written to", volumes, writable())
	}
	if ports := commands[*instructions.ExposeCommand](image); len(ports) != 1 || !slices.Equal(ports[0].Ports, []string{"8920"}) {
		t.Errorf("the ports are %v", ports)
	}
	health := commands[*instructions.HealthCheckCommand](image)
	if len(health) != 1 || !slices.Equal(health[0].Health.Test[:3], []string{"CMD", "/profilesync", "status"}) {
		t.Errorf("its health is asked for with %v", health)
	}
}

func TestTheBuildIsTheOneThatIsTried(t *testing.T) {
	runs := commands[*instructions.RunCommand](stages(t)[0])
	last := strings.Join(runs[len(runs)-1].CmdLine, " ")
	if !strings.HasSuffix(last, " "+build+" /out") {
		t.Errorf("the image is built with %q, and tried as built by %s", last, build)
	}
	goVersion := "go " + version(t)
	if !strings.HasPrefix(strings.TrimSpace(goLine(t)), goVersion) {
		t.Errorf("the image has %s, and go.mod says %q", goVersion, goLine(t))
	}
}

// version is the default of GO_VERSION.
func version(t *testing.T) string {
	t.Helper()
	_, after, _ := strings.Cut(read(t, "deploy", "container", "Dockerfile"), "\nARG GO_VERSION=")
	version, _, _ := strings.Cut(after, "\n")
	return version
}

func goLine(t *testing.T) string {
	t.Helper()
	for line := range strings.Lines(read(t, "go.mod")) {
		if strings.HasPrefix(line, "go ") {
			return line
		}
	}
	return ""
}

// A tracked file that is left out would make the program call itself modified.
func TestNothingThatIsTrackedIsLeftOut(t *testing.T) {
	ignored := strings.Fields(read(t, ".gitignore"))
	for line := range strings.Lines(read(t, "deploy", "container", "Dockerfile.dockerignore")) {
		pattern := strings.TrimSpace(line)
		if pattern == "" || strings.HasPrefix(pattern, "#") {
			continue
		}
		if !slices.ContainsFunc(ignored, func(git string) bool {
			return strings.Trim(strings.TrimPrefix(pattern, "**/"), "/") == strings.Trim(git, "/")
		}) {
			t.Errorf("%q is not ignored by Git", pattern)
		}
	}
}
