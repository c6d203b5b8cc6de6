#!/usr/bin/env python3
"""A disk that damages the database: single bits, a file that is cut, pages of
noise, a write-ahead log that is removed, changed or cut, and the note of what
was shown. The program starts all the same, shows each line as it was said or
as damaged, says how many are gone, and keeps what is said next.

FLIPS, CUTS, NOISE, LOGS and NOTES say how many of each, SEED which, LIMIT_S
when to stop (0: never); ONLY=noise:17 repeats one of them."""

import concurrent.futures
import json
import os
import pathlib
import random
import re
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time

from program import (ANY_PORT, HEADLESS, P2PCHAT, PATIENCE, Failure, Program,
                     Tests, clean_env, connected, need, say)

KINDS = ("cut", "noise", "log", "note", "flip")
SHORT = {"flip": 100, "cut": 10, "noise": 10, "log": 10, "note": 5}
NAMES = {"flip": "FLIPS", "cut": "CUTS", "noise": "NOISE", "log": "LOGS",
         "note": "NOTES"}
SEED = int(os.environ.get("SEED") or random.randrange(1 << 32))
LIMIT_S = float(os.environ.get("LIMIT_S") or 40)
ONLY = os.environ.get("ONLY") or ""
ROOMS = ("birds", "bees")
LINES = 300
PEOPLE = 2
OLD_LINES = 226  # are in the database, the others in its log
PAGE = 4096
WORDS = re.compile(r"database was damaged|that (was|were) kept in |"
                   r"lines are not where")
GONE = re.compile(r"^(?:The database was damaged: )?(\d+) lines? that w")
# What differs when somebody is said to be forgotten: bob is verified.
LOOSE = ("name", "mark", "known")


def folder_of(home):
    return home / ".local/share/p2pchat-tui"


# ---- a profile --------------------------------------------------------------


def talk(ann, bob, first, last):
    """Lines of both in both rooms; each is seen by ann."""
    for i in range(first, last):
        who = bob if i % 3 else ann
        who.send(f"/join {ROOMS[i % 2]}")
        who.send(f"line {i} " + "x" * (i % 7 * 40 + (6000 if i == 50 else 0)))
    ann.until(f"{last} lines", lambda: len(
        ann.seen("message", type="message")) >= last - first)


def furnish(t):
    """Two copies of a profile with the same lines: one that was left, one that
    was killed while the last lines were in its log."""
    home = t.home()
    bob = Program(t, t.home(), "--name", "bob", "--room", ROOMS[0], "--room",
                  ROOMS[1]).ready()
    args = ("--name", "ann", "--room", ROOMS[0], "--room", ROOMS[1],
            "--connect", bob.addr)
    ann = Program(t, home, *args).ready()
    connected(ann, bob)
    time.sleep(1.5)
    talk(ann, bob, 0, OLD_LINES)
    ann.send("/verify bob")
    ann.send("/verify bob yes")
    ann.quit()
    ann = Program(t, home, *args).ready()
    connected(ann, bob)
    time.sleep(1.5)
    talk(ann, bob, OLD_LINES, LINES)
    time.sleep(1)
    ann.kill()
    killed = t.folder / "killed"
    shutil.copytree(folder_of(home), killed)
    look(home)  # replays the log
    left = t.folder / "left"
    shutil.copytree(folder_of(home), left)
    bob.quit()
    return left, killed


def look(home, *, new=None):
    """Starts the program there, asks for all and leaves: status, events and
    what stood on stderr."""
    typed = []
    for room in ROOMS:
        typed += [f"/join {room}", "/history 400"]
    typed += ([new] if new else []) + ["/quit"]
    done = subprocess.run([P2PCHAT, *HEADLESS, *ANY_PORT],
                          input="".join(x + "\n" for x in typed).encode(),
                          env=clean_env(home), stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, check=False,
                          timeout=4 * PATIENCE)
    events = [json.loads(line) for line in done.stdout.splitlines()]
    return done.returncode, events, done.stderr.decode(errors="replace")


def lines_of(events):
    return {e["id"]: {k: v for k, v in e.items() if k != "event"}
            for e in events if e["event"] == "history"}


def words_of(events):
    return [e["text"] for e in events if e["event"] in ("notice", "error") and
            WORDS.search(e["text"])]


def seq_of(unit):
    """The author's count of its lines in the room."""
    return int(re.search(rb'"seq":"?(\d+)', unit).group(1))


# ---- damage -----------------------------------------------------------------


