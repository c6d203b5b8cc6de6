#!/usr/bin/env python3
"""The program from outside: options, config file, environment, exit codes,
signals, standard input and output, and what it says when files are wrong."""

import fcntl
import json
import os
import pathlib
import pty
import re
import resource
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import termios
import time

from program import (ANY_PORT, HEADLESS, P2PCHAT, PATIENCE, Failure, Program,
                     Skip, Tests, clean_env, connected, free_port, need, run)


def refused(code, *args, env, stdin=b"", words=()):
    """The program must end with this code, its one-line complaint on stderr
    must hold these words, and nothing may be on stdout."""
    got, out, err = run(*args, env=env, stdin=stdin)
    need(got == code, f"exit code {got} instead of {code}:", out, err)
    need(out == "", "on stdout:", out)
    need(err.startswith("p2pchat-tui: ") and err.count("\n") == 1,
         "not one line 'p2pchat-tui: what: why':", repr(err))
    for word in words:
        need(str(word) in err, f"{word!r} is not in", repr(err))
    return err


def as_nobody(folder):
    """What makes a child run as a user who may not do everything. Root reads
    every file, so tests of permissions need somebody else."""
    if os.getuid() != 0:
        return {}
    # The way to the test's folder must be open to that user.
    os.chmod(folder.parent, 0o711)
    return {"user": 65534, "group": 65534, "extra_groups": []}


def open_copy(folder):
    """The program where anybody may run it: the way to the build may be
    closed to others."""
    copy = folder.parent / "program-for-all"
    shutil.copy(P2PCHAT, copy)
    os.chmod(copy, 0o755)
    return str(copy)


# ---- options ----------------------------------------------------------------


def help_text(t):
    """--help goes to stdout within 80 columns, without a terminal or a home."""
    code, out, err = run("--help", env={})
    need(code == 0 and err == "", code, err)
    need(out.startswith("usage: p2pchat-tui"), out)
    need(max(map(len, out.splitlines())) <= 80, "too wide")
    need(run("-h", env={})[1] == out, "-h differs")


def version_text(t):
    """--version: the name and number come first, then the libraries."""
    home = t.home()
    code, out, err = run("--version", env=clean_env(home))
    need(code == 0 and err == "", code, err)
    first, *rest = out.splitlines()
    need(re.fullmatch(r"p2pchat-tui \d+\.\d+\.\d+", first), first)
    for library in ("SQLite", "libuv", "libsodium"):
        need(any(library in line for line in rest), library, out)
    need(list(home.iterdir()) == [], "files were made")


def help_wins(t):
    """--help and --version work with a broken config file and home."""
    for flag in ("--help", "--version"):
        code, _, err = run(flag, "--config", "/nonexistent", env={})
        need(code == 0, code, err)


def bad_options(t):
    """Unknown, incomplete and wrong options are told and exit 64."""
    env = clean_env(t.home())
    refused(64, "--no-such", env=env, words=["--no-such", "--help"])
    refused(64, "--room", env=env, words=["--room", "value"])
    refused(64, "lobby", env=env, words=["lobby"])
    refused(64, "--color", "pink", "--plain", env=env, words=["pink"])
    refused(64, "--log-level=loud", "--plain", env=env, words=["loud"])
    refused(64, "--name", "", "--plain", env=env)
    refused(64, "--json", env=env, words=["--plain", "--headless"])
    refused(64, "--room", "r" * 200, *HEADLESS, *ANY_PORT, env=env,
            words=["--room"])
    refused(64, "--profile", "../other", *HEADLESS, env=env,
            words=["../other"])
    refused(64, *sum((["--room", f"r{i}"] for i in range(40)), []),
            *HEADLESS, env=env, words=["--room r16: given more than 16"])


# What is wrong with each kind of option, as it is told of a value "maybe".
TAKES = (
    ("--color", "use auto, always or never"),
    ("--log-level", "use error, warn, info or debug"),
    ("--quota", "use a whole number from 0 to 1000000000"),
    ("--listen", "use a multiaddr such as /ip4/0.0.0.0/tcp/4001"),
    ("--connect", "or HOST:PORT"),
    ("--keep", "or a peer id"),
)


