"""Turns the lines of a history into what can be judged: calls, and what they say of each job.

Two rules of inference are used everywhere. A call took effect between its invoke and its answer; so
one that was answered before another was sent came first. The fences of a job only grow; so of two
leases the one with the lower fence came first, whatever any clock says.
"""

from collections import defaultdict

INFINITE = float("inf")
FINISHED = ("succeeded", "dead", "cancelled", "expired")


class Lists(dict):
    """Lists by key; asking for a key that is not there gives an empty one and adds nothing."""

    def __missing__(self, key):
        return []


class Call:
    """One call: what was asked, and what came back, if anything did."""

    def __init__(self, line):
        self.client = line["client"]
        self.op = line["op"]
        self.asked = line
        self.start = line["t_mono"]
        self.end = INFINITE
        self.phase = "unknown"
        self.told = {}

    def close(self, line):
        self.phase = line["phase"]
        self.told = line
        if self.phase != "unknown":
            self.end = line["t_mono"]

    @property
    def ok(self):
        return self.phase == "ok"

    @property
    def maybe(self):
        """True unless it was certainly not applied."""
        return self.phase != "rejected"

    def __str__(self):
        return f"{self.client}#{self.asked['n']} {self.op} at {self.start:.3f}"


class Push:
    """One try to push one job: a JOB.PUSH, an item of an MPUSH, a member of an EXEC."""

    def __init__(self, call, spec, result):
        self.call = call
        self.spec = spec
        self.job = result.get("job")
        self.created = result.get("created")


class Lease:
    """A lease that a worker has seen."""

    def __init__(self, call, fields):
        self.call = call
        self.job = fields["job"]
        self.token = fields["token"]
        self.fence = fields["fence"]
        self.attempt = fields["attempt"]
        self.fields = fields
        self.after = call.start  # The grant was committed after this,
        self.before = call.end   # and before this.

    @property
    def lease_s(self):
        return self.fields["lease_ms"] / 1000

    @property
    def alone(self):
        """True when its FETCH asked for one job and held none."""
        return self.call.asked["fetch_count"] == 1 and self.call.asked["holding"] == 0

    def __str__(self):
        return f"lease of {self.job}, fence {self.fence}, by {self.call}"


class Ending:
    """One try to end a lease: ack, fail, release or bye, alone or in a batch."""

    def __init__(self, call, kind, asked, answer):
        self.call = call
        self.kind = kind
        self.asked = asked
        self.answer = answer  # "OK", an error code, or None: not known.

    @property
    def maybe(self):
        return self.answer in ("OK", None)


