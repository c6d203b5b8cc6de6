#!/usr/bin/env python3
"""N programs (150 unless told otherwise) that are all told of one address, whose
program has 128 places. Within a minute nobody is alone and a line of each of
five reaches everybody. `make check-star N=200`; the simulator has the same
without the machine's weight (docs/gossipsub-under-attack.md, star)."""

import os
import sys
import time

from program import Program, Tests, need, say

N = int(os.environ.get("N") or 150)
WHOLE = 60.0
SPEAKERS = 5


def star(tests):
    """Programs that know one address alone become one room."""
    hub = Program(tests, tests.home(), "--name", "hub").ready()
    began = time.monotonic()
    others = [Program(tests, tests.home(), "--name", f"one{i}",
                      "--connect", hub.addr) for i in range(N - 1)]
    for one in others:
        one.ready()
    say(f"{N} programs after {time.monotonic() - began:.0f} s")
    time.sleep(max(0.0, began + WHOLE - time.monotonic()))
    alone = [one for one in others if not linked(one)]
    need(not alone, len(alone), "of", N, "are alone")
    speakers = others[::max(1, len(others) // SPEAKERS)][:SPEAKERS]
    for i, one in enumerate(speakers):
        one.send(f"good evening from {i}")
    end = time.monotonic() + 30
    missing = 1
    while missing and time.monotonic() < end:
        time.sleep(1)
        missing = sum(not one.seen("message", text=f"good evening from {i}")
                      for one in [hub, *others] for i in range(SPEAKERS))
    links = [len(linked(one)) for one in others]
    say(f"links of each: {min(links)} to {max(links)}, of the hub "
        f"{len(linked(hub))}; missing {missing} of {N * SPEAKERS}")
    need(missing == 0, missing, "lines did not arrive")
    for one in others:
        one.quit()
    hub.quit()


def linked(program):
    """Those whom it is connected to now."""
    last = {}
    for e in program.seen("peer"):
        last[e["peer_id"]] = e["state"] == "connected"
    return [peer for peer, there in last.items() if there]


def main():
    with Tests() as tests:
        tests.check(star.__doc__.rstrip("."), star)
        return tests.finish()


if __name__ == "__main__":
    sys.exit(main())
