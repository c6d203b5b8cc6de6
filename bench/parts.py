"""The parts of the bench: this program beside others, or beside a figure that
it has to keep. What each of them means: README.md here."""

import concurrent.futures
import json
import os
import pathlib
import select
import shutil
import socket
import sqlite3
import statistics
import subprocess
import tempfile
import time

from programs import (
    CORES, FAR, THIS, TOPIC, Failure, Go, Js, Ours, Piped, Screen, StreamPeer,
    activity, memory_mb, now, ours_argv, pin)
from report import Table, median, p99

HERE = pathlib.Path(__file__).resolve().parent
INSTALL = HERE.parent / "tests" / "interop" / "install"

START_ROUNDS = 15
START_LINES = 5000
QUIET_S = 0.25
REST_S = 20
REST_PEERS = 10
REST_MANY_PEERS = 100
REST_MANY_MB = 32
DIAL_ROUNDS = 3
DIALS = 10
# js-libp2p resets whoever connects more than five times in a second.
DIAL_PAUSE_S = 0.25
PUBLISH_ROUNDS = 6
PUBLISH_LINES = 50
# Ours lets longer bursts than a person types go out in batches, four a second.
PUBLISH_PAUSE_S = 0.03
FLOOD_ROUNDS = 4
FLOOD_FORGED = 5000
FLOOD_SIGNED = 60000
INTAKE_ROUNDS = 5
INTAKE_LINES = 20000
INTAKE_LINES_JS = 4000
LOST_S = 2
AUTHORS = 10
STREAM_ROUNDS = 7
STREAM_MB = 400
STREAM_MB_SLOW = 100
STREAM_ROUNDS_FAR = 3
STREAM_MB_FAR = 60
STREAM_LINE_MS = 50


class Run:
    """What the parts share: the folder, the table, what is to be ended."""

    def __init__(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="p2pchat-bench-"))
        self.table = Table()
        self.programs = []
        self.foreign_programs = {}
        self.versions = {}
        self.count = 0

    def home(self):
        self.count += 1
        path = self.folder / f"home-{self.count}"
        path.mkdir()
        return path

    def add(self, program):
        self.programs.append(program)
        return program

    def end(self, *programs):
        for program in programs or list(reversed(self.programs)):
            self.programs.remove(program)
            program.close()

    def ours(self, *more, home=None, cpu=None, build=THIS, ahead_ns=None):
        return self.add(Ours(home or self.home(), *more, cpu=cpu, build=build,
                             ahead_ns=ahead_ns))

    def js(self, cpu=None):
        peer = self.add(Js(self.foreign("js"), self.home(), cpu))
        self.versions["js"] = peer.versions
        return peer

    def go(self, cpu=None):
        peer = self.add(Go(self.foreign("go-current"), self.home(), cpu))
        self.versions["go"] = peer.versions
        return peer

    def await_up(self, screen):
        """Until it is drawn, and so listens."""
        screen.quiet(QUIET_S)

    def foreign(self, kind):
        """The program of a peer of tests/interop."""
        if kind not in self.foreign_programs:
            out = subprocess.run([INSTALL, kind], stdout=subprocess.PIPE,
                                 text=True, check=False).stdout
            word, _, rest = out.strip().split("\t", 2)
            if word != "ready":
                raise Failure(f"{kind}-libp2p: {rest}")
            self.foreign_programs[kind] = rest
        return self.foreign_programs[kind]

    def flood(self, target, lines, cpu=None, more=()):
        peer = self.add(Piped(
            [THIS.flood, target.port, target.id, TOPIC, str(lines), str(AUTHORS),
             *more],
            self.home(), cpu))
        peer.event(b'"event":"ready"', patience=60)
        return peer


# ---- start to drawn screen --------------------------------------------------

def irssi_argv(home):
    if shutil.which("irssi") is None:
        raise Failure("irssi is not installed")
    return ["irssi", "--noconnect", "--home", str(home / "irssi")]


def filled_home(run, build=THIS):
    """A profile whose room has some thousand lines."""
    home = run.home()
    ours = run.ours(home=home, build=build)
    flood = run.flood(ours, START_LINES)
    flood.send("go")
    taken_in(ours, START_LINES)
    run.end(flood, ours)
    return home


