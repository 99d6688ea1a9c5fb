#!/usr/bin/python3
"""Queries, operations and events, through redis-py, over a kill -9 in the middle of one."""

import json

import redis
from report import HOST, PORT, equal, restart_server, run

client = redis.Redis(HOST, PORT)
call = client.execute_command
JOBS = 6_000
BLOCK_MS = 30_000


def record(flat):
    """The flat list of fields and values that RESP 2 makes of a map."""
    return {field.decode(): value for field, value in zip(flat[::2], flat[1::2])}


def push_many(queue, count, kind="Send"):
    pipeline = client.pipeline(transaction=False)
    for number in range(count):
        pipeline.execute_command("JOB.PUSH", queue, kind, json.dumps({"user": {"id": number}}),
                                 "META", 1, "tag", "even" if number % 2 == 0 else "odd")
    return pipeline.execute()


def ids_of(query, count=500):
    """All ids that a query picks, page by page."""
    ids, cursor, pages = [], None, 0
    while True:
        where = ["WHERE", query] if query else []
        at = ["CURSOR", cursor] if cursor else []
        page = record(call("JOB.LIST", *where, *at, "COUNT", count))
        ids += [record(job)["id"] for job in page["jobs"]]
        pages += 1
        cursor = page.get("cursor")
        if cursor is None:
            return ids, pages


def wait_for(operation):
    return record(call("OP.WAIT", operation, "BLOCK", BLOCK_MS))


def refusal(*words):
    try:
        return "no error: " + repr(call(*words))
    except redis.ResponseError as error:
        return str(error)


