"""The figures to reach, and what was measured against them."""
import statistics

ROUNDS_FOR_A_VERDICT = 9


class Sample:
    """One figure, a number a round. The median is the figure, the ends are its spread."""

    def __init__(self, values):
        self.values = list(values)
        self.median = statistics.median(self.values)
        self.low, self.high = min(self.values), max(self.values)

    def json(self):
        return {"median": self.median, "min": self.low, "max": self.high, "rounds": self.values}


class Row:
    """A line of the table: a figure, what it must be, what it is to become."""

    def __init__(self, number, figure, must, aim, unit="x", at_least=False, needs=(), note="", digits=2):
        self.number, self.figure, self.must, self.aim = number, figure, must, aim
        self.unit, self.at_least, self.needs, self.note, self.digits = unit, at_least, needs, note, digits
        self.sample, self.void = None, ""

    @property
    def key(self):
        return f"row{self.number}"

    def show(self, value):
        return self.show_end(value) + ("×" if self.unit == "x" else f" {self.unit}")

    def show_end(self, value):
        return f"{value:,.{self.digits}f}"

    def show_bound(self, bound):
        if bound is None:
            return ""
        return ("≥ " if self.at_least else "≤ ") + (f"{bound:g}×" if self.unit == "x" and self.at_least else self.show(bound))

    def verdict(self, bound):
        if self.sample is None or bound is None:
            return ""
        if self.void:
            return "void"
        if len(self.sample.values) < ROUNDS_FOR_A_VERDICT:
            return "too few rounds"
        met = self.sample.median >= bound if self.at_least else self.sample.median <= bound
        return "met" if met else "missed"

    def json(self):
        out = {"row": self.number, "figure": self.figure, "must": self.must, "aim": self.aim, "unit": self.unit}
        if self.sample is None:
            return {**out, "measured": False}
        return {
            **out, "measured": True, **self.sample.json(), "must_verdict": self.verdict(self.must),
            "aim_verdict": self.verdict(self.aim), **({"void": self.void} if self.void else {}),
        }


class LatencyRow(Row):
    """A ratio of latencies that a small latency may stand in for: twice nothing is nothing."""

    #: Hydrant's own figure, ms; and the most that will do whatever the ratio.
    milliseconds, milliseconds_will_do = None, 2.0

    def show_bound(self, bound):
        text = super().show_bound(bound)
        return f"{text} or ≤ {self.milliseconds_will_do:g} ms" if bound == self.must else text

    def verdict(self, bound):
        said = super().verdict(bound)
        if said == "missed" and bound == self.must and self.milliseconds.median <= self.milliseconds_will_do:
            return f"met ({self.milliseconds.median:.2f} ms)"
        return said

    def json(self):
        return {**super().json(), **({"p99_ms": self.milliseconds.json()} if self.milliseconds else {})}


class SyncRow(Row):
    """A rate that rests on syncs: what it must be holds for disks that sync within a millisecond."""

    #: Median time of a sync, ms; and up to where a disk counts as fast.
    sync_milliseconds, fast_milliseconds = None, 1.0

    def show_bound(self, bound):
        text = super().show_bound(bound)
        return f"{text} where a sync takes ≤ {self.fast_milliseconds:g} ms" if bound == self.must else text

    def verdict(self, bound):
        said = super().verdict(bound)
        if said == "missed" and bound == self.must and self.sync_milliseconds.median > self.fast_milliseconds:
            return f"slow disk ({self.sync_milliseconds.median:.2f} ms)"
        return said

    def json(self):
        return {**super().json(), **({"sync_p50_ms": self.sync_milliseconds.json()} if self.sync_milliseconds else {})}


def all_rows():
    """`needs` are the servers whose rounds are divided, the first by the second; rows without are measured on
    servers of their own."""
    return [
        Row(1, "CPU a hit, against nginx empty_gif + buffered JSON log", 1.00, 0.80, needs=("hydrant-1", "nginx")),
        Row(2, "CPU a hit, against a bare libuv responder", 1.50, 1.25, needs=("hydrant-1", "floor")),
        Row(3, "Rate with 16 pipelined requests, against the same nginx", 3, 5, at_least=True,
            needs=("hydrant-1", "nginx"), note="aim: on 4 cores or more"),
        Row(4, "CPU a hit, against the article's Node server", 0.35, 0.25, needs=("hydrant-1", "article")),
        LatencyRow(5, "p99 at half of nginx's top rate, open loop, against nginx", 1.0, 0.7, needs=("hydrant-1", "nginx")),
        Row(6, "Private memory of the routers, an idle connection", 2.0, 0.6, unit="KiB"),
        Row(7, "CPU a hit with 8 workers, against 1", 1.50, 1.15, needs=("hydrant-8", "hydrant-1")),
        SyncRow(8, "Rate with ack = fsync, against spooled, 1,024 connections", 0.5, 0.8, at_least=True,
                needs=("hydrant-1-fsync", "hydrant-1")),
        Row(9, "From exec to the first answer with 1 GB of spool", 1000, 200, unit="ms", digits=0),
        Row(10, "Bytes that Firehose bills, over row bytes, at 1,000 hits/s a shard", 1.01, 1.005, digits=4),
        Row(11, "The same at 100 hits/s a shard", 1.10, 1.05, digits=4),
        Row(12, "CPU a hit with ack = spooled, against received", 1.35, None, needs=("hydrant-1", "hydrant-1-received")),
        Row(13, "CPU of signing, base64, TLS and the network's calls, a hit with a row of 500 B", 1.0, None, unit="µs"),
        Row(14, "Of a core, for delivery of 5 MiB/s over TLS", 10, None, unit="%"),
    ]
