"""The jobs of the rig: what a handler will do with each stands in its args."""

import itertools
import json
import zlib

FIFO_QUEUE = "fifo"
PAUSED_QUEUES = ("pause-a", "pause-b")
QUEUES = ("work", "bulk", *PAUSED_QUEUES)
ALL_QUEUES = (FIFO_QUEUE, *QUEUES)
TYPES = ("email", "report", "video")

# A job with this KEEP is there to the end of a campaign; a shorter one, or none, may be forgotten.
KEEP_MS_LONG = 3_600_000
LEASE_MS = 1500
LEASE_MS_SHORT = 500
# Spec and the shortest delay that it may give.
BACKOFFS = (("fixed:100~0", 100), ("exponential:50,2,400", 50), ("list:30,60,120~10", 30),
            ("linear:40", 40))

# What a handler does, and how many of a hundred jobs are so.
BEHAVIOURS = {
    "ok": 60,       # Acks at once.
    "hold": 6,      # Works for a while and beats.
    "slow": 4,      # Outlives its lease at first and acks with the old token.
    "flaky": 7,     # Fails a few times first.
    "doomed": 4,    # Fails always.
    "barred": 2,    # Fails for good.
    "shy": 4,       # Is given back at first.
    "chain": 5,     # Acks and pushes the next one in a transaction.
    "progress": 4,  # Reports progress and asks for more time.
    "poison": 1,    # Its worker dies.
    "sleepy": 3,    # Expires before it may run.
}


def args_crc(args):
    return zlib.crc32(args.encode("latin-1"))


class Job:
    """A job to be pushed. `spec` is what the history says of it; `words` the words of its push."""

    def __init__(self, spec, args, options):
        self.spec = spec
        self.name = spec["name"]
        self._args = args
        self._options = options

    @property
    def push_words(self):
        return ["JOB.PUSH", *self._head, *self._options]

    @property
    def item_words(self):
        """The words of this job inside a JOB.MPUSH."""
        return [*self._head, len(self._options), *self._options]

    @property
    def _head(self):
        return [self.spec["queue"], self.spec["type"], self._args]


class JobMaker:
    """Makes the jobs of one client; names and sequence numbers are its own."""

    def __init__(self, client, chance, poison_max):
        self._client = client
        self._chance = chance
        self._names = itertools.count(1)
        self._seqs = itertools.count(1)
        self._poison_left = poison_max

    def behaviour(self):
        chosen = self._chance.choices(list(BEHAVIOURS), list(BEHAVIOURS.values()))[0]
        if chosen == "poison":
            self._poison_left -= 1
        return "ok" if chosen == "poison" and self._poison_left < 0 else chosen

    def fifo(self):
        """A job for the queue in which order is judged: nothing sets it back but a crash."""
        spec, options = self._base("ok", FIFO_QUEUE, TYPES[0])
        self._keep(spec, options, forgettable=True)
        return self._finish(spec, options, 8)

    def make(self, behaviour=None, **wishes):
        """Makes a job. Wishes: own_key, shared_key, request, seq, plain (nothing keeps it back)."""
        chance = self._chance
        behaviour = behaviour or ("ok" if wishes.get("plain") else self.behaviour())
        spec, options = self._base(behaviour, chance.choice(QUEUES), chance.choice(TYPES))
        self._attempts(spec, options)
        if chance.random() < 0.2:
            self._set(spec, options, "priority", "PRIORITY", chance.randint(0, 9))
        if behaviour == "sleepy":
            self._set(spec, options, "expire_ms", "EXPIRE", chance.randint(100, 400))
            self._set(spec, options, "delay_ms", "DELAY", 3_600_000)
        elif not wishes.get("plain"):
            self._delay(spec, options)
        forgettable = behaviour == "ok" and not (wishes.keys() & {"plain", "own_key", "shared_key"})
        self._keep(spec, options, forgettable)
        self._identity(spec, options, wishes)
        return self._finish(spec, options, chance.choice((0, 20, 150, 150, 800)))

    def _base(self, behaviour, queue, job_type):
        spec = {"name": f"{self._client}-{next(self._names)}", "queue": queue, "type": job_type,
                "do": behaviour, "priority": 5}
        short = behaviour in ("slow", "poison")
        options = []
        self._set(spec, options, "lease_ms", "LEASE", LEASE_MS_SHORT if short else LEASE_MS)
        return spec, options

    def _attempts(self, spec, options):
        chance, behaviour = self._chance, spec["do"]
        spec["fails"] = chance.randint(1, 3) if behaviour == "flaky" else 0
        attempts = {"doomed": chance.randint(1, 3), "shy": 2, "poison": chance.randint(2, 9)}
        self._set(spec, options, "max_attempts", "ATTEMPTS", attempts.get(behaviour, 9))
        crashes = {"slow": 9, "poison": chance.randint(1, 3), "ok": chance.choice((1, 2, 3, 3))}
        self._set(spec, options, "max_crashes", "CRASHES", crashes.get(behaviour, 3))
        backoff, spec["backoff_min_ms"] = chance.choice(BACKOFFS)
        options += ["BACKOFF", backoff]

    def _keep(self, spec, options, forgettable):
        """Most jobs are soon forgotten, so that the journal stays small enough to be trimmed."""
        dice = self._chance.random() if forgettable else 1.0
        if dice < 0.75:
            self._set(spec, options, "keep_ms", "KEEP", self._chance.randint(500, 4000))
        elif dice >= 0.80:
            self._set(spec, options, "keep_ms", "KEEP", KEEP_MS_LONG)

    def _delay(self, spec, options):
        if self._chance.random() < 0.15:
            self._set(spec, options, "delay_ms", "DELAY", self._chance.randint(1, 1500))

    def at(self, wall_ms):
        """A job that may run from a time of the wall clock on."""
        spec, options = self._base("ok", self._chance.choice(QUEUES), TYPES[0])
        self._set(spec, options, "at_ms", "AT", wall_ms)
        self._keep(spec, options, forgettable=False)
        self._identity(spec, options, {"own_key": True})
        return self._finish(spec, options, 20)

    def _identity(self, spec, options, wishes):
        name = spec["name"]
        if wishes.get("own_key"):
            self._set(spec, options, "key", "KEY", f"own-{name}")
        if wishes.get("shared_key"):
            self._set(spec, options, "key", "KEY", wishes["shared_key"])
            self._set(spec, options, "ondup", "ONDUP", wishes["ondup"])
        if wishes.get("request"):
            self._set(spec, options, "request", "REQUEST", f"request-{name}")
        if wishes.get("seq"):
            spec["producer"], spec["seq"] = self._client, next(self._seqs)
            options += ["REQSEQ", spec["producer"], spec["seq"]]

    @staticmethod
    def _set(spec, options, field, word, value):
        spec[field] = value
        options += [word, value]

    def _finish(self, spec, options, padding):
        text = json.dumps({"name": spec["name"], "do": spec["do"], "fails": spec.get("fails", 0)})
        tail = bytes(self._chance.getrandbits(8) for _ in range(padding))
        args = text + "\n" + tail.decode("latin-1")
        spec["crc"] = args_crc(args)
        return Job(spec, args, options)


def read_args(args):
    """Returns what a handler has to know of its job."""
    return json.loads(args.split("\n", 1)[0])
