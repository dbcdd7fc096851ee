package clouds

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"

	"github.com/gophercloud/utils/openstack/clientconfig"
	"go.yaml.in/yaml/v3"
)

// fromFiles takes an entry of clouds.yaml, together with that of secure.yaml.
func fromFiles(options Options, name string) (Cloud, error) {
	found, err := findFiles(options.Getenv)
	if err != nil {
		return Cloud{}, err
	}
	return found.cloud(options, name)
}

// cloud makes a cloud of the entry of this name, or of the only one.
func (f cloudFiles) cloud(options Options, name string) (Cloud, error) {
	name, err := f.choose(name)
	if err != nil {
		return Cloud{}, err
	}
	ask := clientconfig.ClientOpts{Cloud: name, EnvPrefix: noPrefix, YAMLOpts: f, RegionName: options.Region}
	entry, err := clientconfig.GetCloudFromYAML(&ask)
	if err == nil && ask.RegionName == "" && entry.RegionName == "" && len(entry.Regions) > 0 {
		entry.RegionName = entry.Regions[0].Name
	}
	if err == nil && ask.RegionName == "" && entry.RegionName != "" && len(entry.Regions) > 0 {
		// What the list says about the region is merged only when it is asked for.
		ask.RegionName = entry.RegionName
		entry, err = clientconfig.GetCloudFromYAML(&ask)
	}
	if err != nil {
		return Cloud{}, fmt.Errorf("%w: %q in %s: %w", ErrNoConfig, name, f.main, err)
	}
	if ask.RegionName != "" {
		entry.RegionName = ask.RegionName
	}
	return assemble(options, name, f.overrides[name].Endpoint, *entry)
}

// cloudFiles are the clouds.yaml and secure.yaml in force. They are found here
// and not by clientconfig, which knows neither XDG_CONFIG_HOME nor
// OS_CLIENT_SECURE_FILE, nor *_endpoint_override.
type cloudFiles struct {
	main      string // path of clouds.yaml
	clouds    map[string]clientconfig.Cloud
	secure    map[string]clientconfig.Cloud
	public    map[string]clientconfig.Cloud
	overrides map[string]overrides
}

type overrides struct {
	Endpoint string `yaml:"clustering_endpoint_override"`
}

// LoadCloudsYAML gives the entries of clouds.yaml.
func (f cloudFiles) LoadCloudsYAML() (map[string]clientconfig.Cloud, error) { return f.clouds, nil }

// LoadSecureCloudsYAML gives the entries of secure.yaml.
func (f cloudFiles) LoadSecureCloudsYAML() (map[string]clientconfig.Cloud, error) {
	return f.secure, nil
}

// LoadPublicCloudsYAML gives the entries of clouds-public.yaml.
func (f cloudFiles) LoadPublicCloudsYAML() (map[string]clientconfig.Cloud, error) {
	return f.public, nil
}

// findFiles reads the first of each file.
func findFiles(getenv func(string) string) (f cloudFiles, err error) {
	directories := []string{"."}
	if config := getenv("XDG_CONFIG_HOME"); config != "" {
		directories = append(directories, filepath.Join(config, "openstack"))
	}
	if home := getenv("HOME"); home != "" {
		directories = append(directories, filepath.Join(home, ".config", "openstack"))
	}
	directories = append(directories, "/etc/openstack")

	var content, other struct {
		Clouds map[string]clientconfig.Cloud `yaml:"clouds"`
		Public map[string]clientconfig.Cloud `yaml:"public-clouds"`
	}
	var extra struct {
		Clouds map[string]overrides `yaml:"clouds"`
	}
	f.main, err = readFirst(getenv("OS_CLIENT_CONFIG_FILE"), directories, "clouds", &content, &extra)
	if err != nil {
		return f, err
	}
	if _, err = readFirst(getenv("OS_CLIENT_SECURE_FILE"), directories, "secure", &other); err != nil {
		return f, err
	}
	f.clouds, f.secure, f.overrides = content.Clouds, other.Clouds, extra.Clouds
	_, err = readFirst("", directories, "clouds-public", &content)
	f.public = content.Public
	return f, err
}

