"""Reads C++ as far as the house rules need it: without a compiler, line by line."""

import re

TOKEN = re.compile(
    r"""(?P<comment>//[^\n]*|/\*.*?(?:\*/|\Z))
      | (?P<raw>R"(?P<tag>[^()\\\s]{0,16})\(.*?(?:\)(?P=tag)"|\Z))
      | (?P<string>"(?:\\.|[^"\\\n])*(?:"|$))
      | (?P<number>\b\d[\w']*(?:\.[\w']*)?)
      | (?P<char>'(?:\\.|[^'\\\n])*(?:'|$))""",
    re.DOTALL | re.MULTILINE | re.VERBOSE)
INCLUDE = re.compile(r'^\s*#\s*include\s*(?:"([^"]+)"|<([^>]+)>)')
WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[A-Z]")
# A line at the margin that begins a body, and is not one of these.
FUNCTION = re.compile(r"^(?!namespace|class|struct|enum|union|extern|constexpr std|\s|\}|#|//)"
                      r".*\)[^;]*\{")

# A line at the margin that begins a function: what it returns, its name.
NAMED_FUNCTION = re.compile(r"^(?!return\b|using\b|namespace\b|typedef\b|#)(?:\[\[\w+\]\] )?"
                            r"[\w:][\w:<>,&*\s]*[\s&*](\w+)\([^;=]*[{,]?$")


def code_lines(lines):
    """Returns the lines with comments and the insides of literals blanked; their count stays."""

    def blank(match):
        if match["number"]:
            return match[0]
        kept = '""' if match["string"] or match["raw"] else ""
        return kept + "\n" * match[0].count("\n")

    text = "\n".join(lines)
    # An include's path is no string: the other rules look at it through includes().
    return TOKEN.sub(blank, text).split("\n")


def includes(lines):
    """Yields (line number, quoted, header) of each include directive."""
    for number, line in enumerate(lines, 1):
        match = INCLUDE.match(line)
        if match:
            yield number, match[1] is not None, match[1] or match[2]


def words(line):
    """Returns the words of a line in lower case: kMaxTaskCount has k, max, task and count."""
    return [word.lower() for word in WORD.findall(line)]


def unnamed_functions(lines):
    """Yields (line number, name) of each function in an unnamed namespace, in clang-format's layout."""
    inside = False
    for number, line in enumerate(lines, 1):
        inside = (inside or line == "namespace {") and line != "}  // namespace"
        match = inside and NAMED_FUNCTION.match(line)
        if match and not match[1].isupper() and not match[1].startswith("TEST"):
            yield number, match[1]


def function_count(code):
    """Returns about how many functions are defined outside of classes, in clang-format's layout."""
    joined = re.sub(r",\n\s+", ", ", "\n".join(code))
    return sum(1 for line in joined.split("\n") if FUNCTION.match(line))
