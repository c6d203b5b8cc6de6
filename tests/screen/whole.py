#!/usr/bin/env python3
"""The whole program on a real terminal (tmux), with other instances to talk
to on the loopback interface: what a person sees. Prints TAP.

    P2PCHAT=.../p2pchat-tui whole.py            (make check-screen)
"""

import os
import pathlib
import re
import shutil
import signal
import sys
import time

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
sys.path.insert(1, str(pathlib.Path(__file__).resolve().parent.parent
                       / "program"))
# pylint: disable=wrong-import-position
from program import (ANY_PORT, P2PCHAT, Failure, Program, Tests, free_port,
                     need)
from screen import Screen, Tmux

TMUX = None
# The whole suite; a normal run takes a third of it.
SECONDS_MAX = 240
# The first frame stands before there is a room; then the prompt names it.
READY = r"^ #\S+>"
# Each size and what only its layout shows: people under the rooms, or beside
# the lines; a short title; no title, and text down to the input.
SIZES = ((80, 24, r"^ HERE 1 +│"), (120, 40, "│ HERE 1$"),
         (40, 12, r"\A #lobby 1 here\n"),
         (20, 6, r"\A(?!.*#)(.*\n){4}.*words( and)?\n> ?$"),
         (10, 3, r"\A(?!.*#).*\n.*\b(words|and)\n> ?$"))


class Person:
    """Somebody at a screen, in a home and on a port that outlive restarts."""

    def __init__(self, t, size=(80, 24)):
        self.home = t.home()
        self.port = free_port()
        self.size = size
        self.screen = None
        self.screens = []

    def start(self, *args, ready=READY, **env):
        # HOME and XDG folders are not a person's own.
        env = {"HOME": self.home, "XDG_CONFIG_HOME": self.home, **env}
        self.screen = Screen(
            TMUX, self.size, P2PCHAT, "--data-dir", str(self.home / "data"),
            "--no-mdns", "--listen", f"/ip4/127.0.0.1/tcp/{self.port}", *args,
            **env)
        self.screens.append(self.screen)
        self.sees(ready)
        return self

    def sees(self, pattern):
        """The screen once it matches; fails with what is there instead."""
        text = self.screen.wait(pattern)
        need(text is not None, "not seen:", pattern, "\n" +
             self.screen.text())
        return text

    def misses(self, pattern):
        text = self.screen.text()
        need(not re.search(pattern, text, re.M), "seen:", pattern,
             "\n" + text)

    def quit(self):
        """C-c twice, as a person would."""
        self.screen.keys("C-c", "C-c")
        self.sees(r"exit=0\n(.*\n)*tty=same")
        self.screen.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for s in self.screens:
            s.close()


def friend(t, person, name="mali", home=None):
    """Another instance, without a screen, that dials the person."""
    p = Program(t, home or t.home(), "--name", name, "--connect",
                f"127.0.0.1:{person.port}").ready()
    p.wait("peer", state="connected")
    return p


def said(p, text):
    """Waits until the friend reads it; it comes once."""
    p.wait("message", text=text, own=False)
    need(len(p.seen("message", text=text)) == 1, "came twice:", text)


# ---- what is seen -----------------------------------------------------------


def first_screen(t):
    """A first start: panes, checklist, a name, what to do next"""
    with Person(t) as me:
        me.start()
        for word in (r"^ ROOMS +│", r"^\*1 lobby +│", "^ HERE 0",
                     r"\[ok\] +listening +127.0.0.1 tcp",
                     r"\[--\] +LAN discovery off", r"\[\.\.\] +people",
                     r"\A #lobby \| nobody else yet", "Nobody yet",
                     "^ 0 direct 0 relayed | nothing waiting",
                     r"^ #lobby>$"):
            me.sees(word)
        text = me.sees(r"Welcome. You are \w+-\w+, key \.\.\w{8}\.")
        need("starting" not in text, "still starting:", text)
        lines = text.splitlines()
        need(len(lines) == 24, text)
        name = re.search(r"You are (\S+), ", text)[1]
        need(lines[0].rstrip().endswith(name), text)


