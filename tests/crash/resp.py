"""The crash rig's own RESP client: shares nothing with the server or an SDK, on purpose.

Bytes become text by latin-1, so that every byte of args and results is kept and can be written
into the history.
"""

import asyncio
from collections import deque

READ_BYTES_MAX = 64 * 1024 * 1024


class ErrorReply:
    """An error answer. `code` is its first word, `text` all of it."""

    def __init__(self, text):
        self.text = text
        self.code = text.split(" ", 1)[0]

    def __repr__(self):
        return f"ErrorReply({self.text!r})"


def encode(words):
    """Returns a request as bytes. Words are text (latin-1), bytes or numbers."""
    parts = [b"*%d\r\n" % len(words)]
    for word in words:
        data = word if isinstance(word, bytes) else str(word).encode("latin-1")
        parts.append(b"$%d\r\n%s\r\n" % (len(data), data))
    return b"".join(parts)


def as_map(value):
    """Returns a map answer as a dict, whichever version of RESP it came in."""
    if isinstance(value, dict):
        return value
    return dict(zip(value[::2], value[1::2]))


async def read_reply(reader):
    """Reads one value. Raises ConnectionError when the stream ends."""
    line = await reader.readline()
    if not line.endswith(b"\r\n"):
        raise ConnectionResetError("the stream ended")
    kind, rest = line[:1], line[1:-2].decode("latin-1")
    if kind == b"+":
        return rest
    if kind == b"-":
        return ErrorReply(rest)
    if kind == b":":
        return int(rest)
    if kind in (b"$", b"="):
        return await _read_bulk(reader, int(rest))
    if kind in (b"*", b"~", b">"):
        return None if rest == "-1" else [await read_reply(reader) for _ in range(int(rest))]
    if kind == b"%":
        pairs = [(await read_reply(reader), await read_reply(reader)) for _ in range(int(rest))]
        return dict(pairs)
    if kind == b"_":
        return None
    if kind == b"#":
        return rest == "t"
    if kind == b",":
        return float(rest)
    raise ConnectionError(f"not RESP: {line[:40]!r}")


async def _read_bulk(reader, length):
    if length < 0:
        return None
    try:
        data = await reader.readexactly(length + 2)
    except asyncio.IncompleteReadError as error:
        raise ConnectionResetError("the stream ended") from error
    return data[:-2].decode("latin-1")


class Connection:
    """One connection. Many calls may be under way; they are answered in the order of sending."""

    def __init__(self, reader, writer):
        self._reader = reader
        self._writer = writer
        self._waiting = deque()
        self._reading = asyncio.create_task(self._read_replies())

    @classmethod
    async def open(cls, host, port, version):
        """Connects and chooses RESP 2 or 3. Raises OSError."""
        reader, writer = await asyncio.open_connection(host, port, limit=READ_BYTES_MAX)
        connection = cls(reader, writer)
        if version == 3:
            await connection.ask(["HELLO", "3"])
        return connection

    async def ask(self, words):
        return (await self.ask_all([words]))[0]

    async def ask_all(self, requests):
        """Sends all requests at once; returns their answers. Raises OSError when the stream ends."""
        if self._reading.done():
            raise ConnectionResetError("the stream has ended")
        answers = [asyncio.get_running_loop().create_future() for _ in requests]
        self._waiting.extend(answers)
        self._writer.write(b"".join(encode(words) for words in requests))
        return await asyncio.gather(*answers)

    async def _read_replies(self):
        error = ConnectionResetError("dropped")
        try:
            while True:
                reply = await read_reply(self._reader)
                answer = self._waiting.popleft()
                if not answer.done():  # Else its caller has given up.
                    answer.set_result(reply)
        except (OSError, ValueError, IndexError) as broken:
            error = broken if isinstance(broken, OSError) else ConnectionError(str(broken))
        finally:
            self._writer.transport.abort()
            for answer in self._waiting:
                if not answer.done():
                    answer.set_exception(error)
                    answer.exception()  # Looked at: its caller may be gone.

    def abort(self):
        """Drops the connection as a dying process does."""
        self._writer.transport.abort()
        self._reading.cancel()
