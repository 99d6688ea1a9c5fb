"""Lists and counts over many jobs, while the server goes on giving jobs to workers.

One Dray with SIZE jobs of a hundred queues and types; then pushes to waiting workers at a fixed rate,
undisturbed first, and again while a client asks for one page of jobs after the other.
"""

from __future__ import annotations

import socket
import threading
import time
from typing import Any

from backlog import read_value, request, settle
from loader import load
from sides import Server

Result = dict[str, Any]

BATCH = 1_000
RARE_EVERY = 1_000
# About half of what the server and the loader can do together on two cores.
DISPATCH_RATE = 10_000
DISPATCH_SECONDS = 10
PAGE = "100"
PAUSE_SECONDS = 0.1
# What people look for: common terms, rare ones, and what only the record knows.
QUERIES = [
    "state:ready", "queue:bulk-7 type:Send*", "queue:rare", "type:Rare", "state:dead",
    "queue:rare args.user.id:42", 'error:"timed out"', "queue:bulk-3 age:>1h",
]  # fmt: skip


class Client:
    def __init__(self, server: Server) -> None:
        self.socket = socket.create_connection(("127.0.0.1", server.port), timeout=120)
        self.stream = self.socket.makefile("rb")

    def send(self, *words: str) -> None:
        self.socket.sendall(request(*(word.encode() for word in words)))

    def call(self, *words: str) -> Any:
        self.send(*words)
        return read_value(self.stream)

    def close(self) -> None:
        self.socket.close()


def batch(first: int) -> list[str]:
    words: list[str] = []
    for number in range(first, first + BATCH):
        rare = number % RARE_EVERY == 0
        queue, kind = ("rare", "Rare") if rare else (f"bulk-{number % 97}", f"Send{number % 89}")
        words += [queue, kind, f'{{"user":{{"id":{number}}}}}', "0"]
    return words


def fill(server: Server, jobs: int) -> Result:
    """Pushes jobs of many queues and types; waits as long as the server asks for it."""
    client = Client(server)
    began = time.monotonic()
    for first in range(0, jobs, BATCH):
        while "OVERLOADED" in str(client.call("JOB.MPUSH", str(BATCH), *batch(first))):
            time.sleep(0.1)
    client.close()
    settle(server)
    seconds = time.monotonic() - began
    return {"jobs": jobs, "seconds": seconds, "rate": jobs / seconds, "others_percent": 0.0}


class Lister(threading.Thread):
    """Asks for ten pages a second, one query after the other, until it is told to end."""

    def __init__(self, server: Server) -> None:
        super().__init__(daemon=True)
        self.client = Client(server)
        self.over = threading.Event()
        self.cursors = {query: "" for query in QUERIES}
        self.pages: dict[str, list[float]] = {query: [] for query in QUERIES}

    def run(self) -> None:
        while not self.over.is_set():
            for query in QUERIES:
                self.page(query)
                # Clients share the cores with the server here.
                self.over.wait(PAUSE_SECONDS)

    def page(self, query: str) -> None:
        words = ["JOB.LIST", "WHERE", query, "COUNT", PAGE]
        if self.cursors[query]:
            words += ["CURSOR", self.cursors[query]]
        began = time.monotonic()
        answer = self.client.call(*words)
        self.pages[query].append(1e3 * (time.monotonic() - began))
        fields = dict(zip(answer[::2], answer[1::2], strict=True))
        cursor = fields.get(b"cursor") or b""
        self.cursors[query] = "" if cursor == b"0" else cursor.decode()

    def end(self) -> None:
        self.over.set()
        self.join()
        self.client.close()


def dispatch(loader: str, server: Server) -> Result:
    return load(server, [loader, "latency", "--rate", str(DISPATCH_RATE), "--workers", "8"],
                DISPATCH_RATE * DISPATCH_SECONDS, DISPATCH_SECONDS)  # fmt: skip


def measure_lists(loader: str, server: Server) -> Result:
    """One round on a server that `fill` has filled."""
    alone = dispatch(loader, server)
    lister = Lister(server)
    lister.start()
    beside = dispatch(loader, server)
    lister.end()
    times = sorted(ms for pages in lister.pages.values() for ms in pages)
    slowest = max(lister.pages, key=lambda query: max(lister.pages[query], default=0.0))
    return {
        **beside, "pages": len(times), "page_p50_ms": times[len(times) // 2],
        "page_p99_ms": times[len(times) * 99 // 100], "page_max_ms": times[-1],
        "page_slowest": slowest,
        "page_max_ms_by_query": {query: max(ms) for query, ms in lister.pages.items() if ms},
        "alone_p50_ms": alone["p50_ms"], "alone_p99_ms": alone["p99_ms"],
        "p99_of_alone": beside["p99_ms"] / alone["p99_ms"],
    }  # fmt: skip
