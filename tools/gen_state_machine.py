#!/usr/bin/python3
"""Makes docs/state_machine.md from the table of the job life cycle in src/core/lifecycle.cc.

    tools/gen_state_machine.py [--check] [--program build/release/src/core/print_lifecycle]

Without --check it writes the file; with it, it fails when the file is stale.
"""

import argparse
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs/state_machine.md"
PROGRAM = ROOT / "build/release/src/core/print_lifecycle"

HEAD = """\
# The life of a job

This page is made by `tools/gen_state_machine.py` from the one table in `src/core/lifecycle.cc` that
the server itself asks; a test fails when the two differ. Words are those of the
[glossary](glossary.md). No job is `waiting` yet: that is for flows, which come later.

"""

EVENTS = {
    "grant": "a worker gets the lease",
    "undo-grant": "the reply with the lease did not reach the worker",
    "ack": "the worker is done",
    "fail-retry": "it failed and has attempts left",
    "fail-retry-now": "the same, and it may run at once",
    "fail-final": "it failed for good",
    "release": "the worker gives the job back",
    "release-later": "it gives the job back for later (snooze)",
    "lose-retry": "the lease ran out; attempts and crashes are left",
    "lose-final": "the lease ran out for the last time",
    "end-cancelled": "a lease ends, in whatever way, of a job that is to be cancelled",
    "due": "its time to start has come",
    "expire": "its time to start is over",
    "cancel": "a client cancels it",
    "force-cancel": "a client cancels it, running or not",
    "retry": "a client starts it again, as a new generation",
    "replace": "it is pushed again with `ONDUP replace`",
    "edit": "a client changes it (`JOB.EDIT`); a new time may make it scheduled or ready",
    "delete": "a client deletes it",
}

LEGEND = """\
A state name: the job goes there. **stays**: nothing changes, but a running job is marked, is told so
with its next beat, and is cancelled when its lease ends. **ends**: the record is gone. A word in
capitals: the command is refused with that error and nothing changes. `·`: it cannot come to this;
the server asserts that it does not.

"""


def read_cells(program):
    """Returns {(state, event): what}, and the states in order."""
    text = subprocess.run([program], capture_output=True, text=True, check=True).stdout
    cells = {}
    states = []
    for line in text.splitlines():
        state, event, what = line.split()
        if state not in states:
            states.append(state)
        cells[state, event] = what
    unknown = {event for _, event in cells} ^ set(EVENTS)
    if unknown:
        sys.exit(f"gen_state_machine: {__file__} does not describe the events {sorted(unknown)}")
    return cells, states


def picture(cells, states):
    """Returns the moves as a Mermaid diagram; arrows between the same two states share one."""
    arrows = {}
    for (state, event), what in cells.items():
        if what in states and (what != state):
            arrows.setdefault((state, what), []).append(event)
    lines = ["```mermaid", "stateDiagram-v2", "  [*] --> scheduled: push, for later",
             "  [*] --> ready: push"]
    lines += [f"  {old} --> {new}: {', '.join(events)}" for (old, new), events in arrows.items()]
    lines += [f"  {state} --> [*]: delete" for state in states
              if cells[state, "delete"] == "ends" and cells[state, "retry"] == "ready"]
    return "\n".join(lines + ["```"]) + "\n\n"


def table(cells, states):
    lines = ["| event | " + " | ".join(states) + " |", "|---" * (len(states) + 1) + "|"]
    for event, meaning in EVENTS.items():
        row = [cells[state, event] for state in states]
        shown = ["·" if what == "never" else f"**{what}**" if what in ("stays", "ends") else what
                 for what in row]
        lines.append(f"| `{event}`: {meaning} | " + " | ".join(shown) + " |")
    return "\n".join(lines) + "\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="fail when the page is stale")
    parser.add_argument("--program", default=PROGRAM, help="what prints the table")
    options = parser.parse_args()
    cells, states = read_cells(options.program)
    text = HEAD + picture(cells, states) + LEGEND + table(cells, states)
    if not options.check:
        DOCS.write_text(text, encoding="utf-8")
        return
    if not DOCS.exists() or DOCS.read_text(encoding="utf-8") != text:
        sys.exit(f"gen_state_machine: {DOCS.relative_to(ROOT)} is stale: run {sys.argv[0]}")


if __name__ == "__main__":
    main()
