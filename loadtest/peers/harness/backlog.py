"""What delivery costs a worker: over TLS, from a backlog in its spool, with no hit coming in meanwhile."""
import os
import re
import subprocess
import time

from . import openload, processes, profile, servers

#: What a stream of the three large regions takes a second; the worker delivers at this rate.
QUOTA_BYTES = 5 << 20
#: Delivery of a round, and the rate at which its rows are brought in before.
SECONDS, FILL_RATE = 10, 20_000
#: Of a row, to know how many hits fill the backlog; what they really have is in the report.
ROW_BYTES = 490
#: A batch waits, encoded and hashed, since the outage began: `delivery.linger_bytes`, and what came while it
#: was made. Its rows are not counted as delivered in the round, though sending them is paid there.
READY_BYTES = 512 << 10
#: Of the quota, what has to be delivered for the round to count.
FILLED_LEAST = 0.95
OUTAGE = '[[fault]]\nkind = "status"\n'


def make_certificate(folder):
    """Paths of a certificate for 127.0.0.1 and of its key."""
    certificate, key = f"{folder}/endpoint.pem", f"{folder}/endpoint.key"
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
               "-subj", "/CN=bench", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", certificate]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        raise RuntimeError(f"openssl made no certificate: {done.stderr.strip()}")
    return certificate, key


class Backlogged(servers.Hydrant):
    """A cluster of one worker that calls its Firehose over TLS, at the quota's rate, and whose Firehose
    refuses all calls when told so."""

    def __init__(self, name, folder, binary, sets=()):
        super().__init__(name, folder, binary, 1)
        certificate, key = make_certificate(self.folder)
        self.tls = [f"local.tls_certificate={certificate}", f"local.tls_key={key}"]
        self.sets = [*self.tls, f"firehose.quota={QUOTA_BYTES}", *sets]
        self.outage = os.path.join(self.folder, "outage.toml")
        with open(self.outage, "w") as file:
            file.write(OUTAGE)

    def worker(self):
        return [pid for pid in self.counted() if processes.role(pid) == "worker"]

    def faults(self, *order):
        """It goes to the local Firehose itself, and so has to be told where that is."""
        where = [f"local.listen=127.0.0.1:{self.local_port}", *self.tls]
        self.call("faults", *order, *(word for one in where for word in ("--set", one)))

    def fill(self, hits):
        """So many hits into the spool, and none out of it."""
        self.faults("set", self.outage)
        seconds = hits / FILL_RATE
        result = openload.generate(self.binary, self.port, ["-R", str(FILL_RATE), "-n", str(hits)], seconds + 60)
        time.sleep(1)  # what the load left to do is done
        return result["figures"]["errors"] + result["totals"]["counters"].get("dropped", 0)

    def deliver(self):
        """Until the spool is empty. The flush only spares the wait for the next try: the quota holds."""
        self.faults("clear")
        self.settle()


class Delivery:
    """One backlog delivered."""

    def __init__(self, errors, spent, seconds, before, after):
        self.errors, self.ended = errors, spent.ended
        rows = after["ledger"]["delivered"] - before["ledger"]["delivered"]
        all_bytes = after["counters"]["firehose_row_bytes"] - before["counters"]["firehose_row_bytes"]
        self.row_bytes = all_bytes / max(rows, 1)
        self.bytes_per_second = all_bytes / seconds
        counted = max(all_bytes - READY_BYTES, 1)
        self.microseconds = spent.seconds * 1e6 / counted * self.row_bytes
        self.core_percent = spent.seconds / counted * QUOTA_BYTES * 100
        self.clock = spent.clock
        #: {part: of the worker's CPU}, by a profile of the backlog after this one; empty without perf.
        self.shares = {}

    def part_microseconds(self, *names):
        return self.microseconds * sum(self.shares.get(name, 0) for name in names)


def one_round(cluster, seconds):
    errors = cluster.fill(round(seconds * QUOTA_BYTES / ROW_BYTES))
    status, cpu, began = cluster.status(), processes.CPUReading(cluster.worker()), time.monotonic()
    cluster.deliver()
    took = time.monotonic() - began
    spent = processes.CPUSpent(cpu, processes.CPUReading(cluster.worker()))
    return Delivery(errors, spent, took, status, cluster.status())


#: Where a sample of the worker belongs, the first that fits: by the kernel's functions, or by the innermost
#: function in user code or its library. OpenSSL keeps no frame pointers, so a copy by libc without a
#: caller is OpenSSL's, from the bytes to be sealed into its record.
PARTS = (
    ("network", re.compile(r"tcp_|inet6?_|sock_|do_epoll|ep_|__\w+_sys_epoll"), None),
    ("spool's files", re.compile(r"__\w+_sys_(?:pread64|pwrite64|ftruncate|unlink|fdatasync|fsync|openat|close)"), None),
    ("signing and TLS", None, re.compile(r"libcrypto|libssl|TLSOutgoing")),
    ("base64", None, re.compile(r"base64")),
)
REST = "rows, batches, cursor, loop"
#: What the figure of row 13 is of.
NAMED = ("network", "signing and TLS", "base64")
#: A worker at the quota is busy for a fiftieth of the time: at 997 a second some 200 samples told its parts, and
#: row 13 swung by a tenth with them.
PROFILE_HERTZ = 4999


def part(kernel, user):
    for name, in_kernel, in_user in PARTS:
        if kernel:
            if in_kernel and any(in_kernel.match(function) for function, _ in kernel):
                return name
        elif in_user and user:
            function, library = user[0]
            if "libc.so" in library:
                caller = user[1] if len(user) > 1 else ("[unknown]", "libssl")
                function, library = caller if caller[0] != "[unknown]" else ("", "libssl")
            if in_user.search(function) or in_user.search(library):
                return name
    return REST


def shares(cluster, seconds, path):
    """{part: of the worker's CPU} while a backlog is delivered. Raises RuntimeError where perf does not sample."""
    if lacking := profile.missing():
        raise RuntimeError(f"no perf here (Debian: {lacking})")
    cluster.fill(round(seconds * QUOTA_BYTES / ROW_BYTES))
    with profile.Profile(path, PROFILE_HERTZ) as taken:
        cluster.deliver()
    found = {}
    for _, spent, kernel, user in taken.samples(cluster.worker()):
        name = part(kernel, user)
        found[name] = found.get(name, 0) + spent
    total = sum(found.values())
    if not total:
        raise RuntimeError("perf saw nothing of the worker")
    return {name: spent / total for name, spent in found.items()}


def complaints(deliveries):
    """What makes these figures worthless, or ""."""
    found = []
    if errors := sum(one.errors for one in deliveries):
        found.append(f"{errors:,} requests failed or were never sent")
    if ended := sorted({pid for one in deliveries for pid in one.ended}):
        found.append(f"the worker ended while measured: {ended}")
    slowest = min(one.bytes_per_second for one in deliveries)
    if slowest < FILLED_LEAST * QUOTA_BYTES:
        found.append(f"a round delivered {slowest / 2**20:.2f} MiB/s and not {QUOTA_BYTES / 2**20:g}")
    return "; ".join(found)
