"""Every error code: produced on a real server, or listed here with the reason why it cannot be yet.
docs/errors.md has a row for each, and no error holds a line's end, a secret or arguments."""

import re
import resource
import signal
import subprocess
import unittest

from rig import ROOT, Client, Failure, Server, as_map, dray

ARGS = "arguments-that-no-error-shows"
LEASE = "0000000C0000000000000000AB"
NEVER = "0ZZZZZZZZZZZZ"

# A code that is here and that the server's source produces is found out below.
NOT_YET = {
    "PAUSED": "a paused queue takes jobs", "SHUTTINGDOWN": "commands are served until the end",
    "FENCED": "there is one server", "STOREREADONLY": "a server that cannot write ends",
    "INTERNAL": "only a fault of ours would",
    "UNKNOWN": "an SDK says it, when a connection breaks: tests/sdk_cpp",
}
# Where a machine has to be prepared in a way that these tests cannot.
ELSEWHERE = {"DISKFULL": "tests/disk/full_disk.py"}
# Folders whose code answers clients.
ANSWERS = ("core", "engine", "server", "protocol", "auth")


def codes():
    """{enumerator: word}, as base/error.cc has them."""
    text = (ROOT / "src/base/error.cc").read_text(encoding="utf-8")
    return dict(re.findall(r"ErrorCode::(k\w+), \"([A-Z]+)\"", text))


def rows():
    """{code: cells} of the tables of docs/errors.md."""
    found = {}
    for line in (ROOT / "docs/errors.md").read_text(encoding="utf-8").splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if len(cells) == 6 and re.fullmatch(r"`[A-Z]+`", cells[0]):
            assert cells[0] not in found, line
            found[cells[0].strip("`")] = cells
    return found


class Catalogue(unittest.TestCase):
    def test_it_has_a_row_for_every_code(self):
        self.assertEqual(set(rows()), set(codes().values()))
        for code, (_, http, outcome, again, happened, todo) in rows().items():
            self.assertRegex(http, r"^[45]\d\d$", code)
            self.assertIn(outcome, ("rejected", "unknown", "holder"), code)
            self.assertIn(again, ("no", "later", "jitter", "same key"), code)
            self.assertTrue(happened and todo, code)
            self.assertEqual("No version produces it" in happened,
                             code in NOT_YET and code != "UNKNOWN", code)

    def test_what_cannot_be_produced_is_produced_nowhere(self):
        words = {word: name for name, word in codes().items()}
        for code in NOT_YET:
            pattern = re.compile(rf"ErrorCode::{words[code]}\b")
            for folder in ANSWERS:
                for path in (ROOT / "src" / folder).rglob("*.cc"):
                    if path.stem.endswith("_test"):
                        continue
                    self.assertIsNone(pattern.search(path.read_text(encoding="utf-8")),
                                      f"{path} produces {code}: write its test")

    def test_what_is_tested_elsewhere_is(self):
        for code, place in ELSEWHERE.items():
            self.assertIn(code, (ROOT / place).read_text(encoding="utf-8"))

    def test_every_other_code_has_a_test(self):
        tested = {name.removeprefix("test_").upper() for name in dir(Produced)
                  if name.startswith("test_")}
        self.assertEqual(tested | set(NOT_YET) | set(ELSEWHERE), set(codes().values()))


