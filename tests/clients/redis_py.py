#!/usr/bin/python3
"""redis-py (Debian's, RESP 2) as a client of Dray."""

import json
import threading
import time

import redis
from report import HOST, NASTY, PORT, TOKEN, TOKEN_PORT, equal, restart_server, run

client = redis.Redis(HOST, PORT, client_name="life")
call = client.execute_command


def record(flat):
    """The flat list of fields and values that RESP 2 makes of a map."""
    return {field.decode(): value for field, value in zip(flat[::2], flat[1::2])}


def fetch(queue, *options, through=call):
    return [record(lease) for lease in
            through("JOB.FETCH", "py", *options, "QUEUES", 1, queue)]


def fetch_one(queue, *options):
    leases = fetch(queue, *options)
    equal(len(leases), 1)
    return leases[0]


def refusal(*words):
    try:
        return "no error: " + repr(call(*words))
    except redis.ResponseError as error:
        return str(error)


def connect():
    equal(client.ping(), True)
    equal(client.client_getname(), "life")
    assert client.client_id() > 0
    assert client.info()["redis_version"]
    equal(client.info()["loading"], 0)
    equal(client.config_get("appendfsync"), {"appendfsync": "always"})
    assert client.time()[0] > 1_600_000_000
    assert client.command_count() > 30


def push_and_fetch():
    before = call("JOB.PUSH", "life", "Send", '{"to":1}', "PRIORITY", 7, "META", 1, "trace", "abc")
    equal(len(before), 13)
    lease = fetch_one("life")
    equal([lease[name] for name in ("id", "type", "args", "attempt", "priority", "meta")],
          [before, b"Send", b'{"to":1}', 1, 7, [b"trace", b"abc"]])
    token = lease["token"]
    beat = record(call("WORKER.BEAT", "py", "LEASES", 1, before, token))
    equal(beat, {"state": b"run", "cancel": [], "lost": []})
    equal(record(call("JOB.PROGRESS", before, token, '{"pct":50}'))["cancelled"], 0)
    equal(record(call("JOB.EXTEND", before, token, 60_000))["lease_ms"], 60_000)
    running = record(call("JOB.GET", before))
    equal([running["state"], running["progress"]], [b"running", b'{"pct":50}'])
    equal(call("JOB.ACK", before, token, "RESULT", "sent"), b"OK")
    equal(call("JOB.ACK", before, token, "RESULT", "sent"), b"OK")  # The same answer again.
    over = record(call("JOB.WAIT", 1, before, "BLOCK", 1000)[0])
    equal([over["state"], over["result"]], [b"succeeded", b"sent"])
    equal(call("JOB.GET", "key:nobody"), None)


def blocking_fetch():
    """Longer than the client's own time-out: such a fetch has a connection of its own."""
    waiter = redis.Redis(HOST, PORT, socket_timeout=None)
    got = []
    thread = threading.Thread(target=lambda: got.extend(
        fetch("blocked", "BLOCK", 20_000, through=waiter.execute_command)))
    thread.start()
    while client.info()["blocked_clients"] == 0:
        pass
    pushed = call("JOB.PUSH", "blocked", "T", "late")
    thread.join(10)
    equal([(lease["id"], lease["args"]) for lease in got], [(pushed, b"late")])
    equal(call("JOB.ACK", pushed, got[0]["token"]), b"OK")
    equal(fetch("blocked", "BLOCK", 10), [])


def fail_and_retry():
    pushed = call("JOB.PUSH", "retry", "T", "{}", "ATTEMPTS", 2)
    token = fetch_one("retry")["token"]
    failed = record(call("JOB.FAIL", pushed, token, "ValueError", "no luck", "RETRYIN", 0))
    equal([failed["state"], failed["attempt"]], [b"ready", 1])
    second = fetch_one("retry", "BLOCK", 5_000)
    equal(second["attempt"], 2)
    call("JOB.FAIL", pushed, second["token"], "ValueError", "again", "TRACE", "line 1\nline 2")
    dead = record(call("JOB.GET", pushed))
    equal(dead["state"], b"dead")
    history = [record(entry) for entry in dead["history"]]
    equal([entry["message"] for entry in history], [b"no luck", b"again"])
    equal(call("JOB.RETRY", "IDS", 1, pushed), [b"OK"])
    third = fetch_one("retry", "BLOCK", 5_000)
    equal([third["attempt"], third["fence"]], [1, 3])
    equal(call("JOB.MACK", 1, pushed, third["token"], 1, "at last"), [b"OK"])


def queue_stats():
    stats = record(call("QUEUE.STATS", "retry"))
    equal([stats[name] for name in ("pushed", "started", "failed", "succeeded", "died", "ready")],
          [1, 3, 2, 1, 1, 0])
    assert b"retry" in call("QUEUE.LIST")


