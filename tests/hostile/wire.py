"""Sockets and the least of RESP that attackers and their witness need. Knows nothing of the server."""

import select
import socket
import time

# For what has to happen soon: generous, since the machine may be busy with other things.
DEADLINE_S = 20


def request(*words):
    """Returns a command as bytes."""
    parts = [b"*%d\r\n" % len(words)]
    for word in words:
        data = word if isinstance(word, bytes) else str(word).encode("latin-1")
        parts.append(b"$%d\r\n%s\r\n" % (len(data), data))
    return b"".join(parts)


def connect(port, receive_buffer=0):
    """Returns a connected socket. `receive_buffer`: what the kernel may hold unread."""
    peer = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    if receive_buffer:
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
    peer.settimeout(DEADLINE_S)
    peer.connect(("127.0.0.1", port))
    return peer


def read_to_end(peer):
    """Returns all that comes until the peer ends the connection; None if it does not in time."""
    received = b""
    deadline = time.monotonic() + DEADLINE_S
    while time.monotonic() < deadline:
        try:
            piece = peer.recv(1 << 16)
        except socket.timeout:
            return None
        except ConnectionError:
            return received
        if not piece:
            return received
        received += piece
    return None


def ready(peer, events, patience_s):
    """Waits for any of the events of poll (select knows no more than 1,024 files)."""
    poll = select.poll()
    poll.register(peer, events)
    return dict(poll.poll(patience_s * 1e3)).get(peer.fileno(), 0)


def is_ended(peer):
    """Whether the other end has ended the connection. Takes nothing."""
    ends = select.POLLRDHUP | select.POLLHUP | select.POLLERR
    return bool(ready(peer, ends, 0) & ends)


def received_at_least(peer, count):
    """Whether so many bytes come."""
    deadline = time.monotonic() + DEADLINE_S
    while count > 0 and time.monotonic() < deadline:
        try:
            piece = peer.recv(1 << 16)
        except OSError:
            return False
        if not piece:
            return False
        count -= len(piece)
    return count <= 0


def is_closed(peer):
    """Whether the other end has ended the connection. Takes what was sent before."""
    peer.setblocking(False)
    try:
        while True:
            if not peer.recv(1 << 16):
                return True
    except BlockingIOError:
        return False
    except ConnectionError:
        return True


def send_what_is_taken(peer, data, patience_s=0.3):
    """Sends until the peer takes nothing for a while, or is gone. Returns how much was sent."""
    peer.setblocking(False)
    sent = 0
    while sent < len(data):
        if not ready(peer, select.POLLOUT, patience_s):
            break
        try:
            sent += peer.send(data[sent:sent + (1 << 20)])
        except BlockingIOError:
            continue
        except ConnectionError:
            break
    return sent


class Client:
    """An honest connection: one request, one reply."""

    def __init__(self, port):
        self.peer = connect(port)
        self.stream = self.peer.makefile("rb")

    def call(self, *words):
        self.peer.sendall(request(*words))
        return self.read()

    def read(self):
        """The next reply; an error is an Exception object, as a value."""
        line = self.stream.readline()
        if not line.endswith(b"\r\n"):
            raise ConnectionResetError("the server ended the connection")
        kind, rest = line[:1], line[1:-2]
        if kind == b"-":
            return RuntimeError(rest.decode("latin-1"))
        if kind == b":":
            return int(rest)
        if kind == b"$":
            return None if rest == b"-1" else self.stream.read(int(rest) + 2)[:-2]
        if kind == b"*":
            return None if rest == b"-1" else [self.read() for _ in range(int(rest))]
        return rest

    def close(self):
        self.stream.close()
        self.peer.close()