class Produced(unittest.TestCase):
    """One test for each code, named after it."""

    @classmethod
    def setUpClass(cls):
        cls.server = Server()
        cls.server.start()
        cls.guarded = Server()
        cls.guarded.start()
        cls.token = cls.guarded.token("read:q")
        cls.guarded.wait_for(cls.token)

    @classmethod
    def tearDownClass(cls):
        cls.server.__exit__()
        cls.guarded.__exit__()

    def setUp(self):
        self.client = self.server.client()
        self.addCleanup(self.client.close)

    def assert_code(self, answer, code, *parts, client=None):
        self.assertIsInstance(answer, Failure)
        self.assertEqual(answer.code, code, answer.text)
        for part in parts:
            self.assertIn(part, answer.text)
        self.check_text(answer.text)
        raw = (client or self.client).raw
        self.assertTrue(raw.endswith(b"\r\n"))

    def check_text(self, text):
        self.assertRegex(text, r"^[\x20-\x7e]+$")
        for secret in (ARGS, self.token.split(".")[1]):
            self.assertNotIn(secret, text)
        self.assertGreater(len(text.split()), 2, "an error says more than its code")

    def fetched(self):
        job = self.client.call("JOB.PUSH", "run", "t", ARGS)
        lease = as_map(self.client.call("JOB.FETCH", "w", "QUEUES", 1, "run")[0])
        self.assertEqual(lease["id"], job)
        return job, lease["token"]

    def test_noauth(self):
        with self.guarded.client() as client:
            self.assert_code(client.call("JOB.PUSH", "q", "t", ARGS), "NOAUTH", client=client)

    def test_wrongpass(self):
        with self.guarded.client() as client:
            self.assert_code(client.call("AUTH", self.token[:-1]), "WRONGPASS", client=client)

    def test_noperm(self):
        with self.guarded.client(self.token) as client:
            self.assert_code(client.call("JOB.PUSH", "q\r\n-X", "t", ARGS), "NOPERM",
                             "need=enqueue queue=", client=client)
            self.assert_code(client.call("QUEUE.STATS", "q\r\n-X"), "NOPERM", "need=read queue=q??-X",
                             client=client)

    def test_noproto(self):
        self.assert_code(self.client.call("HELLO", "4"), "NOPROTO")

    def test_err(self):
        self.assert_code(self.client.call("NOSUCH\r\n+OK", ARGS), "ERR", "unknown command")
        self.assert_code(self.client.call("EVAL", "x"), "ERR", "dray is not Redis")

    def test_badreq(self):
        for words in (("PRIORITY", "12"), ("PRIORITY", "a\r\n-X"), ("DELYA", "1"), ("DELAY", "")):
            self.assert_code(self.client.call("JOB.PUSH", "q", "t", ARGS, *words), "BADREQ", "field=")
        self.assert_code(self.client.call("JOB.PUSH", "a\r\n-X", "t", ARGS), "BADREQ", "field=queue")

    def test_toobig(self):
        self.assert_code(self.client.call("JOB.PUSH", "q", "t", ARGS * 50_000), "TOOBIG", "limit=",
                         "got=")

    def test_notyet(self):
        self.assert_code(self.client.call("CRON.LIST"), "NOTYET")

    def test_execabort(self):
        self.assertEqual(self.client.call("MULTI"), "OK")
        self.assertEqual(self.client.call("JOB.ACK", NEVER, LEASE), "QUEUED")
        self.assert_code(self.client.call("EXEC"), "EXECABORT", "index=0 NOTFOUND")

    def test_notfound(self):
        self.assert_code(self.client.call("JOB.ACK", NEVER, LEASE), "NOTFOUND", NEVER)
        self.assert_code(self.client.call("JOB.ACK", "key:a\r\nb", LEASE), "NOTFOUND")

    def test_gone(self):
        job = self.client.call("JOB.PUSH", "q", "t", ARGS)
        self.assertEqual(self.client.call("JOB.DELETE", "IDS", 1, job), ["OK"])
        self.assert_code(self.client.call("JOB.ACK", job, LEASE), "GONE", job)

    def test_leaselost(self):
        job, token = self.fetched()
        self.assertEqual(self.client.call("JOB.RELEASE", job, token), "OK")
        self.assert_code(self.client.call("JOB.ACK", job, token), "LEASELOST", "held_by_attempt=")

    def test_cancelled(self):
        job, token = self.fetched()
        self.assertEqual(self.client.call("JOB.CANCEL", "IDS", 1, job), ["OK"])
        self.assert_code(self.client.call("JOB.ACK", job, token), "CANCELLED", job)

    def test_badstate(self):
        job = self.client.call("JOB.PUSH", "q", "t", ARGS)
        self.assert_code(self.client.call("JOB.RETRY", "IDS", 1, job)[0], "BADSTATE", "state=ready")

    def test_duplicate(self):
        job = self.client.call("JOB.PUSH", "q", "t", ARGS, "KEY", "twice")
        again = self.client.call("JOB.PUSH", "q", "t", ARGS, "KEY", "twice", "ONDUP", "ERROR")
        self.assert_code(again, "DUPLICATE", job)

    def test_quota(self):
        value = "v" * (1 << 20)
        for number in range(70):
            answer = self.client.call("SET", f"k{number}", value)
            if answer != "OK":
                break
        self.assert_code(answer, "QUOTA")
        self.client.call("DEL", *(f"k{number}" for number in range(70)))

    def test_wrongtype(self):
        self.assertEqual(self.client.call("HSET", "hash", "field", ARGS), 1)
        self.assert_code(self.client.call("GET", "hash"), "WRONGTYPE")
        self.assertEqual(self.client.call("SET", "text", ARGS), "OK")
        self.assert_code(self.client.call("HGET", "text", "field"), "WRONGTYPE")

    def test_queuefull(self):
        self.assertEqual(self.client.call("QUEUE.SET", "full", "MAXLEN", 1), "OK")
        self.client.call("JOB.PUSH", "full", "t", ARGS)
        self.assert_code(self.client.call("JOB.PUSH", "full", "t", ARGS), "QUEUEFULL", "len=1 max=1")

    def test_ratelimited(self):
        with Server() as server:
            server.wait_for(server.token("read:q"))
            answer = Failure("WRONGPASS")
            tries = 0
            while answer.code == "WRONGPASS":
                with server.client() as client:
                    answer = client.call("AUTH", self.token)
                tries += 1
                self.assertLess(tries, 100)
            self.assert_code(answer, "RATELIMITED", "retry_ms=", "limit=", client=client)

    def test_overloaded(self):
        # As many queues as there may be, then one more.
        with Server() as server, server.client() as client:
            number = 0
            for _ in range(10):
                words = []
                for _ in range(10_000):
                    words += [f"q{number}", "t", "", 0]
                    number += 1
                self.assertEqual(len(client.call("JOB.MPUSH", 10_000, *words)), 10_000)
            self.assert_code(client.call("JOB.PUSH", "one-more", "t", ARGS), "OVERLOADED", "retry_ms=",
                             "limit=", client=client)

    def test_maxconn(self):
        with Server() as server:
            pid = server.process.pid
            server.stop()
            _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
            command = server.command()
            server.command = lambda: ["prlimit", "--nofile=200:200", *command]
            server.start()
            self.assertNotEqual(server.process.pid, pid)
            self.assertGreater(hard, 200)
            clients = []
            answer = "PONG"
            while answer == "PONG":
                clients.append(Client(server.port))
                answer = clients[-1].call("PING")
                self.assertLess(len(clients), 200)
            self.assert_code(answer, "MAXCONN", "limit=", client=clients[-1])
            for client in clients:
                client.close()

    # --- Of a server that does not start.

    def refused(self, *words):
        code, out, errors = dray("serve", "--allow-volatile", "--resp", "127.0.0.1:0", "--http",
                                 "127.0.0.1:0", *words, check=False)
        self.assertEqual(out, "")
        said = next(line for line in errors.splitlines() if line.startswith("dray: "))
        self.check_text(said)
        return code, said

    def test_unavailable(self):
        code, said = self.refused("--data", self.server.data)
        self.assertEqual(code, 69)
        self.assertIn("UNAVAILABLE", said)

    def test_io(self):
        code, said = self.refused("--data", "/dev/null/here")
        self.assertEqual(code, 74)
        self.assertIn("IO", said)

    def test_corrupt(self):
        with Server() as server:
            with server.client() as client:
                for _ in range(50):
                    client.call("JOB.PUSH", "q", "t", ARGS)
            server.stop(signal.SIGKILL)
            segment = min(path for path in server.data.rglob("*")
                          if path.is_file() and ARGS.encode() in path.read_bytes())
            data = bytearray(segment.read_bytes())
            data[data.index(ARGS.encode())] ^= 1
            segment.write_bytes(data)
            done = subprocess.run(server.command(), capture_output=True, text=True, check=False)
            self.assertEqual(done.returncode, 65)
            said = next(line for line in done.stderr.splitlines() if "CORRUPT" in line)
            self.check_text(said)
            self.assertIn(segment.name, said)


if __name__ == "__main__":
    unittest.main()
