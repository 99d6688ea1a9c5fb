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
from pathlib import Path
from typing import Any

from sides import BenchError, Server, Side, all_sides, die_with_parent, missing_reason
from verdict import (
    Run,
    latency_table,
    medians_of,
    throughput_table,
    verdict_table,
    verdicts_of,
)

ROOT = Path(__file__).resolve().parent.parent
WORKLOADS = ["push", "life", "life-batch", "latency", "due"]
PIPELINES = ["--connections", "50", "--depth", "32"]
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
ROUNDS = 5
LOADER_SECONDS_MAX = 240
VOLATILE = {"tmpfs", "ramfs", "overlay"}


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--rounds", type=int, default=ROUNDS, help="rounds (default %(default)s)")
    parser.add_argument("--quick", action="store_true", help="one round with fewer jobs")
    parser.add_argument("--only", metavar="WORKLOAD", action="append", choices=WORKLOADS,
                        help=f"one of {', '.join(WORKLOADS)}; may be repeated")  # fmt: skip
    parser.add_argument("--sides", metavar="A,B", help="only these sides")
    parser.add_argument("--build", type=Path, default=ROOT / "build/release",
                        help="folder of dray and dray_load")  # fmt: skip
    parser.add_argument("--data", type=Path, default=ROOT / "build/bench/data",
                        help="folder for the servers' data, on the disk to measure")  # fmt: skip
    parser.add_argument("--dray-options", default="", metavar="TEXT",
                        help="more options for `dray serve`")  # fmt: skip
    arguments = parser.parse_args()
    if arguments.rounds < 1:
        parser.error("--rounds must be at least 1")
    return arguments


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


def busy_seconds() -> float:
    """Returns the CPU seconds that all processes of the machine have used, stolen ones included."""
    user, nice, system, _idle, _iowait, irq, softirq, steal, *_ = (
        int(field) for field in Path("/proc/stat").read_text().split("\n")[0].split()[1:]
    )
    ticks = user + nice + system + irq + softirq + steal
    return ticks / os.sysconf("SC_CLK_TCK")


def others_percent(result: dict[str, Any], busy: float) -> float:
    """Returns what neither the server nor the loader used, in percent of the machine."""
    both = result.get("server_cpu_us_per_job", 0.0) + result["loader_cpu_us_per_job"]
    others = max(0.0, busy - both * result["jobs"] / 1e6)
    return 100 * others / (result["seconds"] * len(os.sched_getaffinity(0)))


def run_loader(command: list[str]) -> dict[str, Any]:
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        preexec_fn=die_with_parent,
    )  # fmt: skip
    try:
        out, error = process.communicate(timeout=LOADER_SECONDS_MAX + 30)
    except BaseException:
        process.kill()
        process.wait()
        raise
    if process.returncode != 0:
        raise BenchError(error.strip() or f"the loader ended with {process.returncode}")
    return json.loads(out)


class Bench:
    """One whole measurement and what it has seen so far."""

    def __init__(self, arguments: argparse.Namespace, sides: list[Side]) -> None:
        self.loader = str(arguments.build / "dray_load")
        self.data: Path = arguments.data
        self.sides = sides
        self.workloads: list[str] = [w for w in WORKLOADS if w in (arguments.only or WORKLOADS)]
        self.jobs = JOBS_QUICK if arguments.quick else JOBS_FULL
        self.rounds = 1 if arguments.quick else arguments.rounds
        self.runs: list[Run] = []

    def run(self) -> None:
        for round_number in range(self.rounds):
            self._record(round_number, "fsync-probe", "disk", self._probe)
            for place, workload in enumerate(self.workloads):
                sides = [side for side in self.sides if workload in side.workloads]
                for turn in range(len(sides)):
                    side = sides[(turn + round_number + place) % len(sides)]
                    self._record(round_number, workload, side.name,
                                 lambda w=workload, s=side: self._measure(w, s))  # fmt: skip

    def _probe(self) -> dict[str, Any]:
        self.data.mkdir(parents=True, exist_ok=True)
        os.sync()  # What others left in the page cache is not the probe's to write.
        return run_loader([self.loader, "fsync-probe", "--dir", str(self.data)])

    def _measure(self, workload: str, side: Side) -> dict[str, Any]:
        jobs = min(side.jobs.get(workload, self.jobs[workload]), self.jobs[workload])
        with Server(side, self.data / side.name) as server:
            command = [
                self.loader, *LOADER[workload], "--driver", side.driver,
                "--port", str(server.port), "--jobs", str(jobs),
                "--server-pid", str(server.pid), "--timeout-s", str(LOADER_SECONDS_MAX),
                *side.options.get(workload, []),
            ]  # fmt: skip
            busy_before = busy_seconds()
            try:
                result = run_loader(command)
            except BenchError as error:
                raise BenchError(f"{error} {server.log_tail()}".strip()) from error
            result["others_percent"] = others_percent(result, busy_seconds() - busy_before)
            return result

    def _record(self, round_number: int, workload: str, side: str, action: Any) -> None:
        run: Run = {"round": round_number, "workload": workload, "side": side}
        try:
            run["result"] = action()
        except BenchError as error:
            run["error"] = str(error)
        self.runs.append(run)
        print(f"round {round_number + 1}/{self.rounds}  {workload:<11} {side:<15} {brief(run)}",
              flush=True)  # fmt: skip


def brief(run: Run) -> str:
    if "error" in run:
        return f"FAILED: {run['error']}"
    result = run["result"]
    if "recycled_p50_ms" in result:
        return (f"recycled p50 {result['recycled_p50_ms']:.3f} ms, "
                f"growing p50 {result['growing_p50_ms']:.3f} ms")  # fmt: skip
    others = f"others {result['others_percent']:.0f} %"
    if "p50_ms" in result:
        return f"p50 {result['p50_ms']:.3f} ms  p99 {result['p99_ms']:.3f} ms  {others}"
    return f"{result['rate']:>10,.0f} /s  {others}"


def choose_sides(arguments: argparse.Namespace) -> list[Side]:
    sides = all_sides(arguments.build / "dray", shlex.split(arguments.dray_options))
    if arguments.sides:
        wanted = arguments.sides.split(",")
        unknown = set(wanted) - {side.name for side in sides}
        if unknown:
            names = ", ".join(side.name for side in sides)
            raise BenchError(f"unknown side {', '.join(sorted(unknown))}; there are {names}")
        sides = [side for side in sides if side.name in wanted]
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
    return facts


def report(bench: Bench, facts: dict[str, Any]) -> int:
    """Prints the tables, writes the file, and returns the exit status."""
    medians = medians_of(bench.runs)
    verdicts = verdicts_of(medians)
    names = [side.name for side in bench.sides]
    facts_line = ", ".join(f"{name} {value}" for name, value in facts.items())
    tables = [facts_line, throughput_table(medians, bench.workloads, names),
              latency_table(medians, names)]  # fmt: skip
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
