package clustering

import "net/http"

const (
	get   = http.MethodGet
	post  = http.MethodPost
	patch = http.MethodPatch
	del   = http.MethodDelete
)

// table lists the operations, below /v1.
func (a *API) table() []route {
	return []route{
		at(get, "", 0, noBody, a.root),
		at(get, "build-info", 0, noBody, a.buildInfo),

		at(get, "profile-types", 0, noBody, a.listTypes),
		at(get, "profile-types/{}", 0, noBody, a.getType),
		at(get, "profile-types/{}/ops", 4, noBody, a.typeOps),

		at(get, "profiles", 0, noBody, a.listProfiles),
		at(post, "profiles", 0, needsBody, a.createProfile),
		at(post, "profiles/validate", 2, needsBody, a.validateProfile),
		at(get, "profiles/{}", 0, noBody, a.getProfile),
		at(patch, "profiles/{}", 0, needsBody, a.updateProfile),
		at(del, "profiles/{}", 0, noBody, a.deleteProfile),

		at(get, "clusters", 0, noBody, a.listClusters),
		at(post, "clusters", 0, needsBody, a.createCluster),
		at(get, "clusters/{}", 0, noBody, a.getCluster),
		at(patch, "clusters/{}", 0, needsBody, a.updateCluster),
		at(del, "clusters/{}", 0, anyBody, a.deleteCluster),

		at(get, "nodes", 0, noBody, a.listNodes),
		at(post, "nodes", 0, needsBody, a.createNode),
		at(get, "nodes/{}", 0, noBody, a.getNode),
		at(patch, "nodes/{}", 0, needsBody, a.updateNode),
		at(del, "nodes/{}", 0, anyBody, a.deleteNode),

		at(get, "actions", 0, noBody, a.listActions),
		at(get, "actions/{}", 0, noBody, a.getAction),
	}
}