def start_once(run, argv, home):
    screen = run.add(Screen(argv, home))
    _, drawn = screen.quiet(QUIET_S)
    run.end(screen)
    return drawn * 1000


def part_start(run):
    home, other = filled_home(run), run.home()
    ours, theirs = [], []
    # The first of each reads its files from the disk and makes its folders.
    for _ in range(START_ROUNDS + 1):
        ours.append(start_once(run, ours_argv(home), home))
        theirs.append(start_once(run, irssi_argv(other), other))
    run.table.compare("start to drawn screen, p50, against irssi",
                      median(ours[1:]), median(theirs[1:]), 1.0, "ms")
    run.table.compare("start to drawn screen, slowest",
                      max(ours[1:]), max(theirs[1:]), None, "ms")


# ---- at rest ----------------------------------------------------------------

def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def at_rest(screens, seconds=REST_S):
    """For each: resident, proportional MB, wake-ups and ms a second."""
    for screen in screens:
        screen.rest(3 / len(screens))
    before = [(now(), activity(s.pid)) for s in screens]
    end = now() + seconds
    while now() < end:
        for screen in screens:
            screen.rest(0.25)
    found = []
    for screen, (began, (switches, ms, threads)) in zip(screens, before):
        more, more_ms, more_threads = activity(screen.pid)
        took = now() - began
        found.append((*memory_mb(screen.pid), (more - switches) / took,
                      (more_ms - ms) / took))
        # The first is the one that the program began with.
        print(f"#   {screen.name}, wake-ups a second by thread: " + " ".join(
            f"{(count - threads.get(task, 0)) / took:.2f}"
            for task, count in sorted(more_threads.items())))
    return found


def rest_rows(run, peers, ours, theirs, most_mb=12):
    table, more = run.table, f"{peers} peers"
    table.bound(f"resident memory, {more}, beside irssi",
                ours[0], theirs[0], most_mb, "MB")
    table.compare(f"proportional memory, {more}, beside irssi",
                  ours[1], theirs[1], None, "MB")
    # Each peer is pinged every five seconds: with so many it is they who
    # wake it.
    if peers > REST_PEERS:
        table.compare(f"wake-ups at rest, {more}, beside irssi",
                      ours[2], theirs[2], None, "/s")
        table.compare(f"processor at rest, {more}, beside irssi",
                      ours[3], theirs[3], None, "ms/s")
        return
    table.bound(f"wake-ups at rest, {more}, beside irssi",
                ours[2], theirs[2], 5, "/s")
    table.bound(f"processor at rest, {more}, beside irssi",
                ours[3], theirs[3], 1, "ms/s")


def part_rest(run):
    home, other = filled_home(run), run.home()
    port = free_port()
    irssi = run.add(Screen(irssi_argv(other), other))
    ours = run.add(Screen(ours_argv(
        home, listen=f"/ip4/127.0.0.1/tcp/{port}"), home))
    rest_rows(run, 0, *at_rest([ours, irssi]))
    for count, most_mb in ((REST_PEERS, 12),
                           (REST_MANY_PEERS, REST_MANY_MB)):
        while len(run.programs) - 2 < count:
            peer = run.ours("--connect", f"127.0.0.1:{port}")
            peer.await_line(b'"state":"connected"')
        rest_rows(run, count, *at_rest([ours, irssi]), most_mb)


# ---- dial to usable stream --------------------------------------------------

def dial_ours(run, targets, build=THIS):
    """Identify over its own stream is answered before a peer is told of."""
    dialer, took = run.ours(build=build), []
    for target in targets:
        began = now()
        dialer.send("/connect " + target.addr)
        took.append((dialer.await_line(b'"state":"connected"', targets)[1]
                     - began) * 1000)
        time.sleep(DIAL_PAUSE_S)
    run.end(dialer)
    return took


def dial_js(dialer, target, count):
    took = []
    for _ in range(count):
        began = now()
        dialer.command("dial", addr=target.addr)
        took.append((dialer.await_line(b'"event":"identified"', [target])[1]
                     - began) * 1000)
        time.sleep(DIAL_PAUSE_S)
        dialer.command("hangup", peer=target.id)
        dialer.await_line(b'"cmd":"hangup"', [target])
        target.await_line(b'"event":"disconnected"', [dialer])
        time.sleep(0.02)
    return took


