#!/usr/bin/python3
"""Measures Dray beside Redis lists and beanstalkd on this machine; see README.md here.

Every run has a fresh server on a fresh folder. The order of the sides rotates from round to round.
Exit status: 0 no floor was missed, 1 a floor was missed, 2 a run failed.
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import platform
import shlex
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from backlog import (
    PIPELINES,
    BacklogRun,
    Result,
    measure_lives,
    measure_sustain,
)
from lists import fill, measure_lists
from loader import load, run_loader
from sides import BenchError, Server, Side, all_sides, before_side, missing_reason
from verdict import (
    Medians,
    Run,
    Verdict,
    backlog_table,
    backlog_verdicts,
    latency_table,
    lists_verdicts,
    medians_of,
    size_name,
    sustain_verdicts,
    throughput_table,
    verdict_table,
    verdicts_of,
)

ROOT = Path(__file__).resolve().parent.parent
WORKLOADS = ["push", "life", "life-batch", "latency", "due"]
# They take long and need room, so they run only when they are named.
LONG_WORKLOADS = ["backlog", "sustain", "lists"]
# The loader's command line of each workload, and its number of jobs in a full and a quick run.
LOADER: dict[str, list[str]] = {
    "push": ["push", *PIPELINES],
    "life": ["life", *PIPELINES],
    "life-batch": ["life", *PIPELINES, "--fetch-count", "16"],
    "latency": ["latency", "--rate", "200"],
    "due": ["due", "--connections", "10", "--depth", "16", "--workers", "10",
            "--fetch-count", "32", "--spread-ms", "5000"],
}  # fmt: skip
JOBS_FULL = {
    "push": 1_000_000, "life": 500_000, "life-batch": 500_000, "latency": 2_000, "due": 100_000,
}  # fmt: skip
# The fast sides' numbers shrink in a quick run, the rates of the others being what they are.
JOBS_QUICK = {
    "push": 200_000, "life": 100_000, "life-batch": 100_000, "latency": 400, "due": 100_000,
}  # fmt: skip
BACKLOG_SIZES = [1_000_000, 10_000_000]
BACKLOG_SIZES_QUICK = [100_000]
BACKLOG_LIVES = 1_000_000
LIST_JOBS = 10_000_000
LIST_JOBS_QUICK = 100_000
# Enough for the history to settle: the finished jobs of a short burst stay, and are written.
LIVES_ALONE = 4_000_000
SUSTAIN_SECONDS = 300
# What is left on the disk at the rate aimed at.
SUSTAIN_BYTES_PER_SECOND = 250_000 * 500
ROUNDS = 5
VOLATILE = {"tmpfs", "ramfs", "overlay"}


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--rounds", type=int, default=ROUNDS, help="rounds (default %(default)s)")
    parser.add_argument("--quick", action="store_true", help="one round with fewer jobs")
    parser.add_argument("--only", metavar="WORKLOAD", action="append",
                        choices=WORKLOADS + LONG_WORKLOADS,
                        help=f"one of {', '.join(WORKLOADS)}, or, which take long and run only "
                        f"when named, {', '.join(LONG_WORKLOADS)}; may be repeated")  # fmt: skip
    parser.add_argument("--sides", metavar="A,B", help="only these sides")
    parser.add_argument("--build", type=Path, default=ROOT / "build/release",
                        help="folder of dray and dray_load")  # fmt: skip
    parser.add_argument("--data", type=Path, default=ROOT / "build/bench/data",
                        help="folder for the servers' data, on the disk to measure")  # fmt: skip
    parser.add_argument("--dray-options", default="", metavar="TEXT",
                        help="more options for `dray serve`")  # fmt: skip
    parser.add_argument("--against", type=Path, metavar="BINARY",
                        help="another dray, of the issue before say, whose lives are measured in "
                        "the same rounds")  # fmt: skip
    parser.add_argument("--sync-delay-us", type=int, default=0, metavar="N",
                        help="let each sync of the disk take so much longer, for all sides: as on "
                        "a slower disk")  # fmt: skip
    backlog = parser.add_argument_group("backlog, sustain and lists (dray only)")
    backlog.add_argument("--backlog-sizes", type=sizes, metavar="N,N", default=None,
                         help="jobs that wait (default "
                         f"{','.join(str(size) for size in BACKLOG_SIZES)})")  # fmt: skip
    backlog.add_argument("--backlog-lives", type=int, metavar="N", default=BACKLOG_LIVES,
                         help="lives on a backlog, and on none (default %(default)s)")  # fmt: skip
    backlog.add_argument("--drain-jobs", type=int, metavar="N",
                         help="drain at most so many (default all)")  # fmt: skip
    backlog.add_argument("--list-jobs", type=int, metavar="N", default=None,
                         help="jobs that are listed (default 10,000,000)")  # fmt: skip
    backlog.add_argument("--sustain-seconds", type=int, metavar="S", default=SUSTAIN_SECONDS,
                         help="how long sustain pushes (default %(default)s)")  # fmt: skip
    arguments = parser.parse_args()
    if arguments.rounds < 1:
        parser.error("--rounds must be at least 1")
    for name in ("backlog_lives", "drain_jobs", "sustain_seconds", "list_jobs"):
        if (getattr(arguments, name) or 1) < 1:
            parser.error(f"--{name.replace('_', '-')} must be at least 1")
    if arguments.backlog_sizes is None:
        arguments.backlog_sizes = BACKLOG_SIZES_QUICK if arguments.quick else BACKLOG_SIZES
    if arguments.list_jobs is None:
        arguments.list_jobs = LIST_JOBS_QUICK if arguments.quick else LIST_JOBS
    return arguments


def sizes(text: str) -> list[int]:
    """Reads `--backlog-sizes`: each once, the smallest first."""
    found = sorted({int(word.replace("_", "")) for word in text.split(",")})
    if found[0] < 1:
        raise ValueError
    return found


def filesystem_of(folder: Path) -> str:
    """Returns the type of the file system that holds `folder`."""
    best, kind = "", "unknown"
    for line in Path("/proc/self/mounts").read_text().splitlines():
        _, mount, mount_kind, *_ = line.split()
        inside = folder == Path(mount) or Path(mount) in folder.parents
        if inside and len(mount) >= len(best):
            best, kind = mount, mount_kind
    return kind


def first_line(command: list[str]) -> str:
    try:
        run = subprocess.run(command, capture_output=True, text=True, timeout=10, check=False)
    except OSError:
        return "not installed"
    return (run.stdout or run.stderr).strip().split("\n")[0]


def machine_facts(data: Path) -> dict[str, Any]:
    cpu = [line.split(":", 1)[1].strip()
           for line in Path("/proc/cpuinfo").read_text().splitlines()
           if line.startswith("model name")]  # fmt: skip
    return {
        "cores": len(os.sched_getaffinity(0)),
        "cpu": cpu[0] if cpu else "unknown",
        "memory_mib": os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") >> 20,
        "kernel": platform.release(),
        "filesystem": filesystem_of(data),
        "load_before": round(os.getloadavg()[0], 2),
        "redis": first_line(["redis-server", "--version"]),
        "beanstalkd": first_line(["beanstalkd", "-v"]),
        "commit": first_line(["git", "-C", str(ROOT), "describe", "--always", "--dirty"]),
    }


class Bench:
    """One whole measurement and what it has seen so far."""

    def __init__(self, arguments: argparse.Namespace, sides: list[Side]) -> None:
        self.arguments = arguments
        self.loader = str(arguments.build / "dray_load")
        self.data: Path = arguments.data
        self.sides = sides
        wanted = arguments.only or WORKLOADS
        self.workloads: list[str] = [w for w in WORKLOADS if w in wanted]
        self.long_workloads: list[str] = [w for w in LONG_WORKLOADS if w in wanted]
        self.jobs = JOBS_QUICK if arguments.quick else JOBS_FULL
        self.rounds = 1 if arguments.quick else arguments.rounds
        self.runs: list[Run] = []

    def run(self) -> None:
        for round_number in range(self.rounds):
            self._record(round_number, "fsync-probe", "disk", self._probe)
            for place, workload in enumerate(self.workloads):
                for side in self._sides_of(workload, round_number + place):
                    self._record(round_number, workload, side.name,
                                 lambda w=workload, s=side: self._measure(w, s))  # fmt: skip
            if "backlog" in self.long_workloads:
                self._run_backlog(round_number)
            if "lists" in self.long_workloads:
                self._run_lists(round_number)
            if "sustain" in self.long_workloads:
                for side in self._sides_of("sustain", 0):
                    self._record(round_number, "sustain", side.name,
                                 lambda s=side: self._sustain(s))  # fmt: skip

    def _sides_of(self, workload: str, turn: int) -> list[Side]:
        """Returns who runs the workload, beginning with another one at each turn."""
        sides = [side for side in self.sides if workload in side.workloads]
        first = turn % len(sides) if sides else 0
        return sides[first:] + sides[:first]

    def _probe(self) -> Result:
        self.data.mkdir(parents=True, exist_ok=True)
        os.sync()  # What others left in the page cache is not the probe's to write.
        return run_loader([self.loader, "fsync-probe", "--dir", str(self.data)])

    def _measure(self, workload: str, side: Side) -> Result:
        jobs = min(side.jobs.get(workload, self.jobs[workload]), self.jobs[workload])
        with Server(side, self.data / side.name) as server:
            command = [self.loader, *LOADER[workload], *side.options.get(workload, [])]
            return load(server, command, jobs)

    def _run_backlog(self, round_number: int) -> None:
        drays = [side for side in self._sides_of("life", round_number)
                 if side.name in ("dray", "dray-before")]  # fmt: skip
        for side in drays:
            self._record(round_number, "life-0", side.name, lambda s=side: self._lives(s))
        arguments = self.arguments
        for side in self._sides_of("backlog", 0):
            for size in arguments.backlog_sizes:
                with BacklogRun(self.loader, side, self.data / side.name, size,
                                arguments.backlog_lives, arguments.drain_jobs) as run:  # fmt: skip
                    for name, step in run.steps():
                        # What follows a step that failed has nothing to stand on.
                        if not self._record(round_number, name, side.name, step):
                            break

    def _lives(self, side: Side) -> Result:
        with Server(side, self.data / side.name) as server:
            return measure_lives(self.loader, server, LIVES_ALONE)

    def _sustain(self, side: Side) -> Result:
        with Server(side, self.data / side.name) as server:
            return measure_sustain(self.loader, server, self.arguments.sustain_seconds)

    def _run_lists(self, round_number: int) -> None:
        for side in self._sides_of("lists", 0):
            with Server(side, self.data / side.name) as server:
                jobs = self.arguments.list_jobs
                if self._record(round_number, "lists-fill", side.name, lambda: fill(server, jobs)):
                    self._record(round_number, "lists", side.name,
                                 lambda: measure_lists(self.loader, server))  # fmt: skip

    def throughputs(self) -> list[str]:
        """Returns the names of the runs that have a rate, in the order of the report."""
        names = list(self.workloads)
        if "backlog" in self.long_workloads:
            short = [size_name(size) for size in self.arguments.backlog_sizes]
            names.append("life-0")
            names += [f"{step}-{name}" for step in ("life", "fill", "drain") for name in short]
        return names + [name for name in self.long_workloads if name == "sustain"]

    def verdicts(self, medians: Medians) -> list[Verdict]:
        found = verdicts_of(medians) if self.workloads else []
        if "backlog" in self.long_workloads:
            found += backlog_verdicts(medians, self.arguments.backlog_sizes)
        if "sustain" in self.long_workloads:
            found += sustain_verdicts(medians)
        if "lists" in self.long_workloads:
            found += lists_verdicts(medians)
        return found

    def _record(self, round_number: int, workload: str, side: str,
                action: Callable[[], Result]) -> bool:  # fmt: skip
        """Returns whether the action succeeded."""
        run: Run = {"round": round_number, "workload": workload, "side": side}
        try:
            run["result"] = action()
        except BenchError as error:
            run["error"] = str(error)
        self.runs.append(run)
        print(f"round {round_number + 1}/{self.rounds}  {workload:<11} {side:<15} {brief(run)}",
              flush=True)  # fmt: skip
        return "error" not in run


def brief(run: Run) -> str:
    if "error" in run:
        return f"FAILED: {run['error']}"
    result = run["result"]
    if "recycled_p50_ms" in result:
        return (f"recycled p50 {result['recycled_p50_ms']:.3f} ms, "
                f"200/s {result['paced_p50_ms']:.3f} ms, "
                f"growing p50 {result['growing_p50_ms']:.3f} ms")  # fmt: skip
    if "first_fetch_s" in result:
        return f"ready {result['ready_s']:.3f} s, first fetch {result['first_fetch_s']:.3f} s"
    if "page_max_ms" in result:
        return (f"page p50 {result['page_p50_ms']:.1f} ms, max {result['page_max_ms']:.1f} ms "
                f"({result['page_slowest']}); dispatch p99 {result['alone_p99_ms']:.2f} ms, "
                f"with lists {result['p99_ms']:.2f} ms")  # fmt: skip
    if "stop_s" in result:
        return f"{result['stop_s']:.3f} s"
    others = f"others {result['others_percent']:.0f} %"
    if "stall_max_ms" in result:
        others += f"  stall {result['stall_max_ms']:.0f} ms, {result['refusals']} refused"
    if result.get("overtakes"):
        others += f"  {result['overtakes']} OVERTOOK older jobs"
    if "p50_ms" in result:
        return f"p50 {result['p50_ms']:.3f} ms  p99 {result['p99_ms']:.3f} ms  {others}"
    return f"{result['rate']:>10,.0f} /s  {others}"


def choose_sides(arguments: argparse.Namespace) -> list[Side]:
    options = shlex.split(arguments.dray_options)
    sides = all_sides(arguments.build / "dray", options)
    if arguments.sides:
        wanted = arguments.sides.split(",")
        unknown = set(wanted) - {side.name for side in sides}
        if unknown:
            names = ", ".join(side.name for side in sides)
            raise BenchError(f"unknown side {', '.join(sorted(unknown))}; there are {names}")
        sides = [side for side in sides if side.name in wanted]
    if arguments.against:
        sides.append(before_side(arguments.against.resolve(), options))
    present = []
    for side in sides:
        reason = missing_reason(side)
        if reason is None:
            present.append(side)
        else:
            print(f"bench: {side.name} is left out: {reason}", flush=True)
    if not present:
        raise BenchError("no side to measure")
    return present


def check_ground(arguments: argparse.Namespace) -> dict[str, Any]:
    if not shutil.which(str(arguments.build / "dray_load")):
        raise BenchError(f"{arguments.build / 'dray_load'} is not built (./x build)")
    arguments.data = arguments.data.resolve()
    facts = machine_facts(arguments.data)
    if facts["filesystem"] in VOLATILE:
        raise BenchError(f"{arguments.data} is on {facts['filesystem']}: a sync there is no sync")
    if facts["load_before"] > 0.5:
        print(f"bench: others use this machine (load {facts['load_before']:.2f}); "
              "numbers will be noisy", flush=True)  # fmt: skip
    if "sustain" in (arguments.only or []):
        warn_of_room(arguments)
    if arguments.sync_delay_us:
        slow_down_syncs(arguments)
        facts["sync_delay_us"] = arguments.sync_delay_us
    return facts


def slow_down_syncs(arguments: argparse.Namespace) -> None:
    """Every process that is started from now on, the probe's too, meets a slower disk."""
    library = arguments.build / "slow_sync.so"
    if not library.exists():
        raise BenchError(f"{library} is not built (./x build)")
    os.environ["LD_PRELOAD"] = str(library.resolve())
    os.environ["DRAY_SYNC_DELAY_US"] = str(arguments.sync_delay_us)


