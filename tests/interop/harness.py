"""What the interop tests share: programs that speak JSON lines on a pipe,
the foreign peers among them, and the counting of results."""

import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time

HERE = pathlib.Path(__file__).resolve().parent

# No single wait is longer: a case that hangs fails, it does not stall the run.
PATIENCE = 20.0
# How long a second copy of a line is waited for. Gossip repeats what it heard
# at its heartbeats, one a second, three times.
ECHO = 4.0

# What the tests meet: name -> (kind of peer, its flags, the muxer agreed on
# with ours, or None where either is right as long as both sides agree).
PEERS = {
    "js": ("js", (), "yamux"),
    "js-mplex": ("js-mplex", (), "mplex"),
    "go": ("go", (), "yamux"),
    "plain": ("js", ("--dialect", "plain",
                     "--topic", "universal-connectivity"), "yamux"),
    # Current go-libp2p and go-libp2p-pubsub, and current rust-libp2p.
    "go-current": ("go-current", ("--tls-first",), "yamux"),
    "rust": ("rust", (), "yamux"),
    "rust-plain": ("rust", ("--dialect", "plain", "--topic",
                            "universal-connectivity"), "yamux"),
    "rust-mplex": ("rust", ("--muxers", "mplex"), "mplex"),
    # Newer go-libp2p asks for TLS before it asks for Noise.
    "go-tls-first": ("go", ("--tls-first",), "yamux"),
    # Current js-libp2p drops an Mplex connection on which streams open fast.
    "js3-mplex": ("js", ("--muxers", "mplex"), "mplex"),
    # js-libp2p picks from the other's list, the specification from its own.
    "js-prefers-mplex": ("js", ("--muxers", "mplex,yamux"), None),
}

# Out of every mesh; the story "named" meets it.
ALOOF_PEERS = {"rust-aloof": ("rust", ("--aloof",), "yamux")}

# As rust-libp2p's chat example: gossip and mDNS, no identify, no ping. The key
# is the same at each start. The story "silent" meets it.
SILENT_PEERS = {"rust-silent": ("rust", ("--no-identify", "--key-seed", "7"),
                                "yamux")}

# Bare text, numbered from the time of the program's start, one a line: one
# that says that it runs for seven hours, one that is what it is. The story
# "counters" meets them.
COUNTER_PEERS = {
    "go-counter": ("go-current", ("--dialect", "plain", "--topic",
                                  "universal-connectivity",
                                  "--started-ago", "7h"), "yamux"),
    "rust-counter": ("rust", ("--dialect", "plain", "--topic",
                              "universal-connectivity", "--no-identify"),
                     "yamux"),
}

# The same with keys of other kinds; the story "keys" meets them.
KEY_PEERS = {
    "go-rsa": ("go", ("--key-type", "rsa"), "yamux"),
    "go-ecdsa": ("go", ("--key-type", "ecdsa"), "yamux"),
    "go-secp256k1": ("go", ("--key-type", "secp256k1"), "yamux"),
    "rust-rsa": ("rust", ("--key-type", "rsa"), "yamux"),
    "rust-ecdsa": ("rust", ("--key-type", "ecdsa"), "yamux"),
    "rust-secp256k1": ("rust", ("--key-type", "secp256k1"), "yamux"),
    "js-rsa": ("js", ("--key-type", "RSA"), "yamux"),
    "js-secp256k1": ("js", ("--key-type", "secp256k1"), "yamux"),
}


class Failure(Exception):
    """A check that did not hold; the text says what was seen instead."""


