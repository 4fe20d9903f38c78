"""The requests every server gets, and wrk, which sends them."""
import random
import re
import subprocess

REQUESTS = 16_384
CONNECTIONS = 64
PATH = "/p.gif"

BROWSERS = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{}.0.0.0 Safari/537.36",
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{}.0.0.0 Safari/537.36",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 14_4) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/{}.1 Safari/605.1.15",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_4 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/{}.0 Mobile/15E148",
)
EVENTS = ("load", "view", "click", "start", "complete", "close")
PLACES = ("homepage_top", "article_side", "video_preroll", "search_first")


def prepared_requests(count=REQUESTS, seed=20170117):
    """`count` GETs of about 420 B. Visitor, cache-buster and User-Agent differ from one to the
    next, so nothing a server remembers of one helps it with another."""
    draw = random.Random(seed)
    requests = []
    for _ in range(count):
        visitor = f"{draw.getrandbits(32):08x}-{draw.getrandbits(16):04x}-4{draw.getrandbits(12):03x}-a{draw.getrandbits(12):03x}-{draw.getrandbits(48):012x}"
        agent = draw.choice(BROWSERS).format(draw.randint(90, 139))
        query = (
            f"event={draw.choice(EVENTS)}&campaign={draw.randint(10_000, 99_999)}"
            f"&creative={draw.randint(100, 999)}&placement={draw.choice(PLACES)}"
            f"&uid={visitor}&cb={draw.randint(10**12, 10**13 - 1)}"
        )
        requests.append(
            f"GET {PATH}?{query} HTTP/1.1\r\nHost: 127.0.0.1\r\nUser-Agent: {agent}\r\n"
            f"Accept: image/avif,image/webp,image/apng,*/*;q=0.8\r\nAccept-Encoding: gzip, deflate\r\n"
            f"Referer: https://news.example.com/section/story-{draw.randint(1000, 9999)}\r\n\r\n"
        )
    return requests


def write_script(folder, requests, pipeline):
    """A wrk script that sends the requests in turn, `pipeline` of them in one write. wrk itself
    counts how many answers such a bundle has."""
    data, script = f"{folder}/requests-{pipeline}.bin", f"{folder}/requests-{pipeline}.lua"
    bundles = ("".join(requests[at : at + pipeline]) for at in range(0, len(requests), pipeline))
    with open(data, "w", newline="") as file:
        file.write("\0".join(bundles) + "\0")
    with open(script, "w") as file:
        file.write(
            f"local bundles, next_one = {{}}, 0\n"
            f"for bundle in io.open({data!r}, 'rb'):read('*a'):gmatch('[^%z]+') do\n"
            f"    bundles[#bundles + 1] = bundle\n"
            f"end\n"
            f"function request()\n"
            f"    next_one = next_one % #bundles + 1\n"
            f"    return bundles[next_one]\n"
            f"end\n"
        )
    return script


class Load:
    """What wrk saw: answers, rate a second, p99 in ms, and everything that went wrong."""

    def __init__(self, text):
        def number(pattern, default=None):
            found = re.search(pattern, text)
            if found is None and default is None:
                raise RuntimeError(f"wrk said something unexpected:\n{text}")
            return float(found[1]) if found else default

        self.answers = int(number(r"(\d+) requests in"))
        self.rate = number(r"Requests/sec:\s+([\d.]+)")
        self.refused = int(number(r"Non-2xx or 3xx responses: (\d+)", 0))
        found = re.search(r"Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)", text)
        self.broken = sum(map(int, found.groups())) if found else 0
        found = re.search(r"99%\s+([\d.]+)(us|ms|s)", text)
        self.p99_ms = float(found[1]) * {"us": 1e-3, "ms": 1, "s": 1e3}[found[2]] if found else None


def send(port, script, seconds, connections=CONNECTIONS):
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--latency", "-s", script, f"http://127.0.0.1:{port}{PATH}"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=seconds + 60)
    if done.returncode != 0:
        raise RuntimeError(f"wrk failed: {done.stderr.strip() or done.stdout.strip()}")
    return Load(done.stdout)
