"""Reload after reload to other numbers of workers and routers, under load, with kill -9 of children in
between: every shard's rows find their way, whoever owns them by then."""
import random
import signal
import threading
import time

from . import ending
from .cluster import Cluster, Trouble, running, send
from .load import Answers, Load
from .outage import tell_answers
from .verdict import Progress
from .watch import Watch

WORKERS_MAX = 8
CHILDREN = ("router", "worker", "local-firehose")
#: As of trials with kills: those cut off are not answered.
ANSWERED_SHARE_MIN = 0.6


def run(options, folder, verdict):
    cluster = Cluster(options.binary, f"{folder}/cluster", [f"ack={options.ack}", *options.set])
    configure(cluster, 4, 1)
    with running(cluster) as beside:
        watch = beside(Watch(cluster))
        # Until it is ended: how long the reloads take is not known.
        load = beside(Load(
            options.binary, folder, cluster.port, options.rate, options.seconds * 3 + 60,
            options.seed))
        sizes, deaths, refused = resize_in_turn(options, cluster)
        verdict.note("sizes", " ".join(f"{workers}w{routers}r" for workers, routers in sizes))
        verdict.note("kills", f"{len(deaths)}; {len(refused)} reloads came to nothing")
        verdict.must(len(refused) < len(sizes) / 2, f"reloads that came to nothing: {refused}")
        # All shards there ever were, each with an owner.
        configure(cluster, WORKERS_MAX, 1)
        last = reload(cluster)
        verdict.must(last is None, f"the last reload: {last}")
        ending.recover(cluster, verdict)
        trouble = load.interrupt()
        if trouble:
            raise Trouble(trouble)
        tell_answers(verdict, Answers(load.result()), ANSWERED_SHARE_MIN)
        # A worker that is replaced leaves like a dead one.
        ending.count_all(
            options, cluster, load, watch, len(deaths) + len(sizes), verdict, workers=WORKERS_MAX)


def configure(cluster, workers, routers):
    with open(f"{cluster.folder}/hydrant.toml", "w", encoding="utf-8") as file:
        file.write(f"workers = {workers}\nrouters = {routers}\n")


def reload(cluster):
    """None, or why it came to nothing."""
    done = cluster.command("reload", timeout=60)
    return None if done.returncode == 0 else f"exit {done.returncode}: {done.stderr.strip()}"


def resize_in_turn(options, cluster):
    draw, progress, started = random.Random(options.seed), Progress(), time.monotonic()
    sizes, refused, deaths = [], [], []
    while (gone := time.monotonic() - started) < options.seconds:
        # 4 to 2 to 8 first; then anything.
        workers = (2, WORKERS_MAX)[len(sizes)] if len(sizes) < 2 else draw.randint(1, WORKERS_MAX)
        sizes.append((workers, draw.randint(1, 3)))
        configure(cluster, *sizes[-1])
        # Somewhere in the reload, or soon after it.
        killer = threading.Timer(
            draw.uniform(0, 1.5), kill_one, [cluster, draw.choice(CHILDREN), draw.random(), deaths])
        killer.start()
        trouble = reload(cluster)
        killer.join()
        if trouble:
            refused.append(trouble)
        progress.show(f"{gone:4.0f} s  {len(sizes)} reloads, {len(deaths)} kills")
        time.sleep(draw.uniform(0, 1))
    progress.end()
    return sizes, deaths, refused


def kill_one(cluster, role, lot, deaths):
    pids = sorted(cluster.pids()[role])
    if pids and send(pids[int(lot * len(pids))], signal.SIGKILL):
        deaths.append(role)
