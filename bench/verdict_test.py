"""Tests of the medians and of the Speed table."""

import unittest

from verdict import Medians, cell, medians_of, text_table, verdicts_of


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

    def test_cpu_is_judged_downwards(self) -> None:
        for cpu, word in {9.1: "BELOW FLOOR", 9: "floor, goal missed", 5: "pass"}.items():
            medians = {("life", "dray"): {"server_cpu_us_per_job": cpu}}
            self.assertEqual(words(medians)["server CPU per life"], word, cpu)

    def test_latency_goal_is_the_null_journal_plus_the_disk(self) -> None:
        medians = {
            ("latency", "beanstalkd-f0"): {"p50_ms": 0.5, "p99_ms": 1},
            ("latency", "dray-null"): {"p50_ms": 0.1},
            ("fsync-probe", "disk"): {"recycled_p50_ms": 0.1},
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


class TableTest(unittest.TestCase):
    def test_columns_line_up(self) -> None:
        self.assertEqual(text_table(["a", "bb"], [["long", "1"]]),
                         "a     bb\n----  --\nlong   1")  # fmt: skip

    def test_cells_are_short(self) -> None:
        self.assertEqual([cell(None), cell(0.12345), cell(1234.5), cell(1234567.0, "/s")],
                         ["-", "0.123", "1234", "1,234,567/s"])  # fmt: skip


if __name__ == "__main__":
    unittest.main()
