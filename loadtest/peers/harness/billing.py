"""What Firehose bills beyond the rows: clusters side by side, each with a worker and a steady load of its own."""
from concurrent import futures

from . import openload, servers

SECONDS = 60
#: The rates of rows 10 and 11, hits a second and shard.
RATES = {10: 1000, 11: 100}
#: What `auto` is in production. The local mode's second is for people who look on.
LINGER = "delivery.linger=10s"
#: The figure is of rows of about 500 B: with smaller ones a record has fewer bytes to share its rounding.
ROW_BYTES_LEAST, ROW_BYTES_MOST = 450, 550
#: Of the hits asked for, those that have to be answered for the rate to count as kept.
KEPT_LEAST = 0.99
COUNTED = ("firehose_billed_bytes", "firehose_row_bytes", "firehose_records", "firehose_calls_failed")


class Billed(servers.Hydrant):
    """A cluster of one worker that waits for company as long as in production."""

    def __init__(self, name, folder, binary, sets=()):
        super().__init__(name, folder, binary, 1, [LINGER, *sets])

    def reading(self):
        """(hits accepted, counters) when all that was accepted is delivered."""
        self.settle()
        status = self.status()
        return status["ledger"]["accepted"], {name: status["counters"][name] for name in COUNTED}


class Bill:
    """What one cluster's load came to. The flush at its end is in it: one more record, seldom full."""

    def __init__(self, name, rate, seconds, result, before, after):
        self.name, self.asked = name, rate * seconds
        self.errors = result["figures"]["errors"] + result["totals"]["counters"].get("dropped", 0)
        self.hits = after[0] - before[0]
        spent = {key: after[1][key] - before[1][key] for key in COUNTED}
        self.failed_calls, self.records = spent["firehose_calls_failed"], spent["firehose_records"]
        self.row_bytes = spent["firehose_row_bytes"] / max(self.hits, 1)
        self.record_kib = spent["firehose_row_bytes"] / max(self.records, 1) / 1024
        self.ratio = spent["firehose_billed_bytes"] / max(spent["firehose_row_bytes"], 1)

    def complaints(self):
        """What makes this figure worthless, or ""."""
        found = []
        if self.hits < KEPT_LEAST * self.asked:
            found.append(f"{self.name} took {self.hits:,} hits of {self.asked:,}")
        if self.errors:
            found.append(f"{self.errors:,} requests to {self.name} failed or were never sent")
        if self.failed_calls:
            found.append(f"{self.failed_calls} calls of {self.name} failed")
        if not ROW_BYTES_LEAST <= self.row_bytes <= ROW_BYTES_MOST:
            found.append(f"the rows of {self.name} have {self.row_bytes:.0f} B")
        return "; ".join(found)


def one(binary, cluster, rate, seconds):
    before = cluster.reading()
    result = openload.generate(binary, cluster.port, ["-R", str(rate), "-z", f"{seconds}s"], seconds + 60)
    return Bill(cluster.name, rate, seconds, result, before, cluster.reading())


def run(binary, jobs, seconds):
    """The bills of these (cluster, rate), all loaded at the same time: what is billed does not depend on
    how busy the machine is, as long as the rate is kept."""
    with futures.ThreadPoolExecutor(len(jobs)) as pool:
        return list(pool.map(lambda job: one(binary, *job, seconds), jobs))