def what_it_takes(t):
    """A wrong value: 64, in the file 78 with the line, and what is right."""
    home = t.home()
    env = clean_env(home)
    conf = home / "conf"
    for option, words in TAKES:
        for args in ([option, "maybe"], [option + "=maybe"]):
            refused(64, *args, "--plain", env=env,
                    words=[f"{option} maybe: use ", words])
        conf.write_text(f"room = a\n{option[2:]} = maybe\n")
        refused(78, "--plain", "--config", str(conf), env=env,
                words=[f"{conf}:2: {option[2:]} = maybe: use ", words])
    for option, value in (("--name", "you"), ("--name", "n" * 65),
                          ("--name", b"\xff\xfe"), ("--profile", "../x"),
                          ("--room", "r" * 200), ("--quota", "-1"),
                          ("--quota", "1.5"), ("--quota", "1000000001"),
                          ("--connect", "b"), ("--connect", "1.2.3.4"),
                          ("--connect", "1.2.3.4:70000"),
                          ("--connect", "/ip4/10.0.0.1"),
                          ("--connect", "/ip4/127.0.0.1/udp/1/quic-v1")):
        value = value if isinstance(value, bytes) else value.encode()
        refused(64, "--plain", option, value, env=env, words=[option, ": use"])
        conf.write_bytes(b"\n# text\n%s = %s\n" % (option[2:].encode(), value))
        refused(78, "--plain", "--config", str(conf), env=env,
                words=[f"{conf}:3:"])
    refused(64, "--plain", env=clean_env(home, CHAT_TOPIC="r" * 200),
            words=["CHAT_TOPIC", "use a topic"])
    conf.write_text("name = a\njson = yes\n")
    refused(78, "--config", str(conf), env=env,
            words=[f"{conf}:2: json", "headless"])
    refused(64, "--json", "--config", str(conf), env=env, words=["--json"])


def no_terminal(t):
    """Without a terminal it exits 64 and names --plain and --headless."""
    refused(64, env=clean_env(t.home()), words=["--plain", "--headless"])


def bad_addresses(t):
    """A --listen or --connect that is no address exits 64, one not of this machine 69."""
    env = clean_env(t.home())
    for text in ("nonsense", "/ip4/1.2.3/tcp/1", "/ip4/127.0.0.1/tcp/70000",
                 "/ip4/127.0.0.1"):
        for option in ("--listen", "--connect"):
            refused(64, *HEADLESS, option, text, env=env,
                    words=[f"{option} {text}: use a multiaddr such as"])
    refused(69, *HEADLESS, "--listen", "/ip4/192.0.2.1/tcp/0", env=env,
            words=["192.0.2.1"])


def port_in_use(t):
    """A port in use that was asked for by --listen exits 69 and says so."""
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        s.listen()
        port = s.getsockname()[1]
        refused(69, *HEADLESS, "--listen", f"/ip4/127.0.0.1/tcp/{port}",
                env=clean_env(t.home()), words=[port, "in use"])


def saved_port(t):
    """The profile's own port is kept; when taken, another is used and told."""
    home = t.home()
    first = Program(t, home, base=HEADLESS).ready()
    port = first.port
    first.quit()
    again = Program(t, home, base=HEADLESS).ready()
    need(again.port == port, again.port, "instead of", port)
    again.quit()
    with socket.socket() as s:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        s.bind(("0.0.0.0", port))
        s.listen()
        other = Program(t, home, base=HEADLESS).ready()
        need(other.port != port, "took a port in use")
        text = other.until("word of the port", lambda: [
            e["text"] for e in other.seen("notice")
            if e["text"].startswith("listening: ")])[0]
        need(f"port {port} was taken" in text, text)
        other.quit()
    back = Program(t, home, base=HEADLESS).ready()
    need(back.port == port, "the port was forgotten:", back.port)
    back.quit()


# ---- config file and environment --------------------------------------------


def config_errors(t):
    """Faults of the config file exit 78 with its name and the line."""
    home = t.home()
    env = clean_env(home)
    path = home / "conf"
    for text, line, word in (
            ("room = a\nno-such = 1\n", 2, "no-such"),
            ("room = a\n\n# text\nwithout equals sign\n", 4, ""),
            ("[section]\nroom = a\n", 2, "section"),
            ("\n[section]\n\nroom = a\n", 4, "section"),
            ("name = a\n  no-such = 1\n", 2, "no-such"),
            ("name = a\n\tgarbage\n", 2, "NAME = VALUE"),
            ("# " + "x" * 198 + "no-such = 1\nno-such = 1\n", 2, "no-such"),
            ("# " + "x" * 5000 + "\nlog = " + "x" * 5000 + "\ncolor = x\n",
             3, "color"),
            ("name = a\rcolor = never\n", 1, "control"),
            ("name = \x1b[31m\n", 1, "control"),
            ("color = pink\n", 1, "color"),
            ("json = perhaps\n", 1, "json"),
            ("config = /etc/passwd\n", 1, "config"),
            ("\n" * 4 + "name =\n", 5, "name"),
            ("room = a\nlisten = /ip4/127.0.0.1/tcp/0\n" + "connect = b\n" * 99,
             19, "connect")):
        path.write_text(text)
        refused(78, *HEADLESS, "--config", str(path), env=env,
                words=[f"{path}:{line}:", word])
    path.write_bytes(b"\xff\xfe\x00\x00binary\x00\n" * 50)
    refused(78, *HEADLESS, "--config", str(path), env=env, words=[path])
    path.write_text("# too large\n" * 10000)
    refused(78, *HEADLESS, "--config", str(path), env=env, words=["large"])
    refused(78, *HEADLESS, "--config", str(home / "none"), env=env,
            words=["none", "No such file"])
    refused(78, *HEADLESS, "--config", str(home), env=env, words=[home])