class Program:
    """A running program: one JSON event a line out, one line of text in.

    Events are kept in the order they came, for ever. It is ended by its own
    process id, and only by that.
    """

    def __init__(self, name, argv, folder, env=None):
        self.name = name
        self.events = []
        self.garbage = []
        self.eof = False
        self.cond = threading.Condition()
        self.started = time.monotonic()
        self.stderr_path = folder / (name + ".stderr")
        self.log_path = folder / (name + ".events")
        with open(self.stderr_path, "ab") as stderr:
            self.proc = subprocess.Popen(
                argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                stderr=stderr, env=env)
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _read(self):
        with open(self.log_path, "ab") as log:
            for line in self.proc.stdout:
                log.write(line)
                log.flush()
                try:
                    event = json.loads(line)
                except ValueError:
                    event = None
                with self.cond:
                    if isinstance(event, dict):
                        event["_at"] = time.monotonic() - self.started
                        self.events.append(event)
                    else:
                        self.garbage.append(line)
                    self.cond.notify_all()
        with self.cond:
            self.eof = True
            self.cond.notify_all()

    def send(self, text):
        try:
            self.proc.stdin.write(text.encode() + b"\n")
            self.proc.stdin.flush()
        except (BrokenPipeError, ValueError):
            raise Failure(f"{self.name} has ended: {self.last_words()}")

    def seen(self, kind, **members):
        """The events of this kind with these members."""
        with self.cond:
            return [e for e in self.events if e.get("event") == kind
                    and all(e.get(k) == v for k, v in members.items())]

    def until(self, what, probe, timeout=PATIENCE):
        """Waits until probe() gives something; what names it in a failure."""
        end = time.monotonic() + timeout
        with self.cond:
            while True:
                found = probe()
                if found:
                    return found
                left = end - time.monotonic()
                if left <= 0 or self.eof:
                    break
                self.cond.wait(min(left, 0.5))
        raise Failure(f"{self.name}: no {what}; {self.last_words()}")

    def wait(self, kind, timeout=PATIENCE, **members):
        """The first event of this kind with these members, awaited."""
        return self.until(f"{kind} {members or ''}",
                          lambda: self.seen(kind, **members), timeout)[0]

    def last_words(self):
        """For failures: the newest events and the end of stderr."""
        with self.cond:
            events = self.events[-4:]
        err = self.stderr_path.read_text(errors="replace")[-400:].strip()
        code = self.proc.poll()
        alive = "running" if code is None else f"ended with {code}"
        return f"{alive}, last events {json.dumps(events)[:900]}" + (
            f", stderr: {err}" if err else "")

    def kill(self):
        if self.proc.poll() is None:
            self.proc.kill()

    def ended(self, timeout=PATIENCE):
        """Waits for its end and returns its exit code."""
        try:
            code = self.proc.wait(timeout)
        except subprocess.TimeoutExpired:
            raise Failure(f"{self.name} does not end")
        self.reader.join(2)
        return code

    def close(self):
        """Ends it, gently where it listens, and waits until it is gone."""
        try:
            self.proc.stdin.close()
        except BrokenPipeError:
            pass
        try:
            self.proc.wait(3)
        except subprocess.TimeoutExpired:
            self.kill()
            self.proc.wait()
        self.reader.join(2)


class Peer(Program):
    """A foreign peer, by the control protocol of README.md."""

    def __init__(self, peer, programs, folder, name, more=()):
        self.kind, args, self.muxer = (PEERS | KEY_PEERS | ALOOF_PEERS
                                       | SILENT_PEERS | COUNTER_PEERS)[peer]
        program = programs[self.kind]
        is_go = self.kind in ("go", "go-current")
        argv = ["node"] if self.kind in ("js", "js-mplex") else []
        argv.append(program)
        if is_go and "P2PCHAT_INTEROP_TRACE" in os.environ:
            argv.append("--trace")
        super().__init__(name, [*argv, *args, *more], folder)
        self.id = self.addr = None

    def prepare(self):
        """Waits until it listens; before that it has no id."""
        self.ready = self.wait("ready")
        self.id = self.ready["peer_id"]
        self.topic = self.ready["topic"]
        self.addr = self.ready["addrs"][0]

    def command(self, cmd, **members):
        self.send(json.dumps({"cmd": cmd, **members}))

    def say(self, text):
        self.command("say", text=text)

    def dial(self, addr):
        self.command("dial", addr=addr)

    def lines(self, author, text):
        """Times that this program would have shown `text` of `author`."""
        return self.seen("message", **{"from": author, "shown": text})