def meet_and_talk(t):
    """Two meet, are named, and read each other, each line once"""
    with Person(t) as me:
        me.start()
        mali = friend(t, me)
        me.sees("^ HERE 1")
        # Nobody has said a word yet.
        me.sees(r"-- mali~\w{6} came$")
        me.sees(r"^\?mali~\w{6} *[\d.]*(ms)?│")
        me.screen.keys(*"/whois", "Space", "m", "a", "Tab")
        me.sees(r"^ #lobby> /whois mali *$")
        me.screen.keys("Enter")
        me.sees(r"│ +key +" + mali.id[:20])
        mali.send("hello there")
        me.sees(r" \?mali~\w{6}  hello there$")
        me.screen.type("good morning")
        me.sees(r"\d\d:\d\d  you +> good morning$")
        said(mali, "good morning")
        need(me.screen.text().count("hello there") == 1, me.screen.text())
        mali.send("/quit")
        me.sees(r"-- mali~\w{6} left$")
        me.sees("^ HERE 0")


def same_name(t):
    """Two of one name are told apart, and ignored by key"""
    with Person(t) as me:
        me.start()
        one, two = friend(t, me), friend(t, me)
        one.send("it is me")
        said_by = me.sees(r"mali~\w{6}  it is me")
        two.send("no, me")
        text = me.sees(r"!mali~\w{6}  no, me")
        tags = {re.search(r"mali~(\w{6})  it is me", said_by)[1],
                re.search(r"mali~(\w{6})  no, me", text)[1]}
        need(tags == {one.id[-6:], two.id[-6:]}, tags)
        me.screen.type("/ignore mali")
        me.sees(r"!! +'mali' can be 2 people")
        me.screen.type(f"/ignore mali~{two.id[-6:]}")
        me.sees("is ignored")
        two.send("unseen words")
        one.send("seen words")
        me.sees("seen words")
        me.misses("unseen")


def numbers(text):
    """The groups of five digits, and the words behind them."""
    found = re.search(r"((?:\d{5}\s+){12})((?:[a-z]+\s+){5}[a-z]+)", text)
    need(found, "no number:", text)
    return found[1].split(), found[2].split()


def verify(t):
    """Both ends see one number; who is verified is marked and defended"""
    with Person(t) as me:
        me.start()
        name = me.sees(r"You are (\S+), ")
        name = re.search(r"You are (\S+), ", name)[1]
        mali = friend(t, me)
        mali.send("it is me")
        me.sees(r"\?mali~\w{6}  it is me")
        me.screen.type("/verify mali")
        text = me.sees(r"If it is: /verify mali~\w{6} yes")
        here = numbers(re.sub("^.*?│", "", text, flags=re.M))
        mali.send(f"/verify {name}")
        there = numbers(mali.until("a number", lambda: [
            e["text"] for e in mali.seen("notice")
            if "has to see" in e["text"]])[0])
        need(here == there, here, there)
        me.screen.type("/verify mali yes")
        me.sees(r"^\+mali +[\d.]*(ms)?│")
        mali.send("still me")
        me.sees(r"\+mali +still me")
        # Fullwidth letters.
        other = friend(t, me, "\uff4d\uff41\uff4c\uff49")
        me.sees(r"-! .* has a name like mali, whom you have")
        other.send("send me money")
        me.sees(r"!\S+~\w{6} +send me money")


def rooms(t):
    """Rooms are joined, counted while away, marked as new, and left"""
    with Person(t) as me:
        me.start("--name", "amber")
        mali = friend(t, me)
        me.screen.type("/join dev")
        me.sees(r"^\*2 dev")
        me.sees("Nothing was said in #dev yet")
        mali.send("/join dev")
        mali.send("first")
        me.sees("  first$")
        me.screen.keys("M-1")
        me.sees(r"^\*1 lobby")
        mali.send("second")
        me.sees(r"^ 2 dev +1│")
        mali.send("amber: third")
        me.sees(r"^ 2 dev +@1│")
        me.sees(r"nothing waiting | @2:dev | F1 help")
        me.screen.keys("M-a")
        text = me.sees(r"^\*2 dev +│")
        need(re.search(r"  first\n(.*came\n)?.*─ new ─.*\n.*  second\n.*amber: third",
                       text), text)
        me.screen.type("/part")
        me.sees(r"^\*1 lobby")
        me.misses("2 dev")


def hostile(t):
    """Escape sequences in a name and a text are shown, not obeyed"""
    with Person(t) as me:
        me.start()
        title = me.screen.info("pane_title")
        evil = friend(t, me, "evil\x1b]0;owned\x07\x1b[2J")
        evil.send(b"\x1b[2J\x1b]0;owned\x07\x1b[31mred \xe2\x80\xaeback")
        text = me.sees(r"red .*back")
        need("\u202e" not in text, "direction override is left:", text)
        need(me.screen.info("pane_title") == title, "the title was set")
        need(re.search("^ ROOMS", text, re.M), text)
        evil.send("สวัสดี 你好|")
        me.sees(r"  สวัสดี 你好\|$")


