"""Rounds: every server in turn gets the same load, and its CPU is read around it."""
import sys
import time

from . import processes, rows, traffic


class Round:
    """One load on one server."""

    def __init__(self, load, spent, seconds_to_settle, sync_milliseconds):
        answers = max(load.answers, 1)
        self.load = load
        self.microseconds = spent.seconds * 1e6 / answers
        self.role_microseconds = {name: spent_by * 1e6 / answers for name, spent_by in spent.role_seconds.items()}
        self.clock, self.ended, self.settle_seconds = spent.clock, spent.ended, seconds_to_settle
        #: Median time of a sync of the spool, where the server syncs; else None.
        self.sync_milliseconds = sync_milliseconds
        self.tick_microseconds = spent.tick_seconds * 1e6 / answers


class Side:
    """All rounds of one server."""

    def __init__(self, name):
        self.name, self.rounds = name, []
        #: Hits in the server's own ledger after all rounds, if it keeps one.
        self.accepted = None

    def sample(self, get):
        return rows.Sample([get(one) for one in self.rounds])

    @property
    def microseconds(self):
        return self.sample(lambda one: one.microseconds)

    @property
    def rate(self):
        return self.sample(lambda one: one.load.rate)

    @property
    def sync_milliseconds(self):
        """A round's figure is the median of its last syncs; None where nothing is synced."""
        synced = [one.sync_milliseconds for one in self.rounds]
        return None if None in synced else rows.Sample(synced)

    def complaints(self):
        """What makes these figures worthless, or ""."""
        refused = sum(one.load.refused for one in self.rounds)
        broken = sum(one.load.broken for one in self.rounds)
        ended = sorted({pid for one in self.rounds for pid in one.ended})
        answers = sum(one.load.answers for one in self.rounds)
        found = []
        if self.accepted is not None and self.accepted < answers:
            found.append(f"{self.name} answered {answers:,} hits and has {self.accepted:,} in its ledger")
        if refused:
            found.append(f"{refused:,} answers of {self.name} were not 2xx")
        if broken:
            found.append(f"{broken:,} socket errors at {self.name}")
        if ended:
            found.append(f"processes of {self.name} ended while measured: {ended}")
        return "; ".join(found)

    def json(self):
        names = sorted({name for one in self.rounds for name in one.role_microseconds})
        return {
            "cpu_us_per_hit": self.microseconds.json(),
            "cpu_us_per_hit_by_ticks": self.sample(lambda one: one.tick_microseconds).median,
            "cpu_us_per_hit_by_role": {name: self.sample(lambda one: one.role_microseconds.get(name, 0)).median for name in names},
            "clocks": sorted({one.clock for one in self.rounds}),
            "rate_per_second": self.rate.json(),
            "p99_ms_closed_loop": self.sample(lambda one: one.load.p99_ms or 0).median,
            "answers": sum(one.load.answers for one in self.rounds),
            **({"sync_p50_ms": self.sync_milliseconds.json()} if self.sync_milliseconds else {}),
            "settle_seconds": self.sample(lambda one: one.settle_seconds).median,
            "complaints": self.complaints(),
        }


def one_round(server, script, seconds, connections=traffic.CONNECTIONS):
    before = processes.CPUReading(server.counted())
    load = traffic.send(server.port, script, seconds, connections)
    loaded = time.monotonic()
    server.settle()
    spent = processes.CPUSpent(before, processes.CPUReading(server.counted()))
    settled = time.monotonic() - loaded
    server.clear()
    return Round(load, spent, settled, server.sync_milliseconds())


def run(servers, script, rounds, seconds, title, connections=traffic.CONNECTIONS):
    """{name: Side}. Each round starts with another server, so that none always follows the same."""
    sides = {name: Side(name) for name in servers}
    names = list(servers)
    for at in range(rounds):
        for name in names[at % len(names) :] + names[: at % len(names)]:
            sides[name].rounds.append(one_round(servers[name], script, seconds, connections))
        done = "  ".join(f"{name} {sides[name].rounds[-1].microseconds:.2f}" for name in names)
        print(f"{title} {at + 1}/{rounds}, µs a hit:  {done}", file=sys.stderr, flush=True)
    return sides


def ratio(top, bottom, get):
    """Round by round, then the median: what disturbs the machine for a while disturbs both."""
    return rows.Sample([get(a) / get(b) for a, b in zip(top.rounds, bottom.rounds)])