class Tests:
    """Counts and prints results, and keeps what belongs to the run: with
    `with`, its programs end with it, and so does its folder unless a check
    failed. Threads may share it; each ends its own programs."""

    def __init__(self, title):
        self.passed = self.failed = self.skipped = 0
        self.lock = threading.RLock()
        self._mine = threading.local()
        self._everybodys = []
        # A run that is told to stop ends what it started, like one that fails.
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="p2pchat-interop-"))
        print(f"# {title}", flush=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for programs in self._everybodys:
            _end(programs)
        if not self.failed:
            shutil.rmtree(self.folder)

    def check(self, name, probe, *args, **kwargs):
        """Runs one check; True when it held."""
        begin = time.monotonic()
        try:
            probe(*args, **kwargs)
        # An event without a member that was relied on is a failure as well.
        except Exception as failure:
            why = (str(failure) if isinstance(failure, Failure)
                   else repr(failure))
            with self.lock:
                self.failed += 1
                print(f"not ok {self._number()} - {name}\n#   {why}\n"
                      f"#   load {os.getloadavg()[0]:.1f}, {_took(begin)}",
                      flush=True)
            return False
        with self.lock:
            self.passed += 1
            print(f"ok {self._number()} - {name} # {_took(begin)}", flush=True)
        return True

    def skip(self, name, why):
        with self.lock:
            self.skipped += 1
            print(f"ok {self._number()} - {name} # SKIP {why}", flush=True)

    def _number(self):
        return self.passed + self.failed + self.skipped

    def _programs(self):
        """Those of this thread."""
        if not hasattr(self._mine, "programs"):
            self._mine.programs = []
            self._everybodys.append(self._mine.programs)
        return self._mine.programs

    def add(self, program):
        """Takes a program that is to be ended with the run."""
        self._programs().append(program)
        return program

    def start(self, name, *programs):
        """Waits until these programs are ready; True when all are."""
        return self.check(name, lambda: [p.prepare() for p in programs])

    def end_programs(self):
        """Ends what this thread has started since the last call, newest
        first."""
        _end(self._programs())

    def finish(self):
        """Prints the closing line; returns the exit code."""
        self.end_programs()
        if self.failed:
            print(f"# events and stderr of every program: {self.folder}")
        # Alone on its line: the summary that test collectors read.
        print(f"{self.passed} passed, {self.failed} failed, "
              f"{self.skipped} skipped", flush=True)
        return 1 if self.failed or self._number() == 0 else 0


def _took(begin):
    return f"{time.monotonic() - begin:.2f} s"


def _end(programs):
    while programs:
        programs.pop().close()


def install(*kinds):
    """Makes the foreign peers ready: {kind: program}, {kind: (word, why)}."""
    found = subprocess.run([HERE / "install", *kinds], stdout=subprocess.PIPE,
                           text=True, check=False)
    programs, others = {}, {}
    for line in found.stdout.splitlines():
        word, kind, rest = line.split("\t", 2)
        if word == "ready":
            programs[kind] = rest
        else:
            others[kind] = (word, rest)
    return programs, others


def missing(tests, others):
    """Reports the kinds of peers that cannot be run here."""
    for kind, (word, why) in others.items():
        if word == "SKIP":
            tests.skip(f"{kind} peer", why)
        else:
            tests.check(f"{kind} peer is ready", _fail, why)


def _fail(why):
    raise Failure(why)


def print_versions(peer):
    """The exact versions, as read out of what runs."""
    words = [f"{k} {v}" for k, v in peer.ready["versions"].items()]
    print(f"# {peer.kind}: " + ", ".join(words), flush=True)


def told(peer, other, member):
    """The peer's `stats` about another, by its id, once `member` is true."""
    end = time.monotonic() + PATIENCE
    while True:
        asked = len(peer.seen("stats"))
        peer.command("stats", peer=other)
        said = peer.until("stats", lambda: peer.seen("stats")[asked:])[0]
        if said[member]:
            return said
        if time.monotonic() > end:
            raise Failure(f"{peer.name}: no {member}: {said}")
        time.sleep(0.1)


def judged(peer, other):
    """What a peer's gossip router holds against another: nothing, or this
    fails. Waits until it is grafted."""
    said = told(peer, other, "mesh")
    if said.get("penalty") or said.get("score", 0) < 0:
        raise Failure(f"{peer.name}: bad standing: {said}")
    if said.get("copies") or said.get("rejects"):
        raise Failure(f"{peer.name}: copies or bad messages: {said}")


def settle(seconds=ECHO):
    """Time for a wrong second copy to arrive before copies are counted."""
    time.sleep(seconds)


sys.dont_write_bytecode = True
