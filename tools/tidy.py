#!/usr/bin/python3
"""Checks the house rules that no compiler knows. Prints path:line: [rule] what is wrong.

    tools/tidy.py [--report] [--root FOLDER]

An exception is a line that ends in `tidy: allow <rule> because <reason>` in a comment; for a rule
about a whole file (length, name, pragma, test) such a line may stand anywhere in it. An exception
that is not needed is a finding too. --report: also count the ASSERTs per file.
"""

import argparse
import re
import sys
from collections import namedtuple
from pathlib import Path

import cpp_text
from source_files import ROOT, all_files, git

Finding = namedtuple("Finding", "path line rule message")

ALLOW = re.compile(r"tidy: allow (?P<rule>[a-z]+)(?: because (?P<reason>\S.*?))?\s*(?:\*/|-->)?$")
FILE_RULES = {"length", "name", "pragma", "test"}

CPP = (".h", ".cc")
CODE = CPP + (".py", ".sh", ".rb", ".ts", ".js", ".go")

# Folder → what its quoted includes may begin with. The longest matching folder counts.
MAY_INCLUDE = {
    "src/base": ("base/",),
    "src/core": ("base/", "core/"),
    "src/store": ("base/", "core/", "store/"),
    # Not the folders below src/store: no vendor, no file and no SQL on the engine's thread.
    "src/engine": ("base/", "core/", "engine/", "store/store.h", "store/tables.h",
                   "store/change_set.h", "store/flusher.h", "store/loader.h", "store/scrubber.h", "store/effect_codec.h",
                   "store/job_codec.h"),
    "src/protocol": ("base/", "core/", "protocol/"),
    "src/auth": ("base/", "core/", "protocol/", "auth/"),
    "src/config": ("base/", "protocol/text.h", "config/"),
    "src/cli": ("base/", "protocol/", "config/", "auth/", "cli/", "dray/"),
    "src/repair": ("base/", "core/", "store/", "engine/machine.h", "engine/restore.h", "cli/",
                   "repair/"),
    "src/server": ("base/", "core/", "store/", "engine/", "protocol/", "auth/", "server/", "config/", "cli/",
                   "dray/", "repair/"),
    "sdk/cpp": ("base/", "protocol/", "dray/", "sdk/cpp/"),
}
# What a *_test.cc of a folder may include besides.
TEST_MAY_INCLUDE = {"src/engine": ("store/",), "sdk/cpp": ("core/",),
                    "src/cli": ("core/", "store/", "engine/", "server/")}

SOCKET = re.compile(r"sys/(socket|un|epoll|select)\.h|netinet/.*|arpa/inet\.h|netdb\.h|poll\.h"
                    r"|boost/(asio|beast).*")
THREAD = re.compile(r"thread|mutex|shared_mutex|condition_variable|future|semaphore|latch|barrier"
                    r"|stop_token|pthread\.h")
OUTSIDE_SRC = ("sdk/", "bench/", "tests/", "examples/")
# System header pattern, where it may be included, what to say.
ONLY_IN = [
    (re.compile(r"sqlite3\.h"), ("src/store/sqlite/",), "SQLite"),
    (re.compile(r"libpq-fe\.h|libpq/.*"), ("src/store/postgres/",), "libpq"),
    (SOCKET, ("src/server/",) + OUTSIDE_SRC, "sockets"),
    (THREAD, ("src/engine/", "src/store/", "src/server/") + OUTSIDE_SRC, "threads"),
]

