"""A new client every 10 ms, each with one hit: who was refused, who waited, and for how long."""
import collections
import socket
import threading
import time

EVERY_SECONDS = 0.01
ANSWER_SECONDS_MAX = 10

#: When it began and ended, and "200", "503", "refused", "cut off" or "no answer"; of a 503 whether
#: it said when to come back.
Visit = collections.namedtuple("Visit", "began ended outcome says_when")


class Probe:
    def __init__(self, port):
        self.port, self.visits, self._visitors = port, [], []
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def end(self):
        self._over.set()
        self._thread.join()
        for visitor in self._visitors:
            visitor.join()

    def _run(self):
        for number in range(1 << 30):
            if self._over.wait(EVERY_SECONDS):
                return
            visitor = threading.Thread(target=self._visit, args=(number,), daemon=True)
            visitor.start()
            self._visitors = [each for each in self._visitors if each.is_alive()] + [visitor]

    def _visit(self, number):
        began = time.monotonic()
        outcome, says_when = "cut off", False
        try:
            with socket.create_connection(("127.0.0.1", self.port), ANSWER_SECONDS_MAX) as client:
                client.sendall(b"GET /p.gif?event=probe&uid=%d HTTP/1.1\r\nHost: probe\r\n"
                               b"Connection: close\r\n\r\n" % number)
                head = b""
                while b"\r\n\r\n" not in head and (more := client.recv(4096)):
                    head += more
                if b"\r\n\r\n" in head:
                    outcome = head.split(b" ")[1].decode()
                    says_when = b"\r\nretry-after:" in head.lower()
        except ConnectionRefusedError:
            outcome = "refused"
        except TimeoutError:
            outcome = "no answer"
        except OSError:
            pass  # cut off
        self.visits.append(Visit(began, time.monotonic(), outcome, says_when))

    def outcomes(self):
        return collections.Counter(visit.outcome for visit in self.visits)

    def back_after(self, moment):
        """Seconds until the first answer 200 to somebody who came after `moment`."""
        answers = [visit.ended for visit in self.visits
                   if visit.began > moment and visit.outcome == "200"]
        return min(answers, default=float("inf")) - moment
