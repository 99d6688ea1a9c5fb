"""The server under attack, its witness, and who watches its memory."""

import json
import os
import re
import resource
import subprocess
import sys
import threading
import time
import urllib.request
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "clients"))

from server import Server  # pylint: disable=wrong-import-position

MEBIBYTE = 1 << 20
# The least budget, so that attacks reach it: connections may hold a quarter.
MEMORY_BYTES = 256 * MEBIBYTE
BUFFER_BYTES = MEMORY_BYTES // 4


def raise_file_limit():
    """Each connection is a file, here and there. Returns how many there may be."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return hard


class Target(Server):
    """A server with the least memory to plan with."""

    def command(self):
        return super().command() + ["--memory", str(MEMORY_BYTES)]

    def metrics(self):
        url = f"http://127.0.0.1:{self.http_port}/metrics"
        with urllib.request.urlopen(url, timeout=20) as answer:
            text = answer.read().decode("utf-8")
        samples = {}
        for line in text.splitlines():
            if not line.startswith("#"):
                name, value = line.rsplit(" ", 1)
                samples[name] = float(value)
        return samples

    def closed(self, reason):
        return self.metrics()[f'dray_connections_closed_total{{reason="{reason}"}}']

    def resident_bytes(self, field="VmRSS"):
        status = Path(f"/proc/{self.process.pid}/status").read_text(encoding="ascii")
        return int(re.search(rf"{field}:\s+(\d+) kB", status)[1]) * 1024

    def readiness(self):
        url = f"http://127.0.0.1:{self.http_port}/readyz"
        with urllib.request.urlopen(url, timeout=20) as answer:
            return answer.read().decode("utf-8").strip()


class Watcher:
    """Looks at the server's memory again and again; keeps the most it saw."""

    def __init__(self, target):
        self.target = target
        self.over = threading.Event()
        self.buffers = 0
        self.resident = 0
        self.level = 0
        self.looks = 0
        self.thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        self.thread.join()

    def _run(self):
        while not self.over.wait(0.05):
            try:
                samples = self.target.metrics()
            except OSError:
                continue  # Its turn will come.
            self.looks += 1
            self.buffers = max(self.buffers, samples["dray_buffer_bytes"])
            self.level = max(self.level, samples["dray_overload_level"])
            # A peak between two looks counts too: the kernel keeps the most there ever was.
            self.resident = self.target.resident_bytes("VmHWM")


class Witness:
    """The honest client's process."""

    def __init__(self, port):
        here = Path(__file__).resolve().parent
        self.process = subprocess.Popen([str(here / "honest.py"), str(port)],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def report(self):
        """What it saw since the last time."""
        self.process.stdin.write(b"\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            raise SystemExit("hostile: the honest client is gone")
        return json.loads(line)

    def close(self):
        self.process.stdin.close()
        self.process.wait(20)
        self.process.stdout.close()


def pause(seconds):
    """Lets the others run."""
    threading.Event().wait(seconds)


def until(condition, what, seconds=20):
    """Waits for something that has to become true. Returns whether it did."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():
            return True
        pause(0.1)
    print(f"  not in time: {what}")
    return False


def file_count(pid):
    return len(os.listdir(f"/proc/{pid}/fd"))
