"""kill -9 of one process after another under load; then everything promised must be there."""
import signal
import time

from . import ending
from .cluster import ROLES, Trouble, send, trial_cluster
from .deck import Deck
from .load import Answers, Load
from .verdict import Progress
from .watch import Watch

ANSWERED_SHARE_MIN = 0.6


def run(options, folder, verdict):
    with trial_cluster(options, folder) as (cluster, beside):
        load = beside(Load(
            options.binary, folder, cluster.port, options.rate, options.seconds, options.seed))
        watch = beside(Watch(cluster))
        deck = kill_in_turn(options, cluster, load, watch)
        drawn = ", ".join(f"{role} {count}" for role, count in deck.drawn.items())
        verdict.note("kills", f"{sum(deck.drawn.values())}: {drawn}")
        for role, count in deck.drawn.items():
            verdict.must(count >= deck.least, f"{role} was killed {count} times, not {deck.least}")
        ending.recover(cluster, verdict)
        trouble = load.wait()
        if trouble:
            raise Trouble(trouble)
        answers = Answers(load.result())
        verdict.note("offered", f"{answers.offered:,}, answered 200 or 400: {answers.share:.1%}")
        verdict.note("answers", answers.words())
        verdict.must(
            answers.share >= ANSWERED_SHARE_MIN, f"only {answers.share:.1%} of the hits were answered")
        # A router's death ends no call to Firehose.
        deaths = sum(count for role, count in deck.drawn.items() if role != "router")
        ending.count_all(options, cluster, load, watch, deaths, verdict)


def kill_in_turn(options, cluster, load, watch):
    every = options.every_ms / 1000
    kills = int(options.seconds / every)
    least = options.least or -(-5 * options.seconds // 60)
    deck = Deck(options.seed, ROLES, "supervisor", least, kills)
    progress, started = Progress(), time.monotonic()
    for tick in range(kills):
        if not load.is_running() and tick < kills - 2:
            raise Trouble(load.wait() or "the load ended before the kills did")
        due = started + (tick + 1) * every
        while (left := due - time.monotonic()) > 0:
            cluster.revive()
            time.sleep(min(0.01, left))
        pids = {role: alive for role, alive in cluster.pids().items() if alive}
        role = deck.draw(pids, kills - tick)
        if role:
            send(deck.pick(pids[role]), signal.SIGKILL)
        if role == "supervisor":
            cluster.process.wait()
        accepted = watch.last["ledger"]["accepted"] if watch.last else 0
        progress.show(
            f"{time.monotonic() - started:4.0f} s  "
            + "  ".join(f"{role} {count}" for role, count in deck.drawn.items())
            + f"  accepted {accepted:,}")
    progress.end()
    cluster.revive()
    return deck