def lists():
    pushed = push_many("list", JOBS)
    ids, pages = ids_of("queue:list")
    equal(ids, pushed[::-1])
    assert pages >= JOBS // 500
    equal(ids_of("queue:list tag:even")[0], pushed[::-2][::1] if JOBS % 2 else pushed[-2::-2])
    equal(ids_of("queue:list args.user.id:42")[0], [pushed[42]])
    equal(ids_of(f"id:{pushed[3].decode()},{pushed[5].decode()}")[0], [pushed[5], pushed[3]])
    equal(ids_of("queue:nothing")[0], [])
    equal(call("JOB.COUNT", "WHERE", "queue:list state:ready"), JOBS)
    equal(call("JOB.COUNT", "WHERE", "queue:li* tag:odd"), JOBS // 2)
    equal(call("JOB.COUNT"), JOBS)
    job = record(record(call("JOB.LIST", "COUNT", 1))["jobs"][0])
    equal([job["queue"], job["type"], job["state"]], [b"list", b"Send", b"ready"])


def wrong_queries():
    for words, part in ((("JOB.LIST", "WHERE", "queu:x"), "did you mean queue?"),
                        (("JOB.COUNT", "WHERE", "age:1h"), "is no age"),
                        (("JOB.DELETE", "WHERE", ""), "give state:*"),
                        (("JOB.LIST", "COUNT", 0), "is not within 1 to 1000"),
                        (("JOB.EDIT", "WHERE", "state:*"), "say what is to change"),
                        (("JOB.EDIT", "PRIORITY", 1), "give an id, or WHERE"),
                        (("JOB.EDIT", "PRIORITY", 10, "WHERE", "state:*"), "is not within 0 to 9"),
                        (("OP.GET", "op-999"), "there is no operation"),
                        (("QUEUE.PURGE", "no-such-queue"), "there is no queue")):
        assert part in refusal(*words), refusal(*words)


def operations():
    push_many("ops", 3_000)
    dry = record(call("JOB.CANCEL", "WHERE", "queue:ops tag:even", "DRYRUN"))
    equal(dry, {"matched": 1_500})
    started = record(call("JOB.CANCEL", "WHERE", "queue:ops tag:even"))
    equal(started["matched"], 1_500)
    done = wait_for(started["op"])
    equal([done["state"], done["done"], done["skipped"]], [b"done", 1_500, 0])
    equal(call("JOB.COUNT", "WHERE", "queue:ops state:cancelled"), 1_500)
    retried = wait_for(record(call("JOB.RETRY", "WHERE", "queue:ops", "LIMIT", 100))["op"])
    equal(retried["done"], 100)
    equal(call("JOB.COUNT", "WHERE", "queue:ops state:ready"), 1_600)
    equal(record(call("OP.LIST")[0])["op"], retried["op"])
    slow = record(call("JOB.DELETE", "WHERE", "queue:ops", "RATE", 1))["op"]
    equal(call("OP.CANCEL", slow), b"OK")
    equal(wait_for(slow)["state"], b"cancelled")
    assert "not for MULTI" in refused_in_multi("JOB.CANCEL", "WHERE", "queue:ops")


def refused_in_multi(*words):
    call("MULTI")
    said = refusal(*words)
    call("DISCARD")
    return said


def over_a_kill():
    push_many("killed", JOBS)
    started = record(call("JOB.CANCEL", "WHERE", "queue:killed tag:odd"))
    restart_server()
    done = wait_for(started["op"])
    equal([done["state"], done["done"], done["skipped"]], [b"done", JOBS // 2, 0])
    stats = record(call("QUEUE.STATS", "killed"))
    equal([stats["cancelled"], stats["ready"]], [JOBS // 2, JOBS // 2])


def edits():
    pushed = push_many("edits", 1_000)
    lease = record(call("JOB.FETCH", "w", "QUEUES", 1, "edits")[0])
    equal(record(call("JOB.EDIT", "QUEUE", "none", "WHERE", "queue:edits", "DRYRUN")),
          {"matched": 999})
    equal(call("JOB.COUNT", "WHERE", "queue:none"), 0)
    started = record(call("JOB.EDIT", "PRIORITY", 9, "ARGS", "new", "WHERE", "queue:edits tag:odd",
                          "LIMIT", 400))
    done = wait_for(started["op"])
    equal([started["matched"], done["verb"], done["changes"], done["done"], done["skipped"]],
          [400, b"edit", b"PRIORITY 9 ARGS", 400, 0])
    equal(call("JOB.COUNT", "WHERE", "queue:edits priority:9"), 400)
    job = record(call("JOB.GET", pushed[1]))
    equal([job["priority"], job["args"], job["state"]], [9, b"new", b"ready"])
    equal(record(call("JOB.GET", lease["id"]))["priority"], 5)
    later = wait_for(record(call("JOB.EDIT", "DELAY", 3_600_000, "WHERE", "queue:edits"))["op"])
    equal(later["done"], 999)
    equal(call("JOB.COUNT", "WHERE", "queue:edits state:scheduled"), 999)
    assert "not for MULTI" in refused_in_multi("JOB.EDIT", "PRIORITY", 1, "WHERE", "queue:edits")
    slow = record(call("JOB.EDIT", "PRIORITY", 1, "WHERE", "queue:edits", "RATE", 1))["op"]
    equal(call("OP.CANCEL", slow), b"OK")
    equal(wait_for(slow)["state"], b"cancelled")


def an_edit_over_a_kill():
    push_many("move", JOBS)
    started = record(call("JOB.EDIT", "QUEUE", "moved", "PRIORITY", 1, "WHERE", "queue:move tag:odd"))
    restart_server()
    done = wait_for(started["op"])
    equal([done["state"], done["done"], done["skipped"], done["changes"]],
          [b"done", JOBS // 2, 0, b"QUEUE moved PRIORITY 1"])
    equal([record(call("QUEUE.STATS", name))["ready"] for name in ("move", "moved")],
          [JOBS // 2, JOBS // 2])
    equal(call("JOB.COUNT", "WHERE", "queue:moved priority:1 tag:odd"), JOBS // 2)


def queues_go():
    push_many("gone", 2_000)
    call("JOB.FETCH", "w", "QUEUES", 1, "gone")
    purged = wait_for(record(call("QUEUE.PURGE", "gone"))["op"])
    equal(purged["done"], 1_999)
    assert "state=running" in refusal("QUEUE.DELETE", "gone")
    running = record(record(call("JOB.LIST", "WHERE", "queue:gone"))["jobs"][0])["id"]
    call("JOB.CANCEL", "FORCE", "IDS", 1, running)
    equal(wait_for(record(call("QUEUE.DELETE", "gone"))["op"])["done"], 1)
    assert b"gone" not in call("QUEUE.LIST")
    restart_server()
    assert b"gone" not in call("QUEUE.LIST")
    push_many("gone", 1)
    assert b"gone" in call("QUEUE.LIST")


def events():
    place = record(call("EVENT.READ", "$"))["cursor"]
    push_many("watched", 3)
    page = record(call("EVENT.READ", place, "BLOCK", BLOCK_MS, "COUNT", 2))
    told = [json.loads(event) for event in page["events"]]
    equal([(event["event"], event["queue"]) for event in told], [("pushed", "watched")] * 2)
    rest = record(call("EVENT.READ", page["cursor"]))
    equal(len(rest["events"]), 1)
    assert "gap" not in rest
    restart_server()
    later = record(call("EVENT.READ", rest["cursor"]))
    equal([later["gap"], later["events"]], [1, []])
    assert "none that EVENT.READ answered" in refusal("EVENT.READ", "yesterday")


run([("lists", lists), ("wrong queries", wrong_queries), ("operations", operations),
     ("operations over a kill", over_a_kill), ("edits", edits),
     ("an edit over a kill", an_edit_over_a_kill), ("queues that go", queues_go), ("events", events)])
