#!/usr/bin/python3
"""Writes pyyaml.json: what PyYAML's safe loader makes of unquoted texts and of
whole documents, as the JSON that an OpenStack client would send. "refused"
stands where PyYAML or JSON cannot carry it.

    ./pyyaml.py > pyyaml.json        (Debian: python3-yaml)
"""
import itertools
import json

import yaml

WORDS = """
y Y n N yes Yes YES yEs no No NO nO true True TRUE tRue false False FALSE on On ON off Off OFF oN
t f T F none None nil ~ ~a null Null NULL nUll = == << <<< < > . .. ... _ __ - -- --- + ++ -a -_ ?a :a a: a:b
web m1.small cirros-0.6.2 /dev/vda 10.0.0.1 10.0.0.0/24 fe80::1 ::1 192.0.2.7 1.2.3 1.2.3.4 a,b 12.5GB 5m 1h30m
4e1f0a2b 1b4e28ba-2fa1-11d2-883f-0016d3cca427 12345678-1234-1234-1234-123456789012 1e10-2e3 12e45 12e4567 1e-5
true_ yesterday offset onward nullable 0day 1st 100% 5,000 1/2 0x 0b 0o 0_ 0x_ 0b_ 0x_1 0b_1 _1 1__0 1_ 1_000_
00 01 007 08 09 010 0777 0o17 0o8 0O17 0X1F 0B1 0xFg 0b12 0b2 0xdeadBEEF
1:30 1:60 12:30:45 12:30:45.5 190:20:30 0:30 1:5 -1:30 +1:30 1_0:30 22:22 80:80 1: 1:30:
2026-11-22 2026-1-2 2026-13-45 0000-00-00 2026-11-22T19:35:15Z 2026-11-22t19:35:15 2026-11-22T19:35:15.5+01:00 2026-11 2026-11-22T
.inf -.inf +.inf .Inf .INF .iNF .nan .NaN .NAN -.nan inf nan Infinity NaN
9007199254740993 18446744073709551615 18446744073709551616 9223372036854775808 -9223372036854775808 -9223372036854775809
12345678901234567890 123456789012345678901234567890 0xFFFFFFFFFFFFFFFF 0x1FFFFFFFFFFFFFFFF -0x8000000000000000
01777777777777777777777 07777777777777777777777777 1000000000000000000000000000000000000001
0.1 0.10 5.10 1.0e+3 1.0e3 1.0E-3 1.0e+400 1.0e-400 0.1234567890123456789 123456789012345678.5 1.7976931348623157e+308
1e3 1E3 1e+3 1.e+3 .5e+3 .5e3 ._5 .5_ 5._ 5_.5 1_000.25 1.5.5 1..5 00.5 01.50 1.5e+_3 0.0 -0.0 -0 +0
""".split() + ["2026-11-22 19:35:15", "2026-11-22 19:35:15.5 +2", "2026-11-22  19:35:15 Z", "12 34", "yes no", "a b", "1 000"]

SIGNS = ["", "+", "-"]
BODIES = ["0", "7", "12", "1_0", "0b1", "0b10_1", "0x1f", "0x1_F", "017", "0_17", "08", "0o7", "1.", "1.5", ".5", ".", "1.5e3",
          "1.5e+3", "1.5e-3", "1e3", "1e+3", ".5e+3", "1_0.5", "1.5_0", "1:30", "1:30.5", "99999999999999999999", "1.0", "1.00"]

SCALARS = sorted(set(WORDS) | {sign + body for sign, body in itertools.product(SIGNS, BODIES)})

