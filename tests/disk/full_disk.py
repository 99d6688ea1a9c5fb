#!/usr/bin/python3
"""Fills a 64 MiB disk with jobs, drains it and fills it again, with one server that is not restarted.

Pushes are refused with DISKFULL when jobs, or a stranger's file, have filled the disk down to the
reserve; all else goes on. When the jobs are done the file they lay in shrinks, and pushes go on. What was acknowledged is there,
also after a kill -9 of the server on the full disk. Exit 0 passed, 1 failed, 77 no volume here.
"""

import asyncio
import os
import sys

from disk_rig import Failed, Server, check, run_test
from resp import ErrorReply, as_map
from server_process import ServerProcess
from volume import Volume

VOLUME_MIB = 64
ARGS = "x" * 1000
BATCH = 50
CYCLES = 3
JOBS_MIN = 5_000  # What the disk holds at least: 5 of its 64 MiB.
JOBS_MAX = 64_000  # What it can't hold.
CYCLES_MAX = 20  # In which a disk that was full must have been noticed to have room again.


async def fill(connection, code):
    """Pushes until it is refused with `code`. Returns the ids of the jobs that were taken."""
    taken = []
    while len(taken) < JOBS_MAX:
        answers = await connection.ask_all([["JOB.PUSH", "q", "t", ARGS]] * BATCH)
        refused = [answer for answer in answers if isinstance(answer, ErrorReply)]
        taken += [answer for answer in answers if not isinstance(answer, ErrorReply)]
        if refused:
            codes = {answer.code for answer in refused}
            check(codes == {code}, f"pushes were refused with {codes}, not {code}")
            check("retry_ms=" in refused[0].text, refused[0].text)
            return taken
    raise Failed(f"{JOBS_MAX} jobs of {len(ARGS)} bytes found room on {VOLUME_MIB} MiB")


async def drain(connection, wanted):
    """Fetches and acknowledges all jobs. Returns their ids."""
    done = []
    while True:
        jobs = await connection.ask(["JOB.FETCH", "w", "QUEUES", "1", "q", "COUNT", BATCH])
        check(not isinstance(jobs, ErrorReply), f"a fetch was refused: {jobs}")
        if not jobs:
            check(sorted(done) == sorted(wanted), f"{len(wanted)} were taken, {len(done)} ran")
            return
        leases = [as_map(job) for job in jobs]
        answers = await connection.ask_all(
            [["JOB.ACK", lease["id"], lease["token"]] for lease in leases])
        check(set(answers) == {"OK"}, f"an ack was refused: {set(map(str, answers))}")
        done += [lease["id"] for lease in leases]


def fill_up(path):
    """Takes what room there is for a file that is not the server's."""
    with open(path, "wb", buffering=0) as stranger:
        try:
            while stranger.write(b"x" * 4096):
                pass
        except OSError:
            os.fsync(stranger.fileno())


async def room_again(connection):
    """Waits until a push is taken; that job is done at once."""
    for _ in range(CYCLES_MAX):  # The server looks at its disk about once a second.
        answer = await connection.ask(["JOB.PUSH", "q", "t", ARGS])
        if not isinstance(answer, ErrorReply):
            return await drain(connection, [answer])
        await connection.ask(["JOB.FETCH", "w", "BLOCK", "500", "QUEUES", "1", "empty"])
    raise Failed("there is room again, and pushes are still refused")


async def fill_by_jobs(connection, server):
    """Three times full and empty; then full at a kill."""
    for cycle in range(CYCLES):
        await room_again(connection)
        taken = await fill(connection, "DISKFULL")
        print(f"cycle {cycle}: {len(taken)} jobs fill the disk", flush=True)
        check(len(taken) >= JOBS_MIN, f"only {len(taken)} jobs found room")
        if cycle == CYCLES - 1:
            server.end(ServerProcess.kill)
            connection = await server.start()
            print("kill -9 on the full disk, and started again", flush=True)
        await drain(connection, taken)
    return connection


async def fill_by_a_stranger(connection, stranger):
    """Pushes stop, all else goes on; once the file is gone, pushes do too."""
    first = [await connection.ask(["JOB.PUSH", "q", "t", ARGS]) for _ in range(JOBS_MIN // 10)]
    fill_up(stranger)
    taken = first + await fill(connection, "DISKFULL")
    print(f"a stranger fills the disk: {len(taken)} jobs", flush=True)
    await drain(connection, taken)
    stranger.unlink()
    await room_again(connection)


async def run(server, volume):
    connection = await server.start()
    connection = await fill_by_jobs(connection, server)
    await fill_by_a_stranger(connection, volume.path / "stranger")
    code = server.end(ServerProcess.terminate)
    check(code == 0, f"SIGTERM: exit {code}")


def test(binary, folder):
    with Volume(folder / "disk", VOLUME_MIB) as volume:
        server = Server(binary, folder, volume.path / "data")
        try:
            asyncio.run(run(server, volume))
        finally:
            server.close()


if __name__ == "__main__":
    sys.exit(run_test(test))
