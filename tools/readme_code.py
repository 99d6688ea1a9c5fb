#!/usr/bin/python3
"""Keeps the code that a README shows equal to that of the examples it comes from.

    tools/readme_code.py [--check] FILE…

In the README a block of code stands behind a line `<!-- code: examples/cpp/hello.cc hello -->`. It
is what stands in that file between two lines `// [hello]` (or `# [hello]`), without their common
indentation. Without --check the blocks are written anew. --check: exit 1 when one is not so.
"""

import argparse
import re
import sys
import textwrap
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BLOCK = re.compile(r"(?P<head><!-- code: (?P<path>\S+) (?P<part>\w+) -->\n```(?P<language>\w+)\n)"
                   r"(?P<code>.*?)(?P<tail>^```$)", re.DOTALL | re.MULTILINE)


def part_of(path, part):
    """Returns the code between the two marks of `part`. Raises ValueError when they are not there."""
    mark = re.compile(rf"^\s*(?://|#) \[{part}\]$")
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    places = [number for number, line in enumerate(lines) if mark.match(line.rstrip("\n"))]
    if len(places) != 2:
        raise ValueError(f"{path}: [{part}] stands there {len(places)} times, not twice")
    return textwrap.dedent("".join(lines[places[0] + 1:places[1]]))


def renewed(text, root):
    """Returns `text` with each block of code as it is in its example."""
    return BLOCK.sub(lambda block: block["head"] + part_of(root / block["path"], block["part"])
                     + block["tail"], text)


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--root", type=Path, default=ROOT)
    parser.add_argument("files", nargs="+", type=Path)
    options = parser.parse_args(arguments)
    stale = 0
    for path in options.files:
        text = path.read_text(encoding="utf-8")
        shown = len(BLOCK.findall(text))
        if shown != text.count("<!-- code:") or shown == 0:
            print(f"{path}: a mark without its block of code, or no mark at all")
            return 1
        new = renewed(text, options.root)
        if new == text:
            continue
        stale += 1
        if options.check:
            print(f"{path}: its code is not that of the examples; run tools/readme_code.py {path}")
        else:
            path.write_text(new, encoding="utf-8")
    return 1 if stale and options.check else 0


if __name__ == "__main__":
    sys.exit(main())
