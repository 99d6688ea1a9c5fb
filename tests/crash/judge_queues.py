"""Judges queues: order, priority, pauses, and that the counts add up."""

import bisect
from collections import defaultdict


def judge(evidence):
    """Yields (kind, text) for every breach."""
    yield from _order(evidence)
    yield from _priority(evidence)
    yield from _paused(evidence)
    yield from _conserved(evidence)
    for line in evidence.faults:
        if line["op"] in ("start_refused", "bad_exit"):
            yield line["op"].replace("_", "-"), f"exit {line['exit']}: {line['text']}"


def _first_leases(evidence):
    """Yields (queue, priority, first try, earliest OK answer, lease) of jobs ready at once.

    Only fence 1 counts: then nothing happened to the job between its push and this lease.
    """
    for leases in evidence.leases.values():
        lease = leases[0]
        tries = evidence.pushes.get(lease.fields["name"])
        if lease.fence != 1 or not tries:
            continue
        spec = tries[0].spec
        answered = [push.call.end for push in tries if push.call.ok]
        if answered and not spec.get("delay_ms") and "at_ms" not in spec and "ondup" not in spec:
            start = min(push.call.start for push in tries)
            yield spec["queue"], spec["priority"], start, min(answered), lease


def _order(evidence):
    """First in, first out, where one push was answered before the other was sent."""
    groups = defaultdict(list)
    for queue, priority, start, end, lease in _first_leases(evidence):
        groups[(queue, priority)].append((start, end, lease))
    for (queue, _), group in groups.items():
        # Those that came from a FETCH without TYPES could have been any job.
        free = sorted((entry for entry in group if not entry[2].call.asked["types"]),
                      key=lambda entry: entry[2].before)
        times = [entry[2].before for entry in free]
        youngest = []  # Of free[:i + 1], the one pushed last.
        for entry in free:
            youngest.append(max(entry, youngest[-1] if youngest else entry,
                                key=lambda one: one[0]))
        for _, end, lease in group:
            position = bisect.bisect_left(times, lease.after) - 1
            if position >= 0 and youngest[position][0] > end:
                yield "out-of-order", (f"{queue}: {youngest[position][2]} came before {lease}, "
                                       "which was pushed first")


def _priority(evidence):
    """While a job of higher priority was ready, none of a lower one was given."""
    leases = defaultdict(list)
    for job_leases in evidence.leases.values():
        for lease in job_leases:
            tries = evidence.pushes.get(lease.fields["name"])
            if tries and not lease.call.asked["types"]:
                leases[lease.fields["queue"]].append((lease.after, tries[0].spec["priority"],
                                                      lease))
    for entries in leases.values():
        entries.sort(key=lambda entry: entry[0])
    for queue, priority, _, ready, lease in _first_leases(evidence):
        entries = leases[queue]
        position = bisect.bisect_right(entries, ready, key=lambda entry: entry[0])
        while position < len(entries) and entries[position][0] < lease.after:
            _, other, lower = entries[position]
            if other < priority and lower.before < lease.after:
                yield "out-of-order", f"{queue}: {lower} was given while {lease} waited"
                break
            position += 1


def _paused(evidence):
    """No lease is given between the answer of PAUSE and the next RESUME."""
    pauses = defaultdict(list)
    for call in sorted(evidence.calls, key=lambda one: one.start):
        if call.op == "pause" and call.ok:
            pauses[call.asked["queue"]].append([call.end, float("inf"), call])
        elif call.op == "resume" and pauses[call.asked["queue"]]:
            window = pauses[call.asked["queue"]][-1]
            window[1] = min(window[1], call.start)
    for leases in evidence.leases.values():
        for lease in leases:
            tries = evidence.pushes.get(lease.fields["name"], ())
            pushed = min((push.call.start for push in tries), default=0)
            after = max(lease.after, pushed)
            for start, end, call in pauses.get(lease.fields["queue"], ()):
                if after > start and lease.before < end:
                    yield "run-in-pause", f"{lease} was given after {call} was OK"


def _conserved(evidence):
    ids, unknown = _known_ids(evidence)
    for queue, counts in evidence.stats.items():
        here = ("waiting", "scheduled", "ready", "running", "succeeded_kept", "dead",
                "cancelled_kept", "expired_kept", "deleted", "retired")
        held = sum(counts.get(field, 0) for field in here)
        if counts["pushed"] != held:
            yield "not-conserved", f"{queue}: {counts['pushed']} pushed, {held} held: {counts}"
        known = len(ids[queue])
        if not known <= counts["pushed"] <= known + unknown[queue]:
            yield "not-conserved", (f"{queue}: {counts['pushed']} pushed, but {known} are known "
                                    f"and {unknown[queue]} may be")
        yield from _counters(evidence, queue, counts, ids[queue], unknown[queue])


def _known_ids(evidence):
    """Returns the ids of each queue, and how many unanswered pushes may be one more."""
    ids, unknown = defaultdict(set), defaultdict(int)
    for job, leases in evidence.leases.items():
        ids[leases[0].fields["queue"]].add(job)
    for job, record in evidence.records.items():
        if record is not None:
            ids[record["queue"]].add(job)
    seen = {lease.fields["name"] for leases in evidence.leases.values() for lease in leases}
    seen |= {record["name"] for record in evidence.records.values() if record is not None}
    for name, tries in evidence.pushes.items():
        spec = tries[0].spec
        made = [push for push in tries if push.job]
        if made and "ondup" not in spec:
            ids[spec["queue"]].add(made[0].job)
        elif name not in seen and any(push.call.maybe for push in tries):
            unknown[spec["queue"]] += 1
    return ids, unknown


def _counters(evidence, queue, counts, ids, unknown):
    dead = sum(1 for job in ids if (evidence.records.get(job) or {}).get("state") == "dead")
    if not dead <= counts["dead"] <= dead + unknown:
        yield "not-conserved", f"{queue}: {counts['dead']} dead by count, {dead} by record"
    started = sum(1 for job in ids for lease in evidence.leases.get(job, ())
                  if lease.fields["queue"] == queue)
    if started > counts["started"]:
        yield "not-conserved", f"{queue}: {counts['started']} started, {started} leases seen"
    acked = sum(any(ending.kind == "ack" and ending.answer == "OK"
                    for lease in evidence.leases.get(job, ())
                    for ending in evidence.endings[(job, lease.token)]) for job in ids)
    if acked > counts["succeeded"]:
        yield "not-conserved", f"{queue}: {counts['succeeded']} succeeded, {acked} were acked"