// The limits of one file. The library compares each key of a map with every
// other, so a map of 70,000 keys would take it 15 s.
const (
	maxFile   = 1 << 20
	maxValues = 50_000 // aliases counted as often as they stand
	maxKeys   = 10_000 // of one map
)

// readFirst decodes the first file that is there; its path is "" when none is.
// A file that is named must be there: an entry of the same name in another file
// would be another cloud.
func readFirst(named string, directories []string, base string, into ...any) (path string, err error) {
	candidates := []string{named}
	if named == "" {
		candidates = nil
		for _, directory := range directories {
			candidates = append(candidates, filepath.Join(directory, base+".yaml"), filepath.Join(directory, base+".yml"))
		}
	}
	for _, path := range candidates {
		text, err := readFile(path)
		if named == "" && errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return "", fmt.Errorf("%w: %w", ErrNoConfig, err)
		}
		if err := decode(text, into); err != nil {
			return "", fmt.Errorf("%w: %s: %w", ErrNoConfig, path, err)
		}
		return path, nil
	}
	return "", nil
}

// misfit is what the library says of a value, which may be a password, and of
// the type in Go that it does not fit.
var misfit = regexp.MustCompile(`cannot unmarshal .*`)

// decode fills each of into from the same text.
func decode(text []byte, into []any) error {
	var root yaml.Node
	if err := yaml.Unmarshal(text, &root); err != nil {
		return err
	}
	left := maxValues
	if err := bounded(&root, &left); err != nil {
		return err
	}
	for _, content := range into {
		err := root.Decode(content)
		var several *yaml.TypeError
		if errors.As(err, &several) { // its own text has a line for each
			first := misfit.ReplaceAllString(several.Errors[0], "a value that cannot stand here")
			return errors.New(first + more(len(several.Errors)-1))
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// bounded takes the values of a node from those that are left. An alias inside
// of what it stands for uses them up as well.
func bounded(n *yaml.Node, left *int) error {
	if *left--; *left < 0 {
		return fmt.Errorf("more than %d values, aliases counted each time", maxValues)
	}
	if n.Kind == yaml.MappingNode && len(n.Content) > 2*maxKeys {
		return fmt.Errorf("line %d: a map of more than %d keys", n.Line, maxKeys)
	}
	if n.Alias != nil {
		return bounded(n.Alias, left)
	}
	for _, inner := range n.Content {
		if err := bounded(inner, left); err != nil {
			return err
		}
	}
	return nil
}

func readFile(path string) ([]byte, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = file.Close() }() // it was only read
	text, err := io.ReadAll(io.LimitReader(file, maxFile+1))
	if err == nil && len(text) > maxFile {
		err = fmt.Errorf("%s has more than 1 MiB", path)
	}
	return text, err
}

// choose finds the entry of this name, or, without a name, the only one.
func (f cloudFiles) choose(name string) (string, error) {
	known := slices.Sorted(maps.Keys(f.clouds))
	_, ok := f.clouds[name]
	switch {
	case f.main == "" && name == "":
		return "", fmt.Errorf("%w: no cloud is named, OS_AUTH_URL is not set, and there is no clouds.yaml", ErrNoConfig)
	case f.main == "":
		return "", fmt.Errorf("%w: %q, and no clouds.yaml that could have it", ErrNoCloud, name)
	case name == "" && len(known) == 1:
		return known[0], nil
	case len(known) == 0:
		return "", fmt.Errorf("%w: %s has no entry under \"clouds\"", ErrNoCloud, f.main)
	case name == "":
		return "", fmt.Errorf("%w: no cloud is named, and %s has %s", ErrNoConfig, f.main, some(known))
	case !ok:
		return "", fmt.Errorf("%w: %q is not in %s, which has %s", ErrNoCloud, name, f.main, some(known))
	}
	return name, nil
}

// some lists names, as many as a line bears.
func some(names []string) string {
	shown := names[:min(len(names), 20)]
	return fmt.Sprintf("%q%s", shown, more(len(names)-len(shown)))
}

func more(n int) string {
	if n == 0 {
		return ""
	}
	return fmt.Sprintf(" and %d more", n)
}
