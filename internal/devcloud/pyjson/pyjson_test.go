package pyjson_test

import (
	"errors"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"profilesync/internal/devcloud/pyjson"
)

// TestEchoes holds what Senlin answers for what it was sent, as seen on the wire.
func TestEchoes(t *testing.T) {
	for _, c := range []struct{ name, sent, answered string }{
		{"keys are sorted by code point", `{"b":1,"B":2,"a":3,"\ud83d\ude00":4,"\uffff":5}`, `{"B": 2, "a": 3, "b": 1, "\uffff": 5, "\ud83d\ude00": 4}`},
		{"of a duplicated key the last value wins", `{"a":1,"a":2}`, `{"a": 2}`},
		{"an integer of any size stays exact", `[12345678901234567890,-0,0]`, `[12345678901234567890, 0, 0]`},
		{"a fraction stays a fraction", `[1.0,1.00,1.50,-0.0]`, `[1.0, 1.0, 1.5, -0.0]`},
		{"an exponent goes where Python has none", `[1e3,1e16,1E22,123456789012345678.0]`, `[1000.0, 1e+16, 1e+22, 1.2345678901234568e+17]`},
		{"small numbers", `[0.0001,0.00001,1e-7,1e100]`, `[0.0001, 1e-05, 1e-07, 1e+100]`},
		{"what is too large is Infinity", `[1e400,-1e400,NaN,Infinity,-Infinity]`, `[Infinity, -Infinity, NaN, Infinity, -Infinity]`},
		{"only printable ASCII is left alone", `"é\u001f\u007f</\n\"\\"`, `"\u00e9\u001f\u007f</\n\"\\"`},
		{"a lone surrogate survives", `"\ud800x\udc00"`, `"\ud800x\udc00"`},
		{"a pair of surrogates is one character", `"\ud83d\ude00"`, `"\ud83d\ude00"`},
		{"empty things", ` [ { } , [ ] , "" ] `, `[{}, [], ""]`},
	} {
		t.Run(c.name, func(t *testing.T) {
			v, err := pyjson.Decode([]byte(c.sent))
			if err != nil {
				t.Fatal(err)
			}
			if got := string(pyjson.Encode(v)); got != c.answered {
				t.Errorf("got  %s\nwant %s", got, c.answered)
			}
		})
	}
}

