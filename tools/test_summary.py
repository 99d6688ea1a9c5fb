#!/usr/bin/python3
"""Adds up the results of a test run.

    tools/test_summary.py [--step "passed NAME" | --step "failed NAME"]… [--expect STEM]… FOLDER

FOLDER holds the JUnit files that ctest wrote. A file STEM.xml that is expected and is not there, or
holds no test, is a failure: a run that chose nothing has shown nothing. Names what failed and what
was skipped, and shows how the output of each failed test ended, because of a run elsewhere often only
the end is kept. The last line is "N passed, N failed" and nothing else. Exit 0 if nothing failed and
something passed.
"""

import argparse
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

SHOWN_LINES = 40  # Of the output of a failed test.
SHOWN_COLUMNS = 300  # Of each of these lines.


def outcome(case):
    """Returns passed, failed or skipped. A test that could not be started has failed."""
    if case.find("failure") is not None or case.get("status") == "fail":
        return "failed"
    skipped = case.find("skipped")
    if case.get("status") == "run" and skipped is None:
        return "passed"
    # ctest words: a test that skipped itself says SKIP_…, one without a program says otherwise.
    reason = skipped.get("message", "") if skipped is not None else ""
    if case.get("status") == "disabled" or reason.startswith("SKIP_"):
        return "skipped"
    return "failed"


def end_of_output(case):
    """Returns the last lines that a test printed."""
    lines = (case.findtext("system-out") or "").rstrip().splitlines()
    return [line[:SHOWN_COLUMNS] for line in lines[-SHOWN_LINES:]]


def collect(folder, steps, expected):
    """Returns ({"passed": names, "failed": names, "skipped": names}, {failed name: its last lines})."""
    outputs = {}
    names = {"passed": [], "failed": [], "skipped": []}
    for step in steps:
        word, name = step.split(" ", 1)
        names[word].append(name)
    found = {path.stem: path for path in sorted(folder.glob("*.xml"))}
    for stem in sorted(set(expected) - found.keys()):
        names["failed"].append(f"{stem}: no results")
    for stem, path in found.items():
        try:
            cases = list(ElementTree.parse(path).iter("testcase"))
        except ElementTree.ParseError:
            names["failed"].append(f"{stem}: results cut short")
            continue
        if not cases and stem in expected:
            names["failed"].append(f"{stem}: no test was chosen")
        for case in cases:
            name = f"{stem}: {case.get('name')}"
            names[outcome(case)].append(name)
            if outcome(case) == "failed":
                outputs[name] = end_of_output(case)
    return names, outputs


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--step", action="append", default=[])
    parser.add_argument("--expect", action="append", default=[])
    parser.add_argument("folder", type=Path)
    options = parser.parse_args(arguments)
    names, outputs = collect(options.folder, options.step, options.expect)
    for name, lines in outputs.items():
        print(f"== how {name} ended ==", *lines, "", sep="\n")
    for word in ("skipped", "failed"):
        for name in names[word]:
            print(f"{word}: {name}")
    print(f"{len(names['passed'])} passed, {len(names['failed'])} failed")
    return 0 if names["passed"] and not names["failed"] else 1


if __name__ == "__main__":
    sys.exit(main())
