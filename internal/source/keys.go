package source

import (
	"fmt"
	"io"
	"os"
)

// maxKeys bounds a file of keys: some thousand of them.
const maxKeys = 4 << 20

// readKeys reads a file of keys. Only a regular file is waited for.
func readKeys(name string) ([]byte, error) {
	info, err := os.Stat(name)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%w: it is not a regular file", ErrRefused)
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	content, err := io.ReadAll(io.LimitReader(f, maxKeys+1))
	if err == nil && len(content) > maxKeys {
		err = fmt.Errorf("%w: more than %d bytes", ErrLimit, maxKeys)
	}
	return content, err
}
