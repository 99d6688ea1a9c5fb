"""What a history must hold to prove anything: a run below these minima is invalid, not passed."""

from collections import Counter

from evidence import INFINITE
from judge_leases import explanation

MINIMA = {
    "enqueues acked": 1000,
    "acks acked": 1000,
    "lease expiries": 10,
    "jobs expired": 10,
    "jobs dead": 10,
    "key hits": 10,
    "repeats answered": 10,
    "calls unknown": 1,
    "cancels": 10,
    "retries": 3,
    "pauses": 3,
    "transactions": 10,
    "segments trimmed": 1,
}
TOOK_EFFECT_PERCENT_MIN = 80
IN_FLIGHT_PERCENT_MIN = 30


def count(evidence):
    """Returns a Counter of what happened."""
    seen = Counter()
    for call in evidence.calls:
        if call.phase == "unknown":
            seen["calls unknown"] += 1
        if call.phase == "rejected" and call.op in ("push", "mpush"):
            seen["pushes refused: " + call.told["code"]] += 1
        if call.ok and call.op == "pause":
            seen["pauses"] += 1
        if call.ok and call.op == "exec":
            seen["transactions"] += 1
    for tries in evidence.pushes.values():
        answered = sum(push.call.ok for push in tries)
        seen["enqueues acked"] += min(answered, 1)
        seen["repeats answered"] += max(answered - 1, 0)
        seen["key hits"] += sum(_hit(push) for push in tries)
    for endings in evidence.endings.values():
        seen["acks acked"] += any(end.kind == "ack" and end.answer == "OK" for end in endings)
    for op, name in (("cancel", "cancels"), ("retry", "retries"), ("delete", "deletes")):
        seen[name] += sum(answer == "OK" for key, verbs in evidence.verbs.items()
                          if key[0] == op for _, answer in verbs)
    for record in evidence.records.values():
        if record is not None:
            seen["jobs " + record["state"]] += 1
    _count_leases(evidence, seen)
    _count_faults(evidence, seen)
    return seen


def _hit(push):
    if "ondup" not in push.spec:
        return False
    return push.created == 0 or push.call.told.get("code") == "DUPLICATE"


def _count_leases(evidence, seen):
    for leases in evidence.leases.values():
        seen["leases"] += len(leases)
        seen["jobs run"] += 1
        for earlier, later in zip(leases, leases[1:]):
            why = explanation(evidence, earlier, later) or "nothing"
            seen[f"run again after {why}"] += 1
            seen["lease expiries"] += why == "expiry"


def _count_faults(evidence, seen):
    # Blocked fetches wait for jobs, not for the disk, and do not count.
    lost = [call for call in evidence.calls if call.op != "fetch" and call.end == INFINITE]
    trimmed = 0
    for line in evidence.faults:
        if line["op"] == "term":
            seen["stops in order"] += 1
        if line["op"] not in ("kill", "cut", "fail", "power_cut"):
            continue
        seen[line["op"] + "s"] += 1
        seen["faults"] += 1
        seen["faults that took effect"] += bool(line["took_effect"])
        seen["ends before ready"] += not line["ready"]
        trimmed = max(trimmed, line["segments_trimmed"])
        if line["op"] in ("kill", "power_cut"):
            # Sent to this life of the server, and given up only after it.
            seen[line["op"] + "s in flight"] += any(
                line["started"] < call.start < line["moment"] < call.told.get("t_mono", 0)
                for call in lost)
    seen["segments trimmed"] += trimmed


def shortfalls(seen):
    """Returns what is missing, as texts; empty when the run proves something."""
    missing = [f"{name}: {seen[name]} of {minimum}" for name, minimum in MINIMA.items()
               if seen[name] < minimum]
    for part, whole, percent in (
            ("faults that took effect", "faults", TOOK_EFFECT_PERCENT_MIN),
            ("kills in flight", "kills", IN_FLIGHT_PERCENT_MIN),
            ("power_cuts in flight", "power_cuts", IN_FLIGHT_PERCENT_MIN)):
        if seen[part] * 100 < seen[whole] * percent:
            missing.append(f"{part}: {seen[part]} of {seen[whole]}, {percent} % are needed")
    if seen["faults"] == 0:
        missing.append("there was no fault at all")
    return missing
