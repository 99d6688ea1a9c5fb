"""Judges leases: at most one at a time, none after the end, none too early, none too many."""

from evidence import FINISHED

# Clocks are compared in whole milliseconds by the server; over a restart its engine clock is carried
# on by the wall clock.
TOLERANCE_S = 0.05
REPEAT_S = 60.0  # For this long a repeated terminal command gets the same answer.
# Codes that say nothing of the lease: the command was not looked at.
BUSY_CODES = {"OVERLOADED", "DISKFULL", "UNAVAILABLE", "SHUTTINGDOWN", "EXECABORT"}
GONE_CODES = {"LEASELOST", "GONE", "NOTFOUND", "CANCELLED", "BADSTATE"}


def judge(evidence):
    """Yields (kind, text) for every breach."""
    for job, leases in evidence.leases.items():
        yield from _fences(job, leases)
        yield from _budget(job, leases)
        for earlier, later in zip(leases, leases[1:]):
            if earlier.fence != later.fence:
                yield from _succession(evidence, earlier, later)
        yield from _stale(evidence, job, leases)
        yield from _after_cancel(evidence, job, leases)
        yield from _after_look(evidence, job, leases)
        yield from _company(evidence, job, leases)
        yield from _early(evidence, job, leases)
    tokens = {(lease.job, lease.token): lease for leases in evidence.leases.values()
              for lease in leases}
    for (job, token), endings in evidence.endings.items():
        yield from _answers(evidence, job, token, endings)
        yield from _refused(evidence, tokens.get((job, token)), endings)
        if (job, token) not in tokens:
            yield from _foreign(job, endings)


def _fences(job, leases):
    for earlier, later in zip(leases, leases[1:]):
        if earlier.fence == later.fence:
            yield "overlapping-leases", f"{earlier} and {later} have one fence"
    if leases and leases[0].fence < 1:
        yield "overlapping-leases", f"{job}: fence {leases[0].fence} was given"


def _budget(job, leases):
    for lease in leases:
        if lease.attempt > lease.fields["max_attempts"]:
            yield "too-many-attempts", (f"{job}: attempt {lease.attempt} of "
                                        f"{lease.fields['max_attempts']}: {lease}")


def retried_between(evidence, job, start, end):
    """Tells whether a RETRY may have been applied between two times."""
    return any(call.end >= start and call.start <= end
               for call in evidence.maybe_verb("retry", job))


def explanation(evidence, earlier, later):
    """Returns why a job could be leased again; None when nothing explains it."""
    if retried_between(evidence, earlier.job, earlier.after, later.before):
        return "retry"
    for ending in evidence.endings[(earlier.job, earlier.token)]:
        if ending.kind != "ack" and ending.maybe and ending.call.start <= later.before:
            return ending.kind
    renewed = evidence.last_renewal_start(earlier)
    if later.before >= renewed + earlier.lease_s - TOLERANCE_S:
        return "expiry"
    return None


def _succession(evidence, earlier, later):
    """Judges a lease and the next one that was seen of the same job."""
    why = explanation(evidence, earlier, later)
    if why is None:
        yield "unexplained-duplicate", f"{earlier} was neither ended nor due when {later} was given"
    endings = evidence.endings[(earlier.job, earlier.token)]
    for ending in endings:
        # A repeat is answered like the try that counted, which may be one without an answer.
        since = min(other.call.start for other in endings
                    if other.kind == ending.kind and (other.maybe or other is ending))
        yield from _end_is_end(evidence, ending, since, later)
    if why != "retry":
        yield from _attempt_grows(evidence, earlier, later)
    if why in ("fail", "release"):
        yield from _delay_kept(evidence, earlier, later)


def _end_is_end(evidence, ending, since, later):
    if ending.answer != "OK":
        return
    told = ending.call.told
    final = ending.kind == "ack" or (ending.kind == "fail" and told.get("state") in FINISHED)
    if final and not retried_between(evidence, later.job, since, later.before):
        yield "run-after-ack", f"{later} was given after {ending.kind} of {ending.call} was OK"


