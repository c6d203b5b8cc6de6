#!/usr/bin/env python3
"""What goes wrong around the program: a reader that leaves, a config file that
asks for another face than the flag."""

import os
import sys
import time

from program import ANY_PORT, HEADLESS, Program, Tests, clean_env, need, run


def reader_leaves(t):
    """A full queue to a reader that leaves delays no end, and 74 says why."""
    home = t.home()
    p = Program(t, home).ready()
    for i in range(420):
        p.send(b"x" * 3000 + b" %d" % i)
    p.quit()
    ours, theirs = os.pipe()
    p = Program(t, home, stdout=theirs)
    os.close(theirs)
    # More than the queue to the face holds, and nobody reads.
    for _ in range(6):
        p.send("/history 400")
    time.sleep(2)
    os.close(ours)
    begin = time.monotonic()
    code = p.ended()
    need(code == 74, "ended with", code, p.last_words())
    need(time.monotonic() - begin < 4, "took", time.monotonic() - begin)


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
        return t.all([reader_leaves, face_of_flag])


if __name__ == "__main__":
    sys.exit(main())
