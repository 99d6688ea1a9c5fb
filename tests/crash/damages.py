"""Ways to damage one file of a data directory."""

import journal_bytes

BLOCK = 4096
KINDS = ("flip", "zero", "cut", "delete", "older", "double")


def _places(data, name, chance):
    """An offset in a file: near what counts in it more often than not."""
    places = [chance.randrange(len(data))]
    if journal_bytes.SEGMENT.fullmatch(name):
        segment = journal_bytes.Segment(data)
        places.append(chance.randrange(journal_bytes.HEADER))
        if segment.sound and segment.frames:
            for frame in (chance.choice(segment.frames), segment.frames[-1], segment.frames[-1],
                          chance.choice(segment.frames[-8:])):
                places.append(frame.offset + chance.randrange(journal_bytes.HEADER))
                places.append(frame.offset + chance.randrange(journal_bytes.HEADER + frame.size))
    elif name == "watermark":
        places += [chance.randrange(journal_bytes.HEADER),
                   journal_bytes.PAGE + chance.randrange(journal_bytes.HEADER)]
    return chance.choice(places)


def _write(path, offset, data):
    with open(path, "r+b") as file:
        file.seek(offset)
        file.write(data)


def _flip(path, chance, data, offset):
    bit = chance.randrange(8)
    _write(path, offset, bytes([data[offset] ^ (1 << bit)]))
    return f"bit {bit} of byte {offset} flipped"


def _zero(path, _chance, data, offset):
    begin = offset // BLOCK * BLOCK
    _write(path, begin, bytes(min(BLOCK, len(data) - begin)))
    return f"the block at {begin} zeroed"


def _cut(path, _chance, _data, offset):
    with open(path, "r+b") as file:
        file.truncate(offset)
    return f"cut at {offset}"


def _double(path, _chance, data, offset):
    begin = offset // BLOCK * BLOCK
    _write(path, begin + BLOCK, data[begin:begin + BLOCK][:max(0, len(data) - begin - BLOCK)])
    return f"the block at {begin} written once more, over the next"


def damage(folder, older, chance):
    """Damages one file of `folder`. Returns (its name, what was done)."""
    names = sorted(path.name for path in folder.iterdir())
    segments = [name for name in names if journal_bytes.SEGMENT.fullmatch(name)]
    name = chance.choice((*names, *segments, segments[-1], segments[-1], "watermark"))
    path = folder / name
    kind = chance.choice(KINDS)
    if kind == "older" and not (older / name).exists():
        kind = "flip"
    if kind == "delete":
        path.unlink()
        return name, "deleted"
    if kind == "older":
        path.write_bytes((older / name).read_bytes() if name != "ballast" else b"")
        return name, "taken from an earlier moment"
    with open(path, "rb") as file:
        data = file.read(1 << 20)  # The ballast is larger, and none of it counts.
    offset = _places(data, name, chance)
    apply = {"flip": _flip, "zero": _zero, "cut": _cut, "double": _double}[kind]
    return name, apply(path, chance, data, offset)
