#!/usr/bin/env python3
"""Files that are not what they should be: pipes, devices, folders, modes and
owners, what a failed start left behind, a full device for standard output, and
a database that goes away while the program runs. Nothing may be waited for, and
each time the file is named."""

import os
import signal
import socket
import subprocess
import sys
import time

from cli import as_nobody, open_copy, refused
from program import (ANY_PORT, HEADLESS, P2PCHAT, PATIENCE, Program, Skip,
                     Tests, clean_env, need)

# What a start that goes on would take is far below, what hangs is far above.
AT_ONCE = 20


def profile_of(home):
    return home / ".local/share/p2pchat-tui"


def made(t):
    """A home with a profile in it that was used once."""
    home = t.home()
    Program(t, home).ready().quit()
    return home, profile_of(home)


def refuses(code, *args, env, words):
    """As refused, and soon."""
    begin = time.monotonic()
    err = refused(code, *HEADLESS, *ANY_PORT, *args, env=env, words=words)
    took = time.monotonic() - begin
    need(took < AT_ONCE, f"took {took:.1f} s:", err)
    return err


def starts(t, home, *args, **more):
    """It starts, and what it says on standard error."""
    (home / "stderr").unlink(missing_ok=True)
    p = Program(t, home, *args, **more).ready()
    p.quit()
    return p.stderr()


def mode_of(path):
    return oct(path.stat().st_mode & 0o777)


# ---- kinds ------------------------------------------------------------------


def pipe(path):
    os.mkfifo(path, 0o600)


def folder(path):
    path.mkdir(mode=0o700)


def sock(path):
    # A socket's name may be no longer than some 100 bytes.
    with socket.socket(socket.AF_UNIX) as s:
        here = os.open(path.parent, os.O_PATH)
        s.bind(f"/proc/self/fd/{here}/{path.name}")
        os.close(here)
    path.chmod(0o600)


def device(path):
    path.symlink_to("/dev/full")


KINDS = ((pipe, "a pipe, not a file"), (folder, "a folder, not a file"),
         (sock, "a socket, not a file"), (device, "a device, not a file"))


def odd_kinds(t):
    """Pipe, folder, socket or device as any file of the profile: named."""
    home, files = made(t)
    env = clean_env(home)
    for name in ("identity.key", "chat.db", "chat.db-wal", "lock", "log"):
        path, kept = files / name, files / "kept"
        if path.exists():
            path.rename(kept)
        for make, words in KINDS:
            make(path)
            refuses(74, env=env, words=[path, words])
            need(path.lstat().st_mode, "it was taken away")
            path.rmdir() if path.is_dir() else path.unlink()
        if kept.exists():
            kept.rename(path)
    need(starts(t, home) == "", "not as before")


def odd_names(t):
    """The same as --log and --config; the null device is taken."""
    home, _ = made(t)
    env = clean_env(home)
    for option, code in (("--log", 74), ("--config", 78)):
        for make, words in KINDS:
            path = home / f"{option[2:]}-{make.__name__}"
            make(path)
            refuses(code, option, str(path), env=env, words=[path, words])
        refuses(code, option, "/dev/zero", env=env, words=["/dev/zero", "device"])
        need(starts(t, home, option, "/dev/null") == "", option)
    usual = home / ".config/p2pchat-tui/config"
    usual.parent.mkdir(parents=True)
    pipe(usual)
    refuses(78, env=env, words=[usual, "a pipe"])


def folder_names(t):
    """A folder that cannot be made is named, and not what should be in it."""
    home = t.home()
    (home / "file").write_text("in the way")
    (home / "nowhere").symlink_to(home / "gone" / "x")
    env = clean_env(home)
    for name in ("file", "nowhere"):
        refuses(73, "--data-dir", str(home / name / "deeper" / "still"),
                env=env, words=[f"{home / name}: "])
    long = home / ("d" * 200) / ("e" * 200) / ("f" * 200)
    refuses(73, "--data-dir", str(long), env=env, words=["too long a path"])
    need(not (home / ("d" * 200)).exists(), "a part of it was made")


# ---- modes and owners -------------------------------------------------------


def open_folder(t):
    """A profile's folder open to others is closed, once, and said."""
    home, files = made(t)
    for mode in (0o755, 0o750, 0o701):
        files.chmod(mode)
        err = starts(t, home)
        need(f"{files}: had mode {mode:o}; now it is 700" in err, err)
        need(err.count("\n") == 1 and mode_of(files) == "0o700", err)
        need(starts(t, home) == "", "said twice")
    new = home / "new"
    new.mkdir()
    new.chmod(0o755)
    need("now it is 700" in starts(t, home, "--data-dir", str(new)), "new")
    # Files of others in it are no reason, folders are: then the person has to
    # say so.
    other = home / "other"
    other.mkdir()
    (other / "out").write_text("of who started it")
    other.chmod(0o755)
    need("now it is 700" in starts(t, home, "--data-dir", str(other)), "file")
    shared, tmp = home / "shared", home / "tmp"
    (shared / "letters").mkdir(parents=True)
    shared.chmod(0o755)
    tmp.mkdir()
    tmp.chmod(0o1777)
    for path in (shared, tmp):
        before, count = path.stat().st_mode, len(list(path.iterdir()))
        refuses(77, "--data-dir", str(path), env=clean_env(home),
                words=[path, "chmod 700"])
        need(path.stat().st_mode == before, path, "was changed")
        need(len(list(path.iterdir())) == count, "something was made in it")


