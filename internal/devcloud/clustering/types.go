package clustering

import "net/http"

// listTypes shows, from 1.5 on, the version apart and the support status.
func (a *API) listTypes(q *request) (answer, error) {
	list := []any{}
	for _, t := range a.o.Types.Types() {
		if q.minor < 5 {
			list = append(list, object{"name": t.Name()})
			continue
		}
		list = append(list, object{"name": t.Type, "version": "1.0", "support_status": t.Support()})
	}
	return answer{status: http.StatusOK, body: object{"profile_types": list}}, nil
}

func (a *API) getType(q *request) (answer, error) {
	t, ok := a.o.Types.Find(q.args[0])
	if !ok {
		return answer{}, notFound("profile_type", q.args[0])
	}
	document := object{"name": t.Name(), "schema": t.Schema()}
	if q.minor >= 5 {
		document["support_status"] = t.Support()
	}
	return answer{status: http.StatusOK, body: object{"profile_type": document}}, nil
}

// typeOps answers 400, not 404, for an unknown type.
func (a *API) typeOps(q *request) (answer, error) {
	t, ok := a.o.Types.Find(q.args[0])
	if !ok {
		return answer{}, badRequest("The profile_type '%s' could not be found.", q.args[0])
	}
	return answer{status: http.StatusOK, body: object{"operations": t.Ops()}}, nil
}
