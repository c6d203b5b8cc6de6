"""Stories: tests that are told on a LAN, and their TAP output.

A story is a function of one argument, a Story.  Its name is the name of the
test, its docstring says what is expected of the program.  It fails by
raising StoryFailed or LabError and is skipped by raising StorySkipped.
"""

import concurrent.futures
import os
import shutil
import sys
import threading
import time
import traceback

import lab

SKIP_STATUS = 77            # automake's word for "skipped"


class StoryFailed(Exception):
    """What was expected did not happen; the text says what."""


class StorySkipped(Exception):
    """The story cannot be told here; the text says why."""


class Story:
    """What a story works with: a lab of its own, a time limit, notes."""

    def __init__(self, limit):
        """limit: seconds until every further wait fails."""
        self.lan = lab.Lab(keep_folder=bool(os.environ.get("LAN_KEEP")))
        self.end = time.monotonic() + limit
        self.notes = []
        self.programs = []      # chat.Speaker

    def note(self, text):
        """A line for the reader of the results, shown pass or fail."""
        self.notes.append(text)

    def expect(self, truth, what):
        """Fail with `what` unless `truth`."""
        if not truth:
            raise StoryFailed(what)

    def time_left(self, limit):
        """`limit`, or what is left of the story's time if that is less."""
        left = self.end - time.monotonic()
        if left <= 0:
            raise StoryFailed("the story took longer than it may")
        return min(limit, left)

    def sleep(self, seconds):
        """Let time pass."""
        time.sleep(self.time_left(seconds))

    def use_names(self, result):
        """Write <name> for each program's peer id in a result's texts."""
        for program in self.programs:
            if program.peer_id:
                name = "<%s>" % program
                result.failed = result.failed and result.failed.replace(
                    program.peer_id, name)
                result.notes = [note.replace(program.peer_id, name)
                                for note in result.notes]

    def close(self):
        """End the programs, then the lab.  Complaints, as texts."""
        problems = []
        for program in self.programs:
            try:
                problems += program.problems()
                problems += program.close()
            except Exception as problem:    # the lab must still come down
                problems.append("%s: %r" % (program, problem))
        try:
            self.lan.down()
        except lab.LabError as problem:
            problems.append(str(problem))
        return problems


class Result:
    """How one story ended."""

    def __init__(self, name):
        self.name = name
        self.failed = None      # text
        self.skipped = None     # text
        self.notes = []
        self.seconds = 0.0


def tell(function, limit):
    """Tell one story; its Result.  Never raises."""
    result = Result(function.__name__)
    began = time.monotonic()
    story = None
    try:
        story = Story(limit)
        function(story)
    except StorySkipped as reason:
        result.skipped = str(reason)
    except (StoryFailed, lab.LabError) as reason:
        result.failed = str(reason)
    except Exception:
        result.failed = traceback.format_exc()
    if story:
        result.notes = story.notes
        if result.failed:
            for program in story.programs:
                result.notes += program.diary()
        problems = story.close()
        if problems:
            result.failed = "\n".join(filter(None, [result.failed] + problems))
        story.use_names(result)
        if story.lan.keep_folder and result.failed:
            result.notes.append("logs and data: " + story.lan.folder)
        elif story.lan.keep_folder:
            shutil.rmtree(story.lan.folder, ignore_errors=True)
    result.seconds = time.monotonic() - began
    return result


class Tap:
    """Writes results as they come and counts them."""

    def __init__(self, total):
        self.number = self.passed = self.failed = self.skipped = 0
        self.lock = threading.Lock()
        self.say("1..%d" % total)

    @staticmethod
    def say(line):
        print(line, flush=True)

    def add(self, result):
        """One story's line and its notes.  None once the end has come from
        outside: what fails then says nothing about the program."""
        with self.lock:
            if lab.ending():
                return
            self.number += 1
            head = "%d - %s (%.1f s)" % (self.number, result.name,
                                         result.seconds)
            if result.failed:
                self.failed += 1
                self.say("not ok " + head)
            elif result.skipped:
                self.skipped += 1
                self.say("ok %s # SKIP %s" % (head, result.skipped))
            else:
                self.passed += 1
                self.say("ok " + head)
            for text in filter(None, [result.failed] + result.notes):
                for line in text.splitlines():
                    self.say("#   " + line)

    def close(self):
        """The closing line; the exit status."""
        self.say("%d passed, %d failed, %d skipped" %
                 (self.passed, self.failed, self.skipped))
        return 1 if self.failed else 0


class Suite:
    """Tells stories and writes their results."""

    def __init__(self, total, story_limit, suite_limit):
        """Limits in seconds, for one story and for all together."""
        self.tap = Tap(total)
        self.story_limit = story_limit
        self.end = time.monotonic() + suite_limit

    def _tell(self, function):
        left = self.end - time.monotonic()
        self.tap.add(tell(function, min(left, self.story_limit)))

    def tell(self, functions, at_once):
        """Tell the stories, `at_once` at a time."""
        with concurrent.futures.ThreadPoolExecutor(at_once) as pool:
            list(pool.map(self._tell, functions))

    def close(self):
        """The closing line; the exit status."""
        return self.tap.close()


def leave_unless_possible(what):
    """Exit with one SKIP line where no lab can be made.

    In CI (environment CI=true) root must be able to make one: there the
    same reason is a failure.
    """
    reason = lab.why_not()
    if reason is None:
        return
    if os.environ.get("CI") == "true" and os.geteuid() == 0:
        print("Bail out! %s: %s" % (what, reason))
        print("0 passed, 1 failed, 0 skipped")
        sys.exit(1)
    print("1..0 # SKIP %s: %s" % (what, reason))
    sys.exit(SKIP_STATUS)


def chosen(functions, names, by_name=()):
    """The functions named on the command line, `by_name` among them; all
    others if none is."""
    known = {each.__name__: each for each in [*functions, *by_name]}
    unknown = [name for name in names if name not in known]
    if unknown:
        sys.exit("no such story: %s\nstories: %s" %
                 (" ".join(unknown), " ".join(known)))
    return [known[name] for name in names] or functions
