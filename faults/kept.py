"""Kept evidence: of each fault's real run what the diagnosis reads, trimmed, so that every rule is tried on all of it."""

import json
import re
from collections.abc import Container, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from faults.corpus import Fault
from reports.causes import Confidence, Diagnosis
from reports.diagnosis import diagnose
from reports.evidence import Bundle, Event, parse_event

NAME = "evidence.jsonl"
LIMIT = 50_000
"""Bytes that one fault's kept evidence may have."""

CITED = 12
"""Lines that are kept of a log that a diagnosis rests on."""

KINDS = frozenset(
    {
        "run.started",
        "compose",
        "standing",
        "target",
        "finding",
        "environment",
        "start",
        "event",
        "container",
        "log",
        "rung",
        "inventory",
    }
    | {"check", "host.problem", "run.finished", "probe"}
)
REPEATED = frozenset({"container", "log", "rung"})
"""What is told more than once of the same, the last time for good."""

PLAIN = frozenset({"name.resolve", "port.open"})
"""Rungs that say nothing more where they hold: what stands on them says so too."""

NEEDLESS = frozenset(
    {
        "seconds",
        "image_id",
        "started_at",
        "finished_at",
        "security_opt",
        "cap_drop",
        "cap_add",
        "init",
        "stop_grace_period",
    }
)
"""Keys that no rule reads."""

PLACE = re.compile(r"/(?:[\w.-]+/)+(?=(?:faults|fixtures|\.venv)/)")
"""Where a clone lay on the machine of the run."""

SKIPPED = 3
"""Skipped checks that are kept: all say the same."""

LINK = ("caller", "kind", "host", "port", "target", "setting", "past")
"""What is kept of the way that a sound rung went."""

SHORTER = (
    (40, 4000, 0),
    (25, 1500, 0),
    (12, 700, 0),
    (6, 300, 0),
    (12, 400, 1),
    (5, 300, 1),
    (12, 400, 2),
    (5, 300, 2),
)
"""Lines of a log and characters of a text that are kept, and how lean: without the facts of sound rungs (1), without the
definition as declared besides as rendered (2); tried in this order."""


class KeptError(Exception):
    """Evidence cannot be kept: trimmed it would be diagnosed otherwise, or it stays too large."""


def trimmed(bundle: Bundle) -> list[Event]:
    """The events that the diagnosis reads, shortened until they fit; KeptError unless the diagnosis stays the same."""
    found = diagnose(bundle)
    said = {seq for entry in found for seq in entry.evidence}
    wanted = _wanted(bundle, said)
    for lines, message, lean in SHORTER:
        events = list(_shortened(wanted, said, lines, message, lean=lean))
        size = sum(len(event.to_line().encode()) + 1 for event in events)
        if size <= LIMIT and _told(diagnose(Bundle(tuple(events)))) == _told(found):
            return events
    raise KeptError(f"{size} bytes, or another diagnosis when shortened")


def _told(diagnoses: Sequence[Diagnosis]) -> list[tuple[str, str, str]]:
    """What is diagnosed first, and what is proven: texts that are cut no longer say what explains the rest."""
    found = [(entry.cause, entry.component, str(entry.confidence)) for entry in diagnoses]
    return [*found[:1], *(entry for entry in found[1:] if entry[2] == Confidence.PROVEN)]


def _shortened(
    wanted: Sequence[Event], said: Container[int], lines: int, message: int, *, lean: int
) -> Iterator[Event]:
    names = {event.subject for event in wanted if event.kind == "check"}
    for event in wanted:
        response = event.response
        if event.kind == "run.started":
            response = {"started": response.get("started")}
        elif event.kind == "inventory":
            response = {"checks": [row for row in response["checks"] if row["nodeid"] in names]}
        elif event.kind == "log":
            last = CITED if event.seq in said else lines
            response = {**response, "tail": list(response.get("tail") or ())[-last:]}
        short = replace(event, response=response, blobs=())
        if lean and event.seq not in said:
            short = _leaner(short)
        if lean < 2 or (event.kind, event.subject) != ("compose", "declared"):
            yield replace(short, request=_cut(short.request, message), response=_cut(short.response, message))


def _wanted(bundle: Bundle, said: Container[int]) -> list[Event]:
    """The events that rules read: of what is told again and again the last, and of what is cited all."""
    unhappy = [event for event in bundle.of("check") if event.response["outcome"] in {"failed", "broken"}]
    skipped = [event for event in bundle.of("check") if event.response["outcome"] == "skipped"]
    failed = [*unhappy, *skipped[:SKIPPED]]
    cited = {seq for event in failed for seq in event.response.get("evidence") or ()}
    last: dict[str, int] = {}
    for event in bundle.events:
        asked = json.dumps(event.request, sort_keys=True) if event.kind == "rung" else ""
        last[f"{event.kind} {event.subject} {asked}"] = event.seq
    newest, checks = set(last.values()), {event.seq for event in failed}

    def is_wanted(event: Event) -> bool:
        if event.kind == "check":
            return event.seq in checks
        if event.kind == "probe":
            return event.seq in cited
        if event.kind == "rung" and event.response.get("ok") and event.subject in PLAIN:
            return False
        return event.kind in KINDS and (event.kind not in REPEATED or event.seq in newest or event.seq in said)

    return [event for event in bundle.events if is_wanted(event)]


def _leaner(event: Event) -> Event:
    """An event with less of what is only read where something is wrong with it."""
    if event.kind == "rung" and event.response.get("ok"):
        link = (event.request or {}).get("link")
        asked = {**event.request, "link": {key: link[key] for key in LINK if key in link} if link else None}
        return replace(event, request=asked, response={"ok": True, "facts": {}, "error": None})
    if event.kind == "target":
        told = event.response
        roles = {name: {"role": row.get("role")} for name, row in told["services"].items()}
        return replace(event, response={"kind": told["kind"], "name": told["name"], "services": roles})
    return event


def _cut(value: Any, limit: int) -> Any:
    if isinstance(value, str):
        return PLACE.sub("", value)[:limit]
    if isinstance(value, dict):
        return {
            key: _cut(inner, limit) for key, inner in value.items() if key not in NEEDLESS and not key.startswith("x-")
        }
    if isinstance(value, list):
        return [_cut(inner, limit) for inner in value]
    return value


def keep(fault: Fault, bundle: Bundle) -> None:
    """Write a fault's evidence beside it."""
    text = "".join(f"{event.to_line()}\n" for event in trimmed(bundle))
    (fault.folder / NAME).write_text(text, encoding="utf-8")


def load(folder: Path) -> Bundle | None:
    """A fault's kept evidence; None where none is kept."""
    path = folder / NAME
    if not path.is_file():
        return None
    lines = path.read_text(encoding="utf-8").removesuffix("\n").split("\n")
    return Bundle(tuple(parse_event(line, f"{path}:{number}") for number, line in enumerate(lines, start=1)))
