"""Who may do what: every command of commands.json against every right, on the real server, and
against expectations written by hand, so that a new command without a decision fails."""

import json
import unittest

from rig import ROOT, Failure, Server

COMMANDS = json.loads((ROOT / "src/protocol/commands.json").read_text(encoding="utf-8"))["commands"]
EXPECTED = ROOT / "tests/auth/who_may.txt"
RIGHTS = ("enqueue", "work", "read", "admin")
LEASE = "0000000C0000000000000000AB"

# Words behind the name, where what the arguments are called does not make a command that can be
# understood. `q` is the queue, the key, or the job's own key.
FORMS = {
    "JOB.PUSH": "q t a", "JOB.MPUSH": "1 q t a 0", "JOB.FETCH": "w QUEUES 1 q",
    "JOB.ACK": f"key:q {LEASE}", "JOB.MACK": f"1 key:q {LEASE} 0 r",
    "JOB.FAIL": f"key:q {LEASE} c m", "JOB.RELEASE": f"key:q {LEASE}",
    "JOB.EXTEND": f"key:q {LEASE} 1000", "JOB.PROGRESS": f"key:q {LEASE} d", "JOB.GET": "key:q",
    "JOB.WAIT": "1 key:q BLOCK 1", "JOB.RETRY": "IDS 1 key:q", "JOB.CANCEL": "IDS 1 key:q",
    "JOB.DELETE": "IDS 1 key:q", "WORKER.BEAT": f"w LEASES 1 key:q {LEASE}",
    "WORKER.BYE": f"w LEASES 1 key:q {LEASE}", "QUEUE.LIST": "", "QUEUE.STATS": "q",
    "QUEUE.PAUSE": "q", "QUEUE.RESUME": "q", "SET": "q v", "GET": "q", "MGET": "q", "DEL": "q",
    "EXISTS": "q", "EXPIRE": "q 9", "PEXPIRE": "q 9999", "TTL": "q", "PTTL": "q", "PERSIST": "q",
    "INCR": "q", "INCRBY": "q 1", "DECR": "q", "DECRBY": "q 1", "SCAN": "0", "DBSIZE": "",
    "HELLO": "", "PING": "", "ECHO": "x", "SELECT": "0", "CLIENT": "ID", "COMMAND": "COUNT",
    "INFO": "", "CONFIG": "GET save", "TIME": "", "MULTI": "", "EXEC": "", "DISCARD": "",
    "WATCH": "q", "UNWATCH": "", "JOB.LIST": "", "JOB.COUNT": "", "OP.GET": "q", "OP.LIST": "",
    "OP.CANCEL": "q", "OP.WAIT": "q BLOCK 1", "QUEUE.PURGE": "q", "QUEUE.DELETE": "q",
    "EVENT.READ": "$", "JOB.LOG": f"key:q {LEASE} INFO m", "JOB.EDIT": "key:q PRIORITY 1",
    "WORKER.LIST": "", "WORKER.QUIET": "w", "WORKER.STOP": "w", "QUEUE.SET": "q MAXLEN 1",
    "TYPE.PAUSE": "t", "TYPE.RESUME": "t", "NAMESPACE.LIST": "",
    "NAMESPACE.RESET": "q", "TYPE": "q", "HSET": "q f v", "HSETNX": "q f v",
    "HGET": "q f", "HMGET": "q f", "HGETALL": "q", "HDEL": "q f", "HEXISTS": "q f", "HLEN": "q",
    "HKEYS": "q", "HVALS": "q", "HINCRBY": "q f 1", "HINCRBYFLOAT": "q f 1",
    "SUBSCRIBE": "c", "PSUBSCRIBE": "c*", "UNSUBSCRIBE": "", "PUNSUBSCRIBE": "",
}
# Their answers change or end the connection itself; that they need nothing stands in the table.
NOT_SENT = {"AUTH", "QUIT", "RESET"}


def expectations():
    """Reads the table: {command: (what it is on, the rights that are enough)}."""
    table = {}
    for line in EXPECTED.read_text(encoding="utf-8").splitlines():
        if not line or line.startswith("#"):
            continue
        name, on, *rights = line.split()
        table[name] = (on, set(rights))
    return table


class Matrix(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = Server()
        cls.server.start()
        places = ("q", "*", "other")
        cls.tokens = {(right, place): cls.server.token(f"{right}:{place}")
                      for right in RIGHTS for place in places}
        cls.server.wait_for(cls.tokens["admin", "other"])

    @classmethod
    def tearDownClass(cls):
        cls.server.__exit__()

    def is_let_through(self, command, right, place):
        """Whether the command passes the door; what it is answered behind it is another thing."""
        words = FORMS.get(command["name"], "").split()
        with self.server.client(self.tokens[right, place]) as client:
            answer = client.call(command["name"], *words)
        if not isinstance(answer, Failure):
            return True
        if answer.code == "NOPERM":
            self.assertRegex(answer.text, r"^NOPERM need=[a-z|]+ (queue|key)=\S+ ")
        elif command["built"]:
            self.assertNotRegex(answer.text, "wrong number of arguments|field=", command["name"])
        return answer.code != "NOPERM"

    def test_every_command_was_decided_by_hand_and_so_says_the_table(self):
        table = {command["name"]: (command["access"]["on"], set(command["access"].get("right", [])))
                 for command in COMMANDS}
        self.assertEqual(table, expectations())

    def test_every_built_command_has_a_form(self):
        built = {command["name"] for command in COMMANDS if command["built"]}
        self.assertEqual(built, set(FORMS) | NOT_SENT)

    def test_every_command_with_every_right(self):
        for command in COMMANDS:
            if command["name"] in NOT_SENT:
                continue
            on, rights = expectations()[command["name"]]
            for right in RIGHTS:
                enough = on == "nothing" or right in rights or right == "admin"
                # Commands by id pass with the right on any queue: which jobs they see is judged by
                # the engine (visibility_test.py). What is not built has no words to judge yet.
                named = on in ("queue", "key") and command["built"]
                wanted = {"*": enough, "q": enough and on != "all",
                          "other": enough and on != "all" and not (named and rights)}
                for place, expected in wanted.items():
                    with self.subTest(command=command["name"], scope=f"{right}:{place}"):
                        self.assertEqual(self.is_let_through(command, right, place), expected)

    def test_nothing_passes_before_auth_but_what_has_to(self):
        free = {command["name"] for command in COMMANDS if "pre_auth" in command["flags"]}
        self.assertEqual(free, {"HELLO", "AUTH", "QUIT", "RESET"})
        for command in COMMANDS:
            if command["name"] in free:
                continue
            with self.server.client() as client:
                answer = client.call(command["name"], *FORMS.get(command["name"], "").split()[:7])
                self.assertEqual(getattr(answer, "code", answer), "NOAUTH", command["name"])


if __name__ == "__main__":
    unittest.main()
