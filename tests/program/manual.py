#!/usr/bin/env python3
"""Options, commands, keys and JSON events are the same in the code's tables,
in what the program says of itself, and in the manual; what the pages for
programmers name exists. Prints TAP."""

import os
import pathlib
import re
import shutil
import subprocess
import sys
import time

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from program import (ANY_PORT, P2PCHAT, Failure, Skip, Tests,  # noqa: E402
                     clean_env, need, run)

TOP = pathlib.Path(os.environ.get(
    "SRCDIR", pathlib.Path(__file__).resolve().parents[2]))


def read(path):
    """A file of the source tree."""
    return (TOP / path).read_text(encoding="utf-8")


# ---- the code ---------------------------------------------------------------

def c_string(text):
    """The value of adjacent string literals in C; None for NULL."""
    parts = re.findall(r'"((?:[^"\\]|\\.)*)"', text)
    if not parts:
        return None
    return re.sub(r"\\(.)", r"\1", "".join(parts))


def code_options(text):
    """{name: (letter or "", takes a value, in the config file)}"""
    rows = re.findall(r'\{"([a-z-]+)", (0|\'.\'), (KIND_[A-Z]+),'
                      r'\s*offsetof\([^)]*\),\s*(true|false)\}', text)
    return {name: (letter.strip("'0"), kind != "KIND_FLAG", config == "true")
            for name, letter, kind, config in rows}


def code_commands(text):
    """{name: (aliases, arguments, help, example)}"""
    rows = re.findall(
        r'\{COMMAND_[A-Z]+, "([a-z]+)", \{([^}]*)\},\s*("[^"]*"),'
        r'\s*((?:"[^"]*"\s*)+),\s*("[^"]*"),\s*COMMAND_ARG', text)
    return {name: (tuple(re.findall(r'"([a-z]+)"', aliases)), c_string(args),
                   c_string(words), c_string(example))
            for name, aliases, args, words, example in rows}


def code_keys(text):
    """{name: help}; a key without one of its own has that above it."""
    table = text[text.index("keymap_table[] = {"):]
    table = table[:table.index("};")]
    found, last = {}, None
    for name, words in re.findall(
            r'DO\([A-Z_]+\),\s*"([^"]+)",\s*(NULL|"[^"]*")\}', table):
        last = c_string(words) or last
        found[name] = last
    return found


def code_events(text):
    """{event: members} of --json, with what its objects hold."""
    found, helpers = {}, {}

    def members_of(body):
        members = set(re.findall(r'put_(?!id)\w+\(\s*o, "(\w+)"', body))
        for name in re.findall(r"\b(put_\w+)\(o, ", body):
            members |= helpers.get(name, set())
        return members

    for body in re.split(r"\n}\n", text):
        helper = re.search(r"^static void (put_\w+)\(", body, re.M)
        if helper:
            helpers[helper.group(1)] = members_of(body) | set(
                re.findall(r'put_list\(out, "(\w+)"', body))
        names = re.search(r"\bevent\(([^;]*)\);", body)
        if not names or '"' not in names.group(1):
            continue
        members = members_of(body)
        if re.search(r"put_id\(o,", body):
            members.add("id")
        if "net_figure_table" in body:
            members.update(re.findall(r'\{NET_\w+, "(\w+)"',
                                      read("src/msg/net_figures.c")))
        for name in re.findall(r'"(\w+)"', names.group(1)):
            found[name] = members
    return found


def code_error_codes():
    """The codes that the sources give to errors."""
    found = {"failed"}  # an error without one (line_json_error)
    pattern = re.compile(r'(?:out_error|line_error)\(\s*\w+, "([^"]+)"'
                         r'|->code = xstrdup\("([^"]+)"\)')
    for folder in ("src/chat", "ui/line"):
        for path in (TOP / folder).glob("*.c"):
            for match in pattern.findall(path.read_text(encoding="utf-8")):
                found.add("".join(match))
    return found


# ---- the manual -------------------------------------------------------------

def plain(text):
    """mdoc's escapes as the characters that they stand for."""
    for escape, char in ((r"\-", "-"), (r"\&", ""), (r"\e", "\\"),
                         (r"\(dq", '"')):
        text = text.replace(escape, char)
    return text


def section(page, name):
    """The lines of one section."""
    found = re.search(rf"^\.Sh {name}\n(.*?)(?=^\.Sh |\Z)", page, re.M | re.S)
    need(found, "no section", name)
    return found.group(1)


