"""The bytes of a data directory, read by docs/journal.md alone: shares no code with the server.

`judge` says what a start has to do with a directory: refuse, serve all, or, where damage cannot be
seen (nothing is left behind the newest frames to prove them), serve what stands before it.
"""

import re
import struct
from dataclasses import dataclass

SECTOR, PAGE, HEADER = 512, 4096, 64
SEGMENT = re.compile(r"journal-([0-9a-f]{16})")


def _table():
    rows = []
    for value in range(256):
        for _ in range(8):
            value = (value >> 1) ^ (0x82F63B78 if value & 1 else 0)
        rows.append(value)
    return rows


_CRC = _table()


def crc32c(data):
    value = 0xFFFFFFFF
    for byte in data:
        value = _CRC[(value ^ byte) & 0xFF] ^ (value >> 8)
    return value ^ 0xFFFFFFFF


def _sealed(block, magic):
    """Whether 64 bytes are a header of this kind whose checksum is right."""
    return (len(block) == HEADER and block.startswith(magic)
            and struct.unpack_from("<I", block, 60)[0] == crc32c(block[:60])
            and struct.unpack_from("<I", block, len(magic))[0] == 1)


@dataclass
class Frame:
    offset: int
    seq: int
    durable: int
    salt: int
    previous_crc: int
    crc: int
    size: int  # Of the payload.
    whole: bool
    payload: bytes

    @property
    def end(self):
        return self.offset + (HEADER + self.size + SECTOR - 1) // SECTOR * SECTOR


def frame_at(data, offset):
    """Returns the frame whose sound header stands there, or None."""
    block = data[offset:offset + HEADER]
    if not _sealed(block, b"DRFR"):
        return None
    size, payload_crc, seq, durable, salt, previous = struct.unpack_from("<IIQQQI", block, 8)
    payload = data[offset + HEADER:offset + HEADER + size]
    whole = len(payload) == size and crc32c(payload) == payload_crc
    crc = struct.unpack_from("<I", block, 60)[0]
    return Frame(offset, seq, durable, salt, previous, crc, size, whole, payload)


class Segment:
    """One segment's bytes: its header, and its frames as far as they follow on each other."""

    def __init__(self, data):
        self.data = data
        self.sound = _sealed(data[:HEADER], b"DRAYJRNL")
        if not self.sound:
            return
        (self.index, self.size, self.first_seq, self.durable, self.salt,
         previous) = struct.unpack_from("<QQQQQI", data, 16)
        self.frames = []
        self.torn = None
        at, seq = PAGE, self.first_seq
        while frame := frame_at(data, at):
            if (frame.salt, frame.seq, frame.previous_crc) != (self.salt, seq, previous):
                break
            if not frame.whole:
                self.torn = frame
                break
            self.frames.append(frame)
            at, seq, previous = frame.end, seq + 1, frame.crc
        self.stop = at
        self.next_seq = seq

    def later(self):
        """Whether a header of a later frame of this segment stands behind the stop."""
        return any(frame is not None and frame.salt == self.salt and frame.seq > self.next_seq
                   for frame in (frame_at(self.data, at)
                                 for at in range(self.stop, len(self.data), SECTOR)))


def newest(names):
    """Returns the name of the newest segment."""
    return max(name for name in names if SEGMENT.fullmatch(name))


def marked_durable(watermark):
    """Returns how far the watermark says that frames were durable."""
    slots = [watermark[at:at + HEADER] for at in (0, PAGE)]
    marks = [struct.unpack_from("<QQ", slot, 16) for slot in slots if _sealed(slot, b"DRAYMARK")]
    return max(marks)[1] if marks else 0


def tail_lost(data, watermark):
    """What a start must make of the newest segment.

    Returns the seq of the first frame that it leaves out (the next one to come, if it has all), or
    None when it must refuse.
    """
    segment = Segment(data)
    if not segment.sound or len(data) != segment.size:
        return None
    durable = max([marked_durable(watermark), segment.durable,
                   *(frame.durable for frame in segment.frames)])
    if segment.torn is not None:
        durable = max(durable, segment.torn.durable)
    if durable >= segment.next_seq or segment.later():
        return None
    return segment.next_seq
