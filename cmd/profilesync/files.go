package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// readBounded reads a file of at most limit bytes.
func readBounded(file string, limit int64) ([]byte, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, unwrapPath(err)
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err != nil {
		return nil, unwrapPath(err)
	}
	if int64(len(text)) > limit {
		return nil, fmt.Errorf("larger than %d bytes", limit)
	}
	return text, nil
}

// writeFile writes a file that only its owner can read, complete or not at all.
// What names it in an error.
func writeFile(what, file string, write func(io.Writer) error) error {
	problem := func(err error) error { return fmt.Errorf("%s %q: %w", what, file, unwrapPath(err)) }
	f, err := os.CreateTemp(filepath.Dir(file), ".profilesync-*")
	if err != nil {
		return problem(err)
	}
	defer os.Remove(f.Name()) // gone already once renamed
	if err := errors.Join(write(f), f.Sync(), f.Close()); err != nil {
		return problem(err)
	}
	if err := os.Rename(f.Name(), file); err != nil {
		return problem(err)
	}
	return nil
}

// unwrapPath drops the path that a caller names anyway.
func unwrapPath(err error) error {
	var path *fs.PathError
	var link *os.LinkError
	switch {
	case errors.As(err, &path):
		return path.Err
	case errors.As(err, &link):
		return link.Err
	}
	return err
}
