#!/usr/bin/env python3
"""Garbage, storms and hostile peers against one program while two others chat
through it: it stays up, its memory stays under idle + 32 MiB, and every line
arrives. SECONDS in the environment is the length of the garbage flood (5
unless told otherwise); each kind of hostile peer has a fifth of it."""

import os
import random
import socket
import subprocess
import sys
import threading
import time

from program import (Failure, Program, Tests, connected, memory_kib,
                     need, sanitized, say)

SECONDS = float(os.environ.get("SECONDS") or 5)
EACH = max(1.0, SECONDS / 5)
PEERS = int(os.environ.get("PEERS") or 8)
GROWTH_KIB_MAX = 32 << 10
# Not a goal but the line between slow and stuck, on a machine that is busy.
LATENCY_MAX = 15.0
HOSTILE = os.environ.get("HOSTILE") or os.path.join(
    os.environ.get("BUILDDIR", "."), "tests/program/hostile")


class Chat(threading.Thread):
    """Ann says numbered lines to Bob through Vic; their latencies."""

    def __init__(self, tests):
        super().__init__(daemon=True)
        self.vic = Program(tests, tests.home(), "--name", "vic").ready()
        self.ann = Program(tests, tests.home(), "--connect",
                           self.vic.addr).ready()
        self.bob = Program(tests, tests.home(), "--connect",
                           self.vic.addr).ready()
        connected(self.vic, self.ann)
        connected(self.vic, self.bob)
        self.said = {}
        self.on = True
        self.idle = memory_kib(self.vic.proc.pid)
        self.peak = self.idle

    def run(self):
        while self.on:
            text = f"line {len(self.said)}"
            self.said[text] = time.monotonic()
            self.ann.send(text)
            for _ in range(5):
                time.sleep(0.02)
                try:
                    self.peak = max(self.peak,
                                    memory_kib(self.vic.proc.pid))
                except (OSError, Failure):
                    return

    def finish(self, name):
        """Every line must have arrived, and quickly enough."""
        self.on = False
        self.join(10)
        need(self.vic.proc.poll() is None, "it ended:", self.vic.last_words())
        last = list(self.said)[-1]
        self.bob.wait("message", text=last, timeout=LATENCY_MAX * 4)
        texts = [e["text"] for e in self.bob.seen("message")
                 if e["from"] == self.ann.id]
        lost = set(self.said) - set(texts)
        need(not lost, len(lost), "lines lost, such as", sorted(lost)[:3])
        need(len(texts) == len(set(texts)), "lines shown twice")
        self.bob.until("arrivals", lambda: self.bob.arrived.keys() >=
                       self.said.keys())
        late = sorted(self.bob.arrived[t] - self.said[t] for t in self.said)
        grown = self.peak - self.idle
        say(f"{name}: idle {self.idle} KiB, grown {grown} KiB; "
            f"{len(late)} lines, latency median "
            f"{late[len(late) // 2] * 1000:.0f} ms, p99 "
            f"{late[len(late) * 99 // 100] * 1000:.0f} ms, "
            f"most {late[-1] * 1000:.0f} ms")
        need(late[-1] < LATENCY_MAX, "a line took", late[-1], "s")
        # The sanitizers keep what was freed.
        need(sanitized() or grown <= GROWTH_KIB_MAX,
             f"memory grew by {grown} KiB")
        self.vic.quit()
        self.ann.quit()
        self.bob.quit()


def watch_arrivals(program):
    """Notes when each line is shown."""
    program.arrived = {}

    def look():
        at = 0
        while not program.eof:
            with program.cond:
                program.cond.wait(0.2)
                now = time.monotonic()
                for e in program.events[at:]:
                    if e.get("event") == "message":
                        program.arrived.setdefault(e["text"], now)
                at = len(program.events)

    threading.Thread(target=look, daemon=True).start()


def under(tests, name, attack):
    """Chats while the attack runs."""
    chat = Chat(tests)
    watch_arrivals(chat.bob)
    chat.start()
    attack(chat.vic.port)
    chat.finish(name)


# ---- garbage before anybody is authenticated --------------------------------


HEADER = b"\x13/multistream/1.0.0\n"


