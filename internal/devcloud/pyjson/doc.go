// Package pyjson reads and writes JSON the way Python's json module does, because that is what a client of a
// Python service sees on the wire: integers of any size stay exact, 1.0 stays 1.0 and 1e3 becomes 1000.0, keys
// come back sorted by code point, everything beyond printable ASCII is escaped, a lone surrogate survives, and
// Infinity and NaN are words like any other number. Error texts and positions are Python's too: Senlin hands them
// to its clients.
//
// It knows nothing of HTTP and of what the values mean.
//
// A value is one of: nil, bool, string, Int, Float, []any, *Object. A string that held a lone surrogate holds
// its three-byte (WTF-8) form; every other string is UTF-8.
package pyjson

// Int is a JSON integer: its canonical decimal digits, of any length.
type Int string

// Float is a JSON number with a fraction or an exponent. It may be infinite or not a number.
type Float float64

// Object is a JSON object that remembers the order in which its keys were first set.
type Object struct {
	keys   []string
	values map[string]any
}

// NewObject returns an empty object.
func NewObject() *Object { return &Object{values: map[string]any{}} }

// Set stores a value. A key that is set again keeps its place and takes the new value.
func (o *Object) Set(key string, value any) {
	if _, ok := o.values[key]; !ok {
		o.keys = append(o.keys, key)
	}
	o.values[key] = value
}

// Get returns the value of a key, and whether it is there.
func (o *Object) Get(key string) (any, bool) {
	v, ok := o.values[key]
	return v, ok
}

// Has reports whether a key is there.
func (o *Object) Has(key string) bool {
	_, ok := o.values[key]
	return ok
}

// Delete removes a key.
func (o *Object) Delete(key string) {
	if _, ok := o.values[key]; !ok {
		return
	}
	delete(o.values, key)
	for i, k := range o.keys {
		if k == key {
			o.keys = append(o.keys[:i:i], o.keys[i+1:]...)
			return
		}
	}
}

// Keys returns the keys in order. The slice belongs to the object.
func (o *Object) Keys() []string { return o.keys }

// Len returns the number of keys.
func (o *Object) Len() int { return len(o.keys) }
