#!/usr/bin/env python3
"""A disk that is full while the program runs: a small tmpfs of its own. The
node goes on relaying and the chat on hearing, what is typed waits, and all
goes on by itself when there is room again."""

import os
import subprocess
import sys
import threading
import time

from program import Program, Skip, Tests, connected, need, say

ALONE = "P2PCHAT_OWN_MOUNTS"


def own_mounts():
    """Starts this test again in a mount namespace, where one is to be had."""
    if ALONE in os.environ:
        return
    alone = ["unshare", "--mount"] + ([] if os.geteuid() == 0 else ["-r"])
    probe = subprocess.run([*alone, "true"], check=False,
                           stderr=subprocess.DEVNULL)
    if probe.returncode == 0:
        os.environ[ALONE] = "1"
        os.execvp(alone[0], [*alone, sys.executable, *sys.argv])


def small_disk(t, size):
    """A folder on a file system of that size."""
    if ALONE not in os.environ:
        raise Skip("no mount namespace here")
    disk = t.home()
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}",
                           "tmpfs", str(disk)], check=False,
                          stderr=subprocess.DEVNULL)
    if done.returncode != 0:
        raise Skip("no tmpfs here")
    return disk


def fill(disk):
    """Takes all that is left of it."""
    with open(disk / "filler", "ab", buffering=0) as filler:
        for step in (65536, 4096, 512):
            try:
                while True:
                    filler.write(b"x" * step)
            except OSError:
                pass


def texts(program, **members):
    return [e["text"] for e in program.seen("message", **members)]


def full_disk(t):
    """A full disk: relays, hears, keeps what is typed, and goes on by itself."""
    disk = small_disk(t, "6m")
    a = Program(t, t.home(), "--name", "ann", "--data-dir", str(disk),
                "--quota", "100", "--free-strangers", "0", "--free-others",
                "0").ready()
    b = Program(t, t.home(), "--name", "bob", "--connect", a.addr).ready()
    c = Program(t, t.home(), "--name", "cid", "--connect", a.addr).ready()
    connected(a, b)
    connected(a, c)
    a.send("before")
    for p in (b, c):
        p.wait("message", text="before")
    fill(disk)
    lines = [f"line {i} " + "x" * 3000 for i in range(400)]
    for at, line in enumerate(lines):
        b.send(line)
        if at % 10 == 9:
            time.sleep(0.25)
    error = a.wait("error", code="store")
    need("disk is full" in error["text"], error)
    # Who relays is heard by all; who cannot keep a line shows it all the same.
    for p in (a, c):
        p.until("every line", lambda p=p: len(
            {*texts(p, own=False)} & {*lines}) == len(lines))
    need(a.seen("message", kept=False), "every line is said to be kept")
    a.send("typed while it is full " + "y" * 9000)
    a.wait("message", own=True, state="unsaved")
    time.sleep(3)
    need(not [x for x in texts(c) if x.startswith("typed")],
         "sent before it was saved")
    (disk / "filler").unlink()
    c.until("what was typed", lambda: [
        x for x in texts(c) if x.startswith("typed")])
    a.wait("state", state="saved")
    need(len([x for x in texts(c) if x.startswith("typed")]) == 1, "twice")
    words = a.until("the word that saving works", lambda: [
        e for e in a.seen("notice") if "Saving works again" in e["text"]])
    need("not kept" in words[-1]["text"] or len(words) > 1, words)
    b.send("after it")
    for p in (a, c):
        p.wait("message", text="after it", kept=True)
    need(a.seen("message", text="after it")[0]["kept"], "not kept")
    a.quit()
    code = subprocess.run(["sqlite3", str(next(disk.rglob("*.db"))),
                           "PRAGMA integrity_check"], check=False,
                          capture_output=True, text=True).stdout \
        if subprocess.run(["which", "sqlite3"], check=False,
                          stdout=subprocess.DEVNULL).returncode == 0 else "ok"
    need("ok" in code, code)


RATES = ("--author-rate", "60")
SHARES = ("--quota", "24", "--strangers-hour", "1", "--free-strangers", "2",
          "--free-others", "1")


def flooder(t, victim, name, size):
    """A stranger who says as much as the program lets him."""
    p = Program(t, t.home(), "--name", name, "--connect", victim.addr).ready()
    connected(p, victim)

    def pour():
        try:
            for at in range(100000):
                p.send(f"{name} {at} " + "z" * size)
        except OSError:
            pass

    threading.Thread(target=pour, daemon=True).start()
    return p


def size_of(folder):
    return sum(f.stat().st_size for f in folder.rglob("*") if f.is_file())


def flood_by_strangers(t):
    """Strangers who flood take their share, and friends lose no line."""
    disk = small_disk(t, "30m")
    f = Program(t, t.home(), "--name", "fay").ready()
    a = Program(t, t.home(), "--name", "ann", "--data-dir", str(disk), *RATES,
                *SHARES, "--keep", f.addr).ready()
    # Who does not know her may miss lines of hers that come among strangers'.
    c = Program(t, t.home(), "--name", "cid", "--connect", a.addr, *RATES,
                "--keep", f.id).ready()
    connected(a, f)
    connected(a, c)
    crowd = [flooder(t, a, f"eve{i}", (60, 3500, 3500)[i % 3]) for i in range(9)]
    said, sizes = [], []
    end = time.monotonic() + 20
    while time.monotonic() < end:
        said.append(f"friendly {len(said)}")
        f.send(said[-1])
        time.sleep(0.5)
        sizes.append(size_of(disk))
    for p in (a, c):
        p.until("every line of a friend", lambda p=p: set(said) <= set(
            texts(p, own=False)))
    need(max(sizes) <= 24 << 20, "the files grew to", max(sizes))
    need(not a.seen("error", code="store"), "saving failed")
    need(all(e["kept"] for e in a.seen("message") if e["text"] in said),
         "a friend's line was not kept")
    need([e for e in a.seen("message", kept=False)], "no line was over a share")
    say(f"{len(a.seen('message'))} lines, "
        f"{len(a.seen('message', kept=False))} not kept, "
        f"files {max(sizes) / 1e6:.1f} MB")
    for p in crowd:
        p.kill()
    f.send("after the flood")
    for p in (a, c):
        p.wait("message", text="after the flood")
    a.send("/history 400")
    a.until("the history of a friend", lambda: set(said) <= {
        e["text"] for e in a.seen("history")})


def main():
    own_mounts()
    with Tests() as t:
        return t.all([full_disk, flood_by_strangers])


if __name__ == "__main__":
    sys.exit(main())