def befriend(me, p, name="mali"):
    """Who is answered by name is no stranger, so never folded away."""
    p.send("good morning")
    me.sees("good morning")
    me.screen.type(f"{name}: hello")
    said(p, f"{name}: hello")


def sizes(t):
    """Every size is drawn; what is read stays in sight"""
    with Person(t) as me:
        me.start()
        mali = friend(t, me)
        befriend(me, mali)
        for i in range(59):
            mali.send(f"line {i:02} " + "and some words " * 4)
        me.sees(r"line 58 ")
        me.screen.keys("PPage")
        top = re.search(r"line (\d\d) ", me.sees("End goes back"))[1]
        for cols, rows, layout in SIZES[1:3] + SIZES[:1]:
            me.screen.resize(cols, rows)
            me.sees(layout)
            me.sees(f"line {top} ")
        me.screen.keys("End")
        me.sees("line 58 ")
        for cols, rows, layout in SIZES:
            me.screen.resize(cols, rows)
            text = me.sees(layout)
            need(len(text.splitlines()) == rows, cols, rows, text)
            need(max(map(len, text.splitlines())) <= cols, text)
            me.screen.keys("x")
            me.sees("> x$")
            me.screen.keys("C-u")
            me.sees("> ?$")


def drowning(t):
    """Eight strangers who flood leave the talk on the screen"""
    with Person(t) as me:
        me.start("--name", "amber")
        mali = friend(t, me)
        befriend(me, mali)
        for i in range(25):
            mali.send(f"talk {i}")
        me.sees("talk 24$")
        foes = [friend(t, me, f"eve{i}") for i in range(8)]
        for i in range(320):
            foes[i % 8].send(f"spam {i} " + "and more of it " * (i % 5 * 3))
        me.sees(r"-- \d+ lines by eve\d~\w{6}")
        for i in range(18):
            if i % 9 == 0:
                mali.send(f"honest {i // 9}.")
                me.sees(rf"honest {i // 9}\.$")
            for foe in foes:
                foe.send(f"spam of round {i}")
            text = me.screen.text()
            need(f"honest {i // 9}." in text, "drowned:", text)
        # What is read further up stands still.
        me.screen.keys("PPage")
        me.sees("End goes back|newer below")
        before = me.screen.text().splitlines()[1:-4]
        for foe in foes:
            foe.send("behind it")
        mali.send("honest at last")
        me.sees("newer below")
        rows = me.screen.text().splitlines()[1:-4]
        need([r[18:] for r in rows] == [r[18:] for r in before], before, rows)
        me.screen.keys("End")
        me.sees("honest at last$")
        me.screen.resize(120, 40)
        me.sees(r"-- \d+ lines by eve\d~\w{6}.* \(Alt-e opens\)")
        me.screen.resize(40, 12)
        me.sees(r"^-- \d+ lines by eve\d~\w{6}")
        me.screen.resize(80, 24)
        only_known(me, mali)
        me.screen.type("/only known")
        me.sees("strangers left out")
        me.quit()
        # The folds are those of the lines, whenever they are read.
        me.start()
        me.sees("strangers left out")
        me.screen.type("/only all")
        me.sees(r"-- \d+ lines by eve\d~\w{6}")
        me.misses("  spam")


def only_known(me, mali):
    """Strangers are left out, and the title says so; a fold opens."""
    me.screen.type("/only known")
    me.sees(r"\A #lobby .*strangers left out \(/only all\)")
    me.sees("honest at last$")
    me.misses("eve.* spam|lines by")
    me.screen.type("/only all")
    me.sees("lines by")
    me.misses("left out")
    for _ in range(3):
        mali.send("lol")
    me.sees(r"-- 3 times by \S*mali\S*.*: lol$")
    me.screen.keys("M-e")
    me.sees(r"mali\S* +lol\n.*  lol\n.*  lol$")
    me.screen.type("/unfold")
    me.sees("  spam ")
    me.screen.keys("End")


def restart(t):
    """A restart: same key and name, history, last room, what is unread"""
    with Person(t) as me:
        who = re.search(r"You are (\S+), key (\S+)\.", me.start().sees(
            "You are"))
        mali = friend(t, me)
        mali.send("to be kept")
        me.sees("to be kept")
        me.screen.type("/join dev")
        me.sees(r"^\*2 dev")
        mali.send("unread one")
        me.sees(r"^ 1 lobby +1│")
        me.quit()
        me.start(ready=r"^\*2 dev")
        text = me.sees(r"^ 1 lobby +1│")
        need(text.splitlines()[0].endswith(who[1]), text)
        me.screen.keys("M-1")
        me.sees(r"to be kept\n.*─ new ─.*\n.*unread one")
        me.screen.type("/info")
        me.sees(re.escape(who[2][2:]) + "$")
        me.quit()


