#!/usr/bin/env python3
"""The real screen in a real terminal (tmux): what is drawn at each size, and
whether the terminal is given back on every way out. Prints TAP.

    BUILDDIR=... run.py            (make check-screen)
"""
import os
import pathlib
import re
import shutil
import subprocess
import sys
import time

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import screen  # pylint: disable=wrong-import-position

BUILD = os.environ.get("BUILDDIR", ".")
DEMO = os.path.join(BUILD, "tests/screen/demo")
TMUX = None
count = 0
failed = 0


def ok(name, good, more=""):
    global count, failed
    count += 1
    failed += not good
    print(f"{'' if good else 'not '}ok {count} - {name}", flush=True)
    if not good:
        for line in more.splitlines():
            print("#", line)


class Screen(screen.Screen):
    """The demo, or another command, and checks of what it shows."""

    def __init__(self, cols, rows, *command, **env):
        super().__init__(TMUX, (cols, rows), *(command or (DEMO,)), **env)

    def expect(self, name, pattern):
        text = self.wait(pattern)
        ok(name, text is not None, f"wanted {pattern}\n{self.text()}")
        return text or ""


def sizes():
    with Screen(80, 24) as s:
        text = s.expect("80x24: rooms over people, messages",
                        r"^ 2 dev +@2│.*[\s\S]*^ HERE 4")
        ok("80x24: every row is there", len(text.splitlines()) == 24, text)
        s.expect("wide characters stand where they should",
                 r"nok~9f2c  สวัสดีครับ 你好 👍 .* น้ำ e\u0301\| end$")
        s.resize(120, 40)
        s.expect("resized to 120x40: three columns",
                 r"^ ROOMS +│.*│ HERE 4")
        s.resize(40, 12)
        s.expect("resized to 40x12: panes are folded",
                 r"^ #lobby 4 here +@2:dev 3:music\(7\)")
        s.resize(20, 6)
        s.expect("resized to 20x6: messages and input",
                 r"\A(?!.*ROOMS)[\s\S]*-- 4 people came\n>")
        s.resize(10, 3)
        s.expect("resized to 10x3: the input is kept", r"^>")
        s.resize(80, 24)
        s.expect("and back", r"^ HERE 4")
    with Screen(80, 24, LANG="C") as s:
        s.expect("LANG=C: ASCII rules, text escaped",
                 r"nok~9f2c  \\u\{E2A\}")
        ok("LANG=C: nothing but ASCII", s.text().isascii(), s.text())
    with Screen(80, 24, NO_COLOR="1") as s:
        s.expect("NO_COLOR: drawn", r"^ HERE 4")
        raw = s.raw()
        ok("NO_COLOR: no colour is sent",
           not re.search(r"\x1b\[[0-9;]*(3[0-7]|38;5)[0-9;]*m", raw), raw)
    with Screen(80, 24) as s:
        s.expect("colours: drawn", r"^ HERE 4")
        ok("colours: some are sent",
           "38;5" in s.raw())


def typing():
    with Screen(80, 24) as s:
        s.wait(r"^ HERE 4")
        s.keys("-l", "สวัสดี")
        s.expect("Thai is typed", r"#lobby> สวัสดี")
        s.keys("BSpace")
        s.expect("Backspace takes one Thai mark", r"#lobby> สวัสด$")
        s.keys("C-u")
        s.paste("one\n/quit\n")
        s.expect("a paste of lines stays in the input",
                 r"#lobby> one\n +/quit")
        s.keys("Enter")
        s.expect("Enter sends it as one", r"you     > one\n.*/quit")
        s.keys("-H", *"1b 5b 32 30 30 7e 61 62".split())
        s.expect("a paste whose end is lost is ended by silence",
                 r"#lobby> ab$")
        s.keys("C-u")
        s.keys("M-2")
        s.expect("Alt-2 goes to room 2", r"^ #dev")
        s.keys("Escape")
        time.sleep(0.2)
        s.keys("/")
        s.keys("C-u")
        s.keys("Escape", "1")
        s.expect("Esc then 1 is Alt-1", r"^ #lobby")
        s.keys("//flood", "Enter")
        s.wait("one of many")
        s.keys("PPage")
        s.expect("PgUp scrolls back", r"End goes back")
        s.keys("F1")
        s.expect("F1 helps", r"^ KEYS")
        s.keys("q", "End")
        s.expect("End follows again", r"nothing waiting")
        s.keys("C-s", "C-q", "x")
        s.expect("C-s does not stop the terminal", r"#lobby> x")


def ways_out():
    ends = [("C-c twice", None, "exit=0"), ("SIGTERM", "TERM", "exit=0"),
            ("SIGHUP", "HUP", "exit=0"), ("SIGSEGV", "SEGV", "exit=139")]
    for name, signal, status in ends:
        with Screen(80, 24) as s:
            s.wait(r"^ HERE 4")
            if signal:
                s.kill(signal)
            else:
                s.keys("C-c", "C-c")
            s.expect(f"{name}: {status}, the tty is as before",
                     rf"{status}\n(.*\n)*tty=same")
    with Screen(80, 24) as s:
        s.wait(r"^ HERE 4")
        s.keys("//abort", "Enter")
        s.expect("a failed assertion gives the tty back",
                 r"exit=134\n(.*\n)*tty=same")


def suspend():
    with Screen(80, 24, "sh", "-i", PS1="ready>") as s:
        s.wait(r"ready>")
        s.keys(f"TERM=tmux-256color {DEMO}", "Enter")
        s.wait(r"^ HERE 4")
        s.keys("C-z")
        s.expect("C-z gives the terminal back", r"ready>$")
        s.keys("stty -a | grep -c ' icanon' ; fg", "Enter")
        s.expect("fg draws the screen again", r"^ HERE 4")
        s.keys("-l", "back")
        s.expect("and keys work", r"#lobby> back")
        s.keys("C-c", "C-c", "C-c")
        s.expect("the terminal was sane meanwhile", r"^1$")


def refusals():
    done = subprocess.run([DEMO], stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    ok("no terminal: refused, nothing drawn",
       done.returncode == 64 and done.stdout == b"")
    with Screen(80, 24, TERM="dumb") as s:
        s.expect("TERM=dumb: refused", r"no screen: not supported\nexit=64")
    with Screen(80, 24, TERM="no-such-terminal") as s:
        s.expect("unknown TERM: refused", r"no screen.*\nexit=64")


def main():
    global TMUX
    if shutil.which("tmux") is None:
        print("1..0 # SKIP needs tmux")
        return 0
    with screen.Tmux() as TMUX:
        for part in (sizes, typing, ways_out, suspend, refusals):
            part()
    print(f"1..{count}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
