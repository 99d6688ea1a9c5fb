"""A real data directory for the corruption test, with all that its server said of it."""

import asyncio
import fcntl
import shutil

import journal_bytes
from drivers import RigError
from resp import Connection, ErrorReply, as_map
from server_process import HOST, ServerProcess

SEGMENT_BYTES = 64 * 1024
BUDGET_BYTES = 640 * 1024
DAY_MS = 86_400_000
TURNS = 6
QUEUES = ("mail", "bulk", "tail", "lane")
TAIL = "tail"
TAIL_PUSHES = 30
# held: killed while busy, and while a backup held the tables' file as it was, so that several
# flushes lie in their log alone.
ENDS = ("closed", "idle", "busy", "held")
SET_ASIDE = "CORRUPT"  # What a server answers for a job whose row is damaged.
# States whose count in QUEUE.STATS has another name.
KEPT_NAMES = {"succeeded": "succeeded_kept", "cancelled": "cancelled_kept",
              "expired": "expired_kept"}
LANE_QUEUE = "lane"
LEASED = 50
PUSHED_LATER = 5
LANE_JOBS = 150      # Of each turn: jobs of which dispatch needs no more than the header.
IDLE_SECONDS_MAX = 20.0
# Moments move with the clock that a restart finds; all else has to stay.
MOVING = ("run_at_ms", "lease_until_ms", "expires_ms", "oldest_ms", "finished_ms")


def start(binary, folder, log, budget=BUDGET_BYTES):
    """Starts a server on `folder`; whether it is ready is not known yet."""
    arguments = ["--data", str(folder), "--resp", f"{HOST}:0", "--http", f"{HOST}:0",
                 "--journal-segment", str(SEGMENT_BYTES), "--journal-budget", str(budget),
                 "--allow-volatile"]
    return ServerProcess(binary, arguments, log)


def copy_files(source, target):
    """Copies the files of a data directory; the ballast, which holds nothing, as a hole of its size."""
    target.mkdir(parents=True)
    for path in source.iterdir():
        if path.name == "ballast":
            with open(target / path.name, "wb") as ballast:
                ballast.truncate(path.stat().st_size)
        elif path.is_file() and path.name != "LOCK" and not path.name.endswith(".new"):
            try:
                shutil.copyfile(path, target / path.name)
            except FileNotFoundError:
                pass  # The server has renamed it meanwhile.


def _still(value):
    """Returns an answer without what moves with the clock."""
    if isinstance(value, ErrorReply):
        return value.code
    if isinstance(value, list) and len(value) % 2 == 0 and value and isinstance(value[0], str):
        value = dict(zip(value[::2], value[1::2]))
    if isinstance(value, dict):
        return {name: _still(part) for name, part in value.items() if name not in MOVING}
    if isinstance(value, list):
        return [_still(part) for part in value]
    return value


def _said_of(job, reply):
    """What JOB.GET said. A job that was set aside has to be named, with the file."""
    if isinstance(reply, ErrorReply) and reply.code == SET_ASIDE and not (
            job in reply.text and "tables.db" in reply.text):
        return f"{SET_ASIDE}, but not by its name: {reply.text}"
    return _still(reply)


async def _dump(port, ids, asked):
    connection = await Connection.open(HOST, port, 3)
    jobs = {job: _said_of(job, reply) for job, reply in zip(
        ids, await connection.ask_all([["JOB.GET", job] for job in ids]))}
    queues = {queue: _still(await connection.ask(["QUEUE.STATS", queue])) for queue in QUEUES}
    # What the server remembers of commands that are sent again; none of them changes anything.
    again = [_still(await connection.ask(words)) for words in asked]
    leases = await connection.ask(["JOB.FETCH", "last", "COUNT", LEASED, "QUEUES", 1, LANE_QUEUE])
    connection.abort()
    return {"jobs": jobs, "queues": queues, "again": again,
            "leased": [as_map(lease)["id"] for lease in leases]}


async def _live_on(port, aside, told):
    deleted, acked, pushed = told
    connection = await Connection.open(HOST, port, 3)
    try:
        for job in aside:
            if (await connection.ask(["JOB.DELETE", "IDS", 1, job])) == ["OK"]:
                deleted.add(job)
        for lease in await connection.ask(
                ["JOB.FETCH", "later", "COUNT", LEASED, "QUEUES", 1, LANE_QUEUE]):
            lease = as_map(lease)
            if await connection.ask(["JOB.ACK", lease["id"], lease["token"]]) == "OK":
                acked.add(lease["id"])
        for _ in range(PUSHED_LATER):
            job = await connection.ask(["JOB.PUSH", LANE_QUEUE, "t", "later"])
            if isinstance(job, str):
                pushed.add(job)
    except OSError:
        pass  # A flush has met the damage, and the server has ended.
    connection.abort()


