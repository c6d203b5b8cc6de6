"""Programs under measurement: on pipes or in a pseudo terminal, one thread,
raw bytes, so that the clock outside them adds little and the same to each."""

import ctypes
import fcntl
import json
import os
import pathlib
import pty
import select
import signal
import struct
import subprocess
import termios
import time

FAR = str(pathlib.Path(__file__).resolve().parent / "far.py")
ROWS, COLS = 60, 200
PATIENCE = 20.0
TOPIC = "p2p-chat-default"


class Failure(Exception):
    """A measurement that could not be taken; the text says why."""


class Build:
    """A build folder, and what is measured of it or with it."""

    def __init__(self, folder, ours=None):
        self.folder = pathlib.Path(folder)
        self.ours = ours or str(self.folder / "p2pchat-tui")
        self.flood = str(self.folder / "bench" / "flood")
        self.micro = str(self.folder / "bench" / "micro")
        self.sealed = str(self.folder / "bench" / "sealed")
        self.stream_peer = str(self.folder / "tests/interop/stream_peer")
        self.has = {}  # options that were asked for

    def knows(self, option):
        """Whether its program has this option; older ones may not."""
        if option not in self.has:
            said = subprocess.run([self.ours, "--help"], text=True, check=True,
                                  stdout=subprocess.PIPE).stdout
            self.has[option] = option in said.split()
        return self.has[option]


THIS = Build(os.environ["BUILDDIR"], os.environ.get("P2PCHAT"))


def now():
    return time.monotonic()


CORES = os.sched_getaffinity(0)


def pin(cpu):
    """For preexec_fn: the program and its threads stay on one core, or are
    free to run on all, whatever this program does."""
    cores = CORES if cpu is None or len(CORES) < 2 else {cpu}
    return lambda: os.sched_setaffinity(0, cores)


CLONE_NEWTIME = 0x80


def shift_clocks(ahead_ns):
    """For preexec_fn: the clocks that a program measures spans with are so far
    ahead, in a time namespace. A process enters a new one only on its way."""
    libc = ctypes.CDLL(None, use_errno=True)
    offset = f"{ahead_ns // 1000000000} {ahead_ns % 1000000000}"

    def shift():
        if libc.unshare(CLONE_NEWTIME) != 0:
            raise OSError(ctypes.get_errno(), "unshare")
        pathlib.Path("/proc/self/timens_offsets").write_text(
            f"monotonic {offset}\nboottime {offset}\n")
        fd = os.open("/proc/self/ns/time_for_children", os.O_RDONLY)
        if libc.setns(fd, CLONE_NEWTIME) != 0:
            raise OSError(ctypes.get_errno(), "setns")
        os.close(fd)
    return shift


def clocks_apart():
    """Whether this machine lets a program have clocks of its own."""
    try:
        subprocess.run(["true"], preexec_fn=shift_clocks(0), check=True)
    except subprocess.SubprocessError:
        return False
    return True


class Piped:
    """A program that speaks lines on its pipes."""

    def __init__(self, argv, cwd, cpu=None, env=None, before=None):
        self.name = os.path.basename(argv[-1] if argv[0] == "node"
                                     else argv[0])
        self.stderr = open(cwd / "stderr", "ab")
        self.proc = subprocess.Popen(
            argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=self.stderr, env=env, preexec_fn=before or pin(cpu),
            bufsize=0)
        self.fd = self.proc.stdout.fileno()
        os.set_blocking(self.fd, False)
        # A reader that sleeps now and then shall not slow the writer down.
        fcntl.fcntl(self.fd, fcntl.F_SETPIPE_SZ, 1 << 20)
        self.rest = b""
        self.lines = []
        self.eof = False

    def send(self, text):
        self.proc.stdin.write(text.encode() + b"\n")

    def read(self):
        """Takes what is there; True when something was."""
        try:
            data = os.read(self.fd, 1 << 20)
        except BlockingIOError:
            return False
        if not data:
            self.eof = True
            return False
        *whole, self.rest = (self.rest + data).split(b"\n")
        self.lines += whole
        return True

    def count(self, needle):
        """How many lines of what is there now hold `needle`, once each.
        Cheaper than `read`, for a flood; no line of it is kept."""
        try:
            data = os.read(self.fd, 1 << 20)
        except BlockingIOError:
            return 0
        self.eof = not data
        data = self.rest + data
        whole = data.rfind(b"\n") + 1
        self.rest = data[whole:]
        return data.count(needle, 0, whole)

    def await_line(self, needle, others=(), patience=PATIENCE):
        """Reads until a line holds `needle`; returns it and when it came.
        `others` are read as well, so that nobody's pipe fills."""
        watched = {p.fd: p for p in (self, *others)}
        at = now()
        end = now() + patience
        while not self.eof:
            for number, line in enumerate(self.lines):
                if needle in line:
                    del self.lines[:number + 1]
                    return line, at
            # They were looked at; in a flood there are many.
            self.lines.clear()
            if not select.select(watched, [], [], end - now())[0]:
                break
            at = now()
            for program in watched.values():
                program.read()
        raise Failure(f"{self.name}: no {needle.decode()} in time")

    def event(self, needle, others=(), patience=PATIENCE):
        return json.loads(self.await_line(needle, others, patience)[0])

    def drop(self):
        """Forgets all lines until now."""
        while self.read():
            pass
        self.lines.clear()

    def close(self):
        try:
            self.proc.stdin.close()
        except OSError:
            pass
        end = now() + 5
        while self.proc.poll() is None and now() < end:
            select.select([self.fd], [], [], 0.02)
            self.read()
            self.lines.clear()
        if self.proc.poll() is None:
            self.proc.kill()
        self.proc.wait()
        self.proc.stdout.close()
        self.stderr.close()