def openings(rng):
    """What a connection may begin with, none of it right."""
    noise = HEADER + b"\x07/noise\n"
    return rng.choice([
        rng.randbytes(rng.randrange(1, 4000)),
        HEADER + rng.randbytes(200),
        b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\x7f" + rng.randbytes(50),
        HEADER * 200,
        HEADER + b"\x08/nothing"[:9] * 300,
        noise + b"\xff\xff" + rng.randbytes(65535),
        noise + b"\x00\x20" + rng.randbytes(32),
        noise + b"\x00\x20" + bytes(32),
        noise[:rng.randrange(1, len(noise))],
        noise + b"\x00\x00" * 500,
        b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + rng.randbytes(500),
        b"",
    ])


def storm(port, until, counts):
    """Connections that say something wrong and go, as fast as they can."""
    rng = random.Random(threading.get_ident())
    while time.monotonic() < until:
        try:
            with socket.create_connection(("127.0.0.1", port), 2) as s:
                s.sendall(openings(rng))
                counts["storm"] += 1
                if rng.random() < 0.3:
                    s.settimeout(0.2)
                    s.recv(4096)
        except OSError:
            counts["refused"] += 1


def slow(port, until, counts):
    """Hundreds of connections that stay open and send a byte now and then."""
    rng = random.Random(1)
    noise = HEADER + b"\x07/noise\n\x00\x20"
    held = []
    while time.monotonic() < until:
        while len(held) < 300:
            try:
                s = socket.create_connection(("127.0.0.1", port), 2)
            except OSError:
                break
            held.append([s, 0])
        for entry in rng.sample(held, len(held) // 4):
            s, at = entry
            try:
                s.setblocking(False)
                s.send(noise[at % len(noise):][:1])
                entry[1] += 1
                counts["slow"] += 1
                if s.recv(4096) == b"":
                    raise ConnectionError
            except BlockingIOError:
                pass
            except OSError:
                s.close()
                held.remove(entry)
                counts["closed"] += 1
        time.sleep(0.05)
    for s, _ in held:
        s.close()


def pour(port, until, counts):
    """Random bytes without end."""
    rng = random.Random(2)
    while time.monotonic() < until:
        try:
            with socket.create_connection(("127.0.0.1", port), 2) as s:
                while time.monotonic() < until:
                    s.sendall(rng.randbytes(65536))
                    counts["poured"] += 65536
        except OSError:
            counts["closed"] += 1


def garbage(tests):
    """Garbage, half frames, giant lengths, slow and silent connections, storms."""
    counts = dict.fromkeys(("storm", "refused", "slow", "closed", "poured"), 0)

    def attack(port):
        until = time.monotonic() + SECONDS
        threads = [threading.Thread(target=f, args=(port, until, counts))
                   for f in (storm, storm, slow, pour)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    under(tests, "garbage", attack)
    say(f"garbage: {counts['storm']} connections with {counts['refused']} cut "
        f"short, {counts['slow']} slow bytes, {counts['closed']} closed by it, "
        f"{counts['poured'] >> 20} MiB poured")


# ---- peers that prove their key ----------------------------------------------


def hostile(tests, name, peers):
    def attack(port):
        done = subprocess.run(
            [HOSTILE, str(port), name, str(peers), str(EACH)],
            stdout=subprocess.PIPE, text=True, check=False,
            timeout=EACH + 60)
        need(done.returncode == 0, HOSTILE, "ended with", done.returncode)
        say(done.stdout.strip())
        # Every peer ended refused or closed, or had nothing to be refused.
        figures = dict(f.split("=") for f in done.stdout.split())
        need(int(figures["connects"]) >= peers, done.stdout)

    under(tests, f"{name} x {peers}", attack)


def main():
    names = sys.argv[1:]
    with Tests() as tests:
        if not names:
            tests.check(garbage.__doc__.rstrip("."), garbage)
            names = subprocess.run([HOSTILE], stdout=subprocess.PIPE,
                                   text=True, check=True).stdout.split()
        elif names[0] == "garbage":
            tests.check("garbage", garbage)
            names = names[1:]
        for name in names:
            tests.check(f"hostile peers: {name}", hostile, name, PEERS)
        return tests.finish()


if __name__ == "__main__":
    sys.exit(main())