// TestBrokenJSON holds the messages that Senlin hands on.
func TestBrokenJSON(t *testing.T) {
	for _, c := range []struct{ sent, message string }{
		{`{"profile":`, "Expecting value: line 1 column 12 (char 11)"},
		{`{"a":1}x`, "Extra data: line 1 column 8 (char 7)"},
		{`{"a":"x`, "Unterminated string starting at: line 1 column 6 (char 5)"},
		{`{"a":"\`, "Unterminated string starting at: line 1 column 6 (char 5)"},
		{`{"a":"\q"}`, `Invalid \escape: line 1 column 7 (char 6)`},
		{`{"a":"\u12"}`, `Invalid \uXXXX escape: line 1 column 8 (char 7)`},
		{`{"a":1,}`, "Expecting property name enclosed in double quotes: line 1 column 8 (char 7)"},
		{`{"a" 1}`, "Expecting ':' delimiter: line 1 column 6 (char 5)"},
		{`{"a":01}`, "Expecting ',' delimiter: line 1 column 7 (char 6)"},
		{`{"a":tru}`, "Expecting value: line 1 column 6 (char 5)"},
		{"{\"a\":\"x\ny\"}", "Invalid control character at: line 1 column 8 (char 7)"},
		{"{\"é\":\n 1,\n]", "Expecting property name enclosed in double quotes: line 3 column 1 (char 10)"},
		{`[1,]`, "Expecting value: line 1 column 4 (char 3)"},
		{`-`, "Expecting value: line 1 column 1 (char 0)"},
		{`{`, "Expecting property name enclosed in double quotes: line 1 column 2 (char 1)"},
		{"{\"profile\":\"\xff\"}", "'utf-8' codec can't decode byte 0xff in position 12: invalid start byte"},
		{"\"\xc3", "'utf-8' codec can't decode byte 0xc3 in position 1: unexpected end of data"},
		{"\"\xc3(\"", "'utf-8' codec can't decode byte 0xc3 in position 1: invalid continuation byte"},
	} {
		t.Run(c.sent, func(t *testing.T) {
			_, err := pyjson.Decode([]byte(c.sent))
			var syntax *pyjson.SyntaxError
			if !errors.As(err, &syntax) || err.Error() != c.message {
				t.Errorf("got %v, want %s", err, c.message)
			}
		})
	}
}

func TestLimits(t *testing.T) {
	deep := strings.Repeat("[", 1000) + strings.Repeat("]", 1000)
	if _, err := pyjson.Decode([]byte(deep)); !errors.Is(err, pyjson.ErrDepth) {
		t.Errorf("a thousand nested lists: got %v", err)
	}
	if _, err := pyjson.Decode([]byte(strings.Repeat("9", 4301))); err == nil || !strings.HasPrefix(err.Error(), "Exceeds the limit (4300 digits)") {
		t.Errorf("4,301 digits: got %v", err)
	}
}

func TestRepr(t *testing.T) {
	for _, c := range []struct{ json, repr string }{
		{`{"x":[1,"y",null,true,1.5]}`, `{'x': [1, 'y', None, True, 1.5]}`},
		{`{"b":1,"a":2}`, `{'b': 1, 'a': 2}`},
		{`"it's"`, `"it's"`},
		{`"it's \"so\""`, `'it\'s "so"'`},
		{`"a\\b\n\t\u0001é\u200b\ud800\udb40\udc01"`, `'a\\b\n\t\x01é\u200b\ud800\U000e0001'`},
		{`[1e400,NaN]`, `[inf, nan]`},
	} {
		v, err := pyjson.Decode([]byte(c.json))
		if err != nil {
			t.Fatal(err)
		}
		if got := pyjson.Repr(v); got != c.repr {
			t.Errorf("repr of %s: got %s, want %s", c.json, got, c.repr)
		}
	}
}

// TestEqual: to Python true, 1 and 1.0 are one value, and so a PATCH from one to another changes nothing.
func TestEqual(t *testing.T) {
	for _, c := range []struct {
		a, b string
		same bool
	}{
		{`{"a":1,"b":[2]}`, `{"b":[2.0],"a":true}`, true},
		{`9007199254740993`, `9007199254740992.0`, false},
		{`null`, `{}`, false},
		{`"1"`, `1`, false},
		{`false`, `0`, true},
		{`[1]`, `[1,2]`, false},
		{`{"a":1}`, `{"b":1}`, false},
		{`1e400`, `1e500`, true},
		{`NaN`, `NaN`, false},
	} {
		a, _ := pyjson.Decode([]byte(c.a))
		b, _ := pyjson.Decode([]byte(c.b))
		if got := pyjson.Equal(a, b); got != c.same {
			t.Errorf("%s == %s: got %t", c.a, c.b, got)
		}
	}
}

func TestParseInt(t *testing.T) {
	for text, want := range map[string]string{
		"10": "10", " 1_0 ": "10", "+7": "7", "-0": "0", "٣": "3", "𝟙𝟘": "10",
		"1.0": "", "": "", "_1": "", "1__0": "", "--1": "", "ten": "",
	} {
		got := ""
		if n, ok := pyjson.ParseInt(text); ok {
			got = n.String()
		}
		if got != want {
			t.Errorf("int(%q): got %q, want %q", text, got, want)
		}
	}
}

// TestWhatIsWrittenReadsBack is a law: decode(encode(v)) == v, and encoding is stable.
func TestWhatIsWrittenReadsBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		v := value(3).Draw(t, "value")
		text := pyjson.Encode(v)
		back, err := pyjson.Decode(text)
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		if again := pyjson.Encode(back); string(again) != string(text) {
			t.Fatalf("got %s, want %s", again, text)
		}
		if !pyjson.Equal(v, back) {
			t.Fatalf("%s is not what was written", text)
		}
	})
}

// value draws a value, nested at most so deep.
func value(depth int) *rapid.Generator[any] {
	kinds := []*rapid.Generator[any]{
		rapid.Just[any](nil),
		rapid.Bool().AsAny(),
		rapid.String().AsAny(),
		rapid.Map(rapid.StringMatching(`-?[1-9][0-9]{0,30}`), func(s string) any { return pyjson.Int(s) }),
		rapid.Map(rapid.Float64(), func(f float64) any { return pyjson.Float(f) }),
	}
	if depth > 0 {
		kinds = append(kinds,
			rapid.Map(rapid.SliceOfN(value(depth-1), 0, 4), func(l []any) any { return l }),
			rapid.Map(rapid.MapOfN(rapid.String(), value(depth-1), 0, 4), func(m map[string]any) any {
				o := pyjson.NewObject()
				for k, v := range m {
					o.Set(k, v)
				}
				return o
			}))
	}
	return rapid.OneOf(kinds...)
}

// FuzzDecode: whatever comes, there is an error or a value that can be written and read again.
func FuzzDecode(f *testing.F) {
	for _, s := range []string{`{"a":[1,2.5e3,"\ud83d\ude00",null]}`, `{"a":`, "\"\xed\xa0\x80\"", `[NaN,-Infinity]`, `"\ud800"`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		v, err := pyjson.Decode(data)
		if err != nil {
			return
		}
		text := pyjson.Encode(v)
		back, err := pyjson.Decode(text)
		if err != nil {
			t.Fatalf("%q became %q: %v", data, text, err)
		}
		if again := pyjson.Encode(back); string(again) != string(text) {
			t.Fatalf("%q became %q, then %q", data, text, again)
		}
	})
}