def _attempt_grows(evidence, earlier, later):
    endings = evidence.endings[(earlier.job, earlier.token)]
    refund = any(ending.kind in ("release", "bye") and ending.maybe for ending in endings)
    if later.attempt < earlier.attempt + (0 if refund else 1):
        yield "attempt-not-counted", (f"attempt {earlier.attempt} of {earlier}, then "
                                      f"{later.attempt} of {later}")
    if later.attempt - earlier.attempt > later.fence - earlier.fence:
        yield "attempt-not-counted", f"{earlier}, {later}: more attempts than leases"


def _delay_kept(evidence, earlier, later):
    """A job that failed or was given back with a delay must not run before it."""
    endings = [ending for ending in evidence.endings[(earlier.job, earlier.token)] if ending.maybe]
    kinds = {ending.kind for ending in endings}
    if len(kinds) != 1:
        return
    first = min(endings, key=lambda ending: ending.call.start)
    if first.kind == "fail":
        delay_ms = first.asked.get("retryin_ms")
        if delay_ms is None:
            delay_ms = spec_of(evidence, later).get("backoff_min_ms", 0)
    else:
        delay_ms = first.asked.get("delay_ms", 0)
    # The lease may have run out before: then the job came back by that way.
    if not any(ending.answer == "OK" for ending in endings):
        return
    if later.before < first.call.start + delay_ms / 1000 - TOLERANCE_S:
        yield "early", f"{later} came before the {delay_ms} ms that {first.call} asked for"


def spec_of(evidence, lease):
    tries = evidence.pushes.get(lease.fields["name"])
    return tries[0].spec if tries else {}


def _stale(evidence, job, leases):
    """A token is worth nothing once a later lease was seen."""
    later_seen = float("inf")
    for lease in reversed(leases):
        key = (job, lease.token)
        first_try = {}
        for ending in evidence.endings[key]:
            if ending.maybe:
                first_try.setdefault(ending.kind, ending.call.start)
            fresh = first_try.get(ending.kind, later_seen) > later_seen
            if ending.answer == "OK" and fresh:
                yield "stale-token", f"{ending.call}: {ending.kind} was OK for an old {lease}"
        for call in evidence.renewals[key]:
            if call.start > later_seen:
                yield "stale-token", f"{call} renewed an old {lease}"
        later_seen = min(later_seen, lease.before)


def _foreign(job, endings):
    for ending in endings:
        if ending.answer == "OK":
            yield "stale-token", f"{ending.call}: {ending.kind} of {job} with another job's token"


def _after_cancel(evidence, job, leases):
    for call, answer in evidence.verbs[("cancel", job)]:
        if answer != "OK":
            continue
        for lease in leases:
            if lease.after > call.end and not retried_between(evidence, job, call.start,
                                                              lease.before):
                yield "run-after-cancel", f"{lease} was given after {call} was OK"
            first_ack = {}
            for ending in evidence.endings[(job, lease.token)]:
                first_ack.setdefault(ending.kind, ending.call.start)
                if ending.kind == "ack" and ending.answer == "OK" and (
                        first_ack["ack"] > call.end) and not retried_between(
                            evidence, job, call.start, ending.call.end):
                    yield "run-after-cancel", f"{ending.call}: ack was OK after {call} was OK"


def _after_look(evidence, job, leases):
    """What JOB.GET once told as finished must not run again."""
    for call, record in evidence.looks[job]:
        if record is None or record["state"] not in FINISHED:
            continue
        for lease in leases:
            if lease.after > call.end and not retried_between(evidence, job, call.start,
                                                              lease.before):
                yield "run-after-ack", f"{lease} came after {call} told {record['state']}"


