"""Signals under load: processes that are stopped (SIGSTOP) for less and for more than the hang limit,
and storms of every signal that is not to end anything."""
import random
import signal
import time

from .cluster import open_files, send
from .outage import tell_answers
from .underload import tell_failures, under_load
from .verdict import Progress

#: A stop that ends by itself; and how long one that does not may last until the process is replaced.
SHORT_SECONDS, LONG_SECONDS_MAX = 5, 60
#: The hits of a stopped process wait, and are then refused or cut off.
ANSWERED_SHARE_MIN = 0.3
#: To the supervisor, a hundred times a second; SIGHUP is a reload.
FLOOD = [signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2, signal.SIGWINCH, signal.SIGPIPE, signal.SIGCHLD, signal.SIGALRM]
#: To each of its children, whom only the supervisor tells to leave.
CHILD_FLOOD = [*FLOOD, signal.SIGINT, signal.SIGQUIT]
#: A process that was just started has not had the time to ignore anything, and dies of it.
GROWN_SECONDS = 0.2


def hang(options, folder, verdict):
    def fault(cluster):
        draw, progress, replaced = random.Random(options.seed), Progress(), []
        for done in range(options.rounds):
            role = draw.choice(("worker", "worker", "router"))
            pid = draw.choice(sorted(cluster.pids()[role]))
            progress.show(f"{done + 1} of {options.rounds}: a {role} stands still")
            send(pid, signal.SIGSTOP)
            if done % 2 == 0:
                time.sleep(SHORT_SECONDS)
                send(pid, signal.SIGCONT)
            else:
                replaced.append(until_replaced(cluster, role, pid))
            time.sleep(3)
        progress.end()
        verdict.note("stood still", f"{options.rounds} times; those who stayed so were replaced after "
                     + ", ".join(f"{seconds:.1f} s" for seconds in replaced))
        verdict.must(max(replaced, default=0) < LONG_SECONDS_MAX,
                     f"a process that stood still was not replaced within {LONG_SECONDS_MAX} s")

    answers = under_load(options, folder, verdict, fault, deaths=options.rounds)
    tell_answers(verdict, answers, ANSWERED_SHARE_MIN)


def until_replaced(cluster, role, pid):
    started = time.monotonic()
    while (gone := time.monotonic() - started) < LONG_SECONDS_MAX:
        if pid not in (pids := cluster.pids()[role]) and pids and cluster.is_ready():
            break
        time.sleep(0.1)
    send(pid, signal.SIGCONT)
    return gone


def storm(options, folder, verdict):
    def fault(cluster):
        had = open_files(cluster)
        progress, started, sent, seen = Progress(), time.monotonic(), 0, {}
        while (gone := time.monotonic() - started) < options.seconds:
            for number in FLOOD:
                sent += send(cluster.process.pid, number)
            for role, pids in cluster.pids().items():
                grown = [pid for pid in pids if gone - seen.setdefault(pid, gone) >= GROWN_SECONDS]
                for pid in grown if role != "supervisor" else []:
                    for number in CHILD_FLOOD:
                        sent += send(pid, number)
            progress.show(f"{gone:4.0f} s  {sent:,} signals")
            time.sleep(0.01)
        progress.end()
        verdict.note("signals", f"{sent:,} in {gone:.0f} s")
        # The last reload comes to its end.
        cluster.wait_ready()
        time.sleep(3)
        has = open_files(cluster)
        verdict.must(has <= had + 2, f"the supervisor had {had} descriptors and now has {has}")
        counts = {role: len(pids) for role, pids in cluster.pids().items()}
        verdict.must(counts["worker"] == options.workers and counts["router"] == 1,
                     f"processes afterwards: {counts}")

    # Each reload replaces every worker as in a death.
    answers = under_load(options, folder, verdict, fault, deaths=10 * options.seconds * options.workers)
    tell_failures(verdict, answers)
