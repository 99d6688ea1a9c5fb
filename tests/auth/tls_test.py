"""TLS on both doors, with clients that do not share a line with the server: Python's ssl, openssl
s_client, redis-cli and curl."""

import signal
import socket
import ssl
import subprocess
import unittest

from certificates import Certificates
from rig import DEADLINE_S, HOST, Client, Server, as_map, dray, until


class Tls(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.certificates = Certificates()
        cls.pair = cls.certificates.issue("server")

    @classmethod
    def tearDownClass(cls):
        cls.certificates.remove()

    def serve(self, *options):
        certificate, key = self.pair
        server = Server("--tls-cert", certificate, "--tls-key", key, *options)
        server.start()
        self.addCleanup(server.__exit__)
        return server

    def client(self, server, context=None):
        client = Client(server.port, context or self.certificates.context())
        self.addCleanup(client.close)
        return client

    def test_a_job_lives_over_tls(self):
        client = self.client(self.serve())
        job = client.call("JOB.PUSH", "q", "t", "a")
        lease = as_map(client.call("JOB.FETCH", "w", "QUEUES", 1, "q")[0])
        self.assertEqual(lease["id"], job)
        self.assertEqual(client.call("JOB.ACK", job, lease["token"]), "OK")

    def test_records_and_replies_may_be_cut_anywhere(self):
        client = self.client(self.serve())
        args = "x" * 1_000_000
        jobs = [client.call("JOB.PUSH", "q", "t", args) for _ in range(3)]
        # All at once and not read: replies of megabytes that do not fit the kernel's buffers.
        for job in jobs * 4:
            client.send("JOB.GET", job)
        for job in jobs * 4:
            self.assertEqual(as_map(client.read())["args"], args)
        # Byte by byte, each in a record of its own.
        for byte in b"*1\r\n$4\r\nPING\r\n":
            client.socket.sendall(bytes([byte]))
        self.assertEqual(client.read(), "PONG")
        # Many commands in one record.
        client.socket.sendall(b"*1\r\n$4\r\nPING\r\n" * 1_000)
        self.assertEqual({client.read() for _ in range(1_000)}, {"PONG"})

    def test_half_a_record_waits_for_the_other_half(self):
        server = self.serve()
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        tls = self.certificates.context().wrap_bio(incoming, outgoing, server_hostname="localhost")
        with socket.create_connection((HOST, server.port), DEADLINE_S) as raw:
            def through(step):
                while True:
                    try:
                        return step()
                    except ssl.SSLWantReadError:
                        raw.sendall(outgoing.read())
                        incoming.write(raw.recv(65536))
            through(tls.do_handshake)
            tls.write(b"*1\r\n$4\r\nPING\r\n")
            record = outgoing.read()
            raw.sendall(record[:-10])
            self.assertEqual(self.client(server).call("PING"), "PONG")
            raw.sendall(record[-10:])
            self.assertEqual(through(lambda: tls.read(100)), b"+PONG\r\n")

    def test_a_waiting_fetch_gets_its_job(self):
        server = self.serve()
        waiting, pusher = self.client(server), self.client(server)
        waiting.send("JOB.FETCH", "w", "BLOCK", 50_000, "QUEUES", 1, "q")
        job = pusher.call("JOB.PUSH", "q", "t", "a")
        self.assertEqual(as_map(waiting.read()[0])["id"], job)

    def test_the_lease_of_a_client_that_left_is_taken_back(self):
        server = self.serve()
        waiting, pusher = Client(server.port, self.certificates.context()), self.client(server)
        waiting.send("JOB.FETCH", "w", "BLOCK", 50_000, "QUEUES", 1, "q")
        until(lambda: "ed_clients:1\r" in pusher.call("INFO"), "a waiting fetch")
        waiting.close()
        until(lambda: "ed_clients:0\r" in pusher.call("INFO"), "its end")
        job = pusher.call("JOB.PUSH", "q", "t", "a")
        lease = as_map(pusher.call("JOB.FETCH", "w", "QUEUES", 1, "q")[0])
        self.assertEqual((lease["id"], lease["attempt"]), (job, 1))

    def test_what_is_older_than_1_2_is_refused(self):
        server = self.serve()
        for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            context = self.certificates.context()
            context.minimum_version = context.maximum_version = version
            self.assertEqual(self.client(server, context).call("PING"), "PONG")
        for flag in ("-tls1", "-tls1_1"):
            done = self.s_client(server.port, flag, "-cipher", "ALL:@SECLEVEL=0")
            self.assertNotEqual(done.returncode, 0, flag)
        done = self.s_client(server.port, "-tls1_2", "-cipher", "AES128-SHA")
        self.assertNotEqual(done.returncode, 0)

    def s_client(self, port, *words, stdin=b""):
        return subprocess.run(["openssl", "s_client", "-connect", f"{HOST}:{port}", "-CAfile",
                               str(self.certificates.ca), "-verify_return_error", "-quiet", *words],
                              input=stdin, capture_output=True, timeout=DEADLINE_S, check=False)

    def test_openssl_and_redis_cli_and_curl_speak_with_it(self):
        server = self.serve()
        done = self.s_client(server.port, stdin=b"PING\r\nQUIT\r\n")
        self.assertIn(b"+PONG\r\n+OK\r\n", done.stdout)
        done = subprocess.run(["redis-cli", "-h", "localhost", "-p", str(server.port), "--tls",
                               "--cacert", str(self.certificates.ca), "JOB.PUSH", "q", "t", "a"],
                              capture_output=True, text=True, timeout=DEADLINE_S, check=True)
        self.assertRegex(done.stdout, r"^[0-9A-Z]{13}\n$")
        for path, text in (("livez", "ok\n"), ("readyz", "ready\n")):
            done = subprocess.run(["curl", "--silent", "--show-error", "--cacert",
                                   str(self.certificates.ca),
                                   f"https://localhost:{server.http_port}/{path}"],
                                  capture_output=True, text=True, timeout=DEADLINE_S, check=True)
            self.assertEqual(done.stdout, text)

    def test_who_speaks_plainly_is_told_so_and_let_go(self):
        server = self.serve()
        with Client(server.port) as client:
            client.send("PING")
            self.assertIn("this port speaks TLS only", client.read().text)
            self.assertTrue(client.is_closed())
        done = subprocess.run(["curl", "--silent", "--show-error", "--fail-with-body",
                               f"http://{HOST}:{server.http_port}/livez"],
                              capture_output=True, text=True, timeout=DEADLINE_S, check=False)
        self.assertEqual(done.stdout, "this port speaks TLS only: use an https URL\n", done.stderr)
        self.assertEqual(self.client(server).call("PING"), "PONG")

    def test_who_says_nothing_is_let_go(self):
        server = self.serve()
        for port in (server.port, server.http_port):
            with socket.create_connection((HOST, port), DEADLINE_S) as silent:
                try:
                    self.assertEqual(silent.recv(1), b"")
                except ConnectionError:
                    pass

    def test_clients_without_a_certificate_are_refused_where_one_is_asked_for(self):
        server = self.serve("--tls-client-ca", self.certificates.ca)
        known = self.certificates.context(self.certificates.issue("client"))
        self.assertEqual(self.client(server, known).call("PING"), "PONG")
        with self.assertRaises((ssl.SSLError, ConnectionError)):
            self.client(server).call("PING")
        unknown = self.certificates.context(self.certificates.stranger())
        with self.assertRaises((ssl.SSLError, ConnectionError)):
            self.client(server, unknown).call("PING")
        curl = ["curl", "--silent", "--cacert", str(self.certificates.ca),
                f"https://localhost:{server.http_port}/livez"]
        self.assertNotEqual(subprocess.run(curl, capture_output=True, check=False).returncode, 0)

    def test_sighup_takes_a_new_certificate_and_drops_nobody(self):
        certificate, key = self.certificates.issue("first")
        server = Server("--tls-cert", certificate, "--tls-key", key)
        server.start()
        self.addCleanup(server.__exit__)
        before = self.client(server)
        old = before.socket.getpeercert()["serialNumber"]
        self.certificates.issue("first")
        server.send(signal.SIGHUP)

        def is_new():
            with Client(server.port, self.certificates.context()) as client:
                return client.socket.getpeercert()["serialNumber"] != old
        until(is_new, "the new certificate")
        self.assertEqual(before.call("PING"), "PONG")
        # One that is wrong leaves the one of before.
        certificate.write_text("nothing", encoding="ascii")
        server.send(signal.SIGHUP)
        until(lambda: "those of before go on" in server.log(), "the complaint")
        self.assertTrue(is_new())

    def test_what_is_wrong_is_said_at_the_start(self):
        certificate, key = self.certificates.issue("wrong")
        stranger = self.certificates.issue("stranger")[1]
        data = self.certificates.path("data")

        def refused(*options):
            code, _, errors = dray("serve", "--data", data, "--allow-volatile", *options, check=False)
            self.assertEqual(code, 2, errors)
            return errors
        self.assertIn("--tls-key", refused("--tls-cert", certificate))
        self.assertIn("need --tls-cert", refused("--tls-key", key))
        self.assertIn("not the key of the certificate",
                      refused("--tls-cert", certificate, "--tls-key", stranger))
        self.assertIn("cannot be read", refused("--tls-cert", certificate, "--tls-key", "/none"))
        self.assertIn("/none cannot be used", refused("--tls-cert", "/none", "--tls-key", key))
        key.chmod(0o640)
        self.assertIn("chmod 600", refused("--tls-cert", certificate, "--tls-key", key))

    def test_where_strangers_reach_tokens_and_tls_are_needed(self):
        certificate, key = self.pair
        data = self.certificates.path("exposed")
        token = self.certificates.path("token")
        token.touch(mode=0o600)
        token.write_text("the-one-token-of-all-0123456789\n", encoding="ascii")
        tls = ("--tls-cert", certificate, "--tls-key", key)
        for options in ((), tls, ("--token-file", token)):
            for door in ("--resp", "--http"):
                code, _, errors = dray("serve", "--data", data, "--allow-volatile", door, "0.0.0.0:0",
                                       *options, check=False)
                self.assertEqual(code, 2)
                for word in ("0.0.0.0:0", "dray token create", "--tls-cert", "--insecure-i-know"):
                    self.assertIn(word, errors)
        for options in ((*tls, "--token-file", token), ("--insecure-i-know",)):
            with Server(*options) as server:
                server.stop()
                command = server.command()
                command[command.index("--resp") + 1] = "0.0.0.0:0"
                server.command = lambda command=command: command
                server.start()
                self.assertEqual(server.stop(), 0)


if __name__ == "__main__":
    unittest.main()
