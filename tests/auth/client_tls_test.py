"""The command line as a client of a server with TLS: where certificates are named, and what is said
when one is wrong."""

import os
import subprocess
import unittest

from certificates import Certificates
from rig import DEADLINE_S, HOST, Server, binary, until


class ClientTls(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.certificates = Certificates()
        cls.pair = cls.certificates.issue("server")
        cls.server = Server("--tls-cert", cls.pair[0], "--tls-key", cls.pair[1])
        cls.server.start()
        cls.ca = cls.certificates.ca

    @classmethod
    def tearDownClass(cls):
        cls.server.__exit__()
        cls.certificates.remove()

    def serve(self, *options):
        server = Server(*options)
        server.start()
        self.addCleanup(server.__exit__)
        return server

    def url(self, server=None, scheme="drays", host=HOST):
        return f"{scheme}://{host}:{(server or self.server).port}"

    def environment(self, **more):
        own = {name: text for name, text in os.environ.items() if not name.startswith("DRAY_")}
        own["XDG_CONFIG_HOME"] = str(self.certificates.folder)
        return {**own, **more}

    def dray(self, *words, **environment):
        return subprocess.run([binary(), *map(str, words)], capture_output=True, text=True,
                              stdin=subprocess.DEVNULL, timeout=DEADLINE_S, check=False,
                              env=self.environment(**environment))

    def succeeds(self, *words, **environment):
        done = self.dray(*words, **environment)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        return done.stdout

    def refused(self, code, *words, **environment):
        """Fails with this exit code; returns what it says, as one line."""
        done = self.dray(*words, **environment)
        self.assertEqual(done.returncode, code, done.stderr)
        return " ".join(done.stderr.split())

    def profile(self, text):
        folder = self.certificates.path("dray")
        folder.mkdir(exist_ok=True)
        (folder / "config.toml").write_text(text, encoding="utf-8")

    def test_the_authority_is_named_by_flag_or_environment_or_profile(self):
        push = ("push", "q", "t")
        self.succeeds(*push, "--url", self.url(), "--tls-ca", self.ca)
        self.succeeds(*push, DRAY_URL=self.url(host="localhost"), DRAY_TLS_CA=str(self.ca))
        self.profile(f'[profiles.a]\nurl = "{self.url()}"\ntls_ca = "{self.ca}"\n')
        self.succeeds(*push, "--profile", "a")
        self.succeeds(*push, "--profile", "a", DRAY_TLS_CA="/none")
        self.assertIn("/none cannot be read: No such file",
                      self.refused(2, *push, "--profile", "a", "--tls-ca", "/none"))

    def test_commands_and_workers_speak_it(self):
        where = {"DRAY_URL": self.url(), "DRAY_TLS_CA": str(self.ca)}
        job = self.succeeds("push", "work", "t", '{"n":1}', **where).strip()
        worker = subprocess.Popen([binary(), "exec", "--queue", "work", "--", "cat"],
                                  env=self.environment(**where))
        self.addCleanup(worker.wait)
        self.addCleanup(worker.terminate)
        self.succeeds("wait", job, **where)
        self.assertIn('"result":"{\\"n\\":1}"', self.succeeds("show", job, "-o", "json", **where))
        self.assertIn("work", self.succeeds("status", **where))
        self.succeeds("bench", "--url", self.url(), "-n", "100", "--clients", "1", "--workers", "1",
                      DRAY_TLS_CA=str(self.ca))

    def test_an_unknown_authority_is_refused(self):
        said = self.refused(2, "status", "--url", self.url())
        for word in (f"{HOST}:{self.server.port}", "signed by CN=ca, which is not trusted",
                     "--tls-ca"):
            self.assertIn(word, said)

    def test_another_name_is_refused_unless_it_is_said(self):
        certificate, key = self.certificates.issue("named", names="DNS:jobs.example.com")
        server = self.serve("--tls-cert", certificate, "--tls-key", key)
        status = ("status", "--url", self.url(server), "--tls-ca", self.ca)
        self.assertIn(f"is for DNS:jobs.example.com, not for {HOST}", self.refused(2, *status))
        self.succeeds(*status, "--tls-name", "jobs.example.com")

    def test_a_server_that_signs_itself_is_its_own_authority(self):
        certificate = self.certificates.path("self.pem")
        key = self.certificates.path("self.key")
        self.certificates.sign_itself(certificate, key)
        server = self.serve("--tls-cert", certificate, "--tls-key", key)
        self.assertIn("signed by itself", self.refused(2, "status", "--url", self.url(server)))
        self.succeeds("status", "--url", self.url(server), "--tls-ca", certificate)

    def test_who_speaks_the_other_way_is_told_so(self):
        self.assertIn("this port speaks TLS only",
                      self.refused(1, "status", "--url", self.url(scheme="dray")))
        plain = self.serve()
        self.assertIn("does not speak TLS", self.refused(2, "status", "--url", self.url(plain)))
        # Who names a certificate does not want the token to go in the open.
        self.assertIn("has to begin with drays://",
                      self.refused(2, "status", "--url", self.url(plain, scheme="dray"),
                                   "--tls-ca", self.ca))

    def test_a_certificate_is_shown_to_a_server_that_asks(self):
        server = self.serve("--tls-cert", self.pair[0], "--tls-key", self.pair[1],
                            "--tls-client-ca", self.ca)
        status = ("status", "--url", self.url(server), "--tls-ca", self.ca)
        self.assertIn("--tls-cert", self.refused(2, *status))
        certificate, key = map(str, self.certificates.issue("client"))
        self.succeeds(*status, "--tls-cert", certificate, "--tls-key", key)
        self.succeeds(*status, DRAY_TLS_CERT=certificate, DRAY_TLS_KEY=key)
        self.assertIn("given together", self.refused(2, *status, "--tls-cert", certificate))

    def test_a_token_and_tls_stand_in_one_profile(self):
        server = self.serve("--tls-cert", self.pair[0], "--tls-key", self.pair[1])
        token = self.certificates.path("token")
        token.write_text(server.token("admin:*"), encoding="ascii")
        self.profile(f'default_profile = "a"\n[profiles.a]\nurl = "{self.url(server)}"\n'
                     f'tls_ca = "{self.ca}"\ntoken_file = "{token}"\n')
        until(lambda: self.dray("status", "--url", self.url(server), "--tls-ca", self.ca)
              .returncode != 0, "the server asks for the token")
        self.succeeds("status")


if __name__ == "__main__":
    unittest.main()
