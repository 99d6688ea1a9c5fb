#!/usr/bin/env python3
"""The honest client beside the attacks: pushes, fetches and acks in a loop, in a process of its own.

usage: honest.py PORT. For each line on stdin it prints one line of JSON about the round trips since the
line before: how many, the 99th of 100 by time, the slowest, refusals that said when to come back, and
what else went wrong. Ends with its stdin.
"""

import json
import os
import select
import sys
import time

from wire import Client

REFUSED = ("OVERLOADED", "DISKFULL")


class Witness:
    def __init__(self, port):
        self.client = Client(port)
        self.begin()

    def begin(self):
        self.times = []
        self.refused = 0
        self.wrong = []

    def timed(self, *words):
        started = time.perf_counter()
        reply = self.client.call(*words)
        self.times.append(time.perf_counter() - started)
        if isinstance(reply, Exception):
            if str(reply).split(" ", 1)[0] in REFUSED and "retry_ms=" in str(reply):
                self.refused += 1
            else:
                self.wrong.append(str(reply))
            return None
        return reply

    def round(self):
        if self.timed("JOB.PUSH", "honest", "work", "{}") is None:
            return
        leases = self.timed("JOB.FETCH", "w", "QUEUES", "1", "honest")
        for lease in leases or []:
            fields = dict(zip(lease[::2], lease[1::2]))
            self.timed("JOB.ACK", fields[b"id"], fields[b"token"])

    def report(self):
        times = sorted(self.times)
        report = {"calls": len(times), "refused": self.refused, "wrong": self.wrong[:3],
                  "p99_ms": times[len(times) * 99 // 100] * 1e3 if times else None,
                  "max_ms": times[-1] * 1e3 if times else None}
        self.begin()
        return report


def main():
    witness = Witness(int(sys.argv[1]))
    while True:
        if select.select([sys.stdin], [], [], 0)[0]:
            if not os.read(sys.stdin.fileno(), 64):
                return
            print(json.dumps(witness.report()), flush=True)
        witness.round()


if __name__ == "__main__":
    main()
