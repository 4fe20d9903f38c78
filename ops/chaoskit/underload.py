"""A fault while the load goes on, for as long as it takes; and no request may fail, or few."""
import time

from . import ending
from .cluster import Trouble, trial_cluster
from .load import Answers, Load
from .outage import tell_answers
from .watch import Watch

ANSWERED_SHARE_MIN = 0.999
#: What the generator itself could not send in time is told, and is no failed request.
NOT_FAILED = {"dropped"}
#: Longer than any fault: the load is ended when that is over.
LOAD_SECONDS = 3600


def under_load(options, folder, verdict, fault, deaths):
    """The answers to the load that went on meanwhile, once all that was promised is counted."""
    with trial_cluster(options, folder) as (cluster, beside):
        watch = beside(Watch(cluster))
        load = beside(Load(
            options.binary, folder, cluster.port, options.rate, LOAD_SECONDS, options.seed))
        time.sleep(1)
        fault(cluster)
        ending.recover(cluster, verdict)
        trouble = load.interrupt()
        if trouble:
            raise Trouble(trouble)
        answers = Answers(load.result())
        ending.count_all(options, cluster, load, watch, deaths, verdict)
        return answers


def tell_failures(verdict, answers):
    tell_answers(verdict, answers, ANSWERED_SHARE_MIN)
    failed = {name: count for name, count in answers.counters.items() if count and name not in NOT_FAILED}
    failed |= {status: count for status, count in answers.statuses.items()
               if count and status not in ("200", "400")}
    verdict.must(not failed, f"failed requests: {failed}")