def config_as_written(t):
    """Indented lines, long lines and long comments are read as written."""
    home = t.home()
    conf = home / "conf"
    long = "r" * 120
    # inih cut lines at 200 bytes, took the rest for the next line, and joined
    # indented ones to the value above.
    conf.write_bytes(
        b"\xef\xbb\xbfroom = room-one\r\n"
        b"    room = room-two ; a comment\r\n"
        b"\troom=" + long.encode() + b"\n"
        b"  # " + b"x" * 194 + b"room = room-bad\n"
        b"; " + b"y" * 197 + b"\n"
        b"room = room-three  ;" + b"z" * 190 + b"room = room-worse\n"
        b"name = a;b" + b" " * 300 + b"\n"
        b"room = room-last")
    p = Program(t, home, "--config", str(conf)).ready()
    need(p.seen("ready")[0]["name"] == "a;b", p.seen("ready"))
    p.send("/rooms")
    text = p.until("list of rooms", lambda: [
        e["text"] for e in p.seen("notice") if "room-one" in e["text"]])[0]
    for room in ("room-one", "room-two", "room-three", "room-last", long):
        need(room in text, room, "is missing in", text)
    for room in ("bad", "worse"):
        need(f"room-{room}" not in text, text)
    p.quit()


def config_default(t):
    """The config file is read where XDG says; an absent one is no fault."""
    home = t.home()
    folder = home / ".config" / "p2pchat-tui"
    folder.mkdir(parents=True)
    (folder / "config").write_text("name = from-home\n")
    p = Program(t, home).ready()
    need(p.seen("ready")[0]["name"] == "from-home", p.events)
    p.quit()
    xdg = home / "xdg"
    (xdg / "p2pchat-tui").mkdir(parents=True)
    (xdg / "p2pchat-tui" / "config").write_text("name = from-xdg\n")
    p = Program(t, home, env=clean_env(home, XDG_CONFIG_HOME=str(xdg))).ready()
    need(p.seen("ready")[0]["name"] == "from-xdg", p.events)
    p.quit()
    # The specification wants relative values ignored.
    p = Program(t, home, env=clean_env(home, XDG_CONFIG_HOME="xdg")).ready()
    need(p.seen("ready")[0]["name"] == "from-home", p.events)
    p.quit()


def rooms_of(t, home, *args, **env):
    """The rooms that a fresh profile is in with these settings."""
    p = Program(t, home, *args, env=clean_env(home, **env)).ready()
    p.send("/rooms")
    text = p.until("list of rooms", lambda: [
        e["text"] for e in p.seen("notice") if "lobby" in e["text"]
        or "room-" in e["text"]])[0]
    room = p.seen("ready")[0]["room"]
    p.quit()
    return room, text


def precedence(t):
    """Flags win over the environment, that over the config file."""
    conf = t.home() / "conf"
    conf.write_text("room = room-config\nname = conf-name\n")
    for args, env, want in (
            ((), {}, "lobby"),
            (("--config", str(conf)), {}, "room-config"),
            (("--config", str(conf)), {"CHAT_TOPIC": "room-env"}, "room-env"),
            (("--config", str(conf), "--room", "room-flag"),
             {"CHAT_TOPIC": "room-env"}, "room-flag"),
            ((), {"CHAT_TOPIC": ""}, "lobby")):
        room, text = rooms_of(t, t.home(), *args, **env)
        need(room == want, f"{args} {env}: {room} instead of {want}")
        for other in ("room-config", "room-env", "room-flag"):
            need((other in text) == (other == want), args, env, text)
    p = Program(t, t.home(), "--config", str(conf), "--name", "flag").ready()
    need(p.seen("ready")[0]["name"] == "flag", p.events)
    p.quit()


