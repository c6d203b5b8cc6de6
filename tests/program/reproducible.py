#!/usr/bin/env python3
"""The program is built again, from a copy of the source in another folder and
in another environment: it is the same, byte for byte. Needs a minute."""

import os
import pathlib
import shutil
import subprocess
import sys

from program import Skip, Tests, need

BUILDDIR = pathlib.Path(os.environ.get("BUILDDIR", ".")).resolve()
SRCDIR = pathlib.Path(os.environ.get(
    "SRCDIR", pathlib.Path(__file__).resolve().parents[2])).resolve()
PROGRAM = "p2pchat-tui"
# What is no source, whether it was built beside the source or in it.
MADE = shutil.ignore_patterns(
    ".git", ".deps", "build", "*-build", "node_modules", "target", "*.o",
    "*.a", "config.status", "config.log", "config.h", "stamp-h1",
    "autom4te.cache", PROGRAM)


def need_a_plain_build():
    """Of what people run, not of what tests want to see inside."""
    if "#define P2P_INSTRUMENTED 1" in (BUILDDIR / "config.h").read_text():
        raise Skip("built with a sanitizer or for coverage")


def run(folder, command, **env):
    """A shell command without what the make that runs us hands on."""
    clean = {name: value for name, value in os.environ.items()
             if not name.startswith(("MAKE", "MFLAGS", "CCACHE_"))}
    clean.update(env)
    done = subprocess.run(["sh", "-c", command], cwd=folder, env=clean,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, check=False)
    text = done.stdout.decode(errors="replace")
    need(done.returncode == 0, command, "ended with", done.returncode, text)
    return text.strip()


def build_elsewhere(t):
    """Configured as this build was; what came of it."""
    source = t.home() / "elsewhere" / "source"
    build = t.home() / "made"
    shutil.copytree(SRCDIR, source, symlinks=True, ignore=MADE)
    build.mkdir()
    args = run(BUILDDIR, "./config.status --config")
    run(build, f"'{source}/configure' --quiet {args} --srcdir='{source}'")
    run(build, f"make -s {PROGRAM}", LC_ALL="C", TZ="Asia/Bangkok",
        HOME=str(build), CCACHE_DISABLE="1")
    return (build / PROGRAM).read_bytes()


def holds_no_folder(t):
    """The program names neither the folder it was built in nor its source's"""
    need_a_plain_build()
    made = (BUILDDIR / PROGRAM).read_bytes()
    for folder in {BUILDDIR, SRCDIR}:
        at = made.find(os.fsencode(folder))
        need(at < 0, folder, "is in it:", made[at - 20:at + 120])


def same_bytes(t):
    """Two builds in two folders are the same, byte for byte."""
    need_a_plain_build()
    if "CCACHE_BASEDIR" in os.environ:
        raise Skip("ccache writes other names of files (CCACHE_BASEDIR)")
    one = (BUILDDIR / PROGRAM).read_bytes()
    two = build_elsewhere(t)
    at = next((i for i, (a, b) in enumerate(zip(one, two)) if a != b),
              min(len(one), len(two)))
    need(one == two, "they differ from byte", at, "on, of", len(one), "and",
         len(two), one[at - 40:at + 40], two[at - 40:at + 40])


def main():
    if not (BUILDDIR / "config.status").exists():
        print("1..0 # SKIP no build here")
        return 0
    with Tests() as t:
        return t.all([holds_no_folder, same_bytes])


if __name__ == "__main__":
    sys.exit(main())