class Evidence:
    """All calls, by what they are about."""

    def __init__(self, lines):
        self.calls = []
        self.faults = []
        self.pushes = defaultdict(list)    # Name of the job → tries.
        self.leases = defaultdict(list)    # Id → leases, by fence.
        self.endings = defaultdict(list)   # (id, token) → endings, by start.
        self.renewals = defaultdict(list)  # (id, token) → calls that were answered OK.
        self.verbs = defaultdict(list)     # (cancel|retry|delete, id) → (call, answer).
        self.looks = defaultdict(list)     # Id → (call, record) of JOB.GET.
        self.records = {}                  # Id → record or None, as dumped at the end.
        self.records_again = {}            # The same after one more restart.
        self.keys = {}                     # Key → id or None, as dumped.
        self.stats = {}                    # Queue → counts, as dumped.
        self._read(lines)
        self.names_of = defaultdict(set)   # Id → names that were answered with it.
        for name, tries in self.pushes.items():
            for push in tries:
                if push.job:
                    self.names_of[push.job].add(name)

    def _read(self, lines):
        opened = {}
        for line in lines:
            if line["phase"] == "event":
                self._event(line)
            elif line["phase"] == "invoke":
                call = Call(line)
                opened[(call.client, line["n"])] = call
                self.calls.append(call)
            else:
                opened[(line["client"], line["n"])].close(line)
        for call in self.calls:
            getattr(self, "_on_" + call.op)(call)
        for leases in self.leases.values():
            leases.sort(key=lambda lease: lease.fence)
        for name in ("pushes", "leases", "endings", "renewals", "verbs", "looks"):
            setattr(self, name, Lists(getattr(self, name)))

    def _event(self, line):
        if line["op"] == "dump":
            target = self.records_again if line.get("again") else self.records
            target[line["job"]] = line["record"]
        elif line["op"] == "dump_key":
            self.keys[line["key"]] = line["job"]
        elif line["op"] == "dump_stats":
            self.stats[line["queue"]] = line["counts"]
        else:
            self.faults.append(line)

    def _on_push(self, call):
        self._push(call, call.asked, call.told)

    def _push(self, call, spec, result):
        self.pushes[spec["name"]].append(Push(call, spec, result))

    def _on_mpush(self, call):
        items = call.asked["items"]
        for item, result in zip(items, call.told.get("results", [{}] * len(items))):
            self._push(call, item, result)

    def _on_exec(self, call):
        members = call.asked["members"]
        for member, result in zip(members, call.told.get("results", [{}] * len(members))):
            if member["op"] == "push":
                self._push(call, member, result)
            else:
                answer = {"ok": "OK", "rejected": call.told.get("code")}.get(call.phase)
                self._end(call, member["op"], member, answer)

    def _on_fetch(self, call):
        for fields in call.told.get("leases", ()):
            self.leases[fields["job"]].append(Lease(call, fields))

    def _end(self, call, kind, asked, answer):
        self.endings[(asked["job"], asked["token"])].append(Ending(call, kind, asked, answer))

    def _on_single_end(self, call):
        answer = {"ok": "OK", "rejected": call.told.get("code")}.get(call.phase)
        self._end(call, call.op, call.asked, answer)

    _on_ack = _on_fail = _on_release = _on_single_end

    def _on_mack(self, call):
        items = call.asked["items"]
        answers = call.told.get("answers")
        if answers is None:
            answers = [call.told.get("code") if call.phase == "rejected" else None] * len(items)
        for item, answer in zip(items, answers):
            self._end(call, "ack", item, answer)

    def _on_bye(self, call):
        # BYE answers OK whatever it found: it tells nothing of one lease.
        for item in call.asked["leases"]:
            answer = None if call.maybe else call.told.get("code")
            self._end(call, "bye", item, answer)

    def _on_beat(self, call):
        lost = set(call.told.get("lost", ()))
        for item in call.asked["leases"]:
            if call.ok and item["job"] not in lost:
                self.renewals[(item["job"], item["token"])].append(call)

    def _on_progress(self, call):
        if call.ok:
            self.renewals[(call.asked["job"], call.asked["token"])].append(call)

    _on_extend = _on_progress

    def _on_cancel(self, call):
        for position, job in enumerate(call.asked["jobs"]):
            answers = call.told.get("answers")
            refused = call.told.get("code") if call.phase == "rejected" else None
            self.verbs[(call.op, job)].append((call, answers[position] if answers else refused))

    _on_retry = _on_delete = _on_cancel

    def _on_get(self, call):
        if call.ok:
            self.looks[call.asked["job"]].append((call, call.told["record"]))

    def _on_pause(self, call):
        """Read from `calls` by the judgement that needs it."""

    _on_resume = _on_pause

    # What judgements ask again and again.

    def maybe_verb(self, op, job):
        """Returns the calls of a verb on a job that may have been applied."""
        return [call for call, answer in self.verbs[(op, job)] if answer in ("OK", None)]

    def first_ok_push(self, name):
        """Returns the earliest answered push of a name, or None."""
        answered = [push for push in self.pushes[name] if push.call.ok]
        return min(answered, key=lambda push: push.call.end, default=None)

    def last_renewal_start(self, lease):
        """Returns when the last call was sent that surely renewed a lease, or granted it."""
        calls = self.renewals[(lease.job, lease.token)]
        return max([lease.after] + [call.start for call in calls])
