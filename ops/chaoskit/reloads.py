"""Reload after reload under load: no request of a keep-alive client fails, and nothing is left behind
of what was replaced."""
import os
import time

from . import ending
from .cluster import Cluster, Trouble
from .load import Answers, Load
from .outage import tell_answers
from .resize import reload
from .verdict import Progress
from .watch import Watch

#: What the generator itself could not send in time is told, and is no failed request.
NOT_FAILED = {"dropped"}
ANSWERED_SHARE_MIN = 0.999


def run(options, folder, verdict):
    settings = [f"workers={options.workers}", f"ack={options.ack}", *options.set]
    cluster = Cluster(options.binary, f"{folder}/cluster", settings)
    load = watch = None
    try:
        cluster.launch()
        cluster.wait_ready()
        watch = Watch(cluster)
        # Until it is ended: how long the reloads take is not known.
        load = Load(options.binary, folder, cluster.port, options.rate, options.rounds * 10 + 60, options.seed)
        time.sleep(1)
        had, took = open_files(cluster), reload_in_turn(options, cluster, verdict)
        verdict.note("reloads", f"{len(took)}, {sorted(took)[len(took) // 2]:.2f} s each (median), "
                     f"{max(took):.2f} s (longest)")
        ending.recover(cluster, verdict)
        has = open_files(cluster)
        verdict.note("descriptors", f"of the supervisor: {had} before, {has} after")
        verdict.must(has <= had + 2, f"the supervisor had {had} descriptors and now has {has}")
        trouble = load.interrupt()
        if trouble:
            raise Trouble(trouble)
        tell_failures(verdict, Answers(load.result()))
        # A worker that is replaced leaves like a dead one.
        ending.count_all(options, cluster, load, watch, len(took) * options.workers, verdict)
    finally:
        for running in (load, watch):
            if running:
                running.end()
        cluster.kill_all()


def reload_in_turn(options, cluster, verdict):
    progress, took = Progress(), []
    for done in range(options.rounds):
        started = time.monotonic()
        trouble = reload(cluster)
        verdict.must(trouble is None, f"reload {done + 1}: {trouble}")
        took.append(time.monotonic() - started)
        progress.show(f"{done + 1} of {options.rounds} reloads")
    progress.end()
    return took


def tell_failures(verdict, answers):
    tell_answers(verdict, answers, ANSWERED_SHARE_MIN)
    failed = {name: count for name, count in answers.counters.items() if count and name not in NOT_FAILED}
    failed |= {status: count for status, count in answers.statuses.items() if count and status not in ("200", "400")}
    verdict.must(not failed, f"failed requests: {failed}")


def open_files(cluster):
    return len(os.listdir(f"/proc/{cluster.process.pid}/fd"))
