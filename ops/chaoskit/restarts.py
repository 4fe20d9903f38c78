"""kill -9 of everything at a random instant, again and again: each start is quick, and takes over
whatever the one before left."""
import random
import time

from . import ending
from .cluster import Trouble, trial_cluster
from .load import Answers, Load
from .verdict import Progress
from .watch import Watch

#: Of the rounds, how many let the start come to its end. The others are killed in it.
WHOLE_STARTS = 0.75
#: From the start to the kill; of a whole start, from its end.
LIFE_SECONDS = 0.6


def run(options, folder, verdict):
    with trial_cluster(options, folder) as (cluster, beside):
        watch = beside(Watch(cluster))
        # Until it is ended: how long the rounds take is not known.
        load = beside(Load(
            options.binary, folder, cluster.port, options.rate, int(options.rounds * 3 + 60),
            options.seed))
        starts = kill_all_in_turn(options, cluster)
        verdict.note("rounds", f"{options.rounds}, {options.rounds - len(starts)} of them killed while starting")
        if starts:
            starts.sort()
            verdict.note("starts", f"median {starts[len(starts) // 2]:.2f} s, longest {starts[-1]:.2f} s")
            verdict.must(starts[-1] <= options.back_limit,
                         f"a start took {starts[-1]:.2f} s, the limit is {options.back_limit} s")
        ending.recover(cluster, verdict)
        time.sleep(0.5)
        load.interrupt()
        answers = Answers(load.result())
        verdict.note("answers", answers.words())
        verdict.must(answers.promised > 0, "not a single hit was answered")
        ending.count_all(options, cluster, load, watch, options.rounds, verdict)


def kill_all_in_turn(options, cluster):
    """How long the starts took that were not killed before they were done, in seconds."""
    draw, progress, starts = random.Random(options.seed), Progress(), []
    for done in range(options.rounds):
        if draw.random() < WHOLE_STARTS:
            seconds = cluster.wait_ready()
            if done > 0:  # the first one was ready before the load began
                starts.append(seconds)
        time.sleep(draw.uniform(0, LIFE_SECONDS))
        if not cluster.is_running():
            raise Trouble(f"the cluster left by itself; its log: {cluster.log}")
        cluster.kill_all()
        cluster.launch()
        progress.show(f"round {done + 1} of {options.rounds}")
    progress.end()
    return starts
