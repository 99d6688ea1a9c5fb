#!/usr/bin/python3
"""redis-benchmark as a client of Dray: many connections, many commands in flight; none is lost."""

import re
import subprocess

import redis
from report import HOST, PORT, TOKEN, TOKEN_PORT, equal, run

DEADLINE_S = 90


def benchmark(*words, port=PORT):
    """Returns the requests that were completed; any error the tool prints is a failure."""
    done = subprocess.run(["redis-benchmark", "-h", HOST, "-p", str(port), *map(str, words)],
                          capture_output=True, text=True, timeout=DEADLINE_S, check=False)
    shown = done.stdout + done.stderr
    equal(done.returncode, 0)
    assert "error" not in shown.lower(), shown
    return [int(found) for found in re.findall(r"([0-9]+) requests completed", shown)]


def stats(queue, port=PORT, password=None):
    flat = redis.Redis(HOST, port, password=password).execute_command("QUEUE.STATS", queue)
    return {name.decode(): value for name, value in zip(flat[::2], flat[1::2])}


def pushes():
    equal(benchmark("-P", 32, "-c", 50, "-n", 100_000, "JOB.PUSH", "bench", "k", "{}"), [100_000])
    # The tool stops at its count, but a connection may have had a full pipeline under way.
    after = stats("bench")
    assert 100_000 <= after["pushed"] < 100_000 + 50 * 32, after
    equal(after["ready"], after["pushed"])


def fetches():
    """Each of the jobs is leased once, whichever connection asks."""
    before = stats("bench")["ready"]
    benchmark("-P", 16, "-c", 20, "-n", 20_000, "JOB.FETCH", "w", "COUNT", 10, "QUEUES", 1, "bench")
    after = stats("bench")
    equal(after["started"] - after["running"], 0)
    equal(after["ready"], max(0, before - after["running"]))


def threads():
    benchmark("--threads", 4, "-P", 8, "-c", 40, "-n", 20_000, "-r", 1_000_000,
              "JOB.PUSH", "keys", "k", "{}", "KEY", "job-__rand_int__")
    after = stats("keys")
    assert 0 < after["pushed"] <= 20_000 + 40 * 8, after
    equal(after["ready"], after["pushed"])


def login():
    benchmark("-a", TOKEN, "-P", 8, "-n", 2_000, "JOB.PUSH", "bench", "k", "{}", port=TOKEN_PORT)
    assert stats("bench", TOKEN_PORT, TOKEN)["pushed"] >= 2_000


def ping():
    assert len(benchmark("-t", "ping", "-P", 64, "-n", 20_000)) == 2


run([("pushes", pushes), ("fetches", fetches), ("threads", threads), ("login", login),
     ("ping", ping)])
