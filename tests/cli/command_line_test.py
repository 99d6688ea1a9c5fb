#!/usr/bin/python3
"""Drives the real binary: against a real server where it has the commands, against a scripted one
where answers are to be chosen."""

import json
import os
import pty
import re
import select
import signal
import subprocess
import sys
import time
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "clients"))

from fake_server import Error, FakeServer  # noqa: E402
from server import Server, binary  # noqa: E402

DEADLINE_S = 60


class Ran:
    def __init__(self, code, out, err):
        self.code, self.out, self.err = code, out, err


def environment(url=None, **more):
    own = {name: value for name, value in os.environ.items() if not name.startswith("DRAY_")}
    own.update(more)
    if url:
        own["DRAY_URL"] = url
    return own


def dray(url, *words, stdin="", **more):
    """Runs one command to its end."""
    done = subprocess.run([binary(), *words], input=stdin, capture_output=True, text=True,
                          timeout=DEADLINE_S, env=environment(url, **more))
    return Ran(done.returncode, done.stdout, done.stderr)


def on_terminal(url, *words, keys=(), until=None):
    """Runs a command on a terminal of 100 x 30; sends keys once `until` was shown. Returns its exit
    code and all that it drew."""
    pid, terminal = pty.fork()
    if pid == 0:
        os.execve(binary(), [binary(), *words], environment(url, TERM="xterm"))
    import fcntl
    import struct
    import termios
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 30, 100, 0, 0))
    drawn = b""
    keys = list(keys)
    deadline = time.monotonic() + DEADLINE_S
    while time.monotonic() < deadline:
        if not select.select([terminal], [], [], 1)[0]:
            continue
        try:
            piece = os.read(terminal, 65536)
        except OSError:
            break
        if not piece:
            break
        drawn += piece
        if keys and until and re.search(until, drawn):
            os.write(terminal, keys.pop(0))
    os.close(terminal)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), drawn.decode("utf-8", "replace")


