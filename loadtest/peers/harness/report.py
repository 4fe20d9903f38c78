"""The result as a table, as JSON and as a picture."""
import json

from . import chart, openload, rows

LABELS = {
    "hydrant-1": "Hydrant, 1 worker", "hydrant-2": "Hydrant, 2 workers", "hydrant-8": "Hydrant, 8 workers",
    "hydrant-1-fsync": "Hydrant, 1 worker, ack = fsync", "hydrant-1-received": "Hydrant, 1 worker, ack = received",
    "empty": "no spool", "full": "that spool",
    "nginx": "nginx + JSON log", "floor": "bare libuv", "article": "the article's Node server",
}


def _spread(sample, form):
    return f"{format(sample.median, form)} ({format(sample.low, form)}–{format(sample.high, form)})"


def machine_line(result):
    machine = result.machine
    sha = "with" if machine["sha_extensions"] else "without"
    return (
        f"{machine['cpu']} (family/model/stepping {machine['cpu_model']}, {sha} SHA extensions), "
        f"{machine['cores']} cores, {machine['memory_gib']:g} GiB, Linux {machine['kernel']}"
    )


def _rows_table(result):
    lines = ["| # | Figure | Median (spread) | Must | | Aim | |", "|--:|---|---|---|---|---|---|"]
    for row in result.rows:
        if row.sample is None:
            value = "not measured"
        else:
            value = f"{row.show(row.sample.median)} ({row.show_end(row.sample.low)}–{row.show_end(row.sample.high)})"
        figure = row.figure + (f" ({row.note})" if row.note else "")
        lines.append(
            f"| {row.number} | {figure} | {value} | {row.show_bound(row.must)} | {row.verdict(row.must)} "
            f"| {row.show_bound(row.aim)} | {row.verdict(row.aim)} |"
        )
    return lines


def _sides_table(sides):
    syncs = any(side.sync_milliseconds for side in sides.values())
    lines = ["| Server | CPU, µs a hit | Hits a second | Where the CPU went, µs |" + (" Sync p50, ms |" if syncs else ""),
             "|---|---|---|---|" + ("---|" if syncs else "")]
    for name, side in sides.items():
        roles = side.json()["cpu_us_per_hit_by_role"]
        shares = ", ".join(f"{role} {spent:.2f}" for role, spent in sorted(roles.items(), key=lambda one: -one[1])) if len(roles) > 1 else ""
        lines.append(f"| {LABELS.get(name, name)} | {_spread(side.microseconds, '.2f')} | {_spread(side.rate, ',.0f')} | {shares} |"
                     + (f" {_spread(side.sync_milliseconds, '.2f') if side.sync_milliseconds else ''} |" if syncs else ""))
    return lines


def _open_tables(result):
    out = [f"## Open loop at {result.open_rate:,.0f} hits a second, half of nginx's top rate", "",
           "Response time counts from when a hit was due; the schedule error is the generator's own. A round's p99 is the median of "
           "the p99s of its calm seconds, in which the machine's host took no CPU time (steal); beside it are the p99 of all its "
           "calm seconds together and of everything.", "",
           "| Server | p99, ms | Calm seconds together, ms | All seconds, ms | Schedule error p99, ms | Rounds |", "|---|---|---|---|---|--:|"]
    for name, side in result.open.items():
        columns = [side.p99_ms] + [side.sample(get) for get in (
            lambda one: one.joint_p99_ms, lambda one: one.whole_p99_ms, lambda one: one.schedule_p99_ms)]
        out.append(f"| {LABELS.get(name, name)} | {' | '.join(_spread(one, '.2f') for one in columns)} | {len(side.rounds)} |")
    out += ["", f"## The highest rate that holds {openload.CONDITION}", "",
            f"Found by bisection with {openload.TRIAL_SECONDS} s a trial, then repeated; the generator shares the machine.", "",
            "| Server | Hits a second | Answered in the repeats |", "|---|--:|---|"]
    for name, peak in result.peaks.items():
        spread = f"{peak.lowest:,.0f}–{peak.highest:,.0f}" if peak.rate else ""
        out.append(f"| {LABELS.get(name, name)} | {f'{peak.rate:,.0f}' if peak.rate else 'none'} | {spread} |")
    return [*out, ""]


