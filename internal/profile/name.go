package profile

import (
	"fmt"
	"unicode"
	"unicode/utf8"
)

// Senlin accepts names of 1 to 255 characters. A name here leaves room for the
// suffix that setting a profile aside adds: "~" and 8 characters of its id.
const (
	maxSenlinName = 255
	asideSuffix   = 1 + 8
	MaxName       = maxSenlinName - asideSuffix
)

// CheckName says what is wrong with a document's profile name, or nil.
//
// Senlin 14 takes ASCII letters, the range U+4E00 to U+9FA5, Unicode decimal
// digits and "_", ".", "-", "~" anywhere in a name (its message that a name must
// start with a letter is not enforced). "~" is kept for earlier generations.
func CheckName(name string) error {
	if name == "" {
		return fmt.Errorf("name is empty: %w", ErrInvalid)
	}
	if !utf8.ValidString(name) {
		return fmt.Errorf("name %q is not valid UTF-8: %w", name, ErrInvalid)
	}
	if n := utf8.RuneCountInString(name); n > MaxName {
		return fmt.Errorf("name has %d characters, at most %d are allowed: %w", n, MaxName, ErrInvalid)
	}
	for _, r := range name {
		if r == '~' {
			return fmt.Errorf(`name %q holds "~", which is kept for earlier generations: %w`, name, ErrInvalid)
		}
		if !nameRune(r) {
			return fmt.Errorf("name %q holds %q: allowed are ASCII letters, digits, \"_\", \"-\", \".\" and U+4E00 to U+9FA5: %w", name, r, ErrInvalid)
		}
	}
	return nil
}

func nameRune(r rune) bool {
	switch {
	case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r == '_', r == '-', r == '.':
		return true
	case r >= 0x4E00 && r <= 0x9FA5:
		return true
	}
	return unicode.Is(unicode.Nd, r)
}

// AsideName is the name of an earlier generation: the name it had and the
// first eight characters of its id.
func AsideName(name, id string) string {
	return name + "~" + id[:min(len(id), asideSuffix-1)]
}
