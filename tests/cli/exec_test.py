#!/usr/bin/python3
"""dray exec, the real binary: what the world around it may do to it and to what it runs."""

import json
import os
import resource
import signal
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "clients"))

from command_line_test import DEADLINE_S, dray, environment  # noqa: E402
from server import Server, binary  # noqa: E402


def is_alive(pid):
    """Whether it is there, and not only waiting to be asked after."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="ascii")
    except OSError:
        return False
    return stat.rpartition(") ")[2][0] != "Z"


class Exec(unittest.TestCase):
    def setUp(self):
        self.server = Server()
        self.server.start()
        self.addCleanup(self.server.__exit__)
        self.url = f"dray://127.0.0.1:{self.server.port}"
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    def run_ok(self, *words):
        ran = dray(self.url, *words)
        self.assertEqual(ran.code, 0, ran.err)
        return ran.out

    def push(self, *options):
        return self.run_ok("push", "q", "t", *options).strip()

    def job(self, job):
        return json.loads(self.run_ok("show", job, "-o", "json"))

    def start(self, script, *options, program=None, redirect="", **more):
        """Starts `dray exec` for queue q with a script, or a `program` and its words; `redirect` is
        a shell's, for its standard streams."""
        words = [binary(), "exec", "--queue", "q", *options, "--"]
        words += program or ["sh", "-c", script]
        more.setdefault("stderr", subprocess.DEVNULL)
        worker = subprocess.Popen(["sh", "-c", f'exec "$@" {redirect}', "sh", *words],
                                  env=environment(self.url), **more)
        self.addCleanup(worker.wait)
        self.addCleanup(worker.kill)
        return worker

    def until(self, holds):
        deadline = time.monotonic() + DEADLINE_S
        while not holds():
            self.assertLess(time.monotonic(), deadline)

    def test_a_reader_of_stderr_that_has_gone_does_not_end_it(self):
        ours, its = os.pipe()
        worker = self.start("cat", stderr=its)
        os.close(its)
        os.close(ours)
        self.run_ok("wait", self.push(), "--timeout", "30s")
        # It has something to tell: the connection is lost.
        self.server.restart()
        self.run_ok("wait", self.push(), "--timeout", "30s")
        worker.terminate()
        self.assertEqual(worker.wait(DEADLINE_S), 0)

    def test_closed_standard_streams_are_no_files_of_its_own(self):
        # As long as what is written to an eventfd.
        worker = self.start("echo 1234567 >&2; echo out", redirect="<&- >&- 2>&-")
        for _ in range(3):
            self.run_ok("wait", self.push(), "--timeout", "30s")
        for number in range(3):
            self.assertEqual(os.readlink(f"/proc/{worker.pid}/fd/{number}"), "/dev/null")
        self.assertIsNone(worker.poll())
        worker.terminate()
        self.assertEqual(worker.wait(DEADLINE_S), 0)

    def test_a_command_that_is_away_costs_no_attempt(self):
        command = self.folder / "command"
        command.write_text("#!/bin/sh\necho done\n", encoding="ascii")
        command.chmod(0o700)
        errors = self.folder / "errors"
        with open(errors, "wb") as file:
            self.start("", program=[str(command)], stderr=file)
        self.run_ok("wait", self.push(), "--timeout", "30s")
        command.rename(self.folder / "away")
        runs = []
        for job in [self.push("--attempts", "1"), self.push("--attempts", "1")]:
            self.until(lambda job=job: self.job(job)["state"] == "scheduled")
            self.assertEqual(self.job(job)["attempt"], 0)
            runs.append(self.job(job)["run_at_ms"])
        self.assertGreater(runs[1] - runs[0], 900, "after the first it rests")
        told = errors.read_text(encoding="utf-8").splitlines()
        self.assertEqual(len(told), 1, "one line for all of them")
        self.assertRegex(told[0], "^dray exec: cannot run .*: No such file or directory; ")

    def test_args_too_big_for_a_word_make_the_job_dead(self):
        self.start("", program=["true", "{}"])
        pushed = dray(self.url, "push", "--raw", "q", "t", "-", stdin="x" * 200_000)
        self.assertEqual(dray(self.url, "wait", pushed.out.strip(), "--timeout", "30s").code, 1)
        job = self.job(pushed.out.strip())
        self.assertEqual((job["state"], job["attempt"]), ("dead", 1))
        self.assertEqual(job["history"][0]["class"], "ArgsTooBig")

    def test_its_limit_of_open_files_is_not_its_commands(self):
        _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        worker = self.start("printf %s $(ulimit -Sn)", preexec_fn=lambda: resource.setrlimit(
            resource.RLIMIT_NOFILE, (100, hard)))
        self.assertEqual(self.run_ok("wait", self.push(), "--timeout", "30s"), "100\n")
        self.assertEqual(resource.prlimit(worker.pid, resource.RLIMIT_NOFILE), (hard, hard))

    def test_stderr_reaches_a_slow_reader_whole(self):
        ours, its = os.pipe()
        self.start("head -c 300000 /dev/zero >&2", stderr=its)
        os.close(its)
        self.push()
        left = 300_000
        while left > 0:
            left -= len(os.read(ours, min(left, 1000)))
        os.close(ours)

    def test_a_stderr_that_nobody_reads_holds_up_no_limit(self):
        ours, its = os.pipe()
        self.addCleanup(os.close, ours)
        pid = self.folder / "pid"
        worker = self.start(f"head -c 300000 /dev/zero >&2; echo $$ >{pid}; exec tail -f /dev/null",
                            "--kill-after", "10ms", stderr=its)
        os.close(its)
        job = self.push("--timeout", "3s", "--attempts", "1")
        self.until(lambda: pid.exists() and pid.read_text(encoding="ascii"))
        command = int(pid.read_text(encoding="ascii"))
        self.until(lambda: not is_alive(command))
        self.assertEqual(self.job(job)["history"][0]["class"], "Timeout")
        worker.terminate()
        self.assertEqual(worker.wait(DEADLINE_S), 0)

    def test_the_message_is_the_end_of_a_stderr_that_nobody_reads(self):
        ours, its = os.pipe()
        self.addCleanup(os.close, ours)
        self.start("head -c 300000 /dev/zero >&2; echo the end >&2; exit 1", stderr=its)
        os.close(its)
        job = self.push("--attempts", "1")
        self.assertEqual(dray(self.url, "wait", job, "--timeout", "30s").code, 1)
        self.assertIn("the end", str(self.job(job)["history"][0]["message"]))

    def number_in(self, path):
        self.until(lambda: path.exists() and path.read_text(encoding="ascii").endswith("\n"))
        number = int(path.read_text(encoding="ascii"))
        self.addCleanup(lambda: is_alive(number) and os.kill(number, signal.SIGKILL))
        return number

    def test_signals_after_the_grace_kill_all_that_runs(self):
        pid = self.folder / "pid"
        worker = self.start(f"trap '' TERM; sh -c 'echo $$ >{pid}; while :; do :; done' & wait",
                            "--grace", "10ms", "--kill-after", "600s")
        job = self.push()
        command = self.number_in(pid)
        # The first stops it, one ends its patience, the last kills.
        self.until(lambda: worker.poll() is not None or worker.terminate())
        self.assertEqual(worker.returncode, -signal.SIGTERM)
        self.until(lambda: not is_alive(command))
        self.assertEqual((self.job(job)["state"], self.job(job)["attempt"]), ("ready", 0))

    def test_a_terminal_that_goes_gives_the_job_back(self):
        for number in (signal.SIGHUP, signal.SIGQUIT):
            pid = self.folder / f"pid{number}"
            worker = self.start(f"tail -f /dev/null & echo $! >{pid}; wait", "--grace", "10ms")
            job = self.push()
            command = self.number_in(pid)
            worker.send_signal(number)
            self.assertEqual(worker.wait(DEADLINE_S), 0)
            self.until(lambda command=command: not is_alive(command))
            self.assertEqual((self.job(job)["state"], self.job(job)["attempt"]), ("ready", 0))
            self.run_ok("delete", job)

    def test_nohup_is_left_alone(self):
        worker = self.start("cat", preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN))
        self.run_ok("wait", self.push(), "--timeout", "30s")
        worker.send_signal(signal.SIGHUP)
        self.run_ok("wait", self.push(), "--timeout", "30s")
        worker.terminate()
        self.assertEqual(worker.wait(DEADLINE_S), 0)


if __name__ == "__main__":
    unittest.main(verbosity=1)
