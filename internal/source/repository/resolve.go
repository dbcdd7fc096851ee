package repository

import (
	"context"
	"errors"
	"slices"

	"github.com/go-git/go-git/v5/plumbing"
)

// resolve names the objects that came as deltas. Most say where their base
// lies, always before them; some give the name of a base, which may itself be
// the work of a delta yet to be resolved.
func (r *receiver) resolve(ctx context.Context, p *pack) error {
	named := r.named()
	p.find = func(h Hash) (int64, error) {
		if i, ok := named[h]; ok {
			return r.objects[i].offset, nil
		}
		return 0, errMissing
	}
	for {
		done, left := 0, 0
		for i, o := range r.objects {
			if !o.kind.IsDelta() {
				continue
			}
			base, ok := r.baseOf(o, named, p)
			if !ok {
				left++
				continue
			}
			if err := ctx.Err(); err != nil {
				r.stream.failed = err
				return err
			}
			if err := r.name(p, &r.objects[i], base); err != nil {
				return err
			}
			if named != nil {
				named[r.objects[i].name] = int32(i)
			}
			done++
		}
		if left == 0 {
			return nil
		}
		if done == 0 {
			return errors.New("a delta of an object that was not sent")
		}
	}
}

// named maps the names of the objects that have one, if a delta gives the name
// of its base.
func (r *receiver) named() map[Hash]int32 {
	if !slices.ContainsFunc(r.objects, func(o arrived) bool { return o.kind == plumbing.REFDeltaObject }) {
		return nil
	}
	named := make(map[Hash]int32, len(r.objects))
	for i, o := range r.objects {
		if !o.kind.IsDelta() {
			named[o.name] = int32(i)
		}
	}
	return named
}

// baseOf returns the base of a delta, if it has been resolved or is in another pack.
func (r *receiver) baseOf(o arrived, named map[Hash]int32, p *pack) (arrived, bool) {
	at := o.base
	if at == byName {
		found, ok := named[o.name]
		if !ok {
			return arrived{}, p.elsewhere(o.name)
		}
		at = found
	}
	base := r.objects[at]
	return base, !base.kind.IsDelta()
}

// name makes the object that a delta of base stands for, and names it.
func (r *receiver) name(p *pack, o *arrived, base arrived) error {
	if o.depth = base.depth + 1; o.depth > maxChain {
		return errors.New("an object made by too many deltas")
	}
	read := p.glance
	if o.isBase {
		read = p.at
	}
	kind, content, err := read(o.offset, r.limits.Object)
	if err != nil {
		return err
	}
	r.hash.Reset()
	r.hash.Write(objectHeader(r.scratch[:0], kind, int64(len(content))))
	r.hash.Write(content)
	o.kind, o.name = kind, Hash(r.hash.Sum(r.scratch[:0]))
	return nil
}
