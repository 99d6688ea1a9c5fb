"""Judges jobs: none lost, none out of nothing, none twice, all at an end that something explains."""

from collections import defaultdict

from evidence import FINISHED

KEEP_MS_LONG = 600_000  # Longer than any campaign: such a job must be there in the end.
REASONS = {"attempt": "attempts", "retryable": "noretry", "died": "crashes", "crash": "crashes"}


def judge(evidence):
    """Yields (kind, text) for every breach."""
    for name, tries in evidence.pushes.items():
        yield from _lost(evidence, name, tries)
        yield from _refused_leaves_nothing(evidence, name, tries)
    yield from _out_of_nothing(evidence)
    yield from _twice(evidence)
    yield from _shared_keys(evidence)
    for call in evidence.calls:
        yield from _whole(evidence, call)
        if call.told.get("why") == "no answer":
            yield "no-answer", str(call)
    for job, record in evidence.records.items():
        if record is not None:
            yield from _end_explained(evidence, job, record)
            yield from _nothing_forgotten(evidence, job, record)
            yield from _same_again(evidence, job, record)
    for call in evidence.calls:
        if call.phase == "rejected" and call.op in ("push", "mpush", "cancel", "retry", "delete",
                                                    "get", "fetch", "beat", "pause", "resume"):
            yield from _known_code(call)


# Refusals that may be, by op; EXECABORT and ends of leases are judged elsewhere.
ALWAYS = {"OVERLOADED", "DISKFULL", "UNAVAILABLE", "SHUTTINGDOWN"}


def _known_code(call):
    code = call.told["code"]
    if code in ALWAYS or (code == "DUPLICATE" and call.asked.get("ondup") == "error"):
        return
    yield "unexpected-error", f"{call}: {call.told['text']}"


def _may_be_gone(evidence, job, tries):
    """Tells whether a job may have no record: deleted, or ended and kept for its time."""
    if evidence.maybe_verb("delete", job):
        return True
    if not is_forgettable(tries):
        return False
    ended = any(ending.kind in ("ack", "fail") and ending.maybe
                for lease in evidence.leases[job]
                for ending in evidence.endings[(job, lease.token)])
    return ended or bool(evidence.maybe_verb("cancel", job))


def is_forgettable(tries):
    """Tells whether a job, once at its end, may be forgotten during the campaign."""
    return any(push.spec.get("keep_ms", 0) < KEEP_MS_LONG for push in tries)


def _lost(evidence, name, tries):
    answered = {push.job for push in tries if push.call.ok and push.job}
    for job in answered:
        if evidence.records.get(job) is None and not _may_be_gone(evidence, job, tries):
            yield "lost", f"{name}: {job} was answered to {tries[0].call}, but is not there"
        for call, record in evidence.looks[job]:
            first = min(push.call.end for push in tries if push.job == job)
            if record is None and call.start > first and not _may_be_gone(evidence, job, tries):
                yield "lost", f"{name}: {call} did not find {job}"


def _seen_names(evidence):
    """Returns {name: ids} of all jobs that surely were in the store under that name."""
    seen = defaultdict(set)
    for job, leases in evidence.leases.items():
        for lease in leases:
            seen[lease.fields["name"]].add(job)
    for job, record in evidence.records.items():
        if record is not None:
            seen[record["name"]].add(job)
    return seen


def _refused_leaves_nothing(evidence, name, tries):
    if any(push.call.maybe for push in tries):
        return
    key = tries[0].spec.get("key")
    if key and key.startswith("own-") and evidence.keys.get(key):
        yield "unexpected-job", f"{name} was refused ({tries[0].call}), but its key is there"


def _out_of_nothing(evidence):
    crcs = {(name, push.spec["crc"]) for name, tries in evidence.pushes.items() for push in tries}
    maybe = {name for name, tries in evidence.pushes.items()
             if any(push.call.maybe for push in tries)}
    found = [(job, lease.fields) for job, leases in evidence.leases.items() for lease in leases]
    found += [(job, record) for job, record in evidence.records.items() if record is not None]
    for job, fields in found:
        if fields["name"] not in maybe:
            yield "unexpected-job", f"{job} is {fields['name']}, which nobody pushed"
        elif (fields["name"], fields["crc"]) not in crcs:
            yield "unexpected-job", f"{job}: the args of {fields['name']} are not as pushed"


def _twice(evidence):
    ids = _seen_names(evidence)
    for name, tries in evidence.pushes.items():
        if not any("ondup" in push.spec for push in tries):
            ids[name] |= {push.job for push in tries if push.job}
    for name, found in ids.items():
        if len(found) > 1:
            yield "duplicate", f"{name} is {sorted(found)}"
    for job, names in evidence.names_of.items():
        keys = {push.spec.get("key") for name in names for push in evidence.pushes[name]}
        if len(names) > 1 and (len(keys) > 1 or keys == {None}):
            yield "duplicate", f"{job} was answered for {sorted(names)}"


def _shared_keys(evidence):
    holders = defaultdict(set)
    makers = defaultdict(set)
    for name, tries in evidence.pushes.items():
        for push in tries:
            if "ondup" not in push.spec:
                continue
            key = push.spec["key"]
            if push.job:
                holders[key].add(push.job)
            if push.created == 1:
                makers[key].add(name)
            if push.call.phase == "rejected" and push.call.told["code"] == "DUPLICATE":
                holders[key].add(push.call.told["text"].split()[1])
    for key, found in holders.items():
        if len(found) > 1:
            yield "duplicate", f"key {key} was held by {sorted(found)}"
    for key, names in makers.items():
        if len(names) > 1:
            yield "duplicate", f"key {key} was made by {sorted(names)}"


