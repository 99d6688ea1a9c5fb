"""What hostile and slow clients do. Each attack is a context manager: while it is open, it goes on."""

import select
import socket
import struct
import threading
import time

from scene import MEBIBYTE
from wire import connect, is_ended, ready, request, send_what_is_taken


class SlowLoris:
    """Connections that begin a request and never end it; each sends a byte now and then."""

    def __init__(self, target, count):
        self.target = target
        self.count = count
        self.peers = []
        self.over = threading.Event()
        self.thread = threading.Thread(target=self._drip, daemon=True)

    def __enter__(self):
        for _ in range(self.count):
            peer = connect(self.target.port)
            peer.sendall(b"*4\r\n$8\r\nJOB.PUSH\r\n$1\r\nq\r\n$1\r\nt\r\n$1000\r\n{")
            self.peers.append(peer)
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        self.thread.join()
        for peer in self.peers:
            peer.close()

    def _drip(self):
        while not self.over.wait(2):
            for peer in self.peers:
                try:
                    peer.send(b" ")
                except OSError:
                    continue

    def open_count(self):
        return sum(not is_ended(peer) for peer in self.peers)


class NeverReading:
    """Connections that ask for large values, on and on, and read none of them."""

    def __init__(self, target, count):
        self.target = target
        self.count = count
        self.peers = []

    def __enter__(self):
        for _ in range(self.count):
            peer = connect(self.target.port, receive_buffer=4096)
            send_what_is_taken(peer, request("GET", "large") * 5_000, 0.02)
            self.peers.append(peer)
        return self

    def __exit__(self, *_):
        for peer in self.peers:
            peer.close()


class Storm:
    """Connects and closes, as often as 2,000 times a second; every other one with a reset."""

    PER_SECOND = 2_000

    def __init__(self, target):
        self.target = target
        self.made = 0
        self.failed = 0
        self.over = threading.Event()
        self.thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        self.thread.join()

    def _run(self):
        began = time.monotonic()
        while not self.over.wait(0.01):
            due = int((time.monotonic() - began) * self.PER_SECOND)
            while self.made < due and not self.over.is_set():
                self._connect_and_close()

    def _connect_and_close(self):
        self.made += 1
        try:
            peer = socket.create_connection(("127.0.0.1", self.target.port), 5)
        except OSError:
            self.failed += 1
            return
        # Without the wait that would use up this machine's ports.
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        peer.close()


class LargeRequests:
    """Connections that send requests of megabytes and stop before the end."""

    def __init__(self, target, count):
        self.target = target
        self.count = count
        self.peers = []
        self.sent = 0

    def __enter__(self):
        head = b"*4\r\n$8\r\nJOB.PUSH\r\n$1\r\nq\r\n$1\r\nt\r\n$%d\r\n" % (16 * MEBIBYTE)
        for _ in range(self.count):
            peer = connect(self.target.port)
            self.sent += send_what_is_taken(peer, head + b"x" * (8 * MEBIBYTE), 0.05)
            self.peers.append(peer)
        return self

    def __exit__(self, *_):
        for peer in self.peers:
            peer.close()


class Garbage:
    """Connections that speak anything but RESP, one after the other."""

    def __init__(self, target):
        self.target = target
        self.made = 0
        self.over = threading.Event()
        self.thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        self.thread.join()

    def _run(self):
        pieces = [bytes(range(256)), b"\x16\x03\x01\x02\x00\x01", b"*1\r\n$99999999999\r\n",
                  b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", b"*-7\r\n$x", b"\x00" * 70_000]
        while not self.over.wait(0.005):
            try:
                with socket.create_connection(("127.0.0.1", self.target.port), 5) as peer:
                    peer.sendall(pieces[self.made % len(pieces)])
                    ready(peer, select.POLLIN, 0.05)
            except OSError:
                pass
            self.made += 1


class Pipelines:
    """Connections that send 100,000 commands at once and read the answers when all are sent, or never."""

    COMMANDS = 100_000

    def __init__(self, target, count):
        self.target = target
        self.count = count
        self.answers = []
        self.threads = []
        self.silent = []

    def __enter__(self):
        for at in range(self.count):
            self.answers.append(0)
            thread = threading.Thread(target=self._run, args=(at,), daemon=True)
            self.threads.append(thread)
            thread.start()
        for _ in range(self.count):
            peer = connect(self.target.port, receive_buffer=4096)
            send_what_is_taken(peer, b"PING\r\n" * self.COMMANDS, 0.05)
            self.silent.append(peer)
        return self

    def __exit__(self, *_):
        for thread in self.threads:
            thread.join()
        for peer in self.silent:
            peer.close()

    def _run(self, at):
        commands = b"PING\r\n" * self.COMMANDS
        wanted = len(b"+PONG\r\n") * self.COMMANDS
        with connect(self.target.port) as peer:
            peer.setblocking(False)
            sent, received = 0, 0
            while received < wanted:
                writes = select.POLLOUT if sent < len(commands) else 0
                events = ready(peer, select.POLLIN | writes, 20)
                if not events:
                    return
                if events & select.POLLIN:
                    piece = peer.recv(1 << 16)
                    if not piece:
                        return
                    received += len(piece)
                if events & select.POLLOUT:
                    sent += peer.send(commands[sent:sent + (1 << 16)])
            self.answers[at] = received // len(b"+PONG\r\n")
