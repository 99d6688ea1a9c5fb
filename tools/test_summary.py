#!/usr/bin/python3
"""Adds up the results of a test run.

    tools/test_summary.py [--step "passed NAME" | --step "failed NAME"]… [--expect STEM]… FOLDER

FOLDER holds the JUnit files that ctest wrote. A file STEM.xml that is expected and is not there, or
holds no test, is a failure: a run that chose nothing has shown nothing. Names what failed and what was skipped; the last line
is "N passed, N failed" and nothing else. Exit 0 if nothing failed and something passed.
"""

import argparse
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path


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


def collect(folder, steps, expected):
    """Returns {"passed": names, "failed": names, "skipped": names}."""
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
            names[outcome(case)].append(f"{stem}: {case.get('name')}")
    return names


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--step", action="append", default=[])
    parser.add_argument("--expect", action="append", default=[])
    parser.add_argument("folder", type=Path)
    options = parser.parse_args(arguments)
    names = collect(options.folder, options.step, options.expect)
    for word in ("skipped", "failed"):
        for name in names[word]:
            print(f"{word}: {name}")
    print(f"{len(names['passed'])} passed, {len(names['failed'])} failed")
    return 0 if names["passed"] and not names["failed"] else 1


if __name__ == "__main__":
    sys.exit(main())
