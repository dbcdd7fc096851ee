package daemon

import (
	"context"
	"sync"

	"profilesync/internal/desired"
	"profilesync/internal/reconcile"
	"profilesync/internal/source"
)

// documents reads the source for all targets. One reading is under way at a
// time; whoever comes meanwhile shares the next one, which begins after they
// came and so cannot miss a push that they were told of. A revision is parsed
// once.
type documents struct {
	from reconcile.Source

	mutex         sync.Mutex
	running, next *reading
	last          *reading // the last one that got a tree
}

// reading is one look at the source.
type reading struct {
	done   chan struct{} // closed when the rest is there
	set    desired.Set
	tree   source.Snapshot // without its files
	err    error
	parsed bool // the tree was read; err, if any, is about its documents
}

func newDocuments(from reconcile.Source) *documents { return &documents{from: from} }

// read returns what is wanted as of a moment after the call.
func (d *documents) read(ctx context.Context) (desired.Set, source.Snapshot, error) {
	r := d.join()
	select {
	case <-r.done:
		return r.set, r.tree, r.err
	case <-ctx.Done():
		return desired.Set{}, source.Snapshot{}, context.Cause(ctx)
	}
}

// join returns the reading that begins next, and begins it when none is under
// way. A reading belongs to nobody: the source's own time limit ends it.
func (d *documents) join() *reading {
	d.mutex.Lock()
	defer d.mutex.Unlock()
	if d.next == nil {
		d.next = &reading{done: make(chan struct{})}
	}
	joined := d.next
	if d.running == nil {
		d.begin()
	}
	return joined
}

// begin starts the next reading. The mutex is held.
func (d *documents) begin() {
	d.running, d.next = d.next, nil
	go func(r *reading, last *reading) {
		r.run(d.from, last)
		d.mutex.Lock()
		defer d.mutex.Unlock()
		if r.parsed {
			d.last = r
		}
		d.running = nil
		close(r.done)
		if d.next != nil {
			d.begin()
		}
	}(d.running, d.last)
}

func (r *reading) run(from reconcile.Source, last *reading) {
	tree, err := from.Read(context.Background())
	if err != nil {
		r.err = err
		return
	}
	files := tree.Files
	tree.Files = nil
	r.tree, r.parsed = tree, true
	if last != nil && last.tree.Revision == tree.Revision {
		r.set, r.err = last.set, last.err
		return
	}
	r.set, r.err = desired.Load(files, tree.Revision)
}
