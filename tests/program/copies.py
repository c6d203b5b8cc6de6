#!/usr/bin/env python3
"""One key on two machines: a copied profile runs twice, with a third person
between the two, over loopback."""

import collections
import shutil
import sys
import time

from program import Program, Tests, need


def copied(t, *names):
    """Profiles of one key: one that has run, copied as a folder is."""
    homes = [t.home() for _ in names]
    first = Program(t, homes[0], "--name", "ann").ready()
    first.quit()
    for home in homes[1:]:
        shutil.copytree(homes[0], home, dirs_exist_ok=True)
    return homes


def warnings(p, code="copied-key"):
    return p.seen("notice", code=code)


def lines(p):
    return collections.Counter(e["text"] for e in p.seen("message"))


def has_each_once(p, texts):
    """Waits until the program has shown every line, each once."""
    p.until("every line", lambda: all(lines(p)[x] > 0 for x in texts))
    need(lines(p) == collections.Counter(texts), lines(p))


def start(t):
    """mali, and two programs of ann's key that both know mali alone."""
    mali = Program(t, t.home(), "--name", "mali").ready()
    one, two = [Program(t, home, "--connect", mali.addr).ready()
                for home in copied(t, "one", "two")]
    need(one.id == two.id, "two keys:", one.id, two.id)
    for p in (one, two):
        p.wait("peer", peer_id=mali.id, state="connected")
    mali.wait("peer", peer_id=one.id, state="connected")
    return mali, one, two


def both_are_used(t):
    """Two programs of one key both talk: everybody has each line once."""
    mali, one, two = start(t)
    said = []
    for i in range(5):
        for who, p in (("one", one), ("two", two), ("mali", mali)):
            said.append(f"{i} from {who}")
            p.send(said[-1])
    for p in (mali, one, two):
        has_each_once(p, said)
    # Later, when each has shown what it is.
    time.sleep(2)
    for who, p in (("one", one), ("two", two), ("mali", mali)):
        said.append(f"late from {who}")
        p.send(said[-1])
    for p in (mali, one, two):
        has_each_once(p, said)
    # Both say it, once, with what to do; it is no news to the third.
    for p in (one, two):
        p.until("word of the copy", lambda p=p: warnings(p))
        need(len(warnings(p)) == 1, warnings(p))
        need(warnings(p)[0]["level"] == "warn", warnings(p))
        need("--data-dir" in warnings(p)[0]["text"], warnings(p))
    need(not warnings(mali), warnings(mali))
    for p in (one, two, mali):
        p.quit()


def one_ends(t):
    """When one of the two ends the other goes on without a gap."""
    mali, one, two = start(t)
    said = []
    for p, text in ((one, "a"), (two, "b"), (mali, "c")):
        said.append(text)
        p.send(text)
    for p in (mali, one, two):
        has_each_once(p, said)
    one.kill()
    one.proc.wait()
    for p, text in ((mali, "d"), (two, "e"), (mali, "f")):
        said.append(text)
        p.send(text)
    for p in (mali, two):
        has_each_once(p, said)
    two.quit()
    mali.quit()


def meeting_it(t):
    """Who dials a program with its own key says so and where; itself is none."""
    one, two = [Program(t, home).ready() for home in copied(t, "one", "two")]
    one.send("/connect " + one.addr)
    one.wait("error", code="dial-failed")
    need(not warnings(one), warnings(one))
    one.send("/connect " + two.addr)
    one.until("word of the copy", lambda: warnings(one))
    at = two.addr.split("/p2p/")[0]
    need(at in warnings(one)[0]["text"], warnings(one), at)
    one.quit()
    two.quit()


if __name__ == "__main__":
    with Tests() as tests:
        sys.exit(tests.all([both_are_used, one_ends, meeting_it]))
