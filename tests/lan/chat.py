"""p2pchat-tui running in a host of the lab, driven by its JSON face.

Events are the program's own, one JSON object a line on stdout (see
p2pchat-tui(1), --json).  Each is kept with the time it arrived here.
"""

import json
import os
import re
import subprocess
import threading
import time

import story as tales

# Seconds from the start until `ready`, on a busy machine.
READY_LIMIT = 10.0
# How long a line may take to a connected peer.
LINE_LIMIT = 5.0
# How long a second copy of a line is waited for.
ECHO_WAIT = 1.5
# Seconds from a connection until both sides know each other's rooms.
SETTLE_WAIT = 2.0
# How long the program may take to end when told to.
END_LIMIT = 5.0

# Words of the sanitizers and of a failed assertion on stderr.
ALARM = re.compile(r"ERROR: \w+Sanitizer|runtime error:|[Aa]ssert", re.M)


def program():
    """Where the program under test stands: $P2PCHAT or ./p2pchat-tui."""
    return os.path.abspath(os.environ.get("P2PCHAT") or "p2pchat-tui")


class Speaker:
    """A program in a host that writes one JSON event a line."""

    def __init__(self, story, host, name, argv):
        self.story, self.host, self.name = story, host, name
        self.peer_id = None             # known once it is ready
        self.events = []
        self.garbage = []               # lines that are no JSON objects
        self.expected_to_run = True
        self.changed = threading.Condition()
        self.stderr = os.path.join(host.home, name + ".stderr")
        self.started_at = time.monotonic()
        with open(self.stderr, "ab") as err:
            self.process = host.start(argv, stdin=subprocess.PIPE,
                                      stdout=subprocess.PIPE, stderr=err)
        story.programs.append(self)
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def __str__(self):
        return self.name

    def _read(self):
        for line in self.process.stdout:
            try:
                event = json.loads(line)
            except ValueError:
                event = None
            with self.changed:
                if isinstance(event, dict):
                    event["at"] = time.monotonic()
                    self.events.append(event)
                else:
                    self.garbage.append(line.decode(errors="replace"))
                self.changed.notify_all()
        with self.changed:
            self.changed.notify_all()

    def send(self, line):
        """One line on its stdin."""
        try:
            self.process.stdin.write(line.encode() + b"\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            raise tales.StoryFailed("%s has ended" % self) from None

    def seen(self, kind, since=0.0, match=None, **members):
        """The events of a kind with these members, later than `since`.

        match is a further condition, a function of the event.
        """
        with self.changed:
            return [event for event in self.events
                    if event.get("event") == kind and event["at"] >= since
                    and all(event.get(k) == v for k, v in members.items())
                    and (match is None or match(event))]

    def wait_for(self, kind, limit, since=0.0, match=None, **members):
        """The first such event, now or within `limit` seconds."""
        end = time.monotonic() + self.story.time_left(limit)
        while True:
            with self.changed:
                found = self.seen(kind, since, match, **members)
                if found:
                    return found[0]
                ended = not self.reader.is_alive()
                left = end - time.monotonic()
                if left <= 0 or ended:
                    raise tales.StoryFailed(
                        "%s: no event %s within %g s%s" % (
                            self, " ".join([kind] + [
                                "%s=%s" % each for each in members.items()]),
                            limit, ", it has ended" if ended else ""))
                self.changed.wait(min(left, 0.2))

    def kill(self):
        """kill -9; the moment before it, so that nothing comes earlier."""
        self.expected_to_run = False
        at = time.monotonic()
        self.process.kill()
        self.process.wait()
        return at

    def lose_power(self):
        """The whole host goes dark; the moment of it."""
        self.expected_to_run = False
        at = time.monotonic()
        self.host.power_off()
        self.process.wait()
        return at

    def stderr_text(self):
        with open(self.stderr, errors="replace") as text:
            return text.read()

    def problems(self):
        """What was wrong with it, whatever the story was about."""
        found = []
        if self.expected_to_run and self.process.poll() is not None:
            found.append("%s ended by itself with status %d" %
                         (self, self.process.returncode))
        for line in self.garbage[:3]:
            found.append("%s wrote a line that is no JSON: %r" % (self, line))
        return found

    def close(self):
        """SIGTERM must end it soon; further problems."""
        found = []
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(END_LIMIT)
            except subprocess.TimeoutExpired:
                found.append("%s did not end on SIGTERM" % self)
                self.process.kill()
                self.process.wait()
        self.reader.join(1.0)
        try:
            self.process.stdin.close()
        except BrokenPipeError:
            pass
        self.process.stdout.close()
        if ALARM.search(self.stderr_text()):
            found.append("%s complained:\n%s" % (self, self.stderr_text()))
        return found

    def diary(self):
        """Its last events and words, for the reader of a failure."""
        lines = ["-- %s in %s, status %s" %
                 (self, self.host.name, self.process.poll())]
        with self.changed:
            for event in self.events[-25:]:
                shown = {k: v for k, v in event.items() if k != "at"}
                lines.append("%8.2f %s" % (event["at"] - self.started_at,
                                           json.dumps(shown)[:300]))
        lines += self.stderr_text().splitlines()[-10:]
        return lines


class Chat(Speaker):
    """One p2pchat-tui, started with --headless --json."""

    def __init__(self, story, host, name, *args):
        super().__init__(story, host, name, [
            program(), "--headless", "--json", "--name", name,
            "--data-dir", os.path.join(host.home, name), *args])
        self.ready_at = None

    def problems(self):
        """Further: `peer` events come in turns, connected first."""
        found, state = super().problems(), {}
        for event in self.seen("peer"):
            peer, new = event["peer_id"], event["state"]
            if new == state.get(peer, "disconnected"):
                found.append("%s: %s is %s twice running" % (self, peer, new))
            state[peer] = new
        return found

    def ready(self):
        """Wait until it is ready; itself."""
        event = self.wait_for("ready", READY_LIMIT)
        self.peer_id, self.ready_at = event["peer_id"], event["at"]
        return self

    def sees(self, other):
        """True while it holds `other` for connected."""
        events = self.seen("peer", peer_id=other.peer_id)
        return bool(events) and events[-1]["state"] == "connected"

    def notices(self, since, words, limit=10.0):
        """Wait for a notice whose text has one of the words (a regex)."""
        def speaks_of(event):
            return re.search(words, event.get("text", ""), re.I)
        return self.wait_for("notice", limit, since, match=speaks_of)

    def say(self, text):
        """Say a line in the current room."""
        self.send(text)

    def quit(self):
        """/quit; the moment before it, so that nothing comes earlier."""
        self.expected_to_run = False
        at = time.monotonic()
        self.send("/quit")
        return at


def start_all(story, *hosts_and_names):
    """Start a Chat for each (host, name) at once; when all are ready."""
    chats = [Chat(story, host, name) for host, name in hosts_and_names]
    return [each.ready() for each in chats]


def pairs(chats):
    return [(one, other) for one in chats for other in chats
            if one is not other]


def meet(chats, limit, since=0.0):
    """Wait until each has a connection to each other.

    Returns the moment when the last of them said so.
    """
    last = 0.0
    for one, other in pairs(chats):
        event = one.wait_for("peer", limit, since, peer_id=other.peer_id,
                             state="connected")
        last = max(last, event["at"])
    return last


def stay(story, chats):
    """None of them has lost any of them since they met."""
    for one, other in pairs(chats):
        lost = one.seen("peer", peer_id=other.peer_id, state="disconnected")
        story.expect(not lost, "%s lost %s" % (one, other))


def miss(watchers, gone, limit, since):
    """Wait until each watcher says that `gone` is disconnected.

    Returns the seconds from `since` until the last of them said so.
    """
    return max(each.wait_for("peer", limit, since, peer_id=gone.peer_id,
                             state="disconnected")["at"]
               for each in watchers) - since


def either_misses(story, chats, limit, since):
    """Wait until one of two says that the other is disconnected: who asks is
    first, and may be back before the other one has noticed.

    Returns who said so, and the other.
    """
    while True:
        for one, other in pairs(chats):
            if one.seen("peer", peer_id=other.peer_id, state="disconnected"):
                return one, other
        story.expect(time.monotonic() < since + limit,
                     "neither missed the other within %g s" % limit)
        story.sleep(0.1)


def meet_again(story, chats, limit, since):
    """Wait until each holds each other for connected, since a moment.

    Returns the seconds that took.
    """
    end = since + limit
    while not all(one.sees(other) for one, other in pairs(chats)):
        apart = ["%s - %s" % (one, other) for one, other in pairs(chats)
                 if not one.sees(other)]
        story.expect(time.monotonic() < end, "not connected after %g s: %s" %
                     (limit, ", ".join(apart)))
        story.sleep(0.1)
    return max(0.0, max(event["at"] for one, other in pairs(chats)
                        for event in one.seen("peer", peer_id=other.peer_id))
               - since)


def hear(listeners, speaker, text, limit=LINE_LIMIT):
    """Wait until each listener shows the speaker's line."""
    for each in listeners:
        each.wait_for("message", limit, text=text, **{"from":
                      speaker.peer_id})


def heard_once(story, listeners, text):
    """Each listener shows the line once and no second time soon."""
    story.sleep(ECHO_WAIT)
    for each in listeners:
        count = len(each.seen("message", text=text))
        story.expect(count == 1, "%s shows %r %d times" % (each, text, count))


def talk(story, chats, topic):
    """Each says a line about a topic; all the others show it once."""
    lines = [(each, "%s, says %s" % (topic, each)) for each in chats]
    for speaker, text in lines:
        speaker.say(text)
    for speaker, text in lines:
        hear([each for each in chats if each is not speaker], speaker, text)
    story.sleep(ECHO_WAIT)
    for speaker, text in lines:
        for each in chats:
            count = len(each.seen("message", text=text))
            story.expect(count == 1, "%s shows %r %d times" %
                         (each, text, count))
