"""Made-up histories for the checker's own tests: one client's calls, one tick of time after another."""

from jobs import ALL_QUEUES

LEASE_MS = 1000


class Story:
    """Collects lines. Each call takes from `now` to `now` + 10 ms; `pass_time` moves on."""

    def __init__(self):
        self.lines = [{"t_mono": 0.0, "client": "rig", "n": 0, "op": "clock", "phase": "event",
                       "wall": 1000.0}]
        self.now = 1.0
        self._number = 0
        self._records = {}
        self._keys = {}
        self._counts = {queue: {"pushed": 0, "started": 0, "succeeded": 0, "dead": 0}
                        for queue in ALL_QUEUES}

    def pass_time(self, seconds):
        self.now += seconds

    def call(self, op, asked, phase="ok", **told):
        """Writes both lines of a call; phase None: it was never answered."""
        self._number += 1
        head = {"client": "x", "n": self._number, "op": op}
        self.lines.append({"t_mono": self.now, **head, "phase": "invoke", **asked})
        self.now += 0.01
        if phase is not None:
            self.lines.append({"t_mono": self.now, **head, "phase": phase, **told})
        self.now += 0.001

    @staticmethod
    def spec(name, **fields):
        return {"name": name, "queue": "work", "type": "email", "do": "ok", "priority": 5,
                "crc": hash(name), "keep_ms": 3_600_000, **fields}

    def push(self, name, job=None, phase="ok", **fields):
        told = {name: fields.pop(name) for name in ("code", "text") if name in fields}
        if job:
            told["job"] = job
        self.call("push", self.spec(name, **fields), phase, **told)

    def lease(self, name, job, fence=1, attempt=None, **fields):
        """Fetches one lease; its token is `job/fence`."""
        asked = {"fetch_count": fields.pop("count", 1), "holding": fields.pop("holding", 0),
                 "types": [], "queues": ["work"], "block_ms": 0}
        lease = {"job": job, "token": f"{job}/{fence}", "fence": fence, "name": name,
                 "attempt": fence if attempt is None else attempt, "max_attempts": 4,
                 "queue": "work", "type": "email", "lease_ms": LEASE_MS, "crc": hash(name)}
        lease.update(fields)
        self.call("fetch", asked, leases=[lease])

    def end(self, kind, job, fence=1, phase="ok", **fields):
        """Ends a lease by ack, fail or release."""
        told = {name: fields.pop(name) for name in ("code", "state", "attempt") if name in fields}
        asked = {"job": job, "token": f"{job}/{fence}", "result": f"result {fence}", **fields}
        self.call(kind, asked, phase, **told)

    def verb(self, op, job, answer="OK"):
        self.call(op, {"jobs": [job], "force": False}, answers=[answer])

    def record(self, name, job, state="succeeded", fence=1, **fields):
        """What the store holds of a job in the end."""
        self._records[job] = {
            "state": state, "queue": "work", "fence": fence, "attempt": fence, "max_attempts": 4,
            "generation": 1, "crashes": 0, "max_crashes": 3, "reason": None,
            "result": f"result {fence}" if state == "succeeded" else None, "name": name,
            "crc": hash(name), "history": [], **fields}

    def key(self, key, job):
        self._keys[key] = job

    def counts(self, queue="work", **fields):
        self._counts[queue].update(fields)

    def event(self, op, **fields):
        self._number += 1
        self.lines.append({"t_mono": self.now, "client": "rig", "n": self._number, "op": op,
                           "phase": "event", **fields})

    def whole(self, name, job):
        """A job that was pushed, run and acked, as it should be."""
        self.push(name, job)
        self.lease(name, job)
        self.end("ack", job)
        self.record(name, job)

    def finished(self):
        """Adds the dump, with counts that fit, and returns all lines."""
        for key, job in self._keys.items():
            self.event("dump_key", key=key, job=job)
        for job, record in self._records.items():
            self.event("dump", job=job, record=record)
        for queue, counts in self._counts.items():
            self.event("dump_stats", queue=queue, counts=self._fitting(queue, counts))
        return self.lines

    def _fitting(self, queue, given):
        records = [record for record in self._records.values() if record["queue"] == queue]
        names = {state: sum(record["state"] == state for record in records)
                 for state in ("ready", "scheduled", "running", "dead")}
        kept = {f"{state}_kept": sum(record["state"] == state for record in records)
                for state in ("succeeded", "cancelled", "expired")}
        counts = {**names, **kept, "waiting": 0, "deleted": 0, "retired": 0}
        counts["pushed"] = len(records)
        counts["started"] = 1000
        counts["succeeded"] = 1000
        counts.update({name: value for name, value in given.items() if value})
        return counts
