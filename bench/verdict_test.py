"""Tests of the medians and of the Speed table."""

import unittest

from verdict import (
    Medians,
    backlog_table,
    backlog_verdicts,
    cell,
    lists_verdicts,
    medians_of,
    size_name,
    sustain_verdicts,
    text_table,
    verdicts_of,
)


def run(workload: str, side: str, **result: float) -> dict:
    return {"workload": workload, "side": side, "result": result}


def words(medians: Medians) -> dict[str, str]:
    return {verdict.what: verdict.word for verdict in verdicts_of(medians)}


class MediansTest(unittest.TestCase):
    def test_median_is_per_workload_side_and_number(self) -> None:
        runs = [run("push", "redis", rate=rate) for rate in (5, 1, 3)]
        runs += [run("push", "dray", rate=7), run("life", "redis", rate=9)]
        medians = medians_of(runs)
        self.assertEqual(medians["push", "redis"], {"rate": 3, "rate_min": 1, "rate_max": 5})
        self.assertEqual(medians["push", "dray"]["rate"], 7)
        self.assertEqual(medians["life", "redis"]["rate"], 9)

    def test_failed_runs_and_texts_do_not_count(self) -> None:
        failed = {"workload": "push", "side": "dray", "error": "OVERLOADED"}
        named = run("push", "dray", rate=4)
        named["result"]["driver"] = "dray"
        self.assertEqual(medians_of([failed, named])["push", "dray"]["rate"], 4)
        self.assertEqual(medians_of([failed]), {})


class VerdictsTest(unittest.TestCase):
    def test_nothing_measured_is_neither_pass_nor_miss(self) -> None:
        self.assertEqual(set(words({}).values()), {"not measured"})

    def test_ratio_is_judged_by_floor_then_goal(self) -> None:
        expected = {79: "BELOW FLOOR", 80: "floor, goal missed", 129: "floor, goal missed",
                    130: "pass"}  # fmt: skip
        for rate, word in expected.items():
            medians = {("push", "dray"): {"rate": rate}, ("push", "redis"): {"rate": 100}}
            self.assertEqual(words(medians)["push / redis"], word, rate)

    def test_beanstalkd_is_judged_on_a_disk_that_takes_its_time(self) -> None:
        medians = {("push", "dray"): {"rate": 39}, ("push", "beanstalkd-f0"): {"rate": 1}}
        for probe, word in {0.099: "for information", 0.1: "BELOW FLOOR"}.items():
            medians["fsync-probe", "disk"] = {"recycled_p50_ms": probe}
            self.assertEqual(words(medians)["push / beanstalkd-f0"], word, probe)
        del medians["fsync-probe", "disk"]
        self.assertEqual(words(medians)["push / beanstalkd-f0"], "BELOW FLOOR")

    def test_cpu_is_judged_downwards(self) -> None:
        for cpu, word in {9.1: "BELOW FLOOR", 9: "floor, goal missed", 5: "pass"}.items():
            medians = {("life", "dray"): {"server_cpu_us_per_job": cpu}}
            self.assertEqual(words(medians)["server CPU per life"], word, cpu)

    def test_latency_goal_is_the_null_journal_plus_the_disk(self) -> None:
        medians = {
            ("latency", "beanstalkd-f0"): {"p50_ms": 0.5, "p99_ms": 1},
            ("latency", "dray-null"): {"p50_ms": 0.1},
            ("fsync-probe", "disk"): {"paced_p50_ms": 0.1},
        }
        what = "push to handler p50, floor beanstalkd-f0"
        expected = {0.22: "pass", 0.24: "floor, goal missed", 0.51: "BELOW FLOOR"}
        for p50, word in expected.items():
            medians["latency", "dray"] = {"p50_ms": p50, "p99_ms": 1}
            self.assertEqual(words(medians)[what], word, p50)

    def test_rows_without_bounds_are_information(self) -> None:
        medians = {("life-batch", "dray"): {"rate": 1}}
        self.assertEqual(words(medians)["life per second, fetch of 16"], "for information")

    def test_json_carries_the_word(self) -> None:
        verdict = verdicts_of({("due", "dray"): {"p99_ms": 300}})[-1].as_json()
        self.assertEqual((verdict["measured"], verdict["verdict"]), (300, "BELOW FLOOR"))


def backlog_words(medians: Medians, sizes: list[int]) -> dict[str, str]:
    return {verdict.what: verdict.word for verdict in backlog_verdicts(medians, sizes)}


