"""The track record: each entry's result on its first run, before any rule was changed for it, and its latest."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from faults import score
from faults.score import Result
from reports.evidence import canonical

FILE = Path(__file__).with_name("track-record.json")
SCHEMA = "airworthy/track-record/1"


def load(path: Path = FILE) -> dict[str, dict[str, Any]]:
    """Entry -> {first, latest}, each a result in its JSON form; nothing where there is no record yet."""
    if not path.is_file():
        return {}
    entries: dict[str, dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))["entries"]
    return entries


def added(entries: Mapping[str, Mapping[str, Any]], results: Sequence[Result]) -> dict[str, dict[str, Any]]:
    """The record with these results: the first stays as it was, the latest is theirs; an error of the campaign is none."""
    found = {name: dict(entry) for name, entry in entries.items()}
    for result in results:
        if result.error is None:
            row = score.as_json(result)
            found[result.id] = {"first": found.get(result.id, {}).get("first", row), "latest": row}
    return found


def keep(results: Sequence[Result], path: Path = FILE) -> None:
    """Write the record with these results added."""
    value = {"schema": SCHEMA, "entries": added(load(path), results)}
    path.write_text(canonical(value, indent=1) + "\n", encoding="utf-8")


def results(which: str, path: Path = FILE) -> list[Result]:
    """The first or the latest results of all entries."""
    return [score.result_of(entry[which]) for _, entry in sorted(load(path).items())]
