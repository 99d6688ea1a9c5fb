#!/usr/bin/python3
"""redis-cli as a client of Dray: single commands, RESP 3, its help and prompt on a terminal, the
pipe mode, transactions, a login."""

import os
import pty
import re
import select
import subprocess
import time

import redis
from report import HOST, NASTY, PORT, TOKEN, TOKEN_PORT, equal, restart_server, run

DEADLINE_S = 20
ESCAPES = re.compile(rb"\x1b\[[0-9;?]*[a-zA-Z]")


def cli(*words, port=PORT, stdin=b"", env=()):
    """Returns what redis-cli prints, without the last line feed."""
    done = subprocess.run(["redis-cli", "-h", HOST, "-p", str(port), *map(str, words)], input=stdin,
                          capture_output=True, timeout=DEADLINE_S, env=os.environ | dict(env),
                          check=False)
    return (done.stdout + done.stderr).decode("utf-8", "replace").rstrip("\n")


def field(text, name):
    """The line behind the field's, as the raw output of redis-cli has it."""
    lines = text.splitlines()
    return lines[lines.index(name) + 1]


def life():
    pushed = cli("JOB.PUSH", "cli", "Send", '{"to":1}', "PRIORITY", 7)
    assert re.fullmatch("[0-9A-Z]{13}", pushed), pushed
    lease = cli("JOB.FETCH", "cli", "QUEUES", 1, "cli")
    token = field(lease, "token")
    equal([field(lease, name) for name in ("id", "args", "priority")], [pushed, '{"to":1}', "7"])
    equal(field(cli("WORKER.BEAT", "cli", "LEASES", 1, pushed, token), "state"), "run")
    equal(field(cli("JOB.PROGRESS", pushed, token, "half"), "cancelled"), "0")
    equal(field(cli("JOB.FAIL", pushed, token, "E", "no luck", "RETRYIN", 0), "state"), "ready")
    lease = cli("JOB.FETCH", "cli", "BLOCK", 5_000, "QUEUES", 1, "cli")
    equal(field(lease, "attempt"), "2")
    equal(cli("JOB.ACK", pushed, field(lease, "token"), "RESULT", "sent"), "OK")
    equal(field(cli("JOB.GET", pushed), "result"), "sent")
    equal(field(cli("QUEUE.STATS", "cli"), "succeeded"), "1")
    equal(cli("QUEUE.PAUSE", "cli"), "OK")
    equal(cli("JOB.FETCH", "cli", "QUEUES", 1, "cli"), "")
    equal(cli("QUEUE.RESUME", "cli"), "OK")
    equal(cli("QUEUE.LIST"), "cli")


def keys():
    equal(cli("SET", "cli:k", "v", "EX", 100, "NX"), "OK")
    equal(cli("SET", "cli:k", "w", "NX"), "")
    equal(cli("SET", "cli:k", "w", "XX", "GET", "KEEPTTL"), "v")
    equal([cli("GET", "cli:k"), cli("TTL", "cli:k")], ["w", "100"])
    equal(cli("INCRBY", "cli:n", 41) + cli("INCR", "cli:n"), "4142")
    equal(cli("INCR", "cli:k"), "ERR value is not an integer or out of range")
    equal(sorted(cli("--scan", "--pattern", "cli:*").splitlines()), ["cli:k", "cli:n"])
    equal(cli("WATCH", "cli:k").split()[:2], ["ERR", "WATCH"])
    equal(cli("DEL", "cli:k", "cli:n", "cli:no"), "2")
    equal(cli("DBSIZE"), "0")


def errors():
    shown = cli("JOB.ACK", "0000000000001", "0" * 26)
    assert shown.startswith("LEASELOST "), shown
    assert "did you mean DELAY" in cli("JOB.PUSH", "q", "T", "{}", "DELYA", 1)
    assert cli("JOB.WHY", "0000000000001").startswith("NOTYET ")
    shown = cli("NOSUCH", "a")
    assert shown.startswith("ERR unknown command 'NOSUCH', with args beginning with:"), shown
    assert "BullMQ cannot run" in cli("LPUSH", "bull:mail:wait", 1)


def resp3():
    """Behind -3 the cli says HELLO 3, and records come as maps."""
    pushed = cli("-3", "--json", "JOB.PUSH", "three", "T", "{}")
    shown = cli("-3", "--json", "JOB.GET", pushed.strip('"'))
    assert '"state":"ready"' in shown, shown
    assert cli("-3", "INFO").startswith("# Server"), cli("-3", "INFO")
    assert '"proto":3' in cli("-3", "--json", "HELLO", 3), cli("-3", "--json", "HELLO", 3)
    equal(cli("-3", "JOB.GET", "key:nobody"), "")