def _billing_table(result):
    out = [f"## What Firehose bills, {result.billing_seconds} s at a steady rate", "",
           "A cluster of one worker for each round, all at the same time, `delivery.linger` as in production; the flush at the end is "
           "in the figure.", "",
           "| Hits a second and shard | Billed over row bytes | Rows, B | Records, KiB | Clusters |", "|--:|---|---|---|--:|"]
    for rate, bills in result.bills.items():
        columns = [_spread(rows.Sample([get(bill) for bill in bills]), form) for get, form in (
            (lambda bill: bill.ratio, ".4f"), (lambda bill: bill.row_bytes, ".0f"), (lambda bill: bill.record_kib, ".0f"))]
        out.append(f"| {rate:,} | {' | '.join(columns)} | {len(bills)} |")
    return [*out, ""]


def _delivery_table(result):
    columns = [_spread(rows.Sample([get(one) for one in result.deliveries]), ".2f") for get in (
        lambda one: one.microseconds, lambda one: one.core_percent, lambda one: one.bytes_per_second / 2**20)]
    row_bytes = rows.Sample([one.row_bytes for one in result.deliveries])
    sha = "with" if result.machine["sha_extensions"] else "without"
    return [
        "## Delivery over TLS, from a backlog, at the quota of 5 MiB/s", "",
        f"All the CPU that the worker's process spends meanwhile, reading the spool included, on {result.machine['cpu']} "
        f"({sha} SHA extensions); rows of {_spread(row_bytes, '.0f')} B.", "",
        "| Worker, µs a hit | % of a core at 5 MiB/s | Delivered, MiB/s | Rounds |", "|---|---|---|--:|",
        f"| {' | '.join(columns)} | {len(result.deliveries)} |", "",
        *_delivery_parts(result),
        *_crypto_floor(result),
    ]


def _delivery_parts(result):
    shared = [one for one in result.deliveries if one.shares]
    if not shared:
        return []
    parts = [(name, rows.Sample([one.part_microseconds(name) for one in shared]))
             for name in {name for one in shared for name in one.shares}]
    return [
        "Where it goes, by a profile of one more backlog after each:", "", "| Part | µs a hit |", "|---|---|",
        *(f"| {name} | {_spread(sample, '.2f')} |" for name, sample in sorted(parts, key=lambda part: -part[1].median)), "",
    ]


def _crypto_floor(result):
    speeds = result.crypto_speeds
    if not speeds:
        return []
    row_bytes = rows.Sample([one.row_bytes for one in result.deliveries]).median
    alone = rows.Sample([speed.microseconds(row_bytes) for speed in speeds])
    hashed, sealed = (rows.Sample([get(speed) / 1e9 for speed in speeds]) for get in (lambda one: one.hash, lambda one: one.cipher))
    return [
        f"OpenSSL alone, by `openssl speed` after each round: SHA-256 {_spread(hashed, '.2f')} GB/s, AES-128-GCM "
        f"{_spread(sealed, '.2f')} GB/s, so hashing and encrypting a row's base64 takes {_spread(alone, '.2f')} µs.", "",
    ]


