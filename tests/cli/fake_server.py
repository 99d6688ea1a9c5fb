"""A server that answers as a test tells it to, for commands that need answers the real one cannot
be brought to give at will. Speaks RESP 3 on a loopback port."""

import socket
import threading


class Error(Exception):
    """An error reply: its text is the code's word and the message."""


def encode(value):
    """Returns a reply as it is on the wire."""
    if isinstance(value, Error):
        return b"-%s\r\n" % str(value).encode()
    if value is None:
        return b"_\r\n"
    if isinstance(value, int):
        return b":%d\r\n" % value
    if isinstance(value, str):
        data = value.encode()
        return b"$%d\r\n%s\r\n" % (len(data), data)
    if isinstance(value, dict):
        parts = [encode(part) for pair in value.items() for part in pair]
        return b"%%%d\r\n" % len(value) + b"".join(parts)
    return b"*%d\r\n" % len(value) + b"".join(encode(part) for part in value)


class FakeServer:
    """`script` maps a command's word to its reply, or to a function from all words to a reply."""

    def __init__(self, script):
        self.script = {"HELLO": {"server": "dray", "version": "9.9.9", "proto": 3},
                       "CLIENT": "OK", **script}
        self.heard = []
        self.listener = socket.create_server(("127.0.0.1", 0))
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.listener.close()

    @property
    def url(self):
        return f"dray://127.0.0.1:{self.listener.getsockname()[1]}"

    def heard_of(self, command):
        """Returns all requests for `command`, joined by spaces."""
        return [" ".join(words) for words in self.heard if words[0] == command]

    def _accept(self):
        while True:
            try:
                peer, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(peer,), daemon=True).start()

    def _serve(self, peer):
        stream = peer.makefile("rb")
        while line := stream.readline():
            words = []
            for _ in range(int(line[1:])):
                size = int(stream.readline()[1:])
                words.append(stream.read(size + 2)[:-2].decode())
            self.heard.append(words)
            peer.sendall(encode(self._answer(words)))

    def _answer(self, words):
        reply = self.script.get(words[0])
        if reply is None:
            return Error(f"NOTYET {words[0]} is known but not built yet")
        return reply(words) if callable(reply) else reply