# rule, pattern, files that may, what to do instead. For C++ without comments and strings.
BANNED_CPP = [
    ("clock", re.compile(r"::now\s*\(|(?<![\w.>])(?:std::)?time\s*\(\s*(?:nullptr|NULL|0|&)"
                         r"|\bclock_gettime\b|\bgettimeofday\b|\btimespec_get\b"),
     ("src/base/clock.cc",), "take a base::Clock or a time"),
    ("random", re.compile(r"\brandom_device\b|\bs?rand\s*\(|\b[dl]rand48\b|\bmt19937|\bgetrandom\s*\("
                          r"|\bgetentropy\b|\brandom_shuffle\b|\bdefault_random_engine\b"),
     ("src/base/random.cc",), "take a base::Random"),
    ("sleep", re.compile(r"\bsleep_(?:for|until)\b|\b(?:u|nano)?sleep\s*\(|\bclock_nanosleep\b"),
     (), "wait on a condition with a deadline"),
    ("discard", re.compile(r"\(void\)\s*[\w:.>-]+\s*\(|\bstd::ignore\b"),
     (), 'write ignore(result, "why")'),
    ("using", re.compile(r"^\s*using namespace\b"), (), "name what is used"),
]
SLEEP_IN_TEST = {".py": re.compile(r"\btime\.sleep\("), ".rb": re.compile(r"\bsleep\b"),
                 ".sh": re.compile(r"(?<![\w-])sleep\s")}
MACRO = re.compile(r"^\s*#\s*define\s+(\w+)")
MACROS = {"src/base/assert.h": {"ASSERT"}, "src/base/result.h": {"TRY"}, "src/base/log.h": {"LOG"}}

BAD_STEMS = {"util", "utils", "common", "helper", "helpers", "misc", "types"}
# Put together, so that this file does not find itself.
MARK = re.compile(r"\b(?:" + "FIX" + "ME|" + "XX" + "X|" + "HA" + "CK" + r")\b")
LATER = re.compile(r"\bTO" + r"DO\b(?!\(#\d+\))")
REGISTRY = re.compile(r"registry\.npmjs|pypi\.org|pythonhosted|rubygems\.org|proxy\.golang"
                      r"|deb\.debian|crates\.io")
SUBJECT = re.compile(r"[a-z0-9][a-z0-9_./-]*: \S.*[^.\s]")
SUBJECT_LENGTH_MAX = 72


class File:
    """A file of the tree. Texts are read once; bytes that are not UTF-8 are replaced."""

    def __init__(self, root, path):
        self.path = path
        self.name = str(path)
        self.lines = (root / path).read_text(encoding="utf-8", errors="replace").splitlines()
        self.is_cpp = path.suffix in CPP
        self.is_test = path.stem.endswith("_test") or path.parts[0] == "tests"
        self.code = cpp_text.code_lines(self.lines) if self.is_cpp else self.lines

    def under(self, *folders):
        return self.name.startswith(tuple(folders))


def finding(file, line, rule, message):
    return Finding(file.name, line, rule, message)


def folder_rule(table, name):
    """Returns the entry of the longest folder in `table` that holds `name`; None without one."""
    folders = [folder for folder in table if name.startswith(folder + "/")]
    return table[max(folders, key=len)] if folders else None


def check_includes(file):
    if not file.is_cpp:
        return
    allowed = folder_rule(MAY_INCLUDE, file.name)
    if allowed is not None and file.is_test:
        allowed += folder_rule(TEST_MAY_INCLUDE, file.name) or ()
    for number, quoted, header in cpp_text.includes(file.lines):
        if quoted:
            if allowed is not None and not header.startswith(allowed):
                yield finding(file, number, "include", f'"{header}": may only see {allowed}')
            continue
        for pattern, places, what in ONLY_IN:
            if pattern.fullmatch(header) and not file.under(*places):
                yield finding(file, number, "include", f"<{header}>: {what} only in {places}")
        if file.under("src/core/") and not file.is_test and re.search(r"[./]", header):
            yield finding(file, number, "include", f"<{header}>: core sees base and std only")


def check_own_header(file, names):
    """x.cc includes x.h first, which shows that x.h compiles alone: check-headers passes it over."""
    own = file.name.removesuffix(".cc") + ".h"
    if file.path.suffix != ".cc" or own not in names:
        return
    line, _, first = next(cpp_text.includes(file.lines), (1, True, ""))
    if not first or not f"/{own}".endswith(f"/{first}"):
        yield finding(file, line, "include", f"the first include has to be its own header, {own}")


def check_length(file):
    if file.path.suffix not in CODE or "generated" in file.path.parts:
        return
    limit = 800 if file.is_test else 250 if file.path.suffix == ".h" else 600
    if len(file.lines) > limit:
        yield finding(file, len(file.lines), "length", f"{len(file.lines)} lines, limit {limit}")