def items(text):
    """[(arguments of .It, lines behind it)]"""
    parts = re.split(r"^\.It ", text, flags=re.M)[1:]
    return [tuple(p.split("\n", 1)) for p in parts]


def man_options(page):
    """{name: (letter or "", takes a value)} of p2pchat-tui(1)."""
    found = {}
    for head, _ in items(section(page, "DESCRIPTION")):
        match = re.match(r"Fl (?:(\w) , Fl )?-([a-z-]+)( Ar \w+)?$",
                         plain(head))
        need(match, "not an option:", head)
        found[match[2]] = (match[1] or "", match[3] is not None)
    return found


def man_synopsis(page):
    """The names of all options in the synopsis."""
    return set(re.findall(r"Fl -([a-z-]+)", plain(section(page, "SYNOPSIS"))))


def man_settings(page):
    """The names that p2pchat-tui.conf(5) explains."""
    return {plain(re.match(r"Cm (\S+) No =", head)[1])
            for head, _ in items(section(page, "DESCRIPTION"))}


def man_commands(page):
    """{name: (aliases, arguments, help)}"""
    found = {}
    for head, body in items(section(page, "COMMANDS")):
        match = re.match(r"Cm /(\w+)(?: (Op )?Ar (.*))?$", plain(head))
        need(match, "not a command:", head)
        args = match[3] or ""
        if match[2]:
            args = f"[{args}]"
        also = re.search(r"^Also:\n\.Cm (.*) \.$", body, re.M)
        aliases = re.findall(r"/(\w+)", also[1]) if also else []
        found[match[1]] = (tuple(aliases), args, body.split("\n")[0])
    return found


def man_keys(page):
    """{name: help}, written as in the table."""
    found = {}
    for head, body in items(section(page, "KEYS")):
        words = body.split("\n")[0]
        need(words.endswith("."), "no sentence:", words)
        words = words[:1].lower() + words[1:-1]
        for name in plain(head)[3:].split(" , "):
            found[name] = words
    return found


def man_events(page):
    """{event: members}"""
    found = {}
    for head, body in items(section(page, "JSON")):
        found[head[3:]] = {w for line in re.findall(r"^\.Cm (.*)$", body, re.M)
                           for w in re.findall(r"\b[a-z_]+\b", line)}
    need("same members as" in section(page, "JSON"), "history's members?")
    need(found.get("history") == {"history", "message"}, "history:", found)
    found["history"] = found.get("message")
    return found


def man_error_codes(page):
    """The codes listed at the event "error"."""
    body = dict(items(section(page, "JSON")))["Cm error"]
    body = body[body.index(".Cm code"):body.index("later versions")]
    return set(re.findall(r"^\.Ql ([a-z0-9-]+)", body, re.M))


# ---- comparing --------------------------------------------------------------

def entries(table):
    """A table as a set of texts."""
    return {repr((name, sorted(value) if isinstance(value, set) else value))
            for name, value in table.items()}


def same(left, right, least):
    """Fails with what only one side has; both must have `least` entries."""
    need(len(left) >= least, "only", len(left), "entries were found")
    if isinstance(left, dict):
        left, right = entries(left), entries(right)
    need(left == right, "only in the first:", sorted(left - right),
         "only in the second:", sorted(right - left))


def compare_options(code, page):
    """The table of options and p2pchat-tui(1)."""
    table = code_options(code)
    same({n: v[:2] for n, v in table.items()}, man_options(page), 15)
    same(set(table), man_synopsis(page), 15)


def compare_settings(code, page):
    """The table of options and p2pchat-tui.conf(5)."""
    table = code_options(code)
    same({n for n, v in table.items() if v[2]}, man_settings(page), 10)


def compare_commands(code, page):
    """The table of commands and the manual."""
    same({n: v[:3] for n, v in code_commands(code).items()},
         man_commands(page), 10)


def compare_keys(code, page):
    """The table of keys and the manual."""
    same(code_keys(code), man_keys(page), 40)


def compare_events(code, page):
    """The events of --json and the manual."""
    same(code_events(code), man_events(page), 8)


