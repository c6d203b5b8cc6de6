#!/usr/bin/env python3
"""What goes wrong around the program: a reader that leaves, is slow or never
reads, a config file that asks for another face than the flag, a name that
resolves to two addresses. An end that hangs is ended by an alarm after five
seconds, and its status is 70."""

import json
import os
import select
import signal
import socket
import subprocess
import sys
import threading
import time

from program import (ANY_PORT, HEADLESS, PATIENCE, Program, Skip, Tests, clean_env,
                     connected, need, run)


def talker(t, home, lines, nonblocking):
    """A program that is told many lines, and both ends of the pipe that it
    writes to, which nobody reads yet."""
    ours, theirs = os.pipe()
    # One flag for all who hold this end: it is the program's stdout as well.
    os.set_blocking(theirs, not nonblocking)
    p = Program(t, home, stdout=theirs)

    def tell():
        try:
            for line in lines:
                p.send(line)
        except BrokenPipeError:
            pass

    threading.Thread(target=tell, daemon=True).start()
    return p, ours, theirs


def until_full(pipe):
    """Waits until a pipe takes nothing for a while, then closes this end."""
    poll = select.poll()
    poll.register(pipe, select.POLLOUT)
    end = time.monotonic() + PATIENCE
    since = time.monotonic()
    while time.monotonic() - since < 0.5:
        if poll.poll(0):
            since = time.monotonic()
        need(time.monotonic() < end, "the pipe is never full")
        time.sleep(0.02)
    os.close(pipe)


def reader_leaves(t):
    """A full queue to a reader that leaves delays no end, and 74 says why."""
    home = t.home()
    p = Program(t, home).ready()
    for i in range(200):
        p.send(b"x" * 1000 + b" %d" % i)
    p.quit()
    # More than the queue to the face holds, and nobody reads.
    p, ours, theirs = talker(t, home, ["/history 200"] * 6, False)
    until_full(theirs)
    os.close(ours)
    code = p.ended()
    need(code == 74, "ended with", code, p.last_words())


def reader_leaves_a_talker(t):
    """A reader that leaves while lines pour in delays no end either."""
    p, ours, theirs = talker(
        t, t.home(), [f"line {i}" for i in range(20000)], False)
    os.close(theirs)
    os.read(ours, 4096)
    os.close(ours)
    code = p.ended()
    need(code == 74, "ended with", code, p.last_words())


def slow_reader(t):
    """Nothing is lost on the way to a slow reader, if writes may wait or not."""
    lines = [f"line {i} " + "x" * 300 for i in range(600)]
    for nonblocking in (True, False):
        p, ours, theirs = talker(t, t.home(), [*lines, "/quit"], nonblocking)
        until_full(theirs)
        said = b""
        while True:
            more = os.read(ours, 8192)
            if not more:
                break
            said += more
            time.sleep(0.002)
        os.close(ours)
        code = p.ended()
        need(code == 0, "ended with", code, p.last_words())
        events = [json.loads(line) for line in said.splitlines()]
        got = [e["text"] for e in events if e["event"] == "message"]
        need(got == lines, len(got), "of", len(lines), "lines")


def no_reader(t):
    """A reader that never reads does not keep it from ending on a signal."""
    lines = [b"x" * 3000 + b" %d" % i for i in range(400)]
    for nonblocking in (True, False):
        p, ours, theirs = talker(t, t.home(), lines, nonblocking)
        until_full(theirs)
        need(p.proc.poll() is None, p.last_words())
        p.proc.send_signal(signal.SIGTERM)
        code = p.ended()
        os.close(ours)
        # What was not taken is told as lost.
        need(code == 74, "ended with", code, p.last_words())


