"""From the raw runs to medians, and from medians to pass or miss."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from statistics import median
from typing import Any

Run = dict[str, Any]
Medians = dict[tuple[str, str], dict[str, float]]


def medians_of(runs: Iterable[Run]) -> Medians:
    """Returns, by (workload, side), the median of each number over the rounds that succeeded.

    For `rate` the smallest and the largest are kept beside it.
    """
    values: dict[tuple[str, str], dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    for run in runs:
        for name, value in run.get("result", {}).items():
            if isinstance(value, (int, float)):
                values[run["workload"], run["side"]][name].append(float(value))
    result: Medians = {}
    for key, by_name in values.items():
        result[key] = {name: median(series) for name, series in by_name.items()}
        if "rate" in by_name:
            result[key]["rate_min"] = min(by_name["rate"])
            result[key]["rate_max"] = max(by_name["rate"])
    return result


@dataclass(frozen=True)
class Verdict:
    """One line of the Speed table. `floor` and `goal` are bounds for `measured`."""

    what: str
    measured: float | None
    floor: float | None
    goal: float | None
    at_least: bool
    unit: str

    def _holds(self, bound: float | None) -> bool | None:
        if bound is None or self.measured is None:
            return None
        return self.measured >= bound if self.at_least else self.measured <= bound

    @property
    def floor_holds(self) -> bool | None:
        return self._holds(self.floor)

    @property
    def word(self) -> str:
        if self.measured is None:
            return "not measured"
        if self.floor_holds is False:
            return "BELOW FLOOR"
        if self._holds(self.goal) is False:
            return "floor, goal missed" if self.floor is not None else "goal missed"
        return "pass" if self.floor is not None or self.goal is not None else "for information"

    def as_json(self) -> dict[str, Any]:
        return {**asdict(self), "verdict": self.word}


def least(what: str, measured: float | None, floor: float | None, goal: float | None,
          unit: str = "x") -> Verdict:  # fmt: skip
    return Verdict(what, measured, floor, goal, True, unit)


def most(what: str, measured: float | None, floor: float | None, goal: float | None,
         unit: str = "x") -> Verdict:  # fmt: skip
    return Verdict(what, measured, floor, goal, False, unit)


# beanstalkd -f0 pushes once per sync, so a ratio to it says more about the disk than about Dray.
SYNC_MS_LEAST = 0.1


class Judge:
    """Looks numbers up in the medians; whatever is missing makes a verdict `not measured`."""

    def __init__(self, medians: Medians) -> None:
        self.medians = medians

    def number(self, workload: str, side: str, name: str) -> float | None:
        return self.medians.get((workload, side), {}).get(name)

    def ratio(self, workload: str, side: str, to: str) -> float | None:
        above = self.number(workload, side, "rate")
        below = self.number(workload, to, "rate")
        return above / below if above is not None and below else None

    def beanstalkd_floor(self) -> float | None:
        """40 where a disk takes as long as servers' disks do; else nothing: see docs/adr/0014."""
        probe = self.number("fsync-probe", "disk", "recycled_p50_ms")
        return None if probe is not None and probe < SYNC_MS_LEAST else 40

    def latency_goal(self) -> float | None:
        null = self.number("latency", "dray-null", "p50_ms")
        probe = self.number("fsync-probe", "disk", "paced_p50_ms")
        return null + 1.3 * probe if null is not None and probe is not None else None


def verdicts_of(medians: Medians) -> list[Verdict]:
    """Returns the Speed table. The numbers are the project's acceptance bounds."""
    judge = Judge(medians)
    ratio, number = judge.ratio, judge.number

    return [
        least("push / redis", ratio("push", "dray", "redis"), 0.8, 1.3),
        least("push / beanstalkd-f0", ratio("push", "dray", "beanstalkd-f0"),
              judge.beanstalkd_floor(), None),
        least("push / beanstalkd-f50", ratio("push", "dray", "beanstalkd-f50"), None, None),
        least("life / redis", ratio("life", "dray", "redis"), 1.3, 2.5),
        least("life / beanstalkd-f50", ratio("life", "dray", "beanstalkd-f50"), None, None),
        least("life per second", number("life", "dray", "rate"), 90_000, 180_000, "/s"),
        least("life per second, fetch of 16", number("life-batch", "dray", "rate"),
              None, None, "/s"),
        most("server CPU per life", number("life", "dray", "server_cpu_us_per_job"),
             9, 5, "us"),
        least("push, durable / null", ratio("push", "dray", "dray-null"), 0.6, 0.75),
        least("life, durable / null", ratio("life", "dray", "dray-null"), 0.6, 0.75),
        most("push to handler p50, floor beanstalkd-f0", number("latency", "dray", "p50_ms"),
             number("latency", "beanstalkd-f0", "p50_ms"), judge.latency_goal(), "ms"),
        most("push to handler p99, floor beanstalkd-f0", number("latency", "dray", "p99_ms"),
             number("latency", "beanstalkd-f0", "p99_ms"), None, "ms"),
        *([least("life / the issue before", ratio("life", "dray", "dray-before"), 0.95, 1)]
          if ("life", "dray-before") in medians else []),
        most("100,000 due in 5 s, p99 late", number("due", "dray", "p99_ms"), 250, 100, "ms"),
    ]  # fmt: skip


