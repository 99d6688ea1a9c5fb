"""A Dray server on free loopback ports, with a fresh data directory, for tests of real clients."""

import os
import re
import select
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path

# The server is asked to be ready, or to be gone, within this.
DEADLINE_S = 30

READY = re.compile(r"ready resp=(\S+):(\d+) http=(\S+):(\d+)")


def binary():
    """Returns the path of the server under test."""
    path = os.environ.get("DRAY_BINARY", "build/release/dray")
    if not os.access(path, os.X_OK):
        raise SystemExit(f"clients: there is no server at {path}: ./x build")
    return str(Path(path).resolve())


class Server:
    """Owns one process and its data directory. Use as a context manager."""

    def __init__(self, token=None):
        self.folder = Path(tempfile.mkdtemp(prefix="dray-clients-"))
        self.token = token
        self.port = 0
        self.http_port = 0
        self.process = None

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.stop()
        shutil.rmtree(self.folder)

    def command(self):
        words = [binary(), "serve", "--data", str(self.folder / "data"), "--allow-volatile",
                 "--resp", f"127.0.0.1:{self.port}", "--http", f"127.0.0.1:{self.http_port}"]
        if self.token:
            path = self.folder / "token"
            path.touch(mode=0o600)
            path.write_text(self.token + "\n", encoding="ascii")
            words += ["--token-file", str(path)]
        return words

    def start(self):
        """Starts the server; after a stop, on the addresses that it had."""
        with open(self.folder / "log", "ab") as log:
            self.process = subprocess.Popen(self.command(), stdin=subprocess.DEVNULL,
                                            stdout=subprocess.PIPE, stderr=log)
        found = READY.match(self._first_line())
        if not found:
            self.stop()
            raise SystemExit(f"clients: the server did not start:\n{self.log()}")
        self.port, self.http_port = int(found[2]), int(found[4])

    def _first_line(self):
        deadline = time.monotonic() + DEADLINE_S
        line = b""
        while not line.endswith(b"\n"):
            left = max(0.0, deadline - time.monotonic())
            if not select.select([self.process.stdout], [], [], left)[0]:
                break
            piece = os.read(self.process.stdout.fileno(), 4096)
            if not piece:
                break
            line += piece
        return line.decode("ascii", "replace")

    def log(self):
        return (self.folder / "log").read_text(encoding="utf-8", errors="replace")

    def stop(self, signal_number=signal.SIGTERM):
        """Ends the process; returns its exit code."""
        if self.process is None:
            return None
        self.process.send_signal(signal_number)
        try:
            code = self.process.wait(DEADLINE_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise SystemExit(f"clients: the server did not end:\n{self.log()}") from None
        self.process.stdout.close()
        self.process = None
        return code

    def restart(self):
        """Ends the server without warning and starts it again."""
        self.stop(signal.SIGKILL)
        self.start()