def folders(t):
    """DATA_DIR, --data-dir, --profile and XDG_DATA_HOME say where files are."""
    home = t.home()
    flag, env, xdg = home / "flag", home / "env", home / "xdg"
    for args, more, want in (
            ((), {}, home / ".local/share/p2pchat-tui"),
            ((), {"XDG_DATA_HOME": str(xdg)}, xdg / "p2pchat-tui"),
            ((), {"DATA_DIR": str(env)}, env),
            (("--data-dir", str(flag)), {"DATA_DIR": str(env)}, flag),
            (("--data-dir", str(flag), "--profile", "two"), {},
             flag / "profiles" / "two")):
        p = Program(t, home, *args, env=clean_env(home, **more)).ready()
        p.quit()
        need((want / "identity.key").exists(), "no key in", want)
        need(oct((want / "identity.key").stat().st_mode)[-3:] == "600", want)
        need(oct(want.stat().st_mode)[-3:] == "700", want)
        need(oct((want / "chat.db").stat().st_mode)[-3:] == "600",
             "others read the history in", want)


def no_home(t):
    """Without HOME it says what to set (73); --data-dir is enough."""
    home = t.home()
    for value in (None, "", "relative"):
        refused(73, *HEADLESS, env=clean_env(home, HOME=value),
                words=["HOME", "--data-dir"])
    env = clean_env(home, HOME=None)
    Program(t, home, "--data-dir", str(home / "d"), env=env).ready().quit()


def home_not_writable(t):
    """A home that cannot be written exits 73 and names the folder."""
    home = t.home()
    os.chmod(home, 0o555)
    user = as_nobody(home)
    done = subprocess.run([open_copy(home), *HEADLESS], env=clean_env(home),
                          stdin=subprocess.DEVNULL, capture_output=True,
                          timeout=30, check=False, cwd=home.parent, **user)
    os.chmod(home, 0o755)
    need(done.returncode == 73, done.returncode, done.stderr)
    need(str(home).encode() in done.stderr, done.stderr)
    (home / "file").write_text("in the way")
    refused(73, *HEADLESS, "--data-dir", str(home / "file" / "x"),
            env=clean_env(home), words=["file"])


# ---- the profile ------------------------------------------------------------


def second_start(t):
    """A second start on a profile exits 75 at once and names the first."""
    home = t.home()
    first = Program(t, home).ready()
    begin = time.monotonic()
    refused(75, *HEADLESS, *ANY_PORT, env=clean_env(home),
            words=[first.proc.pid, "--profile"])
    took = time.monotonic() - begin
    need(took < 5, f"took {took:.1f} s")
    first.send("still here")
    first.wait("message", text="still here")
    other = Program(t, home, "--profile", "other").ready()
    need(other.id != first.id, "two profiles share a key")
    other.quit()
    first.proc.kill()
    first.proc.wait()
    # The lock goes with the process, however that ended.
    after = Program(t, home).ready()
    need(after.id == first.id, "another key")
    after.quit()


def same_after_restart(t):
    """Key, name, history and the last room are there after a restart."""
    home = t.home()
    p = Program(t, home).ready()
    name = p.seen("ready")[0]["name"]
    p.send("first line")
    p.wait("message", text="first line")
    p.send("/name Somebody Else")
    p.send("/join attic")
    p.wait("room", topic="attic", state="joined")
    p.send("in the attic")
    p.wait("message", text="in the attic", room="attic")
    p.quit()
    q = Program(t, home).ready()
    ready = q.seen("ready")[0]
    need(q.id == p.id, "another key")
    need(ready["name"] == "Somebody Else", ready["name"], "was", name)
    need(ready["room"] == "attic", "opened", ready["room"])
    q.send("/history")
    q.wait("history", text="in the attic")
    q.send("/join p2p-chat-default")
    q.send("/history")
    q.wait("history", text="first line")
    q.quit()


def bad_key_files(t):
    """Key files: too open 77, unreadable 77, damaged 65; never replaced."""
    home = t.home()
    Program(t, home).ready().quit()
    env = clean_env(home)
    key = home / ".local/share/p2pchat-tui/identity.key"
    good = key.read_bytes()
    for mode in (0o644, 0o640, 0o602):
        key.chmod(mode)
        refused(77, *HEADLESS, *ANY_PORT, env=env, words=[key, "chmod 600"])
    key.chmod(0o600)
    for bad in (b"", b"garbage", good[:-1], good + b"x", b"\x00" * 68,
                good[:40] + bytes([good[40] ^ 1]) + good[41:],
                b"\x08\x00" + good[2:], os.urandom(5000)):
        key.write_bytes(bad)
        refused(65, *HEADLESS, *ANY_PORT, env=env, words=[key])
        need(key.read_bytes() == bad, "the file was changed")
    key.unlink()
    key.symlink_to("/dev/zero")
    code, _, err = run(*HEADLESS, *ANY_PORT, env=env)
    need(code in (65, 74, 77), "a link:", code, err)
    key.unlink()
    key.mkdir()
    code, _, err = run(*HEADLESS, *ANY_PORT, env=env)
    need(code in (65, 74, 77), "a folder:", code, err)
    key.rmdir()
    key.write_bytes(good)
    key.chmod(0o600)
    Program(t, home).ready().quit()


