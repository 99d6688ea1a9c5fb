"""Ways to damage one file of a data directory."""

import journal_bytes

BLOCK = 4096
TABLES, TABLES_LOG = "tables.db", "tables.db-wal"
TABLES_PAGE = 16384
LOG_HEADER, LOG_FRAME = 32, TABLES_PAGE + 24
BYTES_MAX = 16 << 20
KINDS = ("flip", "zero", "cut", "delete", "older", "double", "lost")


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
    elif name == TABLES:
        # The head of a page: its kind, its cells and where they are; and of the file.
        page = chance.randrange(0, len(data), TABLES_PAGE)
        places += [page + chance.randrange(8), page + chance.randrange(256), chance.randrange(100)]
    elif name == TABLES_LOG:
        frame = LOG_HEADER + chance.randrange(len(data) // LOG_FRAME + 1) * LOG_FRAME
        places += [chance.randrange(LOG_HEADER), frame + chance.randrange(24),
                   frame + 24 + chance.randrange(256), len(data) - 1 - chance.randrange(LOG_FRAME)]
    return min(chance.choice(places), len(data) - 1)


def _block(name):
    return TABLES_PAGE if name == TABLES else BLOCK


def _write(path, offset, data):
    with open(path, "r+b") as file:
        file.seek(offset)
        file.write(data)


def _flip(path, chance, data, offset, _block):
    bit = chance.randrange(8)
    _write(path, offset, bytes([data[offset] ^ (1 << bit)]))
    return f"bit {bit} of byte {offset} flipped"


def _zero(path, _chance, data, offset, block):
    begin = offset // block * block
    _write(path, begin, bytes(min(block, len(data) - begin)))
    return f"the block at {begin} zeroed"


def _cut(path, _chance, _data, offset, _block):
    with open(path, "r+b") as file:
        file.truncate(offset)
    return f"cut at {offset}"


def _double(path, _chance, data, offset, block):
    begin = offset // block * block
    _write(path, begin + block, data[begin:begin + block][:max(0, len(data) - begin - block)])
    return f"the block at {begin} written once more, over the next"


def _lose_write(path, chance, older):
    """A page is as it was at an earlier moment, though the disk had confirmed a later one."""
    begin = chance.randrange(0, len(older), TABLES_PAGE)
    _write(path, begin, older[begin:begin + TABLES_PAGE])
    return f"the page at {begin} taken from an earlier moment"


def damage(folder, older, chance):
    """Damages one file of `folder`. Returns (its name, what was done).

    `older`: folders with the same files of earlier moments.
    """
    names = sorted(path.name for path in folder.iterdir())
    segments = [name for name in names if journal_bytes.SEGMENT.fullmatch(name)]
    tables = [name for name in names if name in (TABLES, TABLES_LOG)]
    name = chance.choice((*names, *segments, segments[-1], segments[-1], "watermark",
                          *tables * (len(segments) + 1)))
    path = folder / name
    kind = chance.choice(KINDS)
    older = chance.choice(older)
    if kind == "older" and not (older / name).exists():
        kind = "flip"
    if kind == "delete":
        path.unlink()
        return name, "deleted"
    if kind == "lost" and not (name == TABLES and (older / name).exists()):
        kind = "zero"
    if kind == "lost":
        return name, _lose_write(path, chance, (older / name).read_bytes())
    if kind == "older":
        path.write_bytes((older / name).read_bytes() if name != "ballast" else b"")
        return name, "taken from an earlier moment"
    with open(path, "rb") as file:
        data = file.read(BYTES_MAX)  # The ballast is larger, and none of it counts.
    if not data:
        return name, "left as it is: it is empty"
    offset = _places(data, name, chance)
    apply = {"flip": _flip, "zero": _zero, "cut": _cut, "double": _double}[kind]
    return name, apply(path, chance, data, offset, chance.choice((BLOCK, _block(name))))