def _company(evidence, job, leases):
    """From its second crash on a job is leased alone."""
    record = evidence.records.get(job)
    if not record or len(record["history"]) >= 32:
        return
    history = {entry["fence"]: entry for entry in record["history"]}
    for lease in leases:
        entry = history.get(lease.fence)
        if entry is None:
            continue
        crashes = sum(other["outcome"] == "lost" and other["fence"] < lease.fence
                      and other["generation"] == entry["generation"] for other in history.values())
        if crashes >= 2 and not lease.alone:
            yield "suspect-in-company", f"{lease} after {crashes} crashes was not alone"


def _early(evidence, job, leases):
    """DELAY and AT, judged on the first lease that was seen."""
    if not leases:
        return
    lease = min(leases, key=lambda one: one.before)
    tries = evidence.pushes.get(lease.fields["name"])
    if not tries or retried_between(evidence, job, 0, lease.before):
        return
    spec = tries[0].spec
    pushed = min(push.call.start for push in tries)
    if lease.before < pushed + spec.get("delay_ms", 0) / 1000 - TOLERANCE_S:
        yield "early", f"{lease} came before the {spec['delay_ms']} ms of its DELAY"
    if "at_ms" in spec and lease.before + wall_offset(evidence) < (
            spec["at_ms"] / 1000 - TOLERANCE_S):
        yield "early", f"{lease} came before its AT {spec['at_ms']}"


def wall_offset(evidence):
    """Returns wall time minus monotonic time, as the rig saw it."""
    for line in evidence.faults:
        if line["op"] == "clock":
            return line["wall"] - line["t_mono"]
    return float("inf")


def _answers(evidence, job, token, endings):
    """A repeated command gets the same answer."""
    for kind in ("ack", "fail", "release"):
        tries = [ending for ending in endings if ending.kind == kind
                 and ending.answer not in BUSY_CODES]
        known = [ending for ending in tries if ending.answer is not None]
        if not known:
            continue
        first = known[0]
        for other in known[1:]:
            if other.call.start > first.call.start + REPEAT_S:
                continue
            same = first.answer == other.answer
            if same and kind == "fail" and first.answer == "OK":
                same = all(first.call.told.get(field) == other.call.told.get(field)
                           for field in ("state", "attempt"))
            if not same:
                yield "answer-changed", (f"{first.call}: {first.answer}, then {other.call}: "
                                         f"{other.answer} for {kind} of {job}")
        yield from _applied_but_refused(evidence, job, tries, first)


def _applied_but_refused(evidence, job, tries, first):
    record = evidence.records.get(job)
    if record is None or first.kind != "ack" or first.answer == "OK":
        return
    for unknown in tries:
        if unknown.answer is None and unknown.call.start < first.call.start and (
                unknown.asked.get("result") == record.get("result")) and (
                first.call.start < unknown.call.start + REPEAT_S):
            yield "answer-changed", (f"{unknown.call} was applied, but its repeat {first.call} "
                                     f"got {first.answer}")


def _refused(evidence, lease, endings):
    """The first try to end a valid lease must not be refused."""
    if lease is None:
        return
    for position, ending in enumerate(endings):
        code = ending.answer
        if code in ("OK", None) or code in BUSY_CODES:
            continue
        if code not in GONE_CODES:
            yield "unexpected-error", f"{ending.call}: {ending.kind} got {code}"
            continue
        cancelled = any(call.start <= ending.call.end
                        for call in evidence.maybe_verb("cancel", lease.job))
        if code == "CANCELLED" and not cancelled:
            yield "unexpected-error", f"{ending.call} got CANCELLED, but nobody cancelled"
        others = any(other.maybe for other in endings[:position])
        deleted = any(call.start <= ending.call.end
                      for call in evidence.maybe_verb("delete", lease.job))
        renewed = evidence.last_renewal_start(lease)
        due = ending.call.end >= renewed + lease.lease_s - TOLERANCE_S
        if not (cancelled or others or deleted or due):
            yield "lease-lost-early", f"{ending.call}: {code}, but {lease} was not due"
