#!/usr/bin/env python3
"""The test protocol of net/serve (tests/lib/greet.c) between two processes: one
listens on loopback, the other connects, each greets the other."""

import os
import subprocess
import sys

from program import Tests, need

PEER = os.path.join(os.environ.get("BUILDDIR", "."),
                    "tests/program/greet_peer")


def greet(_):
    """Two processes greet each other."""
    first = subprocess.Popen([PEER], stdout=subprocess.PIPE, text=True)
    try:
        addr = first.stdout.readline().strip()
        need(addr.startswith("/ip4/127.0.0.1/tcp/"), "no address:", addr)
        second = subprocess.run([PEER, addr], stdout=subprocess.DEVNULL,
                                timeout=60, check=False)
        need(second.returncode == 0, "who connects was not answered")
        need(first.wait(60) == 0, "who listens was not answered")
    finally:
        first.kill()
        first.wait()


if __name__ == "__main__":
    with Tests() as tests:
        sys.exit(tests.all([greet]))
