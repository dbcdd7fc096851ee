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

// MaxPlanFile is the size in bytes up to which a plan file is read. Decoded,
// a hostile one takes many times its size of memory.
const MaxPlanFile = 32 << 20

// maxCommas bounds how many elements a plan file may have: an empty change has
// two bytes in the file and hundreds in memory. The creates of some 30,000
// ordinary profiles fit.
const maxCommas = 1 << 21

// WritePlan writes plans for a later approval: the document that [JSON] writes,
// without the profiles for which nothing is to do. It holds no secrets. The
// error is that of w, or says that the plan cannot be given back unchanged.
func WritePlan(w io.Writer, plans []diff.Plan) error {
	targets := make([]Target, len(plans))
	for i, plan := range plans {
		targets[i] = Target{Name: plan.Target, Plan: &plan}
	}
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
// A file of another format version, one that is too large, and one whose
// changes do not give the digest it bears are refused. The digest is no
// signature: what protects an approval is that the plan made at the time of
// apply must have the same one.
func ReadPlan(r io.Reader) ([]diff.Plan, error) {
	file, err := io.ReadAll(io.LimitReader(r, MaxPlanFile+1))
	if err != nil {
		return nil, fmt.Errorf("plan file: %w", err)
	}
	if len(file) > MaxPlanFile {
		return nil, fmt.Errorf("plan file is larger than %d bytes", MaxPlanFile)
	}
	plans, err := parsePlan(file)
	if err != nil {
		return nil, fmt.Errorf("plan file: %w", err)
	}
	return plans, nil
}

func parsePlan(file []byte) ([]diff.Plan, error) {
	if len(bytes.TrimSpace(file)) == 0 {
		return nil, errors.New("it is empty")
	}
	if bytes.Count(file, []byte(",")) > maxCommas {
		return nil, fmt.Errorf("it has more than %d elements", maxCommas)
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
		Targets []planTarget `json:"targets"`
	}
	decoder := json.NewDecoder(bytes.NewReader(file))
	decoder.UseNumber()
	if err := decoder.Decode(&document); err != nil {
		return nil, err
	}
	if len(document.Targets) == 0 {
		return nil, errors.New("it holds no target")
	}
	plans := make([]diff.Plan, len(document.Targets))
	for i, target := range document.Targets {
		plan, err := target.plan()
		if err != nil {
			return nil, fmt.Errorf("target %q: %w", target.Name, err)
		}
		plans[i] = plan
	}
	return plans, nil
}

type planTarget struct {
	jsonHead
	Changes []jsonChange `json:"changes"`
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
		Revision: t.Revision, Owner: t.Owner, Changes: make([]diff.Change, 0, len(t.Changes)),
	}
	for _, c := range t.Changes {
		change, err := c.change()
		if err != nil {
			return diff.Plan{}, fmt.Errorf("change of %q: %w", c.Name, err)
		}
		plan.Changes = append(plan.Changes, change)
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
