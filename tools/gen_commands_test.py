"""Tests of what gen_commands.py derives from a command's description."""

import json
import unittest

import gen_commands as gen


def command(arguments, **more):
    fields = {"name": "JOB.X", "summary": "x", "group": "jobs", "since": "1", "built": True,
              "lane": "push", "flags": [], "access": {"on": "nothing"}, "complexity": "O(1)", "arguments": arguments,
              "reply": "OK", "errors": []}
    return {**fields, **more}


WORD = {"name": "id", "type": "string"}
OPTION = {"name": "ms", "type": "integer", "token": "DELAY", "flags": ["optional"]}
LIST = {"name": "ids", "type": "block", "token": "IDS", "arguments": [
    {"name": "n", "type": "integer"}, {"name": "id", "type": "string", "flags": ["multiple"]}]}


class Arity(unittest.TestCase):
    def test_fixed_words_are_counted_with_the_name(self):
        self.assertEqual(gen.arity_of(command([])), 1)
        self.assertEqual(gen.arity_of(command([WORD, WORD])), 3)

    def test_options_and_lists_make_it_a_least_number(self):
        self.assertEqual(gen.arity_of(command([WORD, OPTION])), -2)
        self.assertEqual(gen.arity_of(command([LIST])), -4)

    def test_choices_count_their_shortest_way(self):
        choice = {"name": "way", "type": "oneof", "arguments": [
            {"name": "q", "type": "string", "token": "WHERE"}, LIST]}
        self.assertEqual(gen.arity_of(command([choice])), -3)

    def test_the_most_words_are_known_without_options_only(self):
        optional = {**WORD, "flags": ["optional"]}
        self.assertEqual(gen.words_max_of(command([WORD, optional])), 3)
        self.assertEqual(gen.words_max_of(command([WORD, OPTION])), gen.NO_WORDS_MAX)


class Check(unittest.TestCase):
    def assert_refused(self, entry, foreign=()):
        with self.assertRaises(gen.SpecError):
            gen.check({"commands": [entry], "foreign": list(foreign)})

    def test_takes_a_whole_description(self):
        gen.check({"commands": [command([WORD, OPTION, LIST])], "foreign": []})

    def test_refuses_what_cannot_be(self):
        self.assert_refused(command([WORD], lane="none"))
        self.assert_refused(command([WORD], flags=["none"]))
        self.assert_refused(command([WORD], name="lower"))
        self.assert_refused(command([WORD], name="A.NAME.TOOLONGFORIT"))
        self.assert_refused(command([WORD], built=False))
        self.assert_refused(command([WORD], extra=1))

    def test_takes_only_an_access_that_says_who_may(self):
        gen.check({"commands": [command(
            [WORD], access={"on": "job", "right": ["work"], "from": ["id"]})], "foreign": []})
        entry = command([WORD])
        del entry["access"]
        self.assert_refused(entry)
        for access in ({}, {"on": "all"}, {"on": "nothing", "right": ["read"]},
                       {"on": "some", "right": ["write"]}, {"on": "job", "right": ["work"]},
                       {"on": "queue", "right": ["work"], "from": ["queue"]}):
            self.assert_refused(command([WORD], access=access))

    def test_refuses_what_stands_there_twice_or_holds_nothing(self):
        self.assert_refused(command([{"name": "x", "type": "block"}]))
        self.assert_refused(command([{"name": "x", "type": "pure-token"}]))
        self.assert_refused(command([{"name": "x", "type": "strin"}]))
        self.assert_refused(command([WORD]), foreign=["JOB.X"])


class Hash(unittest.TestCase):
    def test_gives_every_name_a_place_of_its_own(self):
        spec = json.loads(gen.SOURCE.read_text(encoding="utf-8"))
        names = [entry["name"] for entry in spec["commands"]]
        bits, _, places = gen.perfect_hash(names)
        self.assertEqual(len(set(places)), len(names))
        self.assertLess(max(places), 1 << bits)


class Usage(unittest.TestCase):
    def test_is_written_as_people_write_it(self):
        self.assertEqual(" ".join(gen.usage(a) for a in [WORD, OPTION, LIST]),
                         "id [DELAY ms] IDS n id…")


if __name__ == "__main__":
    unittest.main()
