# SPDX-License-Identifier: Apache-2.0
"""The judge of test_cpython.c: reads lines of a text in base64 and what our reader made of it, reads
the text with CPython's json module, and complains on stderr where the two differ.

Where json and RFC 8259 part, or json and Go, this follows ours: no NaN, at most 128 levels, and bytes
that are no UTF-8 read as U+FFFD each.
"""

import base64
import codecs
import json
import sys

DEPTH = 128


def replace_each(error):
    return "\ufffd", error.start + 1


codecs.register_error("replace-each", replace_each)


class Number(str):
    """A number by its text."""


class Members(list):
    """An object as pairs, so that keys that stand twice are seen."""


def refuse(name):
    raise ValueError(name)


def quoted(text):
    whole = "".join("\ufffd" if 0xD800 <= ord(c) <= 0xDFFF else c for c in text)
    return '"' + whole.encode().hex() + ";"


def dumped(value, depth=0):
    if value is None:
        return "n"
    if value is True or value is False:
        return "t" if value else "f"
    if isinstance(value, Number):
        return f"#{value};"
    if isinstance(value, str):
        return quoted(value)
    if depth == DEPTH:
        raise ValueError("too deep")
    if isinstance(value, Members):
        return "{" + "".join(quoted(k) + dumped(v, depth + 1) for k, v in value) + "}"
    return "[" + "".join(dumped(item, depth + 1) for item in value) + "]"


def judged(text):
    try:
        return dumped(json.loads(text.decode("utf-8", "replace-each"), parse_int=Number,
                                 parse_float=Number, parse_constant=refuse,
                                 object_pairs_hook=Members))
    except ValueError:
        return "-"


def main():
    read = wrong = 0
    for line in sys.stdin:
        text, ours = line.split(maxsplit=1) if line[0] != " " else ("", line.strip())
        ours = ours.strip()
        if text == "end":
            complete = int(ours) == read
            return 0 if complete and not wrong else 1
        read += 1
        text = base64.b64decode(text)
        theirs = judged(text)
        if ours != theirs:
            wrong += 1
            print(f"{text!r}\n  ours:    {ours}\n  CPython: {theirs}", file=sys.stderr)
    return 1


sys.exit(main())
