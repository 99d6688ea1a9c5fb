"""NAMESPACE.RESET on the real server: it forgets all in one namespace, for good, or nothing; others go
on meanwhile."""

import signal
import sys
import threading
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "auth"))

from rig import Server, dray, until

NAMES = ("--namespaces", "shop billing")
KEYS = 40


def enter(server, name, token=None):
    client = server.client(token)
    answer = client.call("SELECT", name)
    if answer != "OK":
        raise AssertionError(f"SELECT {name}: {answer}")
    return client


def fill(client, value):
    for number in range(KEYS):
        client.call("SET", f"k{number}", value)
        client.call("JOB.PUSH", "q", "t", value)


class Reset(unittest.TestCase):
    def setUp(self):
        self.server = Server(*NAMES)
        self.server.start()
        self.addCleanup(self.server.__exit__)
        self.folder = self.server.data / "namespaces"

    def names(self):
        return sorted(path.name for path in self.folder.iterdir())

    def test_it_forgets_one_for_good_and_leaves_the_others(self):
        with enter(self.server, "shop") as shop, enter(self.server, "billing") as billing:
            fill(shop, "shop")
            fill(billing, "billing")
            self.assertEqual(shop.call("NAMESPACE.RESET", "shop"), "OK")
            self.assertEqual(shop.call("DBSIZE"), 0)
            self.assertEqual(shop.call("JOB.COUNT"), 0)
            shop.call("SET", "new", "one")
        until(lambda: self.names() == ["billing", "shop"], "what was set aside is gone")
        self.server.stop(signal.SIGKILL)
        self.server.start()
        with enter(self.server, "shop") as shop, enter(self.server, "billing") as billing:
            self.assertEqual(shop.call("DBSIZE"), 1)
            self.assertEqual(billing.call("DBSIZE"), KEYS)
            self.assertEqual(billing.call("JOB.COUNT"), KEYS)
        self.assertEqual(self.server.stop(), 0)
        for name in ("shop", "billing"):
            dray("check", self.folder / name)

    def test_others_are_served_meanwhile(self):
        with enter(self.server, "shop") as shop, self.server.client() as here:
            fill(shop, "shop")
            shop.send("NAMESPACE.RESET", "shop")
            for number in range(KEYS):
                self.assertEqual(here.call("SET", f"k{number}", "here"), "OK")
            self.assertEqual(shop.read(), "OK")
            self.assertEqual(here.call("DBSIZE"), KEYS)

    def test_those_who_are_in_it_lose_no_answer(self):
        with enter(self.server, "shop") as asks:
            stops = threading.Event()
            answers = []

            def work():
                with enter(self.server, "shop") as client:
                    while not stops.is_set():
                        answers.append(client.call("SET", "k", "v"))
                        answers.append(client.call("JOB.FETCH", "w", "BLOCK", 60000, "QUEUES", 1,
                                                   "q"))
            workers = [threading.Thread(target=work) for _ in range(4)]
            for worker in workers:
                worker.start()
            until(lambda: "blocked_clients:4" in asks.call("INFO"), "all wait")
            for _ in range(3):
                self.assertEqual(asks.call("NAMESPACE.RESET", "shop"), "OK")
                until(lambda: "blocked_clients:4" in asks.call("INFO"), "all wait again")
            stops.set()
            asks.call("NAMESPACE.RESET", "shop")
            for worker in workers:
                worker.join()
            self.assertEqual({str(answer) for answer in answers}, {"OK", "[]"})

    def test_a_kill_in_the_midst_leaves_all_or_nothing(self):
        seen = set()
        with enter(self.server, "billing") as billing:
            fill(billing, "billing")
        for moment in range(12):
            with enter(self.server, "shop") as shop:
                shop.call("SET", "first", "one")
                fill(shop, "shop")
                full = shop.call("DBSIZE")
                shop.send("NAMESPACE.RESET", "shop")
                if moment % 3 == 1:
                    until(lambda: ".shop.gone" in self.names() or not self.keeps(), "it begins")
                answered = moment % 3 == 2 and shop.read() == "OK"
                self.server.stop(signal.SIGKILL)
            self.server.start()
            with enter(self.server, "shop") as shop, enter(self.server, "billing") as billing:
                left = shop.call("DBSIZE")
                self.assertIn(left, {0} if answered else {0, full})
                seen.add(left != 0)
                self.assertEqual(shop.call("JOB.COUNT") != 0, left != 0)
                self.assertEqual(billing.call("DBSIZE"), KEYS)
            self.assertEqual(self.names(), ["billing", "shop"])
        self.assertIn(False, seen)

    def keeps(self):
        """Whether the namespace has any data that a flush wrote."""
        return (self.folder / "shop" / "tables.db").exists()

    def test_who_may_not_is_told_so(self):
        some = self.server.token("admin:q", options=("--namespace", "shop"))
        whole = self.server.token("admin:*", options=("--namespace", "shop"))
        every = self.server.token("admin:*", options=("--namespace", "*"))
        self.server.wait_for(every)
        with self.server.client(some) as client:
            self.assertEqual(client.call("NAMESPACE.RESET", "shop").code, "NOPERM")
        with self.server.client(every) as client:
            for name in ("shop", "default"):
                self.assertEqual(client.call("NAMESPACE.RESET", name).code, "BADREQ")
        with self.server.client(whole) as client:
            self.assertEqual(client.call("NAMESPACE.RESET", "shop"), "OK")
            self.assertEqual(client.call("NAMESPACE.RESET", "billing").code, "BADREQ")
        wanted = {"msg": "NAMESPACE.RESET", "names": "shop", "outcome": "OK", "namespace": "shop"}
        until(lambda: any(wanted.items() <= line.items() for line in self.server.audit()),
              "a line in the audit log")

    def test_a_stop_meanwhile_ends_in_order(self):
        for _ in range(4):
            with enter(self.server, "shop") as shop:
                fill(shop, "shop")
                shop.send("NAMESPACE.RESET", "shop")
                self.assertEqual(self.server.stop(), 0)
            self.server.start()
            with enter(self.server, "shop") as shop:
                self.assertEqual(shop.call("DBSIZE") != 0, shop.call("JOB.COUNT") != 0)


if __name__ == "__main__":
    unittest.main()
