"""The server under test as a process: started, waited for, killed, stopped, always by its pid."""

import os
import re
import select
import signal
import subprocess
import time

READY = re.compile(r"ready resp=(\S+)")
READY_SECONDS_MAX = 30.0
EXIT_SECONDS_MAX = 30.0
CUT_EXIT = 137  # What the crash build exits with at a cut.
IO_ERROR_EXIT = 74


class ServerProcess:
    """One life of the server. Threading: one thread."""

    def __init__(self, binary, arguments, log_path, faults=""):
        self.faults = faults
        self._ready_line = ""
        self.started = time.monotonic()
        environment = dict(os.environ)
        environment.pop("DRAY_FAULTS", None)
        if faults:
            environment["DRAY_FAULTS"] = faults
        with open(log_path, "a", encoding="utf-8") as log:
            log.write(f"--- {binary} faults={faults!r}\n")
            log.flush()
            # In a group of its own: an interrupt from the terminal stops it by our hand only.
            self._process = subprocess.Popen(
                [binary, "serve", *arguments], stdout=subprocess.PIPE, stderr=log,
                stdin=subprocess.DEVNULL, env=environment, start_new_session=True)
        self._pidfd = os.pidfd_open(self._process.pid)

    @property
    def pid(self):
        return self._process.pid

    @property
    def exit_code(self):
        """None while it runs; -9 for SIGKILL."""
        return self._process.poll()

    @property
    def exit_fd(self):
        """A descriptor that is readable once the process has ended."""
        return self._pidfd

    def wait_ready(self, seconds=READY_SECONDS_MAX):
        """Waits for the ready line or the end of the process. Returns True when it is ready."""
        deadline = time.monotonic() + seconds
        output = self._process.stdout
        os.set_blocking(output.fileno(), False)
        while True:
            left = deadline - time.monotonic()
            if left <= 0:
                return False
            readable, _, _ = select.select([output, self._pidfd], [], [], left)
            if output in readable:
                piece = output.read()
                self._ready_line += (piece or b"").decode()
                if READY.search(self._ready_line):
                    return True
            if self._pidfd in readable:
                self._process.wait()
                return False

    def wait_exit(self, seconds=EXIT_SECONDS_MAX):
        """Waits for the end of the process. Returns its exit code, or None in time."""
        readable, _, _ = select.select([self._pidfd], [], [], max(seconds, 0))
        return self._process.wait() if readable else None

    def kill(self):
        """Kills with -9. Returns the exit code: -9 when the kill is what ended it."""
        self._process.send_signal(signal.SIGKILL)
        return self._process.wait()

    def terminate(self):
        """Asks it to stop in order. Returns its exit code, or None when it does not."""
        self._process.send_signal(signal.SIGTERM)
        code = self.wait_exit()
        if code is None:
            self.kill()
        return code

    def close(self):
        """Ends the process if it still runs, and gives back what it held."""
        if self._process.poll() is None:
            self.kill()
        self._process.stdout.close()
        os.close(self._pidfd)