def flip(rng, path):
    """One bit."""
    raw = bytearray(path.read_bytes())
    bit = rng.randrange(8 * len(raw))
    raw[bit // 8] ^= 1 << bit % 8
    path.write_bytes(raw)
    return f"bit {bit}"


def cut(rng, path):
    """The end is missing."""
    size = rng.randrange(path.stat().st_size)
    if rng.random() < 0.5:
        size -= size % PAGE
    os.truncate(path, size)
    return f"cut to {size}"


def noise(rng, path):
    """A page of noise, of zeros, or one that belongs elsewhere."""
    raw = bytearray(path.read_bytes())
    at, other = (PAGE * rng.randrange(len(raw) // PAGE) for _ in range(2))
    what = rng.choice(("noise", "noise", "zeros", "another"))
    page = {"noise": rng.randbytes(PAGE), "zeros": bytes(PAGE),
            "another": raw[other:other + PAGE]}[what]
    raw[at:at + PAGE] = page
    path.write_bytes(raw)
    return f"page {at // PAGE} is {what} ({other // PAGE})"


def log(rng, path):
    """The log is removed, changed or cut."""
    path = path.with_name(path.name + "-wal")
    how = rng.randrange(4)
    if how == 0:
        path.unlink()
        return "no log"
    return (flip, cut, noise)[how - 1](rng, path) + " of the log"


def note(rng, path):
    """The note of what was shown is removed, changed or cut."""
    path = path.with_name(path.name + "-lines")
    how = rng.randrange(3)
    if how == 0:
        path.unlink()
        return "no note"
    return (flip, cut)[how - 1](rng, path) + " of the note"


DAMAGE = {"flip": flip, "cut": cut, "noise": noise, "log": log, "note": note}


class Outcomes:
    """What came of all of one kind."""

    def __init__(self):
        self.unharmed = self.said = self.damaged = self.saved = self.gone = 0
        self.miscounted = self.done = 0
        self.lock = threading.Lock()

    def add(self, **counts):
        with self.lock:
            for name, count in counts.items():
                setattr(self, name, getattr(self, name) + count)


def said_gone(words):
    """How many lines are said to be gone; None where some are, uncounted."""
    counts = [GONE.search(w) for w in words]
    if any("Lines that were" in w or "not known any more" in w or
           "not where they" in w for w in words):
        return None
    return sum(int(c.group(1)) for c in counts if c)


def compare(good, seen, words, loose):
    """Each line is as it was or damaged; returns how many are gone, damaged."""
    damaged = 0
    forgot = any("of those met is gone" in w or
                 ("beyond mending" in w and f" {PEOPLE} of those met" not in w)
                 for w in words)
    for number, line in seen.items():
        if line["type"] == "damaged":
            need(line["from"] is None and line["text"] is None, line)
            damaged += 1
            continue
        need(number in good, "a line that nobody said:", line)
        was = dict(good[number])
        for member in (LOOSE if forgot else ()) + loose:
            was[member] = line[member]
        need(line == was, "changed:", line, "was", was)
    intact = sum(1 for line in seen.values() if line["type"] != "damaged")
    return max(0, len(good) - intact - damaged), damaged


class Case:
    """One damaged copy."""

    def __init__(self, story, kind, number):
        self.story = story
        self.kind = kind
        self.name = f"ONLY={kind}:{number} SEED={SEED}"
        self.rng = random.Random(f"{SEED} {kind} {number}")
        self.again = number % 10 == 0
        self.new = f"new {self.rng.random()}"
        self.what = ""

    def run(self, outcomes):
        home = pathlib.Path(tempfile.mkdtemp(dir=self.story.folder))
        try:
            self.start(home, outcomes)
        except Failure as failure:
            shutil.copytree(home, self.story.folder / "failed",
                            dirs_exist_ok=True)
            raise Failure(f"{self.name} ({self.what}): {failure}")
        finally:
            shutil.rmtree(home)

    def start(self, home, outcomes):
        folder = folder_of(home)
        shutil.copytree(self.story.killed if self.kind == "log"
                        else self.story.left, folder)
        self.what = DAMAGE[self.kind](self.rng, folder / "chat.db")
        status, events, stderr = look(home, new=self.new)
        need(status == 0, "ended with", status, stderr, events[-3:])
        need("Sanitizer" not in stderr, stderr)
        words = words_of(events)
        seen = lines_of(events)
        loose = ("state",) if self.kind == "log" else ()
        gone, damaged = compare(self.story.lines, seen, words, loose)
        self.judge(gone, damaged, words, outcomes)
        self.kept(folder)
        if self.again:
            self.start_again(home)

    def judge(self, gone, damaged, words, outcomes):
        said = said_gone(words)
        need(gone == 0 or said != 0, gone, "lines are gone without a word;",
             words)
        need(gone > 0 or not said, "said to be gone, and are not:", words)
        outcomes.add(gone=gone, said=bool(words), damaged=damaged > 0,
                     saved=any("beyond mending" in w for w in words),
                     miscounted=said is not None and said != gone,
                     unharmed=not words and damaged == 0, done=1)

    def kept(self, folder):
        """What was said on the damaged profile is in the database."""
        db = sqlite3.connect(folder / "chat.db")
        try:
            # A row that is shown as damaged stays as it is.
            faults = [f for (f,) in db.execute("PRAGMA integrity_check")
                      if f != "ok" and " value in " not in f]
            need(not faults, "integrity_check:", faults)
            units = [u for (u,) in db.execute(
                "SELECT unit FROM messages ORDER BY row DESC LIMIT 9")]
        finally:
            db.close()
        mine = [u for u in units if self.new.encode() in u]
        need(mine, "not kept:", self.new)
        need(seq_of(mine[0]) > self.story.seq, "a number that is used:",
             seq_of(mine[0]), "after", self.story.seq)

    def start_again(self, home):
        """It is said once, and all goes on."""
        status, events, stderr = look(home)
        need(status == 0, "again: ended with", status, stderr)
        need(not words_of(events), "said again:", words_of(events))
        need(any(line["text"] == self.new
                 for line in lines_of(events).values()), "again: not shown")


class Story:
    def __init__(self, t):
        self.folder = pathlib.Path(tempfile.mkdtemp(dir=t.folder))
        self.left, self.killed = furnish(t)
        home = t.home()
        shutil.copytree(self.left, folder_of(home))
        status, events, _ = look(home)
        self.lines = lines_of(events)
        need(status == 0 and len(self.lines) == LINES, status,
             len(self.lines), "lines")
        need(not words_of(events), "undamaged:", words_of(events))
        need(any(line["mark"] == "verified" for line in self.lines.values()),
             "nobody is verified")
        self.seq = self.highest_seq(home)

    def highest_seq(self, home):
        """Of our own lines in the room where the next one is said."""
        own = [bytes.fromhex(number) for number, line in self.lines.items()
               if line["own"] and line["topic"] == ROOMS[-1]]
        db = sqlite3.connect(folder_of(home) / "chat.db")
        units = dict(db.execute("SELECT unit_id, unit FROM messages"))
        db.close()
        return max(seq_of(units[number]) for number in own)


def count_of(kind):
    return int(os.environ.get(NAMES[kind]) or SHORT[kind])


def of_kind(story, kind, until):
    """All cases of a kind, two at a time."""
    cases = [Case(story, kind, i) for i in range(count_of(kind))]
    if ONLY:
        cases = [Case(story, kind, int(ONLY.split(":")[1]))]
    outcomes = Outcomes()

    def run(case):
        if time.monotonic() < until:
            case.run(outcomes)

    with concurrent.futures.ThreadPoolExecutor(
            int(os.environ.get("JOBS") or 2)) as pool:
        try:
            for done in [pool.submit(run, case) for case in cases]:
                done.result()
        except Failure:
            pool.shutdown(cancel_futures=True)
            raise
    o = outcomes
    say(f"{kind}: {o.done} of {len(cases)} done: {o.unharmed} unharmed, "
        f"{o.said} with a word, {o.damaged} with a damaged line, "
        f"{o.saved} carried over into a new database; {o.gone} lines gone "
        f"(said each time; the number differs in {o.miscounted})")
    need(o.done > 0, "no time for any")


def main():
    say(f"SEED={SEED}")
    if os.access("/dev/shm", os.W_OK) and "TMPDIR" not in os.environ:
        tempfile.tempdir = "/dev/shm"
    with Tests() as t:
        stories = []
        if not t.check("a profile of 300 lines, and no false alarm",
                       lambda t: stories.append(Story(t))):
            return t.finish()
        begin = time.monotonic()
        for at, kind in enumerate(KINDS):
            until = (begin + LIMIT_S * (at + 1) / len(KINDS) if LIMIT_S
                     else float("inf"))
            if (count_of(kind) == 0 or
                    (ONLY and not ONLY.startswith(kind + ":"))):
                continue
            t.check(f"{kind}: nothing is lost or changed without a word, and "
                    "it goes on", lambda t, k=kind, u=until: of_kind(
                        stories[0], k, u))
        return t.finish()


if __name__ == "__main__":
    sys.exit(main())
