"""The server under test as a process: started, waited for, killed, stopped, always by its pid."""

import ctypes
import os
import random
import re
import select
import signal
import socket
import subprocess
import time
from pathlib import Path

READY = re.compile(r"ready resp=(\S+) http=")
READY_SECONDS_MAX = 30.0
EXIT_SECONDS_MAX = 30.0
STILL_SECONDS_MAX = 10.0
CUT_EXIT = 137  # What the crash build exits with at a cut.
IO_ERROR_EXIT = 74
SYS_PIDFD_GETFD = 438  # Of linux/unistd.h, on every architecture.
HOST = "127.0.0.1"
PORTS = range(10_000, 32_768)  # The kernel gives those above to whoever connects or asks for any.


def lasting_port():
    """A port for a server that is started on it again and again."""
    while True:
        port = random.choice(PORTS)
        with socket.socket() as probe:
            try:
                probe.bind((HOST, port))
                return port
            except OSError:
                continue


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
    def port(self):
        """Of RESP, once it is ready: with a port 0 asked for, the one that it got."""
        return int(READY.search(self._ready_line)[1].rpartition(":")[2])

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

    def why_not_ready(self):
        """What is known of one that did not become ready: for the report of a failure."""
        waited = f"{time.monotonic() - self.started:.1f} s after its start"
        said = f"it said {self._ready_line!r}"
        if self.exit_code is not None:
            return f"exit code {self.exit_code}, {waited}, {said}"
        return f"it runs, {waited}, {said}; its threads: {', '.join(self._threads())}"

    def _threads(self):
        """What each thread does, as far as it can be seen: they come and go."""
        for task in Path(f"/proc/{self.pid}/task").glob("*"):
            try:
                call = (task / "syscall").read_text().split()[0]
                yield f"{(task / 'comm').read_text().strip()} in {(task / 'wchan').read_text()} (call {call})"
            except OSError as error:
                yield str(error)

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

    def stand_still(self):
        """Halts it: nothing leaves it from here on. Calls to the disk that are under way go on.

        Returns False when it has ended, or does not halt.
        """
        self._process.send_signal(signal.SIGSTOP)
        deadline = time.monotonic() + STILL_SECONDS_MAX
        while self.exit_code is None and time.monotonic() < deadline:
            if self._stands_still():
                return True
        return False

    def _stands_still(self):
        """A thread inside a call to the disk (D) halts before it returns, once another has (T)."""
        states = {path.read_text().rpartition(")")[2].split()[0]
                  for path in Path(f"/proc/{self.pid}/task").glob("*/stat")}
        return "T" in states and states <= {"T", "D"}

    def cut_off(self):
        """Ends all its connections after what it has sent; nobody gets a new one. Needs root."""
        for entry in os.scandir(f"/proc/{self.pid}/fd"):
            if not os.readlink(entry.path).startswith("socket:"):
                continue
            handle = ctypes.CDLL(None, use_errno=True).syscall(
                SYS_PIDFD_GETFD, self._pidfd, int(entry.name), 0)
            if handle < 0:
                raise OSError(ctypes.get_errno(), "pidfd_getfd")
            with socket.socket(fileno=handle) as shared:
                try:
                    shared.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass  # The client has ended it.

    def go_on(self):
        self._process.send_signal(signal.SIGCONT)

    def close(self):
        """Ends the process if it still runs, and gives back what it held."""
        if self._process.poll() is None:
            self.kill()
        self._process.stdout.close()
        os.close(self._pidfd)