def clean_env(home):
    """The environment without what would reach a person's own profile."""
    env = {name: value for name, value in os.environ.items()
           if not name.startswith("XDG_")
           and name not in ("CHAT_TOPIC", "DATA_DIR")}
    return {**env, "HOME": str(home), "LC_ALL": "C.UTF-8",
            "TERM": "xterm-256color"}


# More lines than people say, and all of them kept; builds that are older than
# these limits take and keep any number.
NO_LIMITS = ("--author-rate", "0", "--strangers-hour", "1024",
             "--strangers-room", "1024", "--strangers", "1024")


def ours_argv(home, *more, listen="/ip4/127.0.0.1/tcp/0", build=THIS):
    limits = NO_LIMITS if build.knows(NO_LIMITS[0]) else ()
    return [build.ours, "--no-mdns", "--data-dir", str(home / "data"),
            "--listen", listen, *limits, *more]


class Ours(Piped):
    """p2pchat-tui without a screen. ahead_ns: of its clocks."""

    def __init__(self, home, *more, cpu=None, build=THIS, ahead_ns=None):
        home.mkdir(exist_ok=True)
        super().__init__(
            ours_argv(home, "--headless", "--json", *more, build=build),
            home, cpu, clean_env(home),
            None if ahead_ns is None else shift_clocks(ahead_ns))
        ready = self.event(b'"event":"ready"')
        self.id = ready["peer_id"]
        self.addr = ready["listen"][0]
        self.port = self.addr.split("/")[4]
        self.database = home / "data" / "chat.db"

    def close(self):
        if self.proc.poll() is None:
            self.send("/quit")
        super().close()


class Foreign(Piped):
    """A peer of tests/interop."""

    def __init__(self, argv, home, cpu=None):
        home.mkdir(exist_ok=True)
        super().__init__(argv, home, cpu)
        ready = self.event(b'"event":"ready"')
        self.id = ready["peer_id"]
        self.addr = ready["addrs"][0]
        self.port = self.addr.split("/")[4]
        self.versions = ready["versions"]

    def command(self, cmd, **members):
        self.send(json.dumps({"cmd": cmd, **members}))


class Js(Foreign):
    def __init__(self, program, home, cpu=None):
        super().__init__(["node", program], home, cpu)


class Go(Foreign):
    def __init__(self, program, home, cpu=None):
        super().__init__([program, "--minutes", "60"], home, cpu)


class StreamPeer(Piped):
    """Whoever speaks tests/interop's test streams, ours or not."""

    def __init__(self, argv, home):
        home.mkdir(exist_ok=True)
        super().__init__(argv, home)
        ready = self.event(b'"event":"ready"')
        self.id = ready["peer_id"]
        self.addr = ready["addrs"][0]
        self.versions = ready.get("versions")

    def command(self, cmd, **members):
        self.send(json.dumps({"cmd": cmd, **members}))

    def fill(self, server, count):
        """Seconds that so many bytes from `server` took in one stream."""
        self.command("stream", peer=server.id, proto="/p2pchat-test/fill/1",
                     bytes=count)
        done = self.event(b'"event":"stream_done"', [server], patience=120)
        if done["ok"] != 1:
            raise Failure(f"{self.name}: {done['text']}")
        return done["ms"] / 1000


class Screen:
    """A program in a pseudo terminal of its own."""

    def __init__(self, argv, home):
        home.mkdir(exist_ok=True)
        env = clean_env(home)
        self.name = os.path.basename(argv[0])
        self.began = now()
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            # The size is set before the program looks at it.
            fcntl.ioctl(0, termios.TIOCSWINSZ,
                        struct.pack("HHHH", ROWS, COLS, 0, 0))
            os.execvpe(argv[0], argv, env)
        self.output = b""

    def quiet(self, pause):
        """Reads until nothing came for so long; seconds from the start to
        the first and the last byte."""
        first = last = None
        while select.select([self.fd], [], [], pause if last else 5)[0]:
            try:
                data = os.read(self.fd, 1 << 16)
            except OSError:
                break
            last = now() - self.began
            first = first or last
            self.output += data
        if last is None:
            raise Failure("nothing was drawn")
        return first, last

    def rest(self, seconds):
        """Lets it be, reading what it draws."""
        end = now() + seconds
        while (left := end - now()) > 0:
            if select.select([self.fd], [], [], left)[0]:
                try:
                    self.output = os.read(self.fd, 1 << 16)
                except OSError:
                    raise Failure("the program has ended")

    def close(self):
        for word in (signal.SIGTERM, signal.SIGKILL):
            try:
                os.kill(self.pid, word)
            except ProcessLookupError:
                break
            end = now() + 3
            while now() < end:
                if os.waitpid(self.pid, os.WNOHANG)[0]:
                    os.close(self.fd)
                    return
                self._drain()
        os.close(self.fd)

    def _drain(self):
        if select.select([self.fd], [], [], 0.01)[0]:
            try:
                os.read(self.fd, 1 << 16)
            except OSError:
                pass


def memory_mb(pid):
    """Resident and proportional memory."""
    text = pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text()
    words = {line.split()[0]: int(line.split()[1])
             for line in text.splitlines()[1:]}
    return words["Rss:"] / 1024, words["Pss:"] / 1024


def activity(pid):
    """Voluntary switches and ms on a processor so far, all threads, and the
    switches of each thread by its number."""
    switches, ms, threads = 0, 0.0, {}
    for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
        status = dict(line.split(":\t", 1) for line in
                      (task / "status").read_text().splitlines())
        count = int(status["voluntary_ctxt_switches"])
        threads[int(task.name)] = count
        switches += count
        ms += int((task / "schedstat").read_text().split()[0]) / 1e6
    return switches, ms, threads