async def _states(port, ids):
    connection = await Connection.open(HOST, port, 3)
    replies = await connection.ask_all([["JOB.GET", job] for job in ids])
    connection.abort()
    return {job: reply.code if isinstance(reply, ErrorReply)
            else reply and as_map(reply)["state"] for job, reply in zip(ids, replies)}


class Specimen:
    """`folder` holds the directory as the server left it, `older` those of earlier moments."""

    def __init__(self, binary, place, end):
        self.binary, self.end, self.place = binary, end, place
        self.folder, self.older = place / "data", (place / "older", place / "much-older")
        self.log = place / "server.log"
        self.ids, self.again, self.tail = [], [], {}  # tail: marker in the args → id.
        self.lane = []  # Ids of LANE_QUEUE, in their order.
        self.hold = None
        place.mkdir(parents=True)
        server = start(binary, self.folder, self.log)
        try:
            if not server.wait_ready():
                raise RigError(f"the server does not start; see {self.log}")
            asyncio.run(self._live(server.port))
            code = server.terminate() if end == "closed" else server.kill()
            if code not in (0, -9):
                raise RigError(f"the server ended with {code}; see {self.log}")
        finally:
            server.close()
            if self.hold is not None:
                self.hold.close()
        names = {path.name for path in self.folder.iterdir()}
        self.newest = journal_bytes.newest(names)
        self.frames = journal_bytes.Segment((self.folder / self.newest).read_bytes()).frames
        copy_files(self.folder, place / "control")
        self.said = self.serve(place / "control")
        held = self.said["jobs"] if isinstance(self.said, dict) else {}
        if not all(held.get(job) for job in self.tail.values()):
            raise RigError(f"the undamaged {end} directory is not served; see {self.log}")

    def serve(self, folder):
        """Starts the server on a directory. Returns what it says of all jobs, or its exit code."""
        server = start(self.binary, folder, self.log)
        try:
            if server.wait_ready():
                try:
                    return asyncio.run(_dump(server.port, self.ids, self.again))
                except OSError:
                    server.wait_exit()  # A flush has met damage, and the server has ended.
            return server.exit_code
        finally:
            server.close()

    def live_on(self, folder, aside):
        """A server goes on with a damaged directory: jobs are deleted, run, pushed; then it stops.

        Returns its exit code and what it answered: (deleted, acknowledged, pushed) ids.
        """
        server = start(self.binary, folder, self.log)
        told = (set(), set(), set())
        try:
            if server.wait_ready():
                asyncio.run(_live_on(server.port, sorted(aside), told))
                return server.terminate(), told
            return server.exit_code, told
        finally:
            server.close()

    def states(self, folder, ids):
        """Starts the server on a directory. Returns the state of each job, or its exit code."""
        server = start(self.binary, folder, self.log)
        try:
            if server.wait_ready():
                return asyncio.run(_states(server.port, sorted(ids)))
            return server.exit_code
        finally:
            server.close()

    def said_but_for(self, said, aside, again):
        """`said`, when the jobs `aside` were set aside and nothing else is amiss.

        Of what repeated commands on those were answered (`again`), memory may still have some.
        """
        jobs = {job: SET_ASIDE if job in aside else reply for job, reply in said["jobs"].items()}
        queues = {queue: dict(stats) for queue, stats in said["queues"].items()}
        for job in aside:
            was = said["jobs"][job]
            if isinstance(was, dict):
                state = was["state"]
                queues[was["queue"]][KEPT_NAMES.get(state, state)] -= 1
        again = [SET_ASIDE if words[0] == "JOB.ACK" and words[1] in aside and now == SET_ASIDE
                 else reply for words, reply, now in zip(self.again, said["again"], again)]
        leased = [job for job in self.lane if job not in aside][:LEASED]
        return {"jobs": jobs, "queues": queues, "again": again, "leased": leased}

    def said_without(self, first_seq):
        """What is to be said when all frames from `first_seq` on are gone; None: the rig can't tell.

        Only pushes to the tail's queue may be among them, each of which is a frame of its own.
        """
        lost = [frame for frame in self.frames if frame.seq >= first_seq and frame.size > 0]
        gone = {job for marker, job in self.tail.items()
                if any(marker.encode() in frame.payload for frame in lost)}
        if len(gone) != len(lost):
            return None
        jobs = {job: None if job in gone else said for job, said in self.said["jobs"].items()}
        stats = dict(self.said["queues"][TAIL])
        stats["ready"] -= len(gone)
        stats["pushed"] -= len(gone)
        if stats["pushed"] == 0:
            return None
        return {**self.said, "jobs": jobs, "queues": {**self.said["queues"], TAIL: stats}}

    async def _live(self, port):
        connection = await Connection.open(HOST, port, 3)
        ask = connection.ask
        hold = None
        for turn in range(TURNS):
            if turn == TURNS // 2:
                copy_files(self.folder, self.older[1])
                if self.end == "held":
                    hold = open(self.folder / "backup.lock", "rb")
                    fcntl.flock(hold, fcntl.LOCK_SH)
            await self._turn(connection, turn)
        await ask(["QUEUE.PAUSE", "bulk"])
        if self.end in ("closed", "idle"):
            await self._idle()
        for number in range(TAIL_PUSHES):
            if number == TAIL_PUSHES * 2 // 3:
                copy_files(self.folder, self.older[0])
            marker = f"tail-{number:03}-mark"
            self.tail[marker] = await ask(["JOB.PUSH", TAIL, "t", marker])
        self.ids += self.tail.values()
        if self.end == "idle":
            await self._idle()
        connection.abort()
        if hold is not None:
            self.hold = hold  # Until the server has been killed.

    async def _idle(self):
        """Waits until the server has said in the watermark that all was durable."""
        for _ in range(int(IDLE_SECONDS_MAX / 0.05)):
            names = [path.name for path in self.folder.iterdir()]
            segment = journal_bytes.Segment(
                (self.folder / journal_bytes.newest(names)).read_bytes())
            durable = journal_bytes.marked_durable((self.folder / "watermark").read_bytes())
            if segment.sound and segment.frames and segment.frames[-1].seq == durable:
                return
            await asyncio.sleep(0.05)
        raise RigError("an idle server wrote no watermark")

    async def _turn(self, connection, turn):
        """Jobs in every state; most are deleted again, so that segments are trimmed and reused."""
        ask = connection.ask

        async def push(queue, name, *options, size=20):
            job = await ask(["JOB.PUSH", queue, "t", f"{name}-{turn}-" + "x" * size, *options])
            if isinstance(job, ErrorReply):
                raise RigError(f"push of {name}: {job.text}")
            self.ids.append(job)
            return job

        lane = await connection.ask_all(
            [["JOB.PUSH", LANE_QUEUE, "t", f"lane{number}-{turn}-" + "y" * (number % 90 * 9)]
             for number in range(LANE_JOBS)])
        if any(isinstance(job, ErrorReply) for job in lane):
            raise RigError("a push was refused")
        self.lane += lane
        self.ids += lane
        passing = [await push("bulk", f"passing{n}", size=900) for n in range(60)]
        request = ["JOB.PUSH", "mail", "t", f"once-{turn}", "REQUEST", f"r{turn}", "FOR", DAY_MS,
                   "DELAY", DAY_MS]
        self.ids.append(await ask(request))
        self.again.append(request)
        await push("mail", "keyed", "KEY", f"k{turn}", "PRIORITY", 9, "DELAY", DAY_MS)
        await push("mail", "big", "DELAY", DAY_MS, size=9000)
        for n in range(12):
            await push("mail", f"work{n}", "LEASE", DAY_MS, "KEEP", DAY_MS, "ATTEMPTS", 3,
                       "BACKOFF", "fixed:86400000~0")
        leases = [as_map(lease) for lease in
                  await ask(["JOB.FETCH", f"w{turn}", "COUNT", 9, "QUEUES", 1, "mail"])]
        for number, lease in enumerate(leases):
            name = [lease["id"], lease["token"]]
            if number < 4:
                ack = ["JOB.ACK", *name, "RESULT", f"result-{number}"]
                await ask(ack)
                self.again.append(ack)
            elif number < 6:
                await ask(["JOB.FAIL", *name, "Broken", "it broke"])
            elif number == 6:
                await ask(["JOB.FAIL", *name, "Hopeless", "it can't", "NORETRY"])
            elif number == 7:
                await ask(["JOB.PROGRESS", *name, "half"])
        await ask(["JOB.DELETE", "IDS", len(passing), *passing])
