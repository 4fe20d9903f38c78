"""How a trial ends: the faults are over, all is well again by itself, and everything is counted."""
import time

from . import judge
from .cluster import Trouble

RECOVERY_SECONDS = 10


def recover(cluster, verdict):
    """Ready again without help, and soon."""
    seconds = cluster.wait_ready(revive=True)
    verdict.note("ready again", f"after {seconds:.1f} s")
    verdict.must(seconds <= RECOVERY_SECONDS, f"ready only {seconds:.1f} s after the last fault")


def settle(cluster):
    """Until nothing more is being accepted: a client that was cut off may have left hits between
    router and spool, and a flush answers only for what was accepted before it."""
    last = None
    for _ in range(30):
        status = cluster.status()
        now = status and status["ledger"]["accepted"]
        if now is not None and now == last:
            return
        last = now
        time.sleep(0.3)


def drain(cluster, watch, verdict):
    """Waits until all is delivered and loaded; the status then."""
    settle(cluster)
    stuck = cluster.flush()
    verdict.must(stuck is None, f"flush: {stuck}")
    watch.end()
    status = cluster.status()
    if status is None:
        raise Trouble(f"no status after the flush; the cluster's log: {cluster.log}")
    watch.look(status)
    watch.tell(verdict)
    judge.ledger_closes(verdict, status)
    return status


def count_all(options, cluster, load, watch, deaths, verdict, workers=None):
    """Every hit that was answered is in its place. `deaths` may each have cut off the calls that
    were in flight."""
    verdict.must(cluster.answers_hit(), "a fresh hit is not answered 200")
    status = drain(cluster, watch, verdict)
    judge.judge(
        verdict, options.binary, load.ledger, [[f"{cluster.data}/warehouse.db"], [cluster.data]])
    judge.rows_once_each(verdict, cluster.data, status, deaths, lanes=2 * (workers or options.workers))
    leave(cluster, verdict)


def leave(cluster, verdict):
    code = cluster.stop()
    verdict.must(code == 0, f"`run` exited with {code} on SIGTERM; its log: {cluster.log}")
    left = cluster.left_behind()
    verdict.must(not left, f"processes left behind: {left}")
    codes = cluster.unasked_exits
    verdict.must(not codes, f"`run` exited by itself with {codes}; its log: {cluster.log}")
