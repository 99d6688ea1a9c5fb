"""A producer: pushes in every way there is, and sends again what it got no answer to."""

import asyncio
import time
from collections import deque

from client import Client, answers_of
from jobs import JobMaker
from resp import ErrorReply

SHARED_KEYS = 30
# A sequence number may be repeated inside the server's window of 1,024.
REPEATABLE = 300


class Board:
    """What the producers of one process tell its controller: ids, newest last, by behaviour."""

    def __init__(self):
        self.waiting = deque(maxlen=200)  # Delayed jobs: to be cancelled before they run.
        self.doomed = deque(maxlen=200)
        self.any = deque(maxlen=500)

    def add(self, spec, job):
        self.any.append(job)
        if spec["do"] == "doomed" and "key" not in spec:
            self.doomed.append(job)
        if spec.get("delay_ms") and spec["do"] != "sleepy":
            self.waiting.append(job)


def pushed(reply):
    """Shapes the answer of JOB.PUSH, with or without ONDUP report."""
    if isinstance(reply, list):
        return {"job": reply[0], "created": int(reply[1])}
    return {"job": reply}


class Producer(Client):
    def __init__(self, name, endpoint, history, seed, board, pace_seconds, poison_max, version):
        super().__init__(name, endpoint, history, seed, version)
        self._board = board
        self._pace_seconds = pace_seconds
        self._maker = JobMaker(name, self.chance, poison_max)
        self._repeatable = deque(maxlen=REPEATABLE)
        self._ways = [(self._plain, 12), (self._sequenced, 25), (self._requested, 12),
                      (self._keyed, 10), (self._fifo, 15), (self._at, 2), (self._batch, 8),
                      (self._sequenced_batch, 5), (self.burst, 2), (self._transaction, 6), (self._repeat, 8)]

    async def run(self):
        ways, weights = zip(*self._ways)
        while not self.endpoint.draining:
            await self.chance.choices(ways, weights)[0]()
            await self.pause(self._pace_seconds)

    async def _push(self, job, again):
        """Pushes a job. `again`: until there is an answer, since a repeat is harmless."""
        while True:
            outcome = await self.call("push", job.push_words, job.spec, pushed)
            if outcome.ok:
                self._board.add(job.spec, pushed(outcome.reply)["job"])
            if not (again and outcome.unknown):
                return outcome

    async def _plain(self):
        own_key = self.chance.random() < 0.5
        job = self._maker.make(own_key=True) if own_key else self._maker.make()
        await self._push(job, again=False)

    async def _sequenced(self):
        await self._push_repeatable(self._maker.make(seq=True))

    async def burst(self):
        """Sends many pushes without waiting between them."""
        await asyncio.gather(*self.burst_calls())

    def burst_calls(self):
        """Returns the calls of a burst. Each sends when it begins, if there is a connection."""
        jobs = [self._maker.make(seq=True) for _ in range(self.chance.randint(5, 30))]
        return [self._push_repeatable(job) for job in jobs]

    async def _requested(self):
        await self._push_repeatable(self._maker.make(request=True))

    async def _push_repeatable(self, job):
        if (await self._push(job, again=True)).ok:
            self._repeatable.append(job)

    async def _keyed(self):
        key = f"shared-{self.chance.randrange(SHARED_KEYS)}"
        ondup = self.chance.choice(("return", "report", "error"))
        await self._push(self._maker.make("ok", shared_key=key, ondup=ondup), again=True)

    async def _fifo(self):
        await self._push(self._maker.fifo(), again=False)

    async def _at(self):
        wall_ms = int(time.time() * 1000) + self.chance.randint(-200, 1500)
        await self._push(self._maker.at(wall_ms), again=False)

    async def _repeat(self):
        """Sends an old push again, over crashes too: the answer must be the old id."""
        if self._repeatable:
            await self._push(self.chance.choice(self._repeatable), again=False)

    async def _batch(self):
        jobs = [self._maker.make(plain=True, own_key=True)
                for _ in range(self.chance.randint(2, 12))]
        await self._mpush(jobs)

    async def _sequenced_batch(self):
        jobs = [self._maker.make(seq=True) for _ in range(self.chance.randint(2, 12))]
        while (await self._mpush(jobs)).unknown:
            pass

    async def _mpush(self, jobs):
        words = ["JOB.MPUSH", len(jobs)]
        for job in jobs:
            words += job.item_words
        return await self.call("mpush", words, {"items": [job.spec for job in jobs]},
                               lambda reply: {"results": [pushed(item) for item in reply]})

    async def _transaction(self):
        jobs = [self._maker.make(plain=True, own_key=True)
                for _ in range(self.chance.randint(2, 4))]
        members = [{"op": "push", **job.spec} for job in jobs]
        await self.exec([job.push_words for job in jobs], {"members": members},
                        lambda reply: {"results": [pushed(item) for item in reply]})


class Controller(Client):
    """Cancels, retries, deletes, pauses and looks."""

    def __init__(self, name, endpoint, history, seed, board, pace_seconds, queues):
        super().__init__(name, endpoint, history, seed, version=3)
        self._board = board
        self._pace_seconds = pace_seconds
        self._queues = queues

    async def run(self):
        ways = [(self._cancel, 6), (self._look_at_doomed, 5), (self._look, 5), (self._pause, 2)]
        chosen, weights = zip(*ways)
        while not self.endpoint.draining:
            await self.chance.choices(chosen, weights)[0]()
            await self.pause(self._pace_seconds)

    def _take(self, ids):
        if not ids:
            return None
        job = ids[self.chance.randrange(len(ids))]
        ids.remove(job)
        return job

    async def _verb(self, op, words, job, again):
        fields = {"jobs": [job], "force": words[-1] == "FORCE"}
        while True:
            outcome = await self.call(op, [*words, "IDS", 1, job], fields, answers_of)
            if not (again and outcome.unknown):
                return outcome

    async def _cancel(self):
        ids = self._board.waiting if self.chance.random() < 0.6 else self._board.any
        job = self._take(ids)
        if job is not None:
            words = ["JOB.CANCEL", "FORCE"] if self.chance.random() < 0.3 else ["JOB.CANCEL"]
            await self._verb("cancel", words, job, again=self.chance.random() < 0.7)

    async def _look_at_doomed(self):
        """Retries or deletes a job that is dead."""
        job = self._take(self._board.doomed)
        if job is None:
            return
        state = await self._get(job)
        if state is None:
            return
        if state != "dead":
            self._board.doomed.append(job)
        elif self.chance.random() < 0.6:
            await self._verb("retry", ["JOB.RETRY"], job, again=False)
        else:
            await self._verb("delete", ["JOB.DELETE"], job, again=True)

    async def _look(self):
        if self._board.any:
            await self._get(self.chance.choice(self._board.any))

    async def _get(self, job):
        """Reads a job. Returns its state; None without an answer."""
        outcome = await self.call("get", ["JOB.GET", job], {"job": job}, record_of)
        return outcome.reply["state"] if outcome.ok and outcome.reply else None

    async def _pause(self):
        queue = self.chance.choice(self._queues)
        paused = await self.call("pause", ["QUEUE.PAUSE", queue, "REASON", "rig"],
                                 {"queue": queue})
        if paused.ok:
            await self.pause(0.25)
        await self.call("resume", ["QUEUE.RESUME", queue], {"queue": queue})


def record_of(reply):
    """Shapes JOB.GET: what is judged of a record."""
    return {"record": {field: reply[field] for field in ("state", "fence", "attempt", "generation")}
            if reply and not isinstance(reply, ErrorReply) else None}
