package deploy

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	monitoring "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
	apps "k8s.io/api/apps/v1"
	core "k8s.io/api/core/v1"
	networking "k8s.io/api/networking/v1"
	disruption "k8s.io/api/policy/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/pod-security-admission/api"
	"k8s.io/pod-security-admission/policy"
	"sigs.k8s.io/json"
	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/kyaml/filesys"
	"sigs.k8s.io/yaml"
)

// object decodes one document into the type of its kind; a field that the type
// does not have is an error.
func object(t *testing.T, document []byte) any {
	t.Helper()
	var kind meta.TypeMeta
	if err := yaml.Unmarshal(document, &kind); err != nil {
		t.Fatal(err)
	}
	into := map[string]any{
		"v1 Namespace":                            &core.Namespace{},
		"v1 ServiceAccount":                       &core.ServiceAccount{},
		"v1 ConfigMap":                            &core.ConfigMap{},
		"v1 Secret":                               &core.Secret{},
		"v1 Service":                              &core.Service{},
		"apps/v1 Deployment":                      &apps.Deployment{},
		"apps/v1 StatefulSet":                     &apps.StatefulSet{},
		"policy/v1 PodDisruptionBudget":           &disruption.PodDisruptionBudget{},
		"networking.k8s.io/v1 NetworkPolicy":      &networking.NetworkPolicy{},
		"monitoring.coreos.com/v1 ServiceMonitor": &monitoring.ServiceMonitor{},
	}[kind.APIVersion+" "+kind.Kind]
	if into == nil {
		t.Fatalf("%s %s is not among the kinds that are used", kind.APIVersion, kind.Kind)
	}
	text, err := yaml.YAMLToJSONStrict(document)
	if err != nil {
		t.Fatalf("%s: %v", kind.Kind, err)
	}
	// As the server reads it: with the case of each letter, unlike encoding/json.
	unknown, err := json.UnmarshalStrict(text, into)
	if err := errors.Join(append(unknown, err)...); err != nil {
		t.Errorf("%s: %v", kind.Kind, err)
	}
	return into
}

// built are the objects that kustomize makes of a directory.
func built(t *testing.T, dir string) []any {
	t.Helper()
	made, err := krusty.MakeKustomizer(krusty.MakeDefaultOptions()).Run(filesys.MakeFsOnDisk(), root(t, "deploy", "kubernetes", dir))
	if err != nil {
		t.Fatal(err)
	}
	var objects []any
	for _, resource := range made.Resources() {
		document, err := resource.AsYAML()
		if err != nil {
			t.Fatal(err)
		}
		objects = append(objects, object(t, document))
	}
	return objects
}

// only are the objects of one kind.
func only[Kind any](objects []any) []Kind {
	var found []Kind
	for _, object := range objects {
		if object, is := object.(Kind); is {
			found = append(found, object)
		}
	}
	return found
}

type pods struct {
	name     string
	labels   map[string]string
	selector *meta.LabelSelector
	meta     meta.ObjectMeta
	spec     core.PodSpec
}

func podsOf(objects []any) []pods {
	var all []pods
	for _, d := range only[*apps.Deployment](objects) {
		all = append(all, pods{d.Name, d.Spec.Template.Labels, d.Spec.Selector, d.Spec.Template.ObjectMeta, d.Spec.Template.Spec})
	}
	for _, s := range only[*apps.StatefulSet](objects) {
		all = append(all, pods{s.Name, s.Spec.Template.Labels, s.Spec.Selector, s.Spec.Template.ObjectMeta, s.Spec.Template.Spec})
	}
	return all
}

func TestKubernetesKnowsEveryField(t *testing.T) {
	for _, dir := range []string{"base", "trial"} {
		t.Run(dir, func(t *testing.T) {
			for _, object := range built(t, dir) {
				name := object.(meta.Object)
				if _, is := object.(*core.Namespace); !is && name.GetNamespace() != "profilesync" {
					t.Errorf("%T %s is in the namespace %q", object, name.GetName(), name.GetNamespace())
				}
				t.Logf("%T %s", object, name.GetName())
			}
		})
	}
	for _, file := range []string{"secret.example.yaml", "monitoring/servicemonitor.yaml"} {
		t.Run(file, func(t *testing.T) { object(t, []byte(read(t, "deploy", "kubernetes", file))) })
	}
}

func TestTheExampleOfTheSecretHoldsNone(t *testing.T) {
	secret := object(t, []byte(read(t, "deploy", "kubernetes", "secret.example.yaml"))).(*core.Secret)
	for name, value := range secret.StringData {
		if value != "" {
			t.Errorf("%s has a value", name)
		}
	}
	for _, dir := range []string{"base", "trial"} {
		if secrets := only[*core.Secret](built(t, dir)); len(secrets) > 0 {
			t.Errorf("%s makes a Secret", dir)
		}
		for _, word := range strings.FieldsFunc(read(t, "deploy", "kubernetes", dir, "profilesync.yaml"), func(r rune) bool { return strings.ContainsRune(" {}\n,", r) }) {
			if file, is := strings.CutPrefix(word, "/run/secrets/profilesync/"); is {
				if _, found := secret.StringData[file]; !found {
					t.Errorf("the configuration of %s names %s, which the Secret has not", dir, file)
				}
			}
		}
	}
}

