"""`hydrant load` beside the faults, its ledger, and what its result says."""
import json
import signal
import subprocess


class Load:
    def __init__(self, binary, folder, port, rate, seconds, seed, scenario="adtech"):
        self.folder, self.ledger = folder, f"{folder}/run.ledger"
        self._result, self._log = f"{folder}/load.json", f"{folder}/load.log"
        with open(self._log, "wb") as log:
            self.process = subprocess.Popen(
                [binary, "load", f"http://127.0.0.1:{port}", "--scenario", scenario,
                 "-R", str(rate), "-z", f"{seconds}s", "--seed", str(seed), "--timeout", "5s",
                 "--ledger", self.ledger, "-o", self._result, "--quiet"],
                cwd=folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                start_new_session=True)

    def is_running(self):
        return self.process.poll() is None

    def wait(self, seconds=60):
        """None, or why there is no result."""
        try:
            code = self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.process.send_signal(signal.SIGINT)
            return f"the load did not end in time; its output: {self._log}"
        return None if code == 0 else f"the load ended with {code}; its output: {self._log}"

    def interrupt(self, seconds=30):
        """Ends it as Ctrl-C does, which keeps its results; None, or why there are none."""
        self.process.send_signal(signal.SIGINT)
        code = self.process.wait(seconds)
        return None if code in (0, 130) else f"the load ended with {code}; its output: {self._log}"

    def end(self):
        if self.is_running():
            self.process.kill()
            self.process.wait()

    def result(self):
        with open(self._result, encoding="utf-8") as file:
            return json.load(file)


class Answers:
    """Of a result: what was offered, and how it was answered."""

    def __init__(self, result):
        counters = result["totals"]["counters"]
        self.statuses = result["totals"]["statuses"]
        self.offered = counters.get("due", 0)
        self.promised = self.statuses.get("200", 0) + self.statuses.get("400", 0)
        self.counters = {name: counters.get(name, 0) for name in (
            "dropped", "connectFailed", "connectionBroken", "timedOut", "answerMalformed")}

    @property
    def share(self):
        return self.promised / self.offered if self.offered else 0.0

    def words(self):
        kinds = [f"{status}: {count:,}" for status, count in sorted(self.statuses.items())]
        kinds += [f"{name}: {count:,}" for name, count in self.counters.items() if count]
        return ", ".join(kinds)
