"""A worker: fetches, beats, handles, and dies of poison. Two connections, as an SDK has."""

import asyncio
import itertools

from client import Client, Link, answers_of
from jobs import ALL_QUEUES, FIFO_QUEUE, JobMaker, QUEUES, TYPES, args_crc, read_args
from producer import pushed
from resp import as_map

BEAT_SECONDS = 0.3
DEATH_SECONDS = 0.1


class Lease:
    """A lease as it was received, and what the handler knows of it."""

    def __init__(self, reply):
        fields = as_map(reply)
        self.job = fields["id"]
        self.token = fields["token"]
        self.attempt = fields["attempt"]
        self.lease_ms = fields["lease_ms"]
        self.args = read_args(fields["args"])
        self.beating = True
        self.record = {"job": self.job, "token": self.token, "name": self.args["name"],
                       "crc": args_crc(fields["args"])}
        for field in ("fence", "attempt", "max_attempts", "queue", "type", "lease_ms"):
            self.record[field] = fields[field]

    @property
    def named(self):
        return {"job": self.job, "token": self.token}


class Habits:
    """How a worker fetches. `count` 1 with one job at a time is what suspects wait for."""

    def __init__(self, count, queues, order=(), types=()):
        self.count = count
        self.queues = queues
        self.order = list(order)
        self.types = list(types)


def habits_of(number):
    """Returns the habits of the n-th worker: all kinds occur among the first eight."""
    kinds = [
        Habits(1, (FIFO_QUEUE,), ["STRICT"]),
        Habits(1, ("work", "pause-a")),
        Habits(8, QUEUES),
        Habits(4, QUEUES, ["WEIGHTS", len(QUEUES), 5, 1, 2, 2]),
        Habits(1, ALL_QUEUES),
        Habits(6, ("bulk", "work")),
        Habits(3, ("pause-b", "pause-a", "work"), types=TYPES[:2]),
        Habits(1, ("bulk", "pause-b", "work", "pause-a")),
    ]
    return kinds[number % len(kinds)]


