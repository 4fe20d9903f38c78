"""How much memory the processes of a cluster have, over time."""
import re
import threading
import time

from .cluster import read


def resident_bytes(pid):
    """Of /proc/PID/smaps_rollup; None when the process has gone."""
    found = re.search(rb"^Rss:\s+(\d+) kB", read(f"/proc/{pid}/smaps_rollup"), re.MULTILINE)
    return int(found[1]) * 1024 if found else None


def growth(samples):
    """What a line through (seconds, bytes) rises by from the first to the last of them: a single
    page more at the end is none, and a leak cannot hide between two of them."""
    count = len(samples)
    if count < 2:
        return 0.0
    middle = sum(at for at, _ in samples) / count
    level = sum(size for _, size in samples) / count
    spread = sum((at - middle) ** 2 for at, _ in samples)
    slope = sum((at - middle) * (size - level) for at, size in samples) / spread
    return slope * (samples[-1][0] - samples[0][0])


class Memory:
    """Looks twice a second, in a thread of its own, at processes that live all the while."""

    def __init__(self, named_pids):
        self.samples = {name: [] for name in named_pids}
        self._pids, self._over, self._started = named_pids, threading.Event(), time.monotonic()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def end(self):
        self._over.set()
        self._thread.join()

    def _run(self):
        while not self._over.wait(0.5):
            for name, pid in self._pids.items():
                size = resident_bytes(pid)
                if size is not None:
                    self.samples[name].append((time.monotonic() - self._started, size))

    def tell(self, verdict, seconds_from, growth_max_bytes):
        """Judges what came after `seconds_from`."""
        for name, samples in self.samples.items():
            warm = [sample for sample in samples if sample[0] >= seconds_from]
            if len(warm) < 4:
                verdict.fault(f"{name}: its memory could not be read; did it die?")
                continue
            grown = growth(warm)
            verdict.note(f"memory of {name}", f"{warm[0][1] / 1e6:.1f} MB to {warm[-1][1] / 1e6:.1f} MB, "
                         f"a trend of {grown / 1e6:+.2f} MB in {warm[-1][0] - warm[0][0]:.0f} s")
            verdict.must(grown <= growth_max_bytes, f"{name} grew by {grown / 1e6:.2f} MB")
