#!/usr/bin/python3
"""Tests of readme_code.py."""

import contextlib
import io
import tempfile
import unittest
from pathlib import Path

import readme_code

README = """# Hello
<!-- code: hello.cc hello -->
```cpp
{code}```
after
"""
EXAMPLE = "int main() {\n  // [hello]\n  f();\n    g();\n  // [hello]\n}\n"


class ReadmeCode(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = Path(folder.name)
        (self.root / "hello.cc").write_text(EXAMPLE)
        self.readme = self.root / "README.md"

    def run_tool(self, *words):
        with contextlib.redirect_stdout(io.StringIO()):
            return readme_code.main([*words, "--root", str(self.root), str(self.readme)])

    def test_block_is_written_without_its_common_indentation(self):
        self.readme.write_text(README.format(code="old();\n"))
        self.assertEqual(self.run_tool(), 0)
        self.assertEqual(self.readme.read_text(), README.format(code="f();\n  g();\n"))
        self.assertEqual(self.run_tool("--check"), 0)

    def test_check_finds_a_stale_block_and_leaves_it(self):
        self.readme.write_text(README.format(code="old();\n"))
        self.assertEqual(self.run_tool("--check"), 1)
        self.assertIn("old();", self.readme.read_text())

    def test_mark_without_a_block_is_an_error(self):
        self.readme.write_text("<!-- code: hello.cc hello -->\nnothing\n")
        self.assertEqual(self.run_tool("--check"), 1)

    def test_part_that_is_not_there_is_an_error(self):
        self.readme.write_text(README.format(code="").replace(" hello -->", " other -->"))
        with self.assertRaises(ValueError):
            self.run_tool("--check")


if __name__ == "__main__":
    unittest.main()