def part_dial(run):
    targets = [run.ours() for _ in range(DIALS)]
    js = run.js(), run.js()
    dial_js(*js, DIALS)
    dial_ours(run, targets[:1])
    ours, theirs = [], []
    for _ in range(DIAL_ROUNDS):
        ours += dial_ours(run, targets)
        theirs += dial_js(*js, DIALS)
    run.table.compare("dial to first stream answered, p50, against js",
                      median(ours), median(theirs), 0.15, "ms")
    run.table.compare("dial to first stream answered, slowest",
                      max(ours), max(theirs), None, "ms")


# ---- publish to receive -----------------------------------------------------

def say_lines(sender, say, receiver, count):
    took = []
    for _ in range(count):
        text = f"line {time.monotonic_ns()}"
        time.sleep(PUBLISH_PAUSE_S)
        began = now()
        say(text)
        took.append((receiver.await_line(text.encode(), [sender])[1]
                     - began) * 1000)
        sender.drop()
    return took


def part_publish(run):
    ours = run.ours(), run.ours()
    js = run.js(), run.js()
    ours[0].send("/connect " + ours[1].addr)
    js[0].command("dial", addr=js[1].addr)
    ours[0].await_line(b'"state":"connected"')
    js[0].await_line(b'"event":"graft"', [js[1]])
    # Both meshes stand, and what a compiler would do is done.
    time.sleep(3)
    ways = [(ours[0], ours[0].send, ours[1], []),
            (js[0], lambda text: js[0].command("say", text=text), js[1], [])]
    for sender, say, receiver, _ in ways:
        say_lines(sender, say, receiver, 2 * PUBLISH_LINES)
    for _ in range(PUBLISH_ROUNDS):
        for sender, say, receiver, took in ways:
            took += say_lines(sender, say, receiver, PUBLISH_LINES)
    for word, value in (("p50", median), ("p99", p99)):
        run.table.compare(f"publish to receive, {word}, against js",
                          value(ways[0][3]), value(ways[1][3]), 1.0, "ms")


# ---- publish while somebody floods -------------------------------------------

def part_flood(run):
    """A line of one to another, while a third floods that one."""
    a, b = run.ours(), run.ours()
    a.send("/connect " + b.addr)
    a.await_line(b'"state":"connected"')
    time.sleep(3)
    say_lines(a, a.send, b, PUBLISH_LINES)
    quiet, forged, signed = [], [], []
    for _ in range(FLOOD_ROUNDS):
        quiet += say_lines(a, a.send, b, PUBLISH_LINES)
        for took, lines, more in ((forged, FLOOD_FORGED, ["forged"]),
                                  (signed, FLOOD_SIGNED, [])):
            flood = run.flood(b, lines, more=more)
            flood.send("go")
            time.sleep(0.3)
            took += say_lines(a, a.send, b, PUBLISH_LINES)
            run.end(flood)
            b.drop()
    for name, took, goal in (("forged", forged, 2.0), ("signed", signed, None)):
        for word, value in (("p50", median), ("p99", p99)):
            run.table.compare(f"publish to receive in {name} floods, {word}, "
                              "against quiet", value(took), value(quiet),
                              goal if word == "p99" else None, "ms")


# ---- intake -----------------------------------------------------------------

def taken_in(receiver, lines, patience=60):
    """Reads until so many lines were told of; when the last one was."""
    end, count, at = now() + patience, 0, now()
    while count < lines:
        if not select.select([receiver.fd], [], [], max(0, end - now()))[0]:
            raise Failure(f"{count} of {lines} lines came")
        if receiver.eof:
            raise Failure(f"{receiver.name} ended after {count} lines")
        count += receiver.count(b'"event":"message"')
        at = now()
        # Small reads would make this program the limit.
        time.sleep(0.005)
    return at


def taken_until_quiet(receiver, lines):
    """Reads until so many lines were told of, or none for a while: how many
    they were, and when the last one was."""
    count, at = 0, now()
    while count < lines and now() - at < LOST_S:
        select.select([receiver.fd], [], [], 0.1)
        came = receiver.count(b'"event":"message"')
        count += came
        at = now() if came else at
        # Small reads would make this program the limit.
        time.sleep(0.005)
    return count, at


