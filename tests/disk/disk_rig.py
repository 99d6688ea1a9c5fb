"""What the tests of this folder share: a server on a volume of its own, and the way it is judged."""

import os
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/crash"))

from resp import Connection  # noqa: E402
from server_process import HOST, ServerProcess, lasting_port  # noqa: E402
from volume import why_not  # noqa: E402

SKIPPED = 77


class Failed(Exception):
    """The server did what it must not."""


def check(holds, text):
    if not holds:
        raise Failed(text)


class Server:
    """The server under test, on one address for all its lives."""

    def __init__(self, binary, folder, data, *flags):
        self._binary, self._log = binary, folder / "server.log"
        self._port = lasting_port()
        self._arguments = ["--data", str(data), "--resp", f"{HOST}:{self._port}",
                           "--http", f"{HOST}:0", *flags]
        self._process = None

    async def start(self):
        self._process = ServerProcess(self._binary, self._arguments, self._log)
        check(self._process.wait_ready(), f"no start: {self._log.read_text()[-2000:]}")
        return await self.connect()

    async def connect(self):
        return await Connection.open(HOST, self._port, 3)

    def end(self, how):
        code = how(self._process)
        self._process.close()
        return code

    def close(self):
        if self._process is not None and self._process.exit_code is None:
            self._process.close()

    def log_text(self):
        return self._log.read_text()


def run_test(test):
    """Calls `test(binary, folder)` in a folder of its own. Returns the exit code of the test."""
    binary = os.environ.get("DRAY_BINARY", str(ROOT / "build/release/dray"))
    with tempfile.TemporaryDirectory(prefix="dray-disk-") as name:
        folder = Path(name)
        reason = why_not(folder)
        if reason:
            print(f"skipped: no volume can be had here: {reason}")
            return SKIPPED
        try:
            test(binary, folder)
        except Failed as failure:
            log = folder / "server.log"
            said = log.read_text() if log.exists() else ""
            print(f"failed: {failure}\n--- server.log\n{said}")
            return 1
    print("passed")
    return 0
