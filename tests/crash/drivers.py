"""The client processes of a campaign, seen from the rig: orders to them, progress from them."""

import os
import select
import subprocess
import sys
import time
from pathlib import Path

DRIVER = Path(__file__).parent / "driver.py"
QUIT_SECONDS_MAX = 20.0


class RigError(Exception):
    """The rig itself failed: says nothing of the server."""


class _Driver:
    def __init__(self, arguments, log):
        self.process = subprocess.Popen(
            [sys.executable, str(DRIVER), *arguments], stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, stderr=log, start_new_session=True)
        os.set_blocking(self.process.stdout.fileno(), False)
        self.calls = 0
        self.busy = 1
        self.struck = 0.0
        self._text = ""

    def read(self):
        piece = self.process.stdout.read()
        if piece == b"":
            raise RigError("a client process ended by itself: see clients.log")
        *lines, self._text = (self._text + (piece or b"").decode()).split("\n")
        if lines:
            calls, busy, struck = lines[-1].split()
            self.calls, self.busy, self.struck = int(calls), int(busy), float(struck)


class Drivers:
    """All client processes: producers in one, workers in two."""

    def __init__(self, resp, history_folder, seed, pace_seconds, log_path):
        base = ["--resp", resp, "--history", str(history_folder), "--seed", str(seed),
                "--pace", str(pace_seconds)]
        log = open(log_path, "a", encoding="utf-8")
        shares = (["--producers", "0,1,2,3"], ["--workers", "0,2,4,6,8"],
                  ["--workers", "1,3,5,7,9"])
        self._drivers = [_Driver(base + share, log) for share in shares]
        log.close()

    def order(self, word):
        for driver in self._drivers:
            driver.process.stdin.write(word.encode() + b"\n")
            driver.process.stdin.flush()

    @property
    def calls(self):
        return sum(driver.calls for driver in self._drivers)

    @property
    def _struck(self):
        return max(driver.struck for driver in self._drivers)

    def wait(self, condition, seconds, exit_fd=None):
        """Waits until condition() holds, the process behind exit_fd ends, or the time is up.

        Returns whether the condition holds.
        """
        deadline = time.monotonic() + seconds
        outputs = {driver.process.stdout: driver for driver in self._drivers}
        watched = [*outputs, *([exit_fd] if exit_fd is not None else [])]
        while not condition():
            left = deadline - time.monotonic()
            readable, _, _ = select.select(watched, [], [], max(left, 0))
            for output in readable:
                if output in outputs:
                    outputs[output].read()
            if left <= 0 or exit_fd in readable:
                return condition()
        return True

    def wait_calls(self, count, seconds, exit_fd):
        """Waits until clients got that many more answers."""
        target = self.calls + count
        return self.wait(lambda: self.calls >= target, seconds, exit_fd)

    def burst(self, pid, number, part, seconds):
        """Lets clients send a burst of pushes, and a signal to the server after `part` of it.

        Returns when the signal was sent; now, if it was not sent in time.
        """
        asked = time.monotonic()
        self.order(f"burst {pid} {int(number)} {part}")
        self.wait(lambda: self._struck > asked, seconds)
        return self._struck if self._struck > asked else time.monotonic()

    def wait_producers(self, seconds):
        """Waits until the producers are done, after the order `drain`."""
        return self.wait(lambda: not any(driver.busy for driver in self._drivers), seconds)

    def quit(self):
        """Ends all client processes, and waits for that. More orders go to nobody."""
        drivers, self._drivers = self._drivers, []
        for driver in drivers:
            driver.process.stdin.close()
        for driver in drivers:
            try:
                driver.process.wait(QUIT_SECONDS_MAX)
            except subprocess.TimeoutExpired:
                driver.process.kill()
                driver.process.wait()
            driver.process.stdout.close()