def unreadable_key(t):
    """A key file that this user may not read exits 77."""
    home = t.home()
    Program(t, home).ready().quit()
    folder = home / ".local/share/p2pchat-tui"
    (folder / "identity.key").chmod(0o000)
    user = as_nobody(home)
    if user:
        for path in (home, home / ".local", home / ".local/share", folder,
                     *folder.iterdir()):
            if path.name != "identity.key":
                os.chown(path, user["user"], user["group"])
    done = subprocess.run([open_copy(home), *HEADLESS, *ANY_PORT],
                          env=clean_env(home), stdin=subprocess.DEVNULL,
                          capture_output=True, timeout=30, check=False,
                          cwd=home.parent, **user)
    need(done.returncode == 77, done.returncode, done.stderr)
    need(b"identity.key" in done.stderr, done.stderr)


def bad_databases(t):
    """A newer database exits 65, unchanged; garbage is set aside, unchanged."""
    home = t.home()
    p = Program(t, home).ready()
    p.send("kept")
    p.wait("message", text="kept")
    p.quit()
    env = clean_env(home)
    path = home / ".local/share/p2pchat-tui/chat.db"
    good = path.read_bytes()
    db = sqlite3.connect(path)
    db.execute("PRAGMA user_version = 9999")
    db.execute("DELETE FROM settings WHERE key = 'form'")
    db.commit()
    db.close()
    newer = path.read_bytes()
    refused(65, *HEADLESS, *ANY_PORT, env=env, words=[path, "newer"])
    need(path.read_bytes() == newer, "the newer database was changed")
    for bad in (os.urandom(8192), b"SQLite format 3\x00" + b"\xff" * 8000,
                good[:100] + os.urandom(len(good) - 100),
                b"text, not a database\n" * 200):
        path.write_bytes(bad)
        q = Program(t, home).ready()
        need(q.id == p.id, "another identity")
        word = q.wait("notice", code="salvaged")["text"]
        aside = path.with_name(re.search(r"kept in the profile as (\S+);",
                                         word).group(1))
        need(aside.read_bytes() == bad, "the damaged file was changed")
        need("1 line that was kept in lobby" in q.wait(
            "notice", code="lines-lost")["text"], "what is gone is not said")
        q.send("kept")
        q.wait("message", text="kept")
        q.quit()
    path.write_bytes(good)
    q = Program(t, home).ready()
    q.send("/history")
    q.wait("history", text="kept")
    q.quit()


def foreign_database(t):
    """A database of another program is refused and left alone."""
    home = t.home()
    folder = home / ".local/share/p2pchat-tui"
    folder.mkdir(parents=True, mode=0o700)
    path = folder / "chat.db"
    db = sqlite3.connect(path)
    db.execute("CREATE TABLE other (x)")
    db.commit()
    db.close()
    before = path.read_bytes()
    refused(65, *HEADLESS, *ANY_PORT, env=clean_env(home), words=[path])
    need(path.read_bytes() == before, "it was changed")


# ---- signals, standard input and output -------------------------------------


def signals(t):
    """SIGTERM, SIGINT and SIGHUP end a headless run with 0 within 2 s."""
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        home = t.home()
        p = Program(t, home).ready()
        p.send("before the end")
        p.wait("message", text="before the end")
        begin = time.monotonic()
        p.proc.send_signal(number)
        code = p.ended()
        took = time.monotonic() - begin
        need(code == 0, number, "ended with", code, p.last_words())
        need(took < 2, number, f"took {took:.1f} s")
        q = Program(t, home).ready()
        q.send("/history")
        q.wait("history", text="before the end")
        q.quit()


def signals_connected(t):
    """SIGTERM while connected says goodbye: the other sees it leave at once."""
    a = Program(t, t.home()).ready()
    b = Program(t, t.home(), "--connect", a.addr).ready()
    connected(a, b)
    begin = time.monotonic()
    b.proc.send_signal(signal.SIGTERM)
    need(b.ended() == 0, b.last_words())
    a.wait("peer", peer_id=b.id, state="disconnected")
    took = time.monotonic() - begin
    need(took < 2, f"took {took:.1f} s")
    a.quit()


