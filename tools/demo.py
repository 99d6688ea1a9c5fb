#!/usr/bin/python3
"""Runs real jobs on a real server and accounts for every one of them. Nothing printed is made up:
it all comes from the answers of the server, through the commands a user has.

    tools/demo.py [--build build/release] [--keep]

Exits with 0 when all that was expected came true. --keep leaves the data directory and the logs.
"""

import argparse
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PATIENCE_S = 120  # For all jobs to finish.
LOOK_S = 0.25  # Between two looks at the server.
FINISHED = ("succeeded", "dead", "cancelled", "expired", "gone")
COLUMNS = ("ready", "scheduled", "running", "succeeded", "dead")
# A lost worker is noticed within the lease; real ones have 30 s.
QUICK = ["--lease", "1500ms", "--backoff", "fixed:200", "--attempts", "8", "--keep", "1h"]


class Failed(Exception):
    """The demo cannot go on."""


class Server:
    """`dray serve` on a free port, which it keeps over a restart."""

    def __init__(self, dray, folder):
        self.dray, self.folder = dray, folder
        self.resp, self.http = "127.0.0.1:0", "127.0.0.1:0"
        self.process = None

    def start(self):
        with open(self.folder / "server.log", "ab") as log:
            self.process = subprocess.Popen(
                [self.dray, "serve", "--data", self.folder / "data", "--resp", self.resp,
                 "--http", self.http, "--allow-volatile"],
                stdout=subprocess.PIPE, stderr=log, text=True)
        for line in self.process.stdout:
            ready = re.match(r"ready resp=(\S+) http=(\S+)", line)
            if ready:
                self.resp, self.http = ready[1], ready[2]
                return
        raise Failed(f"the server did not start; see {self.folder}/server.log")

    @property
    def url(self):
        return f"dray://{self.resp}"

    def kill(self):
        self.process.kill()
        self.process.wait()

    def stop(self):
        self.process.terminate()
        return self.process.wait(timeout=30)


class Workers:
    """The worker processes, started again when they crash, as a service manager does it."""

    def __init__(self, folder):
        self.log = open(folder / "workers.log", "ab")
        self.crashes = {}
        self.running = {}
        self.ended = False
        self.threads = []

    def start(self, name, words):
        self.crashes[name] = []
        thread = threading.Thread(target=self.supervise, args=(name, words), daemon=True)
        self.threads.append(thread)
        thread.start()

    def supervise(self, name, words):
        while not self.ended:
            process = subprocess.Popen(words, stdout=self.log, stderr=self.log)
            self.running[name] = process
            code = process.wait()
            if not self.ended:
                self.crashes[name].append(code)
                time.sleep(0.1)

    def stop(self):
        """Asks all to stop; returns their exit codes."""
        self.ended = True
        for process in self.running.values():
            process.terminate()
        for thread in self.threads:
            thread.join(timeout=30)
        return {name: process.poll() for name, process in self.running.items()}


