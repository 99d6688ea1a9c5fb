"""The history: what every client saw, one JSON object per line, flushed line by line.

Each call makes two lines with the same `client` and `n`: phase `invoke` before the request is sent,
then `ok`, `rejected` or `unknown`. `t_mono` is CLOCK_MONOTONIC in seconds, one clock for all
processes of the machine. Faults and the final dump are lines too.
"""

import itertools
import json
import time
from pathlib import Path


class Writer:
    """Writes one client's file. Threading: one thread."""

    def __init__(self, folder, client):
        self.client = client
        self._numbers = itertools.count(1)
        path = Path(folder) / f"{client}.jsonl"
        self._file = open(path, "a", buffering=1, encoding="ascii")

    def invoke(self, op, fields):
        """Writes the first line of a call. Returns its number."""
        number = next(self._numbers)
        self._write(number, op, "invoke", fields)
        return number

    def end(self, number, op, phase, fields):
        self._write(number, op, phase, fields)

    def event(self, op, **fields):
        """Writes a line that stands alone: a fault, a part of the dump."""
        self._write(next(self._numbers), op, "event", fields)

    def _write(self, number, op, phase, fields):
        line = {"t_mono": round(time.monotonic(), 6), "client": self.client, "n": number,
                "op": op, "phase": phase}
        line.update(fields)
        self._file.write(json.dumps(line) + "\n")


def read(folder):
    """Returns all lines of all clients, in order of time.

    The last line of a file may be cut short, since its writer may have been killed.
    """
    lines = []
    for path in sorted(Path(folder).glob("*.jsonl")):
        texts = path.read_text(encoding="ascii").split("\n")
        for position, text in enumerate(texts):
            if not text:
                continue
            try:
                lines.append(json.loads(text))
            except json.JSONDecodeError:
                if position < len(texts) - 1:
                    raise ValueError(f"{path}:{position + 1} is not JSON") from None
    lines.sort(key=lambda line: line["t_mono"])
    return lines
