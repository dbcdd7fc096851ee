package clustering

import (
	"crypto/rand"
	"fmt"
	"time"

	"profilesync/internal/devcloud/pyjson"
	"profilesync/internal/devcloud/store"
)

// newUUID returns a random UUID, version 4.
func newUUID() string {
	var b [16]byte
	rand.Read(b[:]) // never fails
	b[6] = b[6]&0x0f | 0x40
	b[8] = b[8]&0x3f | 0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

// timeText returns the form in which the API shows a time.
func timeText(unix int64) string { return time.Unix(unix, 0).UTC().Format("2006-01-02T15:04:05Z") }

// timeColumn returns a row's time in a form that sorts.
func timeColumn(r *store.Record, name string) string {
	switch {
	case name == "created_at":
		return timeText(r.Created)
	case name == "updated_at" && r.Updated != 0:
		return timeText(r.Updated)
	}
	return ""
}

// decodeObject reads a document that this package has written.
func decodeObject(data []byte) (*pyjson.Object, error) {
	v, err := pyjson.Decode(data)
	if err != nil {
		return nil, fmt.Errorf("stored document: %w", err)
	}
	o, ok := v.(*pyjson.Object)
	if !ok {
		return nil, fmt.Errorf("stored document: not an object")
	}
	return o, nil
}

// profileRef is the reference that clusters and nodes hold to their profile.
func profileRef(id string) string { return "profile " + id }
