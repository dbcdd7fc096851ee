package clustering

import (
	"net/http"

	"profilesync/internal/devcloud/profiletype"
	"profilesync/internal/devcloud/pyjson"
	"profilesync/internal/devcloud/store"
)

// A profile's row holds its answer, ready to be sent; its columns repeat what lists look at.

func profileList() listSpec {
	return listSpec{repeated: []string{"name", "type"}, sorts: []string{"type", "name", "created_at", "updated_at"}}
}

func profileColumn(r *store.Record, name string) string {
	switch name {
	case "name":
		return r.Name
	case "type":
		return r.Type
	}
	return timeColumn(r, name)
}

func (a *API) listProfiles(q *request) (answer, error) {
	l, err := q.parseListing(profileList())
	if err != nil {
		return answer{}, err
	}
	var ans answer
	err = a.o.Store.View(func(tx *store.Tx) error {
		var rows [][]byte
		err := a.rows(tx, q.caller, store.Profiles, l, profileColumn, func(r *store.Record) { rows = append(rows, r.Body) })
		ans = sendList("profiles", rows)
		return err
	})
	return ans, err
}

func (a *API) getProfile(q *request) (answer, error) {
	var ans answer
	err := a.o.Store.View(func(tx *store.Tx) error {
		r, err := find(tx, q.caller, store.Profiles, "profile", q.args[0])
		ans = profileAnswer(http.StatusOK, r.Body)
		return err
	})
	return ans, err
}

// profileAnswer wraps a profile's document, copying it.
func profileAnswer(status int, document []byte) answer {
	out := append(make([]byte, 0, len(document)+16), `{"profile": `...)
	out = append(out, document...)
	return answer{status: status, body: pyjson.Raw(append(out, '}'))}
}

func (a *API) createProfile(q *request) (answer, error) {
	in, err := q.wrapped("profile", []field{nameField(false), objectField("spec", false), objectField("metadata", true)})
	if err != nil {
		return answer{}, err
	}
	name, _ := text(in, "name")
	if err := a.checkUnique(q.caller, name); err != nil {
		return answer{}, err
	}
	spec, _ := in.Get("spec")
	kind, err := a.checkSpec(spec.(*pyjson.Object), name, true)
	if err != nil {
		return answer{}, err
	}
	metadata, _ := in.Get("metadata")
	if metadata == nil {
		metadata = pyjson.NewObject()
	}
	r := &store.Record{ID: newUUID(), Project: q.caller.Project, Created: a.now(), Name: name, Type: kind.Name()}
	r.Body = pyjson.Encode(object{
		"id": r.ID, "name": name, "type": r.Type, "spec": spec, "metadata": metadata, "user": q.caller.User,
		"project": r.Project, "domain": nil, "created_at": timeText(r.Created), "updated_at": nil,
	})
	err = a.o.Store.Update(func(tx *store.Tx) error {
		tx.Put(store.Profiles, r)
		return nil
	})
	return profileAnswer(http.StatusCreated, r.Body), err
}

// checkUnique looks whether the name is free, where names are to be unique. Senlin looks only before it writes, so two
// requests at once may both pass.
func (a *API) checkUnique(caller Caller, name string) error {
	if !a.o.NameUnique {
		return nil
	}
	return a.o.Store.View(func(tx *store.Tx) error { return unique(tx, caller, name) })
}

func unique(tx *store.Tx, caller Caller, name string) error {
	found := 0
	tx.ByName(store.Profiles, name, func(r *store.Record) bool {
		if caller.sees(r) {
			found++
		}
		return found < 2
	})
	switch found {
	case 0:
		return nil
	case 1:
		return badRequest("A profile named '%s' already exists.", name)
	}
	return multipleChoices(name)
}

