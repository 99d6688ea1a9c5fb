"""What the tests of this folder share: a server with tokens or TLS, and a client that shows every
byte of a reply. Standard library only."""

import json
import os
import re
import select
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path

# What has to happen happens within this, however slow the machine is.
DEADLINE_S = 60
HOST = "127.0.0.1"
ROOT = Path(__file__).resolve().parent.parent.parent
READ_ANEW = "reading tokens and certificates anew"
READY = re.compile(r"ready resp=(\S+):(\d+) http=(\S+):(\d+)")


def binary():
    path = os.environ.get("DRAY_BINARY", ROOT / "build/release/dray")
    if not os.access(path, os.X_OK):
        raise SystemExit(f"auth: there is no server at {path}: ./x build")
    return str(Path(path).resolve())


def dray(*words, check=True):
    """Runs a command of dray to its end; returns (exit code, stdout, stderr)."""
    done = subprocess.run([binary(), *map(str, words)], capture_output=True, text=True,
                          stdin=subprocess.DEVNULL, timeout=DEADLINE_S, check=False)
    if check and done.returncode != 0:
        raise AssertionError(f"dray {words}: {done.returncode} {done.stderr}")
    return done.returncode, done.stdout, done.stderr


def until(condition, what):
    """Waits until the condition holds, without a guess of how long that takes."""
    deadline = time.monotonic() + DEADLINE_S
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"did not happen: {what}")
        select.select([], [], [], 0.01)


class Failure:
    """An error reply: its first word, and the whole."""

    def __init__(self, text):
        self.text = text
        self.code = text.split(" ", 1)[0]

    def __repr__(self):
        return f"-{self.text}"


def encode(words):
    parts = [b"*%d\r\n" % len(words)]
    for word in words:
        data = word if isinstance(word, bytes) else str(word).encode()
        parts.append(b"$%d\r\n%s\r\n" % (len(data), data))
    return b"".join(parts)


class Client:
    """One connection. `raw` is all that the server has sent on it."""

    def __init__(self, port, context=None, token=None):
        self.socket = socket.create_connection((HOST, port), DEADLINE_S)
        if context is not None:
            self.socket = context.wrap_socket(self.socket, server_hostname="localhost")
        self.raw = b""
        self.at = 0
        if token is not None:
            answer = self.call("AUTH", token)
            if answer != "OK":
                raise AssertionError(f"AUTH: {answer}")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.socket.close()

    def send(self, *words):
        self.socket.sendall(encode(words))

    def call(self, *words):
        self.send(*words)
        return self.read()

    def read(self):
        line = self._line()
        kind, rest = line[:1], line[1:].decode("latin-1")
        if kind == b"+":
            return rest
        if kind == b"-":
            return Failure(rest)
        if kind == b":":
            return int(rest)
        if kind in (b"$", b"="):
            return None if rest == "-1" else self._take(int(rest) + 2)[:-2].decode("latin-1")
        if kind in (b"*", b">"):
            return None if rest == "-1" else [self.read() for _ in range(int(rest))]
        if kind == b"%":
            return {self.read(): self.read() for _ in range(int(rest))}
        if kind == b"_":
            return None
        raise AssertionError(f"not RESP: {line!r}")

    def is_closed(self):
        """Whether the server has closed the connection, with nothing more to say."""
        try:
            return self.at == len(self.raw) and self.socket.recv(1) == b""
        except ConnectionError:
            return True

    def _more(self):
        piece = self.socket.recv(65536)
        if not piece:
            raise ConnectionError("the server closed the connection")
        self.raw += piece

    def _line(self):
        while b"\r\n" not in self.raw[self.at:]:
            self._more()
        end = self.raw.index(b"\r\n", self.at)
        line, self.at = self.raw[self.at:end], end + 2
        return line

    def _take(self, size):
        while len(self.raw) - self.at < size:
            self._more()
        data, self.at = self.raw[self.at:self.at + size], self.at + size
        return data


def as_map(reply):
    return dict(zip(reply[::2], reply[1::2])) if isinstance(reply, list) else reply


class Server:
    """Owns one process and its folder. Use as a context manager."""

    def __init__(self, *options):
        self.folder = Path(tempfile.mkdtemp(prefix="dray-auth-"))
        self.data = self.folder / "data"
        self.options = options
        self.process = None
        self.port = self.http_port = 0

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.stop()
        shutil.rmtree(self.folder)

    def command(self):
        return [binary(), "serve", "--data", str(self.data), "--allow-volatile", "--resp",
                f"{HOST}:{self.port}", "--http", f"{HOST}:{self.http_port}",
                *map(str, self.options)]

    def start(self):
        with open(self.folder / "log", "ab") as log:
            self.process = subprocess.Popen(self.command(), stdin=subprocess.DEVNULL, stderr=log,
                                            stdout=subprocess.PIPE)
        found = READY.match(self.process.stdout.readline().decode())
        if not found:
            self.stop()
            raise AssertionError(f"the server did not start:\n{self.log()}")
        self.port, self.http_port = int(found[2]), int(found[4])

    def log(self):
        return (self.folder / "log").read_text(encoding="utf-8", errors="replace")

    def audit(self):
        """The lines of the audit log, as they are now."""
        path = self.data / "audit.log"
        text = path.read_text(encoding="utf-8") if path.exists() else ""
        return [json.loads(line) for line in text.splitlines()]

    def send(self, number):
        self.process.send_signal(number)

    def stop(self, number=signal.SIGTERM):
        if self.process is None:
            return None
        self.process.send_signal(number)
        try:
            code = self.process.wait(DEADLINE_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise AssertionError(f"the server did not end:\n{self.log()}") from None
        self.process.stdout.close()
        self.process = None
        return code

    def token(self, *scopes, name="test", options=()):
        """Makes a token of this server; returns it."""
        words = [word for scope in scopes for word in ("--scope", scope)]
        return dray("token", "create", "--data", self.data, "--name", name, *words,
                    *options)[1].strip()

    def client(self, token=None):
        return Client(self.port, token=token)

    def wait_for_tokens(self):
        """Waits until the server asks everybody for a token."""
        def asks():
            try:
                with self.client() as client:
                    return getattr(client.call("PING"), "code", "") == "NOAUTH"
            except ConnectionError:
                return False
        until(asks, "the server asks for a token")

    def wait_for_new(self, token):
        """Waits until the server knows the token, whatever it logs."""
        added = {"msg": "token added", "token": token.partition(".")[0]}
        until(lambda: any(added.items() <= line.items() for line in self.audit()),
              "the server reads the new token")

    def wait_for(self, token):
        """Has the server read of the token now. It is not asked whether it has: failed logins are
        counted."""
        said = self.log().count(READ_ANEW)
        self.send(signal.SIGHUP)
        until(lambda: self.log().count(READ_ANEW) > said, "the server reads its tokens")
        self.client(token).close()
