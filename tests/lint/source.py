"""What the linters share: the files, their text without comments, functions."""

import os
import re
import sys

ROOT = os.path.realpath(os.path.join(os.path.dirname(__file__), "..", ".."))
CODE = ("src", "net", "store", "ui")


def files(endings, tops=CODE):
    """Paths below the given folders, relative to the root, sorted."""
    found = []
    for top in tops:
        for folder, subs, names in os.walk(os.path.join(ROOT, top)):
            subs[:] = [s for s in subs if s not in ("node_modules",)]
            paths = (os.path.join(folder, name) for name in names)
            found += [os.path.relpath(path, ROOT)
                      for path in paths if path.endswith(endings)]
    return sorted(found)


def read(path):
    """A file's text."""
    with open(os.path.join(ROOT, path), encoding="utf-8") as file:
        return file.read()


COMMENT_OR_STRING = re.compile(
    r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.S)


def blank(text, keep=None):
    """The text with comments and strings as spaces; lines stay in place.

    keep: "comment" or "string" leaves those as they are.
    """
    def replace(match):
        kind = "comment" if match.group().startswith("/") else "string"
        if kind == keep:
            return match.group()
        return re.sub(r"[^\n]", " ", match.group())
    return COMMENT_OR_STRING.sub(replace, text)


class Function:
    """One function definition: its name, parameters and lines."""

    def __init__(self, head, line, body):
        self.line = line
        self.lines = head.count("\n") + body.count("\n") + 1
        self.body = body
        call = re.search(r"(\w+)\s*\((.*)\)\s*$", head, re.S)
        self.name = call.group(1) if call else head.strip()
        self.parameters = parameters(call.group(2)) if call else 0
        self.depth = depth(body)


def parameters(text):
    """How many parameters a list names."""
    level, count = 0, 1
    for char in text:
        level += char == "("
        level -= char == ")"
        count += char == "," and level == 0
    return 0 if text.strip() in ("", "void") else count


def depth(body):
    """The deepest nesting of blocks inside a body's own braces."""
    level = deepest = 0
    for char in re.sub(r"=\s*\{[^{}]*\}", "", body):
        level += char == "{"
        level -= char == "}"
        deepest = max(deepest, level)
    return deepest - 1


def functions(text):
    """Definitions in Linux style: braces of the body in the first column."""
    text = blank(text)
    found = []
    for match in re.finditer(r"^\{\n(.*?)^\}", text, re.S | re.M):
        before = text[:match.start()]
        start = max(before.rfind("\n\n"), before.rfind(";\n"),
                    before.rfind("}\n"))
        head = before[start + 1:].lstrip("\n")
        head = "".join(line for line in head.splitlines(True)
                       if not line.startswith("#"))
        if "(" not in head:
            continue
        line = before.count("\n") - head.count("\n") + 1
        found.append(Function(head, line, match.group()))
    return found


def finish(problems):
    """Print the problems; the exit status."""
    for problem in problems:
        print(problem)
    return 1 if problems else 0


def self_test(samples):
    """samples: (what, problems found, whether there must be some)."""
    wrong = ["self-test: %s: %s" % (what, found or "nothing found")
             for what, found, expected in samples
             if bool(found) != expected]
    return finish(wrong)


def main(check_all, samples):
    """The common command line: nothing, or --self-test."""
    if sys.argv[1:] == ["--self-test"]:
        sys.exit(self_test(samples()))
    sys.exit(finish(check_all()))