def flooded(run, receiver, lines, cpu=None):
    """Lines a second from the word to the last line told of, and how many
    cores the receiver used meanwhile. cpu: the sender's."""
    flood = run.flood(receiver, lines, cpu=cpu)
    receiver.drop()
    before = activity(receiver.proc.pid)[1]
    began = now()
    flood.send("go")
    took = taken_in(receiver, lines) - began
    used = activity(receiver.proc.pid)[1] - before
    run.end(flood)
    return lines / took, used / 1000 / took


def flooded_in_vain(run, receiver, lines):
    """Of a receiver that drops what it has no time for: lines a second that
    it read, and that it told of."""
    flood = run.flood(receiver, lines)
    receiver.drop()
    began = now()
    flood.send("go")
    count, at = taken_until_quiet(receiver, lines)
    run.end(flood)
    if count == 0:
        raise Failure(f"{receiver.name}: no line came")
    return lines / (at - began), count / (at - began)


def intake_ours(run, cpu, build=THIS):
    """The rate, the cores used, and how many lines the database lacks."""
    receiver = run.ours(cpu=cpu, build=build)
    figures = flooded(run, receiver, INTAKE_LINES, None if cpu is None else 1)
    path = receiver.database
    run.end(receiver)
    with sqlite3.connect(path) as db:
        kept, = db.execute(
            "SELECT count(DISTINCT unit_id) FROM messages").fetchone()
    return *figures, INTAKE_LINES - kept


def micro(*args, cpu=None, build=THIS):
    out = subprocess.run([build.micro, *args], stdout=subprocess.PIPE, text=True,
                         check=True, preexec_fn=pin(cpu)).stdout
    return [json.loads(line) for line in out.splitlines()]


def verify_rate(cpus):
    """libsodium's on each of these cores, all of them busy at once."""
    with concurrent.futures.ThreadPoolExecutor() as pool:
        found = pool.map(lambda cpu: micro("verify", cpu=cpu), cpus)
    return statistics.mean(lines[0]["other"] for lines in found)


class Intake:
    """The rounds of one kind: ours and a js peer's, by turns, each between
    two of libsodium's, which are taken on the cores that both may use; and a
    go peer's, where it may use all."""

    def __init__(self, run, cpu):
        self.cpu = cpu
        self.js = run.js(cpu=cpu)
        self.go = None
        self.rates, self.cores, self.verify, self.js_rates = [], [], [], []
        self.go_read, self.go_kept = [], []
        self.lost = 0
        # What a compiler would do is done then.
        self.js_round(run)
        self.js_rates.clear()

    def js_round(self, run):
        self.js_rates.append(flooded(run, self.js, INTAKE_LINES_JS,
                                     None if self.cpu is None else 1)[0])

    def round(self, run):
        cpus = CORES if self.cpu is None else {self.cpu}
        before = verify_rate(cpus)
        rate, cores, lost = intake_ours(run, self.cpu)
        self.verify.append((before + verify_rate(cpus)) / 2)
        self.rates.append(rate)
        self.cores.append(cores)
        self.lost += lost
        self.js_round(run)
        if self.go is not None:
            read, kept = flooded_in_vain(run, self.go, INTAKE_LINES)
            self.go_read.append(read)
            self.go_kept.append(kept)


def intake_go_rows(table, free):
    lost = 100 - 100 * median(
        kept / read for kept, read in zip(free.go_kept, free.go_read))
    table.rounds(f"intake on all cores, against a go peer's ({lost:.0f} % "
                 "lost)", free.rates, free.go_read, 2, "/s")
    table.rounds("intake on all cores, against what a go peer keeps of it",
                 free.rates, free.go_kept, None, "/s")


