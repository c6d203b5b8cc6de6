#!/usr/bin/env python3
"""The sandbox from outside: what the running program has given away, what it
says of it, and that it runs where the system has nothing of the kind. What
cannot be done from inside is tests/unit/test_sandbox.c's."""

import os
import pathlib
import platform
import shutil
import subprocess
import sys

from program import (ANY_PORT, HEADLESS, P2PCHAT, Program, Skip, Tests,
                     clean_env, connected, need)

BUILDDIR = pathlib.Path(os.environ.get("BUILDDIR", "."))
OLD_KERNEL = str(BUILDDIR / "tests/program/old_kernel")


def told(p):
    """What /info says of the sandbox: {part: how it stands}."""
    p.send("/info")
    text = p.until("info", lambda: [
        e["text"] for e in p.seen("notice") if "\nsandbox " in e["text"]])[-1]
    lines = [line.split(None, 1)[1] for line in text.splitlines()
             if line.startswith("sandbox ")]
    return dict(line.split(": ", 1) for line in lines if ": " in line) | {
        line: "" for line in lines if ": " not in line}


def status(pid, name):
    """A line of /proc/PID/task/*/status for every thread: {value}."""
    values = set()
    for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
        for line in (task / "status").read_text().splitlines():
            if line.startswith(name + ":"):
                values.add(line.split(":", 1)[1].strip())
    return values


def instrumented():
    """Whether it was built with a sanitizer or for coverage."""
    return "#define P2P_INSTRUMENTED 1" in (BUILDDIR / "config.h").read_text()


def need_sandbox():
    if instrumented():
        raise Skip("built with a sanitizer or for coverage")


def filters_work():
    """Whether this system has seccomp; and a machine that ours is made for."""
    works = subprocess.run([OLD_KERNEL, "/bin/true"], check=False,
                           stderr=subprocess.PIPE).returncode == 0
    return works and platform.machine() in ("x86_64", "aarch64", "riscv64")


def every_thread(t):
    """Every thread is in it, and /info tells each part."""
    p = Program(t, t.home()).ready()
    parts = told(p)
    if instrumented():
        need(parts["off"] == "built with sanitizers or for coverage", parts)
        p.quit()
        return
    need(set(parts) == {"privileges", "memory", "files", "system calls",
                        "key", "jumps"}, parts)
    need(status(p.proc.pid, "NoNewPrivs") == {"1"}, "NoNewPrivs")
    if filters_work():
        need("seccomp" in parts["system calls"], parts)
        before = status(os.getpid(), "Seccomp_filters")
        now = status(p.proc.pid, "Seccomp_filters")
        need(status(p.proc.pid, "Seccomp") == {"2"}, "Seccomp")
        need(now == {str(int(n) + 1) for n in before}, before, now)
    if "in locked memory" in parts["key"]:
        need(status(p.proc.pid, "VmLck") != {"0 kB"}, "no memory is locked")
    flags = (BUILDDIR / "Makefile").read_text()
    asked = "-fcf-protection" in flags or "-mbranch-protection" in flags
    need(("not marked" in parts["jumps"]) != asked, parts, asked)
    p.quit()


def nothing_in_the_way(t):
    """A name is found, and a profile behind a link is read and written."""
    home = t.home()
    (home / "disk").mkdir()
    (home / "disk/profile").mkdir(mode=0o700)
    (home / "link").symlink_to(home / "disk/profile")
    args = ["--data-dir", str(home / "link")]
    a = Program(t, home, *args).ready()
    b = Program(t, t.home(), "--connect", f"localhost:{a.port}").ready()
    connected(a, b)
    b.send("said by name")
    a.wait("message", text="said by name")
    a.quit()
    a = Program(t, home, *args).ready()
    a.send("/history 5")
    a.wait("history", text="said by name")
    a.quit()


def switched_off(t):
    """--no-sandbox, or the config file, leaves it out, and /info says so."""
    need_sandbox()
    home = t.home()
    before = status(os.getpid(), "Seccomp")
    config = home / "config"
    config.write_text("no-sandbox = yes\n")
    for args in (["--no-sandbox"], ["--config", str(config)]):
        p = Program(t, home, *args).ready()
        parts = told(p)
        need("off (--no-sandbox)" in parts and "key" in parts, parts)
        need(status(p.proc.pid, "Seccomp") == before, "Seccomp")
        p.quit()


def nothing_of_the_kind(t):
    """Without landlock, seccomp and locked memory it runs and says so."""
    need_sandbox()
    if not filters_work():
        raise Skip("no seccomp to take things away with")
    a = Program(t, t.home(), wrap=[OLD_KERNEL]).ready()
    parts = told(a)
    for part in ("files", "system calls", "key"):
        need(parts[part].startswith("not limited ("), part, parts)
    need(parts["privileges"] == "no new ones", parts)
    b = Program(t, t.home(), "--connect", a.addr).ready()
    connected(a, b)
    b.send("said all the same")
    a.wait("message", text="said all the same")
    logs = list(a.home.rglob("log"))
    need(any("sandbox: files: not limited" in log.read_text()
             for log in logs), "not logged:", logs)
    a.quit()


def closed_to_its_user(t):
    """Another program of the same user cannot look into its memory."""
    need_sandbox()
    home = t.home()
    user = {}
    program = P2PCHAT
    if os.getuid() == 0:
        user = {"user": 65534, "group": 65534, "extra_groups": []}
        program = str(home / "program")
        shutil.copy(P2PCHAT, program)
        os.chmod(home, 0o777)
        os.chmod(home.parent, 0o711)
    for args, closed in ((["--no-sandbox"], False), ([], True)):
        proc = subprocess.Popen(
            [program, *HEADLESS, *ANY_PORT, *args], stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, env=clean_env(home), **user)
        try:
            while b'"ready"' not in proc.stdout.readline():
                need(proc.poll() is None, "it ended")
            looked = subprocess.run(
                ["cat", f"/proc/{proc.pid}/environ"],
                stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                check=False, **user)
            need((looked.returncode != 0) == closed, args, looked.stderr)
        finally:
            proc.kill()
            proc.communicate()


def main():
    if not pathlib.Path("/proc/self/task").exists():
        print("1..0 # SKIP needs Linux")
        return 0
    with Tests() as t:
        return t.all([every_thread, nothing_in_the_way, switched_off, nothing_of_the_kind,
                      closed_to_its_user])


if __name__ == "__main__":
    sys.exit(main())
