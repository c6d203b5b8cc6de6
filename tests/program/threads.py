#!/usr/bin/env python3
"""The real threads end to end: programs that meet, talk, join and leave rooms,
part and quit. Under the thread sanitizer a race ends the program, under the
address sanitizer a fault or a leak does; so every exit code must be 0."""

import signal
import sys
import time

from program import Program, Tests, connected, need


def clean_end(p, code):
    """The end, and no word of a sanitizer."""
    need(code == 0, "ended with", code, p.last_words())
    need("Sanitizer" not in p.stderr(), p.last_words())


def talk(t):
    """Two programs meet, talk both ways, join, part and quit."""
    a = Program(t, t.home(), "--name", "ann").ready()
    b = Program(t, t.home(), "--name", "bob", "--connect", a.addr).ready()
    connected(a, b)
    for i in range(100):
        a.send(f"from a {i}")
        b.send(f"from b {i}")
    for p, word in ((a, "from b"), (b, "from a")):
        for i in (0, 50, 99):
            p.wait("message", text=f"{word} {i}")
    for command in ("/join attic", "in the attic", "/peers", "/rooms",
                    "/history 20", "/info", "/name somebody", "/help",
                    "/ignore bob", "/unignore bob", "/nonsense", "/part"):
        a.send(command)
        b.send(command)
    a.wait("room", topic="attic", state="left")
    b.wait("room", topic="attic", state="left")
    a.send("/quit")
    clean_end(a, a.ended())
    b.wait("peer", peer_id=a.id, state="disconnected")
    b.proc.send_signal(signal.SIGTERM)
    clean_end(b, b.ended())


def comings_and_goings(t):
    """One comes back again and again, quits while busy, is killed, comes."""
    home = t.home()
    a = Program(t, t.home()).ready()
    for i in range(4):
        b = Program(t, home, "--connect", a.addr)
        for j in range(40):
            b.send(f"round {i} line {j}")
        b.ready()
        if i % 2:
            connected(a, b)
        if i == 2:
            b.kill()
            continue
        b.send("/quit")
        clean_end(b, b.ended())
    c = Program(t, home, "--connect", a.addr).ready()
    a.wait("message", text="round 3 line 39")
    for x, y in ((a, c), (c, a)):
        x.send(f"last of {x.id}")
        y.wait("message", text=f"last of {x.id}")
    for p in (c, a):
        p.proc.send_signal(signal.SIGINT)
        clean_end(p, p.ended())


def quit_under_load(t):
    """Quitting while lines stream in and out ends every thread."""
    a = Program(t, t.home()).ready()
    b = Program(t, t.home(), "--connect", a.addr).ready()
    c = Program(t, t.home(), "--connect", a.addr).ready()
    connected(a, b)
    connected(a, c)
    for i in range(300):
        b.send(f"b {i}")
        c.send(f"c {i}")
    time.sleep(0.1)
    a.proc.send_signal(signal.SIGTERM)
    clean_end(a, a.ended())
    for p in (b, c):
        p.send("/quit")
        clean_end(p, p.ended())


def never_started(t):
    """Starts that fail half way free what they had made."""
    home = t.home()
    a = Program(t, home).ready()
    for args in (("--listen", a.addr.split("/p2p/")[0]), (),
                 ("--room", "r" * 200, "--data-dir", str(home / "x"))):
        b = Program(t, t.home() if args else home, *args)
        code = b.ended()
        need(code in (64, 69, 75), "ended with", code, b.last_words())
        need("Sanitizer" not in b.stderr(), b.last_words())
    # Ending at once, before the threads have said anything.
    for number in (signal.SIGTERM, signal.SIGINT):
        b = Program(t, t.home())
        time.sleep(0.02)
        b.proc.send_signal(number)
        code = b.ended()
        need(code in (0, -number), "ended with", code, b.last_words())
        need("Sanitizer" not in b.stderr(), b.last_words())
    a.send("/quit")
    clean_end(a, a.ended())


if __name__ == "__main__":
    with Tests() as tests:
        sys.exit(tests.all([talk, comings_and_goings, quit_under_load,
                            never_started]))
