#!/usr/bin/env python3
"""Instance metadata (IMDSv2) whose credentials end after a few seconds, and a Firehose that takes
calls only with the ones that are good at that moment. Prints its port, then works until it is ended.

GET /report answers what happened, as JSON. GET /revoke makes the present credentials worthless."""

import argparse
import base64
import json
import re
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

arguments = argparse.ArgumentParser()
arguments.add_argument("--life", type=float, default=12.0, help="seconds that credentials last")
options = arguments.parse_args()

lock = threading.Lock()
issued = {}  # access key -> when it ends
report = {"issued": 0, "rows": 0, "distinct": 0, "calls": 0, "expired": 0, "unsigned": 0,
          "without_token": 0, "metadata_calls": 0}
ids = set()


def credentials():
    """The present ones; others once half of their life is over, as the instance does."""
    now = time.time()
    for key, end in issued.items():
        if end - now > options.life / 2:
            return key, end
    key = "ASIA%012d" % (len(issued) + 1)
    issued[key] = now + options.life
    report["issued"] += 1
    return key, issued[key]


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *words):
        pass

    def answer(self, status, text, kind="application/json"):
        body = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_PUT(self):
        with lock:
            report["metadata_calls"] += 1
        self.answer(200, "token-1", "text/plain")

    def do_GET(self):
        with lock:
            if self.path == "/report":
                return self.answer(200, json.dumps(report))
            if self.path == "/revoke":
                for key in issued:
                    issued[key] = 0
                return self.answer(200, "{}")
            report["metadata_calls"] += 1
            if self.headers.get("x-aws-ec2-metadata-token") != "token-1":
                report["without_token"] += 1
                return self.answer(401, "")
            if self.path.endswith("security-credentials/"):
                return self.answer(200, "shop", "text/plain")
            key, end = credentials()
            stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(end))
            self.answer(200, json.dumps({"Code": "Success", "AccessKeyId": key, "SecretAccessKey": "s",
                                         "Token": "t", "Expiration": stamp}))

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        found = re.search("Credential=([A-Z0-9]+)/", self.headers.get("Authorization", ""))
        with lock:
            report["calls"] += 1
            if not found:
                report["unsigned"] += 1
                return self.answer(403, '{"__type":"MissingAuthenticationTokenException"}')
            if issued.get(found[1], 0) < time.time():
                report["expired"] += 1
                return self.answer(400, '{"__type":"ExpiredTokenException","message":"The security '
                                        'token included in the request is expired"}')
            records = json.loads(body)["Records"]
            for record in records:
                for row in base64.b64decode(record["Data"]).splitlines():
                    report["rows"] += 1
                    ids.add(json.loads(row)["id"])
            report["distinct"] = len(ids)
        results = [{"RecordId": str(at)} for at in range(len(records))]
        self.answer(200, json.dumps({"FailedPutCount": 0, "RequestResponses": results}))


server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
print(server.server_address[1], flush=True)
server.serve_forever()
