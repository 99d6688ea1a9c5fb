"""A backlog in a Dray: what it costs to grow, to hold, to start with, to work on and to work off.

The steps are those of README.md, in one life of one data directory: fill, kill -9, start, life on top,
drain, stop.
"""

from __future__ import annotations

import socket
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from loader import load
from sides import BenchError, Server, Side
from verdict import size_name

PIPELINES = ["--connections", "50", "--depth", "32"]
START_SECONDS_MAX = 120.0
# A flush begins within half a minute, and writes a backlog's last part in seconds.
SETTLE_SECONDS_MAX = 120.0
# The allocator gives unused pages back over ten seconds.
RSS_STILL_SECONDS = 11.0
RSS_SECONDS_MAX = 60.0
SPARES_STILL_SECONDS = 2.0
SPARES_SECONDS_MAX = 10.0
STEADY_SHARE = 0.005
POLL_SECONDS = 0.25
# What a Dray may hold beside 96 bytes a job: records that stay, and records that wait for a flush.
RECORDS_BYTES_MAX = (64 + 256) << 20
BYTES_PER_JOB_MAX = 96
# More than a server takes in the seconds of `sustain`.
JOBS_UNBOUNDED = 10**12

FLUSHES = "dray_flushes_total"

Result = dict[str, Any]
Step = tuple[str, Callable[[], Result]]


def parse_metrics(text: str) -> dict[str, float]:
    """Returns the samples of a Prometheus text by name and labels as they stand there."""
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    return {name: float(value) for name, _, value in (line.rpartition(" ") for line in lines)}


def metrics_of(server: Server) -> dict[str, float]:
    try:
        with urllib.request.urlopen(f"http://{server.http}/metrics", timeout=30) as answer:
            return parse_metrics(answer.read().decode())
    except OSError as error:
        raise BenchError(f"no metrics: {error} {server.log_tail()}") from error


def proc_number(pid: int, file: str, name: str) -> int:
    for line in Path(f"/proc/{pid}/{file}").read_text().splitlines():
        if line.startswith(name + ":"):
            return int(line.split()[1])
    raise BenchError(f"/proc/{pid}/{file} has no {name}")


def rss_bytes(server: Server) -> int:
    return proc_number(server.pid, "status", "VmRSS") << 10


def rss_peak_bytes(server: Server) -> int:
    return proc_number(server.pid, "status", "VmHWM") << 10


def data_bytes(server: Server) -> int:
    """Returns what the data folder takes on the disk."""
    return sum(path.stat().st_blocks * 512 for path in server.folder.iterdir())


def written_bytes(server: Server) -> int:
    return proc_number(server.pid, "io", "write_bytes")


class Watch:
    """Keeps the largest value of each metric while the context lasts."""

    def __init__(self, server: Server) -> None:
        self.look = lambda: metrics_of(server)
        self.most: dict[str, float] = {}
        self.over = threading.Event()
        self.thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Watch:
        self.note()
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.over.set()
        self.thread.join()

    def _run(self) -> None:
        while not self.over.wait(POLL_SECONDS):
            try:
                self.note()
            except BenchError:
                return  # Whoever loads the server finds out why.

    def note(self) -> None:
        for name, value in self.look().items():
            self.most[name] = max(value, self.most.get(name, value))


def wait_until(holds: Callable[[], bool], seconds_max: float, what: str) -> None:
    limit = time.monotonic() + seconds_max
    while not holds():
        if time.monotonic() > limit:
            raise BenchError(f"{what} not within {seconds_max:.0f} s")
        time.sleep(POLL_SECONDS)


def settle(server: Server) -> None:
    """Waits until all is flushed: nothing waits for it, and a flush came after now."""
    before = metrics_of(server)
    if FLUSHES not in before:
        return  # A Dray without tables.

    def is_flushed() -> bool:
        now = metrics_of(server)
        return now["dray_unflushed_bytes"] == 0 and now[FLUSHES] > before[FLUSHES]

    wait_until(is_flushed, SETTLE_SECONDS_MAX, "the flush was")


def steady(read: Callable[[], int], still_seconds: float, seconds_max: float) -> int:
    """Returns the number once it has not moved for a while, or what it is in the end."""
    last, since = read(), time.monotonic()
    limit = since + seconds_max
    while time.monotonic() < min(limit, since + still_seconds):
        time.sleep(POLL_SECONDS)
        now = read()
        if abs(now - last) > STEADY_SHARE * last:
            last, since = now, time.monotonic()
    return read()


def request(*words: bytes) -> bytes:
    return b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%s\r\n" % (len(w), w) for w in words)


def read_value(stream: Any) -> Any:
    """Reads one RESP 2 value."""
    line = stream.readline().rstrip(b"\r\n")
    if not line:
        raise BenchError("the connection was closed")
    kind, rest = line[:1], line[1:]
    if kind == b"$":
        return None if rest == b"-1" else stream.read(int(rest) + 2)[:-2]
    if kind == b"*":
        return [read_value(stream) for _ in range(int(rest))]
    if kind in (b"+", b":"):
        return rest
    raise BenchError(f"the server answered: {line.decode(errors='replace')}")