def pause_and_resume():
    equal(call("QUEUE.PAUSE", "pause", "REASON", "a test"), b"OK")
    pushed = call("JOB.PUSH", "pause", "T", "{}")
    equal(fetch("pause"), [])
    equal(record(call("QUEUE.STATS", "pause"))["paused"], 1)
    equal(call("QUEUE.RESUME", "pause"), b"OK")
    token = fetch_one("pause")["token"]
    equal(call("JOB.RELEASE", pushed, token), b"OK")
    again = fetch_one("pause")
    equal([again["id"], again["attempt"]], [pushed, 1])
    equal(call("WORKER.BYE", "py", "LEASES", 1, pushed, again["token"]), b"OK")
    equal(call("JOB.CANCEL", "IDS", 1, pushed), [b"OK"])
    equal(call("JOB.DELETE", "IDS", 1, pushed), [b"OK"])


def errors():
    pushed = call("JOB.PUSH", "errors", "T", "{}")
    token = fetch_one("errors")["token"].decode()
    stale = token[:-1] + ("0" if token[-1] != "0" else "1")
    assert refusal("JOB.ACK", pushed, stale).startswith("LEASELOST ")
    assert refusal("JOB.PUSH", "q", "T", "{}", "DELYA", 1).startswith("BADREQ field=OPTION ")
    assert "did you mean DELAY" in refusal("JOB.PUSH", "q", "T", "{}", "DELYA", 1)
    assert refusal("JOB.WHY", pushed).startswith("NOTYET ")
    assert refusal("NOSUCH", "a").startswith("unknown command 'NOSUCH'")
    assert "BullMQ cannot run" in refusal("LPUSH", "bull:mail:wait", 1)
    assert "Sidekiq cannot run" in refusal("LPUSH", "queue:default", 1)
    assert refusal("JOB.PUSH", "q").startswith("wrong number of arguments")
    assert refusal("JOB.PUSH", "q", "T", b"x" * (1 << 20) + b"y").startswith("TOOBIG ")
    assert refusal("SELECT", 3).startswith("DB index is out of range")
    equal(client.ping(), True)


def pipeline():
    pipe = client.pipeline(transaction=False)
    for number in range(1_000):
        pipe.execute_command("JOB.PUSH", "many", "T", number)
    ids = pipe.execute()
    equal(len(set(ids)), 1_000)
    equal(ids, sorted(ids))
    equal(record(call("QUEUE.STATS", "many"))["ready"], 1_000)
    leases = fetch("many", "COUNT", 1_000)
    equal([lease["args"] for lease in leases], [b"%d" % n for n in range(1_000)])
    done = client.execute_command("JOB.MACK", 1_000, *[
        word for lease in leases for word in (lease["id"], lease["token"], 0, "")])
    equal(done, [b"OK"] * 1_000)


def transaction():
    pushed = call("JOB.PUSH", "tx", "T", "{}")
    token = fetch_one("tx")["token"]
    pipe = client.pipeline()  # MULTI and EXEC.
    pipe.execute_command("JOB.ACK", pushed, token)
    pipe.execute_command("JOB.PUSH", "tx", "Next", "{}")
    answer = pipe.execute()
    equal([answer[0], len(answer[1])], [b"OK", 13])
    pipe.execute_command("JOB.PUSH", "tx", "Never", "{}")
    pipe.execute_command("JOB.ACK", answer[1], token)
    try:
        raise AssertionError(f"applied: {pipe.execute()}")
    except redis.exceptions.ExecAbortError as error:
        assert "index=1" in str(error), error
    equal(record(call("QUEUE.STATS", "tx"))["pushed"], 2)


