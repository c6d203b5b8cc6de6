"""What the tests of the whole program share: starting it in a home of its
own, reading its JSON events, looking at its process, and TAP."""

import json
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

sys.dont_write_bytecode = True

P2PCHAT = os.environ.get("P2PCHAT", "./p2pchat-tui")
# No single wait is longer. Builds with sanitizers on a busy machine are slow.
PATIENCE = 30.0


class Failure(Exception):
    """A check that did not hold; the text says what was seen instead."""


class Skip(Exception):
    """A check that cannot be made here; the text says why."""


def need(condition, *seen):
    """Fails with what was seen unless the condition holds."""
    if not condition:
        raise Failure(" ".join(str(s) for s in seen)[-1500:])


def default_signals():
    """Gives what we start the default of every signal. One that we were
    started with ignored, as SIGINT is in the background of a script, would be
    ignored there too; one that is caught is not, so we catch it and do
    nothing. Python itself restores the two that it ignores."""
    for number in (signal.valid_signals() -
                   {signal.SIGKILL, signal.SIGSTOP, signal.SIGPIPE,
                    signal.SIGXFSZ}):
        if signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, lambda *_: None)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())


class Tests:
    """Counts and prints results in TAP; its folder goes with it unless a
    check failed. Programs started in `run` are ended by their own id."""

    def __init__(self):
        self.count = self.failed = 0
        self.programs = []
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="p2pchat-"))
        default_signals()
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for p in self.programs:
            p.kill()
        if not self.failed:
            shutil.rmtree(self.folder, ignore_errors=True)

    def check(self, name, probe, *args):
        """One check, in a folder of its own; True when it held."""
        begin = time.monotonic()
        self.count += 1
        word, why = "ok", ""
        try:
            probe(self, *args)
        except Skip as skip:
            why = f" # SKIP {skip}"
        except Exception as failure:
            self.failed += 1
            word = "not ok"
            text = (str(failure) if isinstance(failure, Failure)
                    else repr(failure))
            why = "\n# " + text.replace("\n", "\n# ")
        for p in self.programs:
            p.kill()
        self.programs.clear()
        if word == "ok" and not why:
            why = f" # {time.monotonic() - begin:.2f} s"
        print(f"{word} {self.count} - {name}{why}", flush=True)
        return word == "ok"

    def all(self, probes):
        """Every probe by its name and documentation, then the plan."""
        for probe in probes:
            self.check(probe.__doc__.split("\n")[0].rstrip("."), probe)
        return self.finish()

    def finish(self):
        if self.failed:
            print(f"# what the programs left: {self.folder}")
        print(f"1..{self.count}", flush=True)
        return 1 if self.failed else 0

    def home(self):
        """A new folder that serves as HOME."""
        return pathlib.Path(tempfile.mkdtemp(dir=self.folder))


def say(text):
    """A line for people: figures and progress."""
    print(f"# {text}", flush=True)


def clean_env(home, **more):
    """The environment without what reaches a person's own profile."""
    env = {name: value for name, value in os.environ.items()
           if not name.startswith("XDG_")
           and name not in ("CHAT_TOPIC", "DATA_DIR", "NO_COLOR")}
    env["HOME"] = str(home)
    env["TZ"] = "UTC"
    env.update(more)
    return {name: value for name, value in env.items() if value is not None}


def run(*args, env, stdin=b"", timeout=PATIENCE):
    """Runs the program to its end: exit code, stdout, stderr."""
    done = subprocess.run([P2PCHAT, *args], env=env, input=stdin,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          timeout=timeout, check=False)
    return (done.returncode, done.stdout.decode(errors="replace"),
            done.stderr.decode(errors="replace"))


# What is tested says more lines a minute than people do.
HEADLESS = ("--headless", "--json", "--no-mdns", "--author-rate", "0")
ANY_PORT = ("--listen", "/ip4/127.0.0.1/tcp/0")


