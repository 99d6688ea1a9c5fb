#!/usr/bin/python3
"""curl at the HTTP door: health, metrics, refusals. The text of /metrics is read line by line."""

import re
import subprocess

import redis
from report import HOST, HTTP_PORT, PORT, equal, run

SAMPLE = re.compile(r'([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? '
                    r'(NaN|[+-]Inf|-?[0-9]+(?:\.[0-9]+)?(?:e[+-]?[0-9]+)?)')
LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"(?:,|$)')
SUFFIXES = {"histogram": ("_bucket", "_sum", "_count"), "counter": ("",), "gauge": ("",)}


def curl(path, *options):
    """Returns (status, headers in lower case, body)."""
    done = subprocess.run(
        ["curl", "--silent", "--show-error", "--max-time", "20", "--include", *options,
         f"http://{HOST}:{HTTP_PORT}{path}"], capture_output=True, check=True)
    head, _, body = done.stdout.decode("utf-8").partition("\r\n\r\n")
    first, *fields = head.split("\r\n")
    headers = {name.lower(): value for name, value in (field.split(": ", 1) for field in fields)}
    return int(first.split(" ")[1]), headers, body


def health():
    for path, text in (("/livez", "ok\n"), ("/readyz", "ready\n")):
        status, headers, body = curl(path)
        equal((status, body), (200, text))
        equal(headers["content-type"], "text/plain; charset=utf-8")
        equal(headers["x-content-type-options"], "nosniff")
    equal(curl("/livez?verbose=1")[0], 200)
    status, headers, body = curl("/livez", "--head")
    equal((status, headers["content-length"], body), (200, "3", ""))


def refusals():
    status, _, body = curl("/nothing/here")
    equal(status, 404)
    assert "/metrics" in body, body
    for method in ("POST", "PUT", "DELETE"):
        status, headers, _ = curl("/livez", "--request", method, "--data", "x=1")
        equal((status, headers.get("allow")), (405, "GET, HEAD"))
    equal(curl("/livez", "--header", "X-Long: " + "x" * 20_000)[0], 431)
    equal(curl("/livez", "--request", "POST", "--data", "x" * 100_000)[0], 413)
    equal(curl("/livez")[0], 200)


def keep_alive():
    done = subprocess.run(
        ["curl", "--silent", "--verbose", f"http://{HOST}:{HTTP_PORT}/livez",
         f"http://{HOST}:{HTTP_PORT}/readyz"], capture_output=True, text=True, check=True)
    equal(done.stdout, "ok\nready\n")
    assert "Re-using existing connection" in done.stderr, done.stderr


def labels_of(text):
    """Returns the labels of a sample as a dictionary; every byte of them must be understood."""
    labels, at = {}, 0
    while at < len(text):
        found = LABEL.match(text, at)
        assert found, f"labels: {text[at:]!r}"
        assert found[1] not in labels, f"label {found[1]} twice"
        labels[found[1]] = found[2]
        at = found.end()
    return labels


def families():
    """Reads /metrics as strictly as its format is: {family: {labels: value}}, and the kinds."""
    status, headers, text = curl("/metrics")
    equal(status, 200)
    assert headers["content-type"].startswith("text/plain"), headers
    assert text.endswith("\n")
    kinds, helped, samples, closed, current = {}, set(), {}, set(), None
    for line in text.splitlines():
        if line.startswith("# "):
            _, word, name, rest = line.split(" ", 3)
            if name != current:
                closed.add(current)
                assert name not in closed, f"{name} is not in one piece"
                current = name
            if word == "HELP":
                assert name not in helped and rest, line
                helped.add(name)
            else:
                equal(word, "TYPE")
                assert name not in kinds and rest in SUFFIXES, line
                kinds[name] = rest
            continue
        found = SAMPLE.fullmatch(line)
        assert found, f"not a sample: {line!r}"
        fits = [found[1] == current + suffix for suffix in SUFFIXES[kinds[current]]]
        assert any(fits), f"{line!r} under {current}"
        labels = labels_of(found[2] or "")
        key = (found[1], tuple(sorted(labels.items())))
        assert key not in samples, f"twice: {line!r}"
        samples[key] = float(found[3])
    equal(helped, set(kinds))
    return kinds, samples


def metrics():
    client = redis.Redis(HOST, PORT)
    pushed = client.execute_command("JOB.PUSH", "metrics", "T", "{}")
    client.execute_command("JOB.PUSH", "metrics", "T", "{}", "DELAY", 60_000)
    lease = client.execute_command("JOB.FETCH", "w", "QUEUES", 1, "metrics")[0]
    client.execute_command("JOB.ACK", pushed, lease[lease.index(b"token") + 1])
    kinds, samples = families()
    for name, kind in kinds.items():
        assert name.startswith("dray_"), name
        equal(name.endswith("_total"), kind == "counter")

    def value(name, **labels):
        return samples[(name, tuple(sorted(labels.items())))]

    equal(value("dray_jobs_enqueued_total", queue="metrics"), 2)
    equal(value("dray_jobs_finished_total", queue="metrics", result="ok"), 1)
    equal(value("dray_queue_jobs", queue="metrics", state="scheduled"), 1)
    equal(value("dray_queue_jobs", queue="metrics", state="ready"), 0)
    equal(value("dray_connections"), 1)
    for name, kind in kinds.items():
        if kind == "histogram":
            rows = [(float(dict(labels)["le"]), count) for (row, labels), count in samples.items()
                    if row == name + "_bucket"]
            equal(rows, sorted(rows))
            equal([count for _, count in rows], sorted(count for _, count in rows))
            equal(rows[-1], (float("inf"), value(name + "_count")))
            assert value(name + "_sum") > 0, name


run([("health", health), ("refusals", refusals), ("keep alive", keep_alive), ("metrics", metrics)])
