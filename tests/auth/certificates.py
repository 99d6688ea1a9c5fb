"""Certificates, made by openssl when a test needs them: an authority, servers and clients of it, and
one that nobody knows."""

import shutil
import ssl
import subprocess
import tempfile
from pathlib import Path

NAMES = "DNS:localhost,IP:127.0.0.1"


def openssl(*words):
    subprocess.run(["openssl", *map(str, words)], check=True, capture_output=True)


class Certificates:
    def __init__(self):
        self.folder = Path(tempfile.mkdtemp(prefix="dray-tls-"))
        self.ca = self._authority("ca")

    def remove(self):
        shutil.rmtree(self.folder)

    def path(self, name):
        return self.folder / name

    def _authority(self, name):
        openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                "-days", "1", "-subj", f"/CN={name}", "-addext", "basicConstraints=critical,CA:TRUE",
                "-keyout", self.path(f"{name}.key"), "-out", self.path(f"{name}.pem"))
        return self.path(f"{name}.pem")

    def stranger(self):
        """Returns a certificate, and its key, of an authority that nobody knows."""
        self._authority("nobody")
        return self.issue("stranger", "nobody")

    def sign_itself(self, certificate, key):
        """Makes one that no authority has signed."""
        openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                "-days", "1", "-subj", "/CN=itself", "-addext", f"subjectAltName={NAMES}",
                "-keyout", key, "-out", certificate)
        key.chmod(0o600)

    def issue(self, name, authority="ca", names=NAMES):
        """Makes a certificate for these hosts; returns the paths of it and of its key."""
        certificate, key = self.path(f"{name}.pem"), self.path(f"{name}.key")
        request, more = self.path(f"{name}.csr"), self.path(f"{name}.ext")
        openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-subj",
                f"/CN={name}", "-keyout", key, "-out", request)
        more.write_text(f"subjectAltName={names}\n", encoding="ascii")
        openssl("x509", "-req", "-days", "1", "-in", request, "-CA", self.path(f"{authority}.pem"),
                "-CAkey", self.path(f"{authority}.key"), "-CAcreateserial", "-extfile", more,
                "-out", certificate)
        key.chmod(0o600)
        return certificate, key

    def context(self, client=None):
        """What a client trusts, and what it shows of itself."""
        context = ssl.create_default_context(cafile=self.ca)
        if client is not None:
            context.load_cert_chain(*client)
        return context