def names_in_mdns(t):
    """Odd names, and more than a daemon has room for, are refused."""
    for bad in ("a b", "x..y", "a/b"):
        refused(64, *HEADLESS, "--mdns-service", bad, env=clean_env(t.home()),
                words=[bad])
    nine = [word for n in range(9) for word in ("--mdns-service", f"r{n}")]
    refused(64, *HEADLESS, *nine, env=clean_env(t.home()), words=["r8", "8"])
    conf = t.home() / "conf"
    conf.write_text("mdns-service = kitchen\nmdns-service = a/b\n")
    refused(78, *HEADLESS, "--config", str(conf), env=clean_env(t.home()),
            words=["conf:2", "mdns-service"])


def kept_peers(t):
    """A kept peer is called again whenever it is lost; what is none exits."""
    for bad in ("10.0.0.1:4001", "/ip4/10.0.0.1/tcp/4001", "x"):
        refused(64, *HEADLESS, "--keep", bad, env=clean_env(t.home()),
                words=["--keep", bad])
    home, port = t.home(), free_port()
    listen = ("--listen", f"/ip4/127.0.0.1/tcp/{port}")
    box = Program(t, home, *listen, base=HEADLESS).ready()
    conf = t.home() / "conf"
    conf.write_text(f"keep = {box.addr}\n")
    ann = Program(t, t.home(), "--config", str(conf)).ready()
    connected(ann, box)
    for round in range(2):
        box.kill()
        ann.until("word that it is gone", lambda: len(ann.seen(
            "peer", peer_id=box.id, state="disconnected")) == round + 1)
        box = Program(t, home, *listen, base=HEADLESS).ready()
        box.wait("peer", peer_id=ann.id, state="connected", direction="in")
    ann.send("still there")
    box.wait("message", text="still there")
    box.quit()
    ann.quit()


def known_as(p, other, name):
    """Until p calls the other so: the name comes behind the peer, or, when
    both are heard of in one turn, along with it."""
    p.until(f"name {name}",
            lambda: p.seen("name", peer_id=other.id, name=name)
            or p.seen("peer", peer_id=other.id, name=name), 5)


def names_of_the_silent(t):
    """Who meets knows the other's name before anybody has said a word."""
    home = t.home()
    a = Program(t, t.home(), "--name", "ann").ready()
    b = Program(t, home, "--name", "mali", "--connect", a.addr).ready()
    connected(a, b)
    known_as(a, b, "mali")
    known_as(b, a, "ann")
    a.send("/whois mali")
    a.wait("whois", peer_id=b.id, name="mali", state="connected")
    b.send("/name malinee")
    a.wait("name", peer_id=b.id, name="malinee", timeout=5)
    a.send("/whois malinee")
    a.wait("whois", peer_id=b.id, name="malinee")
    a.send("/whois mali")
    a.wait("error", code="no-such-person")
    # A name that is known comes with the peer, and is told no second time.
    told = len(a.seen("name", peer_id=b.id))
    b.quit()
    a.wait("peer", peer_id=b.id, state="disconnected", name="malinee")
    b = Program(t, home, "--connect", a.addr).ready()
    a.wait("peer", peer_id=b.id, state="connected", name="malinee")
    b.send("said at last")
    a.wait("message", text="said at last", name="malinee")
    need(len(a.seen("name", peer_id=b.id)) == told, a.seen("name"))
    need(not a.seen("message", own=True), a.seen("message"))
    b.quit()
    a.quit()


def stopped_and_continued(t):
    """SIGSTOP and SIGCONT: it goes on where it was."""
    a = Program(t, t.home()).ready()
    a.proc.send_signal(signal.SIGSTOP)
    a.send("while it stands")
    time.sleep(0.3)
    need(not a.seen("message"), "it answered while stopped")
    a.proc.send_signal(signal.SIGCONT)
    a.wait("message", text="while it stands")
    a.quit()


def broken_stdout(t):
    """Nobody reads stdout any more: it ends with 74, without a signal."""
    home = t.home()
    r, w = os.pipe()
    p = Program(t, home, stdout=w)
    os.close(w)
    with os.fdopen(r, "rb") as out:
        need(b'"event"' in out.readline(), "no event")
    for i in range(50):
        try:
            p.send(f"line {i}")
        except BrokenPipeError:
            break
        time.sleep(0.05)
    code = p.ended()
    need(code == 74, "ended with", code, p.last_words())
    full = open("/dev/full", "wb")
    q = Program(t, home, stdout=full)
    need(q.ended() == 74, q.last_words())


def end_of_input(t):
    """The end of stdin: --headless runs on, --plain says all and ends."""
    p = Program(t, t.home()).ready()
    p.proc.stdin.close()
    time.sleep(0.5)
    need(p.proc.poll() is None, "headless ended with its input")
    p.proc.send_signal(signal.SIGTERM)
    need(p.ended() == 0, p.last_words())
    home = t.home()
    a = Program(t, home).ready()
    code, out, err = run("--plain", "--no-mdns", *ANY_PORT, "--connect",
                         a.addr, env=clean_env(t.home()),
                         stdin=b"one of a pipe\nlast without newline")
    need(code == 0, code, out, err)
    a.wait("message", text="one of a pipe")
    a.wait("message", text="last without newline")
    need("Ready." in out and "one of a pipe" in out, out)
    a.quit()