def name_with_two_addresses(t):
    """A name is dialled at each of its addresses."""
    a = Program(t, t.home(), "--name", "ann").ready()
    home = t.home()
    hosts = home / "hosts"
    hosts.write_text("127.0.0.9 two.test\n127.0.0.1 two.test\n"
                     "::1 two.test\n")
    # A file system of its own, where /etc/hosts knows the name.
    alone = ["unshare", "--mount"] + ([] if os.geteuid() == 0 else ["-r"])
    probe = subprocess.run([*alone, "true"], check=False,
                           stderr=subprocess.DEVNULL)
    if probe.returncode != 0:
        raise Skip("no mount namespace here")
    script = home / "start"
    script.write_text(f'#!/bin/sh\nmount --bind {hosts} /etc/hosts || exit 1\n'
                      'exec "$@"\n')
    script.chmod(0o755)
    b = Program(t, home, *HEADLESS, *ANY_PORT, "--name", "bob", "--connect",
                f"two.test:{a.port}", base=(), wrap=[*alone, str(script)])
    b.ready()
    connected(a, b)
    b.quit()


def hung_daemon(t):
    """A hung Avahi holds up the end for a second, whatever signals come."""
    home = t.home()
    code, out, _ = run("--version", env=clean_env(home))
    if "LAN discovery: none" in out:
        raise Skip("built without Avahi")
    # A bus that takes calls and never answers is all that is seen of a
    # daemon that hangs.
    with socket.socket(socket.AF_UNIX) as bus:
        bus.bind(str(home / "bus"))
        bus.listen()
        bus.settimeout(PATIENCE)
        env = clean_env(home, DBUS_SYSTEM_BUS_ADDRESS=f"unix:path={home}/bus")
        p = Program(t, home, base=("--headless", "--json") + ANY_PORT, env=env)
        p.ready()
        with bus.accept()[0]:
            begin = time.monotonic()
            p.proc.send_signal(signal.SIGTERM)
            while p.proc.poll() is None and time.monotonic() - begin < 8:
                time.sleep(0.05)
                p.proc.send_signal(signal.SIGWINCH)
            took = time.monotonic() - begin
            code = p.ended()
    need(code == 0, "ended with", code, "after", took, "s", p.last_words())


# A test program that is started with signals ignored and blocked, and prints
# what its own children inherit.
CHILD = """
import signal, subprocess, sys
sys.path.insert(0, sys.argv[1])
from program import Tests
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])
with Tests():
    subprocess.run(["grep", "-E", "^Sig(Ign|Blk)", "/proc/self/status"])
"""


def ignored_signals(t):
    """Programs under test have the default signals, whatever ours are."""
    del t
    done = subprocess.run(
        ["sh", "-c", 'trap "" INT HUP WINCH; exec "$0" "$@"', sys.executable,
         "-c", CHILD, os.path.dirname(os.path.abspath(__file__))],
        stdout=subprocess.PIPE, text=True, check=True)
    masks = [int(line.split()[1], 16) for line in done.stdout.splitlines()]
    ours = sum(1 << (number - 1) for number in (
        signal.SIGINT, signal.SIGHUP, signal.SIGWINCH, signal.SIGTERM))
    need([mask & ours for mask in masks] == [0, 0], done.stdout)


def face_of_flag(t):
    """The face of the flag wins over the one of the config file."""
    home = t.home()
    folder = home / ".config" / "p2pchat-tui"
    folder.mkdir(parents=True)
    (folder / "config").write_text("headless = yes\n")
    # --plain ends with its input, --headless does not.
    code, out, err = run("--plain", "--no-mdns", *ANY_PORT,
                         env=clean_env(home), stdin=b"/version\n")
    need(code == 0 and "p2pchat-tui" in out, code, out, err)
    (folder / "config").write_text("plain = yes\n")
    p = Program(t, home, base=HEADLESS + ANY_PORT).ready()
    p.proc.stdin.close()
    time.sleep(1.5)
    need(p.proc.poll() is None, "headless ended with its input")
    p.proc.terminate()
    need(p.ended() == 0, p.last_words())


def main():
    with Tests() as t:
        return t.all([reader_leaves, reader_leaves_a_talker, slow_reader,
                      no_reader, name_with_two_addresses, hung_daemon,
                      ignored_signals, face_of_flag])


if __name__ == "__main__":
    sys.exit(main())
