#!/usr/bin/env python3
"""A disk that is full while the program runs: a small tmpfs of its own. The
node goes on relaying and the chat on hearing, what is typed waits, and all
goes on by itself when there is room again. SECONDS in the environment is the
length of the strangers' flood (12 unless told otherwise)."""

import collections
import os
import sqlite3
import subprocess
import sys
import threading
import time

from program import (ANY_PORT, HEADLESS, PATIENCE, Program, Skip, Tests,
                     clean_env, connected, need, run, say)

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
    done = subprocess.run(["mount", "-t", "tmpfs", "-o",
                           f"size={size},mode=0700", "tmpfs", str(disk)],
                          check=False,
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


RATES = ("--author-rate", "60")
SHARES = ("--quota", "24", "--strangers-hour", "1", "--free-strangers", "2",
          "--free-others", "1")
# A megabyte of strangers' lines an hour, what is beside them, and the log.
GROWN_MAX = 8 << 20
# Nothing keeps strangers from filling a small disk.
NO_SHARES = ("--quota", "200", "--strangers-hour", "20", "--free-strangers",
             "0", "--free-others", "0")
HOSTILE = os.environ.get("HOSTILE") or os.path.join(
    os.environ.get("BUILDDIR", "."), "tests/program/hostile")
SECONDS = float(os.environ.get("SECONDS") or 12)
# Two times of one moment that are a day apart.
DAYS = ("west12", "east-12")


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
    return sum(f.stat().st_size for f in folder.rglob("*")
               if f.is_file() and f.name != "filler")


def are_in_the_files(disk, lines):
    """Each of them in a unit of the database, which is whole."""
    db = sqlite3.connect(next(disk.rglob("*.db")))
    whole = db.execute("PRAGMA integrity_check").fetchall()
    need(whole == [("ok",)], whole)
    units = [row[0] for row in db.execute("SELECT unit FROM messages")]
    db.close()
    missing = [line for line in lines
               if not any(line.encode() in unit for unit in units)]
    need(not missing, "not in the files:", missing)


class Household:
    """Ann on the small disk, fay whom ann and cid keep, and two who come every
    day: they are regulars to all, because they spoke on two of their days. All
    know of each other through ann alone."""

    def __init__(self, t, disk, shares, rates=()):
        self.t, self.disk, self.shares, self.rates = t, disk, shares, rates
        self.homes = {name: t.home()
                      for name in ("fay", "ann", "cid", "rea", "ron")}
        self.all = {}
        self.said = []  # (who, text), of those whom everybody must hear
        for number, day in enumerate(DAYS):
            self.meet(day)
            for name in ("fay", "rea", "ron"):
                self.says(name, f"day {number} from {name}")
            self.everybody_has()
            if day != DAYS[-1]:
                for p in self.all.values():
                    p.quit()
                self.said.clear()
        for name, p in self.all.items():
            knows = {e["from"] for e in p.seen("message", known=True)}
            strange = {who for who, _ in self.said} - {p.id, *knows}
            need(not strange, "strangers to", name, "on the second day:",
                 strange)

    def start(self, day, name, *args):
        home = self.homes[name]
        p = Program(self.t, home, "--name", name, *self.rates, *args,
                    env=clean_env(home, TZ=day))
        self.all[name] = p.ready()

    def meet(self, day):
        self.start(day, "fay")
        fay = self.all["fay"]
        self.start(day, "ann", "--data-dir", str(self.disk), *self.shares,
                   "--keep", fay.addr)
        ann = self.all["ann"]
        for name in ("cid", "rea", "ron"):
            keep = ("--keep", fay.id) if name == "cid" else ()
            self.start(day, name, "--connect", ann.addr, *keep)
        for name in ("fay", "cid", "rea", "ron"):
            connected(ann, self.all[name])

    def says(self, name, text):
        self.said.append((self.all[name].id, text))
        self.all[name].send(text)

    def everybody_has(self):
        """Each of their lines at each of them, once."""
        for name, p in self.all.items():
            p.until(f"every line at {name}", lambda p=p: set(self.said) <= {
                (e["from"], e["text"]) for e in p.seen("message")})
            twice = collections.Counter(
                (e["from"], e["text"]) for e in p.seen("message"))
            need(all(twice[line] == 1 for line in self.said), "shown twice")

    def talk(self, what, times=1, pause=0.0):
        """The friend and the regulars say a line each, so often; the lines,
        and how large the files were."""
        largest = 0
        first = len(self.said)
        for at in range(times):
            for name in ("fay", "rea", "ron"):
                self.says(name, f"{what}, {at} from {name}")
            time.sleep(pause)
            largest = max(largest, size_of(self.disk))
        return {text for _, text in self.said[first:]}, largest

    def kept(self, lines):
        """Those of the lines that ann's program keeps."""
        return {e["text"] for e in self.all["ann"].seen("message", kept=True)
                } & lines


def full_disk(t):
    """A full disk: relays, hears, keeps what is typed, and goes on by itself."""
    disk = small_disk(t, "6m")
    house = Household(t, disk, NO_SHARES)
    ann, cid = house.all["ann"], house.all["cid"]
    eve = Program(t, t.home(), "--name", "eve", "--connect", ann.addr).ready()
    connected(ann, eve)
    fill(disk)
    lines = [f"line {i} " + "x" * 3000 for i in range(400)]
    unkept = set()
    for at, line in enumerate(lines):
        eve.send(line)
        if at % 10 == 9:
            time.sleep(0.25)
        if at % 40 == 39:
            unkept |= house.talk(f"while {at} come")[0]
    error = ann.wait("error", code="store")
    need("disk is full" in error["text"], error)
    # Who relays is heard by all; who cannot keep a line shows it all the same.
    for p in (ann, cid):
        p.until("every line", lambda p=p: len(
            {*texts(p, own=False)} & {*lines}) == len(lines))
    house.everybody_has()
    need(ann.seen("message", kept=False), "every line is said to be kept")
    need(house.kept(unkept) != unkept, "a friend's line is said to be kept")
    ann.send("typed while it is full " + "y" * 9000)
    ann.wait("message", own=True, state="unsaved")
    time.sleep(3)
    need(not [x for x in texts(cid) if x.startswith("typed")],
         "sent before it was saved")
    (disk / "filler").unlink()
    cid.until("what was typed", lambda: [
        x for x in texts(cid) if x.startswith("typed")])
    ann.wait("state", state="saved")
    need(len([x for x in texts(cid) if x.startswith("typed")]) == 1, "twice")
    words = ann.until("the word that saving works", lambda: [
        e for e in ann.seen("notice") if "Saving works again" in e["text"]])
    need("not kept" in words[-1]["text"] or len(words) > 1, words)
    after, _ = house.talk("after it")
    house.everybody_has()
    need(house.kept(after) == after, "not kept after it")
    ann.quit()
    are_in_the_files(disk, after)


def flood(t, ann, seconds):
    """Strangers by programs, by many connections, and by keys that change."""
    foes = [flooder(t, ann, f"eve{at}", size)
            for at, size in enumerate((60, 3500))]
    for name, peers in (("large-lines", "12"), ("key-churn", "4")):
        foe = subprocess.Popen([HOSTILE, str(ann.port), name, peers,
                                str(seconds)], stdout=subprocess.DEVNULL)
        t.programs.append(foe)
        foes.append(foe)
    return foes


def flood_by_strangers(t):
    """Strangers who flood take their share; friends and regulars lose no line."""
    disk = small_disk(t, "30m")
    house = Household(t, disk, SHARES, RATES)
    ann = house.all["ann"]
    foes = flood(t, ann, SECONDS + 8 * PATIENCE)
    within, largest = house.talk("within", int(SECONDS), 1.0)
    house.everybody_has()
    need(all(foe.poll() is None for foe in foes[2:]), "the flood has ended")
    for foe in foes:
        foe.kill()
    need(largest <= GROWN_MAX, "the files grew to", largest)
    need(not ann.seen("error", code="store"), "saving failed")
    need(house.kept(within) == within, "a line of theirs was not kept")
    over = ann.seen("message", kept=False)
    need(over, "no line was over a share")
    say(f"{len(ann.seen('message'))} lines, {len(over)} not kept, "
        f"files {largest / 1e6:.1f} MB")
    after, _ = house.talk("after it")
    house.everybody_has()
    ann.quit()
    are_in_the_files(disk, within | after)


def carry_over(t):
    """A full disk when a damaged database is carried over: said, and undone."""
    disk = small_disk(t, "6m")
    home = t.home()
    args = ("--data-dir", str(disk), "--free-strangers", "0", "--free-others",
            "0")
    p = Program(t, home, *args).ready()
    for i in range(20):
        p.send(f"line {i}")
    p.wait("message", text="line 19")
    p.quit()
    path = next(disk.rglob("chat.db"))
    with open(path, "r+b") as db:
        db.write(bytes(4096))
    bad = path.read_bytes()
    fill(disk)
    # Room for the lock and the log, and not for a database.
    os.truncate(disk / "filler", (disk / "filler").stat().st_size - 65536)
    code, out, err = run(*HEADLESS, *ANY_PORT, *args, env=clean_env(home))
    need(code == 74 and str(path) in err and "disk is too full" in err, code,
         out, err)
    need(path.read_bytes() == bad, "the old one was changed")
    need({x.name for x in path.parent.glob("chat.db*")} ==
         {"chat.db", "chat.db-lines"}, list(path.parent.iterdir()))
    (disk / "filler").unlink()
    p = Program(t, home, *args).ready()
    word = p.wait("notice", code="salvaged")["text"]
    need("20 lines" in word, word)
    p.send("/history 50")
    p.until("all lines", lambda: len(p.seen("history")) == 20)
    need(not p.seen("notice", code="lines-lost"), p.seen("notice"))
    p.quit()


def main():
    own_mounts()
    with Tests() as t:
        return t.all([full_disk, carry_over, flood_by_strangers])


if __name__ == "__main__":
    sys.exit(main())