# Seconds to the first fetch after a kill: (jobs that wait, floor, goal), for as many at most.
START_BOUNDS = [(1_000_000, 1.0, 0.3), (10_000_000, 5.0, 1.0)]


def backlog_verdicts(medians: Medians, sizes: list[int]) -> list[Verdict]:
    """Returns the rows of the tables' Speed table, for each of the sizes."""
    number = Judge(medians).number

    def of(step: str, size: int, name: str) -> float | None:
        return number(f"{step}-{size_name(size)}", "dray", name)

    def over(above: float | None, below: float | None) -> float | None:
        return above / below if above is not None and below else None

    found = []
    none_rate = number("life-0", "dray", "rate")
    lives = [of("life", size, "rate") for size in sizes]
    for size, rate in zip(sizes, lives, strict=True):
        at = size_name(size)
        floor, goal = next(((floor, goal) for most_jobs, floor, goal in START_BOUNDS
                            if size <= most_jobs), (None, None))  # fmt: skip
        found += [
            most(f"RSS per waiting job, {at}", of("fill", size, "rss_bytes_per_job"), 96, 64, " B"),
            most(f"disk bytes per surviving job, {at}", of("fill", size, "disk_bytes_per_job"),
                 1_500, 800, " B"),
            most(f"journal / budget while {at} come", of("fill", size, "journal_of_budget"),
                 1, None),
            most(f"start after kill -9, first fetch, {at}", of("start", size, "first_fetch_s"),
                 floor, goal, " s"),
            least(f"life on {at} / on 0", over(rate, none_rate), 0.5, 0.8),
            least(f"drain of {at}", of("drain", size, "rate"), 80_000, 180_000, "/s"),
        ]  # fmt: skip
    if len(sizes) > 1:
        known = [rate for rate in lives if rate is not None]
        even = over(min(known), max(known)) if len(known) == len(sizes) else None
        found.append(least("life on one backlog / on another", even, 0.8, None))
    found += [
        most("disk bytes per life, with the flush after", number("life-0", "dray",
             "disk_bytes_per_job"), 500, 400, " B"),
        most("disk bytes per life, while they run", number("life-0", "dray",
             "server_write_bytes_per_job"), None, None, " B"),
    ]  # fmt: skip
    before = over(none_rate, number("life-0", "dray-before", "rate"))
    found.append(least("life / the issue before", before, 0.95, 1))
    return found


def sustain_verdicts(medians: Medians) -> list[Verdict]:
    number = Judge(medians).number
    stall_ms = number("sustain", "dray", "stall_max_ms")
    return [
        least("sustained pushes", number("sustain", "dray", "rate"), 100_000, 250_000, "/s"),
        most("sustain: longest stall", stall_ms, 1_000, None, " ms"),
        most("sustain: journal / budget", number("sustain", "dray", "journal_of_budget"), 1, None),
        most("sustain: peak RSS / allowed", number("sustain", "dray", "rss_peak_of_allowed"),
             1, None),
    ]  # fmt: skip


def lists_verdicts(medians: Medians) -> list[Verdict]:
    number = Judge(medians).number
    return [
        most("lists: slowest page", number("lists", "dray", "page_max_ms"), 200, None, " ms"),
        most("lists: dispatch p99 / undisturbed", number("lists", "dray", "p99_of_alone"), 1.2,
             None),
    ]  # fmt: skip


def size_name(jobs: int) -> str:
    """Returns 1M, 250k or 1234."""
    for unit, letter in ((1_000_000, "M"), (1_000, "k")):
        if jobs >= unit and jobs % unit == 0:
            return f"{jobs // unit}{letter}"
    return str(jobs)