def keys():
    """By redis-py's own methods, which know Redis' replies."""
    equal(client.set("py:k", "v", ex=100, nx=True), True)
    equal(client.set("py:k", "w", nx=True), None)
    equal(client.set("py:k", "w", keepttl=True, get=True), b"v")
    equal([client.get("py:k"), client.ttl("py:k")], [b"w", 100])
    equal(client.set("py:at", "v", pxat=int((time.time() + 60) * 1000)), True)
    assert 0 < client.pttl("py:at") <= 60_000, client.pttl("py:at")
    equal([client.persist("py:k"), client.ttl("py:k"), client.ttl("py:no")], [True, -1, -2])
    equal([client.expire("py:k", 5), client.pexpire("py:no", 5)], [True, False])
    equal([client.incr("py:n"), client.incrby("py:n", 9), client.decr("py:n", 3)], [1, 10, 7])
    assert refusal("INCR", "py:k") == "value is not an integer or out of range"
    equal(client.set(b"py:" + NASTY, NASTY), True)
    equal(client.mget("py:k", b"py:" + NASTY, "py:no"), [b"w", NASTY, None])
    equal(client.exists("py:k", "py:k", "py:no"), 2)
    equal(client.hset("py:h", mapping={"a": 1, "b": NASTY}), 2)
    equal(client.hgetall("py:h"), {b"a": b"1", b"b": NASTY})
    equal([client.hget("py:h", "a"), client.hmget("py:h", "a", "no"), client.hlen("py:h")],
          [b"1", [b"1", None], 2])
    equal([client.hincrby("py:h", "a", 4), client.hincrbyfloat("py:h", "a", 0.5)], [5, 5.5])
    equal([client.hexists("py:h", "b"), client.hdel("py:h", "b", "no")], [True, 1])
    equal([client.hkeys("py:h"), client.hvals("py:h"), client.hsetnx("py:h", "a", 0)],
          [[b"a"], [b"5.5"], 0])
    equal([client.type("py:h"), client.type("py:k"), client.type("py:no")],
          [b"hash", b"string", b"none"])
    assert refusal("GET", "py:h").startswith("WRONGTYPE "), refusal("GET", "py:h")
    for number in range(100):
        client.set(f"py:many:{number}", number)
    found = list(client.scan_iter("py:many:*", count=7))
    equal(sorted(found), sorted(b"py:many:%d" % number for number in range(100)))
    pipe = client.pipeline()
    pipe.set("py:tx", 1)
    pipe.incr("py:tx")
    pipe.execute_command("JOB.PUSH", "keys", "T", "{}")
    equal(pipe.execute()[:2], [True, 2])
    pipe.set("py:tx", "text")
    pipe.incr("py:tx")
    try:
        raise AssertionError(f"applied: {pipe.execute()}")
    except redis.exceptions.ExecAbortError as error:
        assert "index=1 ERR value is not an integer" in str(error), error
    equal(client.get("py:tx"), b"2")
    every = list(client.scan_iter("py:*"))
    equal([client.delete(*every), client.dbsize()], [len(every), 0])


def binary_bytes():
    pushed = call("JOB.PUSH", "bytes", "T", NASTY)
    lease = fetch_one("bytes")
    equal(lease["args"], NASTY)
    call("JOB.ACK", pushed, lease["token"], "RESULT", NASTY)
    equal(record(call("JOB.GET", pushed))["result"], NASTY)


def events():
    listener = client.pubsub()
    listener.subscribe("job.pushed.heard")
    listener.psubscribe("job.*.heard")
    equal([listener.get_message(timeout=None)["data"] for _ in range(2)], [1, 2])
    pushed = call("JOB.PUSH", "heard", "T", "{}")
    messages = [listener.get_message(timeout=None) for _ in range(2)]
    heard = [(message["type"], message["channel"], json.loads(message["data"])["job"].encode())
             for message in messages]
    equal(heard, [("message", b"job.pushed.heard", pushed),
                  ("pmessage", b"job.pushed.heard", pushed)])
    listener.close()


def authentication():
    for password, wanted in ((None, "NOAUTH"), ("wrong", "WRONGPASS")):
        try:
            stranger = redis.Redis(HOST, TOKEN_PORT, password=password)
            raise AssertionError(stranger.execute_command("JOB.PUSH", "q", "T", "{}"))
        except redis.RedisError as error:
            text = f"{type(error).__name__} {error}"
            known = "AuthenticationError" if wanted == "NOAUTH" else "invalid username-password"
            assert known in text or wanted in text, text
    friend = redis.Redis(HOST, TOKEN_PORT, password=TOKEN)
    equal(len(friend.execute_command("JOB.PUSH", "q", "T", "{}")), 13)
    named = redis.Redis(HOST, TOKEN_PORT, username="worker", password=TOKEN)
    equal(named.ping(), True)


def reconnect():
    pushed = call("JOB.PUSH", "kept", "T", "{}")
    restart_server()
    try:
        client.ping()
    except redis.ConnectionError:
        pass  # The connection that the restart closed; the next call opens another.
    equal(record(call("JOB.GET", pushed))["state"], b"ready")
    equal(fetch_one("kept")["id"], pushed)


run([("connect", connect), ("push, fetch, beat, progress, ack", push_and_fetch),
     ("blocking fetch", blocking_fetch), ("fail and retry", fail_and_retry),
     ("queue stats", queue_stats), ("pause and resume", pause_and_resume), ("errors", errors),
     ("pipeline of 1,000", pipeline), ("transaction", transaction), ("keys", keys), ("any byte", binary_bytes),
     ("events", events),
     ("authentication", authentication), ("reconnect", reconnect)])
