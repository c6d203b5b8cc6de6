"""The parts with a hundred instances and more: what they cost the one that all
are connected to."""

import random
import re
import subprocess
import time

from parts import REST_MANY_PEERS, REST_PEERS, at_rest, free_port
from programs import (
    THIS, Failure, Screen, clocks_apart, now, ours_argv)
from report import median, p99

# What an idle node does comes round after half a minute at the most.
APART_SETTLE_S = 10
APART_S = 40
APART_CLOCK_S = 3600
APART_GOALS = {REST_PEERS: 2, REST_MANY_PEERS: 8}

STAR_PEERS = 128
STAR_GOAL_KB = 10
STAR_LINES = 9
# The connections stand, and their meshes.
STAR_SETTLE_S = 15
# Before the next heartbeat, as a rule; and until what it leads to is over.
STAR_AT_ONCE_S = 0.3
STAR_LATER_S = 4
STAR_LINKS = 4
# Lines by which the one in the middle learns whom others tell (decision 0015).
STAR_LEARN_LINES = 45


# ---- at rest, each peer with a clock of its own ------------------------------

def crowded(run, peers, build=THIS, apart=True):
    """The screen of one, and so many others that are connected to it."""
    port, home = free_port(), run.home()
    clocks = random.Random(peers)
    screen = run.add(Screen(ours_argv(
        home, listen=f"/ip4/127.0.0.1/tcp/{port}", build=build), home))
    run.await_up(screen)
    for _ in range(peers):
        ahead_ns = clocks.randrange(APART_CLOCK_S * 10**9) if apart else None
        peer = run.ours("--connect", f"127.0.0.1:{port}", build=build,
                        ahead_ns=ahead_ns)
        peer.await_line(b'"state":"connected"')
    return screen


def apart_once(run, peers, build=THIS):
    """Wake-ups and ms on a processor, a second."""
    screen = crowded(run, peers, build)
    screen.rest(APART_SETTLE_S)
    _, _, wakes, ms = at_rest([screen], APART_S)[0]
    run.end()
    return wakes, ms


def part_apart(run):
    if not clocks_apart():
        raise Failure("no time namespaces here")
    for peers, most in APART_GOALS.items():
        wakes, ms = apart_once(run, peers)
        run.table.limit(f"wake-ups at rest, {peers} peers' clocks apart",
                        wakes, most, "/s")
        run.table.limit(f"processor at rest, {peers} peers' clocks apart",
                        ms, None, "ms/s")


# ---- a star -------------------------------------------------------------------

class Star:
    """One in the middle of many, who at first know nobody else."""

    def __init__(self, run, build=THIS):
        self.hub = run.ours(build=build)
        self.leaves = []
        addr = self.hub.addr.split("/p2p/")[0]
        for _ in range(STAR_PEERS):
            leaf = run.ours("--connect", addr, build=build)
            leaf.await_line(b'"state":"connected"', [self.hub])
            self.leaves.append(leaf)
        self.rest(STAR_SETTLE_S)

    def link(self):
        """Each knows some others from now on, as where they found each other
        by themselves, and the one in the middle learns that they do."""
        chance = random.Random(STAR_PEERS)
        for leaf in self.leaves:
            for other in chance.sample(self.leaves, STAR_LINKS // 2):
                if other is not leaf:
                    leaf.send("/connect " + other.addr)
        self.rest(STAR_SETTLE_S)
        self.talk()

    def talk(self):
        """Lines that are not measured, one a second."""
        for i in range(STAR_LEARN_LINES):
            self.hub.send(f"by the way, {i}")
            self.rest(1)

    def rest(self, seconds):
        """Nobody's pipe shall fill."""
        end = now() + seconds
        while now() < end:
            for program in (self.hub, *self.leaves):
                program.drop()
            time.sleep(min(0.05, max(0, end - now())))

    def sent(self):
        """Bytes that the one in the middle has sent, by connection."""
        out = subprocess.run(
            ["ss", "-tinOH", "state", "established",
             f"( sport = :{self.hub.port} )"],
            stdout=subprocess.PIPE, text=True, check=True).stdout
        found = re.findall(r"^\s*\d+\s+\d+\s+\S+\s+(\S+).*bytes_sent:(\d+)",
                           out, re.M)
        return {peer: int(count) for peer, count in found}

    def hear(self, needle, took, began, end):
        """Until then, or all have told of the line: when each did, in ms."""
        while len(took) < len(self.leaves) and now() < end:
            for leaf in self.leaves:
                if leaf.fd not in took and leaf.read():
                    if any(needle in line for line in leaf.lines):
                        took[leaf.fd] = (now() - began) * 1000
                    leaf.lines.clear()
            time.sleep(0.001)
        self.rest(end - now())

    def say(self):
        """kB sent for a line at once, and in all; when it arrived, in ms."""
        text, took = f"line {time.monotonic_ns()}", {}
        before, began = self.sent(), now()
        self.hub.send(text)
        self.hear(text.encode(), took, began, began + STAR_AT_ONCE_S)
        at_once = more(before, self.sent())
        self.hear(text.encode(), took, began, began + STAR_LATER_S)
        return at_once, more(before, self.sent()), list(took.values())

    def quiet(self):
        """kB sent in as long a time without a line."""
        before = self.sent()
        self.rest(STAR_LATER_S)
        return more(before, self.sent())

    def lines(self):
        # Before them: they are spoken of for some heartbeats.
        quiet = [self.quiet() for _ in range(STAR_LINES // 2)]
        return StarFigures([self.say() for _ in range(STAR_LINES)], quiet)


def more(before, after):
    """kB by which those grew that were there before."""
    return sum(count - before[peer] for peer, count in after.items()
               if peer in before) / 1000


class StarFigures:
    """Medians of lines; a graft of many now and then costs more than they."""

    def __init__(self, said, quiet):
        at_once, in_all, took = zip(*said)
        self.at_once = median(at_once)
        self.in_all = median(in_all) - median(quiet)
        self.missing = sum(STAR_PEERS - len(times) for times in took)
        self.took = [ms for times in took for ms in times]


def part_star(run):
    star = Star(run)
    alone = star.lines()
    star.link()
    linked = star.lines()
    of = f"{STAR_PEERS * STAR_LINES} lines"
    for name, found, most in (("who know nobody else", alone, None),
                              ("who know others", linked, STAR_GOAL_KB)):
        who = f"a line to {STAR_PEERS} peers {name}"
        run.table.limit(f"{who}: sent at once", found.at_once, most, "kB")
        run.table.limit(f"{who}: sent in {STAR_LATER_S} s", found.in_all, None,
                        "kB")
        run.table.limit(f"{who}: there, p50", median(found.took), None, "ms")
        run.table.limit(f"{who}: there, p99", p99(found.took), None, "ms")
        run.table.add(f"{who}: missing", str(found.missing), f"of {of}", "",
                      "0", found.missing == 0)