PAGE = "man/p2pchat-tui.1"
PAIRS = [
    (compare_options, "src/app/option_table.c", PAGE, '"name", 0',
     r"Fl \-plain"),
    (compare_settings, "src/app/option_table.c", "man/p2pchat-tui.conf.5",
     '{"ascii"', "Cm json"),
    (compare_commands, "src/msg/command.c", PAGE, '"nick"', "/who ,"),
    (compare_keys, "ui/model/keymap.c", PAGE, '"C-k"', "C-t"),
    (compare_events, "ui/line/line_json.c", PAGE, '"time_ms"', "Cm muxer :"),
]


def differs(compare, code, page):
    """Whether the comparison finds a fault."""
    try:
        compare(code, page)
    except Failure:
        return True
    return False


def compare_and_prove(_, compare, code, page, in_code, in_page):
    """Equal as they are; unequal once one word is changed on either side."""
    code, page = read(code), read(page)
    compare(code, page)
    need(in_code in code and in_page in page, "nothing to change")
    need(differs(compare, code.replace(in_code, in_code.upper(), 1), page),
         "a change in the code was not seen")
    need(differs(compare, code, page.replace(in_page, "Cm other", 1)),
         "a change in the manual was not seen")


# ---- the running program ----------------------------------------------------

def help_text(t):
    """--help shows the options of the table"""
    _, out, _ = run("--help", env=clean_env(t.home()))
    table = code_options(read("src/app/option_table.c"))
    shown = {name: (letter, value != "") for letter, name, value in
             re.findall(r"^  (?:-(\w), )?--([a-z-]+)( [A-Z]+)? +\S", out,
                        re.M)}
    same({n: v[:2] for n, v in table.items()}, shown, 15)


def help_commands(t):
    """/help shows the commands of the table, and each with its example"""
    table = code_commands(read("src/msg/command.c"))
    typed = "/help\n" + "".join(f"/help {name}\n" for name in table)
    _, out, _ = run("--plain", "--no-mdns", *ANY_PORT, stdin=typed.encode(),
                    env=clean_env(t.home()))
    shown = re.findall(r"^(?:-- |    )/(\w+) ?([^:\n]*?) +([A-Z].*\.)$", out,
                       re.M)
    same({n: v[1:3] for n, v in table.items()},
         {name: (args, words) for name, args, words in shown}, 10)
    for name, (aliases, _, words, example) in table.items():
        also = ", ".join("/" + a for a in aliases)
        need(f": {words}\n    Example: {example}\n" +
             (f"    Also: {also}\n" if also else "") in out, name, out)


def tmux(socket, *args):
    """One call of tmux with its server on a socket of our own."""
    return subprocess.run(["tmux", "-S", socket, "-f", "/dev/null", *args],
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          check=False).stdout.decode()


def f1_keys(t):
    """F1 shows the keys of the table"""
    if shutil.which("tmux") is None:
        raise Skip("needs tmux")
    table = code_keys(read("ui/model/keymap.c"))
    home = t.home()
    socket = str(home / "tmux")
    command = " ".join([P2PCHAT, "--no-mdns", *ANY_PORT])
    try:
        tmux(socket, "new-session", "-d", "-x", "100", "-y", "120", "env",
             "-i", f"HOME={home}", "LANG=C.UTF-8", "TERM=screen",
             f"PATH={os.environ['PATH']}", "sh", "-c", command)
        wait_for(socket, "HERE")
        tmux(socket, "send-keys", "F1")
        text = wait_for(socket, "any other key closes")
    finally:
        tmux(socket, "kill-server")
    shown = {name: words for names, words in
             re.findall(r"^  (\S.*?) {2,}(\S.*?) *$", text, re.M)
             for name in names.split(", ")}
    same(table, {n: w for n, w in shown.items() if n in table}, 40)


def wait_for(socket, word):
    """The screen once it shows a word."""
    end = time.monotonic() + 30
    while time.monotonic() < end:
        text = tmux(socket, "capture-pane", "-p")
        if word in text:
            return text
        time.sleep(0.1)
    raise Failure(f"no {word} on the screen:\n{text}")


def error_codes(_):
    """The codes of --json's errors are those of the manual"""
    same(code_error_codes(), man_error_codes(read(PAGE)), 10)


# ---- the pages for those who work on it -------------------------------------

PAGES = ["ARCHITECTURE.md", "SECURITY.md", "CONTRIBUTING.md", "README.md"]
SOURCES = ("src", "net", "ui", "store", "tests")


