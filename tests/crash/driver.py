#!/usr/bin/python3
"""One process of clients. The rig tells it on stdin `up`, `down`, `burst`, `drain`, `quit`; it tells the rig
on stdout how far it is, so that the rig can wait for progress: see `Teller`."""

import argparse
import asyncio
import contextlib
import math
import os
import signal
import sys
import time

from client import Endpoint
from history import Writer
from jobs import PAUSED_QUEUES
from producer import Board, Controller, Producer
from worker import Worker, habits_of

TELL_SECONDS = 0.05


def producers_of(options, endpoint):
    board = Board()
    for number in options.producers:
        name = f"p{number}"
        yield Producer(name, endpoint, Writer(options.history, name), options.seed, board,
                       options.pace, options.poison, version=2 + number % 2)
    if options.producers:
        yield Controller("c0", endpoint, Writer(options.history, "c0"), options.seed, board,
                         options.pace, PAUSED_QUEUES)


def workers_of(options, endpoint):
    for number in options.workers:
        name = f"w{number}"
        yield Worker(name, endpoint, Writer(options.history, name), options.seed,
                     habits_of(number), options.poison, version=2 + number % 2)


class Teller:
    """Tells calls answered, producers still at work, and when the server was last struck."""

    def __init__(self, endpoint):
        self._endpoint = endpoint
        self._struck = 0.0
        self.producing = []

    def tell(self):
        busy = sum(not task.done() for task in self.producing)
        print(self._endpoint.calls_done, busy, self._struck, flush=True)

    async def tell_for_ever(self):
        while True:
            self.tell()
            await asyncio.sleep(TELL_SECONDS)

    async def burst(self, producers, pid, number, part):
        """Lets all producers send a burst, and sends the server a signal after `part` of it.

        The sender does so itself: until another process had its turn, on a busy machine, all would
        be answered.
        """
        server = os.pidfd_open(pid)
        await asyncio.gather(*(producer.link.ready() for producer in producers))
        calls = [call for producer in producers for call in producer.burst_calls()]
        calls.insert(math.ceil(part * len(calls)), self._strike(server, number))
        await asyncio.gather(*calls)  # They begin in this order, without a pause.

    async def _strike(self, server, number):
        self._struck = time.monotonic()
        with contextlib.suppress(ProcessLookupError):  # It has ended by itself.
            signal.pidfd_send_signal(server, number)
        os.close(server)
        self.tell()


async def read_orders(endpoint, quit_event, producers, teller):
    bursts = set()
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while True:
        order, *words = (await reader.readline()).decode().split() or ["quit"]
        if order == "up":
            endpoint.up.set()
        elif order == "down":
            endpoint.up.clear()
        elif order == "burst":
            if producers:
                pid, number, part = int(words[0]), int(words[1]), float(words[2])
                task = asyncio.create_task(teller.burst(producers, pid, number, part))
                bursts.add(task)
                task.add_done_callback(bursts.discard)
        elif order == "drain":
            endpoint.draining = True
        else:  # `quit`, or the rig is gone.
            quit_event.set()
            return


async def main(options):
    host, port = options.resp.rsplit(":", 1)
    endpoint = Endpoint(host, int(port))
    quit_event = asyncio.Event()
    clients = list(producers_of(options, endpoint))
    producers = [client for client in clients if isinstance(client, Producer)]
    teller = Teller(endpoint)
    producing = [asyncio.create_task(client.run()) for client in clients]
    teller.producing = producing
    working = [asyncio.create_task(client.run()) for client in workers_of(options, endpoint)]
    talking = [asyncio.create_task(read_orders(endpoint, quit_event, producers, teller)),
               asyncio.create_task(teller.tell_for_ever())]
    quitting = asyncio.create_task(quit_event.wait())
    pending = {quitting, *producing, *working, *talking}
    while not quitting.done():
        done, pending = await asyncio.wait(pending, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()  # A client that broke ends the process, loudly.
    for task in pending:
        task.cancel()
    await asyncio.gather(*pending, return_exceptions=True)


def numbers(text):
    return [int(part) for part in text.split(",") if part]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--resp", required=True, help="HOST:PORT of the server")
    parser.add_argument("--history", required=True)
    parser.add_argument("--seed", required=True)
    parser.add_argument("--producers", type=numbers, default=[])
    parser.add_argument("--workers", type=numbers, default=[])
    parser.add_argument("--pace", type=float, default=0.02)
    parser.add_argument("--poison", type=int, default=5)
    asyncio.run(main(parser.parse_args()))