DOCUMENTS = [
    "a: 1\n---\nb: 2\n", "a: 1\n...\n", "...\na: 1\n", "a: 1\n...\nb: 2\n", "%YAML 1.2\n---\na: 1\n", "a: 1\n}", "{a: 1} b",
    "a: 1\n---\n---\nb: 2\n", "--- {a: 1}\n", "--- # c\na: 1\n", "---\t# c\n", "--- |\n a\n", "# c\n", "",
    "{a:, b: 1}", "{a: , b}", "{a:b}", '{"a":b}', "[a: b, c]", "[a:, b]", "[a, , b]", "{a: b::}", "[-]", "[?]", "[- a]", "{? a : b}",
    "? a\n: b\n", "? [a]\n: b\n", ": a\n", "a: 1\na: 2\n", "1: a\n\"1\": b\n", "true: a\n", "1.0: a\n", "yes: a\n", "~: a\n", "80: a\n",
    "a: &x 1\nb: *x\n", "a: &x 1\nb: &x 2\n", "a: *x\n", "a: &x [*x]\n", "&k a: 1\n*k : 2\n", "a: &x\n  b: 1\nc: *x\n",
    "<<: {a: 1}\nb: 2\n", "a: &x {b: 1}\nc: {<<: *x, d: 2}\n", "a: ! 5\n", "a: !!str 5\n", "a: !!int '5'\n", "a: !x 5\n", "a: &b\n  ! 5\n",
    "a: !!binary aGk=\n", "a: !!set {b}\n", "a: !!omap [b: 1]\n", "a: =\n", "a: <<\n",
    "a: |\n  b\n   c\n\nd: 1\n", "a: |# c\n  b\n", "a: | # c\n  b\n", "a: >\n  b\n  c\n\n  d\n", "a: >-\n  b\n\n   c\n  d\n", "a: |+\n  b\n\n", "a: |2\n    b\n",
    "a: |\n\tb\n", "a: |\n  \tb\n", "a: |\n  b\n  \tc\n", "a: |-\n\n  b\n", "a: |\nb: 1\n", "a: >2-\n   b\n", "a: |9\n b\n",
    'a: "b\\tc"\n', 'a: "b\tc"\n', 'a: "\\/"\n', "a: \"\\'\"\n", 'a: "\\x41\\u00e9\\U0001F600"\n', 'a: "\\ud83d"\n', 'a: "\\e\\0\\_\\N\\L\\P\\a\\b\\v\\f"\n',
    'a: "b\n  c\n\n  d"\n', 'a: "b \\\n  c"\n', "a: 'b''c'\n", "a: 'b\n  c'\n", "a: b\n  c\n", "a: b\n\n  c\n", "a: 'b\n", 'a: "b\n',
    "a:\tb\n", "a: b\t\n", "a:\n\tb: 1\n", "a: b\tc\n", "a: b\t# c\n", "\ta: 1\n", "a: 'b'\t\n", "a:\n  b: 1\n\t\n", "- a\n-\tb\n",
    "a: b: c\n", "a: - b\n", "a: @b\n", "a: `b`\n", "a: %b\n", "a: b#c\n", "a: b #c\n", "a: #c\n", "a: 'b'#c\n", "a:b\n", "a :b\n", "a : b\n",
    "a: [b\n", "a: {b\n", "a: [b}\n", "a:\n b: 1\n  c: 2\n", "a:\n  b: 1\n c: 2\n", "- a\nb: 1\n", "a: 1\n- b\n", "a:\n- b\nc: 1\n", "a:\n  - b\n  -\n  - - c\n    - d\n",
    "\ufeffa: 1\n", "a: \u2028b\n", "a: \u0085b\n", "a: b\rc: d\r", "a: b\r\nc: d\r\n", "a: \u0001\n", "a: \x7f\n", "a: caf\u00e9 \U0001F600\n",
    '{"a": [1, 2.5, -3e2, true, null, "x"]}\n', '{"a":1,"b":{"c":[]}}\n', "{a: 1,}\n", "[a, b,]\n", "{,}\n", "a: {}\nb: []\n",
]


def outcome(load):
    try:
        return {"json": json.dumps(load(), allow_nan=False)}
    except Exception:
        return {"refused": True}


def documents(text):
    return [document for document in yaml.safe_load_all(text) if document is not None]


def main():
    scalars = [{"text": text, **outcome(lambda: yaml.safe_load("- " + text)[0])} for text in SCALARS]
    whole = [{"text": text, **outcome(lambda: documents(text))} for text in DOCUMENTS]
    print(json.dumps({"pyyaml": yaml.__version__, "scalars": scalars, "documents": whole}, indent=0))


main()
