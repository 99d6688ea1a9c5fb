#!/usr/bin/python3
"""Judges the history of a crash run: what the server promised against what it kept.

    tests/crash/checker.py FOLDER…

Each FOLDER holds the *.jsonl files of one campaign. Shares no code with the server. Prints what
happened, every breach, and the verdict. Exit 0 PASS; 1 FAIL; 3 INVALID: no breach, but too little
happened to prove anything.
"""

import argparse
import sys
from collections import Counter

import history
import judge_jobs
import judge_leases
import judge_queues
import vacuity
from evidence import Evidence

PASS, FAIL, INVALID = 0, 1, 3
WORDS = {PASS: "PASS", FAIL: "FAIL", INVALID: "INVALID"}
SHOWN_MAX = 8  # Of each kind of breach.


def breaches(evidence):
    """Returns all breaches as (kind, text)."""
    found = []
    for judgement in (judge_jobs, judge_leases, judge_queues):
        found += judgement.judge(evidence)
    if not evidence.records or not evidence.stats:
        found.append(("no-dump", "the store was not dumped at the end"))
    return found


def judge_folder(folder):
    """Returns (breaches, counts of what happened) of one campaign."""
    evidence = Evidence(history.read(folder))
    found = breaches(evidence)
    if not found or found[-1][0] != "no-dump":
        return found, vacuity.count(evidence)
    # A campaign that broke off has no dump: then "not there" means nothing.
    real = [breach for breach in found if breach[0] in ("start-refused", "bad-exit", "stuck")]
    return real or found[-1:], vacuity.count(evidence)


def report(found, seen, missing):
    """Prints what happened and what was found. Returns the verdict."""
    print("what happened:")
    for name, number in sorted(seen.items()):
        print(f"  {name:32} {number}")
    kinds = Counter(kind for kind, _ in found)
    for kind, number in kinds.items():
        print(f"BREACH {kind}: {number}")
        for text in [text for other, text in found if other == kind][:SHOWN_MAX]:
            print(f"    {text}")
    for text in missing:
        print(f"too little: {text}")
    verdict = FAIL if found else INVALID if missing else PASS
    print(f"verdict: {WORDS[verdict]}")
    return verdict


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folders", nargs="+", metavar="FOLDER")
    options = parser.parse_args(arguments)
    found, seen = [], Counter()
    for folder in options.folders:
        found_here, seen_here = judge_folder(folder)
        found += found_here
        seen += seen_here
    return report(found, seen, vacuity.shortfalls(seen))


if __name__ == "__main__":
    sys.exit(main())
