"""What processes cost, read from /proc: CPU time and private memory of a family of processes."""
import os

TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")


def _read(path):
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError:
        return None  # the process has just ended, or is another user's


def _parent(pid):
    stat = _read(f"/proc/{pid}/stat")
    return int(stat.rsplit(b")", 1)[1].split()[1]) if stat else None


def words(pid):
    """The command line of a process, or [] if it has ended."""
    return [word.decode(errors="replace") for word in (_read(f"/proc/{pid}/cmdline") or b"").split(b"\0") if word]


def family(root, without=()):
    """`root` and all its descendants, except those with one of `without` as a whole argument."""
    children = {}
    for name in os.listdir("/proc"):
        if name.isdigit():
            children.setdefault(_parent(name), []).append(int(name))
    found, waiting = [], [root]
    while waiting:
        pid = waiting.pop()
        waiting += children.get(pid, [])
        command = words(pid)
        if command and not any(word in command[1:] for word in without):
            found.append(pid)
    return sorted(found)


def role(pid):
    """What to call a process in a report: `worker`, `router`, …, or its program's name."""
    command = words(pid)
    if not command:
        return "?"
    program = os.path.basename(command[0].split(":")[0])
    if len(command) > 1 and command[1] in ("router", "worker", "run", "local-firehose", "load"):
        return {"run": "supervisor"}.get(command[1], command[1])
    return program


def _run_nanoseconds(pid):
    """Time on a CPU, user and system, from the scheduler's own clock; None where not offered."""
    total = 0
    try:
        threads = os.listdir(f"/proc/{pid}/task")
    except OSError:
        return None
    for thread in threads:
        line = _read(f"/proc/{pid}/task/{thread}/schedstat")
        if not line:
            return None
        total += int(line.split()[0])
    return total


class CPUReading:
    """CPU time of a family at one moment, by two clocks.

    `utime + stime` come in ticks of 10 ms, the scheduler's run time in nanoseconds. Over a round
    of seconds both say the same; the finer one is reported, unless the two disagree.
    """

    def __init__(self, pids):
        self.ticks, self.nanoseconds, self.roles = {}, {}, {}
        for pid in pids:
            stat = _read(f"/proc/{pid}/stat")
            if stat:
                fields = stat.rsplit(b")", 1)[1].split()
                self.ticks[pid] = int(fields[11]) + int(fields[12])
                self.nanoseconds[pid] = _run_nanoseconds(pid)
                self.roles[pid] = role(pid)


class CPUSpent:
    """What a family spent between two readings. A process born in between counts from its birth."""

    def __init__(self, before, after):
        self.ended = sorted(set(before.ticks) - set(after.ticks))
        by_tick = sum(n - before.ticks.get(pid, 0) for pid, n in after.ticks.items())
        self.tick_seconds = by_tick / TICKS_PER_SECOND
        fine = None not in after.nanoseconds.values() and None not in before.nanoseconds.values()
        self.role_seconds = {}
        for pid in after.ticks:
            if fine:
                spent = (after.nanoseconds[pid] - before.nanoseconds.get(pid, 0)) / 1e9
            else:
                spent = (after.ticks[pid] - before.ticks.get(pid, 0)) / TICKS_PER_SECOND
            name = after.roles[pid]
            self.role_seconds[name] = self.role_seconds.get(name, 0) + spent
        total = sum(self.role_seconds.values())
        # A process reads low or high by up to a tick at either end.
        slack = 2 * len(after.ticks) / TICKS_PER_SECOND + 0.02 * self.tick_seconds
        self.clocks_agree = abs(total - self.tick_seconds) <= slack
        self.seconds = total if self.clocks_agree else self.tick_seconds
        self.clock = "schedstat" if fine and self.clocks_agree else "utime+stime"


def private_bytes(pids):
    """Memory that no other process shares: what would come back if these ended."""
    kib = 0
    for pid in pids:
        rollup = _read(f"/proc/{pid}/smaps_rollup")
        if rollup is None:
            raise RuntimeError(f"cannot read /proc/{pid}/smaps_rollup: run as the owner of the process")
        for line in rollup.splitlines():
            if line.startswith((b"Private_Clean:", b"Private_Dirty:")):
                kib += int(line.split()[1])
    return kib * 1024