def plain_alone(t):
    """--plain with nobody there: 75 says that lines wait, and they do."""
    home = t.home()
    code, out, err = run("--plain", "--no-mdns", *ANY_PORT,
                         env=clean_env(home), stdin=b"for later\n")
    need(code == 75, code, out, err)
    a = Program(t, t.home()).ready()
    b = Program(t, home, "--connect", a.addr).ready()
    a.wait("message", text="for later")
    b.quit()
    a.quit()


def odd_input(t):
    """Invalid UTF-8, NUL, 1 MiB lines, CR LF: told as errors, none else lost."""
    p = Program(t, t.home()).ready()
    p.send(b"bad \xff\xfe bytes")
    p.wait("error", code="not-utf8")
    p.send(b"a surrogate \xed\xa0\x80")
    p.until("second error", lambda: len(p.seen("error")) == 2)
    p.send(b"nul \x00 here")
    p.until("third error", lambda: len(p.seen("error")) == 3)
    p.send(b"x" * (1 << 20))
    p.wait("error", code="too-long")
    p.send(b"y" * 16384)
    p.wait("message", text="y" * 16384)
    p.send(b"z" * 16385)
    p.until("fifth error", lambda: len(p.seen("error")) == 5)
    p.send(b"with carriage return\r")
    p.wait("message", text="with carriage return")
    p.send(b"")
    p.send(b"//a slash")
    p.wait("message", text="/a slash")
    p.send(b"/nosuchcommand")
    p.until("sixth error", lambda: len(p.seen("error")) == 6)
    for i in range(300):
        p.send(f"quick {i}")
    p.wait("message", text="quick 299")
    got = [e["text"] for e in p.seen("message")
           if e["text"].startswith("quick ")]
    need(got == [f"quick {i}" for i in range(300)], "order or loss:",
         len(got), got[:5], got[-5:])
    need(len(p.seen("message")) == 303, len(p.seen("message")))
    need(not p.garbage, "not JSON:", p.garbage[:3])
    p.quit()


def hostile_text(t):
    """Escape sequences in text and names come out as harmless JSON and text."""
    a = Program(t, t.home()).ready()
    b = Program(t, t.home(), "--connect", a.addr).ready()
    connected(a, b)
    b.send(b"\x1b]0;title\x07\x1b[2J \xe2\x80\xae bidi \xc2\x9b31m")
    b.send(b"/name \x1b[31mred")
    b.send(b"done")
    a.wait("message", text="done")
    for e in a.seen("message") + b.seen("message"):
        for text in (e["text"], e["name"] or ""):
            need(not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]", text),
                 "reaches the reader:", json.dumps(e))
    b.quit()
    a.quit()


def dumb_terminal(t):
    """A dumb terminal gets the line mode and is told why."""
    home = t.home()
    main, sub = pty.openpty()
    with open(home / "stderr", "wb") as err:
        proc = subprocess.Popen(
            [P2PCHAT, "--no-mdns", *ANY_PORT], stdin=sub, stdout=sub,
            stderr=err, env=clean_env(home, TERM="dumb"))
    os.close(sub)
    seen = b""
    end = time.monotonic() + PATIENCE
    while b"Ready." not in seen and time.monotonic() < end:
        seen += os.read(main, 4096)
    os.write(main, b"/quit\n")
    while True:
        try:
            more = os.read(main, 4096)
        except OSError:
            break
        if not more:
            break
        seen += more
    code = proc.wait(20)
    os.close(main)
    need(code == 0, "ended with", code)
    need(b"\x1b" not in seen, "escape sequences on a dumb terminal:", seen)
    told = (home / "stderr").read_text()
    for word in ("TERM=dumb", "--plain", "TERM=xterm-256color"):
        need(word in told, word, "not told:", told)


# The shell starts it with &, reads a line of its own, and brings it to the
# front when it has read another.
SHELL = """set -m
"$0" --headless --no-mdns "$@" >"$HOME/out" 2>"$HOME/err" &
echo $! >"$HOME/pid.new"; mv "$HOME/pid.new" "$HOME/pid"
read line; echo "$line" >"$HOME/read"
read line; fg; echo $? >"$HOME/code"
"""


def wait_for(path, word):
    """Until a file holds the word; what it holds."""
    end = time.monotonic() + PATIENCE
    text = ""
    while time.monotonic() < end:
        text = path.read_text() if path.exists() else ""
        if word in text:
            return text
        time.sleep(0.05)
    raise Failure(f"{path.name} has no {word!r}: {text!r}")


