#!/usr/bin/env python3
"""kill -9 at random moments under load: what was shown is there afterwards.

Two programs talk as fast as they can. One of them is killed, looked at and
started again, N times (environment N, 15 unless told otherwise). SEED in the
environment repeats the moments of a run."""

import os
import random
import shutil
import sqlite3
import sys
import threading
import time

from program import Failure, Program, Tests, need, say

ROUNDS = int(os.environ.get("N") or 15)
SEED = int(os.environ.get("SEED") or random.randrange(1 << 32))
# From the start of a life to its end, in seconds: some die while they open
# the database, while they connect, most while they talk.
LIFE_MAX = 1.2
# Between two lines. One life in ten pastes; were it all of them, lines would
# be said much faster than those that waited are sent (64 a second), and the
# last of them would go out hours later.
PACE = 0.02
PASTE_PACE = 0.002
OFFERS_PER_S = 64
# Fewer in a life, on the average, are no load.
LINES = 20


class Talker(threading.Thread):
    """Says numbered lines as fast as the program takes them."""

    def __init__(self, program, word, pace=PACE):
        super().__init__(daemon=True)
        self.program = program
        self.word = word
        self.pace = pace
        self.on = True
        self.said = 0

    def run(self):
        while self.on:
            try:
                self.program.send(f"{self.word} {self.said}")
            except (BrokenPipeError, ValueError):
                return
            self.said += 1
            time.sleep(self.pace)

    def stop(self):
        self.on = False
        self.join(10)


class Story:
    """The victim's profile over all its lives, and the witness."""

    def __init__(self, tests):
        self.tests = tests
        self.home = tests.home()
        self.shown = {}     # id -> text: everything the victim ever showed
        self.own = {}       # the victim's own among them
        self.key = None
        self.integrity = 0
        self.logs = 0
        self.witness = Program(tests, tests.home()).ready()
        self.witness_talk = Talker(self.witness, "witness")
        self.witness_talk.start()

    def start(self):
        victim = Program(self.tests, self.home,
                         "--connect", self.witness.addr)
        victim.remembered = 0
        return victim

    def remember(self, victim):
        """What this life has shown by now, by its stdout."""
        need(not victim.garbage[:-1], "not JSON:", victim.garbage[:2])
        messages = victim.seen("message")
        for e in messages[victim.remembered:]:
            first = e["id"] not in self.shown
            need(first, "shown twice by the victim:", e)
            self.shown[e["id"]] = e["text"]
            if e["own"]:
                self.own[e["id"]] = e["text"]
        victim.remembered = len(messages)

    def life(self, number, seconds):
        """One life: start, talk, kill."""
        victim = self.start()
        talk = Talker(victim, f"life{number}",
                      PASTE_PACE if number % 10 == 0 else PACE)
        talk.start()
        time.sleep(seconds)
        victim.proc.kill()
        victim.proc.wait()
        talk.stop()
        victim.reader.join(10)
        ready = victim.seen("ready")
        if ready:
            self.same_key(ready[0]["peer_id"])
        need("Sanitizer" not in victim.stderr(), victim.stderr())
        self.remember(victim)

    def same_key(self, key):
        need(self.key in (None, key), "the key was", self.key, "now", key)
        self.key = key

    def look(self):
        """The database as the kill left it: a copy, so that the program's
        next start has to replay the log itself."""
        folder = self.home / ".local/share/p2pchat-tui"
        path = folder / "chat.db"
        if not path.exists() or path.stat().st_size == 0:
            need(not self.shown, "lines were shown before there was a database")
            return
        copy = self.home / "copy"
        shutil.rmtree(copy, ignore_errors=True)
        copy.mkdir()
        for file in folder.glob("chat.db*"):
            shutil.copy(file, copy)
            self.logs += file.name.endswith("-wal") and file.stat().st_size > 0
        db = sqlite3.connect(copy / path.name)
        answer = db.execute("PRAGMA integrity_check").fetchall()
        need(answer == [("ok",)], "integrity_check:", answer[:5])
        self.integrity += 1
        have = set()
        if db.execute("SELECT 1 FROM sqlite_master "
                      "WHERE name = 'messages'").fetchall():
            have = {row[0].hex() for row in
                    db.execute("SELECT unit_id FROM messages")}
        db.close()
        lost = set(self.shown) - have
        need(not lost, f"{len(lost)} of {len(self.shown)} lines that were "
             f"shown are lost, such as {[self.shown[i] for i in lost][:3]}")

    def last_life(self):
        """A quiet life: history is complete, waiting lines go out once."""
        self.witness_talk.stop()
        victim = self.start().ready()
        self.same_key(victim.id)
        victim.wait("peer", peer_id=self.witness.id, state="connected")
        last = f"the end {SEED}"
        victim.send(last)
        victim.wait("message", text=last)
        self.remember(victim)
        self.wait_for_own()
        self.read_history(victim)
        victim.quit()
        self.remember(victim)
        self.look()

    def wait_for_own(self):
        """Every own line that was shown reaches the witness, each once."""
        def missing():
            got = {e["id"] for e in self.witness.seen("message")}
            return set(self.own) - got
        patience = 30 + 2 * len(missing()) / OFFERS_PER_S
        end = time.monotonic() + patience
        while missing() and time.monotonic() < end:
            time.sleep(0.5)
        left = missing()
        need(not left, f"{len(left)} own lines never went out, such as",
             [self.own[i] for i in left][:3])
        time.sleep(3)
        ids = [e["id"] for e in self.witness.seen("message")]
        need(len(ids) == len(set(ids)), "the witness showed lines twice:",
             len(ids) - len(set(ids)))
        texts = [e["text"] for e in self.witness.seen("message")]
        need(len(texts) == len(set(texts)), "the same words twice:",
             sorted(t for t in texts if texts.count(t) > 1)[:4])

    def read_history(self, victim):
        """/history gives back what was shown (as far as it goes back)."""
        victim.send("/history 200")
        victim.until("history", lambda: len(victim.seen("history")) >= min(
            200, len(self.shown)))
        for e in victim.seen("history"):
            if e["id"] in self.shown:
                need(e["text"] == self.shown[e["id"]], "another text:", e)


def killed(t):
    """No line that was shown is missing after kill -9; key and file are whole."""
    rng = random.Random(SEED)
    story = Story(t)
    begin = time.monotonic()
    lives = 0
    # A busy machine says less in each life and is given more of them.
    while lives < ROUNDS or (len(story.shown) <= LINES * ROUNDS and
                             lives < 4 * ROUNDS):
        try:
            story.life(lives, rng.uniform(0.005, LIFE_MAX))
            story.look()
        except Failure as failure:
            raise Failure(f"life {lives} of SEED={SEED}: {failure}")
        lives += 1
    story.last_life()
    need(len(story.shown) > LINES * ROUNDS, "hardly any load:",
         len(story.shown))
    say(f"{lives} kills in {time.monotonic() - begin:.0f} s, "
        f"{len(story.shown)} lines shown by the killed one "
        f"({len(story.own)} own), 0 missing; {story.integrity} times "
        f"integrity_check ok, {story.logs} with a log to replay; "
        f"witness showed {len(story.witness.seen('message'))}, 0 twice")
    story.witness.quit()


if __name__ == "__main__":
    say(f"SEED={SEED}")
    with Tests() as tests:
        sys.exit(tests.all([killed]))
