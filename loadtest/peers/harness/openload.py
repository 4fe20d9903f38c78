"""Open-loop load by Hydrant's own generator: latency at a given rate, and the highest rate that holds."""
import csv
import json
import os
import statistics
import subprocess
import tempfile

from . import measure, rows, traffic

#: Good hits, one at a time on 64 connections that stay open, at even times.
SCENARIO = "pixel"
#: What a server must hold to count as keeping a rate.
CONDITION = "p99<10ms,errors<0.1%"
TRIAL_SECONDS = 2
#: A latency's tail is made of what the machine's host took away (steal), even if that was 1% of the
#: time. So latencies are of calm seconds alone, in which it took none: the median of their p99s, because a
#: stall that no counter shows then decides one second and not the round. A round in which a server had
#: fewer of them than this is measured again.
CALM_SECONDS_LEAST = 2
#: How many rounds are tried for each that is wanted.
TRIES = 5


class OpenRound:
    """One open-loop load on one server, as the generator saw it."""

    def __init__(self, result, seconds):
        """`seconds`: the lines of its --csv."""
        figures = result["figures"]
        calm = calm_p99s_ms(seconds)
        self.calm_seconds = len(calm)
        self.p99_ms = statistics.median(calm) if calm else float("inf")
        #: Of all answers in calm seconds together, and of all answers.
        self.joint_p99_ms = figures["calmResponseMilliseconds"].get("p99", float("inf"))
        self.whole_p99_ms = figures["responseMilliseconds"].get("p99", float("inf"))
        self.schedule_p99_ms = figures["scheduleMilliseconds"].get("p99", float("inf"))
        self.asked, self.answered = figures["askedRate"], figures["answeredRate"]
        self.errors = figures["errors"] + result["totals"]["counters"].get("dropped", 0)


def calm_p99s_ms(seconds):
    """The p99 of each second in which the host took nothing, nor in the one before."""
    found, before = [], 0.0
    for second in seconds:
        stolen = float(second["stolen_percent"] or "inf")
        if stolen == 0 and before == 0 and second["response_p99_ms"]:
            found.append(float(second["response_p99_ms"]))
        before = stolen
    return found


class OpenSide:
    """All such rounds of one server."""

    def __init__(self, name):
        self.name, self.rounds = name, []

    def sample(self, get):
        return rows.Sample([get(one) for one in self.rounds])

    @property
    def p99_ms(self):
        return self.sample(lambda one: one.p99_ms)

    def complaints(self):
        errors = sum(one.errors for one in self.rounds)
        return f"{errors:,} requests to {self.name} failed or were never sent" if errors else ""

    def json(self):
        return {
            "p99_ms": self.p99_ms.json(),
            "joint_p99_ms": self.sample(lambda one: one.joint_p99_ms).json(),
            "whole_p99_ms": self.sample(lambda one: one.whole_p99_ms).json(),
            "calm_seconds": self.sample(lambda one: one.calm_seconds).json(),
            "schedule_p99_ms": self.sample(lambda one: one.schedule_p99_ms).json(),
            "answered_per_second": self.sample(lambda one: one.answered).json(),
            "complaints": self.complaints(),
        }


class Peak:
    """The highest rate at which the condition held when repeated."""

    def __init__(self, search):
        self.rate, self.lowest, self.highest = search.get("rate"), search.get("lowest"), search.get("highest")
        self.trials = len(search["trials"])

    def json(self):
        return {"rate": self.rate, "answered_lowest": self.lowest, "answered_highest": self.highest, "trials": self.trials}


def generate(binary, port, options, seconds):
    """Runs `hydrant load` and returns its JSON. 99 is its word for a condition that did not hold."""
    command = [binary, "load", f"http://127.0.0.1:{port}{traffic.PATH}", "--scenario", SCENARIO, "--json", "--quiet", *options]
    done = subprocess.run(command, capture_output=True, text=True, timeout=seconds)
    if done.returncode not in (0, 99):
        raise RuntimeError(f"hydrant load ended with {done.returncode}: {done.stderr.strip()}")
    return json.loads(done.stdout)


def top_rate(server, script, seconds, rounds=3):
    """What the server answers to a closed loop, a second: the median of some rounds."""
    return rows.Sample([measure.one_round(server, script, seconds).load.rate for _ in range(rounds)]).median


def one_round(binary, port, rate, seconds):
    with tempfile.TemporaryDirectory(prefix="hydrant-open-") as folder:
        path = os.path.join(folder, "seconds.csv")
        result = generate(binary, port, ["-R", str(round(rate)), "-z", f"{seconds}s", "-o", path], seconds + 60)
        with open(path, newline="") as file:
            return OpenRound(result, list(csv.DictReader(file)))


def run(binary, servers, rate, rounds, seconds, report):
    """{name: OpenSide} at that rate, the servers in turn, each round beginning with another. Only rounds
    with enough calm seconds count, and a server that has as many as are wanted rests; one may end with
    fewer."""
    sides, names = {name: OpenSide(name) for name in servers}, list(servers)
    for at in range(TRIES * rounds):
        for name in names[at % len(names) :] + names[: at % len(names)]:
            if len(sides[name].rounds) == rounds:
                continue
            one = one_round(binary, servers[name].port, rate, seconds)
            servers[name].settle()
            servers[name].clear()
            is_calm = one.calm_seconds >= CALM_SECONDS_LEAST
            report(f"open round {at + 1}, {name} at {rate:,.0f}/s: p99 {one.p99_ms:.2f} ms in {one.calm_seconds} calm seconds "
                   f"(together {one.joint_p99_ms:.2f}, all seconds {one.whole_p99_ms:.2f})" + ("" if is_calm else "  not counted"))
            if is_calm:
                sides[name].rounds.append(one)
    least = min(len(side.rounds) for side in sides.values())
    for side in sides.values():
        del side.rounds[least:]  # round by round beside each other
    return sides


def peak(binary, server, start):
    result = generate(binary, server.port, ["--find-max", CONDITION, "-R", str(round(start)), "-z", f"{TRIAL_SECONDS}s"], 600)
    server.settle()
    server.clear()
    return Peak(result["search"])