class Terminal:
    """An interactive redis-cli on a terminal of its own."""

    def __init__(self):
        self.text = b""
        child, self.screen = pty.fork()
        if child == 0:
            os.environ["TERM"] = "dumb"
            os.execvp("redis-cli", ["redis-cli", "-h", HOST, "-p", str(PORT)])
        self.child = child

    def read_until(self, wanted):
        """Returns what was shown up to `wanted`, and forgets it."""
        deadline = time.monotonic() + DEADLINE_S
        while wanted not in self.text:
            left = max(0.0, deadline - time.monotonic())
            if not select.select([self.screen], [], [], left)[0]:
                raise AssertionError(f"no {wanted!r} in {self.text!r}")
            try:
                piece = os.read(self.screen, 65_536)
            except OSError:
                piece = b""
            assert piece, f"ended without {wanted!r}: {self.text!r}"
            self.text = ESCAPES.sub(b"", self.text + piece)
        shown, _, self.text = self.text.partition(wanted)
        return shown.decode("utf-8", "replace").replace("\r\n", "\n")

    def type(self, line):
        os.write(self.screen, line.encode() + b"\n")

    def close(self):
        self.type("exit")
        os.waitpid(self.child, 0)
        os.close(self.screen)


PROMPT = b"%s:%d> " % (HOST.encode(), PORT)


def on_a_terminal():
    terminal = Terminal()
    terminal.read_until(PROMPT)

    def show(line, prompt=PROMPT):
        terminal.type(line)
        return terminal.read_until(prompt)

    shown = show("help job.push")
    for part in ("JOB.PUSH queue type args", "[PRIORITY priority]", "summary: Stores a job",
                 "since: 0.1.0"):
        assert part in shown, shown
    shown = show("help @jobs")
    for name in ("JOB.FETCH", "JOB.ACK", "WORKER.BEAT"):
        assert (name in shown) == name.startswith("JOB."), shown
    assert "QUEUE.PAUSE queue" in show("help queue.pause")
    assert '"00000000' in show("JOB.PUSH terminal T {}")
    assert "(integer) 1" in show("QUEUE.STATS terminal")
    assert "OK" in show("MULTI", PROMPT.replace(b"> ", b"(TX)> "))
    assert "QUEUED" in show("JOB.PUSH terminal T {}", PROMPT.replace(b"> ", b"(TX)> "))
    assert '1) "00000000' in show("EXEC")
    assert "(error) NOTYET" in show("JOB.WHY 0000000000001")
    assert "(empty array)" in show("JOB.FETCH w QUEUES 1 nothing")
    terminal.close()


def standard_input():
    """Commands from a file, one connection for all: order and transactions."""
    shown = cli(stdin=b"MULTI\nJOB.PUSH in T one\nJOB.PUSH in T two\nEXEC\n"
                      b"MULTI\nJOB.PUSH in T three\nDISCARD\nPING\n").splitlines()
    equal(shown[:3], ["OK", "QUEUED", "QUEUED"])
    assert re.fullmatch("[0-9A-Z]{13}", shown[3]), shown
    equal(shown[5:], ["OK", "QUEUED", "OK", "PONG"])
    equal(field(cli("QUEUE.STATS", "in"), "pushed"), "2")


def multibulk(*words):
    out = b"*%d\r\n" % len(words)
    for word in words:
        out += b"$%d\r\n%s\r\n" % (len(word), word)
    return out


def pipe_mode():
    """10,000 commands as fast as the socket takes them; redis-cli counts the replies."""
    commands = b"".join(multibulk(b"JOB.PUSH", b"pipe", b"T", b"%d" % n) for n in range(9_998))
    commands += multibulk(b"JOB.PUSH", b"pipe", b"T", NASTY) + multibulk(b"NOSUCH")
    shown = cli("--pipe", stdin=commands)
    assert "errors: 1, replies: 10000" in shown, shown
    equal(field(cli("QUEUE.STATS", "pipe"), "ready"), "9999")
    client = redis.Redis(HOST, PORT)
    leases = []
    while batch := client.execute_command("JOB.FETCH", "w", "COUNT", 1_000, "QUEUES", 1, "pipe"):
        leases += batch
    args = [lease[lease.index(b"args") + 1] for lease in leases]
    equal(args, [b"%d" % n for n in range(9_998)] + [NASTY])


def login():
    assert cli("PING", port=TOKEN_PORT).startswith("NOAUTH ")
    shown = cli("--pass", "wrong", "--no-auth-warning", "PING", port=TOKEN_PORT)
    assert "WRONGPASS" in shown, shown
    equal(cli("PING", port=TOKEN_PORT, env={"REDISCLI_AUTH": TOKEN}.items()), "PONG")
    equal(cli("--user", "worker", "--pass", TOKEN, "--no-auth-warning", "-3", "PING",
              port=TOKEN_PORT), "PONG")


def restart():
    pushed = cli("JOB.PUSH", "kept", "T", "{}")
    equal(cli("SET", "kept", "v"), "OK")
    restart_server()
    equal(cli("GET", "kept"), "v")
    equal(field(cli("JOB.GET", pushed), "state"), "ready")


run([("life", life), ("keys", keys), ("errors", errors), ("resp 3", resp3), ("on a terminal", on_a_terminal),
     ("standard input", standard_input), ("pipe mode", pipe_mode), ("login", login),
     ("restart", restart)])