def await_first_fetch(server: Server) -> float:
    """Fetches one job and gives it back. Returns when it came."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=START_SECONDS_MAX) as peer:
        stream = peer.makefile("rb")
        peer.sendall(request(b"JOB.FETCH", b"bench:first", b"COUNT", b"1",
                             b"BLOCK", b"30000", b"QUEUES", b"1", b"bench"))  # fmt: skip
        leases = read_value(stream)
        came = time.monotonic()
        if not leases:
            raise BenchError("the first fetch brought nothing")
        lease = dict(zip(leases[0][::2], leases[0][1::2], strict=True))
        peer.sendall(request(b"JOB.RELEASE", lease[b"id"], lease[b"token"]))
        read_value(stream)
    return came


def measure_lives(loader: str, server: Server, jobs: int) -> Result:
    """Lives on an empty server, and the bytes of the flush that follows them.

    Once nothing happens, the server makes journal files in advance. They are used again and again in
    its life, so they are no part of these jobs' bytes, unless a flush came at the same time.
    """
    written = written_bytes(server)
    result = load(server, [loader, "life", *PIPELINES], jobs)
    flushes = metrics_of(server).get(FLUSHES)
    after = written_bytes(server)
    made = steady(lambda: written_bytes(server), SPARES_STILL_SECONDS, SPARES_SECONDS_MAX) - after
    if metrics_of(server).get(FLUSHES) != flushes:
        made = 0
    settle(server)
    result["disk_bytes_per_job"] = (written_bytes(server) - written - made) / jobs
    return result


def measure_sustain(loader: str, server: Server, seconds: int) -> Result:
    empty = rss_bytes(server)
    with Watch(server) as watch:
        result = load(server, [loader, "fill", *PIPELINES, "--seconds", str(seconds)],
                      JOBS_UNBOUNDED, seconds)  # fmt: skip
    allowed = empty + BYTES_PER_JOB_MAX * result["jobs"] + RECORDS_BYTES_MAX
    peak = rss_peak_bytes(server)
    return {**result, **journal_numbers(watch), "rss_empty_bytes": empty,
            "data_bytes": data_bytes(server),
            "rss_peak_bytes": peak, "rss_peak_of_allowed": peak / allowed}  # fmt: skip


def journal_numbers(watch: Watch) -> Result:
    used, budget = watch.most["dray_store_bytes"], watch.most["dray_store_budget_bytes"]
    return {"journal_bytes": used, "journal_of_budget": used / budget,
            "record_bytes_peak": watch.most.get("dray_record_bytes", 0.0),
            "unflushed_bytes_peak": watch.most.get("dray_unflushed_bytes", 0.0)}  # fmt: skip


class BacklogRun:
    """One backlog of one size. Use as a context, and take the steps in their order."""

    def __init__(self, loader: str, side: Side, folder: Path, size: int, lives: int,
                 drain_jobs: int | None) -> None:  # fmt: skip
        self.loader = loader
        self.server = Server(side, folder, START_SECONDS_MAX)
        # What was handed out, from life to drain; it outlives the server's folder in a failure.
        self.seen = folder.with_suffix(".seen")
        self.size = size
        self.lives = lives
        self.drain_jobs = size if drain_jobs is None else min(size, drain_jobs)
        self.stack = ExitStack()

    def __enter__(self) -> BacklogRun:
        return self

    def __exit__(self, *_: object) -> None:
        self.stack.close()
        self.seen.unlink(missing_ok=True)

    def steps(self) -> Iterator[Step]:
        name = size_name(self.size)
        yield f"fill-{name}", self.fill
        yield f"start-{name}", self.start
        yield f"life-{name}", self.life
        yield f"drain-{name}", self.drain
        yield f"stop-{name}", self.stop

    def fill(self) -> Result:
        self.seen.unlink(missing_ok=True)
        server = self.stack.enter_context(self.server)
        empty, written = rss_bytes(server), written_bytes(server)
        with Watch(server) as watch:
            result = load(server, [self.loader, "fill", *PIPELINES], self.size)
        settle(server)
        after = metrics_of(server)
        records = after.get("dray_record_bytes", 0.0)
        rss = steady(lambda: rss_bytes(server), RSS_STILL_SECONDS, RSS_SECONDS_MAX)
        return {
            **result, **journal_numbers(watch),
            "disk_bytes_per_job": (written_bytes(server) - written) / self.size,
            "data_bytes": data_bytes(server),
            "rss_empty_bytes": empty, "rss_bytes": rss, "rss_peak_bytes": rss_peak_bytes(server),
            "record_bytes": records,
            "rss_bytes_per_job": (rss - empty - records) / self.size,
        }  # fmt: skip

    def start(self) -> Result:
        self.server.kill()
        started = self.server.start()
        ready = time.monotonic()
        came = await_first_fetch(self.server)
        return {"ready_s": ready - started, "first_fetch_s": came - started,
                "rss_bytes": rss_bytes(self.server),
                "rss_peak_bytes": rss_peak_bytes(self.server)}  # fmt: skip

    def life(self) -> Result:
        return load(self.server, [self.loader, "life", *PIPELINES, "--backlog", str(self.size),
                                  "--seen", str(self.seen)], self.lives)  # fmt: skip

    def drain(self) -> Result:
        result = load(self.server, [self.loader, "drain", *PIPELINES, "--seen", str(self.seen),
                                    "--numbers", str(self.size + self.lives)],
                      self.drain_jobs)  # fmt: skip
        left = metrics_of(self.server)['dray_queue_jobs{queue="bench",state="ready"}']
        if left != self.size - self.drain_jobs:
            raise BenchError(f"{left:.0f} jobs are left of {self.size}, {self.drain_jobs} drained")
        return result

    def stop(self) -> Result:
        began = time.monotonic()
        self.server.stop()
        return {"stop_s": time.monotonic() - began}
