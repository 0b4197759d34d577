"""What is diagnosed of every story and of every fault's kept evidence, word for word, kept in told.txt: a change of a word is seen where it is reviewed.

`.venv/bin/python -m suites.selftest.told` writes it anew; git shows what became of it.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from faults import kept
from faults.corpus import load
from reports.diagnosis import diagnose
from reports.evidence import Bundle
from reports.ladder import RUNGS
from reports.rules.dependencies import DATABASE_CODES, QUEUE_CODES, STORE_CODES
from reports.wiring import Kind
from suites.selftest.journals import Story
from suites.selftest.test_stories import TOLD, failed, rung, told

FILE = Path(__file__).with_name("told.txt")


ANY = ("silent", "closed", "tls", "not-the-service", "setting-missing", "setting-invalid", "broken")
ROWS = ("older", "newer", "empty", "stamps", "half-done", "narrow", "sequence-behind", "trigger", "password-missing")
STATUSES = tuple(f"status-{number}" for number in (302, 400, 401, 403, 404, 405, 413, 415, 429, 500, 502, 503, 504))
PAGES = ("not-json", "path-prefix", "answer-differs", "content-differs", "incomplete", "experiment-deleted")
CODES: dict[tuple[str, ...], tuple[str, ...]] = {
    ("name.resolve", "port.open"): ("host-unknown", "refused", "unreachable", *ANY),
    RUNGS[Kind.DATABASE]: (
        *DATABASE_CODES,
        *ROWS,
        "XX001",
        "58030",
        "08006",
        *ANY,
    ),
    RUNGS[Kind.STORE]: (
        *STORE_CODES,
        "NoSuchBucket",
        "credentials-missing",
        "InternalError",
        "clock",
        *STATUSES,
        *ANY,
    ),
    RUNGS[Kind.QUEUE]: (*QUEUE_CODES, "ERR", "LOADING", "key-wrong-type", *ANY),
    RUNGS[Kind.TRACKING]: (*STATUSES, *PAGES, *ANY),
    RUNGS[Kind.HTTP]: (*STATUSES, *PAGES, *ANY),
    ("place.write", "data.write"): ("unwritable", "no-room"),
    ("image.module",): ("module-missing", "file-missing", "not-in-package"),
}
"""Rungs of the ladder, and how each may break."""

FACTS: dict[str, Any] = {
    "user": "ml", "database": "models", "databases": ["models", "postgres"], "bucket": "things", "buckets": ["things"], "operation": "put",
    "region": "us-east-1", "region_there": "eu-west-1", "clock_skew": 900, "status": 418, "media": "text/html", "method": "POST",
    "path": "runs/log-batch", "url": "http://tracker:5000/mlflow", "bytes": 250_000, "location": "http://else/login", "server": "nginx",
    "used": 97, "limit": 100, "lacking": ["runs: INSERT"], "locked": ["runs"], "timeouts": ["statement_timeout: 1 ms"], "routine": "auth_failed",
    "found": ["a"], "heads": ["b"], "behind": [{"table": "things", "next": 1, "taken": 60}], "triggers": [{"table": "tags", "trigger": "t", "does": "drops"}],
    "missing": ["AWS_SECRET_ACCESS_KEY"], "setting": "AWS_REGION", "maxmemory": 64, "command": "LPUSH", "key": "queue", "holds": "string", "refused": {},
    "experiment": "7", "artifact_location": "s3://things/7", "error_code": "BAD_REQUEST", "module": "boto3", "temporary": "/scratch", "folder": "/app", "room": 12,
    "version": "3.4.0", "client": "3.4.0",
}  # fmt: skip
"""What a rung may tell, all at once."""


def broken(name: str, code: str) -> Story:
    """A run in which a check failed and the registry's rung broke in this way, with all that a rung may tell."""
    return failed(rung(told(), name, "front", code, **FACTS), needs=())


def bundles() -> Iterator[tuple[str, Bundle]]:
    """Name and bundle of each story, of each way in which a rung may break, of each fault whose evidence is kept."""
    for name, (story, _, _) in TOLD.items():
        yield f"story: {name}", story.done()
    for names, codes in CODES.items():
        for name in names:
            for code in codes:
                yield f"rung: {name} {code}", broken(name, code).done()
    for fault in load():
        if (bundle := kept.load(fault.folder)) is not None:
            yield f"fault: {fault.id}", bundle


def lines(name: str, bundle: Bundle) -> Iterator[str]:
    """All that is diagnosed of a bundle, for people to read."""
    yield f"[{name}]"
    for entry in diagnose(bundle):
        yield f"{entry.cause} @ {entry.component} ({entry.confidence}, {entry.layer})"
        yield f"  {entry.summary}"
        yield f"  {entry.remedy}"
        if entry.patch:
            yield f"  patch {json.dumps(entry.patch, sort_keys=True)}"
        yield f"  evidence {', '.join(map(str, entry.evidence))}; explains {', '.join(entry.explains) or 'nothing'}"
    yield ""


def whole() -> str:
    """The whole file."""
    return "\n".join(line for name, bundle in bundles() for line in lines(name, bundle))


if __name__ == "__main__":
    FILE.write_text(whole(), encoding="utf-8")
