"""Runs `dray_load` beside a server and adds what the rest of the machine did meanwhile."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

from sides import BenchError, Server, die_with_parent

LOADER_SECONDS_MAX = 240
# Slower than any rate that is worth a report.
JOBS_PER_SECOND_LEAST = 10_000


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


def run_loader(command: list[str], seconds_max: float = LOADER_SECONDS_MAX) -> dict[str, Any]:
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        preexec_fn=die_with_parent,
    )  # fmt: skip
    try:
        out, error = process.communicate(timeout=seconds_max + 30)
    except BaseException:
        process.kill()
        process.wait()
        raise
    if process.returncode != 0:
        raise BenchError(error.strip() or f"the loader ended with {process.returncode}")
    return json.loads(out)


def load(server: Server, command: list[str], jobs: int, seconds: int = 0) -> dict[str, Any]:
    """Runs `command`, a workload and its options, against the server.

    `seconds` is how long it takes by its own options, where it does not go by jobs.
    """
    expected = 2 * seconds if seconds else jobs // JOBS_PER_SECOND_LEAST
    seconds_max = max(LOADER_SECONDS_MAX, expected)
    busy_before = busy_seconds()
    try:
        result = run_loader([
            *command, "--driver", server.side.driver, "--port", str(server.port),
            "--jobs", str(jobs), "--server-pid", str(server.pid),
            "--timeout-s", str(seconds_max),
        ], seconds_max)  # fmt: skip
    except BenchError as error:
        raise BenchError(f"{error} {server.log_tail()}".strip()) from error
    result["others_percent"] = others_percent(result, busy_seconds() - busy_before)
    return result
