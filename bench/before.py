"""This program beside an older one of its own: the same figures of both, by
turns. The older one is built here, from a commit, with the options of this
build."""

import pathlib
import shlex
import subprocess
import time

import crowd
import parts
from parts import (
    DIAL_ROUNDS, DIALS, INTAKE_LINES, INTAKE_ROUNDS, PUBLISH_LINES,
    PUBLISH_ROUNDS, REST_MANY_PEERS, START_ROUNDS, STREAM_LINE_MS, STREAM_MB,
    STREAM_MB_FAR, STREAM_ROUNDS, STREAM_ROUNDS_FAR)
from programs import CORES, THIS, Build, Failure, clocks_apart, ours_argv, pin
from programs import Screen
from report import median, p99

SOURCE = pathlib.Path(__file__).resolve().parent.parent
# What is measured of it; older ones may lack one.
TARGETS = ["p2pchat-tui", "bench/micro", "tests/interop/stream_peer"]

# No figure may be worse than this of before. Memory hardly varies.
LEAST = 0.97
MOST = round(1 / LEAST, 3)
MOST_MEMORY = 1.02
REST_ROUNDS = 3
APART_ROUNDS = 2
MICRO_ROUNDS = 3


# ---- building it ---------------------------------------------------------------

def sh(script, folder, log):
    with open(log, "ab") as out:
        code = subprocess.run(["sh", "-ec", script], cwd=folder, stdout=out,
                              stderr=out, check=False).returncode
    if code != 0:
        last = log.read_text(errors="replace").strip().splitlines()[-5:]
        raise Failure("the program of before was not built: "
                      + " | ".join(last))


def build(commit, folder):
    """A build of that commit below `folder`. Or of what stands in a build
    folder already, where `commit` is the name of one."""
    if (pathlib.Path(commit) / "p2pchat-tui").exists():
        return Build(pathlib.Path(commit).resolve())
    source, log = folder / "before", folder / "before.log"
    options = subprocess.run([THIS.folder / "config.status", "--config"],
                             stdout=subprocess.PIPE, text=True, check=True
                             ).stdout.strip()
    (source / "build").mkdir(parents=True)
    print(f"# building {commit}", flush=True)
    sh(f"git -C {shlex.quote(str(SOURCE))} archive {shlex.quote(commit)} "
       f">{shlex.quote(str(folder / 'before.tar'))}", source, log)
    sh("tar xf ../before.tar && autoreconf -fi", source, log)
    sh(f"../configure --quiet {options}", source / "build", log)
    for target in TARGETS:
        try:
            sh(f"make -s -j{len(CORES)} {target}", source / "build", log)
        except Failure:
            if target == TARGETS[0]:
                raise
    return Build(source / "build")


class Both:
    """The run, and the two builds."""

    def __init__(self, run, before):
        self.run, self.table, self.builds = run, run.table, (THIS, before)

    def turns(self, count, measure):
        """What measure(build) gave of this one and of the other, by rounds;
        who is first changes, since the second may find things warm."""
        found = {id(build): [] for build in self.builds}
        for number in range(count):
            for build in self.builds[::-1 if number % 2 else 1]:
                found[id(build)].append(measure(build))
        return [found[id(build)] for build in self.builds]

    def less(self, figure, now, before, unit, most=MOST):
        """Less is better, and `most` the most it may be of before, or None;
        medians of rounds."""
        ratio = median(a / b for a, b in zip(now, before))
        self.table.add(figure, f"{median(now):.4g} {unit}",
                       f"{median(before):.4g} {unit}", f"{ratio:.3f}",
                       f"<= {most} x" if most else "",
                       ratio <= most if most else None)

    def more(self, figure, now, before, unit):
        self.table.rounds(figure, now, before, LEAST, unit)


def columns(rounds, number):
    return [found[number] for found in rounds]


# ---- the parts -----------------------------------------------------------------

def part_start(both):
    run = both.run
    homes = {id(build): parts.filled_home(run, build)
             for build in both.builds}

    def once(build):
        home = homes[id(build)]
        return parts.start_once(run, ours_argv(home, build=build), home)
    # The first of each reads its files from the disk.
    both.turns(1, once)
    now, before = both.turns(START_ROUNDS, once)
    both.less("start to drawn screen, p50", now, before, "ms")


def part_rest(both):
    run = both.run
    homes = {id(build): parts.filled_home(run, build)
             for build in both.builds}

    def alone(build):
        home = homes[id(build)]
        screen = run.add(Screen(ours_argv(home, build=build), home))
        run.await_up(screen)
        found = parts.at_rest([screen])[0]
        run.end(screen)
        return found

    def among_many(build):
        screen = crowd.crowded(run, REST_MANY_PEERS, build, apart=False)
        screen.rest(crowd.APART_SETTLE_S)
        found = parts.at_rest([screen])[0]
        run.end()
        return found

    for peers, once in ((0, alone), (REST_MANY_PEERS, among_many)):
        now, before = both.turns(REST_ROUNDS, once)
        for number, (figure, unit, most) in enumerate((
                ("resident memory", "MB", MOST_MEMORY),
                ("proportional memory", "MB", None),
                ("wake-ups at rest", "/s", MOST),
                ("processor at rest", "ms/s", MOST if peers else None))):
            both.less(f"{figure}, {peers} peers", columns(now, number),
                      columns(before, number), unit, most)