def markdown(result):
    options = result.options
    out = [
        f"# Measured {result.when}", "",
        f"{machine_line(result)}. Hydrant {result.versions['hydrant']}, nginx {result.versions['nginx']}, "
        f"libuv {result.versions['libuv']}, Node {result.versions['node']}, wrk {result.versions['wrk']}. "
        f"Medians of {options['rounds']} paired rounds of {options['seconds']} s; spread is the least and the greatest round. "
        "How to read this: [loadtest/peers/README.md](../peers/README.md).", "",
        *_rows_table(result), "",
    ]
    if result.stand_in:
        out[2:2] = ["**Not Hydrant:** a bare libuv responder stood in for it, to try the harness.", ""]
    for row in result.rows:
        if row.void:
            out += [f"Row {row.number} is void: {row.void}.", ""]
    if result.plain:
        out += ["## One request at a time on 64 connections", "", *_sides_table(result.plain), ""]
    if result.pipelined:
        out += ["## 16 requests in flight on each of 64 connections", "", *_sides_table(result.pipelined), ""]
    if result.open:
        out += _open_tables(result)
    if result.synced:
        out += [f"## One request at a time on {result.sync_connections:,} connections, spool on {result.machine['spool_on']}", "",
                *_sides_table(result.synced), ""]
    if result.starts:
        out += [f"## Start with {result.spool_bytes / 1e9:.2f} GB of spool in {result.spool_files} files, after kill -9 and with a cold page cache", "",
                "| Finds | From exec to the first answer, ms |", "|---|---|"]
        out += [f"| {LABELS[name]} | {_spread(sample, ',.0f')} |" for name, sample in result.starts.items()] + [""]
    if result.bills:
        out += _billing_table(result)
    if result.deliveries:
        out += _delivery_table(result)
    if result.idle:
        out += [f"## {result.idle_connections:,} idle connections", "", "| Server | Private memory a connection, KiB |", "|---|---|"]
        out += [f"| {LABELS.get(name, name)} | {_spread(sample, '.2f')} |" for name, sample in result.idle.items()]
        out += [""]
    for name, hits in result.hits_per_worker.items():
        out += [f"Hits per worker, {LABELS.get(name, name)}: " + ", ".join(f"{shard}: {count:,}" for shard, count in hits.items()) + ".", ""]
    return "\n".join(out)


def to_json(result):
    return json.dumps({
        "format": 1, "when": result.when, "machine": result.machine, "versions": result.versions, "options": result.options,
        "stand_in": result.stand_in, "rows": [row.json() for row in result.rows],
        "plain": {name: side.json() for name, side in result.plain.items()},
        "pipelined": {name: side.json() for name, side in result.pipelined.items()},
        "open_rate": result.open_rate, "open": {name: side.json() for name, side in result.open.items()},
        "peaks": {"condition": openload.CONDITION, **{name: peak.json() for name, peak in result.peaks.items()}},
        "synced": {name: side.json() for name, side in result.synced.items()}, "sync_connections": result.sync_connections,
        "start_ms": {name: sample.json() for name, sample in result.starts.items()}, "spool_bytes": result.spool_bytes,
        "bills": {rate: [vars(bill) for bill in bills] for rate, bills in result.bills.items()},
        "billing_seconds": result.billing_seconds,
        "deliveries": [vars(one) for one in result.deliveries], "backlog_seconds": result.backlog_seconds,
        "crypto_bytes_per_second": [vars(one) for one in result.crypto_speeds],
        "idle_kib_per_connection": {name: sample.json() for name, sample in result.idle.items()},
        "idle_connections": result.idle_connections, "hits_per_worker": result.hits_per_worker,
    }, indent=2) + "\n"


def svg(result):
    """Empty where nothing was measured that has a picture."""
    def bar(name, sample):
        return chart.Bar(LABELS.get(name, name), sample.median, sample.low, sample.high, name.startswith("hydrant"))

    panels = []
    if result.plain:
        panels.append(chart.Panel("CPU a hit", "µs of all its processes, less is better", "{:.1f}",
                                  [bar(name, side.microseconds) for name, side in result.plain.items()]))
    if result.pipelined:
        panels.append(chart.Panel("Hits a second with 16 pipelined", "more is better", "{:,.0f}",
                                  [bar(name, side.rate) for name, side in result.pipelined.items()]))
    if result.idle:
        panels.append(chart.Panel("Memory of an idle connection", "KiB private to the server's processes, less is better", "{:.2f}",
                                  [bar(name, sample) for name, sample in result.idle.items()]))
    if not panels:
        return ""
    title = "Hydrant beside its peers" if not result.stand_in else "The harness, tried with a stand-in"
    sha = "SHA extensions" if result.machine["sha_extensions"] else "no SHA extensions"
    foot = [
        f"{result.machine['cpu']}, {result.machine['cores']} cores, {sha}. {result.when}.",
        f"Bars are medians of {result.options['rounds']} rounds; the line across one spans its least and greatest round.",
    ]
    return chart.draw(title, foot, panels)