def waiting(t):
    """A line said to nobody waits over a restart and is handed on"""
    with Person(t) as me:
        me.start().screen.type("for later")
        me.sees(r"you +\? for later$")
        me.sees("1 waiting")
        me.screen.keys("C-c", "C-c")
        me.sees(r"1 lines? waits? .*Quit\? y/n")
        me.screen.keys("n")
        me.sees(r"(?s)\A(?!.*Quit\?)")
        me.screen.keys("C-c", "C-c", "y")
        me.sees("exit=0")
        me.start()
        me.sees(r"you +\? for later$")
        mali = friend(t, me)
        said(mali, "for later")
        me.sees(r"you +> for later$")


def paste(t):
    """A paste never sends, whatever it holds"""
    with Person(t) as me:
        me.start()
        mali = friend(t, me)
        me.screen.paste("one\n/quit\ntwo\n")
        me.sees(r"#lobby> one\n +/quit\n +two")
        mali.send("still here?")
        me.sees("still here")
        need(not mali.seen("message", own=False), "it was sent")
        me.screen.keys("Enter")
        said(mali, "one\n/quit\ntwo")


# Focus, mouse, device answers, strings, keys without a name, key reports.
UNASKED = (b"\x1b[I", b"\x1b[O", b"\x1b[<0;10;10M", b"\x1b[<0;10;10m",
           b"\x1b[M !!", b"\x1b[?62;22c", b"\x1b[>41;354;0c", b"\x1b[24;80R",
           b"\x1b[?2026;2$y", b"\x1b]11;rgb:0000/0000/0000\x1b\\",
           b"\x1b]11;rgb:0000/0000/0000\x07", b"\x1bP>|xterm(390)\x1b\\",
           b"\x1b_Gi=31;OK\x1b\\", b"\x1b[25~", b"\x1b[7$", b"\x1bOR",
           b"\x1b[97u", b"\x1b[97;5u", b"\x1b[27;6;88~", b"\x1b[13;2u")


def unasked(t):
    """What a terminal sends by itself is no text; Esc is a key, and Alt"""
    with Person(t) as me:
        me.start()
        for what in UNASKED:
            me.screen.send(what + b"x")
        me.sees(f"^ #lobby> {'x' * len(UNASKED)}$")
        me.screen.send(b"\x05\x15")
        me.sees("^ #lobby>$")
        me.screen.send(b"one two\x1b[7~>\x1b[8~<")
        me.sees("^ #lobby> >one two<$")
        me.screen.send(b"\x1b\x7f")
        me.sees("^ #lobby> >one ?$")
        me.screen.send(b"\x1b[[A")
        me.sees("any other key closes")
        me.screen.send(b"\x1b")
        me.sees("^ #lobby> >one ?$")


def no_locale(t):
    """A locale that is not installed: UTF-8 all the same, and a word"""
    with Person(t) as me:
        me.start(LC_ALL="xx_YY.UTF-8")
        me.sees("The locale LC_ALL=xx_YY.UTF-8 is not")
        mali = friend(t, me)
        mali.send("ส é")
        me.sees("  ส é$")
        me.screen.type("ß")
        said(mali, "ß")


def colours(t):
    """Colours are sent, and with NO_COLOR or --color never they are not"""
    sgr = r"\x1b\[[0-9;]*(3[0-7]|9[0-7]|38;5)[0-9;]*m"
    with Person(t) as me:
        me.start()
        me.sees(r"\[ok\]")
        need(re.search(sgr, me.screen.raw()), me.screen.raw())
        me.quit()
        me.start(NO_COLOR="1")
        me.sees(r"\[ok\]")
        need(not re.search(sgr, me.screen.raw()), me.screen.raw())
        me.quit()
        me.start("--color", "never")
        me.sees(r"\[ok\]")
        need(not re.search(sgr, me.screen.raw()), me.screen.raw())


def ascii_only(t):
    """--ascii draws no other characters; LANG=C escapes those of a text"""
    with Person(t) as me:
        text = me.start("--ascii").sees(r"\[ok\] +listening")
        need(text.isascii(), text)
        me.quit()
        me.start(LANG="C")
        mali = friend(t, me)
        mali.send("ส é")
        text = me.sees(r"\\u\{E2A\} \\u\{E9\}")
        need(text.isascii(), text)


