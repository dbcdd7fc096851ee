package report

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"profilesync/internal/apply"
	"profilesync/internal/diff"
	"profilesync/internal/live"
	"profilesync/internal/profile"
)

// MaxPlanFile is the size in bytes up to which a plan file is read.
const MaxPlanFile = 32 << 20

// A few bytes of a hostile file are hundreds in memory, so what they stand for
// is counted before it is decoded: its commas, and its objects and lists, since
// what is nested needs no commas. The creates of some 30,000 ordinary profiles
// fit. Targets and changes are counted as they are read: a null has no braces.
const (
	maxCommas  = 1 << 21
	maxNested  = 1 << 20
	maxTargets = 1000
	maxChanges = 1 << 18
)

// WritePlan writes plans for a later approval: the document that [JSON] writes,
// without the profiles for which nothing is to do. It holds no secrets. The
// error is that of w, or says that the plan cannot be given back unchanged.
func WritePlan(w io.Writer, targets []Target) error {
	var file bytes.Buffer
	err := writeTargets(&file, targets, func(o apply.Outcome) bool { return !inSync(o.Change) })
	if err != nil {
		return err
	}
	if file.Len() > MaxPlanFile {
		return fmt.Errorf("plan file would have %d bytes, at most %d are read", file.Len(), MaxPlanFile)
	}
	if _, err := parsePlan(file.Bytes()); err != nil {
		return fmt.Errorf("plan cannot be kept in a file: %w", err)
	}
	_, err = w.Write(file.Bytes())
	return err
}

// ReadPlan reads a plan file. The plans have everything that their digest
// covers, and who uses what as it was; Before and Earlier of a change hold
// no more than their ids and After is missing, so such a plan is for comparing and showing, never for
// carrying out.
//
// The error says what is wrong with the file, and does not name it. A file of
// another format version, one that is too large, and one whose
// changes do not give the digest it bears are refused. The digest is no
// signature: what protects an approval is that the plan made at the time of
// apply must have the same one.
func ReadPlan(r io.Reader) ([]diff.Plan, error) {
	file, err := io.ReadAll(io.LimitReader(r, MaxPlanFile+1))
	if err != nil {
		return nil, err
	}
	if len(file) > MaxPlanFile {
		return nil, fmt.Errorf("it is larger than %d bytes", MaxPlanFile)
	}
	return parsePlan(file)
}

func parsePlan(file []byte) ([]diff.Plan, error) {
	if len(bytes.TrimSpace(file)) == 0 {
		return nil, errors.New("it is empty")
	}
	if bytes.Count(file, []byte(",")) > maxCommas {
		return nil, fmt.Errorf("it has more than %d elements", maxCommas)
	}
	if bytes.Count(file, []byte("{"))+bytes.Count(file, []byte("[")) > maxNested {
		return nil, fmt.Errorf("it has more than %d objects and lists", maxNested)
	}
	var version struct {
		FormatVersion *json.RawMessage `json:"format_version"`
	}
	if err := json.Unmarshal(file, &version); err != nil {
		return nil, fmt.Errorf("it is not the JSON of a plan: %w", err)
	}
	if version.FormatVersion == nil {
		return nil, errors.New("it has no format_version")
	}
	if found := string(*version.FormatVersion); found != fmt.Sprint(formatVersion) {
		return nil, fmt.Errorf("format_version is %s, this program reads %d: make the plan again", Clean(short(found, 20)), formatVersion)
	}
	var document struct {
		Targets planTargets `json:"targets"`
	}
	if err := json.Unmarshal(file, &document); err != nil {
		return nil, err
	}
	if len(document.Targets) == 0 {
		return nil, errors.New("it holds no target")
	}
	return document.Targets, nil
}

// readList reads a JSON list, each element by itself: as it is written it takes
// as much memory again. A null is an empty list.
func readList(list []byte, limit int, what string, read func(*json.Decoder) error) error {
	decoder := json.NewDecoder(bytes.NewReader(list))
	decoder.UseNumber()
	if start, err := decoder.Token(); err != nil || start == nil {
		return err
	} else if start != json.Delim('[') {
		return fmt.Errorf("its %s are no list", what)
	}
	for count := 0; decoder.More(); count++ {
		if count == limit {
			return fmt.Errorf("it has more than %d %s", limit, what)
		}
		if err := read(decoder); err != nil {
			return err
		}
	}
	return nil
}

type planTargets []diff.Plan

// UnmarshalJSON takes over the plan of each target.
func (p *planTargets) UnmarshalJSON(list []byte) error {
	*p = nil
	return readList(list, maxTargets, "targets", func(decoder *json.Decoder) error {
		var written planTarget
		if err := decoder.Decode(&written); err != nil {
			return err
		}
		plan, err := written.plan()
		if err != nil {
			return fmt.Errorf("target %q: %w", written.Name, err)
		}
		*p = append(*p, plan)
		return nil
	})
}

type planTarget struct {
	jsonHead
	Changes planChanges `json:"changes"`
}

type planChanges []diff.Change

// UnmarshalJSON takes over what a file says of each change.
func (p *planChanges) UnmarshalJSON(list []byte) error {
	*p = nil
	return readList(list, maxChanges, "changes", func(decoder *json.Decoder) error {
		var written jsonChange
		if err := decoder.Decode(&written); err != nil {
			return err
		}
		change, err := written.change()
		if err != nil {
			return fmt.Errorf("change of %q: %w", written.Name, err)
		}
		*p = append(*p, change)
		return nil
	})
}

func (t planTarget) plan() (diff.Plan, error) {
	switch {
	case t.Digest == "" && t.Error != "":
		return diff.Plan{}, fmt.Errorf("it has no plan: %s", Clean(t.Error))
	case t.Digest == "":
		return diff.Plan{}, errors.New("it has no plan")
	}
	plan := diff.Plan{
		Target: t.Name, Cloud: t.Cloud, Region: t.Region, Project: t.Project,
		Revision: t.Revision, Owner: t.Owner, Changes: t.Changes,
	}
	if digest := plan.Digest(); digest != t.Digest {
		return diff.Plan{}, fmt.Errorf("its digest %q is not that of its changes, %q: the file was changed", t.Digest, digest)
	}
	return plan, nil
}

func (c jsonChange) change() (diff.Change, error) {
	action, err := actionNamed(c.Action)
	if err != nil {
		return diff.Change{}, err
	}
	change := diff.Change{
		Action: action, Name: c.Name, Reason: diff.Reason(c.Reason), Block: diff.Block(c.Block),
		File: c.File, Line: c.Line,
	}
	if c.ID != "" {
		change.Before = &live.Profile{ID: c.ID}
	}
	if c.EarlierID != "" {
		change.Earlier = &live.Profile{ID: c.EarlierID}
	}
	for _, f := range c.Fields {
		change.Fields = append(change.Fields, diff.Field(f))
	}
	for _, user := range c.Users {
		change.Users = append(change.Users, live.User{
			Kind: live.Kind(user.Kind), ID: user.ID, Name: user.Name, Status: user.Status, Project: user.Project,
		})
	}
	return change, nil
}

func actionNamed(name string) (diff.Action, error) {
	for _, action := range []diff.Action{diff.NoOp, diff.Create, diff.Update, diff.Recreate, diff.Delete} {
		if action.String() == name {
			return action, nil
		}
	}
	return 0, fmt.Errorf("action %q: %w", name, profile.ErrInvalid)
}
