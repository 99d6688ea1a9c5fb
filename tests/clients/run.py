#!/usr/bin/python3
"""Runs real clients of Redis against real servers; the last line is "N passed, N failed".

    tests/clients/run.py [client…]          default: all

Each client gets a server with a fresh data directory, and a second one that wants a token. A client
is a script in its own language that says one line for each check (see report.py). One that ends
early, or leaves out a part of a job's life, has failed. Exit code 0: nothing failed.
"""

import os
import queue
import subprocess
import sys
import threading
from pathlib import Path

from server import Server

HERE = Path(__file__).resolve().parent
RELEASE = HERE.parent.parent / "build/release"
BUILD = Path(os.environ.get("DRAY_BUILD", RELEASE)).resolve() / "clients"
NODE_MODULES = BUILD / "node/node_modules"
TOKEN = "a-token-of-the-tests-0123456789abcdef"
# One line of a script comes within this.
DEADLINE_S = 120

PYTHON = "/usr/bin/python3"
COMMANDS = {
    "redis-cli": [PYTHON, HERE / "redis_cli.py"],
    "redis-benchmark": [PYTHON, HERE / "redis_benchmark.py"],
    "curl": [PYTHON, HERE / "curl.py"],
    "queries": [PYTHON, HERE / "queries.py"],
    "redis-py": [PYTHON, HERE / "redis_py.py"],
    "redis-rb": ["ruby", HERE / "redis_rb.rb"],
    "hiredis": [BUILD / "hiredis_life"],
    "ioredis 5": ["node", HERE / "node/ioredis.js", "ioredis5"],
    "ioredis 6": ["node", HERE / "node/ioredis.js", "ioredis6"],
    "node-redis 4": ["node", HERE / "node/node_redis.js", "redis4"],
    "node-redis 6": ["node", HERE / "node/node_redis.js", "redis6"],
}
# What every client library shows; the tools show what they can.
LIFE = ["connect", "push, fetch, beat, progress, ack", "blocking fetch", "fail and retry",
        "queue stats", "pause and resume", "errors", "pipeline of 1,000", "transaction", "any byte",
        "events", "authentication", "reconnect"]
TOOLS = ("redis-cli", "redis-benchmark", "curl", "queries")


def lines_of(process):
    """Yields the lines that the process prints; gives up when it says nothing for too long."""
    lines = queue.Queue()

    def pump():
        for line in process.stdout:
            lines.put(line.rstrip("\n"))
        lines.put(None)

    threading.Thread(target=pump, daemon=True).start()
    while True:
        try:
            line = lines.get(timeout=DEADLINE_S)
        except queue.Empty:
            process.kill()
            yield f"failed to go on: nothing was said for {DEADLINE_S} s"
            return
        if line is None:
            return
        yield line


class Tally:
    def __init__(self):
        self.passed = []
        self.failed = []

    def note(self, client, line):
        """Counts the line if it is one of a check."""
        word, _, rest = line.partition(" ")
        if word == "passed":
            self.passed.append(f"{client}: {rest}")
        elif word == "failed":
            self.failed.append(f"{client}: {rest}")
            print(f"failed: {client}: {rest}", flush=True)
        else:
            print(f"  {client}: {line}", flush=True)


def run_client(name, tally):
    checks = set()
    done = False
    with Server() as server, Server(TOKEN) as guarded:
        environment = os.environ | {
            "DRAY_PORT": str(server.port), "DRAY_HTTP_PORT": str(server.http_port),
            "DRAY_TOKEN_PORT": str(guarded.port), "DRAY_TOKEN": TOKEN,
            "NODE_PATH": str(NODE_MODULES), "PYTHONDONTWRITEBYTECODE": "1"}
        process = subprocess.Popen([str(word) for word in COMMANDS[name]], env=environment,
                                   stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                                   errors="replace")
        for line in lines_of(process):
            if line == "restart":
                server.restart()
                process.stdin.write("restarted\n")
                process.stdin.flush()
            elif line == "done":
                done = True
            else:
                checks.add(line.partition(" ")[2].partition(":")[0])
                tally.note(name, line)
        code = process.wait()
        if code != 0 or not done:
            tally.note(name, f"failed to come to its end (exit code {code})")
        for part in [] if name in TOOLS else sorted(set(LIFE) - checks):
            tally.note(name, f"failed {part}: not tried")
        for kept in (server, guarded):
            stopped = kept.stop()
            if stopped != 0:
                tally.note(name, f"failed to leave the server well: exit code {stopped}")
                print(kept.log())


def main(names):
    tally = Tally()
    unknown = set(names) - COMMANDS.keys()
    if unknown:
        raise SystemExit(f"clients: there is no {unknown}; there are {', '.join(COMMANDS)}")
    for name in names or COMMANDS:
        before = len(tally.passed)
        try:
            run_client(name, tally)
        except OSError as error:
            tally.note(name, f"failed to start: {error}")
        print(f"{name}: {len(tally.passed) - before} checks passed", flush=True)
    print(f"{len(tally.passed)} passed, {len(tally.failed)} failed")
    return 0 if tally.passed and not tally.failed else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
