package cache

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/go-git/go-git/v5/plumbing"

	"profilesync/internal/source/repository"
)

// state says what is kept:
//
//	profilesync git cache 1
//	address https://example.com/profiles.git
//	pack HASH BYTES
//	tip HASH HASH
//	sum SHA-256 of all above
type state struct {
	address string
	packs   []pack           // the whole one first
	tips    []repository.Tip // the latest first
}

// pack names the files of a pack.
type pack struct {
	checksum repository.Hash
	size     int64
}

func (p pack) packFile() string  { return "pack-" + p.checksum.String() + ".pack" }
func (p pack) indexFile() string { return "pack-" + p.checksum.String() + ".idx" }

const (
	stateHead = "profilesync git cache 1\n"
	// maxState bounds the state: a few dozen lines.
	maxState = 64 << 10
)

func (s state) encode() []byte {
	var b bytes.Buffer
	b.WriteString(stateHead)
	fmt.Fprintf(&b, "address %s\n", s.address)
	for _, p := range s.packs {
		fmt.Fprintf(&b, "pack %s %d\n", p.checksum, p.size)
	}
	for _, t := range s.tips {
		fmt.Fprintf(&b, "tip %s %s\n", t.Wanted, t.Commit)
	}
	return sealed(b.Bytes())
}

// sealed appends the last line.
func sealed(body []byte) []byte {
	sum := sha256.Sum256(body)
	return fmt.Appendf(body, "sum %x\n", sum)
}

var errState = errors.New("state damaged")

func parseState(raw []byte) (state, error) {
	end := bytes.LastIndex(raw, []byte("\nsum ")) + 1
	body := raw[:end]
	if !bytes.Equal(raw, sealed(bytes.Clone(body))) || !bytes.HasPrefix(body, []byte(stateHead)) {
		return state{}, errState
	}
	var s state
	for line := range strings.Lines(string(body[len(stateHead):])) {
		if err := s.add(strings.TrimSuffix(line, "\n")); err != nil {
			return state{}, err
		}
	}
	return s, nil
}

// add takes in one line.
func (s *state) add(line string) error {
	key, rest, _ := strings.Cut(line, " ")
	first, second, _ := strings.Cut(rest, " ")
	switch {
	case key == "address":
		s.address = rest
		return nil
	case key == "pack" && plumbing.IsHash(first):
		size, err := strconv.ParseInt(second, 10, 64)
		s.packs = append(s.packs, pack{plumbing.NewHash(first), size})
		return err
	case key == "tip" && plumbing.IsHash(first) && plumbing.IsHash(second):
		s.tips = append(s.tips, repository.Tip{Wanted: plumbing.NewHash(first), Commit: plumbing.NewHash(second)})
		return nil
	}
	return errState
}
