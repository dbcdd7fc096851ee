package repository

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
)

// Keeper keeps what was fetched from one run to the next. What it hands out is
// not believed: every object is hashed again when it is read.
//
// It has no errors. One that cannot keep anything makes a run slower, not wrong.
type Keeper interface {
	// Load returns what is kept, nothing if there is nothing of use. Its packs
	// are closed by whoever loads them.
	Load() Kept
	// Save adds a pack to what was loaded, or puts it in its place.
	Save(context.Context, Addition)
}

// Kept is what is left of earlier runs: packs, and commits that can be read from them.
type Kept struct {
	Tips  []Tip      // the latest first
	Packs []KeptPack // a whole one first, and then what was new at each fetch
}

// Tip is a commit that was fetched with all its files, and without history.
type Tip struct {
	Wanted Hash // what led to it: a tag, or the commit itself
	Commit Hash
}

// KeptPack is a pack and its index, in Git's own formats. It may be thin: some of
// its deltas may be of objects in the packs before it.
type KeptPack struct {
	Index   []byte
	Content PackFile
	Size    int64
}

// PackFile is an open pack.
type PackFile interface {
	io.ReaderAt
	io.Closer
}

// Addition is a pack to keep.
type Addition struct {
	Alone    bool        // nothing else is needed any more
	Tips     []Tip       // all there are from now on, the latest first
	Checksum Hash        // of the pack, which it ends in
	Index    []byte      // of the pack
	Pack     io.WriterTo // its content
}

const (
	// maxKept bounds the packs that are kept. One more, or as many bytes beside
	// the first pack as that has, and a whole one is fetched in their stead.
	maxKept = 32
	// smallPack is what the packs beside the first may have in any case.
	smallPack = 1 << 20
	// maxTips bounds the commits that are remembered.
	maxTips = 8
)

func (k Kept) close() {
	for _, p := range k.Packs {
		p.Content.Close()
	}
}

// full reports whether it is time to begin anew.
func (k Kept) full() bool {
	var added int64
	for _, p := range k.Packs[1:] {
		added += p.Size
	}
	return len(k.Packs) >= maxKept || added > max(smallPack, k.Packs[0].Size)
}

func (k Kept) has(h Hash) bool {
	return slices.ContainsFunc(k.Tips, func(t Tip) bool { return t.Wanted == h || t.Commit == h })
}

// commits lists the commits of the tips, for a Question.
func (k Kept) commits() []Hash {
	var all []Hash
	for _, t := range k.Tips {
		if !slices.Contains(all, t.Commit) {
			all = append(all, t.Commit)
		}
	}
	return all
}

// with puts a tip before the others.
func (k Kept) with(t Tip) []Tip {
	rest := slices.DeleteFunc(slices.Clone(k.Tips), func(old Tip) bool { return old == t })
	return append([]Tip{t}, rest[:min(len(rest), maxTips-1)]...)
}

// open makes a store of the packs. One that is damaged at first sight makes all of them useless.
func (k Kept) open() (*store, error) {
	s := &store{}
	for _, p := range k.Packs {
		x, err := parseIndex(p.Index)
		if err != nil {
			return nil, err
		}
		if err := checkTrailer(p.Content, p.Size, x.packChecksum()); err != nil {
			return nil, err
		}
		opened := newPack(x, p.Content)
		opened.others = s.packs[:len(s.packs):len(s.packs)]
		s.packs, s.files = append(s.packs, opened), append(s.files, p.Content)
	}
	return s, nil
}

// fetchKept is Fetch with the help of what is kept.
func (f *fetcher) fetchKept(ctx context.Context, refs remoteRefs, named name, keeper Keeper) (*Repository, error) {
	kept := keeper.Load()
	objects, err := kept.open()
	if err != nil || len(kept.Tips) == 0 || len(kept.Packs) == 0 {
		kept.close()
		return f.fetchWhole(ctx, refs, named, keeper)
	}
	repo := &Repository{refs: refs, objects: objects, Origin: FromKept}
	if kept.has(named.hash) {
		return repo, nil
	}
	if kept.full() {
		kept.close()
		return f.fetchWhole(ctx, refs, named, keeper)
	}
	since := kept.commits()
	news := Question{Wants: []Hash{named.hash}, Haves: since, Shallow: since, Depth: 1, Thin: true}
	added, err := f.receive(ctx, news, objects.packs...)
	if errors.Is(err, ErrNoPack) || errors.Is(err, ErrDamaged) || errors.Is(err, ErrLimit) { // what is kept may be to blame
		kept.close()
		return f.fetchWhole(ctx, refs, named, keeper)
	}
	if err != nil {
		kept.close()
		return nil, err
	}
	repo.Origin = FromBoth
	objects.packs = append(objects.packs, added.pack)
	if tip, ok := repo.tip(named); ok {
		keeper.Save(ctx, added.addition(kept.with(tip), false))
	}
	return repo, nil
}

// fetchWhole is Fetch, and keeps what it gets in place of what there is.
func (f *fetcher) fetchWhole(ctx context.Context, refs remoteRefs, named name, keeper Keeper) (*Repository, error) {
	got, err := f.fetch(ctx, named)
	if err != nil {
		return nil, err
	}
	repo := &Repository{refs: refs, objects: &store{packs: []*pack{got.pack}}}
	if keeper == nil || named.prefix != "" {
		return repo, nil
	}
	if tip, ok := repo.tip(named); ok {
		keeper.Save(ctx, got.addition([]Tip{tip}, true))
	}
	return repo, nil
}

func (r *received) addition(tips []Tip, alone bool) Addition {
	return Addition{Alone: alone, Tips: tips, Checksum: r.index.packChecksum(), Index: r.index.raw, Pack: r.content}
}

// tip tells which commit a name led to, if it led to one.
func (r *Repository) tip(named name) (Tip, bool) {
	commit, _, _, err := r.peel(named)
	return Tip{Wanted: named.hash, Commit: commit}, err == nil
}

// checkTrailer compares the checksum a pack ends in with the one its index
// was made for: the quick way to see that a pack was cut short or swapped. It
// does not read the pack; each object is checked when it is.
func checkTrailer(pack io.ReaderAt, size int64, want Hash) error {
	var got Hash
	if _, err := pack.ReadAt(got[:], max(0, size-int64(len(got)))); err != nil && !errors.Is(err, io.EOF) {
		return fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	if !bytes.Equal(got[:], want[:]) {
		return fmt.Errorf("%w: it is cut short, or not the pack its index was made for", ErrDamaged)
	}
	return nil
}
