"""What every client of the rig shares: connections that come back, and the record of each call."""

import asyncio
import random

from resp import Connection, ErrorReply

# Longer than any answer may take while the server is up; the checker calls it a failure.
ANSWER_SECONDS_MAX = 30.0
RECONNECT_SECONDS = 0.02
# Codes that leave open whether the command was applied.
OPEN_CODES = {"UNKNOWN"}
# Of a REQSEQ below the window: the first try may have counted, and there is no use in a further one.
SAYS_NOT_KNOWN = "whether it was pushed is not known any more"


class Endpoint:
    """Where the server is, and whether it is said to be up. One per driver process."""

    def __init__(self, host, port):
        self.host = host
        self.port = port
        self.up = asyncio.Event()
        self.draining = False
        self.calls_done = 0  # Told to the rig, which waits for progress.


class Outcome:
    """How one call ended: phase ok, rejected or unknown."""

    def __init__(self, phase, reply=None):
        self.phase = phase
        self.reply = reply

    @property
    def ok(self):
        return self.phase == "ok"

    @property
    def unknown(self):
        return self.phase == "unknown"

    @property
    def code(self):
        return self.reply.code if self.phase == "rejected" else None


class Link:
    """A connection that is made again when it was lost."""

    def __init__(self, endpoint, version):
        self._endpoint = endpoint
        self._version = version
        self._connection = None
        self._making = asyncio.Lock()

    async def ready(self):
        """Waits until there is a connection."""
        async with self._making:
            while self._connection is None:
                await self._endpoint.up.wait()
                try:
                    # Not wait_for: where both meet, it swallows the cancellation (cpython #86296).
                    async with asyncio.timeout(5):
                        self._connection = await Connection.open(
                            self._endpoint.host, self._endpoint.port, self._version)
                except (OSError, asyncio.TimeoutError):
                    await asyncio.sleep(RECONNECT_SECONDS)
            return self._connection

    def drop(self, connection=None):
        """Drops the connection, if it is still that one."""
        if self._connection is not None and connection in (None, self._connection):
            self._connection.abort()
            self._connection = None


class Client:
    """A named client with its own history file and its own source of chance."""

    def __init__(self, name, endpoint, history, seed, version=2):
        self.name = name
        self.endpoint = endpoint
        self.history = history
        self.chance = random.Random(f"{seed}/{name}")
        self.link = Link(endpoint, version)

    async def call(self, op, words, fields, shape=None, link=None):
        """Sends one command and writes what came of it.

        `shape` makes of an answer the fields that are written with it.
        """
        return await self._ask(op, [words], fields, shape, link)

    async def exec(self, requests, fields, shape):
        """Sends MULTI, all requests and EXEC at once; the outcome is that of EXEC."""
        return await self._ask("exec", [["MULTI"], *requests, ["EXEC"]], fields, shape, None)

    async def _ask(self, op, requests, fields, shape, link):
        link = link or self.link
        connection = await link.ready()
        number = self.history.invoke(op, fields)
        try:
            async with asyncio.timeout(ANSWER_SECONDS_MAX):
                reply = (await connection.ask_all(requests))[-1]
        except asyncio.TimeoutError:
            return self._lost(link, connection, number, op, "no answer")
        except OSError as error:
            return self._lost(link, connection, number, op, type(error).__name__)
        self.endpoint.calls_done += 1
        if isinstance(reply, ErrorReply):
            phase = "unknown" if reply.code in OPEN_CODES else "rejected"
            known = "unknown" if SAYS_NOT_KNOWN in reply.text else phase
            self.history.end(number, op, known, {"code": reply.code, "text": reply.text})
            return Outcome(phase, reply)
        self.history.end(number, op, "ok", shape(reply) if shape else {})
        return Outcome("ok", reply)

    def _lost(self, link, connection, number, op, why):
        link.drop(connection)
        self.history.end(number, op, "unknown", {"why": why})
        return Outcome("unknown")

    async def pause(self, seconds_mean):
        """Waits a random time, so that clients do not move in step."""
        await asyncio.sleep(self.chance.expovariate(1.0 / seconds_mean))


def answers_of(reply):
    """Shapes an array of OK and errors, one per item."""
    return {"answers": ["OK" if not isinstance(item, ErrorReply) else item.code for item in reply]}
