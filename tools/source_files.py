#!/usr/bin/python3
"""Lists the source files of the repository, zero-terminated.

    tools/source_files.py [--cpp] [--changed]

--cpp: C++ headers and sources only. --changed: only those that differ from the point where this
branch left the main branch (on the main branch: from the commit before), committed or not.
"""

import argparse
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CPP_SUFFIXES = (".h", ".cc")
SKIPPED_FOLDERS = {".git", ".cache", "build", "node_modules", "__pycache__"}


def git(*arguments, root=ROOT):
    """Returns the output of a git command; None where git or the repository is missing."""
    # safe.directory: CI may run as another user than the one who cloned.
    command = ["git", "-c", "safe.directory=*", "-C", str(root), *arguments]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    return done.stdout


def all_files(root=ROOT):
    """Returns the paths, relative to the root, of all files that are not ignored."""
    listed = git("ls-files", "-z", "--cached", "--others", "--exclude-standard", root=root)
    if listed is not None:
        names = sorted(set(name for name in listed.split("\0") if name))
        return [Path(name) for name in names if (root / name).is_file()]
    found = []
    for folder, folders, files in os.walk(root):
        folders[:] = sorted(set(folders) - SKIPPED_FOLDERS)
        found += [(Path(folder) / name).relative_to(root) for name in sorted(files)]
    return found


def fork_point():
    """Returns the commit that "changed" is measured from; None when there is none before."""
    head = (git("rev-parse", "HEAD") or "").strip()
    for branch in ("origin/main", "main"):
        base = (git("merge-base", "HEAD", branch) or "").strip()
        if base and base != head:
            return base
    return (git("rev-parse", "--verify", "HEAD~1") or "").strip() or None


def changed_files():
    """Returns the paths of `all_files` that changed; all of them when that cannot be known."""
    base = fork_point()
    if base is None:
        return all_files()
    changed = git("diff", "--name-only", "-z", base) or ""
    untracked = git("ls-files", "-z", "--others", "--exclude-standard") or ""
    names = set((changed + untracked).split("\0"))
    return [path for path in all_files() if str(path) in names]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cpp", action="store_true")
    parser.add_argument("--changed", action="store_true")
    options = parser.parse_args()
    files = changed_files() if options.changed else all_files()
    if options.cpp:
        files = [path for path in files if path.suffix in CPP_SUFFIXES]
    sys.stdout.write("".join(f"{path}\0" for path in files))


if __name__ == "__main__":
    main()
