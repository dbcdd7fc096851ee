package profile

import (
	"encoding/json"
	"fmt"
	"maps"
	"math/big"
	"strings"

	"pgregory.net/rapid"
)

// jsonValues draws JSON values that are likely to be nearly equal: few keys,
// few texts, and numbers written in several ways.
func jsonValues() *rapid.Generator[any] {
	leaf := rapid.OneOf(
		rapid.Just[any](nil),
		rapid.Map(rapid.Bool(), func(b bool) any { return b }),
		rapid.Map(rapid.SampledFrom([]string{"", "5", "a", "<nil>", "true", `"`, "\xff", "�", "a:1,"}), func(s string) any { return s }),
		rapid.Map(numbers(), func(n json.Number) any { return n }),
	)
	return valuesOver(leaf, 3)
}

func valuesOver(leaf *rapid.Generator[any], depth int) *rapid.Generator[any] {
	if depth == 0 {
		return leaf
	}
	inner := valuesOver(leaf, depth-1)
	return rapid.OneOf(leaf,
		rapid.Map(rapid.SliceOfN(inner, 0, 2), func(list []any) any { return list }),
		rapid.Map(jsonMaps(inner), func(m map[string]any) any { return m }),
	)
}

func jsonMaps(inner *rapid.Generator[any]) *rapid.Generator[map[string]any] {
	return rapid.MapOfN(rapid.SampledFrom([]string{"a", "b", "", "a:1,b", "user_data"}), inner, 0, 2)
}

// numbers draws JSON numbers, most of them one of a few values.
func numbers() *rapid.Generator[json.Number] {
	return rapid.Custom(func(t *rapid.T) json.Number {
		digits := rapid.SampledFrom([]string{"0", "5", "50", "500", "12345678901234567890"}).Draw(t, "digits")
		fraction := rapid.SampledFrom([]string{"", ".0", ".5", ".50", ".05"}).Draw(t, "fraction")
		exponent := rapid.SampledFrom([]string{"", "e0", "E1", "e+1", "e-1", "e-01", "e2"}).Draw(t, "exponent")
		sign := rapid.SampledFrom([]string{"", "-"}).Draw(t, "sign")
		return json.Number(sign + digits + fraction + exponent)
	})
}

// rewritten draws another way to write the same value: numbers with another
// exponent, maps built in another order.
func rewritten(t *rapid.T, value any) any {
	switch value := value.(type) {
	case json.Number:
		if strings.ContainsAny(string(value), "eE.") {
			return value
		}
		shift := rapid.IntRange(0, 20).Draw(t, "shift")
		return json.Number(fmt.Sprintf("%s%se-%d", value, strings.Repeat("0", shift), shift))
	case []any:
		list := make([]any, 0, len(value))
		for _, item := range value {
			list = append(list, rewritten(t, item))
		}
		return list
	case map[string]any:
		other := maps.Clone(value)
		for key, item := range other {
			other[key] = rewritten(t, item)
		}
		return other
	}
	return value
}

// exact is the value of a JSON number, by arithmetic instead of by text.
func exact(number json.Number) *big.Rat {
	value, ok := new(big.Rat).SetString(string(number))
	if !ok {
		panic("not a number: " + number)
	}
	return value
}

func specOf(value any) Spec {
	return Spec{Type: "t", Version: "1.0", Properties: Properties{"p": value}}
}
