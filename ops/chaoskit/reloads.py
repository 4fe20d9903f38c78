"""Reload after reload under load: no request of a keep-alive client fails, and nothing is left behind
of what was replaced."""
import time

from .cluster import open_files
from .resize import reload
from .underload import tell_failures, under_load
from .verdict import Progress


def run(options, folder, verdict):
    def fault(cluster):
        had, took = open_files(cluster), reload_in_turn(options, cluster, verdict)
        verdict.note("reloads", f"{len(took)}, {sorted(took)[len(took) // 2]:.2f} s each (median), "
                     f"{max(took):.2f} s (longest)")
        has = open_files(cluster)
        verdict.note("descriptors", f"of the supervisor: {had} before, {has} after")
        verdict.must(has <= had + 2, f"the supervisor had {had} descriptors and now has {has}")

    # A worker that is replaced leaves like a dead one.
    deaths = options.rounds * options.workers
    tell_failures(verdict, under_load(options, folder, verdict, fault, deaths))


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