class AgainstTheServer(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = Server()
        cls.server.start()
        cls.url = f"dray://127.0.0.1:{cls.server.port}"

    @classmethod
    def tearDownClass(cls):
        cls.server.__exit__()

    def run_ok(self, *words, **more):
        ran = dray(self.url, *words, **more)
        self.assertEqual(ran.code, 0, ran.err)
        return ran.out

    def stats(self, queue):
        return json.loads(self.run_ok("queue", "show", queue, "-o", "json"))

    def test_push_prints_the_id_in_each_form(self):
        self.assertRegex(self.run_ok("push", "forms", "t"), r"^\w{13}\n$")
        pushed = json.loads(self.run_ok("push", "forms", "t", "--id", "mine", "-o", "json"))
        self.assertTrue(pushed["created"])
        again = json.loads(self.run_ok("push", "forms", "t", "--key", "mine", "-o", "json"))
        self.assertEqual(again, {"id": pushed["id"], "created": False})
        self.assertEqual(self.stats("forms")["pushed"], 2)

    def test_retries_are_attempts_less_one(self):
        job = self.run_ok("push", "retries", "t", "--retries", "0").strip()
        self.assertEqual(json.loads(self.run_ok("show", job, "-o", "json"))["max_attempts"], 1)
        for words in (["q", "t", "--retries", "1", "--attempts", "2"], ["q", "--ndjson", "-"]):
            self.assertEqual(dray(self.url, "push", *words).code, 2)

    def test_lines_named_by_a_request_are_pushed_once_however_often(self):
        lines = "".join(f'{{"queue":"lines","type":"t","args":{n}}}\n' for n in range(2500))
        broken = lines + "{\n"
        ran = dray(self.url, "push", "--ndjson", "-", "--request", "imp", "-q", stdin=broken)
        self.assertEqual(ran.code, 4)
        self.assertIn("line 2501", ran.err)
        self.assertIn("nothing from line 2001 on", ran.err)
        self.assertIn("pushes only what is missing", ran.err)
        self.assertEqual(self.stats("lines")["pushed"], 2000)
        ran = dray(self.url, "push", "--ndjson", "-", "--request", "imp", "-q", stdin=lines)
        self.assertEqual(ran.code, 0, ran.err)
        self.assertIn("2500 jobs are pushed", ran.err)
        self.assertEqual(self.stats("lines")["pushed"], 2500)

    def test_a_terminal_sees_progress_and_a_pipe_does_not(self):
        path = self.server.folder / "progress.ndjson"
        path.write_text('{"queue":"progress","type":"t"}\n' * 1500, encoding="ascii")
        code, drawn = on_terminal(self.url, "push", "--ndjson", str(path), "-q")
        self.assertEqual(code, 0)
        self.assertRegex(drawn, r"\[#+\.*\] +\d+%  1000 jobs")
        ran = dray(self.url, "push", "--ndjson", str(path), "-q")
        self.assertEqual(ran.err, "dray: pushed 1500 jobs, 1500 of them new\n")

    def test_ids_that_are_changed_in_part_end_with_4(self):
        job = self.run_ok("push", "change", "t").strip()
        ran = dray(self.url, "cancel", job, "0000000000zzz", "-o", "json")
        self.assertEqual(ran.code, 4)
        outcomes = json.loads(ran.out)["jobs"]
        self.assertEqual(outcomes[0], {"id": job, "outcome": "ok"})
        self.assertTrue(outcomes[1]["error"].startswith("NOTFOUND "))
        self.assertEqual(dray(self.url, "delete", "0000000000zzz").code, 3)
        self.run_ok("retry", job)
        self.assertIn("BADSTATE", dray(self.url, "retry", job).out)
        self.run_ok("delete", job)
        self.assertEqual(dray(self.url, "show", job).code, 3)

    def test_show_tells_of_every_attempt(self):
        worker = subprocess.Popen(
            [binary(), "exec", "--queue", "shown", "--", "sh", "-c",
             "echo line one >&2; echo line two >&2; exit 7"],
            env=environment(self.url), stderr=subprocess.DEVNULL)
        try:
            job = self.run_ok("push", "shown", "t", "--attempts", "2", "--backoff", "fixed:1~0").strip()
            self.assertEqual(dray(self.url, "wait", job, "--timeout", "30s").code, 1)
        finally:
            worker.terminate()
            worker.wait(DEADLINE_S)
        table = self.run_ok("show", job)
        self.assertEqual(len(re.findall(r"^ +\d  failed ", table, re.MULTILINE)), 2, table)
        self.assertNotIn("    line two", table)
        self.assertIn("attempt 2: Exit 7\n    line one\n    line two\n",
                      self.run_ok("show", job, "-o", "wide"))
        two = self.run_ok("show", job, job, "-o", "json")
        self.assertEqual([one["id"] for one in json.loads(two)["jobs"]], [job, job])

    def test_wait_says_with_4_that_some_succeeded(self):
        worker = subprocess.Popen([binary(), "exec", "--queue", "waited", "--type", "good", "--", "true"],
                                  env=environment(self.url), stderr=subprocess.DEVNULL)
        try:
            good = self.run_ok("push", "waited", "good").strip()
            self.run_ok("wait", good, "--timeout", "30s")
            other = self.run_ok("push", "waited", "other").strip()
            ran = dray(self.url, "wait", good, other, "--timeout", "10ms", "-o", "json")
        finally:
            worker.terminate()
            worker.wait(DEADLINE_S)
        self.assertEqual(ran.code, 4)
        self.assertEqual([job["state"] for job in json.loads(ran.out)["jobs"]],
                         ["succeeded", "ready"])

    def test_queues_are_paused_shown_and_resumed(self):
        self.run_ok("push", "paused", "t")
        self.run_ok("queue", "pause", "paused", "--reason", "mail is down")
        self.assertIn("paused: mail is down", self.run_ok("queue", "ls", "paused"))
        doctor = dray(self.url, "doctor", "-o", "json")
        self.assertEqual(doctor.code, 1)
        found = [f for f in json.loads(doctor.out)["findings"] if f["about"] == "queue paused"]
        self.assertEqual(found[0]["remedy"], "dray queue resume paused")
        self.run_ok("queue", "resume", "paused")
        self.assertEqual(self.stats("paused")["paused"], 0)

    def test_doctor_knows_what_it_looks_at(self):
        doctor = dray(self.url, "doctor", "-o", "ndjson")
        findings = [json.loads(line) for line in doctor.out.splitlines()]
        self.assertLessEqual({"version", "clock", "access", "disk", "sync", "files"},
                             {finding["about"] for finding in findings})
        self.assertNotIn("?", [finding["verdict"] for finding in findings])

    def test_status_has_all_forms(self):
        self.run_ok("push", "status", "t")
        self.assertIn("status", self.run_ok("status"))
        self.assertIn("lost", self.run_ok("status", "-o", "wide"))
        queues = json.loads(self.run_ok("status", "status", "-o", "json"))["queues"]
        self.assertEqual((queues[0]["queue"], queues[0]["ready"]), ("status", 1))
        self.assertEqual(self.run_ok("status", "--quiet"), "")

    def test_top_prints_one_frame_where_there_is_no_terminal(self):
        self.run_ok("push", "top", "t")
        frame = self.run_ok("top", "--every", "10ms")
        self.assertEqual(len(re.findall(r"^dray ", frame, re.MULTILINE)), 1)
        self.assertRegex(frame, r"(?m)^top +1 ")
        self.assertNotIn("\x1b", frame)

    def test_top_draws_again_and_ends_with_q(self):
        self.run_ok("push", "drawn", "t")
        frames = rb"(?s)drawn.*\x1b\[H.*drawn"
        code, drawn = on_terminal(self.url, "top", "--every", "20ms", keys=[b"q"], until=frames)
        self.assertEqual(code, 0)
        self.assertIn("\x1b[?1049h", drawn)
        self.assertTrue(drawn.rstrip().endswith("\x1b[?25h\x1b[?1049l"), drawn[-80:])

    def test_watched_status_ends_with_a_signal(self):
        self.run_ok("push", "watched", "t")
        process = subprocess.Popen([binary(), "status", "--watch", "--every", "10ms", "-o", "json"],
                                   stdout=subprocess.PIPE, text=True, env=environment(self.url))
        for _ in range(2):
            self.assertIn("watched", process.stdout.readline())
        process.send_signal(signal.SIGINT)
        process.stdout.read()
        self.assertEqual(process.wait(DEADLINE_S), 0)

    def test_bench_measures_the_server_it_is_given(self):
        out = self.run_ok("bench", "--url", self.url, "-n", "100", "--clients", "2", "-o", "json")
        results = json.loads(out)["results"]
        self.assertEqual([r["jobs"] for r in results], [100, 1000, 1100])
        for result in results:
            self.assertGreater(result["jobs_per_second"], 0)
            self.assertLessEqual(result["p50_ms"], result["p99_ms"])

    def test_a_list_that_cannot_be_written_is_told(self):
        for _ in range(20):
            self.run_ok("push", "full", "t", json.dumps("x" * 1000))
        job = self.run_ok("push", "full", "t").strip()
        for words in (["ls", "queue:full", "-o", "json"], ["show", job], ["push", "full", "t"],
                      ["status", "--watch"]):
            with open("/dev/full", "wb") as full:
                ran = subprocess.run([binary(), *words], stdout=full, stderr=subprocess.PIPE,
                                     text=True, timeout=DEADLINE_S, env=environment(self.url))
            self.assertEqual((ran.returncode, ran.stderr), (
                74, "dray: stdout cannot be written: No space left on device\n"), words)

    def test_an_interrupted_bench_leaves_nothing_behind(self):
        def queues():
            listed = json.loads(self.run_ok("queue", "ls", "-o", "json"))["queues"]
            return [queue["queue"] for queue in listed if "dray-bench" in queue["queue"]]

        process = subprocess.Popen([binary(), "bench", "--url", self.url, "-n", "10000000"],
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                   env=environment())
        deadline = time.monotonic() + DEADLINE_S
        while not queues():
            self.assertLess(time.monotonic(), deadline)
        process.send_signal(signal.SIGINT)
        self.assertEqual(process.communicate(timeout=DEADLINE_S), ("", "dray: interrupted\n"))
        self.assertEqual(process.returncode, 1)
        while queues():
            self.assertLess(time.monotonic(), deadline)

    def test_jobs_are_listed_counted_and_changed_by_query(self):
        ids = [self.run_ok("push", "listed", "t", str(n)).strip() for n in range(5)]
        jobs = json.loads(self.run_ok("ls", "queue:listed", "--limit", "3", "-o", "json"))["jobs"]
        self.assertEqual([job["id"] for job in jobs], ids[:1:-1], "the newest first")
        lines = self.run_ok("ls", "queue:listed", "state:ready", "-o", "ndjson").splitlines()
        self.assertEqual([json.loads(line)["id"] for line in lines], ids[::-1])
        self.assertEqual(self.run_ok("count", "queue:listed"), "5\n")
        tried = self.run_ok("cancel", "--where", "queue:listed", "--dry-run")
        self.assertEqual(tried, "jobs that match: 5; nothing was changed\n")
        end = json.loads(self.run_ok("cancel", "--where", "queue:listed", "--limit", "2", "-o",
                                     "json"))
        self.assertEqual((end["state"], end["done"]), ("done", 2))
        self.assertIn(str(end["op"]), self.run_ok("op", "ls"))
        self.assertEqual(self.run_ok("count", "queue:listed", "state:cancelled"), "2\n")
        self.run_ok("retry", "--where", "queue:listed state:cancelled")
        self.assertIn("jobs in listed: 5;", self.run_ok("queue", "purge", "listed", "--dry-run"))
        self.run_ok("queue", "rm", "listed")
        self.assertEqual(self.run_ok("count", "queue:listed"), "0\n")
        self.assertEqual(dray(self.url, "op", "show", "op-999").code, 3)

    def test_a_query_that_is_none_is_wrong_usage(self):
        ran = dray(self.url, "ls", "sate:dead")
        self.assertEqual(ran.code, 2)
        self.assertIn("BADREQ", ran.err)


class AgainstAScript(unittest.TestCase):
    JOB = {"id": "0000000000001", "state": "dead", "queue": "emails", "type": "send", "attempt": 4,
           "max_attempts": 4, "pushed_ms": 1772366400000, "priority": 5, "args": "{}"}

    def run_with(self, script, *words, **more):
        with FakeServer(script) as server:
            ran = dray(server.url, *words, **more)
            return ran, server

    def page(self, words):
        """JOB.LIST over 120 jobs, at most 50 a page."""
        begin = int(words[words.index("CURSOR") + 1]) if "CURSOR" in words else 0
        count = min(50, int(words[words.index("COUNT") + 1]))
        end = min(120, begin + count)
        jobs = [{**self.JOB, "id": f"{n:013}"} for n in range(begin, end)]
        return {"jobs": jobs, **({"cursor": str(end)} if end < 120 else {})}

    def test_ls_goes_through_the_pages_up_to_its_limit(self):
        ran, server = self.run_with({"JOB.LIST": self.page}, "ls", "state:dead", "queue:emails",
                                    "--limit", "70", "-o", "json")
        self.assertEqual(ran.code, 0, ran.err)
        ids = [job["id"] for job in json.loads(ran.out)["jobs"]]
        self.assertEqual(ids, [f"{n:013}" for n in range(70)])
        self.assertEqual(server.heard_of("JOB.LIST"),
                         ["JOB.LIST WHERE state:dead queue:emails COUNT 70",
                          "JOB.LIST WHERE state:dead queue:emails CURSOR 50 COUNT 20"])
        self.assertIn("--cursor 70", ran.err)

    def test_ls_ends_where_the_list_ends(self):
        ran, _ = self.run_with({"JOB.LIST": self.page}, "ls", "--limit", "1000", "-o", "ndjson")
        self.assertEqual((ran.code, len(ran.out.splitlines()), ran.err), (0, 120, ""))
        ran, _ = self.run_with({"JOB.LIST": self.page}, "ls", "--cursor", "118")
        self.assertEqual(len(ran.out.splitlines()), 3)
        self.assertRegex(ran.out, r"0000000000119  dead +emails +send +4/4 ")

    def test_ls_says_when_there_is_nothing(self):
        ran, _ = self.run_with({"JOB.LIST": {"jobs": []}}, "ls", "state:dead")
        self.assertEqual((ran.code, ran.out), (0, "no job matches\n"))

    def test_count_is_a_number(self):
        ran, server = self.run_with({"JOB.COUNT": 12345}, "count", "state:dead age:>1h")
        self.assertEqual((ran.code, ran.out), (0, "12345\n"))
        self.assertEqual(server.heard_of("JOB.COUNT"), ["JOB.COUNT WHERE state:dead age:>1h"])

    def test_a_dry_run_changes_nothing_and_says_how_many(self):
        ran, server = self.run_with({"JOB.RETRY": {"matched": 7}}, "retry", "--where", "state:dead",
                                    "--limit", "10", "--dry-run")
        self.assertEqual((ran.code, ran.out), (0, "jobs that match: 7; nothing was changed\n"))
        self.assertEqual(server.heard_of("JOB.RETRY"),
                         ["JOB.RETRY WHERE state:dead LIMIT 10 DRYRUN"])

    def test_a_change_by_query_is_followed_to_its_end(self):
        states = iter(["running", "running", "done"])

        def wait(_):
            return {"op": "op-3", "state": next(states), "matched": 7, "done": 7, "skipped": 0}

        script = {"JOB.CANCEL": {"op": "op-3", "matched": 7}, "OP.WAIT": wait}
        ran, server = self.run_with(script, "cancel", "--force", "--where", "queue:q", "-o", "json")
        self.assertEqual((ran.code, json.loads(ran.out)["state"]), (0, "done"))
        self.assertEqual(server.heard_of("JOB.CANCEL"), ["JOB.CANCEL FORCE WHERE queue:q"])
        self.assertEqual(server.heard_of("OP.WAIT"), ["OP.WAIT op-3 BLOCK 1000"] * 3)

    def test_an_operation_that_skipped_jobs_ends_with_4(self):
        end = {"op": "op-3", "state": "done", "matched": 7, "done": 5, "skipped": 2}
        ran, server = self.run_with({"JOB.EDIT": {"op": "op-3", "matched": 7}, "OP.WAIT": end},
                                    "move", "queue:a", "type:t", "--to", "b")
        self.assertEqual(ran.code, 4)
        self.assertEqual(server.heard_of("JOB.EDIT"), ["JOB.EDIT QUEUE b WHERE queue:a type:t"])
        ran, _ = self.run_with({"OP.WAIT": {**end, "state": "cancelled"}}, "op", "wait", "op-3")
        self.assertEqual(ran.code, 1)

    def test_no_wait_leaves_the_operation_to_the_server(self):
        ran, server = self.run_with({"JOB.DELETE": {"op": "op-9", "matched": 2}}, "delete", "--where",
                                    "state:dead", "--rate", "100", "--no-wait")
        self.assertEqual((ran.code, ran.out), (0, "op-9 has begun; jobs that match: 2\n"))
        self.assertEqual(server.heard_of("JOB.DELETE"),
                         ["JOB.DELETE WHERE state:dead RATE 100"])

    def test_an_edit_by_query_is_followed_like_the_other_verbs(self):
        end = {"op": "op-3", "verb": "edit", "changes": "PRIORITY 9", "state": "done", "matched": 2,
               "done": 2, "skipped": 0}
        ran, server = self.run_with({"JOB.EDIT": {"op": "op-3", "matched": 2}, "OP.WAIT": end},
                                    "edit", "--where", "queue:q", "--priority", "9", "--rate", "5")
        self.assertEqual(ran.code, 0)
        self.assertIn("changes  PRIORITY 9", ran.out)
        self.assertEqual(server.heard_of("JOB.EDIT"), ["JOB.EDIT PRIORITY 9 WHERE queue:q RATE 5"])
        for words in (("edit", "--where", "queue:q", "--type", "t"), ("move", "queue:q", "--to", "t")):
            ran, server = self.run_with({"JOB.EDIT": {"matched": 3}}, *words, "--dry-run")
            self.assertEqual((ran.code, ran.out), (0, "jobs that match: 3; nothing was changed\n"))
            self.assertTrue(server.heard_of("JOB.EDIT")[0].endswith(" WHERE queue:q DRYRUN"))

    def test_an_edit_by_query_has_to_change_something(self):
        ran, server = self.run_with({}, "edit", "--where", "queue:q")
        self.assertEqual((ran.code, server.heard_of("JOB.EDIT")), (2, []))

    def test_a_dry_run_of_an_edit_by_id_changes_nothing(self):
        ran, server = self.run_with({"JOB.EDIT": "OK"}, "edit", "key:k", "--priority", "9", "--dry-run")
        self.assertEqual((ran.code, ran.out), (2, ""))
        self.assertEqual(server.heard_of("JOB.EDIT"), [])

    def test_words_of_the_other_verbs_are_right(self):
        script = {name: "OK" for name in ("JOB.EDIT", "QUEUE.SET", "TYPE.PAUSE", "TYPE.RESUME",
                                          "WORKER.QUIET", "WORKER.STOP", "OP.CANCEL",
                                          "QUEUE.PURGE", "QUEUE.DELETE")}
        script["OP.GET"] = {"op": "op-1", "state": "cancelled"}
        cases = [
            (["edit", "key:k", "--priority", "9", "--delay", "10m", "--queue", "b"],
             "JOB.EDIT key:k QUEUE b PRIORITY 9 DELAY 600000"),
            (["edit", "key:k", "--type", "t", "--soft-timeout", "1s", "--expire", "1m"],
             "JOB.EDIT key:k TYPE t SOFTTIMEOUT 1000 EXPIRE 60000"),
            (["queue", "set", "q", "--attempts", "10", "--lease", "2m", "--max-length", "5"],
             "QUEUE.SET q MAXLEN 5 ATTEMPTS 10 LEASE 120000"),
            (["queue", "set", "q", "--age", "10m"], "QUEUE.SET q AGE 600000"),
            (["queue", "set", "q", "--unset", "lease", "--unset", "max-length"],
             "QUEUE.SET q LEASE default MAXLEN default"),
            (["queue", "purge", "q"], "QUEUE.PURGE q"),
            (["queue", "rm", "q"], "QUEUE.DELETE q"),
            (["type", "pause", "t", "--queue", "q", "--reason", "r"],
             "TYPE.PAUSE t QUEUE q REASON r"),
            (["type", "resume", "t"], "TYPE.RESUME t"),
            (["worker", "quiet", "w"], "WORKER.QUIET w"),
            (["worker", "stop", "w"], "WORKER.STOP w"),
            (["op", "cancel", "op-1"], "OP.CANCEL op-1"),
        ]
        for words, wire in cases:
            with self.subTest(wire):
                ran, server = self.run_with(script, *words)
                self.assertEqual(ran.code, 0, ran.err)
                self.assertEqual(server.heard_of(wire.split()[0]), [wire])

    def test_tail_follows_the_cursor_and_shows_what_is_wanted(self):
        def event(name, queue, **more):
            return json.dumps({"event": name, "job": "0000000000001", "queue": queue, "type": "t",
                               "state": "ready", "at_ms": 1772366400000, **more})

        pages = {
            "$": {"cursor": "10"},
            "10": {"cursor": "12", "events": [event("pushed", "a"), event("pushed", "b")]},
            "12": {"cursor": "14", "gap": 1, "events": [
                event("started", "a"), event("failed", "a", attempt=2, message="no\x1b answer",
                                             **{"class": "Timeout"})]},
        }
        script = {"EVENT.READ": lambda words: pages[words[1]]}
        ran, server = self.run_with(script, "tail", "--queue", "a", "--event", "pushed", "--event",
                                    "failed", "--limit", "2")
        self.assertEqual(ran.code, 0, ran.err)
        self.assertEqual(ran.out.splitlines(), [
            "2026-03-01T12:00:00.000Z  pushed     0000000000001  a  t  state=\"ready\"",
            "2026-03-01T12:00:00.000Z  failed     0000000000001  a  t  state=\"ready\"  attempt=2"
            "  Timeout: no\\x1b answer"])
        self.assertIn("no longer kept", ran.err)
        self.assertEqual([line.split()[1] for line in server.heard_of("EVENT.READ")],
                         ["$", "10", "12"])
        ran, _ = self.run_with(script, "tail", "--cursor", "10", "-n", "1", "-o", "ndjson")
        self.assertEqual(json.loads(ran.out)["event"], "pushed")

    def test_purge_can_be_tried(self):
        ran, server = self.run_with({"JOB.COUNT": 4}, "queue", "purge", "q", "--dry-run")
        self.assertEqual((ran.code, ran.out), (0, "jobs in q: 4; nothing was changed\n"))
        self.assertEqual(server.heard_of("QUEUE.PURGE"), [])

    def test_workers_are_listed_with_whatever_fields_they_have(self):
        worker = {"worker": "h:1", "state": "run", "leases": 8, "last_seen_ms": 1772366400000,
                  "info": '{"sdk":"cpp"}'}
        ran, _ = self.run_with({"WORKER.LIST": [worker]}, "worker", "ls")
        self.assertEqual(ran.out.splitlines()[0].split(), ["worker", "state", "leases", "last_seen"])
        ran, _ = self.run_with({"WORKER.LIST": [worker]}, "worker", "ls", "-o", "wide")
        self.assertIn("cpp", ran.out)
        ran, _ = self.run_with({"WORKER.LIST": []}, "worker", "ls")
        self.assertEqual(ran.out, "no worker is there\n")

    def test_errors_have_their_exit_codes(self):
        for word, code in (("NOTFOUND no queue", 3), ("BADREQ no", 2), ("NOPERM no", 1),
                           ("NOTYET no", 1), ("GONE no", 3)):
            ran, _ = self.run_with({"QUEUE.STATS": Error(word)}, "queue", "show", "q")
            self.assertEqual(ran.code, code, word)
            self.assertTrue(ran.err.startswith(f"dray: {word}"), ran.err)

    def test_what_a_server_sends_cannot_take_over_the_terminal(self):
        job = {**self.JOB, "key": "a\x1b[2Jb", "args": "\x07"}
        ran, _ = self.run_with({"JOB.LIST": {"jobs": [job]}}, "ls", "-o", "wide")
        self.assertIn("a\\x1b[2Jb", ran.out)
        self.assertNotIn("\x1b", ran.out)


class WithoutAServer(unittest.TestCase):
    def test_wrong_commands_name_the_right_one(self):
        for words, said in (
                (["stauts"], "there is no command dray stauts (did you mean status?)"),
                (["queue", "pasue"], "there is no command dray queue pasue (did you mean pause?)"),
                (["push", "q", "t", "--prioriy", "3"], "(did you mean --priority?)"),
                (["help", "queu"], "(did you mean queue?)")):
            ran = dray(None, *words)
            self.assertEqual((ran.code, ran.out), (2, ""), words)
            self.assertIn(said, ran.err)

    def test_an_absent_server_is_exit_code_5(self):
        ran = dray("dray://127.0.0.1:1", "status")
        self.assertEqual(ran.code, 5)
        self.assertIn("dray serve", ran.err)

    def test_profiles_name_servers(self):
        with FakeServer({"QUEUE.LIST": []}) as server:
            folder = Path(os.environ.get("TMPDIR", "/tmp")) / f"dray-profile-{os.getpid()}"
            (folder / "dray").mkdir(parents=True)
            try:
                (folder / "dray/config.toml").write_text(
                    f'[profiles.here]\nurl = "{server.url}"\n', encoding="utf-8")
                home = {"XDG_CONFIG_HOME": str(folder)}
                self.assertEqual(dray(None, "status", "--profile", "here", **home).code, 0)
                self.assertEqual(dray(None, "status", DRAY_PROFILE="here", **home).code, 0)
                ran = dray(None, "status", "--profile", "heer", **home)
                self.assertEqual(ran.code, 2)
                self.assertIn("did you mean here?", ran.err)
            finally:
                (folder / "dray/config.toml").unlink()
                (folder / "dray").rmdir()
                folder.rmdir()

    def test_every_command_has_help_with_an_example(self):
        listed = dray(None, "--help").out
        verbs = re.findall(r"^  ([a-z]+)  ", listed, re.MULTILINE)
        self.assertGreater(len(verbs), 25)
        for verb in verbs:
            help_text = dray(None, verb, "--help")
            self.assertEqual(help_text.code, 0)
            inner = help_text.out.split("Subcommands:")
            names = [[verb]]
            if len(inner) > 1:
                names = [[verb, name] for name in re.findall(r"^  ([a-z-]+) ", inner[1], re.MULTILINE)]
            for name in names:
                text = dray(None, "help", *name).out
                self.assertIn(f"Usage: dray {' '.join(name)}", text)
                self.assertRegex(text, rf"Example:\n  .*dray {' '.join(name)}", name)

    def test_the_man_page_names_every_command(self):
        page = dray(None, "help", "--man").out
        for line in (".SS dray queue pause ", ".SS dray push ", ".SH EXIT STATUS"):
            self.assertIn(line, page)

    def complete(self, *words):
        script = dray(None, "completion", "bash").out
        line = " ".join(f"'{word}'" for word in words)
        done = subprocess.run(
            ["bash", "-c", f"{script}\nCOMP_WORDS=({line})\nCOMP_CWORD={len(words) - 1}\n_dray\n"
             "printf '%s\\n' \"${COMPREPLY[@]}\""], capture_output=True, text=True, check=True)
        return done.stdout.split()

    def test_bash_completes_verbs_and_options(self):
        self.assertEqual(self.complete("dray", "que"), ["queue"])
        self.assertEqual(self.complete("dray", "queue", "pa"), ["pause"])
        self.assertEqual(self.complete("dray", "push", "q", "t", "--prio"), ["--priority"])

    def test_the_other_shells_have_every_verb(self):
        for shell in ("zsh", "fish"):
            script = dray(None, "completion", shell).out
            for word in ("pause", "doctor", "'dray queue ls'" if shell == "fish" else "dray queue ls"):
                self.assertIn(word, script)

    def test_a_stdout_that_cannot_be_written_is_told(self):
        for words in (["version"], ["--help"], ["help", "push"], ["config", "print-default"],
                      ["help", "--man"]):
            with open("/dev/full", "wb") as full:
                ran = subprocess.run([binary(), *words], stdout=full, stderr=subprocess.PIPE,
                                     text=True, timeout=DEADLINE_S, env=environment())
            self.assertEqual((ran.returncode, ran.stderr), (
                74, "dray: stdout cannot be written: No space left on device\n"), words)

    def test_a_reader_that_has_seen_enough_is_no_fault_to_tell_of(self):
        ours, its = os.pipe()
        os.close(ours)
        # Without SIGPIPE, as Python has it.
        ran = subprocess.run([binary(), "help", "--man"], stdout=its, stderr=subprocess.PIPE,
                             text=True, timeout=DEADLINE_S, restore_signals=False,
                             env=environment())
        os.close(its)
        self.assertEqual((ran.returncode, ran.stderr), (74, ""))

    def test_bench_brings_its_own_server(self):
        ran = dray("dray://127.0.0.1:1", "bench", "-n", "100", "--clients", "1", "-o", "ndjson")
        self.assertEqual(ran.code, 0, ran.err)
        self.assertEqual(len(ran.out.splitlines()), 3)


if __name__ == "__main__":
    unittest.main(verbosity=1)
