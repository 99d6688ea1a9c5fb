"""Secrets stay where they are. Each secret and each payload of this test is a word that stands
nowhere else; at the end it must be in no log, no error, no command line, no audit log and no file
beside the data itself. With every level of logging."""

import os
import subprocess
import unittest
from pathlib import Path

from certificates import Certificates
from rig import DEADLINE_S, Client, Failure, Server, binary, dray

ARGS = "canary-of-args-7f3a"
PASSWORD = "canary-of-passwords-51cc"
NAME = "canary-of-user-names-90d2"
RESULT = "canary-of-results-b2e8"
VALUE = "canary-of-values-c41d"
LEVELS = ("debug", "info", "warning", "error")


class Canaries(unittest.TestCase):
    def places(self, server):
        """{where: bytes} of all that an operator, or another user of the machine, may read."""
        found = {"log": server.log().encode()}
        for name in ("cmdline", "environ"):
            found[f"/proc/{name}"] = Path(f"/proc/{server.process.pid}/{name}").read_bytes()
        found["ps"] = subprocess.run(["ps", "-ef", "ww"], capture_output=True, check=True).stdout
        for path in server.data.iterdir():
            if path.name.startswith("audit.log") or path.name in ("tokens.toml", "LOCK"):
                found[path.name] = path.read_bytes()
        found["metrics"] = subprocess.run(
            ["curl", "--silent", f"http://127.0.0.1:{server.http_port}/metrics"],
            capture_output=True, check=True).stdout
        return found

    def assert_silent(self, where, secrets):
        for place, content in where.items():
            for secret in secrets:
                self.assertNotIn(secret.encode(), content, place)

    def misuse(self, client, secret, token, every=1):
        """Says secrets in the wrong places, in all or in every second one: after ten failed logins
        none would be looked at. Returns the bytes of what was answered."""
        for words in (("AUTH", PASSWORD), ("AUTH", NAME, PASSWORD), ("AUTH", NAME, secret + "x"),
                      ("HELLO", "3", "AUTH", NAME, PASSWORD), ("HELLO", "9", "AUTH", NAME, PASSWORD),
                      ("AUTH", token[:-1]), ("AUTH", "", ""), ("AUTH", "a", token, PASSWORD),
                      ("AUTH",), ("HELLO", "3", "AUTH", PASSWORD))[::every]:
            client.call(*words)
        return client.raw

    def test_no_secret_leaves_at_any_level(self):
        for level in LEVELS:
            with self.subTest(level=level), Server("--log-level", level) as server:
                self.one_level(server)

    def one_level(self, server):
        token = server.token("admin:*", name="boss")
        secret = token.split(".")[1]
        server.wait_for_new(token)
        with server.client() as stranger:
            answered = self.misuse(stranger, secret, token, every=2)
            stranger.call("JOB.PUSH", "q", "t", ARGS)
            answered += stranger.raw
        with server.client(token) as client:
            begin = client.at
            for words in (("JOB.PUSH", "q", "t", ARGS, "PRIORITY", "77"),
                          ("JOB.PUSH", "q", "t", ARGS, "DELAY", "-1"),
                          ("JOB.PUSH", "bad queue", "t", ARGS), ("JOB.MPUSH", 2, "q", "t", ARGS, 0),
                          ("JOB.ACK", "0000000000001", "x", "RESULT", RESULT),
                          ("SET", "k", VALUE, "EX", "0"), ("SET", "k", VALUE), ("INCR", "k"),
                          ("QUEUE.PAUSE", "q", "REASON", RESULT)):
                client.call(*words)
            answered += client.raw[begin:]
            begin = client.at
            client.call("NOSUCH", ARGS, token)
            self.misuse(client, secret, token)
            client.call("AUTH", token)
            job = client.call("JOB.PUSH", "q", "t", ARGS)
            self.assertNotIsInstance(job, Failure)
            client.call("JOB.CANCEL", "IDS", 1, job)
            answered += client.raw[begin:]
        # A request that is no request, with a secret in it.
        with Client(server.port) as broken:
            broken.socket.sendall(f"*2\r\n$4\r\nAUTH\r\n$-7{PASSWORD}\r\n".encode())
            answered += self.rest_of(broken)
        with Client(server.port) as broken:
            broken.socket.sendall(f"POST /{PASSWORD} HTTP/1.1\r\nAuthorization: Bearer {token}\r\n\r\n"
                                  .encode())
            answered += self.rest_of(broken)
        secrets = (secret, PASSWORD, ARGS, RESULT, VALUE)
        where = {**self.places(server), "replies": answered}
        self.assert_silent(where, secrets)
        self.assert_silent({key: where[key] for key in ("log", "audit.log")}, (NAME,))
        # That the search finds what is there.
        self.assertIn(b"JOB.CANCEL", where["audit.log"])
        self.assertIn(b"WRONGPASS", where["replies"])
        self.assertIn(b"serve", where["ps"])

    @staticmethod
    def rest_of(client):
        found = b""
        try:
            while piece := client.socket.recv(65536):
                found += piece
        except ConnectionError:
            pass
        return found

    def test_files_that_cannot_be_understood_are_not_quoted(self):
        with Server() as server:
            server.stop()
            path = server.data / "tokens.toml"
            path.touch(mode=0o600)
            for text in (f"{PASSWORD} = = 1\n", f"[[token]]\nid = \"a\"\nsecrets = [\"{PASSWORD}\"]\n"):
                path.write_text(text, encoding="ascii")
                code, out, errors = dray("serve", "--data", server.data, "--allow-volatile", "--resp",
                                         "127.0.0.1:0", "--http", "127.0.0.1:0", check=False)
                self.assertEqual(code, 2)
                self.assertIn("tokens.toml", errors)
                self.assertNotIn(PASSWORD, out + errors)
            path.unlink()
            token = server.folder / "token"
            token.touch(mode=0o644)
            token.write_text(PASSWORD * 2, encoding="ascii")
            errors = dray("serve", "--data", server.data, "--token-file", token, check=False)[2]
            self.assertNotIn(PASSWORD, errors)

    def test_a_private_key_is_not_quoted(self):
        certificates = Certificates()
        self.addCleanup(certificates.remove)
        certificate, key = certificates.issue("server")
        text = key.read_text(encoding="ascii")
        key.write_text(text.replace("BEGIN", "BROKEN"), encoding="ascii")
        errors = dray("serve", "--data", certificates.path("data"), "--tls-cert", certificate,
                      "--tls-key", key, check=False)[2]
        for line in text.splitlines()[1:-1]:
            self.assertNotIn(line, errors)

    def test_the_client_keeps_the_token_of_its_url_to_itself(self):
        with Server() as server:
            token = server.token("read:nothing")
            server.wait_for(token)
            for url in (f"dray://:{token}@127.0.0.1:{server.port}",
                        f"dray://:{token}x@127.0.0.1:{server.port}",
                        f"dray://:{token}@127.0.0.1:1"):
                done = subprocess.run([binary(), "push", "q", "t", "{}"], capture_output=True,
                                      env={**os.environ, "DRAY_URL": url}, timeout=DEADLINE_S,
                                      text=True, check=False)
                self.assertNotEqual(done.returncode, 0)
                self.assertNotIn(token.split(".")[1], done.stdout + done.stderr)


if __name__ == "__main__":
    unittest.main()