class Demo:
    def __init__(self, build, folder):
        self.dray = build / "dray"
        self.worker = build / "examples" / "demo_worker"
        self.folder = folder
        self.server = Server(self.dray, folder)
        self.workers = Workers(folder)
        self.ids = {}  # id → what it is, in the order of the pushes.
        self.is_terminal = sys.stdout.isatty() and os.environ.get("TERM", "dumb") != "dumb"
        self.lines_drawn = 0
        self.last_line = ""
        self.began = time.monotonic()
        self.steps_found = set()  # (type, image) of the steps that handlers have pushed.
        self.checks = []

    # Talking to the server.

    def run(self, *words):
        """Runs a command of dray; returns its standard output."""
        done = subprocess.run([self.dray, *words], capture_output=True, text=True,
                              env={**os.environ, "DRAY_URL": self.server.url})
        if done.returncode != 0:
            raise Failed(f"dray {' '.join(map(str, words))}: {done.stderr.strip()}")
        return done.stdout

    def push(self, queue, kind, args, *options, note=""):
        job = self.run("push", queue, kind, json.dumps(args), *options).strip()
        self.ids.setdefault(job, note or kind)
        return job

    def show(self, job):
        return json.loads(self.run("show", job, "--output", "json"))

    def status(self):
        return json.loads(self.run("status", "--output", "json"))["queues"]

    # Telling the story.

    def say(self, text=""):
        self.lines_drawn = 0
        print(text, flush=True)

    def step(self, text):
        self.say(f"\n[{time.monotonic() - self.began:5.1f} s] {text}")

    def draw(self, running=()):
        """Shows the queues: in place on a terminal, else one line whenever something changed."""
        queues = self.status()
        if not self.is_terminal:
            parts = []
            for queue in queues:
                counts = " ".join(f"{column} {queue[column]}" for column in COLUMNS if queue[column])
                parts.append(f"{queue['queue']}: {counts or 'empty'}")
            line = "   ".join(parts)
            if line != self.last_line:
                print(f"  {time.monotonic() - self.began:5.1f} s  {line}", flush=True)
                self.last_line = line
            return
        table = [f"  {'queue':<10}" + "".join(f"{column:>11}" for column in COLUMNS)]
        for queue in queues:
            table.append(f"  {queue['queue']:<10}" +
                         "".join(f"{queue[column]:>11}" for column in COLUMNS))
        for job in running:
            record = self.show(job)
            percent = int(record.get("progress") or 0)
            bar = "#" * (percent // 5)
            table.append(f"  {self.ids[job]:<20} {record['state']:<10} [{bar:<20}] {percent:>3} %"
                         f"  attempt {record['attempt']}")
        if self.lines_drawn:
            print(f"\x1b[{self.lines_drawn}A", end="")
        for line in table:
            print(f"\x1b[2K{line}")
        self.lines_drawn = len(table)
        sys.stdout.flush()

    def watch(self, until, running=()):
        """Draws until `until()` holds."""
        end = time.monotonic() + PATIENCE_S
        while not until():
            if time.monotonic() > end:
                raise Failed(f"waited {PATIENCE_S} s in vain; see the logs in {self.folder}")
            self.draw(running)
            time.sleep(LOOK_S)
        self.draw(running)

    def check(self, what, holds):
        self.checks.append((what, bool(holds)))

    # The acts.

    def push_all(self):
        emails = [{"to": f"customer{n}@example.com"} for n in range(20)]
        for args in emails:
            self.push("jobs", "send_email", args, *QUICK)
        self.flaky = self.push("jobs", "send_email", {"to": "slow@example.com", "fails": 2}, *QUICK,
                               note="send_email (fails twice)")
        self.bad = self.push("jobs", "send_email", {"to": "nobody"}, *QUICK,
                             note="send_email (no such mailbox)")
        self.later = self.push("jobs", "send_email", {"to": "digest@example.com"}, "--delay", "2s",
                               *QUICK, note="send_email (in 2 s)")
        self.reports = [
            self.push("jobs", "generate_report", {"rows": rows}, "--priority", "7", *QUICK,
                      note=f"report, {rows} rows") for rows in (1_000, 50_000)]
        self.videos = [self.push("jobs", "process_video", {"file": f"holiday{n}.mp4"},
                                 "--priority", "9", *QUICK) for n in range(3)]
        self.poison = self.push("jobs", "process_video", {"file": "poison.mp4"}, "--priority", "8",
                                *QUICK, note="process_video (aborts)")
        self.payments = []
        for order in ("order-1001", "order-1002", "order-1003"):
            once, twice = (self.push("payments", "process_payment", {"order": order, "cents": 4_200},
                                     "--request", f"pay:{order}", *QUICK) for _ in range(2))
            self.check(f"process_payment {order} pushed twice is one job", once == twice)
            self.payments.append(once)
        self.images = ["cat.png", "dog.png", "owl.png"]
        for image in self.images:
            self.push("images", "download_image", {"image": image}, "--key",
                      f"download_image:{image}", *QUICK)
        self.batches = [self.push("batch", "process_batch", {"records": list(range(size))}, *QUICK)
                        for size in (10, 200, 3_000)]

    def start_workers(self):
        charges = self.folder / "charges"
        charges.mkdir()
        self.workers.start("C++ worker", [self.worker, self.server.url, charges])
        # Counts the records of a batch: any program is a worker.
        self.workers.start("shell worker", [
            self.dray, "exec", "--url", self.server.url, "--queue", "batch", "--concurrency", "2",
            "--", "sh", "-c", "tr -cd , | wc -c"])

    def crash_server(self):
        self.watch(lambda: self.counts()["succeeded"] >= 8, self.reports)
        before = self.counts()
        self.step(f"kill -9 to the server: {before['succeeded']} jobs have succeeded, "
                  f"{before['running']} are running, {before['ready']} are ready")
        self.server.kill()
        begin = time.monotonic()
        self.server.start()
        after = self.counts()
        self.say(f"         started again in {time.monotonic() - begin:.2f} s: "
                 f"{after['succeeded']} succeeded, {after['running']} running, "
                 f"{after['ready']} ready, {after['scheduled']} scheduled")
        self.check("no job that had succeeded before the kill is undone",
                   after["succeeded"] >= before["succeeded"])

    def counts(self):
        queues = self.status()
        return {column: sum(queue[column] for queue in queues) for column in COLUMNS}

    def all_finished(self):
        self.find_steps()
        counts = self.counts()
        return (counts["ready"] + counts["scheduled"] + counts["running"] == 0
                and counts["succeeded"] + counts["dead"] >= len(self.ids))

    def find_steps(self):
        """Notes the jobs that handlers have pushed."""
        for image in self.images:
            for kind in ("resize_image", "upload_to_s3"):
                if (kind, image) in self.steps_found:
                    continue
                found = subprocess.run([self.dray, "show", f"key:{kind}:{image}", "-o", "json"],
                                       capture_output=True, text=True,
                                       env={**os.environ, "DRAY_URL": self.server.url})
                if found.returncode == 0:
                    self.ids.setdefault(json.loads(found.stdout)["id"], kind)
                    self.steps_found.add((kind, image))

    # The account.

    def account(self):
        jobs = {job: self.show(job) for job in self.ids}
        for job in list(jobs):
            jobs[job]["note"] = self.ids[job]
        self.check_jobs(jobs)
        self.check_stories(jobs)
        self.print_account(jobs)

    def check_jobs(self, jobs):
        queues = self.status()
        pushed = sum(queue["pushed"] for queue in queues)
        succeeded = [job for job in jobs.values() if job["state"] == "succeeded"]
        dead = [job for job in jobs.values() if job["state"] == "dead"]
        self.check(f"the server counts as many jobs as were pushed: {pushed} = {len(jobs)}",
                   pushed == len(jobs))
        self.check(f"each is succeeded or dead: {len(jobs)} = {len(succeeded)} + {len(dead)}",
                   len(jobs) == len(succeeded) + len(dead))
        self.check("dead are exactly the bad one and the one that aborts",
                   {job["id"] for job in dead} == {self.bad, self.poison})

    def check_stories(self, jobs):
        def outcomes(job):
            return [attempt["outcome"] for attempt in jobs[job]["history"]]

        def first_start(job):
            return jobs[job]["history"][0]["started_ms"]

        emails = [job for job, note in self.ids.items() if note == "send_email"]
        self.check("priority 9 first: every video started before any e-mail",
                   max(map(first_start, self.videos)) <= min(map(first_start, emails)))
        self.check("failed twice, then succeeded", jobs[self.flaky]["state"] == "succeeded"
                   and outcomes(self.flaky).count("failed") == 2)
        bad = jobs[self.bad]["history"][-1]
        self.check("the permanently bad one was not run again",
                   outcomes(self.bad).count("failed") == 1 and "NoSuchMailbox" in bad["class"])
        poison = jobs[self.poison]
        self.check(f"the one that aborts is dead by its crashes ({poison.get('reason')})",
                   poison["crashes"] == 3 and poison["max_crashes"] == 3)
        aborts = [code for code in self.workers.crashes["C++ worker"] if code == -signal.SIGABRT]
        # A crash that is counted is a lost lease: one may have died with the server's kill instead.
        self.check(f"its worker died {len(aborts)} times, and was started again",
                   1 <= len(aborts) <= 3)
        # Delays run on the engine's clock, these times are the wall clock's, and each is cut to
        # whole milliseconds.
        self.check("the one for later was not started early",
                   first_start(self.later) >= jobs[self.later]["pushed_ms"] + 2_000 - 2)
        self.check("both reports were finished, with progress 100",
                   all(jobs[job]["progress"] == "100" for job in self.reports))
        charged = sorted(path.name for path in (self.folder / "charges").iterdir())
        self.check(f"each order was charged once: {', '.join(charged)}",
                   charged == ["order-1001", "order-1002", "order-1003"])
        self.check("each image went through all three steps once", len(self.steps_found) == 6)
        # A list of n records has n - 1 commas.
        self.check("the shell worker counted every batch",
                   [int(jobs[job]["result"]) for job in self.batches] == [9, 199, 2_999])

    def print_account(self, jobs):
        self.step("every job accounted for\n")
        kinds = {}
        for job in jobs.values():
            kinds.setdefault(job["type"], []).append(job)
        print(f"  {'type':<18}{'jobs':>6}{'succeeded':>11}{'dead':>6}{'attempts':>10}{'crashes':>9}")
        for kind, members in kinds.items():
            states = [job["state"] for job in members]
            print(f"  {kind:<18}{len(members):>6}{states.count('succeeded'):>11}"
                  f"{states.count('dead'):>6}{sum(len(job['history']) for job in members):>10}"
                  f"{sum(job['crashes'] for job in members):>9}")
        states = [job["state"] for job in jobs.values()]
        print(f"  {'all':<18}{len(jobs):>6}{states.count('succeeded'):>11}{states.count('dead'):>6}")
        print("\n  those with a story:")
        for job in jobs.values():
            if job["state"] != "succeeded" or len(job["history"]) > 1:
                story = ", ".join(attempt["outcome"] + (f" ({attempt['class']})"
                                                        if "class" in attempt else "")
                                  for attempt in job["history"])
                print(f"  {job['id']}  {job['note']:<30} {story} -> {job['state']}")

    def judge(self):
        """Prints what was expected; returns the exit code."""
        self.step("expected, and found\n")
        for what, holds in self.checks:
            print(f"  {'ok    ' if holds else 'FAILED'}  {what}")
        failed = sum(1 for _, holds in self.checks if not holds)
        verdict = "all of it came true" if failed == 0 else f"{failed} did not come true"
        print(f"\n{len(self.checks)} expectations, {verdict}; {time.monotonic() - self.began:.0f} s")
        return 1 if failed else 0

    def play(self):
        self.server.start()
        self.step(f"a server on {self.server.resp}, its data in {self.folder}/data")
        self.push_all()
        self.step(f"{len(self.ids)} jobs pushed; nobody works yet")
        self.draw()
        self.start_workers()
        self.step("a C++ worker and a shell worker start")
        self.crash_server()
        self.step("the workers reconnect by themselves")
        self.watch(self.all_finished, self.reports)
        codes = self.workers.stop()
        self.check(f"{' and '.join(codes)} stop gracefully", set(codes.values()) == {0})
        self.account()
        self.check("the server stops gracefully", self.server.stop() == 0)
        return self.judge()

    def end(self):
        self.workers.ended = True
        for process in [self.server.process, *self.workers.running.values()]:
            if process is not None and process.poll() is None:
                process.kill()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", type=Path, default=ROOT / "build" / "release")
    parser.add_argument("--keep", action="store_true", help="leave data and logs")
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="dray-demo-"))
    demo = Demo(options.build.resolve(), folder)
    code = 1
    try:
        code = demo.play()
    except Failed as failure:
        print(f"\ndemo: {failure}", file=sys.stderr)
    except KeyboardInterrupt:
        print("\ndemo: stopped", file=sys.stderr)
    finally:
        demo.end()
    if code != 0 or options.keep:
        print(f"data and logs: {folder}")
    else:
        shutil.rmtree(folder)
    return code


if __name__ == "__main__":
    sys.exit(main())