def open_database(t):
    """A database open to others is closed, once, and said."""
    home, files = made(t)
    path = files / "chat.db"
    for mode in (0o644, 0o606):
        path.chmod(mode)
        err = starts(t, home)
        need(f"{path}: had mode {mode:o}; now it is 600" in err, err)
        need(err.count("\n") == 1 and mode_of(path) == "0o600", err)
        need(starts(t, home) == "", "said twice")


def of_another(t):
    """What belongs to another user is refused, by root too, and unchanged."""
    if os.getuid() != 0:
        raise Skip("only root can give files away")
    home, files = made(t)
    env = clean_env(home)
    for path in (files, files / "chat.db", files / "lock",
                 files / "identity.key"):
        os.chown(path, 12345, 0)
        refuses(77, env=env, words=[f"{path}: ", "12345", "another user"])
        need(path.stat().st_uid == 12345, "it was taken")
        os.chown(path, 0, 0)
    need(starts(t, home) == "", "not as before")


class Somebody:
    """Runs the program as a user who may not do everything."""

    def __init__(self, home):
        self.home = home
        self.user = as_nobody(home)
        self.copy = open_copy(home)
        self.give(home)

    def give(self, path):
        if self.user:
            os.chown(path, self.user["user"], self.user["group"])

    def run(self, *args, umask=-1, stdin=b"/quit\n"):
        """Exit code and standard error."""
        done = subprocess.run(
            [self.copy, *HEADLESS, *ANY_PORT, *args], input=stdin,
            env=clean_env(self.home), capture_output=True, timeout=PATIENCE,
            check=False, cwd=self.home.parent, umask=umask, **self.user)
        return done.returncode, done.stderr.decode()


def left_behind(t):
    """Whatever umask or mode a start met, the next one works."""
    for umask in (0o777, 0o177, 0o000):
        somebody = Somebody(t.home())
        for _ in range(2):
            code, err = somebody.run(umask=umask)
            need(code == 0 and err == "", oct(umask), code, err)
            code, err = somebody.run(umask=0o022)
            need(code == 0 and err == "", oct(umask), code, err)
        files = profile_of(somebody.home)
        need(mode_of(files) == "0o700", mode_of(files))
        for path in files.iterdir():
            need(mode_of(path) == "0o600", path, mode_of(path))
    # What older versions left.
    files.chmod(0o600)
    code, err = somebody.run()
    need(code == 0 and "had mode 600; now it is 700" in err, code, err)
    (files / "lock").chmod(0)
    (files / "chat.db").write_bytes(b"")
    (files / "chat.db").chmod(0)
    code, err = somebody.run()
    need(code == 0 and err.count("now it is 600") == 2, code, err)
    # What holds something is not opened against somebody's will.
    (files / "chat.db").chmod(0o400)
    code, err = somebody.run()
    need(code == 77 and f"{files}/chat.db: you may not" in err, code, err)
    need(mode_of(files / "chat.db") == "0o400", "it was changed")


def unreadable(t):
    """What may not be read or written is named: key, log, config, parts."""
    somebody = Somebody(t.home())
    need(somebody.run()[0] == 0, "does not start")
    files = profile_of(somebody.home)
    conf, log = somebody.home / "conf", somebody.home / "my-log"
    for path, code, args in (
            (files / "identity.key", 77, ()),
            (files / "chat.db-wal", 77, ()),
            (conf, 78, ("--config", str(conf))),
            (log, 73, ("--log", str(log)))):
        if not path.exists():
            path.write_bytes(b"x")
            somebody.give(path)
        path.chmod(0)
        got, err = somebody.run(*args)
        need(got == code and f"{path}: " in err, got, err)
        need(err.count("\n") == 1, err)
        path.chmod(0o600)
        if path.read_bytes() == b"x":
            path.unlink()
    # A folder that may not be written to may be so on purpose.
    files.chmod(0o550)
    got, err = somebody.run()
    need(got == 73 and f"{files}: Permission denied" in err, got, err)
    need(mode_of(files) == "0o500", mode_of(files))
    files.chmod(0o700)
    # One's own log is no reason not to chat.
    (files / "log").chmod(0)
    got, err = somebody.run()
    need(got == 0 and f"{files}/log: " in err, got, err)


def key_in_the_way(t):
    """A key that cannot be made: the file that failed is named."""
    home = t.home()
    files = profile_of(home)
    (files / "identity.key.new").mkdir(parents=True)
    files.chmod(0o700)
    refuses(73, env=clean_env(home), words=[files / "identity.key.new"])
    (files / "identity.key.new").rmdir()
    # What a start that was cut off left.
    (files / "identity.key.new").write_bytes(b"half a k")
    need(starts(t, home) == "", "not as if it were new")
    need(not (files / "identity.key.new").exists(), "left behind again")


