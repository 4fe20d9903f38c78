"""kill -9 of all processes of a role at once, again and again, seen by clients that come every 10 ms.

Of routers: the listening socket is the supervisor's, so connections queue and none is refused. Of
workers: no connection is cut off, and a hit that cannot be stored in time is answered 503.
"""
import random
import signal
import time

from . import ending, judge
from .cluster import send, trial_cluster
from .probe import Probe
from .verdict import Progress
from .watch import Watch


def routers(options, folder, verdict):
    outcomes = run("router", options, folder, verdict)
    cut = outcomes.keys() - {"200", "cut off"}
    verdict.must(not cut, f"nobody who came may be {', '.join(sorted(cut))}")


def workers(options, folder, verdict):
    outcomes = run("worker", options, folder, verdict)
    other = outcomes.keys() - {"200", "503"}
    verdict.must(not other, f"only routers may die of it: {', '.join(sorted(other))}")


def run(role, options, folder, verdict):
    with trial_cluster(options, folder) as (cluster, beside):
        watch, probe = beside(Watch(cluster)), beside(Probe(cluster.port))
        moments = kill_in_turn(role, options, cluster)
        probe.end()
        outcomes = probe.outcomes()
        verdict.note("visits", ", ".join(f"{name}: {n:,}" for name, n in sorted(outcomes.items())))
        back = [probe.back_after(moment) for moment in moments]
        verdict.note("back", f"after {sorted(back)[len(back) // 2]:.3f} s (median), {max(back):.3f} s (longest)")
        verdict.must(max(back) <= options.back_limit,
                     f"back only after {max(back):.3f} s, the limit is {options.back_limit} s")
        verdict.must(all(visit.says_when for visit in probe.visits if visit.outcome == "503"),
                     "a 503 without Retry-After")
        ending.recover(cluster, verdict)
        status = ending.drain(cluster, watch, verdict)
        verdict.must(status["ledger"]["accepted"] >= outcomes["200"],
                     f"{outcomes['200']:,} were answered 200, {status['ledger']['accepted']:,} accepted")
        deaths = len(moments) if role == "worker" else 0
        judge.rows_once_each(verdict, cluster.data, status, deaths, lanes=2 * options.workers)
        ending.leave(cluster, verdict)
        return outcomes


def kill_in_turn(role, options, cluster):
    draw, progress, moments = random.Random(options.seed), Progress(), []
    for done in range(options.rounds):
        # A child that had been ready for a second is started again at once.
        time.sleep(draw.uniform(1.3, 1.8))
        pids = cluster.pids()[role]
        moments.append(time.monotonic())
        for pid in pids:
            send(pid, signal.SIGKILL)
        progress.show(f"{done + 1} of {options.rounds} times all {role}s")
    time.sleep(2)
    progress.end()
    return moments
