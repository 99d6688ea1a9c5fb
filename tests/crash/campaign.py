"""One campaign: a fresh data directory, clients, a list of faults, and the final dump."""

import asyncio
import random
import re
import signal
import time
from dataclasses import dataclass, field
from pathlib import Path

import final_dump
from drivers import Drivers, RigError
from history import Writer
from server_process import CUT_EXIT, HOST, IO_ERROR_EXIT, ServerProcess, lasting_port
from volume import Volume

POWER_SECONDS_MAX = 5.0  # In which a server notices that its disk is gone.
VOLUME_MIB = 256
FAULT_SECONDS_MAX = 8.0  # After this a fault that did not come about is given up.
# Small, so that segments are rotated and trimmed all the time.
SEGMENT_BYTES = 64 * 1024
SEGMENT_NAME = re.compile(r"journal-([0-9a-f]{16})")
DRAIN_CALLS = 200
KILLS_PER_TERM = 6


@dataclass
class Fault:
    """One end of the server.

    `kill`: -9 after `after` answers, and after `burst_part` of a burst. `term`: a stop in
    order, which must lose nothing either. `power_cut`: the disk is gone at a moment chosen like that
    of a kill, with all that was not synced. `cut`, `fail`: at the `after`-th changing file call;
    `extra` is one more fault before that: a write that is borne, any other call stops the server.
    """
    op: str
    after: int
    crash_build: bool
    seed: int
    burst_part: float | None = None
    extra: str = ""

    @property
    def text(self):
        """What the crash build is told in its environment."""
        if not self.crash_build:
            return ""
        plan = {"cut": f"cut={self.after},{self.extra}", "fail": f"fail={self.after}:EIO,"}
        return f"{plan.get(self.op, '')}seed={self.seed}"

    @property
    def exits(self):
        """The exit codes by which the server may end of it."""
        codes = {"cut": [CUT_EXIT], "fail": [IO_ERROR_EXIT]}.get(self.op, [])
        return codes + [IO_ERROR_EXIT] if self.extra else codes


@dataclass
class Plan:
    """All that makes a campaign; the same plan makes the same faults."""
    name: str
    seed: int
    binary: str
    crash_binary: str
    pace_seconds: float
    budget_bytes: int
    own_volume: bool = False  # The data lies on a disk whose power can be cut.
    faults: list = field(default_factory=list)


def burst_parts(chance, count):
    """Returns for each of `count` kills after which part of a burst it comes, or None: at any moment.

    Seven of ten come in a burst, and not as chance has it: a kill at any moment often meets no call
    under way, and a run in which most do proves little.
    """
    bursts = (count * 7 + 9) // 10
    parts = [chance.random() for _ in range(bursts)] + [None] * (count - bursts)
    chance.shuffle(parts)
    return parts


def plan_kills(seed, count):
    """Kills at random moments of a busy server, every other one of the crash build."""
    chance = random.Random(f"{seed}/kills")
    faults = []
    for position, burst_part in enumerate(burst_parts(chance, count)):
        after = chance.choice((5, 30, 100, 300, 600, 1000))
        faults.append(Fault("kill", after, position % 2 == 1, chance.getrandbits(31), burst_part))
        if position % KILLS_PER_TERM == KILLS_PER_TERM - 1:
            faults.append(Fault("term", after, chance.random() < 0.5, chance.getrandbits(31)))
    return faults


def plan_cuts(seed, count):
    """Cuts from the first call of a start on; some calls fail instead, and the server must stop."""
    chance = random.Random(f"{seed}/cuts")
    faults = []
    for _ in range(count):
        reach = chance.choices((12, 60, 300, 900), (25, 30, 30, 15))[0]
        after = chance.randint(1, reach)
        op = "fail" if chance.random() < 0.08 else "cut"
        extra = chance.choice(("", "", "", f"fail={chance.randint(1, after)}:short,",
                               f"fail={chance.randint(1, after)}:EINTR,"))
        faults.append(Fault(op, after, True, chance.getrandbits(31), extra=extra))
    return faults


def plan_power(seed, count):
    """Power cuts at random moments of a busy server."""
    chance = random.Random(f"{seed}/power")
    return [Fault("power_cut", chance.choice((5, 30, 100, 300, 600)), False,
                  chance.getrandbits(31), burst_part)
            for burst_part in burst_parts(chance, count)]


class Stopped(Exception):
    """The server did what it must not: the campaign can't go on. Already in the history."""


