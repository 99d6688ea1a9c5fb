#!/usr/bin/python3
"""Runs clang-tidy on the sources that a build compiles, several at a time.

    tools/clang_tidy.py --build build/release [--changed] [--at-most N] [--jobs N]

--changed: only changed sources, and those beside a changed header of the same name. --at-most: a
file takes seconds, so a run that has to end in time looks at N of them and says what it left; which
ones differs from change to change. A file that was found clean is not looked at again until it, a
header of ours or the rules change (the memory is <build>/clang_tidy_clean.json).
"""

import argparse
import concurrent.futures
import hashlib
import json
import re
import subprocess
import sys
from pathlib import Path

from source_files import ROOT, all_files, changed_files

COMMAND = ["clang-tidy-16", "--quiet", "--extra-arg=-Wno-unknown-warning-option"]


INCLUDED = re.compile(r'^#include "(/.+\.cc)"$', re.MULTILINE)


def alone(database):
    """Returns the compilation database of the sources one by one: those of a unity source are
    compiled as that is."""
    entries = []
    for entry in database:
        unity = Path(entry["directory"], entry["file"])
        members = INCLUDED.findall(unity.read_text()) if "Unity" in unity.parts else []
        entries += [{**entry, "file": member,
                     "command": entry["command"].replace(entry["file"], member)}
                    for member in members] or [entry]
    return entries


def compiled_sources(build, database):
    """Returns the sources of this repository in a compilation database."""
    found = set()
    for entry in database:
        path = Path(entry["directory"], entry["file"]).resolve()
        if path.is_relative_to(ROOT) and not path.is_relative_to(build.resolve()):
            found.add(path.relative_to(ROOT))
    return sorted(found)


def wanted_sources(sources, only_changed):
    if not only_changed:
        return sources
    stems = {path.with_suffix("") for path in changed_files() if path.suffix in (".h", ".cc")}
    tested = {stem.with_name(stem.name.removesuffix("_test")) for stem in stems}
    return [path for path in sources if path.with_suffix("") in stems | tested]


def digest(paths):
    total = hashlib.sha256()
    for path in paths:
        total.update(str(path).encode() + b"\0" + (ROOT / path).read_bytes() + b"\0")
    return total.hexdigest()


def check(commands, path):
    """Returns what clang-tidy has to say about a file; an empty text if it is clean."""
    done = subprocess.run([*COMMAND, "-p", str(commands), str(path)], cwd=ROOT, capture_output=True,
                          text=True, check=False)
    return "" if done.returncode == 0 else done.stdout + done.stderr


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", type=Path, required=True)
    parser.add_argument("--changed", action="store_true")
    parser.add_argument("--at-most", type=int, default=None)
    parser.add_argument("--jobs", type=int, default=1)
    options = parser.parse_args()

    memory = options.build / "clang_tidy_clean.json"
    clean = json.loads(memory.read_text()) if memory.exists() else {}
    shared = digest([path for path in all_files()
                     if path.suffix == ".h" or path.name == ".clang-tidy"])
    database = alone(json.loads((options.build / "compile_commands.json").read_text()))
    commands = options.build / "clang_tidy"
    commands.mkdir(exist_ok=True)
    (commands / "compile_commands.json").write_text(json.dumps(database))
    sources = wanted_sources(compiled_sources(options.build, database), options.changed)
    keys = {path: shared + digest([path]) for path in sources}
    todo = [path for path in sources if clean.get(str(path)) != keys[path]]

    todo.sort(key=lambda path: hashlib.sha256((shared + str(path)).encode()).digest())
    left = len(todo)
    todo = todo[:options.at_most]
    left -= len(todo)

    failed = 0
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        for path, said in zip(todo, pool.map(lambda path: check(commands, path), todo)):
            if said:
                failed += 1
                print(said, flush=True)
            else:
                clean[str(path)] = keys[path]
    memory.write_text(json.dumps(clean))
    print(f"clang-tidy: {len(sources)} files, {len(todo)} looked at, {failed} with findings")
    if left:
        print(f"clang-tidy: {left} more were left out: ./x lint --all")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
