"""Tests of what the backlog reads from a server, and of its steps in order."""

import io
import socket
import threading
import unittest
from types import SimpleNamespace
from unittest import mock

from backlog import Watch, await_first_fetch, parse_metrics, read_value, request, steady, wait_until
from sides import BenchError

METRICS = """# HELP dray_unflushed_bytes Of unfinished jobs.
# TYPE dray_unflushed_bytes gauge
dray_unflushed_bytes 35600000
dray_queue_jobs{queue="bench",state="ready"} 100000
dray_engine_turn_seconds_bucket{le="+Inf"} 1.5e+03
"""


class FakeTime:
    """A clock that only those move who wait."""

    now = 0.0

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


class MetricsTest(unittest.TestCase):
    def test_samples_are_found_by_name_and_labels(self) -> None:
        metrics = parse_metrics(METRICS)
        self.assertEqual(metrics["dray_unflushed_bytes"], 35_600_000)
        self.assertEqual(metrics['dray_queue_jobs{queue="bench",state="ready"}'], 100_000)
        self.assertEqual(metrics['dray_engine_turn_seconds_bucket{le="+Inf"}'], 1_500)
        self.assertEqual(len(metrics), 3)

    def test_watch_keeps_the_largest(self) -> None:
        watch = Watch(SimpleNamespace())
        answers = iter([{"a": 1.0, "b": 5.0}, {"a": 3.0, "b": 2.0}])
        watch.look = lambda: next(answers)
        watch.note()
        watch.note()
        self.assertEqual(watch.most, {"a": 3, "b": 5})

    def test_a_number_is_steady_when_it_has_not_moved(self) -> None:
        clock = FakeTime()
        moves = {0: 100, 1: 150, 2: 170}
        with mock.patch("backlog.time", clock):
            self.assertEqual(steady(lambda: moves.get(int(clock.now), 170), 5, 60), 170)
            self.assertAlmostEqual(clock.now, 7, delta=0.5)
            self.assertGreater(steady(lambda: int(100 * clock.now), 5, 60), 6_000)
            self.assertAlmostEqual(clock.now, 67, delta=0.5)

    def test_a_condition_that_does_not_come_is_an_error(self) -> None:
        wait_until(lambda: True, 0, "it was")
        with self.assertRaisesRegex(BenchError, "the flush was not within 0 s"):
            wait_until(lambda: False, 0, "the flush was")


class RespTest(unittest.TestCase):
    def test_values_nest(self) -> None:
        stream = io.BytesIO(b"*2\r\n$2\r\nid\r\n*3\r\n:7\r\n$-1\r\n+OK\r\n")
        self.assertEqual(read_value(stream), [b"id", [b"7", None, b"OK"]])

    def test_errors_end_the_step(self) -> None:
        with self.assertRaisesRegex(BenchError, "OVERLOADED"):
            read_value(io.BytesIO(b"-OVERLOADED retry_ms=1\r\n"))


class StubServer:
    """Takes one connection, hears a fetch and a release, and answers both."""

    def __init__(self, leases: bytes) -> None:
        self.leases = leases
        self.heard: list[bytes] = []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.thread = threading.Thread(target=self._serve)
        self.thread.start()

    def _serve(self) -> None:
        peer, _ = self.listener.accept()
        with peer, self.listener, peer.makefile("rb") as stream:
            for answer in (self.leases, b"+OK\r\n"):
                try:
                    words = read_value(stream)
                except BenchError:
                    return  # The peer has gone.
                self.heard.append(words)
                peer.sendall(answer)


class FirstFetchTest(unittest.TestCase):
    def test_job_is_given_back(self) -> None:
        stub = StubServer(b"*1\r\n*6\r\n$2\r\nid\r\n$1\r\n7\r\n$5\r\nfence\r\n:1\r\n"
                          b"$5\r\ntoken\r\n$3\r\nt-1\r\n")  # fmt: skip
        self.assertGreater(await_first_fetch(stub), 0)
        stub.thread.join()
        self.assertEqual(stub.heard[0][0], b"JOB.FETCH")
        self.assertEqual(stub.heard[1], [b"JOB.RELEASE", b"7", b"t-1"])

    def test_nothing_there_is_an_error(self) -> None:
        stub = StubServer(b"*0\r\n")
        with self.assertRaisesRegex(BenchError, "nothing"):
            await_first_fetch(stub)
        stub.thread.join()

    def test_requests_are_arrays_of_bulks(self) -> None:
        self.assertEqual(request(b"A", b"bc"), b"*2\r\n$1\r\nA\r\n$2\r\nbc\r\n")


if __name__ == "__main__":
    unittest.main()
