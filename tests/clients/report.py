"""How a client's script talks to run.py: one line for each check, and requests to the runner.

    passed <check>
    failed <check>: <why>
    restart             the runner kills and restarts the server, then writes "restarted" to stdin
    done                the script went through to its end
"""

import os
import sys
import traceback

HOST = "127.0.0.1"
PORT = int(os.environ.get("DRAY_PORT", "0"))
HTTP_PORT = int(os.environ.get("DRAY_HTTP_PORT", "0"))
TOKEN_PORT = int(os.environ.get("DRAY_TOKEN_PORT", "0"))
TOKEN = os.environ.get("DRAY_TOKEN", "")
# Any byte, and what looks like the protocol itself.
NASTY = bytes(range(256)) + b"\r\n$5\r\nhello\r\n*1\r\n\x00"


def say(line):
    print(line, flush=True)


def restart_server():
    say("restart")
    answer = sys.stdin.readline().strip()
    assert answer == "restarted", answer


def run(checks):
    """Runs [(name, function)] in order; each is one check."""
    for name, function in checks:
        try:
            function()
            say(f"passed {name}")
        except Exception as error:  # Whatever a client raises is the finding.
            place = traceback.extract_tb(error.__traceback__)[-1]
            text = " ".join(f"{type(error).__name__}: {error}".split())
            say(f"failed {name}: {text} (line {place.lineno})")
    say("done")


def equal(got, wanted):
    assert got == wanted, f"got {got!r}, wanted {wanted!r}"
