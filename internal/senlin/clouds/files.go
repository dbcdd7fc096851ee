package clouds

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
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
	if name, err = found.choose(name); err != nil {
		return Cloud{}, err
	}
	ask := clientconfig.ClientOpts{Cloud: name, EnvPrefix: noPrefix, YAMLOpts: found, RegionName: options.Region}
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
		return Cloud{}, fmt.Errorf("%w: %q in %s: %w", ErrNoConfig, name, found.main, err)
	}
	if ask.RegionName != "" {
		entry.RegionName = ask.RegionName
	}
	return assemble(options, name, found.overrides[name].Endpoint, *entry)
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

const maxFile = 1 << 20

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
		for _, content := range into {
			if err := yaml.Unmarshal(text, content); err != nil {
				return "", fmt.Errorf("%w: %s: %w", ErrNoConfig, path, err)
			}
		}
		return path, nil
	}
	return "", nil
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
	case name == "":
		return "", fmt.Errorf("%w: no cloud is named, and %s has %q", ErrNoConfig, f.main, known)
	case !ok:
		return "", fmt.Errorf("%w: %q is not in %s, which has %q", ErrNoCloud, name, f.main, known)
	}
	return name, nil
}
