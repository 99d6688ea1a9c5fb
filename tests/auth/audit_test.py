"""The audit log: administrative commands and refusals, who, from where, what, with which outcome."""

import stat
import unittest

from rig import Server, until


class Audit(unittest.TestCase):
    def setUp(self):
        self.server = Server()
        self.server.start()
        self.addCleanup(self.server.__exit__)
        self.token = self.server.token("admin:*", name="boss")
        self.server.wait_for(self.token)
        self.client = self.server.client(self.token)
        self.addCleanup(self.client.close)
        self.id = self.token.split(".")[0]

    def line(self, **wanted):
        """Waits for a line with these fields; returns it."""
        def found():
            return [line for line in self.server.audit()
                    if all(line.get(name) == value for name, value in wanted.items())]
        until(found, f"a line with {wanted}")
        return found()[-1]

    def test_administrative_commands_leave_a_line(self):
        job = self.client.call("JOB.PUSH", "q", "t", "a")
        self.client.call("QUEUE.PAUSE", "q", "REASON", "a reason that is nobody's business")
        self.client.call("QUEUE.RESUME", "q")
        self.client.call("JOB.CANCEL", "IDS", 2, job, "key:nobody")
        self.client.call("JOB.RETRY", "IDS", 1, job)
        self.client.call("JOB.DELETE", "IDS", 1, job)
        address = "%s:%d" % self.client.socket.getsockname()
        for command, names, outcome in (
                ("QUEUE.PAUSE", "q", "OK"), ("QUEUE.RESUME", "q", "OK"),
                ("JOB.CANCEL", f"{job} key:nobody", "NOTFOUND"), ("JOB.RETRY", job, "OK"),
                ("JOB.DELETE", job, "OK")):
            line = self.line(msg=command, names=names, outcome=outcome)
            self.assertEqual((line["token"], line["peer"]), (self.id, address))
            self.assertRegex(line["ts"], r"^\d{4}-\d\d-\d\dT[\d:.]+Z$")
        text = (self.server.data / "audit.log").read_text(encoding="utf-8")
        self.assertNotIn("business", text)
        self.assertEqual([line for line in self.server.audit() if line["msg"] == "JOB.PUSH"], [])

    def test_commands_of_a_transaction_too(self):
        job = self.client.call("JOB.PUSH", "q", "t", "a")
        for name, outcome in ((job, "OK"), ("key:nobody", "EXECABORT")):
            self.client.call("MULTI")
            self.client.call("JOB.CANCEL", "IDS", 1, name)
            self.client.call("EXEC")
            self.line(msg="JOB.CANCEL", names=name, outcome=outcome)

    def test_refusals_leave_a_line_without_what_was_given(self):
        reader = self.server.token("read:*")
        self.server.wait_for(reader)
        with self.server.client(reader) as client:
            self.assertEqual(client.call("QUEUE.PAUSE", "q").code, "NOPERM")
            self.assertEqual(client.call("JOB.PUSH", "q", "t", "a").code, "NOPERM")
            client.call("AUTH", "not-a-secret-of-anybody")
        with self.server.client() as stranger:
            stranger.call("HELLO", "3", "AUTH", "name-of-nobody", "not-a-secret-of-anybody")
        self.line(msg="QUEUE.PAUSE", token=reader.split(".")[0], outcome="NOPERM")
        self.line(msg="JOB.PUSH", token=reader.split(".")[0], outcome="NOPERM")
        self.line(msg="AUTH", token=reader.split(".")[0], outcome="WRONGPASS")
        self.line(msg="HELLO", token="", outcome="WRONGPASS")
        self.assertNotIn("nobody", (self.server.data / "audit.log").read_text(encoding="utf-8"))

    def test_refusals_cannot_push_the_rest_out(self):
        reader = self.server.token("read:*")
        self.server.wait_for(reader)
        with self.server.client(reader) as client:
            client.socket.sendall(b"*2\r\n$11\r\nQUEUE.PAUSE\r\n$1\r\nq\r\n" * 900)
            self.assertEqual({client.read().code for _ in range(900)}, {"NOPERM"})
        self.client.call("QUEUE.PAUSE", "after")
        self.line(msg="QUEUE.PAUSE", names="after")
        refused = [line for line in self.server.audit() if line.get("outcome") == "NOPERM"]
        self.assertLess(len(refused), 300)
        self.assertGreater(len(refused), 50)

    def test_tokens_that_come_and_go_leave_a_line(self):
        self.line(msg="token added", token=self.id, outcome="OK")
        (self.server.data / "tokens.toml").unlink()
        self.line(msg="token removed", token=self.id, outcome="OK")

    def test_only_its_owner_reads_it_and_a_restart_goes_on_in_it(self):
        path = self.server.data / "audit.log"
        self.assertEqual(stat.S_IMODE(path.stat().st_mode), 0o600)
        self.client.call("QUEUE.PAUSE", "first")
        self.server.stop()
        path.chmod(0o644)
        self.server.start()
        self.assertEqual(stat.S_IMODE(path.stat().st_mode), 0o600)
        with self.server.client(self.token) as client:
            client.call("QUEUE.PAUSE", "second")
        self.line(msg="QUEUE.PAUSE", names="second")
        self.line(msg="QUEUE.PAUSE", names="first")


if __name__ == "__main__":
    unittest.main()
