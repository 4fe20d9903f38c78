"""The stream of bad rows does not exist: they wait in the spool, and good rows do not notice. Once it
exists they are delivered by themselves."""
import re
import subprocess
import time

from . import outage
from .cluster import Trouble
from .farside import FarSide
from .load import Answers, Load
from .verdict import Progress
from .watch import Watch

BAD_STREAM = "firehose.bad_stream=elsewhere-{shard}"
#: What good rows wait for at most: a second of company, a call, a look at the status.
WAITING_SECONDS_MAX = 5


def run(options, folder, verdict):
    far = FarSide(options, folder)
    cluster = load = watch = None
    try:
        far.come()
        cluster = far.client(options, folder, [BAD_STREAM])
        cluster.launch()
        cluster.wait_ready()
        watch = Watch(cluster)
        load = Load(options.binary, folder, cluster.port, options.rate, options.seconds,
                    options.seed, scenario=many_bad_hits(options, folder))
        good_rows_pass(options, load, watch, verdict)
        outage.tell_answers(verdict, Answers(load.result()), outage.ANSWERED_SHARE_MIN)
        far.go()
        far.cluster.settings.append(BAD_STREAM)
        far.come()
        outage.count_all(options, cluster, far, load, watch, verdict)
    finally:
        for running in (watch, load):
            if running:
                running.end()
        for each in (cluster, far.cluster):
            if each:
                each.kill_all()


def many_bad_hits(options, folder):
    """A scenario with every fifth hit a bad one."""
    done = subprocess.run(
        [options.binary, "load", "scenarios", "adtech"], stdin=subprocess.DEVNULL,
        capture_output=True, text=True, timeout=30, check=True)
    text, count = re.subn(r"(\[bad\]\nshare = )[0-9.]+", r"\g<1>0.2", done.stdout)
    if count != 1:
        raise Trouble("the scenario adtech has no share of bad hits to change")
    path = f"{folder}/scenario.toml"
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    return path


def good_rows_pass(options, load, watch, verdict):
    progress, most = Progress(), 0
    while load.is_running():
        ledger = watch.last["ledger"] if watch.last else {"spooled": 0, "bad_spooled": 0}
        most = max(most, ledger["spooled"])
        progress.show(f"good rows waiting {ledger['spooled']:,}, bad rows {ledger['bad_spooled']:,}")
        time.sleep(0.1)
    progress.end()
    trouble = load.wait()
    if trouble:
        raise Trouble(trouble)
    time.sleep(2 * watch.every)
    ledger, shards = watch.last["ledger"], watch.last["shards"]
    verdict.note("meanwhile", f"{most:,} good rows waited at most; {ledger['bad_spooled']:,} bad rows wait")
    verdict.must(most <= options.rate * WAITING_SECONDS_MAX, f"{most:,} good rows waited")
    verdict.must(ledger["bad"] > 0, "there were no bad hits")
    verdict.must(ledger["bad_spooled"] == ledger["bad"], "bad rows went somewhere")
    for shard in shards:
        said = shard["bad_delivery"]["last_error"] or "nothing"
        verdict.must("ResourceNotFound" in said, f"shard {shard['shard']} says of its bad lane: {said}")
        said = shard["delivery"]["last_error"]
        verdict.must(not said, f"shard {shard['shard']} says of its good lane: {said}")