def background(t):
    """Started with & from a shell it runs on, and reads when in front."""
    home = t.home()
    main, sub = pty.openpty()
    shell = subprocess.Popen(
        ["sh", "-c", SHELL, P2PCHAT, *ANY_PORT], stdin=sub, stdout=sub,
        stderr=sub, env=clean_env(home), start_new_session=True,
        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0))
    os.close(sub)
    pid = 0
    try:
        wait_for(home / "out", "Ready.")
        pid = int(wait_for(home / "pid", "\n"))
        os.write(main, b"typed into the shell\n")
        wait_for(home / "read", "typed into the shell")
        for _ in range(10):
            stat = pathlib.Path(f"/proc/{pid}/stat").read_text()
            need(stat.rsplit(")", 1)[1].split()[0] != "T", "stopped:", stat)
            time.sleep(0.05)
        os.write(main, b"\n/quit\n")
        need(wait_for(home / "code", "\n") == "0\n",
             (home / "code").read_text(), (home / "err").read_text())
        pid = 0
    finally:
        if pid != 0:
            os.kill(pid, signal.SIGKILL)
        shell.kill()
        shell.wait()
        os.close(main)


def log_file(t):
    """--log writes where it is told; a place that cannot be is no end."""
    home = t.home()
    p = Program(t, home, "--log", str(home / "my.log"), "--log-level",
                "debug").ready()
    p.quit()
    need((home / "my.log").exists(), "no log")
    q = Program(t, home, "--log", "/nonexistent/log").ready()
    q.quit()
    need("/nonexistent/log" in q.stderr(), q.stderr())


def open_files(t):
    """Too few open files are a word in the log; whoever comes later gets in."""
    home = t.home()
    few = ("sh", "-c", 'ulimit -n 64; exec "$@"', "sh")
    p = Program(t, home, "--log", str(home / "log"), wrap=few).ready()
    held = [socket.create_connection(("127.0.0.1", p.port), PATIENCE)
            for _ in range(64)]
    wait_for(home / "log", "limit of open files (64)")
    for each in held:
        each.close()
    q = Program(t, t.home(), "--connect", p.addr).ready()
    q.wait("peer", peer_id=p.id, state="connected")
    q.quit()
    p.quit()
    need((home / "log").read_text().count("limit of open files") == 1,
         (home / "log").read_text())


def is_turned_away(port):
    """The other side of a new connection closes it."""
    with socket.create_connection(("127.0.0.1", port), PATIENCE) as one:
        one.settimeout(PATIENCE)
        try:
            while one.recv(4096):
                pass
        except ConnectionResetError:
            pass


def no_open_file_left(t):
    """With no open file left at all it turns away who comes, and goes on.

    What the log says of it is a matter of `open_files`: here libuv may close
    them before it asks us, with what it keeps for this."""
    p = Program(t, t.home()).ready()
    ann = Program(t, t.home(), "--connect", p.addr).ready()
    ann.wait("peer", peer_id=p.id, state="connected")
    try:
        used = len(os.listdir(f"/proc/{p.proc.pid}/fd"))
    except PermissionError as closed:
        raise Skip("the sandbox lets root alone look") from closed
    soft, hard = resource.prlimit(p.proc.pid, resource.RLIMIT_NOFILE)
    resource.prlimit(p.proc.pid, resource.RLIMIT_NOFILE, (used, hard))
    for _ in range(6):
        is_turned_away(p.port)
    ann.send("still there")
    p.wait("message", text="still there")
    resource.prlimit(p.proc.pid, resource.RLIMIT_NOFILE, (soft, hard))
    q = Program(t, t.home(), "--connect", p.addr).ready()
    q.wait("peer", peer_id=p.id, state="connected")
    for each in (q, ann, p):
        each.quit()


PROBES = [
    help_text, version_text, help_wins, bad_options, what_it_takes,
    no_terminal, bad_addresses, port_in_use, saved_port, config_errors,
    config_as_written, config_default,
    precedence, folders, no_home, home_not_writable, second_start,
    same_after_restart, bad_key_files, unreadable_key, bad_databases,
    foreign_database, signals, signals_connected, names_in_mdns, kept_peers,
    names_of_the_silent, stopped_and_continued,
    broken_stdout, end_of_input, plain_alone, odd_input, hostile_text,
    dumb_terminal, background, log_file, open_files,
    no_open_file_left,
]

if __name__ == "__main__":
    wanted = sys.argv[1:]
    with Tests() as tests:
        sys.exit(tests.all([p for p in PROBES
                            if not wanted or p.__name__ in wanted]))
