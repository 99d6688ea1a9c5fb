"""Tests of tools/tidy.py: planted breaches are found, and nothing else is."""

import contextlib
import io
import subprocess
import tempfile
import unittest
from pathlib import Path

import cpp_text
import tidy

README = """# A tree
| folder | what |
|---|---|
| `src/base` | base |
| `src/core` | core |
| `docs` | docs |
"""
GLOSSARY = """| word | meaning | not |
|---|---|---|
| job | work | task, workitem |
| fence | a number | |
"""
CLEAN_HEADER = "// A thing.\n#pragma once\n#include <cstdint>\n"
LATER = "TO" + "DO"
MARK = "FIX" + "ME"


class Tree(unittest.TestCase):
    """A small tree without a finding, to which each test adds what it is about."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = Path(folder.name)
        self.write("README.md", README)
        self.write("CHANGELOG.md", "# Changelog\n\n## Unreleased\n\n- First.\n")
        self.write("docs/glossary.md", GLOSSARY)
        self.write("src/base/thing.h", CLEAN_HEADER)
        self.write("src/core/job.h", CLEAN_HEADER)

    def write(self, name, text):
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def findings(self):
        """Returns "path:line rule" of each finding but those about folders' rows."""
        found, _ = tidy.check_tree(self.root)
        return [f"{f.path}:{f.line} {f.rule}" for f in found if f.rule != "folder"]

    def assert_planted(self, name, text, *expected):
        self.write(name, text)
        self.assertEqual(self.findings(), [f"{name}:{entry}" for entry in expected])

    def test_clean_tree_has_no_finding(self):
        out = io.StringIO()
        with contextlib.redirect_stdout(out):
            self.assertEqual(tidy.main(["--root", str(self.root)]), 0)
        self.assertIn("0 findings", out.getvalue())

    def test_a_finding_fails_the_run_and_names_its_place(self):
        self.write("src/core/a.cc", '#include "store/store.h"\n')
        out = io.StringIO()
        with contextlib.redirect_stdout(out):
            self.assertEqual(tidy.main(["--root", str(self.root)]), 1)
        self.assertIn("src/core/a.cc:1: [include]", out.getvalue())

    def test_includes_against_the_direction_are_found(self):
        for folder, header in [("base", "core/job.h"), ("core", "store/store.h"),
                               ("store", "engine/engine.h"), ("store/sqlite", "protocol/resp.h"),
                               ("protocol", "store/store.h"), ("engine", "store/journal.h"),
                               ("cli", "server/config.h")]:
            with self.subTest(folder=folder):
                name = f"src/{folder}/a.cc"
                self.assert_planted(name, f'\n#include "{header}"\n', "2 include")
                (self.root / name).unlink()

    def test_includes_along_the_direction_pass(self):
        self.write("src/core/a.cc", '#include <vector>\n#include "base/thing.h"\n')
        self.write("src/engine/a.cc", '#include <mutex>\n#include "store/store.h"\n')
        self.write("src/engine/a_test.cc", '#include "store/memory/memory_journal.h"\n')
        self.write("src/store/sqlite/a.cc", "#include <sqlite3.h>\n")
        self.write("src/server/a.cc", '#include <boost/asio.hpp>\n#include "cli/cli.h"\n')
        self.assertEqual(self.findings(), [])

    def test_a_source_includes_its_own_header_first(self):
        self.write("src/base/a.h", CLEAN_HEADER)
        self.assert_planted("src/base/a.cc", '#include <vector>\n#include "base/a.h"\n', "1 include")
        self.assert_planted("src/base/a.cc", "// Nothing.\n", "1 include")
        self.write("src/base/a.cc", '#include "base/a.h"\n\n#include <vector>\n')
        self.assertEqual(self.findings(), [])

    def test_system_headers_out_of_place_are_found(self):
        self.assert_planted("src/core/a.cc", "#include <unistd.h>\n#include <mutex>\n",
                            "1 include", "2 include")

    def test_vendor_sockets_and_threads_have_their_folders(self):
        for folder, header in [("store", "sqlite3.h"), ("store", "libpq-fe.h"),
                               ("engine", "sys/socket.h"), ("protocol", "boost/asio/buffer.hpp"),
                               ("protocol", "thread"), ("base", "mutex")]:
            with self.subTest(header=header):
                name = f"src/{folder}/a.cc"
                self.assert_planted(name, f"#include <{header}>\n", "1 include")
                (self.root / name).unlink()

    def test_functions_of_one_name_in_a_folder_are_found(self):
        one = ("namespace {\n\nint size_of(\n    long a) {\n  return a;\n}\n\n}  // namespace\n"
               "int shared() {\n  return size_of(1);\n}\n")
        self.write("src/base/a.cc", one)
        self.write("src/core/a.cc", one)
        self.write("src/base/a_test.cc", one.replace("long a", "int a"))
        self.write("src/base/a_fuzz.cc", one)
        self.assertEqual(self.findings(), [])
        self.assert_planted("src/base/b.cc", "namespace {\n\n[[noreturn]] void size_of(int a,\n"
                            "                          int b) {\n}\n\n}  // namespace\n", "3 unnamed")

    def test_long_files_are_found(self):
        self.assert_planted("src/base/long.cc", "\n" * 601, "601 length")
        self.assert_planted("src/base/long.cc", "\n" * 600)
        self.assert_planted("src/base/thing.h", CLEAN_HEADER + "\n" * 248, "251 length")

    def test_names_that_say_nothing_are_found(self):
        self.assert_planted("src/base/util.cc", "\n", "1 name")
        (self.root / "src/base/util.cc").unlink()
        self.assert_planted("tests/helpers/run.py", "\n", "1 name")

    def test_clocks_chance_and_sleep_are_found(self):
        self.assert_planted(
            "src/core/a.cc",
            "auto a = std::chrono::steady_clock::now();\n"
            "auto b = time(nullptr);\n"
            "auto c = std::random_device{}();\n"
            "auto d = rand();\n"
            "std::this_thread::sleep_for(1s);\n"
            "clock_gettime(CLOCK_MONOTONIC, &t);\n",
            "1 clock", "2 clock", "3 random", "4 random", "5 sleep", "6 clock")

    def test_words_in_comments_and_strings_are_no_calls(self):
        self.assert_planted(
            "src/core/a.cc",
            "// Never steady_clock::now() here.\n"
            '/* rand() */ const char* s = "time(nullptr)";\n'
            'const char* r = R"(sleep_for(1s))";\n'
            "auto t = run_time(0) + clock_.now() + event.time(0);\n"
            "int n = 1'000'000;  // It's here: rand()\n")

    def test_calls_behind_a_digit_separator_are_seen(self):
        self.assert_planted("src/core/a.cc", "int n = 1'000 + rand() + 1'000;\n", "1 random")

    def test_the_clock_may_read_the_clock(self):
        self.write("src/base/clock.cc", "clock_gettime(CLOCK_MONOTONIC, &t);\n")
        self.write("src/base/random.cc", "getrandom(p, n, 0);\n")
        self.assertEqual(self.findings(), [])

    def test_sleep_in_test_scripts_is_found(self):
        self.write("tests/crash/run.py", "import time\ntime.sleep(1)\n")
        self.write("tests/crash/run.sh", "sleep 1\n# sleep 1\n")
        self.assertEqual(self.findings(), ["tests/crash/run.py:2 sleep", "tests/crash/run.sh:1 sleep"])

    def test_discarded_results_macros_and_using_are_found(self):
        self.assert_planted("src/base/thing.h",
                            CLEAN_HEADER + "#define TWICE(x) (x)\nusing namespace std;\n"
                            "inline void f(void*) { (void)load(1); }\n",
                            "4 macro", "5 using", "6 discard")

    def test_marks_are_found(self):
        self.assert_planted("src/base/a.cc", f"// {MARK}\n// {LATER}: later\n// {LATER}(#12): fine\n",
                            "1 mark", "2 mark")

    def test_registry_hosts_are_found(self):
        self.assert_planted("docs/a.md", "see " + "pypi" + ".org/project\n", "1 registry")

    def test_headers_without_pragma_are_found(self):
        self.assert_planted("src/base/other.h", "// A thing.\n#include <cstdint>\n#pragma once\n",
                            "1 pragma")

    def test_test_without_its_source_is_found(self):
        self.write("src/base/thing_test.cc", "\n")
        self.assert_planted("src/base/nothing_test.cc", "\n", "1 test")

    def test_synonyms_are_found_in_every_spelling(self):
        self.assert_planted("src/core/a.cc", "int task_count;\nstruct TaskQueue;\nint kMaxTasks;\n"
                            "int multitasking;\n", "1 word", "2 word", "3 word")

    def test_exceptions_need_a_rule_a_reason_and_a_breach(self):
        self.assert_planted(
            "src/core/a.cc",
            "int task;  // tidy: allow word because a peer's field has this name\n"
            "int tube;  // tidy: allow word because it is not banned here\n"
            "int task;  // tidy: allow word\n"
            "int task;  // tidy: allow clock because this is another rule\n",
            "3 allow", "3 word", "4 word", "2 allow", "4 allow")

    def test_exception_for_a_whole_file_may_stand_anywhere(self):
        self.assert_planted("src/base/long.cc", "\n" * 300 +
                            "// tidy: allow length because it is one table\n" + "\n" * 400)

    def test_folders_and_table_are_compared_both_ways(self):
        self.write("README.md", README.replace("| `docs` | docs |", "| `bench` | gone |"))
        found = [f.message for f in tidy.check_tree(self.root)[0]]
        self.assertEqual(found, ["the folder table has no line for `docs`", "there is no folder `bench`"])

    def test_changelog_without_entries_is_found(self):
        self.write("CHANGELOG.md", "# Changelog\n\n## Unreleased\n")
        self.assertEqual(self.findings(), ["CHANGELOG.md:1 changelog"])

    def commit(self, subject):
        command = ["git", "-C", str(self.root), "-c", "user.name=t", "-c", "user.email=t@localhost"]
        subprocess.run([*command, "init", "--quiet"], check=True)
        subprocess.run([*command, "commit", "--quiet", "--allow-empty", "--no-gpg-sign", "-m", subject],
                       check=True)

    def test_commit_subjects_are_checked(self):
        for subject, expected in [("core: add the life cycle", []), ("fixes", ["HEAD:1 commit"]),
                                  ("Core: add", ["HEAD:1 commit"]),
                                  ("core: ends in a dot.", ["HEAD:1 commit"]),
                                  ("core: " + "x" * 67, ["HEAD:1 commit"])]:
            with self.subTest(subject=subject):
                self.commit(subject)
                self.assertEqual(self.findings(), expected)


class CppText(unittest.TestCase):
    def test_blanking_keeps_the_lines(self):
        lines = ["a /* x", "y */ b", 'c("//") // d', "e = '\"'; f"]
        self.assertEqual(cpp_text.code_lines(lines), ["a ", " b", 'c("") ', "e = ; f"])

    def test_functions_are_counted(self):
        code = ["namespace a {", "int f(int x) {", "}", "struct S {", "  int g() { return 1; }", "};",
                "void C::m(int a,", "          int b) {", "}", "int declared(int x);"]
        self.assertEqual(cpp_text.function_count(code), 2)


if __name__ == "__main__":
    unittest.main()