def part_intake(run):
    table = run.table
    one, free = Intake(run, 0), Intake(run, None)
    try:
        free.go = run.go()
    except Failure as failure:
        table.note("intake, against a go peer's", str(failure))
    mine = os.sched_getaffinity(0)
    for _ in range(INTAKE_ROUNDS):
        # This program reads beside the sender, away from the receiver.
        if len(mine) > 1:
            os.sched_setaffinity(0, mine - {0})
        one.round(run)
        os.sched_setaffinity(0, mine)
        free.round(run)
    table.rounds("intake on one core, against libsodium's verify there",
                 one.rates, one.verify, 0.6, "/s")
    table.rounds(f"intake on all cores ({median(free.cores):.2f} used), "
                 "against verify on so many", free.rates,
                 [v * c for v, c in zip(free.verify, free.cores)], 0.6, "/s")
    table.rounds("intake on all cores, against a js peer's (not kept)",
                 free.rates, free.js_rates, 5, "/s")
    table.rounds("intake on one core, against a js peer's (not kept)",
                 one.rates, one.js_rates, None, "/s")
    if free.go is not None:
        intake_go_rows(table, free)
    table.compare("processor time for a line on one core, against a verify",
                  median(c / r for c, r in zip(one.cores, one.rates)) * 1e6,
                  median(1 / v for v in one.verify) * 1e6, None, "us")
    sent = 2 * INTAKE_ROUNDS * INTAKE_LINES
    lost = one.lost + free.lost
    table.add("lines lost", str(lost), f"of {sent}", "", "0", lost == 0)


# ---- one stream -------------------------------------------------------------

class Pair:
    """Two programs of one kind, connected by Noise and Yamux; a `line` of so
    many milliseconds between them, if wanted."""

    def __init__(self, run, kind, argv, megabytes, line=0):
        self.kind, self.megabytes, self.rates, self.work = (
            kind, megabytes, [], [])
        self.server = run.add(StreamPeer(argv, run.home()))
        self.client = run.add(StreamPeer(argv, run.home()))
        if self.client.versions:
            run.versions[kind] = self.client.versions
        self.client.command("dial", addr=self.through(run, line))
        up = self.client.event(b'"event":"connected"', [self.server])
        if "yamux" not in up["muxer"] or "tls" in up.get("security", ""):
            raise Failure(f"{kind}: not Noise and Yamux: {up}")
        # Let identify and what else belongs to a meeting pass.
        time.sleep(1)
        # What a compiler would do is done.
        self.client.fill(self.server, megabytes * (0 if line else 1000000))

    def through(self, run, line):
        if not line:
            return self.server.addr
        port = self.server.addr.split("/")[4]
        far = run.add(Piped([FAR, port, str(line)], run.home()))
        mine = far.await_line(b"")[0].decode()
        return self.server.addr.replace(f"/tcp/{port}/", f"/tcp/{mine}/")

    def busy(self):
        return sum(activity(p.proc.pid)[1] for p in (self.server, self.client))

    def once(self):
        before = self.busy()
        took = self.client.fill(self.server, self.megabytes * 1000000)
        self.rates.append(self.megabytes / took)
        self.work.append((self.busy() - before) / self.megabytes)


def ours_pair(run, megabytes, line=0, build=THIS):
    return Pair(run, "ours", [build.stream_peer, "--yamux"], megabytes, line)


def stream_pairs(run, megabytes, slow, line=0):
    """Ours, js and go, as far as they are there."""
    found = [ours_pair(run, megabytes, line)]
    for kind, name, count in (("js", "js", slow),
                              ("go", "go-current", megabytes)):
        try:
            program = run.foreign(name)
            argv = ["node", program] if kind == "js" else [program]
            found.append(Pair(run, kind, [*argv, "--streams"], count, line))
        except Failure as failure:
            run.table.note(f"one stream, against {kind}-libp2p's",
                           str(failure))
    return found


def sealed_once():
    out = subprocess.run([THIS.sealed, str(STREAM_MB)], stdout=subprocess.PIPE,
                         text=True, check=True).stdout
    return json.loads(out)["mb_s"]


def openssl_rate(name):
    """MB/s of one of OpenSSL's ciphers with frames of 65,519 bytes."""
    if shutil.which("openssl") is None:
        return None
    out = subprocess.run(
        ["openssl", "speed", "-seconds", "1", "-bytes", "65519", "-evp", name],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
        check=False).stdout
    for line in out.splitlines():
        if line.lower().startswith(name) and line.endswith("k"):
            return float(line.split()[-1][:-1]) / 1000
    return None


