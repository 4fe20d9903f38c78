"""Looks at a cluster all through a trial: what may never fall must not have fallen, and what is to
be equal must have been equal each time."""
import re
import subprocess
import threading
import time

LEDGER = ("accepted", "delivered", "bad", "dropped")


def never_falling(binary):
    """Names of the counters that only grow: of a cluster's life, or of its spool's. The binary's own
    reference says which are levels."""
    done = subprocess.run(
        [binary, "docs", "counters"], stdin=subprocess.DEVNULL, capture_output=True, text=True,
        timeout=30, check=True)
    names = set()
    for name, kind in re.findall(r"^\| `(\w+)` \| (\w+) \|", done.stdout, re.MULTILINE):
        # What lies in the spool goes down as it is delivered.
        if kind == "total" or kind == "ledger" and not re.search("SpoolBytes$|^oldest", name):
            names.add(plain(name))
    return names


def plain(name):
    """A counter's name as the reference and as the status have it: goodHits, good_hits."""
    return name.replace("_", "").lower()


def closes(ledger):
    parts = ledger["delivered"] + ledger["spooled"] + ledger["bad"] + ledger["dropped"]
    return ledger["accepted"] == parts


class Watch:
    """Reads the status every `every` seconds in a thread of its own, and keeps what is wrong."""

    def __init__(self, cluster, every=0.5):
        self.cluster, self.every = cluster, every
        self.faults, self.looks, self.last = [], 0, None
        #: Seconds since the start and the ledger, of each look.
        self.ledgers = []
        self._totals = never_falling(cluster.binary)
        self._ledger, self._counters, self._pid = {}, {}, None
        self._started = time.monotonic()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def end(self):
        self._over.set()
        self._thread.join()

    def tell(self, verdict):
        verdict.note("looks", f"{self.looks} at the status")
        for fault in self.faults:
            verdict.fault(fault)

    def _run(self):
        while not self._over.wait(self.every):
            status = self.cluster.status()
            if status is not None:
                self.look(status)

    def look(self, status):
        self.looks += 1
        self.last = status
        ledger = status["ledger"]
        self.ledgers.append((time.monotonic() - self._started, ledger))
        if not closes(ledger):
            self._fault(f"the ledger does not close: {ledger}")
        # A supervisor that has just begun has not heard of its workers' spools yet.
        if status["state"] == "starting":
            return
        for name in LEDGER:
            self._hold(self._ledger, name, ledger[name], f"ledger ({status['state']})")
        # The counters beside the ledger are those of one cluster's life.
        if status["pid"] != self._pid:
            self._pid, self._counters = status["pid"], {}
        counters = {plain(name): value for name, value in status["counters"].items()}
        missing = self._totals - set(counters)
        if missing and counters:
            self._fault(f"not in the status: {sorted(missing)}")
        for name, value in counters.items():
            if name in self._totals:
                self._hold(self._counters, name, value, "counter")

    def _hold(self, known, name, value, what):
        if value < known.get(name, 0):
            self._fault(f"{what} {name} fell from {known[name]:,} to {value:,}")
        known[name] = value

    def _fault(self, words):
        if len(self.faults) < 20:
            self.faults.append(f"{time.monotonic() - self._started:.1f} s: {words}")