class BacklogVerdictsTest(unittest.TestCase):
    def test_sizes_have_short_names(self) -> None:
        names = [size_name(jobs) for jobs in (10_000_000, 250_000, 1_500_000, 1_234)]
        self.assertEqual(names, ["10M", "250k", "1500k", "1234"])

    def test_nothing_measured_is_neither_pass_nor_miss(self) -> None:
        found = backlog_words({}, [1_000_000, 10_000_000])
        self.assertEqual(set(found.values()), {"not measured"})
        self.assertEqual(len(found), 2 * 6 + 4)

    def test_memory_is_judged_at_every_size(self) -> None:
        medians = {("fill-1M", "dray"): {"rss_bytes_per_job": 97},
                   ("fill-10M", "dray"): {"rss_bytes_per_job": 64}}  # fmt: skip
        found = backlog_words(medians, [1_000_000, 10_000_000])
        self.assertEqual(found["RSS per waiting job, 1M"], "BELOW FLOOR")
        self.assertEqual(found["RSS per waiting job, 10M"], "pass")

    def test_a_start_may_take_longer_with_more_jobs(self) -> None:
        cases = {(1_000_000, 0.3): "pass", (1_000_000, 0.9): "floor, goal missed",
                 (1_000_000, 1.1): "BELOW FLOOR", (10_000_000, 1.0): "pass",
                 (10_000_000, 4.9): "floor, goal missed", (10_000_000, 5.1): "BELOW FLOOR",
                 (20_000_000, 9.0): "for information"}  # fmt: skip
        for (size, seconds), word in cases.items():
            name = size_name(size)
            medians = {(f"start-{name}", "dray"): {"first_fetch_s": seconds}}
            found = backlog_words(medians, [size])
            self.assertEqual(found[f"start after kill -9, first fetch, {name}"], word, name)

    def test_lives_are_compared_with_none_waiting_and_with_each_other(self) -> None:
        medians = {("life-0", "dray"): {"rate": 100}, ("life-1M", "dray"): {"rate": 80},
                   ("life-10M", "dray"): {"rate": 63}}  # fmt: skip
        found = backlog_words(medians, [1_000_000, 10_000_000])
        self.assertEqual(found["life on 1M / on 0"], "pass")
        self.assertEqual(found["life on 10M / on 0"], "floor, goal missed")
        self.assertEqual(found["life on one backlog / on another"], "BELOW FLOOR")
        # With one of them missing nothing can be said.
        del medians["life-10M", "dray"]
        found = backlog_words(medians, [1_000_000, 10_000_000])
        self.assertEqual(found["life on one backlog / on another"], "not measured")

    def test_lives_are_compared_with_the_issue_before(self) -> None:
        medians = {("life-0", "dray"): {"rate": 96}, ("life-0", "dray-before"): {"rate": 100}}
        found = backlog_words(medians, [1_000_000])
        self.assertEqual(found["life / the issue before"], "floor, goal missed")
        medians = {("life", "dray"): {"rate": 94}, ("life", "dray-before"): {"rate": 100}}
        self.assertEqual(words(medians)["life / the issue before"], "BELOW FLOOR")

    def test_sustain_is_judged_by_rate_stall_journal_and_memory(self) -> None:
        medians = {("sustain", "dray"): {"rate": 100_000, "stall_max_ms": 1_001,
                                         "journal_of_budget": 0.4,
                                         "rss_peak_of_allowed": 1.01}}  # fmt: skip
        self.assertEqual([verdict.word for verdict in sustain_verdicts(medians)],
                         ["floor, goal missed", "BELOW FLOOR", "pass", "BELOW FLOOR"])

    def test_lists_are_judged_by_the_slowest_page_and_by_what_they_disturb(self) -> None:
        medians = {("lists", "dray"): {"page_max_ms": 201, "p99_of_alone": 1.1}}
        self.assertEqual([verdict.word for verdict in lists_verdicts(medians)],
                         ["BELOW FLOOR", "pass"])

    def test_table_has_a_column_for_each_size(self) -> None:
        medians = {("fill-2k", "dray"): {"rss_bytes": 3 << 20, "refusals": 4}}
        lines = backlog_table(medians, [1_000, 2_000]).splitlines()
        self.assertEqual(lines[0].split(), ["backlog", "1k", "2k"])
        self.assertEqual(lines[3].split()[-2:], ["-", "4"])
        self.assertEqual(next(line for line in lines if "all is flushed, MiB" in line
                              and line.startswith("RSS")).split()[-2:], ["-", "3"])  # fmt: skip


class TableTest(unittest.TestCase):
    def test_columns_line_up(self) -> None:
        self.assertEqual(text_table(["a", "bb"], [["long", "1"]]),
                         "a     bb\n----  --\nlong   1")  # fmt: skip

    def test_cells_are_short(self) -> None:
        self.assertEqual([cell(None), cell(0.12345), cell(1234.5), cell(1234567.0, "/s")],
                         ["-", "0.123", "1234", "1,234,567/s"])  # fmt: skip


if __name__ == "__main__":
    unittest.main()