class Campaign:
    """Threading: one thread. `run` once."""

    def __init__(self, plan, folder):
        self._plan = plan
        self._folder = Path(folder)
        self.history_folder = self._folder / "history"
        self.history_folder.mkdir(parents=True)
        self._port = lasting_port()
        self._resp = f"{HOST}:{self._port}"
        self._volume = Volume(self._folder / "disk", VOLUME_MIB) if plan.own_volume else None
        self._data = (self._volume.path if self._volume else self._folder) / "data"
        self._arguments = ["--data", str(self._data), "--resp", self._resp,
                           "--http", f"{HOST}:0",
                           "--journal-segment", str(SEGMENT_BYTES),
                           "--journal-budget", str(plan.budget_bytes)]
        self._writer = Writer(self.history_folder, "rig")
        self._server = None
        self._drivers = None

    def run(self):
        """Runs to the end, or until the server breaks a promise that stops it."""
        self._writer.event("clock", wall=time.time())
        self._drivers = Drivers(self._resp, self.history_folder, self._plan.seed,
                                self._plan.pace_seconds, self._folder / "clients.log")
        try:
            for fault in self._plan.faults:
                self._suffer(fault)
            self._finish()
        except Stopped:
            pass
        finally:
            if self._server is not None:
                self._server.close()
            self._drivers.quit()
            if self._volume is not None:
                self._volume.close()

    def _start(self, fault=None):
        """Starts the server. Returns True when it is ready; False when a cut came first."""
        if self._server is not None:
            self._server.close()
        in_crash_build = fault is not None and fault.crash_build
        binary = self._plan.crash_binary if in_crash_build else self._plan.binary
        self._server = ServerProcess(binary, self._arguments, self._folder / "server.log",
                                     fault.text if fault else "")
        if self._server.wait_ready():
            self._drivers.order("up")
            return True
        code = self._server.exit_code
        if fault is None or code not in fault.exits:
            self._broke("start_refused", "it was never ready" if code is None else "at its start")
        return False

    def _broke(self, op, text):
        faults = self._server.faults
        self._writer.event(op, exit=self._server.exit_code, text=f"{text}; faults={faults!r}")
        raise Stopped

    def _suffer(self, fault):
        """Starts the server, lets the fault happen, and writes what came of it."""
        ready = self._start(fault)
        if fault.op in ("kill", "term", "power_cut"):
            self._end_it(fault, ready)
        else:
            self._wait_for_end(fault, ready)
        self._drivers.order("down")

    def _end_it(self, fault, ready):
        self._drivers.wait_calls(fault.after, FAULT_SECONDS_MAX, self._server.exit_fd)
        if self._server.exit_code is not None:
            self._broke("bad_exit", "while it served")
        moment = time.monotonic()
        if fault.burst_part is not None:
            number = signal.SIGSTOP if fault.op == "power_cut" else signal.SIGKILL
            moment = self._drivers.burst(self._server.pid, number, fault.burst_part,
                                         FAULT_SECONDS_MAX)
        if fault.op == "term":
            self._stop()
            self._event(fault, ready, True, moment)
        elif fault.op == "power_cut":
            self._cut_power()
            self._event(fault, ready, True, moment)
        else:
            code = self._server.kill()
            self._event(fault, ready, code == -9, moment)

    def _cut_power(self):
        # With the power the machine goes, so nobody hears of what comes after; the server lives on only
        # to show that it stops by itself. Its answers would prove nothing: a sync that ext4's shutdown
        # meets, into blocks that were set aside and never written, may return 0 and keep nothing
        # (Linux 6.18: 35 of 350 lives of a program that does nothing but write and sync).
        if not self._server.stand_still():
            self._broke("bad_exit", "before the power was cut")
        self._volume.cut_power()
        self._server.cut_off()
        self._server.go_on()
        code = self._server.wait_exit(POWER_SECONDS_MAX)
        if code is None:
            self._server.kill()  # Nobody asked it for anything since.
        elif code != IO_ERROR_EXIT:
            self._broke("bad_exit", f"without its disk, {IO_ERROR_EXIT} was expected")
        self._volume.restore_power()

    def _wait_for_end(self, fault, ready):
        moment = time.monotonic()
        if ready:
            self._drivers.wait(lambda: False, FAULT_SECONDS_MAX, self._server.exit_fd)
            moment = time.monotonic()
        code = self._server.exit_code
        if code is None:
            self._server.kill()
        elif code not in fault.exits:
            self._broke("bad_exit", f"at {fault.text}, one of {fault.exits} was expected")
        self._event(fault, ready, code in fault.exits, moment)

    def _event(self, fault, ready, took_effect, moment):
        self._writer.event(fault.op, took_effect=took_effect, faults=fault.text, ready=ready,
                           started=self._server.started, moment=moment,
                           segments_trimmed=self._segments_trimmed())

    def _segments_trimmed(self):
        """Returns how many segments of the journal are gone: their numbers begin at 1."""
        names = self._data.glob("journal-*")
        numbers = [int(match[1], 16) for match in map(SEGMENT_NAME.fullmatch,
                                                      (path.name for path in names)) if match]
        return min(numbers, default=1) - 1

    def _finish(self):
        """Heals, drains and dumps; then stops and starts once more, in order, and dumps again."""
        self._start()
        if not self._drivers.wait_calls(DRAIN_CALLS, 30, self._server.exit_fd):
            self._broke("bad_exit", "no more answers, without any fault")
        self._drivers.order("drain")
        if not self._drivers.wait_producers(60):
            raise RigError("the producers do not end")
        writer = Writer(self.history_folder, "final")
        try:
            asyncio.run(final_dump.heal_and_drain(HOST, self._port, writer, self._plan.seed))
            self._drivers.quit()
            self._dump(writer, again=False)
            self._stop()
            self._start()
            self._dump(writer, again=True)
            self._stop()
        except OSError as error:
            self._server.wait_exit(2)
            self._broke("bad_exit", f"in the final phase: {error}")

    def _dump(self, writer, again):
        asyncio.run(final_dump.dump(HOST, self._port, writer, self.history_folder, again))

    def _stop(self):
        if self._server.terminate() != 0:
            self._broke("bad_exit", "after SIGTERM, 0 was expected")
