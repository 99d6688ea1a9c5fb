"""The life of a token: made, used, rotated, expired, revoked, while the server runs."""

import re
import signal
import stat
import subprocess
import unittest

from rig import READ_ANEW, Failure, Server, dray, until


class Tokens(unittest.TestCase):
    def setUp(self):
        self.server = Server()
        self.server.start()
        self.addCleanup(self.server.__exit__)

    def dray(self, *words, check=True):
        return dray("token", *words, "--data", self.server.data, check=check)

    def known(self, *scopes, **more):
        token = self.server.token(*scopes, **more)
        self.server.wait_for(token)
        return token

    def assert_ends(self, client):
        """The server closes the connection by itself; the socket's own time-out is the deadline."""
        self.assertTrue(client.is_closed())

    def test_the_first_token_closes_the_door_and_sends_strangers_away(self):
        stranger = self.server.client()
        self.assertEqual(stranger.call("PING"), "PONG")
        token = self.server.token("admin:*")
        self.assert_ends(stranger)
        with self.server.client() as client:
            self.assertEqual(client.call("PING").code, "NOAUTH")
            self.assertEqual(client.call("AUTH", token), "OK")
            self.assertEqual(client.call("PING"), "PONG")

    def test_it_is_given_as_redis_clients_give_it(self):
        token = self.known("read:*")
        name, secret = token.split(".")
        for words in (("AUTH", token), ("AUTH", "default", token), ("AUTH", name, secret),
                      ("HELLO", "3", "AUTH", "default", token), ("HELLO", "2", "AUTH", name, secret)):
            with self.server.client() as client:
                self.assertNotIsInstance(client.call(*words), Failure, words)
                self.assertEqual(client.call("QUEUE.LIST"), [])
        for wrong in (secret, name, f"{name}.{secret}x", f"{name}.", f"x{token}", f"{name}.{name}"):
            with self.server.client() as client:
                self.assertEqual(client.call("AUTH", wrong).code, "WRONGPASS")
                self.assertEqual(client.call("PING").code, "NOAUTH")

    def test_a_failed_auth_takes_nothing_away(self):
        token = self.known("read:*")
        with self.server.client(token) as client:
            self.assertEqual(client.call("AUTH", "wrong").code, "WRONGPASS")
            self.assertEqual(client.call("QUEUE.LIST"), [])

    def test_the_secret_is_shown_once_and_not_kept(self):
        token = self.known("work:emails*", "enqueue:*", name="mailer")
        name, secret = token.split(".")
        self.assertRegex(token, r"^[0-9a-z]{10}\.[0-9a-z]{52}$")
        path = self.server.data / "tokens.toml"
        self.assertEqual(stat.S_IMODE(path.stat().st_mode), 0o600)
        self.assertNotIn(secret, path.read_text(encoding="utf-8"))
        for form in ("table", "json"):
            listed = self.dray("ls", "-o", form)[1]
            for word in (name, "mailer", "work:emails*", "enqueue:*"):
                self.assertIn(word, listed)
            self.assertNotIn(secret, listed)

    def test_a_revoked_token_ends_its_connections_and_no_others(self):
        token, other = self.known("work:*"), self.known("work:*")
        client, waiting, stays = (self.server.client(each) for each in (token, token, other))
        waiting.send("JOB.FETCH", "w", "BLOCK", 50_000, "QUEUES", 1, "q")
        self.dray("revoke", token.split(".")[0])
        self.assert_ends(client)
        self.assert_ends(waiting)
        with self.server.client() as again:
            self.assertEqual(again.call("AUTH", token).code, "WRONGPASS")
        self.assertEqual(stays.call("PING"), "PONG")

    def test_what_a_token_subscribed_to_ends_with_it(self):
        reader, pusher = self.known("read:*"), self.known("enqueue:q")
        listener = self.server.client(reader)
        self.assertEqual(listener.call("PSUBSCRIBE", "job.*"), ["psubscribe", "job.*", 1])
        with self.server.client(reader) as other:
            other.call("HELLO", "3")
            other.call("PSUBSCRIBE", "job.*")
            # As somebody else, who may not listen.
            self.assertEqual(other.call("AUTH", pusher), "OK")
            other.call("JOB.PUSH", "q", "t", "{}")
            self.assertEqual(listener.read()[2], "job.pushed.q")
            self.assertEqual(other.call("PING"), "PONG")
            self.assertEqual(other.call("PSUBSCRIBE", "job.*").code, "NOPERM")
        self.dray("revoke", reader.split(".")[0])
        self.assert_ends(listener)

    def test_the_first_file_closes_the_door_even_if_it_is_wrong(self):
        stranger = self.server.client()
        self.assertEqual(stranger.call("PING"), "PONG")
        (self.server.data / "tokens.toml").write_text("nonsense = 1\n", encoding="ascii")
        self.assert_ends(stranger)
        self.server.wait_for_tokens()

    def test_an_expired_token_ends_its_connections(self):
        token = self.known("work:*", options=("--expires", "3s"))
        self.known("work:*")
        client = self.server.client(token)
        self.assertEqual(client.call("PING"), "PONG")
        self.assert_ends(client)
        with self.server.client() as again:
            self.assertEqual(again.call("AUTH", token).code, "WRONGPASS")

    def test_a_rotation_has_two_secrets_for_a_while(self):
        old = self.known("read:*")
        name = old.split(".")[0]
        new = self.dray("rotate", name)[1].strip()
        self.server.wait_for(new)
        by_old, by_new = self.server.client(old), self.server.client(new)
        self.assertEqual(by_old.call("QUEUE.LIST"), [])
        self.assertEqual(self.dray("rotate", name, check=False)[0], 2)
        self.dray("rotate", name, "--finish")
        self.assert_ends(by_old)
        self.assertEqual(by_new.call("QUEUE.LIST"), [])

    def test_other_scopes_in_the_file_hold_at_once(self):
        token = self.known("work:*")
        client = self.server.client(token)
        path = self.server.data / "tokens.toml"
        fresh = path.with_suffix(".mine")
        fresh.touch(mode=0o600)
        fresh.write_text(path.read_text().replace("work:*", "read:*"))
        fresh.rename(path)
        self.assert_ends(client)
        with self.server.client(token) as again:
            self.assertEqual(again.call("JOB.FETCH", "w", "QUEUES", 1, "q").code, "NOPERM")

    def test_a_file_that_cannot_be_read_changes_nothing(self):
        token = self.known("read:*")
        path = self.server.data / "tokens.toml"
        path.chmod(0o640)
        until(lambda: "can be read by others" in self.server.log(), "the complaint")
        with self.server.client(token) as client:
            self.assertEqual(client.call("QUEUE.LIST"), [])
        path.chmod(0o600)

    def test_a_file_that_went_away_lets_nobody_in(self):
        token = self.known("read:*")
        client = self.server.client(token)
        (self.server.data / "tokens.toml").unlink()
        self.assert_ends(client)
        with self.server.client() as again:
            self.assertEqual(again.call("AUTH", token).code, "WRONGPASS")

    def test_it_is_good_after_a_restart_and_sighup_reads_anew(self):
        token = self.known("read:*")
        self.server.stop()
        self.server.start()
        with self.server.client(token) as client:
            self.assertEqual(client.call("QUEUE.LIST"), [])
            self.server.send(signal.SIGHUP)
            until(lambda: READ_ANEW in self.server.log(), "SIGHUP")
            self.assertEqual(client.call("QUEUE.LIST"), [])

    def test_the_command_says_what_is_wrong(self):
        for words, said in ((("create", "--name", "x"), "--scope"),
                            (("create", "--name", "x", "--scope", "all"), "RIGHT:QUEUE"),
                            (("create", "--name", "a b", "--scope", "read:*"), "field=name"),
                            (("create", "--name", "x", "--scope", "read:*", "--expires", "5"),
                             "--expires")):
            code, out, errors = self.dray(*words, check=False)
            self.assertEqual((code, out), (2, ""), words)
            self.assertIn(said, errors)
        for verb in ("revoke", "rotate"):
            code, _, errors = self.dray(verb, "nobody", check=False)
            self.assertEqual(code, 3)
            self.assertIn("there is no token nobody", errors)
        code, _, errors = dray("token", "ls", check=False)
        self.assertEqual(code, 2)
        self.assertIn("--data DIR", errors)

    def test_the_token_of_token_file_may_do_everything_beside_the_others(self):
        secret = "the-one-token-of-all-0123456789"
        path = self.server.folder / "token"
        path.touch(mode=0o600)
        path.write_text(secret + "\n")
        token = self.server.token("read:*")
        self.server.stop()
        self.server.options = ("--token-file", path)
        self.server.start()
        with self.server.client(secret) as admin, self.server.client(token) as reader:
            self.assertEqual(admin.call("QUEUE.PAUSE", "q"), "OK")
            self.assertEqual(reader.call("QUEUE.PAUSE", "q").code, "NOPERM")
            self.assertTrue(re.fullmatch(r"[0-9A-Z]{13}", admin.call("JOB.PUSH", "q", "t", "a")))

    def test_metrics_want_a_token_that_reads_all_and_health_wants_none(self):
        readers = {scope: self.known(scope) for scope in ("read:*", "read:q*", "work:*")}

        def status(path, *headers):
            words = [word for header in headers for word in ("--header", header)]
            done = subprocess.run(["curl", "--silent", "--include", *words,
                                   f"http://127.0.0.1:{self.server.http_port}{path}"],
                                  capture_output=True, text=True, check=True)
            return int(done.stdout.split(" ")[1])
        for path in ("/livez", "/readyz"):
            self.assertEqual(status(path), 200)
        self.assertEqual(status("/metrics"), 401)
        for given, expected in (("Bearer " + readers["read:*"], 200), (readers["read:*"], 401),
                                ("Bearer " + readers["read:q*"], 403), ("Bearer x", 401),
                                ("Bearer " + readers["work:*"], 403), ("Basic eDp5", 401)):
            self.assertEqual(status("/metrics", f"Authorization: {given}"), expected, given[:8])


class Elsewhere(unittest.TestCase):
    def test_a_file_that_was_named_has_to_be_there_and_is_watched(self):
        with Server() as server:
            path = server.folder / "mine.toml"
            server.stop()
            server.options = ("--tokens", path)
            with self.assertRaisesRegex(AssertionError, "mine.toml"):
                server.start()
            create = ("token", "create", "--tokens", path, "--name", "x", "--scope", "read:*")
            first = dray(*create)[1].strip()
            server.start()
            second = dray(*create)[1].strip()
            server.wait_for(second)
            server.wait_for(first)


if __name__ == "__main__":
    unittest.main()
