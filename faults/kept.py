"""Kept evidence: of each fault's real run what the diagnosis reads, trimmed, so that every rule is tried on all of it."""

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from faults.corpus import Fault
from reports.diagnosis import diagnose
from reports.evidence import Bundle, Event, parse_event

NAME = "evidence.jsonl"
LIMIT = 50_000
"""Bytes that one fault's kept evidence may have."""

KINDS = frozenset(
    {
        "run.started",
        "checklist",
        "compose",
        "standing",
        "target",
        "finding",
        "start",
        "event",
        "container",
        "log",
        "rung",
        "inventory",
    }
    | {"check", "host.problem", "run.finished", "probe"}
)
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

PLACE = re.compile(r"/(?:[\w.-]+/)+(?=faults/)|/tmp/airworthy-campaign-\w+/")
"""Where a clone or a campaign lay on the machine of the run."""

SKIPPED = 3
"""Skipped checks that are kept: all say the same."""

LINES, MESSAGE = 12, 700
"""Lines of a log and characters of a text that are kept, at first."""


class KeptError(Exception):
    """Evidence cannot be kept: trimmed it would be diagnosed otherwise, or it stays too large."""


def trimmed(bundle: Bundle) -> list[Event]:
    """The events that the diagnosis reads, shortened until they fit; KeptError unless the diagnosis stays the same."""
    wanted = _told(bundle)
    for lines, message in ((40, 4000), (25, 1500), (LINES, MESSAGE), (6, 300)):
        events = list(_shortened(bundle, lines, message))
        size = sum(len(event.to_line()) + 1 for event in events)
        if size <= LIMIT and _told(Bundle(tuple(events))) == wanted:
            return events
    raise KeptError(f"{size} bytes, or another diagnosis when shortened")


def _told(bundle: Bundle) -> list[tuple[str, str, str]]:
    return [(entry.cause, entry.component, str(entry.confidence)) for entry in diagnose(bundle)]


def _shortened(bundle: Bundle, lines: int, message: int) -> Iterator[Event]:
    unhappy = [event for event in bundle.of("check") if event.response["outcome"] in {"failed", "broken"}]
    skipped = [event for event in bundle.of("check") if event.response["outcome"] == "skipped"]
    failed = [*unhappy, *skipped[:SKIPPED]]
    cited = {seq for event in failed for seq in event.response.get("evidence") or ()}
    names = {event.subject for event in failed}
    last = {(event.kind, event.subject): event.seq for event in bundle.events if event.kind in {"container", "log"}}
    rungs = {json.dumps([event.subject, event.request], sort_keys=True): event.seq for event in bundle.of("rung")}
    climbed = set(rungs.values())
    for event in bundle.events:
        if event.kind == "rung" and (event.seq not in climbed or (event.response.get("ok") and event.subject in PLAIN)):
            continue
        if event.kind not in KINDS or (event.kind == "probe" and event.seq not in cited):
            continue
        if event.kind == "check" and event.subject not in names:
            continue
        if event.kind in {"container", "log"} and last[event.kind, event.subject] != event.seq:
            continue
        if event.kind == "checklist":
            continue
        response = event.response
        if event.kind == "run.started":
            response = {"started": response.get("started")}
        elif event.kind == "inventory":
            response = {"checks": [row for row in response["checks"] if row["nodeid"] in names]}
        elif event.kind == "log":
            response = {**response, "tail": list(response.get("tail") or ())[-lines:]}
        yield replace(event, request=_cut(event.request, message), response=_cut(response, message), blobs=())


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
