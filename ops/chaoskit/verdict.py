"""What a trial found, told while it runs and at its end."""
import sys
import time


class Verdict:
    def __init__(self, name):
        self.name, self.faults, self.notes = name, [], []

    def must(self, holds, otherwise):
        if not holds:
            self.fault(otherwise)

    def fault(self, words):
        self.faults.append(words)

    def note(self, what, words):
        self.notes.append((what, words))

    @property
    def is_good(self):
        return not self.faults

    def print(self):
        width = max((len(what) for what, _ in self.notes), default=0)
        for what, words in self.notes:
            print(f"  {what:<{width}}  {words}")
        for fault in self.faults:
            print(f"  FAULT: {fault}")
        print(f"{self.name}: {'good' if self.is_good else 'BAD'}", flush=True)


class Progress:
    """A line a second on a terminal, which the next overwrites; nothing anywhere else."""

    def __init__(self):
        self.is_shown = sys.stderr.isatty()
        self._next, self._width = 0.0, 0

    def show(self, words):
        now = time.monotonic()
        if self.is_shown and now >= self._next:
            self._next = now + 1
            self._width = max(self._width, len(words))
            print("\r" + words.ljust(self._width), end="", file=sys.stderr, flush=True)

    def end(self):
        if self.is_shown and self._width:
            print("\r" + " " * self._width + "\r", end="", file=sys.stderr, flush=True)
