"""A program on a real terminal: tmux on a socket of its own, keys in, the
screen as text out. Shared by the screen tests."""

import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True

PATIENCE = 20.0


class Tmux:
    """A server of our own, gone with its folder when the tests end."""

    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix="p2pchat-screen-")
        self.count = 0
        # A session of its own keeps the server alive between screens.
        self.call("new-session", "-d", "-s", "keep", "sleep", "900")
        self.call("set", "-g", "status", "off")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.call("kill-server")
        shutil.rmtree(self.folder, ignore_errors=True)

    def call(self, *args):
        """One command of tmux; what it prints."""
        done = subprocess.run(
            ["tmux", "-S", os.path.join(self.folder, "tmux"), "-f",
             "/dev/null", *args], check=False,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        return done.stdout.decode(errors="replace")


class Screen:
    """A command under a shell in a window of so many columns and rows. When
    it has ended the shell says its exit status and whether the terminal's
    settings are as they were."""

    def __init__(self, tmux, size, *command, **env):
        tmux.count += 1
        self.tmux = tmux
        self.name = f"s{tmux.count}"
        self.base = os.path.join(tmux.folder, self.name)
        env = {"LANG": "C.UTF-8", "TERM": "tmux-256color", **env}
        words = ["env", "-u", "LC_ALL", "-u", "NO_COLOR",
                 *(f"{k}={v}" for k, v in env.items()), *command]
        script = (f"stty -a >{self.base}.before; {shlex.join(words)}; "
                  f"echo exit=$?; stty -a >{self.base}.after; "
                  f"cmp -s {self.base}.before {self.base}.after && "
                  "echo tty=same; sleep 900")
        tmux.call("new-session", "-d", "-s", self.name, "-x", str(size[0]),
                  "-y", str(size[1]), "sh", "-c", script)
        self.resize(*size)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        """The terminal goes away, whatever runs in it."""
        self.tmux.call("kill-session", "-t", self.name)

    def resize(self, cols, rows):
        self.tmux.call("resize-window", "-t", self.name, "-x", str(cols),
                       "-y", str(rows))

    def text(self):
        return self.tmux.call("capture-pane", "-p", "-t", self.name)

    def raw(self):
        """With the sequences for colours."""
        return self.tmux.call("capture-pane", "-e", "-p", "-t", self.name)

    def info(self, what):
        """A format variable of tmux, as "pane_title"."""
        return self.tmux.call("display-message", "-p", "-t", self.name,
                              f"#{{{what}}}").strip()

    def wait(self, pattern, seconds=PATIENCE):
        """The screen once it matches, or None."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            text = self.text()
            if re.search(pattern, text, re.M):
                return text
            time.sleep(0.03)
        return None

    def keys(self, *keys):
        self.tmux.call("send-keys", "-t", self.name, *keys)

    def type(self, text):
        """The characters as they are, then Enter."""
        self.tmux.call("send-keys", "-t", self.name, "-l", "--", text)
        self.keys("Enter")

    def send(self, data):
        """Bytes as a terminal sends them, at once."""
        self.keys("-H", *(f"{b:02x}" for b in data))

    def paste(self, text):
        """As the mouse does it: between the marks of a bracketed paste."""
        self.tmux.call("set-buffer", "--", text)
        self.tmux.call("paste-buffer", "-p", "-t", self.name)

    def kill(self, signal):
        """Sends a signal to what the shell runs."""
        shell = self.info("pane_pid")
        child = subprocess.run(["pgrep", "-P", shell], check=False,
                               stdout=subprocess.PIPE).stdout.decode().split()
        subprocess.run(["kill", f"-{signal}", *child], check=False)
