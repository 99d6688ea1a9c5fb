#!/usr/bin/python3
"""A disk that lies about its room, as thinly provisioned ones do.

The volume says that a gigabyte is free; what stands behind it ends far below. Nothing warns the
server: `fallocate` and `statfs` say that all is well, and one day a sync fails. Then the server must
end with exit code 74, without a second try, and without having answered what was not on the disk.
(A device that also says OK to a sync and keeps nothing is beyond what any program can bear.) Once there is room behind the volume, a start finds all that was acknowledged.
Exit 0 passed, 1 failed, 77 no volume here.
"""

import asyncio
import os
import sys

from disk_rig import Failed, Server, check, run_test
from resp import ErrorReply, as_map
from server_process import IO_ERROR_EXIT, ServerProcess
from volume import Volume

BEHIND_MIB = 768   # What is really there,
FILLER_MIB = 640   # less this, until the administrator makes room.
CLAIMED_MIB = 1024
ARGS = "x" * 2000
BATCH = 50
JOBS_MAX = 200_000  # 400 MiB: more than is there.


async def push_until_it_ends(connection):
    """Returns the ids that were answered. Every answer must be one: the disk seems to have room."""
    taken = []
    try:
        while len(taken) < JOBS_MAX:
            answers = await connection.ask_all([["JOB.PUSH", "q", "t", ARGS]] * BATCH)
            refused = [answer for answer in answers if isinstance(answer, ErrorReply)]
            check(not refused or refused[0].code in ("UNKNOWN", "DISKFULL", "OVERLOADED"),
                  f"pushes were refused: {refused[:1]}")
            taken += [answer for answer in answers if not isinstance(answer, ErrorReply)]
    except OSError:
        pass
    return taken


async def drain(connection):
    """Fetches and acknowledges all jobs. Returns their ids."""
    done = set()
    while True:
        jobs = await connection.ask(["JOB.FETCH", "w", "QUEUES", "1", "q", "COUNT", BATCH])
        if not jobs:
            return done
        leases = [as_map(job) for job in jobs]
        answers = await connection.ask_all(
            [["JOB.ACK", lease["id"], lease["token"]] for lease in leases])
        check(set(answers) == {"OK"}, f"an ack was refused: {set(map(str, answers))}")
        done |= {lease["id"] for lease in leases}


def make_filler(path):
    with open(path, "wb") as filler:
        os.posix_fallocate(filler.fileno(), 0, FILLER_MIB << 20)


async def run(server, thin, filler):
    connection = await server.start()
    taken = await push_until_it_ends(connection)
    code = server.end(lambda process: process.wait_exit())
    print(f"{len(taken)} jobs were taken before the device gave in: exit {code}", flush=True)
    check(len(taken) < JOBS_MAX, "the device never gave in: this shows nothing")
    check(len(taken) > BATCH, "it gave in before anything was done")
    check(code == IO_ERROR_EXIT, f"exit {code}")
    filler.unlink()
    thin.restore_power()  # An administrator mounts it again.
    connection = await server.start()
    try:
        done = await drain(connection)
    except OSError as error:
        raise Failed(f"the server went away: {error}") from error
    lost = set(taken) - done
    check(not lost, f"{len(lost)} of {len(taken)} acknowledged jobs are lost: {sorted(lost)[:3]}")
    more = await connection.ask(["JOB.PUSH", "q", "t", ARGS])
    check(not isinstance(more, ErrorReply), f"no push after it: {more}")
    code = server.end(ServerProcess.terminate)
    check(code == 0, f"SIGTERM: exit {code}")


def test(binary, folder):
    with Volume(folder / "behind", BEHIND_MIB) as behind:
        filler = behind.path / "filler"
        make_filler(filler)
        with Volume(behind.path / "thin", CLAIMED_MIB, direct=True) as thin:
            server = Server(binary, folder, thin.path / "data")
            try:
                asyncio.run(run(server, thin, filler))
            finally:
                server.close()


if __name__ == "__main__":
    sys.exit(run_test(test))
