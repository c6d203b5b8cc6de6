#!/usr/bin/env python3
"""Makes src/base/confusables.inc and src/base/scripts.inc from Unicode's files:
unicode-tables.py FOLDER VERSION, where FOLDER has confusables.txt (UTS 39) and
Scripts.txt and ScriptExtensions.txt (UAX 24). The build does not run it."""

import re
import sys

# UAX 31, table 5: scripts in common use, by both of their names. All others
# share one bit.
RECOMMENDED = """Arabic Arab, Armenian Armn, Bengali Beng, Bopomofo Bopo,
Cyrillic Cyrl, Devanagari Deva, Ethiopic Ethi, Georgian Geor, Greek Grek,
Gujarati Gujr, Gurmukhi Guru, Han Hani, Hangul Hang, Hebrew Hebr, Hiragana Hira,
Kannada Knda, Katakana Kana, Khmer Khmr, Lao Laoo, Latin Latn, Malayalam Mlym,
Myanmar Mymr, Oriya Orya, Sinhala Sinh, Tamil Taml, Telugu Telu, Thaana Thaa,
Thai Thai, Tibetan Tibt"""
# Sets that a character of one script may belong to as well (UTS 39, 5.1).
AUGMENTED = {"Hani": "Hanb Jpan Kore", "Hira": "Jpan", "Kana": "Jpan",
             "Hang": "Kore", "Bopo": "Hanb"}
HEAD = """/*
 * Made by src/base/unicode-tables.py from Unicode's
 * %s, version %s.
 * Copyright 1991-2026 Unicode, Inc. Unicode License v3 (Unicode-3.0):
 * docs/licences/unicode-3.0.txt.
 */
"""

short = {}
bits = ["Other", "Hanb", "Jpan", "Kore"]
for pair in RECOMMENDED.split(","):
    full, code = pair.split()
    short[full] = short[code] = code
    bits.append(code)


def rows(path):
    """(first, last, fields) of each line with data."""
    with open(path, encoding="utf-8-sig") as file:
        for line in file:
            fields = [f.strip() for f in line.split("#")[0].split(";")]
            if len(fields) > 1:
                first, _, last = fields[0].partition("..")
                yield int(first, 16), int(last or first, 16), fields[1:]


def confusables(folder, version):
    """One entry a character: where its prototype stands in the pool."""
    pool, at, out = [], {}, []
    for code, _, fields in sorted(rows(folder + "/confusables.txt")):
        to = tuple(int(x, 16) for x in fields[0].split())
        if to not in at:
            at[to] = len(pool)
            pool += to
        out.append("{0x%X, %d, %d}" % (code, at[to], len(to)))
    assert len(pool) < 1 << 16
    return (HEAD % ("confusables.txt", version) +
            "static const uint32_t confusable_pool[] = {\n" +
            fill(["0x%X" % c for c in pool]) + "};\n" +
            "static const struct confusable confusables[] = {\n" +
            fill(out) + "};\n")


def fill(items):
    """Items in lines of 80 columns."""
    text, line = "", "\t"
    for item in items:
        if len(line) + len(item) > 70:
            text, line = text + line.rstrip() + "\n", "\t"
        line += item + ", "
    return text + line.rstrip() + "\n"


def mask(codes):
    """The bits of a set of scripts with those that it is augmented by."""
    found = set()
    for code in codes:
        found |= {code, *AUGMENTED.get(code, "").split()}
    return sum(1 << bits.index(code) for code in found)


def scripts(folder, version):
    """Ranges of characters with scripts of their own, and the sets."""
    of = {}
    for first, last, (name,) in rows(folder + "/Scripts.txt"):
        if name not in ("Common", "Inherited", "Zyyy", "Zinh", "Unknown"):
            one = mask([short.get(name, "Other")])
            of.update((c, one) for c in range(first, last + 1))
    for first, last, (names,) in rows(folder + "/ScriptExtensions.txt"):
        many = mask([short.get(n, "Other") for n in names.split()])
        of.update((c, many) for c in range(first, last + 1))
    ranges, sets = [], []
    for code in sorted(of):
        if of[code] not in sets:
            sets.append(of[code])
        which = sets.index(of[code])
        if ranges and ranges[-1][1:] == [code - 1, which]:
            ranges[-1][1] = code
        else:
            ranges.append([code, code, which])
    names = "".join("\tSCRIPT_%s = %d,\n" % (b.upper(), i)
                    for i, b in enumerate(bits))
    return (HEAD % ("Scripts.txt and ScriptExtensions.txt", version) +
            "enum script {\n" + names + "};\n" +
            "static const uint64_t script_sets[] = {\n" +
            fill(["0x%X" % s for s in sets]) + "};\n" +
            "static const struct script_range script_ranges[] = {\n" +
            fill(["{0x%X, 0x%X, %d}" % tuple(r) for r in ranges]) + "};\n")


def main():
    """Writes both files."""
    folder, version = sys.argv[1:]
    assert re.fullmatch(r"\d+\.\d+\.\d+", version)
    for name, make in (("confusables", confusables), ("scripts", scripts)):
        with open("src/base/%s.inc" % name, "w", encoding="ascii") as file:
            file.write(make(folder, version))


main()
