"""What became of every hit that was answered, once the faults have ended."""
import glob
import gzip
import hashlib
import json
import subprocess

from .watch import closes

#: The largest call Firehose takes, before base64.
CALL_BYTES_MAX = 4 * 1024 * 1024


def held_against(binary, ledger, *places):
    """The findings of `hydrant load report`, and None or why there are none."""
    command = [binary, "load", "report", "--json", "--quiet", "--ledger", ledger]
    for place in places:
        command += ["--against", place]
    done = subprocess.run(
        command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=600, check=False)
    try:
        return json.loads(done.stdout), None
    except ValueError:
        return None, f"no findings (exit {done.returncode}): {done.stderr.strip()}"


def judge(verdict, binary, ledger, places):
    """Every promise kept, wherever the rows are looked for: a list of places, each one or several
    that hold the rows together."""
    for together in places:
        findings, trouble = held_against(binary, ledger, *together)
        name = " + ".join("/".join(place.split("/")[-2:]) for place in together)
        if trouble:
            verdict.fault(f"{name}: {trouble}")
            continue
        verdict.note(
            f"held against {name}", f"promised {findings['acked'] + findings['ackedBad']:,}, "
            f"delivered {findings['delivered']:,}, spooled {findings['spooled']:,}, "
            f"bad {findings['bad']:,}, lost {findings['lost']:,}, "
            f"re-sent {findings['resent']:,}")
        verdict.must(findings["lost"] == 0, f"{findings['lost']:,} lost: {findings['lostExamples']}")
        verdict.must(not findings["unreadable"], f"unreadable: {findings['unreadable']}")
        # Without an entry in a ledger that was read whole, a row was never sent.
        verdict.must(findings["unrecorded"] == 0, f"{findings['unrecorded']:,} rows were not sent")


def ledger_closes(verdict, status, is_drained=True):
    ledger = status["ledger"]
    words = ", ".join(f"{name} {ledger[name]:,}" for name in (
        "accepted", "delivered", "spooled", "bad", "dropped", "refused"))
    verdict.note("ledger", words)
    verdict.must(closes(ledger), f"the ledger does not close: {words}")
    for shard in status["shards"]:
        verdict.must(closes(shard), f"the ledger of shard {shard['shard']} does not close: {shard}")
    verdict.must(ledger["dropped"] == 0, f"{ledger['dropped']:,} dropped")
    if is_drained:
        verdict.must(ledger["spooled"] == 0 and ledger["bad_spooled"] == 0, f"not drained: {words}")


class Rows:
    """Every row of a cluster's objects: how often each id came, and whether always the same."""

    def __init__(self, data):
        self.distinct, self.again, self.again_bytes, self.differing = 0, 0, 0, []
        seen = {}
        for path in glob.glob(f"{glob.escape(data)}/s3/**/*.gz", recursive=True):
            with gzip.open(path, "rb") as rows:
                for row in rows:
                    self._take(seen, row)
        self.distinct = len(seen)

    def _take(self, seen, row):
        digest = hashlib.blake2b(row, digest_size=16).digest()
        first = seen.setdefault(json.loads(row)["id"], digest)
        if first is digest:
            return
        self.again += 1
        self.again_bytes += len(row)
        if first != digest and len(self.differing) < 5:
            self.differing.append(row.decode(errors="replace").strip())


def rows_once_each(verdict, data, status, kills, lanes):
    """The spool held each accepted hit once; what Firehose was given twice was in a call that was in
    flight at a death, and the same bytes."""
    rows = Rows(data)
    accepted = status["ledger"]["accepted"]
    verdict.note("rows", f"{rows.distinct:,} different ids of {accepted:,} accepted, "
                 f"{rows.again:,} delivered again ({rows.again_bytes:,} B)")
    verdict.must(
        rows.distinct == accepted,
        f"{accepted:,} accepted, and {rows.distinct:,} different ids: "
        + ("rows are missing, or the spool held hits twice" if accepted > rows.distinct else "rows nobody accepted"))
    verdict.must(not rows.differing, f"delivered again and not the same: {rows.differing}")
    bound = kills * lanes * CALL_BYTES_MAX
    verdict.must(
        rows.again_bytes <= bound,
        f"{rows.again_bytes:,} B delivered again; {kills} deaths explain {bound:,} B at most")
