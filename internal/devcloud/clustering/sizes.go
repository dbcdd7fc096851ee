package clustering

import (
	"math"
	"strconv"

	"profilesync/internal/devcloud/pyjson"
)

// sizeField takes a number of nodes, as a number or as text.
func sizeField(name string, least int) field {
	return field{name: name, types: []string{"integer", "string"}, nullable: true, digits: true, coerce: func(name string, v any) (any, error) {
		n, ok := toInt(v)
		switch {
		case !ok:
			return nil, httpBadRequest("The value for %s must be an integer: '%s'.", name, pyjson.Str(v))
		case n < least:
			return nil, httpBadRequest("The value for the %s field must be greater than or equal to %d.", name, least)
		case n > maxNodes:
			return nil, httpBadRequest("The value for the %s field must be less than or equal to %d.", name, maxNodes)
		}
		return pyjson.Int(strconv.Itoa(n)), nil
	}}
}

// countField takes a number that is not negative, as a number or as text.
func countField(name string) field {
	return field{name: name, types: []string{"integer", "string"}, nullable: true, coerce: func(name string, v any) (any, error) {
		n, ok := toInt(v)
		f, isFloat := v.(pyjson.Float)
		switch {
		case isFloat && math.IsInf(float64(f), 0):
			return nil, internal("OverflowError", "cannot convert float infinity to integer")
		case !ok:
			return nil, httpBadRequest("The value for %s must be an integer: '%s'.", name, pyjson.Str(v))
		case n < 0:
			return nil, httpBadRequest("Value must be >= 0 for field '%s'.", name)
		}
		return pyjson.Int(strconv.Itoa(n)), nil
	}}
}

// toInt does what Python's int() does. What does not fit in 32 bits is cut off there: every limit is far below.
func toInt(v any) (int, bool) {
	text := pyjson.Str(v)
	switch v := v.(type) {
	case bool:
		if v {
			return 1, true
		}
		return 0, true
	case pyjson.Float:
		if v != v || v > 1<<31 || v < -1<<31 {
			return 0, false
		}
		return int(v), true
	case []any, *pyjson.Object:
		return 0, false
	}
	n, ok := pyjson.ParseInt(text)
	if !ok {
		return 0, false
	}
	if !n.IsInt64() || n.Int64() > 1<<31 || n.Int64() < -1<<31 {
		return n.Sign() << 31, true
	}
	return int(n.Int64()), true
}

// given returns a size that a request gives, or nil for null and for none.
func given(in *pyjson.Object, key string) *int {
	v, _ := in.Get(key)
	if i, ok := v.(pyjson.Int); ok {
		n, _ := strconv.Atoi(string(i))
		return &n
	}
	return nil
}

func intOf(n int) *int { return &n }

// orElse returns the number, or another one for none. Senlin takes 0 for none as well.
func orElse(n *int, other int) pyjson.Int {
	if n == nil || *n == 0 {
		return pyjson.Int(strconv.Itoa(other))
	}
	return pyjson.Int(strconv.Itoa(*n))
}

// sizeValue returns the number, or null.
func sizeValue(n *int) any {
	if n == nil {
		return nil
	}
	return pyjson.Int(strconv.Itoa(*n))
}

// checkSizes refuses sizes that contradict each other.
func checkSizes(desired, least, most *int) error {
	switch {
	case desired != nil && least != nil && *desired < *least:
		return badRequest("The target capacity (%d) is less than the specified min_size (%d).", *desired, *least)
	case desired != nil && most != nil && *most >= 0 && *desired > *most:
		return badRequest("The target capacity (%d) is greater than the specified max_size (%d).", *desired, *most)
	case least != nil && most != nil && *most >= 0 && *least > *most:
		return badRequest("The specified min_size (%d) is greater than the specified max_size (%d).", *least, *most)
	}
	return nil
}

// fits says why a cluster cannot have so many nodes, or "".
func fits(c *thing, desired int) string {
	least, most := c.number("min_size"), c.number("max_size")
	switch {
	case desired > maxNodes:
		return "The target capacity (" + strconv.Itoa(desired) + ") is greater than the maximum number of nodes allowed per cluster (" +
			strconv.Itoa(maxNodes) + ")."
	case desired < least:
		return "The target capacity (" + strconv.Itoa(desired) + ") is less than the cluster's min_size (" + strconv.Itoa(least) + ")."
	case most >= 0 && desired > most:
		return "The target capacity (" + strconv.Itoa(desired) + ") is greater than the cluster's max_size (" + strconv.Itoa(most) + ")."
	}
	return ""
}

// mapOrEmpty returns an object that a request gives, or an empty one.
func mapOrEmpty(in *pyjson.Object, key string) any {
	if v, _ := in.Get(key); pyjson.Truthy(v) {
		return v
	}
	return pyjson.NewObject()
}

// boolField takes a truth value; words pass the coercion and fail the schema.
func boolField(name string, nullable bool) field {
	return field{name: name, types: []string{"boolean"}, nullable: nullable, coerce: func(_ string, v any) (any, error) {
		if b, ok := v.(bool); ok {
			return b, nil
		}
		if _, err := word(pyjson.Str(v)); err != nil {
			return nil, err
		}
		return v, nil
	}}
}