// What a cluster with the strictest standard for pods would refuse.
func TestPodsAreRestricted(t *testing.T) {
	evaluator, err := policy.NewEvaluator(policy.DefaultChecks(), nil)
	if err != nil {
		t.Fatal(err)
	}
	level := api.LevelVersion{Level: api.LevelRestricted, Version: api.LatestVersion()}
	for _, pods := range podsOf(built(t, "trial")) {
		results := evaluator.EvaluatePod(level, &pods.meta, &pods.spec)
		for _, result := range results {
			if !result.Allowed {
				t.Errorf("%s: %s: %s", pods.name, result.ForbiddenReason, result.ForbiddenDetail)
			}
		}
		t.Logf("%s: %d checks", pods.name, len(results))
		pods.spec.SecurityContext.RunAsNonRoot = nil
		if policy.AggregateCheckResults(evaluator.EvaluatePod(level, &pods.meta, &pods.spec)).Allowed {
			t.Errorf("%s would be allowed without its security context, so nothing was checked", pods.name)
		}
		for _, container := range pods.spec.Containers {
			if read := container.SecurityContext.ReadOnlyRootFilesystem; read == nil || !*read {
				t.Errorf("%s may write to its root", container.Name)
			}
			if container.Resources.Limits.Memory().IsZero() || container.Resources.Requests.Cpu().IsZero() {
				t.Errorf("%s has no limits", container.Name)
			}
		}
		if automount := pods.spec.AutomountServiceAccountToken; automount == nil || *automount {
			t.Errorf("%s gets a token for Kubernetes", pods.name)
		}
	}
}

func TestWhatRefersToSomethingFindsIt(t *testing.T) {
	objects := built(t, "trial")
	for _, pods := range podsOf(objects) {
		if err := selects(pods.selector.MatchLabels, pods.labels); err != nil {
			t.Errorf("%s does not select its own pods: %v", pods.name, err)
		}
	}
	daemon := podsOf(objects)[0]
	for _, budget := range only[*disruption.PodDisruptionBudget](objects) {
		if err := selects(budget.Spec.Selector.MatchLabels, daemon.labels); err != nil {
			t.Errorf("the budget: %v", err)
		}
	}
	for _, network := range only[*networking.NetworkPolicy](objects) {
		if err := selectsOne(network.Spec.PodSelector.MatchLabels, podsOf(objects)); err != nil {
			t.Errorf("network policy %s: %v", network.Name, err)
		}
	}
	ports := map[string]bool{}
	for _, service := range only[*core.Service](objects) {
		if err := selectsOne(service.Spec.Selector, podsOf(objects)); err != nil {
			t.Errorf("service %s: %v", service.Name, err)
		}
		for _, port := range service.Spec.Ports {
			ports[port.Name] = true
		}
	}
	monitor := object(t, []byte(read(t, "deploy", "kubernetes", "monitoring", "servicemonitor.yaml"))).(*monitoring.ServiceMonitor)
	if err := selects(monitor.Spec.Selector.MatchLabels, only[*core.Service](objects)[0].Labels); err != nil {
		t.Errorf("the monitor: %v", err)
	}
	if !ports[monitor.Spec.Endpoints[0].Port] {
		t.Errorf("the monitor scrapes %q", monitor.Spec.Endpoints[0].Port)
	}
}

func selects(selector, labels map[string]string) error {
	if len(selector) == 0 {
		return fmt.Errorf("it selects everything")
	}
	for name, value := range selector {
		if labels[name] != value {
			return fmt.Errorf("it wants %s=%s, and there is %q", name, value, labels[name])
		}
	}
	return nil
}

func selectsOne(selector map[string]string, all []pods) error {
	found := 0
	for _, pods := range all {
		if selects(selector, pods.labels) == nil {
			found++
		}
	}
	if found != 1 {
		return fmt.Errorf("it selects %d kinds of pods", found)
	}
	return nil
}

func TestTheDaemonsPodsAreAsTheImage(t *testing.T) {
	objects := built(t, "base")
	deployment := only[*apps.Deployment](objects)[0]
	if *deployment.Spec.Replicas != 2 {
		t.Errorf("%d replicas", *deployment.Spec.Replicas)
	}
	pod := deployment.Spec.Template.Spec
	container := pod.Containers[0]
	if *pod.TerminationGracePeriodSeconds < 300 {
		t.Error("it is killed in the middle of a change")
	}
	volumes := map[string]core.Volume{}
	for _, volume := range pod.Volumes {
		volumes[volume.Name] = volume
	}
	mounts := map[string]core.VolumeMount{}
	for _, mount := range container.VolumeMounts {
		mounts[mount.MountPath] = mount
		if _, found := volumes[mount.Name]; !found {
			t.Errorf("no volume %s", mount.Name)
		}
	}
	for _, dir := range writable() {
		if volumes[mounts[dir].Name].EmptyDir == nil || mounts[dir].ReadOnly {
			t.Errorf("%s cannot be written to", dir)
		}
	}
	config := only[*core.ConfigMap](objects)[0]
	if volumes[mounts["/etc/profilesync"].Name].ConfigMap.Name != config.Name {
		t.Errorf("the configuration is not %s", config.Name)
	}
	if mode := *volumes["secrets"].Secret.DefaultMode; mode != 0o440 {
		t.Errorf("the secrets have the mode %o", mode)
	}
	named := map[string]int32{}
	for _, port := range container.Ports {
		named[port.Name] = port.ContainerPort
	}
	for path, probe := range map[string]*core.Probe{"/healthz": container.LivenessProbe, "/readyz": container.ReadinessProbe} {
		if probe.HTTPGet.Path != path || named[probe.HTTPGet.Port.StrVal] != 8920 {
			t.Errorf("asks %v instead of %s", probe.HTTPGet, path)
		}
	}
}