class Program:
    """A running program with its events, kept in the order they came."""

    def __init__(self, tests, home, *args, env=None, base=HEADLESS + ANY_PORT,
                 stdout=subprocess.PIPE, wrap=()):
        self.home = home
        self.events = []
        self.of_kind = {}  # the same by what they tell
        self.garbage = []
        self.eof = False
        self.cond = threading.Condition()
        self.stderr_path = home / "stderr"
        with open(self.stderr_path, "ab") as stderr:
            self.proc = subprocess.Popen(
                [*wrap, P2PCHAT, *base, *args], stdin=subprocess.PIPE, stdout=stdout,
                stderr=stderr, env=env or clean_env(home))
        tests.programs.append(self)
        if self.proc.stdout is not None:
            self.reader = threading.Thread(target=self._read, daemon=True)
            self.reader.start()

    def _read(self):
        for line in self.proc.stdout:
            try:
                event = json.loads(line)
            except ValueError:
                event = None
            with self.cond:
                if isinstance(event, dict):
                    self.events.append(event)
                    self.of_kind.setdefault(event.get("event"), []).append(
                        event)
                else:
                    self.garbage.append(line)
                self.cond.notify_all()
        with self.cond:
            self.eof = True
            self.cond.notify_all()

    def send(self, text):
        """One line of input."""
        data = text if isinstance(text, bytes) else text.encode()
        self.proc.stdin.write(data + b"\n")
        self.proc.stdin.flush()

    def seen(self, kind, **members):
        with self.cond:
            return [e for e in self.of_kind.get(kind, ())
                    if all(e.get(k) == v for k, v in members.items())]

    def until(self, what, probe, timeout=PATIENCE):
        """Waits until probe() gives something; `what` names it. Where events
        pour in it looks for as long as it does not, so that whoever reads them
        gets on."""
        end = time.monotonic() + timeout
        while True:
            # In this order: the last event comes before the end.
            ended = self.eof
            begin = time.monotonic()
            found = probe()
            if found:
                return found
            now = time.monotonic()
            if now >= end or ended:
                break
            time.sleep(min(2 * (now - begin), 0.5))
            with self.cond:
                self.cond.wait(min(end - now, 0.2))
        raise Failure(f"no {what}; {self.last_words()}")

    def wait(self, kind, timeout=PATIENCE, **members):
        """The first event of this kind with these members."""
        return self.until(f"{kind} {members or ''}",
                          lambda: self.seen(kind, **members), timeout)[0]

    def ready(self):
        """Waits until it listens; then .id, .port and .addr are known."""
        event = self.wait("ready")
        self.id = event["peer_id"]
        self.addr = event["listen"][0]
        self.port = int(re.search(r"/tcp/(\d+)", self.addr).group(1))
        return self

    def last_words(self):
        with self.cond:
            events = self.events[-4:]
        err = self.stderr_path.read_text(errors="replace")[-3000:].strip()
        code = self.proc.poll()
        alive = "running" if code is None else f"ended with {code}"
        return f"{alive}, last events {json.dumps(events)[:900]}" + (
            f"\nstderr: {err}" if err else "")

    def ended(self, timeout=PATIENCE):
        """Waits for its end and returns the exit code."""
        try:
            code = self.proc.wait(timeout)
        except subprocess.TimeoutExpired:
            raise Failure(f"does not end; {self.last_words()}")
        if self.proc.stdout is not None:
            self.reader.join(5)
        return code

    def quit(self):
        """Ends it as a person would; the exit code must be 0."""
        self.send("/quit")
        code = self.ended()
        need(code == 0, "ended with", code, self.last_words())

    def stderr(self):
        return self.stderr_path.read_text(errors="replace")

    def kill(self):
        if self.proc.poll() is None:
            self.proc.kill()
            self.proc.wait()


def connected(a, b):
    """Waits until two programs know that they are connected."""
    a.wait("peer", peer_id=b.id, state="connected")
    b.wait("peer", peer_id=a.id, state="connected")


# ---- looking at a process ---------------------------------------------------


def memory_kib(pid):
    """Resident memory. The sandbox shows the exact sum to root alone."""
    try:
        with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as rollup:
            text = rollup.read()
    except PermissionError:
        text = pathlib.Path(f"/proc/{pid}/status").read_text()
    return int(re.search(r"^(?:Vm)?R[sS]{2}:\s+(\d+) kB", text, re.M).group(1))


def wakeups(pid):
    """Voluntary context switches so far: {(thread id, name): count}."""
    counts = {}
    for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
        text = (task / "status").read_text()
        name = re.search(r"^Name:\s*(.*)$", text, re.M).group(1)
        count = re.search(r"^voluntary_ctxt_switches:\s*(\d+)$", text, re.M)
        counts[(int(task.name), name)] = int(count.group(1))
    return counts


def free_port():
    """A TCP port that was free just now."""
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def sanitized():
    """Whether the program was built with a sanitizer, which needs memory and
    time of its own."""
    with open(P2PCHAT, "rb") as binary:
        data = binary.read()
    return b"__asan_" in data or b"__tsan_" in data