// checkSpec finds the type of a spec and validates it. What is a plain 400 when a profile is created is a 500 when
// it is only validated, if the service finds it early enough.
func (a *API) checkSpec(spec *pyjson.Object, name string, create bool) (*profiletype.Type, error) {
	kind, problem := a.o.Types.FindFor(spec)
	if problem != nil {
		return nil, specError(problem, "ESchema", "")
	}
	prefix := ""
	if create {
		prefix = "Failed in creating profile " + name + ": "
	}
	if problem := kind.Early(spec); problem != nil {
		if create {
			return nil, specError(problem, "InvalidSpec", prefix)
		}
		return nil, specError(problem, "ESchema", "")
	}
	if problem := kind.Validate(spec, name); problem != nil {
		return nil, specError(problem, "InvalidSpec", prefix)
	}
	return kind, nil
}

// specError answers a refused spec. schemaKind is the exception that a schema error has become by then.
func specError(e *profiletype.Error, schemaKind, prefix string) error {
	switch e.Class {
	case profiletype.Schema:
		if schemaKind == "ESchema" {
			return internal(schemaKind, e.Message)
		}
		return &apiError{http.StatusBadRequest, schemaKind, prefix + e.Message}
	case profiletype.Invalid:
		return &apiError{http.StatusBadRequest, "InvalidSpec", e.Message}
	case profiletype.NotFound:
		return &apiError{http.StatusNotFound, "ResourceNotFound", e.Message}
	case profiletype.Internal:
		return internal(e.Type, e.Message)
	}
	return malformed()
}

func (a *API) validateProfile(q *request) (answer, error) {
	in, err := q.wrapped("profile", []field{objectField("spec", false)})
	if err != nil {
		return answer{}, err
	}
	const name = "validated_profile"
	spec, _ := in.Get("spec")
	kind, err := a.checkSpec(spec.(*pyjson.Object), name, false)
	if err != nil {
		return answer{}, err
	}
	return answer{status: http.StatusOK, body: object{"profile": object{
		"id": nil, "name": name, "type": kind.Name(), "spec": spec, "metadata": nil, "user": q.caller.User,
		"project": q.caller.Project, "domain": nil, "created_at": nil, "updated_at": nil,
	}}}, nil
}

func (a *API) updateProfile(q *request) (answer, error) {
	in, err := q.changes("profile", []field{nameField(true), objectField("metadata", true)})
	if err != nil {
		return answer{}, err
	}
	var ans answer
	err = a.o.Store.Update(func(tx *store.Tx) error {
		r, err := find(tx, q.caller, store.Profiles, "profile", q.args[0])
		if err != nil {
			return err
		}
		document, err := decodeObject(r.Body)
		if err != nil {
			return err
		}
		if !change(document, in) {
			return badRequest("No property needs an update.")
		}
		r.Updated = a.now()
		document.Set("updated_at", timeText(r.Updated))
		r.Name, _ = text(document, "name")
		r.Body = pyjson.Encode(document)
		tx.Put(store.Profiles, &r)
		ans = profileAnswer(http.StatusOK, r.Body)
		return nil
	})
	return ans, err
}

// change applies what differs: a name, unless it is null, and the whole metadata, null included.
func change(document, in *pyjson.Object) (changed bool) {
	if name, ok := text(in, "name"); ok {
		if old, _ := document.Get("name"); old != name {
			document.Set("name", name)
			changed = true
		}
	}
	if metadata, given := in.Get("metadata"); given {
		if old, _ := document.Get("metadata"); !pyjson.Equal(old, metadata) {
			document.Set("metadata", metadata)
			changed = true
		}
	}
	return changed
}

// deleteProfile refuses while a cluster or node of any project refers to the profile; a queued action does not
// count, as in Senlin.
func (a *API) deleteProfile(q *request) (answer, error) {
	err := a.o.Store.Update(func(tx *store.Tx) error {
		r, err := find(tx, q.caller, store.Profiles, "profile", q.args[0])
		if err != nil {
			return err
		}
		used := false
		for _, t := range []store.Table{store.Clusters, store.Nodes} {
			tx.ByRef(t, profileRef(r.ID), func(*store.Record) bool {
				used = true
				return false
			})
		}
		if used {
			return conflict("ResourceInUse", "The profile '%s' cannot be deleted: still referenced by some clusters and/or nodes.", r.ID)
		}
		tx.Delete(store.Profiles, r.ID)
		return nil
	})
	return answer{status: http.StatusNoContent}, err
}
