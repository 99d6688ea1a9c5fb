#!/usr/bin/python3
"""Makes docs/cli/*.txt: what the command line prints, from a server with sample data, and puts them
into docs/cli.md where a line `<!-- docs/cli/NAME.txt -->` asks for one.

    tools/captures.py [--check] [--build build/release]

Without --check it writes the files. With it, it fails when one of them has another structure than
what is printed now: numbers, times, ids and the width of columns may differ, words may not.
"""

import argparse
import difflib
import json
import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "docs/cli"
PAGE = ROOT / "docs/cli.md"
DEADLINE_S = 60

sys.path.insert(0, str(ROOT / "tests/clients"))

# Name of the capture → the command line.
CAPTURES = {
    "help": "--help",
    "help_push": "help push",
    "help_retry": "help retry",
    "status": "status",
    "queue_ls": "queue ls -o wide",
    "queue_show": "queue show emails",
    "show": "show {dead}",
    "show_wide": "show {dead} -o wide",
    "ls": "ls state:dead",
    "dry_run": "retry --where state:dead --dry-run",
    "worker_ls": "worker ls",
    "top": "top --every 100ms",
    "config_explain": "config explain journal.budget --config /dev/null",
    "unknown_option": "push emails send_email --prioriy 9",
    # Last: it changes what the others show.
    "retry_where": "retry --where state:dead",
}

# What differs from run to run, and what stands for it: in the files, and in the comparison.
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
PORT = re.compile(r"127\.0\.0\.1:\d+")
STRUCTURE = [
    (re.compile(r"\b\d+(\.\d+)?(ms|s|m|h|d)( \d+[smh])?\b"), "<duration>"),
    (re.compile(r"\b\d+(\.\d+)? ([KMGT]i)?B\b"), "<size>"),
    (re.compile(r"\b\d+(\.\d+)?\b"), "<number>"),
    (re.compile(r"[ \t]+"), " "),
]


class NotYet(Exception):
    """The server does not have the command."""


class Sample:
    """A server with jobs of every kind in it."""

    def __init__(self, server):
        self.server = server
        self.url = f"dray://127.0.0.1:{server.port}"
        own = {name: value for name, value in os.environ.items() if not name.startswith("DRAY_")}
        self.environment = {**own, "DRAY_URL": self.url, "NO_COLOR": "1",
                            "XDG_CONFIG_HOME": str(server.folder)}
        self.ids = {}

    def run(self, words, check=True):
        done = subprocess.run([os.environ["DRAY_BINARY"], *words], capture_output=True, text=True,
                              timeout=DEADLINE_S, env=self.environment)
        if "NOTYET" in done.stderr:
            raise NotYet
        if check and done.returncode != 0:
            raise SystemExit(f"captures: dray {' '.join(words)}: {done.stderr}")
        return done.stdout + done.stderr

    def push(self, queue, kind, args, *options):
        return self.run(["push", queue, kind, json.dumps(args), *options]).strip()

    def fill(self):
        quick = ["--backoff", "fixed:1~0", "--attempts", "2"]
        self.ids["dead"] = self.push("emails", "send_email", {"to": "nobody@example.com"}, *quick)
        good = self.push("emails", "send_email", {"to": "ann@example.com"}, "--keep", "1h")
        worker = subprocess.Popen(
            [os.environ["DRAY_BINARY"], "exec", "--queue", "emails", "--name", "host-1", "--", "sh", "-c",
             "grep --quiet ann || { echo '550 no such mailbox' >&2; exit 1; }"],
            env=self.environment, stderr=subprocess.DEVNULL)
        try:
            self.run(["wait", self.ids["dead"], good], check=False)
        finally:
            worker.terminate()
            worker.wait(DEADLINE_S)
        self.push("emails", "newsletter", {"issue": 7}, "--delay", "1h")
        for image in ("ada.jpg", "bob.jpg"):
            self.push("images", "resize_image", {"file": image}, "--priority", "7")
        self.run(["queue", "pause", "images", "--reason", "the disk is full"])

    def capture(self, line):
        words = line.format(**self.ids).split()
        text = self.run(words, check=False)
        text = TIME.sub("2026-03-01T09:00:00.000Z", text)
        text = PORT.sub("127.0.0.1:3729", text)
        return f"$ dray {' '.join(words)}\n{text}"


def structure(text):
    """Returns `text` with what may differ from run to run taken out of it."""
    for pattern, word in STRUCTURE:
        text = pattern.sub(word, text)
    return text


def page_with(captures, page):
    """Returns the page with the captures in their places."""
    for name, text in captures.items():
        marker = f"<!-- docs/cli/{name}.txt -->\n"
        block = re.compile(re.escape(marker) + r"(```text\n.*?```\n)?", re.DOTALL)
        page = block.sub(lambda _, m=marker, t=text: f"{m}```text\n{t}```\n", page)
    return page


def take_all():
    """Returns name → text of all captures that this server can give."""
    from server import Server
    captures = {}
    with Server() as server:
        sample = Sample(server)
        sample.fill()
        for name, line in CAPTURES.items():
            try:
                captures[name] = sample.capture(line)
            except NotYet:
                print(f"captures: {name}: this server does not have it yet")
    return captures


def differences(captures):
    """Yields what is stale, as text."""
    page = PAGE.read_text(encoding="utf-8")
    pairs = [(FOLDER / f"{name}.txt", text) for name, text in captures.items()]
    for path in FOLDER.glob("*.txt"):
        if path.stem not in captures:
            yield f"{path.relative_to(ROOT)}: nothing prints this any more"
    stale = [(path, path.read_text(encoding="utf-8") if path.exists() else "", text)
             for path, text in pairs]
    stale.append((PAGE, page, page_with(captures, page)))
    for path, before, now in stale:
        before, now = structure(before), structure(now)
        if before != now:
            lines = difflib.unified_diff(before.splitlines(), now.splitlines(), lineterm="")
            yield f"{path.relative_to(ROOT)}:\n" + "\n".join(list(lines)[:40])


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--build", type=Path, default=ROOT / "build/release")
    options = parser.parse_args()
    os.environ.setdefault("DRAY_BINARY", str(options.build / "dray"))
    captures = take_all()
    if not options.check:
        FOLDER.mkdir(exist_ok=True)
        for old in FOLDER.glob("*.txt"):
            if old.stem not in captures:
                old.unlink()
        for name, text in captures.items():
            (FOLDER / f"{name}.txt").write_text(text, encoding="utf-8")
        PAGE.write_text(page_with(captures, PAGE.read_text(encoding="utf-8")), encoding="utf-8")
        return 0
    stale = list(differences(captures))
    for text in stale:
        print(f"captures: {text}")
    if stale:
        print("captures: look whether that is meant; then run tools/captures.py")
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main())
