#!/usr/bin/python3
"""NAMESPACE.RESET on a disk that others have filled to the last byte.

What the namespace had is the room in which it begins anew: the server goes on, for all namespaces, and
once there is room again the namespace takes jobs. Exit 0 passed, 1 failed, 77 no volume here.
"""

import asyncio
import sys

from disk_rig import Server, check, run_test
from full_disk import ARGS, fill, fill_up, room_again
from resp import as_map
from server_process import ServerProcess
from volume import Volume

VOLUME_MIB = 96
NAMESPACE = "shop"
JOBS = 100


def jobs_in(names):
    return {name["name"]: name["jobs"] for name in names}


async def run(server, volume):
    shop = await server.start()
    other = await server.connect()
    await shop.ask(["SELECT", NAMESPACE])
    await shop.ask_all([["JOB.PUSH", "q", "t", ARGS]] * JOBS)
    await other.ask(["JOB.PUSH", "q", "t", ARGS])
    stranger = volume.path / "stranger"
    fill_up(stranger)
    before = JOBS + len(await fill(shop, "DISKFULL"))
    names = jobs_in(await other.ask(["NAMESPACE.LIST"]))
    check(names == {"default": 1, NAMESPACE: before}, f"{before} jobs were taken, it has {names}")
    answer = await shop.ask(["NAMESPACE.RESET", NAMESPACE])
    check(answer == "OK", f"NAMESPACE.RESET: {answer}")
    names = jobs_in(await other.ask(["NAMESPACE.LIST"]))
    check(names == {"default": 1, NAMESPACE: 0}, f"after the reset: {names}")
    print(f"{before} jobs are forgotten on a full disk", flush=True)
    stranger.unlink()
    await room_again(shop)
    await shop.ask(["JOB.PUSH", "q", "t", ARGS])
    server.end(ServerProcess.kill)
    shop = await server.start()
    await shop.ask(["SELECT", NAMESPACE])
    counts = as_map(await shop.ask(["QUEUE.STATS", "q"]))
    check(counts["ready"] == 1, f"after a kill: {counts}")
    code = server.end(ServerProcess.terminate)
    check(code == 0, f"SIGTERM: exit {code}")


def test(binary, folder):
    with Volume(folder / "disk", VOLUME_MIB) as volume:
        server = Server(binary, folder, volume.path / "data", "--namespaces", NAMESPACE)
        try:
            asyncio.run(run(server, volume))
        finally:
            server.close()


if __name__ == "__main__":
    sys.exit(run_test(test))