def cipher_rows(run, work, go_work):
    """What the cipher takes of the processor, and what another would give."""
    # The bare one of `micro noise` seals and opens: both ends.
    bare = {r["name"]: r for r in micro("noise")}["noise"]["other"]
    cipher = 1000 / bare
    run.table.compare("processor for it, against libsodium's cipher alone",
                      work, cipher, None, "ms/MB")
    rate = openssl_rate("chacha20-poly1305")
    if rate is None:
        return
    other = 2000 / rate
    run.table.compare("libsodium's cipher alone, against OpenSSL's", cipher,
                      other, None, "ms/MB")
    if go_work is not None:
        # All but the cipher stays as it is.
        run.table.compare("processor for it with OpenSSL's, reckoned, against "
                          "go", work - cipher + other, go_work, None, "ms/MB")


def stream_near(run):
    pairs = stream_pairs(run, STREAM_MB, STREAM_MB_SLOW)
    sealed = []
    for _ in range(STREAM_ROUNDS):
        sealed.append(sealed_once())
        for pair in pairs:
            pair.once()
    ours, work = pairs[0], {p.kind: median(p.work) for p in pairs}
    run.table.rounds("one stream over Noise and Yamux, against bare sealed",
                     ours.rates, sealed, 0.65, "MB/s")
    for pair in pairs[1:]:
        run.table.rounds(f"one stream, against {pair.kind}-libp2p's",
                         ours.rates, pair.rates,
                         1.0 if pair.kind == "js" else None, "MB/s")
        run.table.compare(f"processor for it, against {pair.kind}-libp2p's",
                          work["ours"], work[pair.kind], None, "ms/MB")
    cipher_rows(run, work["ours"], work.get("go"))
    run.end()


def stream_far(run):
    """Over a round trip of 100 ms."""
    pairs = stream_pairs(run, STREAM_MB_FAR, STREAM_MB_FAR, STREAM_LINE_MS)
    for _ in range(STREAM_ROUNDS_FAR):
        for pair in pairs:
            pair.once()
    # 256 KiB a round trip: what the first window would give for ever.
    first = [0.262144 * 1000 / (2 * STREAM_LINE_MS)] * STREAM_ROUNDS_FAR
    ours = pairs[0].rates
    run.table.rounds("one stream over 100 ms, against 256 KiB a round trip",
                     ours, first, 4, "MB/s")
    for pair in pairs[1:]:
        run.table.rounds(f"one stream over 100 ms, against {pair.kind}-libp2p's",
                         ours, pair.rates, None, "MB/s")
    run.end()


def part_stream(run):
    stream_near(run)
    stream_far(run)


# ---- parts of the program ---------------------------------------------------

MICRO_ROWS = (
    ("verify", "unit_verify, against libsodium's verify", None, True),
    ("noise", "Noise frames sealed and opened, against bare", None, True),
    ("stream", "one stream over Noise and yamux, against bare", 0.65, True),
    ("page-newest", "newest 100 of 1,000,000 lines, against SQLite", None,
     False),
    ("page-middle", "100 from their middle, against SQLite", None, False),
    ("draw", "all of 200x60 drawn, against ncurses painting it", 0.3, False),
)


def micro_all(run, build=THIS):
    """Every result by its name."""
    found = {}
    for args in (("verify",), ("noise",), ("stream",), ("draw",),
                 ("page", str(run.home()))):
        for result in micro(*args, build=build):
            found[result["name"]] = result
    return found


def part_micro(run):
    found = micro_all(run)
    for name, figure, goal, more in MICRO_ROWS:
        result = found[name]
        ratio = result["ratio"]
        met = None if goal is None else (
            ratio >= goal if more else ratio <= goal)
        sign = "" if goal is None else (">= " if more else "<= ")
        run.table.add(figure, f"{result['ours']:.4g} {result['unit']}",
                      f"{result['other']:.4g} {result['unit']}",
                      f"{ratio:.3f}", f"{sign}{goal} x" if goal else "", met)
    run.table.bound("newest 100 of 1,000,000 lines",
                    found["page-newest"]["ours"],
                    found["page-newest"]["other"], 2, "ms")