# ---- standard output --------------------------------------------------------


def full_stdout(t):
    """Standard output on a full device: a word on standard error, and 74."""
    env = clean_env(t.home())
    for args in (("--help",), ("--version",), ("--plain", *ANY_PORT),
                 ("--plain", "--json", *ANY_PORT), (*HEADLESS, *ANY_PORT)):
        with open("/dev/full", "wb") as full:
            done = subprocess.run([P2PCHAT, *args], stdout=full, env=env,
                                  stdin=subprocess.DEVNULL, check=False,
                                  stderr=subprocess.PIPE, timeout=PATIENCE)
        err = done.stderr.decode()
        need(done.returncode == 74, args, done.returncode, err)
        need(err == "p2pchat-tui: standard output: No space left on device\n",
             args, err)


def closed_stdout(t):
    """Standard files that are closed, or that nobody reads, are no others."""
    env = clean_env(t.home())
    r, w = os.pipe()
    os.close(r)
    done = subprocess.run([P2PCHAT, *HEADLESS, *ANY_PORT], stdout=w, env=env,
                          check=False, stdin=subprocess.DEVNULL,
                          stderr=subprocess.PIPE, timeout=PATIENCE)
    os.close(w)
    need(done.returncode == 74 and b"standard output: " in done.stderr,
         done.returncode, done.stderr)
    for args in (("--version",), (*HEADLESS, *ANY_PORT)):
        home = t.home()
        done = subprocess.run(
            ["sh", "-c", 'exec "$@" <&- >&-', "sh", P2PCHAT, *args],
            check=False, env=clean_env(home), timeout=PATIENCE,
            stderr=subprocess.PIPE)
        need(done.returncode == 74 and b"standard output: " in done.stderr,
             args, done.returncode, done.stderr)
        for path in home.rglob("*"):
            need(path.is_dir() or b'"event"' not in path.read_bytes(),
                 "events in", path)


# ---- while it runs ----------------------------------------------------------


def cannot_save(p, count):
    return p.until(f"error number {count}", lambda: (
        p.seen("error", code="store")[count - 1:] or [None])[-1])


def moved_away(t):
    """chat.db moved away while nothing is said: noticed, and back again."""
    home = t.home()
    path, away = profile_of(home) / "chat.db", home / "away"
    p = Program(t, home).ready()
    p.send("before")
    p.wait("message", text="before", state="waiting")
    path.rename(away)
    error = cannot_save(p, 1)
    need("chat.db" in error["text"] and "moved or removed" in error["text"]
         and "put it back" in error["text"], error)
    p.send("meanwhile")
    p.wait("message", text="meanwhile", state="unsaved")
    need(not path.exists(), "something was made in its place")
    away.rename(path)
    p.until("word that it works", lambda: [
        e for e in p.seen("notice") if "Saving works again" in e["text"]])
    p.wait("message", text="meanwhile", state="waiting")
    p.kill()
    q = Program(t, home).ready()
    q.send("/history")
    for text in ("before", "meanwhile"):
        q.wait("history", text=text)
    q.quit()


def removed(t):
    """chat.db removed: said, 74 at the end, and a new one at the next start."""
    home = t.home()
    path = profile_of(home) / "chat.db"
    p = Program(t, home).ready()
    p.send("before")
    p.wait("message", text="before", state="waiting")
    path.unlink()
    p.send("into the void")
    p.wait("message", text="into the void", state="unsaved")
    need("leave and start again" in cannot_save(p, 1)["text"], p.events[-1])
    p.proc.send_signal(signal.SIGTERM)
    need(p.ended() == 74, p.last_words())
    q = Program(t, home).ready()
    need(q.id == p.id, "another key")
    q.send("anew")
    q.wait("message", text="anew", state="waiting")
    q.quit()


def log_removed(t):
    """chat.db-wal removed while it runs: nothing of it is lost, by kill -9."""
    home = t.home()
    files = profile_of(home)
    p = Program(t, home).ready()
    lines = [f"line {i}" for i in range(40)]
    for i, line in enumerate(lines):
        p.send(line)
        p.wait("message", text=line, state="waiting")
        if i in (10, 30):
            (files / "chat.db-wal").unlink()
    need((files / "chat.db-wal").exists(), "no new one")
    p.kill()
    q = Program(t, home).ready()
    q.send("/history 400")
    q.until("all lines", lambda: {e["text"] for e in q.seen("history")}
            >= set(lines))
    q.quit()
    need("was removed" in (files / "log").read_text(), "not in the log")


PROBES = [
    odd_kinds, odd_names, folder_names, open_folder, open_database, of_another,
    left_behind, unreadable, key_in_the_way, full_stdout, closed_stdout,
    moved_away, removed, log_removed,
]

if __name__ == "__main__":
    wanted = sys.argv[1:]
    with Tests() as tests:
        sys.exit(tests.all([p for p in PROBES
                            if not wanted or p.__name__ in wanted]))