def words_of_sources():
    """Every word in the sources and scripts."""
    words = set()
    for folder in SOURCES:
        for path in (TOP / folder).rglob("*"):
            if path.suffix in (".c", ".h", ".py", ".inc") and path.is_file():
                words |= set(re.findall(r"[A-Za-z_]\w*", path.read_text(
                    encoding="utf-8", errors="replace")))
    return words


def lost_names(text, words, places):
    """Names in `backticks` that are neither a word of the sources nor a
    file. `places` are folders that are planned."""
    lost = []
    for name in re.findall(r"`([^`\n]+)`", text):
        name = name.rstrip("()")
        if re.fullmatch(r"[A-Za-z]+(_[A-Za-z0-9]+)+", name):
            if name not in words:
                lost.append(name)
        elif re.match(r"(src|net|ui|store|tests|docs|man|bench)/", name):
            pattern = re.sub(r"[A-Z]{4,}(?!\w*\.md)", "*", name.rstrip("/"))
            if name not in places and not list(TOP.glob(pattern)):
                lost.append(name)
    return lost


def planned():
    """Folders that the include table keeps a place for."""
    return set(re.findall(r'"/?((?:src|net|ui)/\w+)"',
                          read("tests/lint/check-includes")))


def names_exist(_):
    """Functions and files that the pages name exist"""
    words, places = words_of_sources(), planned()
    pages = [TOP / p for p in PAGES] + list(TOP.glob("docs/internals/*.md"))
    need(len(pages) >= len(PAGES), "no pages")
    lost = {str(page.relative_to(TOP)): names for page in pages
            for names in [lost_names(page.read_text(encoding="utf-8"), words,
                                     places)] if names}
    need(not lost, lost)
    bad = lost_names("`node_" + "stepp` `net/" + "nowhere.c`", words, places)
    need(len(bad) == 2, "a lost name was not seen:", bad)


def code_includes(text):
    """{folder: folders it may include} of tests/lint/check-includes."""
    table = text[text.index("MAY_INCLUDE = {"):]
    table = table[:table.index("\n}")]
    return {name: set(re.findall(r'"([^"]+)"', others)) for name, others in
            re.findall(r'^    "([^"]+)": \[([^\]]*)\]', table, re.M)}


def page_includes(text):
    """The same of ARCHITECTURE.md."""
    table = text[text.index("| folder | may include |"):]
    table = table[:table.index("\n\n")]
    found = {}
    for left, right in re.findall(r"^\| (`.*?) \| (.*?) \|$", table, re.M):
        others = {("/" if equal else "") + name
                  for equal, name in re.findall(r"(=?)`([^`]+)`", right)}
        if "`src/app`" not in left:
            found |= {n: others for n in re.findall(r"`([^`]+)`", left)}
    return found


def includes(_):
    """The include table of ARCHITECTURE.md is that of the linter"""
    code = read("tests/lint/check-includes")
    page = read("ARCHITECTURE.md")
    same(code_includes(code), page_includes(page), 15)
    changed = page.replace("| `src/chat`", "| `src/char`", 1)
    try:
        same(code_includes(code), page_includes(
            changed.replace("| `net/unit` | `net/identity`",
                            "| `net/unit` | `net/wire`", 1)), 15)
    except Failure:
        return
    raise Failure("a change in the page was not seen")


def untold_suites(script, page):
    """The targets of make that `bootstrap test` runs and a page leaves out."""
    runs = re.findall(r"^\s*run_suite \S+ make (.*)$", script, re.M)
    need(len(runs) > 5, "no suites in bootstrap:", runs)
    targets = [next(w for w in run.split()
                    if w[0] not in "-$" and w != "build" and "=" not in w)
               for run in runs]
    return [t for t in targets if not re.search(rf"`make {t}[ `]", page)]


def suites(_):
    """The suites that bootstrap runs stand on the pages for programmers"""
    script = read("bootstrap")
    for name in ("CONTRIBUTING.md", "ARCHITECTURE.md"):
        page = read(name)
        lost = untold_suites(script, page)
        need(not lost, name, "says nothing of", lost)
        bad = untold_suites(script, page.replace("`make check-lan`", ""))
        need(bad == ["check-lan"], "a lost suite was not seen:", bad)


def main():
    """All of it."""
    with Tests() as t:
        for pair in PAIRS:
            t.check(pair[0].__doc__.rstrip("."), compare_and_prove, *pair)
        return t.all([error_codes, help_text, help_commands, f1_keys,
                      names_exist, includes, suites])


sys.exit(main())
