package history

import (
	"encoding/binary"
	"encoding/json"
	"time"
	"unicode/utf8"

	"profilesync/internal/daemon/status"
)

// The bounds of one kept pass.
const (
	maxText   = 4 << 10   // of what somebody else wrote
	maxName   = 1 << 10   // of names, ids and words of ours
	maxRecord = 256 << 10 // as JSON; changes are left out until it fits
)

// bounded is the pass as it may be kept: its time without the process's own
// clock, its texts cut between characters, and no more changes than fit.
func bounded(p status.Pass) status.Pass {
	p.Began, p.Revision.When = written(p.Began), written(p.Revision.When)
	for _, text := range []*string{&p.By, &p.Error, &p.Hint, &p.Revision.Subject} {
		*text = cut(*text, maxText)
	}
	for _, name := range []*string{&p.Target, &p.Instance, &p.Revision.ID, &p.Revision.Author, &p.Revision.Signer} {
		*name = cut(*name, maxName)
	}
	kept := p.Changes[:min(len(p.Changes), status.MaxChanges)]
	changes := make([]status.Change, len(kept))
	for i, c := range kept {
		c.Error = cut(c.Error, maxText)
		for _, name := range []*string{&c.Action, &c.Name, &c.ID, &c.Reason, &c.Block, &c.Status} {
			*name = cut(*name, maxName)
		}
		changes[i] = c
	}
	p.Omitted += len(p.Changes) - len(changes)
	for p.Changes = changes; len(p.Changes) > 0 && weight(p) > maxRecord; {
		half := len(p.Changes) / 2
		p.Omitted += len(p.Changes) - half
		p.Changes = p.Changes[:half]
	}
	if len(p.Changes) == 0 {
		p.Changes = nil
	}
	return p
}

// written is a time that JSON has a form for: a commit may claim any year.
func written(t time.Time) time.Time {
	t = t.Round(0).UTC()
	if t.Year() < 0 || t.Year() > 9999 {
		return time.Time{}
	}
	return t
}

// weight is the pass's size as JSON.
func weight(p status.Pass) int { return len(encode(p)) }

func cut(text string, limit int) string {
	const sign = "…"
	if len(text) <= limit {
		return text
	}
	end := limit - len(sign)
	for end > 0 && !utf8.RuneStart(text[end]) {
		end--
	}
	return text[:end] + sign
}

func encode(p status.Pass) []byte {
	value, err := json.Marshal(p)
	if err != nil {
		panic(err) // a pass is texts, numbers and times of our own
	}
	return value
}

// decode reports false for what is no pass: it is left out.
func decode(id, value []byte) (status.Pass, bool) {
	var p status.Pass
	if len(id) != 8 || json.Unmarshal(value, &p) != nil {
		return status.Pass{}, false
	}
	p.ID = number(id)
	return p, true
}

func key(id uint64) []byte     { return binary.BigEndian.AppendUint64(nil, id) }
func number(key []byte) uint64 { return binary.BigEndian.Uint64(key) }
