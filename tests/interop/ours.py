"""p2pchat-tui under test: headless, one JSON event a line, on a profile and in
a home folder of its own."""

import os

from harness import Failure, Program


class Ours(Program):
    """One run of p2pchat-tui. `topic` None leaves it its own default room."""

    def __init__(self, folder, name="ours", topic=None, connect=()):
        home = folder / (name + "-home")
        home.mkdir(exist_ok=True)
        argv = [os.environ["P2PCHAT"], "--headless", "--json", "--no-mdns",
                "--author-rate", "0",
                "--data-dir", str(home / "data"), "--name", "ours",
                "--listen", "/ip4/127.0.0.1/tcp/0"]
        if topic is not None:
            argv += ["--room", topic]
        for addr in connect:
            argv += ["--connect", addr]
        argv += os.environ.get("P2PCHAT_ARGS", "").split()
        super().__init__(name, argv, folder, env=_clean_env(home))

    def prepare(self):
        """Waits until it listens; before that it has no id."""
        self.ready = self.wait("ready")
        self.id = self.ready["peer_id"]
        self.addr = self._own_addr()

    def _own_addr(self):
        for addr in self.ready["listen"]:
            if addr.startswith("/ip4/127.0.0.1/tcp/"):
                return addr if "/p2p/" in addr else f"{addr}/p2p/{self.id}"
        raise Failure(f"ours listens on {self.ready['listen']}")

    def say(self, text):
        self.send(text)

    def lines(self, author, text):
        """The message events for `text` signed by `author`."""
        return self.seen("message", **{"from": author, "text": text})

    def rooms_of(self, peer):
        """The rooms in which it says that a peer is here with it."""
        asked = len(self.seen("peers"))
        self.send("/peers")
        told = self.until("peers", lambda: self.seen("peers")[asked:])[0]
        return [room for each in told["connected"]
                if each["peer_id"] == peer for room in each["rooms"]]

    def history(self):
        """The texts of its room, in the order in which they stand."""
        asked = len(self.seen("net"))
        lines = len(self.seen("history"))
        self.send("/history")
        self.send("/net")  # Answered behind it.
        self.until("net", lambda: self.seen("net")[asked:])
        return [line["text"] for line in self.seen("history")[lines:]]

    def close(self):
        """Asks it to end before its stdin closes."""
        if self.proc.poll() is None:
            try:
                self.send("/quit")
            except Failure:
                pass
        super().close()


def _clean_env(home):
    """The environment without what would reach a person's own profile."""
    env = {name: value for name, value in os.environ.items()
           if not name.startswith("XDG_")
           and name not in ("CHAT_TOPIC", "DATA_DIR")}
    env["HOME"] = str(home)
    return env
