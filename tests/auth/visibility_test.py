"""A token sees the jobs of its queues. A job of another queue is answered, to the byte, like a job
that is not there: nobody learns by asking that it exists."""

import unittest

from rig import Failure, Server, as_map


class Visibility(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = Server()
        cls.server.start()
        cls.admin = cls.server.client(cls.wait(cls.server.token("admin:*")))
        cls.mine = cls.server.client(cls.wait(cls.server.token("admin:mine*")))
        cls.hidden = cls.admin.call("JOB.PUSH", "theirs", "t", "a", "KEY", "their-key")
        deleted = cls.admin.call("JOB.PUSH", "theirs", "t", "a")
        cls.admin.call("JOB.DELETE", "IDS", 1, deleted)
        cls.gone = deleted
        cls.shown = cls.mine.call("JOB.PUSH", "mine1", "t", "a", "KEY", "my-key")

    @classmethod
    def wait(cls, token):
        cls.server.wait_for(token)
        return token

    @classmethod
    def tearDownClass(cls):
        cls.admin.close()
        cls.mine.close()
        cls.server.__exit__()

    LEASE = "0000000C0000000000000000AB"
    BY_ID = (("JOB.GET", "{}"), ("JOB.WAIT", "1", "{}", "BLOCK", "1"),
             ("JOB.ACK", "{}", LEASE), ("JOB.MACK", "1", "{}", LEASE, "0", "r"),
             ("JOB.FAIL", "{}", LEASE, "c", "m"), ("JOB.RELEASE", "{}", LEASE),
             ("JOB.LOG", "{}", LEASE, "info", "l"), ("JOB.EDIT", "{}", "PRIORITY", "3"),
             ("JOB.EXTEND", "{}", LEASE, "1000"), ("JOB.PROGRESS", "{}", LEASE, "d"),
             ("JOB.RETRY", "IDS", "1", "{}"), ("JOB.CANCEL", "IDS", "1", "{}"),
             ("JOB.CANCEL", "FORCE", "IDS", "1", "{}"), ("JOB.DELETE", "IDS", "1", "{}"),
             ("WORKER.BEAT", "w", "LEASES", "1", "{}", LEASE),
             ("WORKER.BYE", "w", "LEASES", "1", "{}", LEASE))

    def bytes_of(self, client, words, job):
        """The reply's own bytes, with the job's name taken out of them."""
        begin = client.at
        client.call(*(word.format(job) for word in words))
        return client.raw[begin:client.at].replace(job.encode(), b"JOB")

    def test_a_job_of_another_queue_is_answered_like_none(self):
        for words in self.BY_ID:
            with self.subTest(command=words[0]):
                hidden = self.bytes_of(self.mine, words, self.hidden)
                self.assertEqual(hidden, self.bytes_of(self.mine, words, self.gone))
        for words in self.BY_ID:
            with self.subTest(command=words[0], by="key"):
                hidden = self.bytes_of(self.mine, words, "key:their-key")
                absent = self.bytes_of(self.mine, words, "key:other-key")
                self.assertEqual(hidden.replace(b"their-key", b"K"),
                                 absent.replace(b"other-key", b"K"))

    def test_and_nothing_was_done_to_it(self):
        self.test_a_job_of_another_queue_is_answered_like_none()
        job = as_map(self.admin.call("JOB.GET", self.hidden))
        self.assertEqual((job["state"], job["attempt"]), ("ready", 0))

    def test_its_own_jobs_it_sees(self):
        for name in (self.shown, "key:my-key"):
            self.assertEqual(as_map(self.mine.call("JOB.GET", name))["queue"], "mine1")

    def test_a_lease_does_not_help_without_the_right(self):
        job = self.admin.call("JOB.PUSH", "theirs", "lease", "a")
        lease = as_map(self.admin.call("JOB.FETCH", "w", "TYPES", 1, "lease", "QUEUES", 1,
                                       "theirs")[0])
        self.assertEqual(self.mine.call("JOB.ACK", job, lease["token"]).code, "GONE")
        self.assertEqual(self.admin.call("JOB.ACK", job, lease["token"]), "OK")

    def test_a_batch_with_a_queue_of_others_is_refused_as_a_whole(self):
        answer = self.mine.call("JOB.MPUSH", 2, "mine2", "t", "a", 0, "theirs", "t", "a", 0)
        self.assertEqual(answer.code, "NOPERM")
        self.assertNotIn("mine2", self.admin.call("QUEUE.LIST"))
        answer = self.mine.call("JOB.FETCH", "w", "QUEUES", 2, "mine1", "theirs")
        self.assertTrue(answer.text.startswith("NOPERM need=work queue=theirs "), answer)

    def test_the_list_of_queues_is_its_own(self):
        self.assertIn("theirs", self.admin.call("QUEUE.LIST"))
        self.assertEqual({name[:4] for name in self.mine.call("QUEUE.LIST")}, {"mine"})

    def test_a_key_that_a_job_of_others_holds_cannot_be_pushed_to(self):
        for ondup in ("return", "report", "error", "replace"):
            answer = self.mine.call("JOB.PUSH", "mine1", "t", "b", "KEY", "their-key", "ONDUP", ondup)
            self.assertEqual(answer.code, "NOPERM", ondup)
            self.assertNotIn(self.hidden, answer.text)
        self.assertEqual(as_map(self.admin.call("JOB.GET", self.hidden))["args"], "a")

    def test_a_transaction_holds_to_the_same(self):
        self.assertEqual(self.mine.call("MULTI"), "OK")
        self.assertEqual(self.mine.call("JOB.PUSH", "theirs", "t", "a").code, "NOPERM")
        self.assertEqual(self.mine.call("JOB.PUSH", "mine3", "t", "a"), "QUEUED")
        self.assertEqual(self.mine.call("EXEC").code, "EXECABORT")
        self.assertNotIn("mine3", self.admin.call("QUEUE.LIST"))
        self.assertEqual(self.mine.call("MULTI"), "OK")
        self.assertEqual(self.mine.call("JOB.CANCEL", "IDS", 1, self.hidden), "QUEUED")
        answer = self.mine.call("EXEC")
        self.assertIsInstance(answer, Failure)
        self.assertIn("GONE", answer.text)
        self.assertEqual(as_map(self.admin.call("JOB.GET", self.hidden))["state"], "ready")

    def test_verbs_by_query_want_all_queues(self):
        for verb in ("RETRY", "CANCEL", "DELETE"):
            answer = self.mine.call(f"JOB.{verb}", "WHERE", "queue:mine1")
            self.assertEqual(answer.code, "NOPERM", verb)
            answer = self.mine.call("MULTI")
            answer = self.mine.call(f"JOB.{verb}", "WHERE", "queue:theirs")
            self.assertIsInstance(answer, Failure, verb)
            self.mine.call("DISCARD")
        self.assertEqual(as_map(self.admin.call("JOB.GET", self.hidden))["state"], "ready")

    def test_an_edit_by_query_wants_all_queues(self):
        for words in (("QUEUE", "mine2", "WHERE", "queue:mine1"), ("PRIORITY", 1, "WHERE", "queue:theirs")):
            answer = self.mine.call("JOB.EDIT", *words)
            self.assertEqual(answer.code, "NOPERM", words)
        job = as_map(self.admin.call("JOB.GET", self.hidden))
        self.assertEqual((job["state"], job["priority"]), ("ready", 5))

    def test_keys_go_by_their_names(self):
        self.assertEqual(self.mine.call("SET", "mine:x", "v"), "OK")
        self.assertEqual(self.mine.call("SET", "theirs:x", "v").code, "NOPERM")
        self.assertEqual(self.mine.call("MGET", "mine:x", "theirs:x").code, "NOPERM")
        self.assertEqual(self.mine.call("SCAN", 0).code, "NOPERM")


if __name__ == "__main__":
    unittest.main()