class Worker(Client):
    def __init__(self, name, endpoint, history, seed, habits, poison_max, version):
        super().__init__(name, endpoint, history, seed, version)
        self._fetching = Link(endpoint, version)
        self._habits = habits
        self._maker = JobMaker(name, self.chance, poison_max)
        self._lives = itertools.count(1)
        self._label = ""
        self._held = {}   # token → lease.
        self._tasks = set()
        self._done = asyncio.Event()  # A handler has finished.
        self._dead = asyncio.Event()  # This life is over.
        self._stale = None  # An old lease, whose token must be worth nothing.

    async def run(self):
        """Lives again and again, until the task is cancelled."""
        while True:
            self._label = f"{self.name}:{next(self._lives)}"
            self._dead.clear()
            beating = asyncio.create_task(self._beat())
            fetching = asyncio.create_task(self._fetch_for_ever())
            dying = asyncio.create_task(self._dead.wait())
            try:
                await asyncio.wait((beating, fetching, dying), return_when=asyncio.FIRST_COMPLETED)
                for task in (beating, fetching):
                    if task.done():
                        task.result()
            finally:
                await self._stop(beating, fetching, dying, *self._tasks)
            await asyncio.sleep(DEATH_SECONDS)

    async def _stop(self, *tasks):
        """Ends everything at once, as the death of the process does."""
        self.link.drop()
        self._fetching.drop()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._tasks.clear()
        self._held.clear()

    async def _fetch_for_ever(self):
        while True:
            room = self._habits.count - len(self._held)
            if room <= 0 or (self._held and self.chance.random() < 0.3):
                self._done.clear()
                await self._done.wait()
                continue
            await self._fetch(room)

    async def _fetch(self, room):
        count = self.chance.randint(1, room)
        holding = len(self._held)
        block_ms = self.chance.choice((0, 30, 200)) if holding == 0 else 5
        words = ["JOB.FETCH", self._label, "COUNT", count]
        if block_ms:
            words += ["BLOCK", block_ms]
        if holding:
            words += ["HOLDING", holding]
        types = self._habits.types
        if types:
            words += ["TYPES", len(types), *types]
        words += [*self._habits.order, "QUEUES", len(self._habits.queues), *self._habits.queues]
        fields = {"worker": self._label, "fetch_count": count, "holding": holding,
                  "block_ms": block_ms, "types": types, "queues": list(self._habits.queues)}
        outcome = await self.call("fetch", words, fields, leases_of, self._fetching)
        if not outcome.ok or not outcome.reply:
            await self.pause(0.01 if block_ms else 0.05)
            return
        for reply in outcome.reply:
            self._start(Lease(reply))

    def _start(self, lease):
        self._held[lease.token] = lease
        task = asyncio.create_task(self._handle(lease))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _handle(self, lease):
        try:
            await getattr(self, "_do_" + lease.args["do"])(lease)
        finally:
            self._held.pop(lease.token, None)
            self._done.set()

    async def _beat(self):
        while True:
            await asyncio.sleep(BEAT_SECONDS)
            leases = [lease.named for lease in self._held.values() if lease.beating]
            if not leases:
                continue
            words = ["WORKER.BEAT", self._label, "LEASES", len(leases)]
            for lease in leases:
                words += [lease["job"], lease["token"]]
            await self.call("beat", words, {"leases": leases}, beat_of)

    # What handlers do, by the word in the args.

    async def _do_ok(self, lease):
        await asyncio.sleep(self.chance.choice((0, 0, 0, 0.002, 0.01)))
        await self._ack(lease)

    async def _do_sleepy(self, lease):
        await self._ack(lease)

    async def _do_hold(self, lease):
        await asyncio.sleep(self.chance.uniform(0.05, 0.8))
        await self._ack(lease)

    async def _do_slow(self, lease):
        if lease.attempt > 1:
            await self._do_hold(lease)
            return
        lease.beating = False
        # Long enough that somebody else holds the job by now.
        await asyncio.sleep(lease.lease_ms / 1000 * self.chance.uniform(1.2, 4.5))
        self._stale = lease
        await self._ack(lease)

    async def _do_flaky(self, lease):
        if lease.attempt <= lease.args["fails"]:
            retryin_ms = self.chance.choice((None, None, 10, 150))
            await self._fail(lease, retryin_ms=retryin_ms)
        else:
            await self._ack(lease)

    async def _do_doomed(self, lease):
        await self._fail(lease)

    async def _do_barred(self, lease):
        await self._fail(lease, noretry=True)

    async def _do_shy(self, lease):
        if self.chance.random() < 0.4:
            await self._ack(lease)
            return
        if self.chance.random() < 0.3:
            words = ["WORKER.BYE", self._label, "LEASES", 1, lease.job, lease.token]
            await self.call("bye", words, {"leases": [lease.named]})
            return
        delay_ms = self.chance.choice((0, 0, 40, 200))
        words = ["JOB.RELEASE", lease.job, lease.token, *(["DELAY", delay_ms] if delay_ms else [])]
        await self._end("release", words, {**lease.named, "delay_ms": delay_ms}, lease)

    async def _do_progress(self, lease):
        await self.call("progress", ["JOB.PROGRESS", lease.job, lease.token, '{"done":1}'],
                        lease.named, lambda reply: as_map(reply))
        await self.call("extend", ["JOB.EXTEND", lease.job, lease.token, lease.lease_ms],
                        lease.named, lambda reply: as_map(reply))
        await self._ack(lease)

    async def _do_poison(self, _lease):
        self._dead.set()
        await asyncio.Event().wait()

    async def _do_chain(self, lease):
        """Acks and pushes the next job in one transaction; sometimes with a token of no worth."""
        if self._stale is not None and self.chance.random() < 0.5:
            stale, self._stale = self._stale, None
            await self._ack_and_push(stale)
        while (await self._ack_and_push(lease)).unknown and self.chance.random() < 0.7:
            pass

    async def _ack_and_push(self, lease):
        job = self._maker.make(plain=True, own_key=True)
        result = self._result(lease)
        ack = ["JOB.ACK", lease.job, lease.token, "RESULT", result]
        members = [{"op": "ack", **lease.named, "result": result}, {"op": "push", **job.spec}]
        return await self.exec(
            [ack, job.push_words], {"members": members},
            lambda reply: {"results": [{"answer": reply[0]}, pushed(reply[1])]})

    # How attempts end.

    def _result(self, lease):
        """A result that no other ack has: it tells later which one counted."""
        return f"{self.name}/{lease.token}/{self.chance.getrandbits(32):08x}"

    async def _ack(self, lease):
        if self.chance.random() < 0.02:
            await self._ack_with_foreign_token(lease)
        if self.chance.random() < 0.2:
            await self._mack(lease)
            return
        result = self._result(lease)
        words = ["JOB.ACK", lease.job, lease.token, "RESULT", result]
        await self._end("ack", words, {**lease.named, "result": result}, lease)

    async def _ack_with_foreign_token(self, lease):
        other = next((held for held in self._held.values() if held.job != lease.job), None)
        if other is not None:
            fields = {"job": lease.job, "token": other.token, "result": "foreign"}
            await self.call("ack", ["JOB.ACK", lease.job, other.token, "RESULT", "foreign"], fields)

    async def _mack(self, lease):
        """Acks this job and those beside it that only wait to be acked."""
        items = []
        words = []
        result = self._result(lease)
        items.append({**lease.named, "result": result})
        words += [lease.job, lease.token, 1, result]
        if self.chance.random() < 0.3:  # Named twice: both get the same answer.
            items.append(items[0])
            words += [lease.job, lease.token, 0, ""]
        await self._end("mack", ["JOB.MACK", len(items), *words], {"items": items}, lease,
                        answers_of)

    async def _fail(self, lease, retryin_ms=None, noretry=False):
        words = ["JOB.FAIL", lease.job, lease.token, "RigError", f"attempt {lease.attempt}"]
        if retryin_ms is not None:
            words += ["RETRYIN", retryin_ms]
        if noretry:
            words += ["NORETRY"]
        fields = {**lease.named, "retryin_ms": retryin_ms, "noretry": noretry}
        await self._end("fail", words, fields, lease, lambda reply: as_map(reply))

    async def _end(self, op, words, fields, lease, shape=None):
        """Ends an attempt. Repeats it when the answer got lost, and sometimes for no reason."""
        outcome = await self.call(op, words, fields, shape)
        while outcome.unknown and self.chance.random() < 0.85:
            outcome = await self.call(op, words, fields, shape)
        if not outcome.unknown and self.chance.random() < 0.06:
            await self.call(op, words, fields, shape)
        if op == "fail" and outcome.ok and self.chance.random() < 0.2:
            # The attempt is over: its token must not ack the job, whoever has it now.
            await self.pause(0.15)
            late = {**lease.named, "result": "late"}
            await self.call("ack", ["JOB.ACK", lease.job, lease.token, "RESULT", "late"], late)


def leases_of(reply):
    return {"leases": [Lease(item).record for item in reply]}


def beat_of(reply):
    fields = as_map(reply)
    return {"lost": fields["lost"], "cancel": fields["cancel"], "state": fields["state"]}
