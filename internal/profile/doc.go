// Package profile owns the noun of the program: a Senlin profile as a value.
//
// A profile is an immutable spec with mutable labels (its name and its
// metadata). The package knows what makes two specs equal, which names Senlin
// and this program accept, what the marks in a profile's metadata mean, and
// which properties hold secrets. It also declares the errors that other
// packages branch on.
//
// Values inside a profile (metadata, properties) are JSON values: nil, bool,
// string, [json.Number], []any and map[string]any. Numbers are never float64,
// so that 12345678901234567890 stays exact from file to wire and back.
//
// The package never reads a clock, a file, the environment or the network.
package profile
