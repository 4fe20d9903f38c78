"""Firehose is away for a while: hits are taken all the same, the backlog is on disk only, and once
Firehose is back it shrinks though the load goes on."""
import time

from . import ending, judge
from .cluster import Trouble
from .farside import FarSide
from .load import Answers, Load
from .memory import Memory
from .verdict import Progress
from .watch import Watch

#: The back-off's longest pause, and then some.
RETURN_SECONDS = 45
ANSWERED_SHARE_MIN = 0.999
#: Less than so many seconds of intake wait: it has caught up, the rest is the linger.
CAUGHT_UP_SECONDS = 3


def run(options, folder, verdict):
    far = FarSide(options, folder)
    cluster = load = watch = memory = None
    try:
        far.come()
        cluster = far.client(options, folder)
        far.go()
        cluster.launch()
        cluster.wait_ready()
        watch = Watch(cluster)
        # Until it is ended: how long catching up takes is not known.
        load = Load(options.binary, folder, cluster.port, options.rate,
                    options.seconds * 3 + RETURN_SECONDS + 60, options.seed)
        memory = Memory(named(cluster.pids()))
        stay_away(options, watch)
        memory.end()
        # The last two thirds: by then every buffer has been used.
        memory.tell(verdict, options.seconds / 3, options.growth_max * 1e6)
        far.come()
        catch_up(options, watch, verdict)
        trouble = load.interrupt()
        if trouble:
            raise Trouble(trouble)
        tell_answers(verdict, Answers(load.result()), ANSWERED_SHARE_MIN)
        count_all(options, cluster, far, load, watch, verdict)
    finally:
        for running in (memory, watch, load):
            if running:
                running.end()
        for each in (cluster, far.cluster):
            if each:
                each.kill_all()


def named(pids):
    return {f"{role} {at}": pid for role in ("router", "worker") for at, pid in enumerate(pids[role])}


def tell_answers(verdict, answers, share_min):
    verdict.note("offered", f"{answers.offered:,}, answered 200 or 400: {answers.share:.2%}")
    verdict.note("answers", answers.words())
    verdict.must(answers.share >= share_min, f"only {answers.share:.2%} of the hits were answered")


def stay_away(options, watch):
    progress, started = Progress(), time.monotonic()
    while (gone := time.monotonic() - started) < options.seconds:
        ledger = watch.last["ledger"] if watch.last else {"accepted": 0, "spooled": 0}
        progress.show(f"{gone:4.0f} s without Firehose  spooled {ledger['spooled']:,}")
        time.sleep(0.1)
    progress.end()


def catch_up(options, watch, verdict):
    """Waits until next to nothing is spooled, with the load still on."""
    back, most = time.monotonic(), watch.last["ledger"]["spooled"]
    first = len(watch.ledgers)
    limit = RETURN_SECONDS + options.seconds
    enough = options.rate * CAUGHT_UP_SECONDS
    verdict.must(most > enough, f"only {most:,} rows were spooled: that was no outage")
    progress = Progress()
    while watch.last["ledger"]["spooled"] > enough:
        if time.monotonic() - back > limit:
            verdict.fault(f"not caught up {limit} s after Firehose came back: "
                          f"{watch.last['ledger']['spooled']:,} of {most:,} rows are still spooled")
            return
        progress.show(f"Firehose is back  spooled {watch.last['ledger']['spooled']:,}")
        time.sleep(0.1)
    progress.end()
    looks = watch.ledgers[first - 1:]
    # From the last look before anything was delivered.
    begin = max((at for at, (_, ledger) in enumerate(looks)
                 if ledger["delivered"] == looks[0][1]["delivered"]), default=0)
    (start, before), (end, after) = looks[begin], looks[-1]
    seconds = max(end - start, 0.001)
    delivered = (after["delivered"] - before["delivered"]) / seconds
    taken = (after["accepted"] - before["accepted"]) / seconds
    verdict.note("caught up", f"{most:,} rows, {time.monotonic() - back:.1f} s after Firehose came back; "
                 f"delivered {delivered:,.0f}/s while {taken:,.0f}/s came")
    verdict.must(delivered > taken, "it was delivered no faster than it came")


def count_all(options, cluster, far, load, watch, verdict):
    """As `ending.count_all`, with the rows in two places."""
    status = ending.drain(cluster, watch, verdict)
    # What Firehose has taken is to be in its objects.
    stuck = far.cluster.flush(300)
    verdict.must(stuck is None, f"flush of the Firehose's cluster: {stuck}")
    ending.leave(cluster, verdict)
    ending.leave(far.cluster, verdict)
    judge.judge(verdict, options.binary, load.ledger, [[cluster.data, far.data]])
    # Nobody died: a call that Firehose's leaving cut off is all that can have come twice.
    judge.rows_once_each(verdict, far.data, status, 1, lanes=2 * options.workers)
