#!/usr/bin/env python3
"""bootstrap while another program installs packages, with an apt-get of our
own in front of the system's."""

import os
import pathlib
import subprocess
import sys

from program import PATIENCE, Tests, need

BOOTSTRAP = pathlib.Path(__file__).resolve().parents[2] / "bootstrap"
# Says what apt-get says for so long as there are files named "busy".
APT_GET = """#!/bin/sh
while [ "${1#-}" != "$1" ]; do shift; done
echo "$1" >>"$FAKE/calls"
for busy in "$FAKE"/busy*; do
	[ -e "$busy" ] || break
	rm "$busy"
	echo "E: Could not get lock $LOCK. It is held by process 1 (apt)" >&2
	exit 100
done
[ "$1" = update ] && exit 0
echo "E: Unable to locate package" >&2
exit 100
"""
TOOLS = {"apt-get": APT_GET, "dpkg-query": "#!/bin/sh\nexit 1\n",
         "sudo": '#!/bin/sh\nexec "$@"\n'}


def bootstrap(home, busy, lock_wait_s, lock):
    """Runs it; its output, and the commands that apt-get was given. It ends
    before it builds: our apt-get installs nothing."""
    for name, text in TOOLS.items():
        (home / name).write_text(text)
        (home / name).chmod(0o755)
    for i in range(busy):
        (home / f"busy{i}").touch()
    env = {**os.environ, "PATH": f"{home}:{os.environ['PATH']}",
           "FAKE": str(home), "LOCK": lock, "LOCK_WAIT_S": str(lock_wait_s)}
    done = subprocess.run([BOOTSTRAP, "build"], env=env, text=True,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, timeout=2 * PATIENCE,
                          check=False)
    need(done.returncode == 1, done.returncode, done.stdout)
    return done.stdout, (home / "calls").read_text().split()


def waits(t):
    """A lock that another program holds is waited for, with one word."""
    for lock in ("/var/lib/apt/lists/lock", "/var/lib/dpkg/lock-frontend"):
        out, calls = bootstrap(t.home(), 2, 600, lock)
        need(calls == ["update"] * 3 + ["install"], calls, out)
        need(out.count("waiting for it") == 1, out)
        need(out.count("Could not get lock") == 1, out)
        need("could not be installed" in out, out)


def gives_up(t):
    """It is not waited for without end."""
    out, calls = bootstrap(t.home(), 100, 3, "/var/lib/dpkg/lock")
    need("install" not in calls and 1 < len(calls) < 9, calls, out)
    need("apt-get update failed" in out, out)


def other_faults(t):
    """Nothing else is tried again."""
    out, calls = bootstrap(t.home(), 0, 600, "")
    need(calls == ["update", "install"], calls, out)
    need("waiting" not in out, out)


if __name__ == "__main__":
    with Tests() as tests:
        sys.exit(tests.all([waits, gives_up, other_faults]))