def check_name(file):
    words = {Path(part).stem.removesuffix("_test") for part in file.path.parts}
    for word in sorted(words & BAD_STEMS):
        yield finding(file, 1, "name", f"'{word}' says nothing; a file is a noun")


def check_banned(file):
    if not file.is_cpp:
        return
    for number, line in enumerate(file.code, 1):
        for rule, pattern, places, instead in BANNED_CPP:
            if pattern.search(line) and file.name not in places:
                yield finding(file, number, rule, instead)
        macro = MACRO.match(line)
        if macro and macro[1] not in MACROS.get(file.name, ()):
            yield finding(file, number, "macro", f"{macro[1]}: write a function or a constant")


def check_test_sleep(file):
    pattern = SLEEP_IN_TEST.get(file.path.suffix)
    if pattern is None or not file.is_test:
        return
    for number, line in enumerate(file.lines, 1):
        if pattern.search(line.split("#")[0]):
            yield finding(file, number, "sleep", "wait on a condition with a deadline")


def check_marks(file):
    for number, line in enumerate(file.lines, 1):
        if file.path.suffix in CODE and MARK.search(line):
            yield finding(file, number, "mark", "mend it, or open an issue")
        if file.path.suffix in CODE and LATER.search(line):
            yield finding(file, number, "mark", "name the issue: (#12) right behind the word")
        if file.name != "tools/tidy.py" and REGISTRY.search(line):
            yield finding(file, number, "registry", "no registry host in the tree")


def check_pragma(file):
    if file.path.suffix != ".h":
        return
    first = next((line for line in file.code if line.strip()), "")
    if first.strip() != "#pragma once":
        yield finding(file, 1, "pragma", "the first line of code is #pragma once")


def check_test_name(file, names):
    if not file.is_cpp or not file.path.stem.endswith("_test") or not file.under("src/", "sdk/cpp/"):
        return
    stem = file.name.removesuffix("_test" + file.path.suffix)
    if not {stem + ".cc", stem + ".h"} & names:
        yield finding(file, 1, "test", f"there is no {stem}.cc or .h beside it")


def banned_synonyms(root):
    """Returns {word not used: word used} from the last column of the glossary."""
    banned = {}
    glossary = root / "docs/glossary.md"
    for line in glossary.read_text().splitlines() if glossary.exists() else ():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if len(cells) == 3 and cells[0] != "word" and not set(cells[0]) <= set("-"):
            banned.update({word.strip(): cells[0] for word in cells[2].split(",") if word.strip()})
    return banned


def check_words(file, banned):
    if not file.under("src/", "sdk/cpp/") or not (file.is_cpp or file.path.suffix == ".json"):
        return
    for number, line in enumerate(file.lines, 1):
        for word in cpp_text.words(line):
            used = banned.get(word) or banned.get(word.removesuffix("s"))
            if used:
                yield finding(file, number, "word", f"'{word}': here the word is '{used}'")


def check_unnamed(files):
    """Finds functions of one name in the unnamed namespaces of a folder: its sources are compiled in
    groups, where one could be called for the other."""
    first = {}
    for file in files:
        if file.path.suffix != ".cc" or file.path.stem.endswith("_fuzz"):
            continue  # A fuzz target is a program of its own.
        group = (file.path.parent, file.path.stem.endswith("_test"))
        for line, name in cpp_text.unnamed_functions(file.lines):
            other = first.setdefault((group, name), file)
            if other is not file:
                yield finding(file, line, "unnamed", f"{other.name} has a '{name}' too")


def folders_of(files):
    """Returns the folders that the README has to name: see README's own words."""
    found = set()
    for file in files:
        parts = file.path.parts[:-1]
        if not parts or parts[0].startswith("."):
            continue
        found.add(parts[0])
        if parts[0] in ("src", "sdk", "tests") and len(parts) > 1:
            found.add("/".join(parts[:2]))
        if file.path.name == "CMakeLists.txt":
            found.add("/".join(parts))
    return found - {"src", "sdk"}