def part_apart(both):
    if not clocks_apart():
        raise Failure("no time namespaces here")
    for peers in crowd.APART_GOALS:
        now, before = both.turns(APART_ROUNDS, lambda build: crowd.apart_once(
            both.run, peers, build))
        for number, (figure, unit) in enumerate((
                ("wake-ups", "/s"), ("processor", "ms/s"))):
            both.less(f"{figure} at rest, {peers} peers' clocks apart",
                      columns(now, number), columns(before, number), unit)


def part_star(both):
    def once(build):
        star = crowd.Star(both.run, build)
        alone = star.lines()
        star.link()
        linked = star.lines()
        both.run.end()
        return alone, linked
    now, before = both.turns(1, once)
    for number, who in enumerate(("who know nobody else", "who know others")):
        mine, theirs = now[0][number], before[0][number]
        who = f"a line to {crowd.STAR_PEERS} peers {who}"
        both.less(f"{who}: sent at once", [mine.at_once], [theirs.at_once],
                  "kB")
        both.less(f"{who}: sent in {crowd.STAR_LATER_S} s", [mine.in_all],
                  [theirs.in_all], "kB", None)
        for word, value in (("p50", median), ("p99", p99)):
            both.less(f"{who}: there, {word}", [value(mine.took)],
                      [value(theirs.took)], "ms", None)
        both.table.add(f"{who}: missing", str(mine.missing),
                       str(theirs.missing), "", "0", mine.missing == 0)


def part_dial(both):
    run = both.run
    targets = {id(build): [run.ours(build=build) for _ in range(DIALS)]
               for build in both.builds}

    def once(build):
        return median(parts.dial_ours(run, targets[id(build)], build))
    both.turns(1, once)
    now, before = both.turns(2 * DIAL_ROUNDS, once)
    both.less("dial to first stream answered, p50", now, before, "ms")


def part_publish(both):
    run, pairs = both.run, {}
    for build in both.builds:
        pair = run.ours(build=build), run.ours(build=build)
        pair[0].send("/connect " + pair[1].addr)
        pair[0].await_line(b'"state":"connected"')
        pairs[id(build)] = pair
    time.sleep(3)

    def once(build):
        sender, receiver = pairs[id(build)]
        return parts.say_lines(sender, sender.send, receiver, PUBLISH_LINES)
    both.turns(2, once)
    now, before = both.turns(2 * PUBLISH_ROUNDS, once)
    both.less("publish to receive, p50", list(map(median, now)),
              list(map(median, before)), "ms")
    # Some lines of all: what happened to the machine decides, too.
    both.less("publish to receive, p99", *(
        [p99([ms for took in rounds for ms in took])]
        for rounds in (now, before)), "ms", None)


def part_intake(both):
    lost = []
    for cpu, name in ((0, "on one core"), (None, "on all cores")):
        # This program reads beside the sender, away from the receiver.
        if cpu is not None and len(CORES) > 1:
            pin(1)()
        try:
            now, before = both.turns(
                INTAKE_ROUNDS, lambda build: parts.intake_ours(
                    both.run, cpu, build))
        finally:
            pin(None)()
        both.more(f"intake {name}", columns(now, 0), columns(before, 0), "/s")
        both.less(f"processor time for a line {name}", *(
            [1e6 * cores / rate for rate, cores, _ in rounds]
            for rounds in (now, before)), "us")
        lost.append([sum(columns(found, 2)) for found in (now, before)])
    mine, theirs = map(sum, zip(*lost))
    both.table.add(f"lines lost of {2 * INTAKE_ROUNDS * INTAKE_LINES}",
                   str(mine), str(theirs), "", "0", mine == 0)


def stream_rows(both, name, megabytes, count, line):
    pairs = {id(build): parts.ours_pair(both.run, megabytes, line, build)
             for build in both.builds}
    both.turns(count, lambda build: pairs[id(build)].once())
    now, before = (pairs[id(build)] for build in both.builds)
    both.more(f"one stream{name}", now.rates, before.rates, "MB/s")
    both.less(f"processor for one stream{name}", now.work, before.work, "ms/MB")
    both.run.end()


def part_stream(both):
    stream_rows(both, "", STREAM_MB, STREAM_ROUNDS, 0)
    stream_rows(both, f" over {2 * STREAM_LINE_MS} ms", STREAM_MB_FAR,
                STREAM_ROUNDS_FAR, STREAM_LINE_MS)


def part_micro(both):
    def once(build):
        found = parts.micro_all(both.run, build)
        both.run.end()
        return found
    now, before = both.turns(MICRO_ROUNDS, once)
    for name, figure, _, more in parts.MICRO_ROWS:
        if all(name in found for found in now + before):
            micro_row(both, figure, more, *(
                [found[name] for found in rounds] for rounds in (now, before)))


def micro_row(both, figure, more, now, before):
    """The same library stands beside both, measured at the same time as they:
    a machine that is slower for a while hurts nobody."""
    ratio = median(mine["ours"] / mine["other"] * theirs["other"]
                   / theirs["ours"] for mine, theirs in zip(now, before))
    unit = now[0]["unit"]
    both.table.add(figure.rsplit(", against", 1)[0], *(
        f"{median(r['ours'] for r in rounds):.4g} {unit}"
        for rounds in (now, before)), f"{ratio:.3f}",
        f">= {LEAST} x" if more else f"<= {MOST} x",
        ratio >= LEAST if more else ratio <= MOST)


PARTS = {"start": part_start, "rest": part_rest, "apart": part_apart,
         "star": part_star, "dial": part_dial, "publish": part_publish,
         "intake": part_intake, "stream": part_stream, "micro": part_micro}
