"""The servers that are measured: how each is started, awaited and stopped."""

from __future__ import annotations

import ctypes
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

READY_SECONDS = 20.0
# Starts are timed, so it is short.
READY_POLL_SECONDS = 0.002
STOP_SECONDS = 20.0
PR_SET_PDEATHSIG = 1


class BenchError(Exception):
    """Something that ends one run, said in one sentence."""


@dataclass(frozen=True)
class Side:
    """One server in one configuration."""

    name: str
    driver: str
    program: str
    # Makes the command line from the program, its data folder and its port.
    command: Callable[[str, Path, int], list[str]]
    # Jobs of a workload where the side is too slow, or too fast, for the workload's own number.
    jobs: dict[str, int] = field(default_factory=dict)
    # More loader options of a workload.
    options: dict[str, list[str]] = field(default_factory=dict)
    workloads: frozenset[str] = frozenset({"push", "life", "latency"})
    prints_ready: bool = False


def redis_command(program: str, folder: Path, port: int) -> list[str]:
    return [
        program, "--bind", "127.0.0.1", "--port", str(port), "--dir", str(folder),
        "--appendonly", "yes", "--appendfsync", "always", "--save", "",
        # No rewrite of the file in the middle of a measurement: in favour of Redis.
        "--auto-aof-rewrite-percentage", "0", "--loglevel", "warning",
    ]  # fmt: skip


def beanstalkd_command(sync_ms: int) -> Callable[[str, Path, int], list[str]]:
    def command(program: str, folder: Path, port: int) -> list[str]:
        return [
            program, "-l", "127.0.0.1", "-p", str(port), "-b", str(folder), f"-f{sync_ms}",
        ]  # fmt: skip

    return command


def dray_command(extra: list[str]) -> Callable[[str, Path, int], list[str]]:
    def command(program: str, folder: Path, port: int) -> list[str]:
        return [
            program, "serve", "--data", str(folder), "--resp", f"127.0.0.1:{port}",
            "--http", f"127.0.0.1:{free_port()}", *extra,
        ]  # fmt: skip

    return command


def all_sides(dray: Path, dray_options: list[str]) -> list[Side]:
    dray_workloads = frozenset({"push", "life", "life-batch", "latency", "due"})
    return [
        Side("dray", "dray", str(dray), dray_command(dray_options),
             workloads=dray_workloads | {"backlog", "sustain", "lists"}, prints_ready=True),
        Side("dray-null", "dray", str(dray), dray_command([*dray_options, "--journal", "null"]),
             workloads=dray_workloads - {"due"}, prints_ready=True),
        Side("redis", "redis", "redis-server", redis_command),
        # About one sync per put and per delete, so a few seconds' worth of jobs is enough.
        Side("beanstalkd-f0", "beanstalkd", "beanstalkd", beanstalkd_command(0),
             jobs={"push": 20_000, "life": 10_000}, options={"life": ["--waiting-max", "2000"]}),
        Side("beanstalkd-f50", "beanstalkd", "beanstalkd", beanstalkd_command(50),
             jobs={"push": 300_000, "life": 200_000}),
    ]  # fmt: skip


def before_side(dray: Path, dray_options: list[str]) -> Side:
    """Returns the side of another dray binary, that of the issue before say."""
    return Side("dray-before", "dray", str(dray), dray_command(dray_options),
                workloads=frozenset({"life"}), prints_ready=True)  # fmt: skip


def missing_reason(side: Side) -> str | None:
    """Says why the side cannot run on this machine, or None."""
    if shutil.which(side.program):
        return None
    if side.driver == "dray":
        return f"{side.program} is not built (./x build)"
    return f"{side.program} is not installed (./x setup)"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def die_with_parent() -> None:
    """Runs in the child: the kernel ends it when this script dies, however it dies."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


class Server:
    """A running side. Use as a context: it is stopped, and its data removed, on the way out."""

    def __init__(self, side: Side, folder: Path, ready_seconds: float = READY_SECONDS) -> None:
        self.side = side
        self.folder = folder
        self.ready_seconds = ready_seconds
        self.log = folder.with_suffix(".log")
        self.port = free_port()
        self.process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Server:
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        try:
            self.start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        if self.process is not None:
            self._end(signal.SIGTERM)
        shutil.rmtree(self.folder, ignore_errors=True)
        # What the run left in the page cache must not be written out during the next one.
        os.sync()

    def start(self) -> float:
        """Starts the server on the data that is there. Returns the time of its exec."""
        command = self.side.command(self.side.program, self.folder, self.port)
        with self.log.open("wb") as log:
            started = time.monotonic()
            self.process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT,
                preexec_fn=die_with_parent, start_new_session=True,
            )  # fmt: skip
        self._await_ready()
        return started

    def kill(self) -> None:
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """Ends it as an operator does."""
        code = self._end(signal.SIGTERM)
        if code != 0:
            raise BenchError(f"{self.side.name} stopped with {code}: {self.log_tail()}")

    @property
    def pid(self) -> int:
        assert self.process is not None
        return self.process.pid

    @property
    def http(self) -> str:
        """Returns HOST:PORT of the HTTP address, which Dray says when it is ready."""
        for line in self.log.read_text(errors="replace").splitlines():
            if line.startswith("ready "):
                return line.partition(" http=")[2].split()[0]
        raise BenchError(f"{self.side.name} has no HTTP address: {self.log_tail()}")

    def log_tail(self) -> str:
        return self.log.read_text(errors="replace")[-600:].strip()

    def _is_ready(self) -> bool:
        if self.side.prints_ready:
            return any(
                line.startswith("ready ")
                for line in self.log.read_text(errors="replace").splitlines()
            )
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def _await_ready(self) -> None:
        assert self.process is not None
        limit = time.monotonic() + self.ready_seconds
        while not self._is_ready():
            if self.process.poll() is not None:
                raise BenchError(f"{self.side.name} ended at its start: {self.log_tail()}")
            if time.monotonic() > limit:
                raise BenchError(f"{self.side.name} was not ready in time: {self.log_tail()}")
            time.sleep(READY_POLL_SECONDS)

    def _end(self, how: signal.Signals) -> int:
        """Returns the exit status; a server that takes too long is killed."""
        assert self.process is not None
        process, self.process = self.process, None
        process.send_signal(how)
        try:
            return process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            return process.wait()
