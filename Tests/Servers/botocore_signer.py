"""Makes up requests and signs them with botocore: a line of JSON each, the request and its signature.

    botocore_signer.py SEED COUNT
"""

import datetime
import json
import random
import sys
import urllib.parse
from unittest import mock

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
REGIONS = ["us-east-1", "eu-central-1", "ap-southeast-4", "us-gov-west-1", "cn-north-1"]


def word(dice, letters, least, most):
    return "".join(dice.choice(letters) for _ in range(dice.randint(least, most)))


def credentials(dice):
    token = word(dice, LETTERS + "/+=", 100, 1500) if dice.random() < 0.5 else None
    return Credentials("AKIA" + word(dice, LETTERS[26:], 16, 16), word(dice, LETTERS + "/+", 40, 40), token)


def put(dice):
    """A PutRecordBatch as a worker sends it."""
    region = dice.choice(REGIONS)
    host = dice.choice([f"firehose.{region}.amazonaws.com", "127.0.0.1:8090", "localhost:443", "[::1]:9000"])
    stream, data = word(dice, LETTERS + "_.-", 1, 64), word(dice, LETTERS + "+/", 4, 5000)
    return {
        "kind": "put", "method": "POST", "scheme": "http", "host": host, "path": "/", "query": "",
        "region": region, "service": "firehose",
        "headers": [["Content-Type", "application/x-amz-json-1.1"],
                    ["X-Amz-Target", "Firehose_20150804.PutRecordBatch"]],
        "body": json.dumps({"DeliveryStreamName": stream, "Records": [{"Data": data}]}),
    }


def anything(dice):
    """Another request of another service: paths and queries, spaces and repeated names."""
    letters = LETTERS + "-._~ /%é漢&=+:"
    path = "/" + "/".join(
        urllib.parse.quote(word(dice, letters.replace("/", ""), 0, 8), safe="-_.~")
        for _ in range(dice.randint(0, 4)))
    query = "&".join(
        "=".join(urllib.parse.quote(word(dice, letters, least, 8), safe="-_.~") for least in (1, 0))
        for _ in range(dice.randint(0, 4)))
    headers = [[f"X-Amz-{name}-{word(dice, LETTERS, 1, 6)}", word(dice, LETTERS + "  ,;:", 1, 30) + "x"]
               for name in "abc"[:dice.randint(0, 3)]]
    return {
        "kind": "any", "method": dice.choice(["GET", "POST", "PUT", "DELETE"]), "scheme": "https",
        "host": f"{word(dice, LETTERS[:26], 3, 9)}.example.com", "path": path, "query": query,
        "region": dice.choice(REGIONS), "service": word(dice, LETTERS[:26], 3, 9), "headers": headers,
        "body": word(dice, letters, 0, 300),
    }


def sign(request, who, when):
    url = f"{request['scheme']}://{request['host']}{request['path']}"
    if request["query"]:
        url += "?" + request["query"]
    signed = AWSRequest(request["method"], url, data=request["body"].encode())
    for name, value in [["Host", request["host"]]] + request["headers"]:
        signed.headers[name] = value
    with mock.patch("botocore.auth.get_current_datetime", return_value=when):
        SigV4Auth(who, request["service"], request["region"]).add_auth(signed)
    return signed.headers["Authorization"]


def main():
    dice = random.Random(int(sys.argv[1]))
    for number in range(int(sys.argv[2])):
        request, who = (put, anything)[number % 2](dice), credentials(dice)
        seconds = dice.randrange(946_684_800, 4_102_444_800)
        when = datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc).replace(tzinfo=None)
        request |= {"id": who.access_key, "secret": who.secret_key, "token": who.token, "seconds": seconds,
                    "authorization": sign(request, who, when)}
        print(json.dumps(request))


main()