def _whole(evidence, call):
    """A batch or a transaction is there wholly or not at all."""
    if call.op not in ("mpush", "exec"):
        return
    items = call.asked["items"] if call.op == "mpush" else [
        member for member in call.asked["members"] if member["op"] == "push"]
    keys = [item["key"] for item in items if item.get("key", "").startswith("own-")]
    there = [bool(evidence.keys.get(key)) for key in keys]
    if len(set(there)) > 1 or (there and call.ok and not there[0]) or (
            there and not call.maybe and there[0]):
        yield "partial", f"{call} ({call.phase}): of {len(keys)} items {sum(there)} are there"
    if call.op == "exec" and there and call.maybe:
        yield from _acks_of(evidence, call, there[0])


def _acks_of(evidence, call, pushed):
    for member in call.asked["members"]:
        if member["op"] != "ack":
            continue
        job = member["job"]
        record = evidence.records.get(job)
        if record is None or evidence.maybe_verb("retry", job):
            continue
        fences = {lease.token: lease.fence for lease in evidence.leases[job]}
        acked = record["state"] == "succeeded" and record["fence"] == fences.get(member["token"])
        if pushed and not acked:
            yield "partial", f"{call}: its push is there, its ack of {job} is not"
        if not pushed and record.get("result") == member["result"]:
            yield "partial", f"{call}: its ack of {job} is there, its push is not"


def reason_of(record):
    """Returns why a job is dead: attempts, noretry or crashes; else the text itself."""
    text = record.get("reason") or ""
    return next((reason for word, reason in REASONS.items() if word in text), text)


def _end_explained(evidence, job, record):
    state = record["state"]
    if state not in FINISHED:
        yield "limbo", f"{job} ({record['name']}) is {state} after all was drained"
    elif state == "succeeded":
        yield from _succeeded(evidence, job, record)
    elif state == "cancelled" and not evidence.maybe_verb("cancel", job):
        yield "wrong-end", f"{job} is cancelled, but nobody cancelled it"
    elif state == "expired" and "expire_ms" not in evidence.pushes[record["name"]][0].spec:
        yield "wrong-end", f"{job} is expired, but had no EXPIRE"
    elif state == "dead":
        yield from _dead(evidence, job, record)
    cancelled = any(answer == "OK" for _, answer in evidence.verbs[("cancel", job)])
    if cancelled and state != "cancelled" and not evidence.maybe_verb("retry", job):
        yield "run-after-cancel", f"{job} was cancelled, but is {state}"


def _succeeded(evidence, job, record):
    results = {ending.asked.get("result") for lease in evidence.leases[job]
               if lease.fence == record["fence"]
               for ending in evidence.endings[(job, lease.token)]
               if ending.kind == "ack" and ending.maybe}
    if not results:
        yield "wrong-end", f"{job} succeeded with fence {record['fence']}, but nobody acked that"
    elif record.get("result") not in results:
        yield "wrong-end", f"{job}: result {record.get('result')!r} is not one of {results}"


def _last_lease(evidence, job, record):
    """Returns the last lease of a job if a worker saw it, else None."""
    leases = evidence.leases[job]
    return leases[-1] if leases and leases[-1].fence == record["fence"] else None


def _dead(evidence, job, record):
    reason = reason_of(record)
    endings = [ending for lease in evidence.leases[job]
               for ending in evidence.endings[(job, lease.token)]
               if ending.kind == "fail" and ending.maybe]
    if reason == "attempts":
        if record["attempt"] < record["max_attempts"]:
            yield "dead-too-early", (f"{job} is dead with attempt {record['attempt']} of "
                                     f"{record['max_attempts']}")
    elif reason == "noretry":
        if not any(ending.asked.get("noretry") for ending in endings):
            yield "dead-too-early", f"{job} is dead without retry, but nobody said NORETRY"
    elif reason == "crashes":
        yield from _dead_by_crash(evidence, job, record)
    else:
        yield "wrong-end", f"{job} is dead for an unknown reason: {reason!r}"


def _dead_by_crash(evidence, job, record):
    if record["crashes"] < record["max_crashes"]:
        yield "innocent-dead", (f"{job} is dead after {record['crashes']} of "
                                f"{record['max_crashes']} crashes")
    last = _last_lease(evidence, job, record)
    if last is not None and not last.alone:
        yield "innocent-dead", f"{job} is dead by a crash in company: {last}"


def _nothing_forgotten(evidence, job, record):
    """What was told must still be true, or have gone on from there."""
    leases = evidence.leases[job]
    if leases and leases[-1].fence > record["fence"]:
        yield "forgotten", f"{job} has fence {record['fence']}, but {leases[-1]} was given"
    for call, look in evidence.looks[job]:
        if look and (look["fence"] > record["fence"] or look["generation"] > record["generation"]):
            yield "forgotten", f"{call} told more of {job} than is there now"
    if evidence.maybe_verb("retry", job):
        return
    for lease in leases:
        for ending in evidence.endings[(job, lease.token)]:
            if ending.answer != "OK":
                continue
            state = "succeeded" if ending.kind == "ack" else ending.call.told.get("state")
            if ending.kind in ("ack", "fail") and state in FINISHED and state != record["state"]:
                yield "forgotten", f"{ending.call} made {job} {state}, but it is {record['state']}"


def _same_again(evidence, job, record):
    """A restart in good order changes nothing."""
    if not evidence.records_again or is_forgettable(evidence.pushes[record["name"]]):
        return
    again = evidence.records_again.get(job)
    if again is None or any(again[field] != record[field]
                            for field in ("state", "fence", "attempt", "generation", "crc")):
        yield "forgotten", f"{job} was {record['state']}, after a restart it is {again}"