# ---- ways in and out --------------------------------------------------------


def ways_out(t):
    """Every way out gives the terminal back: quit, TERM, HUP, SEGV, ABRT"""
    ends = (("/quit", 0), ("TERM", 0), ("HUP", 129), ("SEGV", 139),
            ("ABRT", 134))
    with Person(t) as me:
        for how, status in ends:
            me.start().screen.keys("d", "r", "a", "f", "t")
            me.sees("> draft")
            if how.startswith("/"):
                me.screen.keys("C-u")
                me.screen.type(how)
            else:
                me.screen.kill(how)
            me.sees(rf"exit={status}\n(.*\n)*tty=same")
            # The alternate screen is left: nothing of it remains.
            me.misses("ROOMS")
            me.screen.close()


def suspend(t):
    """C-z gives the terminal to the shell, fg takes it back"""
    with Person(t) as me:
        s = Screen(TMUX, (80, 24), "sh", "-i", PS1="ready>")
        me.screen = s
        me.screens.append(s)
        me.sees("ready>")
        s.type(f"TERM=tmux-256color HOME={me.home} {P2PCHAT} --no-mdns "
               f"--data-dir {me.home}/data " + " ".join(ANY_PORT))
        me.sees(READY)
        s.keys("C-z")
        me.sees(r"ready>$")
        s.type("stty -a | grep -c ' icanon'; fg")
        me.sees(READY)
        s.keys("-l", "back")
        me.sees("#lobby> back")
        s.keys("C-c")
        me.sees("#lobby>$")
        s.keys("C-c", "C-c")
        me.sees("^1$")
        s.type("echo $((6 * 7)) done")
        me.sees("42 done$")


def terminal_gone(t):
    """A terminal that goes away ends the program; the profile is free"""
    with Person(t) as me:
        me.start().screen.type("kept")
        me.sees(r"you +\? kept")
        me.screen.close()
        end = time.monotonic() + 20
        while time.monotonic() < end:
            me.start(ready=READY + "|exit=75")
            if "exit=75" not in me.screen.text():
                break
            me.screen.close()
            time.sleep(0.2)
        me.sees(r"you +\? kept")


def taken(t):
    """A second start on one profile says who holds it"""
    with Person(t) as me, Person(t) as other:
        me.start()
        other.home = me.home
        other.start(ready=r"exit=75\n(.*\n)*tty=same")
        other.sees(r"p2pchat-tui: .*\d+")
        other.sees("--profile")


def damaged(t):
    """What fails behind the first screen is told when it is gone"""
    with Person(t) as me:
        me.start()
        me.quit()
        key = me.home / "data" / "identity.key"
        key.write_bytes(b"no key")
        me.start(ready=r"exit=65\n(.*\n)*tty=same")
        me.sees("p2pchat-tui: .*identity.key: damaged")
        me.misses("ROOMS")


def dumb(t):
    """A terminal that cannot show a screen is talked to line by line"""
    with Person(t) as me:
        for term, why in (("dumb", "has no full screen"),
                          ("no-such", "is not known here")):
            me.start(ready=r"going on line by line", TERM=term)
            me.sees(f"TERM={term} {why}: ")
            me.sees("set TERM=xterm-256color")
            mali = friend(t, me)
            mali.send("to a dumb terminal")
            me.sees("mali.*to a dumb terminal")
            me.screen.type("/quit")
            me.sees(r"exit=0\n(.*\n)*tty=same")
            me.screen.close()
            mali.kill()


def too_long(*_):
    raise Failure(f"the suite takes more than {SECONDS_MAX} s")


def main():
    """All of it."""
    global TMUX
    for tool in ("tmux", "pgrep"):
        if shutil.which(tool) is None:
            print(f"1..0 # SKIP needs {tool}")
            return 0
    os.environ.pop("NO_COLOR", None)
    signal.signal(signal.SIGALRM, too_long)
    signal.alarm(SECONDS_MAX)
    with Tmux() as TMUX, Tests() as t:
        return t.all([first_screen, meet_and_talk, same_name, verify, rooms, hostile,
                      sizes, drowning, restart, waiting, paste, unasked,
                      no_locale, colours, ascii_only,
                      ways_out, suspend, terminal_gone, taken, damaged, dumb])


if __name__ == "__main__":
    sys.exit(main())
