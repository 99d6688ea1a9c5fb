"""Namespaces of the real server: the same names are different things in each, all of them survive a
kill, tokens are bound to one, and each directory is a data directory of its own."""

import http.client
import signal
import subprocess
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "auth"))

from rig import DEADLINE_S, HOST, Failure, Server, as_map, binary, dray, until

NAMES = ("--namespaces", "shop billing")


def enter(server, name, token=None):
    client = server.client(token)
    answer = client.call("SELECT", name)
    if answer != "OK":
        raise AssertionError(f"SELECT {name}: {answer}")
    return client


def fetched(client, queue="q"):
    """Fetches a job at once; returns its args, or None."""
    jobs = client.call("JOB.FETCH", "w", "QUEUES", 1, queue)
    return as_map(jobs[0])["args"] if jobs else None


class Apart(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = Server(*NAMES)
        cls.server.start()

    @classmethod
    def tearDownClass(cls):
        cls.server.__exit__()

    def test_a_queue_is_another_one_in_each(self):
        with self.server.client() as here, enter(self.server, "shop") as there:
            here.call("JOB.PUSH", "apart", "t", "here")
            there.call("JOB.PUSH", "apart", "t", "there")
            there.call("QUEUE.PAUSE", "other")
            self.assertEqual(fetched(here, "apart"), "here")
            self.assertIsNone(fetched(here, "apart"))
            self.assertEqual(fetched(there, "apart"), "there")
            self.assertEqual(as_map(here.call("QUEUE.STATS", "other"))["paused"], 0)

    def test_keys_and_requests_are_others_too(self):
        with self.server.client() as here, enter(self.server, "billing") as there:
            here.call("SET", "k", "here")
            self.assertIsNone(there.call("GET", "k"))
            push = ("JOB.PUSH", "requests", "t", "a", "REQUEST", "r1")
            first = here.call(*push)
            self.assertEqual(here.call(*push), first)
            there.call(*push)
            self.assertEqual(as_map(there.call("QUEUE.STATS", "requests"))["ready"], 1)

    def test_a_worker_that_waits_in_one_holds_up_no_other(self):
        with enter(self.server, "shop") as waits, enter(self.server, "shop") as pushes, \
                self.server.client() as here:
            waits.send("JOB.FETCH", "w", "QUEUES", 1, "blocks", "BLOCK", 60000)
            until(lambda: "blocked_clients:1" in pushes.call("INFO"), "the worker waits")
            self.assertIn("blocked_clients:0", here.call("INFO"))
            here.call("JOB.PUSH", "blocks", "t", "not for it")
            self.assertEqual(fetched(here, "blocks"), "not for it")
            pushes.call("JOB.PUSH", "blocks", "t", "for it")
            self.assertEqual(as_map(waits.read()[0])["args"], "for it")

    def test_an_unknown_one_is_refused_by_the_name_of_the_setting(self):
        with self.server.client() as client:
            for name in ("nowhere", "../shop", "SHOP"):
                refused = client.call("SELECT", name)
                self.assertEqual(refused.code, "NOTFOUND")
                self.assertIn("server.namespaces", refused.text)
            self.assertEqual(client.call("SELECT", 3).code, "ERR")
            self.assertEqual(client.call("SELECT", 0), "OK")

    def test_it_is_not_chosen_inside_a_transaction(self):
        with self.server.client() as client:
            client.call("MULTI")
            self.assertEqual(client.call("SELECT", "shop").code, "ERR")
            self.assertEqual(client.call("EXEC").code, "EXECABORT")
            client.call("SET", "after-multi", "default")
            self.assertEqual(client.call("SELECT", "shop"), "OK")
            self.assertIsNone(client.call("GET", "after-multi"))

    def test_a_transaction_is_carried_out_where_it_was_begun(self):
        with enter(self.server, "shop") as client, self.server.client() as here:
            client.call("MULTI")
            client.call("SET", "in-multi", "shop")
            self.assertEqual(client.call("EXEC"), ["OK"])
            self.assertEqual(client.call("GET", "in-multi"), "shop")
            self.assertIsNone(here.call("GET", "in-multi"))

    def test_a_subscriber_hears_of_its_own_and_stays(self):
        with enter(self.server, "shop") as hears, enter(self.server, "shop") as there, \
                self.server.client() as here:
            hears.call("HELLO", 3)
            hears.socket.settimeout(DEADLINE_S)
            hears.send("SUBSCRIBE", "job.pushed.events")
            self.assertIn("subscribe", str(read_push(hears)))
            self.assertIn("shop", hears.call("SELECT", "billing").text)
            here.call("JOB.PUSH", "events", "Theirs", "a")
            there.call("JOB.PUSH", "events", "Mine", "a")
            self.assertIn('"type":"Mine"', str(read_push(hears)))

    def test_the_list_and_the_metrics_tell_of_each(self):
        with enter(self.server, "billing") as client:
            client.call("JOB.PUSH", "counted", "t", "a")
            found = {each["name"]: each
                     for each in map(as_map, client.call("NAMESPACE.LIST"))}
        self.assertEqual(list(found), ["default", "shop", "billing"])
        self.assertGreaterEqual(found["billing"]["jobs"], 1)
        text = metrics(self.server)
        self.assertIn('dray_queue_jobs{namespace="billing",queue="counted",state="ready"} 1', text)
        self.assertIn('dray_store_commit_seconds_count{namespace="shop"}', text)
        self.assertIn("\ndray_connections ", text)

    def test_the_url_of_the_command_line_names_one(self):
        url = f"dray://{HOST}:{self.server.port}"
        dray("push", "--url", f"{url}/shop", "cli", "t", "{}")
        with enter(self.server, "shop") as there, self.server.client() as here:
            self.assertEqual(fetched(there, "cli"), "{}")
            self.assertIsNone(fetched(here, "cli"))
        code, _, errors = dray("push", "--url", f"{url}/nowhere", "cli", "t", "{}", check=False)
        self.assertNotEqual(code, 0)
        self.assertIn("server.namespaces", errors)


def read_push(client):
    """The next message of a subscription in RESP 3."""
    line = client._line()
    if line[:1] != b">":
        raise AssertionError(f"no message: {line!r}")
    return [client.read() for _ in range(int(line[1:]))]


def metrics(server, token=None):
    connection = http.client.HTTPConnection(HOST, server.http_port, timeout=DEADLINE_S)
    connection.request("GET", "/metrics",
                       headers={"Authorization": f"Bearer {token}"} if token else {})
    text = connection.getresponse().read().decode()
    connection.close()
    return text


class Lasting(unittest.TestCase):
    def setUp(self):
        self.server = Server(*NAMES)
        self.server.start()
        self.addCleanup(self.server.__exit__)

    def directory(self, name):
        return self.server.data / "namespaces" / name

    def test_a_kill_loses_nothing_in_any(self):
        places = ("default", "shop", "billing")
        for name in places:
            with enter(self.server, name) as client:
                for number in range(20):
                    client.call("JOB.PUSH", "q", "t", f"{name} {number}")
                client.call("SET", "k", name)
        self.server.stop(signal.SIGKILL)
        self.server.start()
        for name in places:
            with enter(self.server, name) as client:
                self.assertEqual(client.call("GET", "k"), name)
                self.assertEqual([fetched(client) for _ in range(21)],
                                 [f"{name} {number}" for number in range(20)] + [None])

    def test_each_directory_is_checked_and_backed_up_by_itself(self):
        with enter(self.server, "shop") as client:
            client.call("JOB.PUSH", "q", "t", "kept")
        copy = self.server.folder / "copy"
        dray("backup", "--data", self.directory("shop"), "--to", copy)
        self.assertEqual(dray("check", self.directory("shop"), check=False)[0], 75)
        self.assertEqual(self.server.stop(), 0)
        for directory in (self.directory("shop"), self.directory("billing"), self.server.data, copy):
            dray("check", directory)
        self.assertIn("1", dray("check", copy, "-o", "json")[1])
        # A copy of a namespace is served like any data directory: also as the default one.
        with Server() as other:
            other.stop()
            dray("restore", copy, "--to", other.folder / "restored")
            other.data = other.folder / "restored"
            other.start()
            with other.client() as client:
                self.assertEqual(fetched(client), "kept")

    def test_what_the_settings_do_not_name_is_left_alone_and_told(self):
        with enter(self.server, "shop") as client:
            client.call("SET", "k", "v")
        self.server.stop()
        self.server.options = ("--namespaces", "billing")
        self.server.start()
        self.assertIn("it is not in server.namespaces", self.server.log())
        with self.server.client() as client:
            self.assertEqual(client.call("SELECT", "shop").code, "NOTFOUND")
        self.server.stop()
        self.server.options = NAMES
        self.server.start()
        with enter(self.server, "shop") as client:
            self.assertEqual(client.call("GET", "k"), "v")

    def test_names_that_are_none_are_refused(self):
        self.server.stop()
        for names in ("a/b", ".hidden", "0", " ".join(f"n{number}" for number in range(16))):
            command = [binary(), "serve", "--data", str(self.server.data), "--allow-volatile",
                       "--namespaces", names, "--resp", f"{HOST}:0", "--http", f"{HOST}:0"]
            done = subprocess.run(command, capture_output=True, text=True, timeout=DEADLINE_S,
                                  check=False)
            self.assertEqual(done.returncode, 2, names)
            self.assertIn("server.namespaces", done.stderr)


class Tokens(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = Server(*NAMES)
        cls.server.start()
        def token(*options):
            return cls.server.token("admin:*", options=options)
        cls.plain = token()
        cls.shop = token("--namespace", "shop")
        cls.all = token("--namespace", "*")
        cls.lost = token("--namespace", "nowhere")
        cls.server.wait_for(cls.all)

    @classmethod
    def tearDownClass(cls):
        cls.server.__exit__()

    def test_a_login_begins_in_the_namespace_of_the_token(self):
        for token, wanted in ((self.plain, "default"), (self.shop, "shop"), (self.all, "default")):
            with self.server.client(token) as client:
                self.assertIn(f"\r\nnamespace:{wanted}\r\n", client.call("INFO"))

    def test_a_new_login_and_a_reset_go_back(self):
        with enter(self.server, "billing", self.all) as client:
            client.call("AUTH", self.shop)
            self.assertIn("namespace:shop", client.call("INFO"))
            self.assertEqual(client.call("HELLO", 3, "AUTH", "any", self.all)["server"], "dray")
            self.assertIn("namespace:default", client.call("INFO"))
            client.call("SELECT", "shop")
            client.call("RESET")
            self.assertEqual(client.call("PING").code, "NOAUTH")
            client.call("AUTH", self.all)
            self.assertIn("namespace:default", client.call("INFO"))

    def test_others_are_refused_without_a_word_on_whether_they_are_there(self):
        for token, own in ((self.plain, "default"), (self.shop, "shop")):
            with self.server.client(token) as client:
                self.assertEqual(client.call("SELECT", own), "OK")
                there, nowhere = (client.call("SELECT", name) for name in ("billing", "nowhere"))
                self.assertEqual(there.code, "NOPERM")
                self.assertEqual(there.text.replace("billing", "nowhere"), nowhere.text)
                listed = client.call("NAMESPACE.LIST")
                self.assertEqual([as_map(each)["name"] for each in listed], [own])

    def test_a_token_of_a_namespace_that_is_not_served_says_so(self):
        with self.server.client() as client:
            refused = client.call("AUTH", self.lost)
            self.assertIsInstance(refused, Failure)
            self.assertEqual(refused.code, "NOTFOUND")
            self.assertIn("server.namespaces", refused.text)
            self.assertEqual(client.call("PING").code, "NOAUTH")

    def test_metrics_show_what_the_token_may_enter(self):
        for token, seen in ((self.plain, {"default"}), (self.shop, {"shop"}),
                            (self.all, {"default", "shop", "billing"})):
            text = metrics(self.server, token)
            for name in ("default", "shop", "billing"):
                self.assertEqual(f'dray_jobs{{namespace="{name}"}}' in text, name in seen)

    def test_the_list_of_tokens_shows_it(self):
        listed = dray("token", "ls", "--data", self.server.data)[1]
        for word in ("shop", "*", "default", "nowhere"):
            self.assertIn(word, listed)
        self.assertIn('"namespace":"shop"',
                      dray("token", "ls", "--data", self.server.data, "-o", "json")[1])
        code, _, errors = dray("token", "create", "--data", self.server.data, "--name", "x",
                               "--scope", "read:*", "--namespace", "a/b", check=False)
        self.assertEqual(code, 2)
        self.assertIn("field=namespace", errors)

    def test_the_audit_log_names_the_namespace(self):
        with self.server.client(self.shop) as client:
            client.call("QUEUE.PAUSE", "audited")
            client.call("SELECT", "billing")
        with self.server.client(self.plain) as client:
            client.call("QUEUE.PAUSE", "audited")
        wanted = [("QUEUE.PAUSE", "shop", "OK"), ("SELECT", "shop", "NOPERM"),
                  ("QUEUE.PAUSE", None, "OK")]
        def lines():
            return [(line["msg"], line.get("namespace"), line.get("outcome"))
                    for line in self.server.audit()]
        for line in wanted:
            until(lambda line=line: line in lines(), f"{line} in the audit log")


if __name__ == "__main__":
    unittest.main()