def check_folders(root, files):
    readme = root / "README.md"
    rows = {}
    for number, line in enumerate(readme.read_text().splitlines() if readme.exists() else (), 1):
        row = re.match(r"\|\s*`([\w./-]+?)/?`\s*\|", line)
        if row:
            rows[row[1]] = number
    folders = folders_of(files)
    for folder in sorted(folders - rows.keys()):
        yield Finding("README.md", 1, "folder", f"the folder table has no line for `{folder}`")
    for folder in sorted(rows.keys() - folders):
        yield Finding("README.md", rows[folder], "folder", f"there is no folder `{folder}`")


def check_commit(root):
    subject = (git("log", "-1", "--no-merges", "--format=%s", root=root) or "").strip()
    if not subject:
        return
    if len(subject) > SUBJECT_LENGTH_MAX:
        yield Finding("HEAD", 1, "commit", f"subject has {len(subject)} characters, limit 72")
    if not SUBJECT.fullmatch(subject):
        yield Finding("HEAD", 1, "commit", f"'{subject}': write `area: imperative summary`")


def check_changelog(root):
    changelog = root / "CHANGELOG.md"
    if not changelog.exists() or not re.search(r"^## \[?Unreleased\]?\s*\n+\S",
                                               changelog.read_text(), re.MULTILINE):
        yield Finding("CHANGELOG.md", 1, "changelog", "no entries under ## Unreleased")


def exceptions_of(file):
    """Returns ({(line, rule)}, findings about exceptions that are not well formed)."""
    allowed, wrong = set(), []
    if file.path.suffix not in CODE or file.path.stem in ("tidy", "tidy_test"):
        return allowed, wrong
    for number, line in enumerate(file.lines, 1):
        match = ALLOW.search(line)
        if match and match["reason"]:
            allowed.add((number, match["rule"]))
        elif "tidy: allow" in line:
            wrong.append(finding(file, number, "allow", "`tidy: allow <rule> because <reason>`"))
    return allowed, wrong


def apply_exceptions(file, findings):
    """Drops the findings that an exception covers; adds the exceptions that cover none."""
    allowed, left = exceptions_of(file)
    used = set()
    for found in findings:
        covering = {entry for entry in allowed if entry[1] == found.rule
                    and (entry[0] == found.line or found.rule in FILE_RULES)}
        used |= covering
        if not covering:
            left.append(found)
    for line, rule in sorted(allowed - used):
        left.append(finding(file, line, "allow", f"nothing here needs an exception from {rule}"))
    return left


def check_file(file, names, banned):
    """Returns all findings in one file."""
    found = []
    for check in (check_includes, check_length, check_name, check_banned, check_test_sleep,
                  check_marks, check_pragma):
        found += check(file)
    found += check_own_header(file, names)
    found += check_test_name(file, names)
    found += check_words(file, banned)
    return apply_exceptions(file, found)


def check_tree(root):
    """Returns all findings in the tree, and its files."""
    files = [File(root, path) for path in all_files(root) if path.suffix not in (".png", ".ico")]
    names = {file.name for file in files}
    banned = banned_synonyms(root)
    findings = []
    for file in files:
        findings += check_file(file, names, banned)
    findings += check_unnamed(files)
    findings += check_folders(root, files)
    findings += check_commit(root)
    findings += check_changelog(root)
    return findings, files


def report_asserts(files):
    """Prints, for the folders that hold state, how many ASSERTs there are per function."""
    for file in files:
        if file.path.suffix != ".cc" or file.is_test:
            continue
        if not file.under("src/core/", "src/engine/", "src/store/"):
            continue
        asserts = sum(len(re.findall(r"\bASSERT\(", line)) for line in file.code)
        functions = cpp_text.function_count(file.code)
        mean = asserts / functions if functions else 0.0
        print(f"{file.name}: {asserts} ASSERTs, {functions} functions, mean {mean:.1f}")


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--report", action="store_true")
    parser.add_argument("--root", type=Path, default=ROOT)
    options = parser.parse_args(arguments)
    findings, files = check_tree(options.root)
    for found in findings:
        print(f"{found.path}:{found.line}: [{found.rule}] {found.message}")
    if options.report:
        report_asserts(files)
    print(f"tidy: {len(files)} files, {len(findings)} findings")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