def warn_of_room(arguments: argparse.Namespace) -> None:
    arguments.data.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(arguments.data).free
    wanted = arguments.sustain_seconds * SUSTAIN_BYTES_PER_SECOND
    if free < wanted:
        print(f"bench: {free >> 30} GiB are free for the data; a fast sustain may take "
              f"{wanted >> 30} GiB and end with DISKFULL", flush=True)  # fmt: skip


def report(bench: Bench, facts: dict[str, Any]) -> int:
    """Prints the tables, writes the file, and returns the exit status."""
    medians = medians_of(bench.runs)
    verdicts = bench.verdicts(medians)
    names = [side.name for side in bench.sides]
    facts_line = ", ".join(f"{name} {value}" for name, value in facts.items())
    tables = [facts_line, throughput_table(medians, bench.throughputs(), names),
              latency_table(medians, names)]  # fmt: skip
    if "backlog" in bench.long_workloads:
        tables.append(backlog_table(medians, bench.arguments.backlog_sizes))
    if "dray" in names:
        tables.append(verdict_table(verdicts))
    print("\n" + "\n\n".join(table for table in tables if table), flush=True)

    stamp = datetime.datetime.now().strftime("%Y-%m-%dT%H%M%S")
    path = ROOT / "build/bench" / f"{stamp}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({
        "facts": facts,
        "rounds": bench.rounds,
        "jobs": bench.jobs,
        "options": {name: str(value) for name, value in vars(bench.arguments).items()},
        "medians": {f"{w} {s}": numbers for (w, s), numbers in medians.items()},
        "verdicts": [verdict.as_json() for verdict in verdicts],
        "runs": bench.runs,
    }, indent=1) + "\n")  # fmt: skip
    print(f"\nall runs: {path}", flush=True)

    if any("error" in run for run in bench.runs):
        return 2
    return 1 if any(verdict.floor_holds is False for verdict in verdicts) else 0


def interrupt(*_: object) -> None:
    raise KeyboardInterrupt


def main() -> int:
    # A polite kill must stop the servers as Ctrl-C does, and a shell may have us ignore Ctrl-C.
    signal.signal(signal.SIGTERM, interrupt)
    signal.signal(signal.SIGINT, interrupt)
    arguments = parse_arguments()
    try:
        facts = check_ground(arguments)
        bench = Bench(arguments, choose_sides(arguments))
        bench.run()
        return report(bench, facts)
    except BenchError as error:
        print(f"bench: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("bench: stopped", file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(main())
