"""The last phase of a campaign: heal, drain every queue, and write down all that is in the store."""

import asyncio
import time

import history
from client import Client, Endpoint
from evidence import FINISHED
from jobs import ALL_QUEUES, args_crc, read_args
from resp import Connection, ErrorReply, as_map

# So long without a job less to run: a slow machine may take longer for all of them.
DRAIN_SECONDS_STILL = 60.0
POLL_SECONDS = 0.1
IDS_AT_ONCE = 200
OPEN_STATES = ("ready", "scheduled", "running", "waiting")
HISTORY_FIELDS = ("fence", "outcome", "attempt", "generation")


async def heal_and_drain(host, port, writer, seed):
    """Resumes all queues and waits until no job is left to run, or no more jobs come to an end."""
    endpoint = Endpoint(host, port)
    endpoint.up.set()
    client = Client("final", endpoint, writer, seed)
    for queue in ALL_QUEUES:
        await client.call("resume", ["QUEUE.RESUME", queue], {"queue": queue})
    connection = await client.link.ready()
    fewest, deadline = float("inf"), 0.0
    while True:
        counts = [as_map(await connection.ask(["QUEUE.STATS", queue])) for queue in ALL_QUEUES]
        left = sum(count[state] for count in counts for state in OPEN_STATES)
        if left < fewest:
            fewest, deadline = left, time.monotonic() + DRAIN_SECONDS_STILL
        if left == 0 or time.monotonic() >= deadline:
            return
        await asyncio.sleep(POLL_SECONDS)


def known(folder):
    """Returns (ids, own keys) that the history names."""
    ids, keys = set(), set()
    for line in history.read(folder):
        if line["phase"] == "invoke":
            specs = line.get("items") or line.get("members") or [line]
            keys |= {spec["key"] for spec in specs if spec.get("key")}
        for result in [line, *line.get("results", ())]:
            if isinstance(result.get("job"), str):
                ids.add(result["job"])
        ids |= {lease["job"] for lease in line.get("leases", ())}
    return ids, keys


def shape(reply):
    """Returns what is judged of a record, or None."""
    if reply is None or isinstance(reply, ErrorReply):
        return None
    fields = as_map(reply)
    record = {name: fields.get(name) for name in (
        "state", "queue", "fence", "attempt", "max_attempts", "generation", "crashes",
        "max_crashes", "reason", "result", "key")}
    record["name"] = read_args(fields["args"])["name"]
    record["crc"] = args_crc(fields["args"])
    record["history"] = [{name: as_map(entry).get(name) for name in HISTORY_FIELDS}
                         for entry in fields["history"]]
    return record


async def _get_all(connection, names):
    for start in range(0, len(names), IDS_AT_ONCE):
        part = names[start:start + IDS_AT_ONCE]
        replies = await connection.ask_all([["JOB.GET", name] for name in part])
        for name, reply in zip(part, replies):
            yield name, reply


async def dump(host, port, writer, folder, again):
    """Writes every known job and the counts of every queue into the history."""
    connection = await Connection.open(host, port, 2 if again else 3)
    ids, keys = known(folder)
    if not again:
        async for name, reply in _get_all(connection, sorted(f"key:{key}" for key in keys)):
            job = None if reply is None or isinstance(reply, ErrorReply) else as_map(reply)["id"]
            writer.event("dump_key", key=name.removeprefix("key:"), job=job)
            if job:
                ids.add(job)
    async for job, reply in _get_all(connection, sorted(ids)):
        writer.event("dump", job=job, record=shape(reply), again=again)
    if not again:
        for queue in ALL_QUEUES:
            counts = as_map(await connection.ask(["QUEUE.STATS", queue]))
            writer.event("dump_stats", queue=queue, counts=counts)
    connection.abort()


def unfinished(folder):
    """Returns how many dumped records are not at an end."""
    return sum(1 for line in history.read(folder) if line["op"] == "dump" and line["record"]
               and line["record"]["state"] not in FINISHED)
