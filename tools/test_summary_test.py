"""Tests of tools/test_summary.py."""

import contextlib
import io
import tempfile
import unittest
from pathlib import Path

import test_summary

RESULTS = """<?xml version="1.0" encoding="UTF-8"?>
<testsuite name="x" tests="5">
  <testcase name="works" classname="works" time="0.1" status="run"><system-out/></testcase>
  <testcase name="breaks" classname="breaks" time="0.1" status="fail"><failure message=""/></testcase>
  <testcase name="absent" classname="absent" time="0" status="notrun">
    <skipped message="Unable to find executable: absent_NOT_BUILT"/></testcase>
  <testcase name="declines" classname="declines" time="0" status="notrun">
    <skipped message="SKIP_REGULAR_EXPRESSION_MATCHED"/></testcase>
  <testcase name="off" classname="off" time="0" status="disabled">
    <skipped message="Disabled"/></testcase>
</testsuite>
"""
GOOD = '<testsuite><testcase name="works" status="run"/></testsuite>'


class Summary(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    def run_it(self, *arguments):
        out = io.StringIO()
        with contextlib.redirect_stdout(out):
            code = test_summary.main([*arguments, str(self.folder)])
        return code, out.getvalue().splitlines()

    def test_counts_and_names_every_outcome(self):
        (self.folder / "release.xml").write_text(RESULTS)
        code, lines = self.run_it()
        self.assertEqual(code, 1)
        self.assertEqual(lines[-5:], ["skipped: release: declines", "skipped: release: off",
                                      "failed: release: breaks", "failed: release: absent",
                                      "1 passed, 2 failed"])

    def test_shows_how_the_output_of_each_failed_test_ended(self):
        printed = "\n".join(f"line {number}" for number in range(100))
        (self.folder / "release.xml").write_text(
            '<testsuite><testcase name="works" status="run"><system-out>quiet</system-out></testcase>'
            f'<testcase name="breaks" status="fail"><system-out>{printed}\n&lt;the reason&gt; '
            f'{"x" * 1000}\n</system-out></testcase>'
            '<testcase name="silent" status="fail"/></testsuite>')
        _, lines = self.run_it()
        self.assertEqual(lines[0], "== how release: breaks ended ==")
        self.assertEqual(lines[1:40], [f"line {number}" for number in range(61, 100)])
        self.assertTrue(lines[40].startswith("<the reason> xxx") and len(lines[40]) == 300)
        self.assertEqual(lines[41:], ["", "== how release: silent ended ==", "",
                                      "failed: release: breaks", "failed: release: silent",
                                      "1 passed, 2 failed"])

    def test_adds_up_presets_and_steps(self):
        (self.folder / "release.xml").write_text(GOOD)
        (self.folder / "asan.xml").write_text(GOOD)
        self.assertEqual(self.run_it("--step", "passed fuzz"), (0, ["3 passed, 0 failed"]))
        code, lines = self.run_it("--step", "failed build tsan")
        self.assertEqual((code, lines[-1]), (1, "2 passed, 1 failed"))

    def test_results_that_are_missing_or_empty_are_failures(self):
        (self.folder / "asan.xml").write_text("<testsuite/>")
        code, lines = self.run_it("--expect", "release", "--expect", "asan")
        self.assertEqual((code, lines[-1]), (1, "0 passed, 2 failed"))

    def test_results_that_were_cut_are_a_failure(self):
        (self.folder / "release.xml").write_text(RESULTS[:300])
        (self.folder / "asan.xml").write_text(GOOD)
        code, lines = self.run_it()
        self.assertEqual((code, lines[-1]), (1, "1 passed, 1 failed"))

    def test_nothing_at_all_is_no_success(self):
        self.assertEqual(self.run_it(), (1, ["0 passed, 0 failed"]))


if __name__ == "__main__":
    unittest.main()