def cell(value: float | None, unit: str = "") -> str:
    if value is None:
        return "-"
    if value >= 10_000:
        return f"{value:,.0f}{unit}"
    return f"{value:.3g}{unit}" if value < 1_000 else f"{value:.0f}{unit}"


def text_table(head: list[str], rows: list[list[str]]) -> str:
    """Lays out a table: the first column to the left, the others to the right."""
    widths = [max(len(row[i]) for row in [head, *rows]) for i in range(len(head))]
    lines = []
    for row in [head, ["-" * width for width in widths], *rows]:
        cells = [row[0].ljust(widths[0])]
        cells += [text.rjust(width) for text, width in zip(row[1:], widths[1:], strict=True)]
        lines.append("  ".join(cells).rstrip())
    return "\n".join(lines)


def throughput_table(medians: Medians, workloads: list[str], sides: list[str]) -> str:
    rows = []
    for workload in workloads:
        for side in sides:
            numbers = medians.get((workload, side))
            if numbers is None or workload in ("latency", "due"):
                continue
            rows.append([
                f"{workload} {side}", cell(numbers["rate"]),
                f"{cell(numbers['rate_min'])} .. {cell(numbers['rate_max'])}",
                cell(numbers.get("server_cpu_us_per_job")),
                cell(numbers.get("server_write_bytes_per_job")),
                cell(numbers.get("loader_cpu_us_per_job")),
                cell(numbers.get("others_percent"), " %"),
            ])  # fmt: skip
    head = ["throughput", "jobs/s", "least .. most", "server us/job", "bytes/job", "loader us/job",
            "others"]  # fmt: skip
    return text_table(head, rows) if rows else ""


def latency_table(medians: Medians, sides: list[str]) -> str:
    rows = []
    for workload in ("latency", "due"):
        for side in sides:
            numbers = medians.get((workload, side))
            if numbers is not None:
                rows.append([f"{workload} {side}"] + [
                    cell(numbers[name]) for name in ("p50_ms", "p99_ms", "max_ms")
                ] + [cell(numbers.get("send_late_p99_ms")),
                     cell(numbers.get("others_percent"), " %")])  # fmt: skip
    probe = medians.get(("fsync-probe", "disk"))
    if probe is not None:
        files = {"recycled": "recycled file", "paced": "recycled, 200/s", "growing": "growing file"}
        for file, called in files.items():
            rows.append([f"4 KiB write + fdatasync, {called}"] + [
                cell(probe[f"{file}_{name}_ms"]) for name in ("p50", "p99", "max")
            ] + ["-", "-"])  # fmt: skip
    head = ["latency", "p50 ms", "p99 ms", "max ms", "loader late p99", "others"]
    return text_table(head, rows) if rows else ""


def verdict_table(verdicts: list[Verdict]) -> str:
    rows = [
        [v.what, cell(v.floor, v.unit), cell(v.goal, v.unit), cell(v.measured, v.unit), v.word]
        for v in verdicts
    ]
    return text_table(["Dray", "floor", "goal", "measured", "verdict"], rows)


# Step, number, what to call it, and what to divide it by.
BACKLOG_ROWS = [
    ("fill", "stall_max_ms", "fill: longest stall, ms", 1),
    ("fill", "refusals", "fill: refused", 1),
    ("fill", "journal_bytes", "fill: journal at most, MiB", 1 << 20),
    ("fill", "data_bytes", "data folder when all is flushed, MiB", 1 << 20),
    ("fill", "rss_peak_bytes", "fill: RSS at most, MiB", 1 << 20),
    ("fill", "rss_bytes", "RSS when all is flushed, MiB", 1 << 20),
    ("fill", "rss_empty_bytes", "  of it: the empty server", 1 << 20),
    ("fill", "record_bytes", "  of it: records that stay", 1 << 20),
    ("start", "ready_s", "kill -9 and start: ready, s", 1),
    ("start", "first_fetch_s", "  first fetch, s", 1),
    ("start", "rss_bytes", "  RSS then, MiB", 1 << 20),
    ("life", "overtakes", "life: jobs that overtook", 1),
    ("stop", "stop_s", "stop, s", 1),
]


def backlog_table(medians: Medians, sizes: list[int]) -> str:
    rows = []
    for step, name, what, unit in BACKLOG_ROWS:
        values = [medians.get((f"{step}-{size_name(size)}", "dray"), {}).get(name)
                  for size in sizes]  # fmt: skip
        rows.append([what] + [cell(None if v is None else v / unit) for v in values])
    return text_table(["backlog", *(size_name(size) for size in sizes)], rows)
