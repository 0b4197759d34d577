"""How a check words what it saw: asked, of whom, expected, came back, what to do."""

import json
from collections.abc import Iterable
from typing import Any

from fixtures.http import Problem

LONGEST = 600
UNANSWERED = ("Connection", "Connect", "Timeout", "MaxRetry", "ProcessEnded", "Endpoint", "NameResolution")
"""What the types of errors begin with, or hold, where nobody answered."""


def was_answered(problem: Problem | None) -> bool:
    """Whether a problem is somebody's answer; an outage is the ladder's to name, and states nothing."""
    if problem is None:
        return True
    types = [problem.type, *(link.type for link in problem.chain)]
    return not any(word in kind for word in UNANSWERED for kind in types)


def shown(value: object) -> str:
    """A value on one line, cut where it is long."""
    text = value if isinstance(value, str) else json.dumps(value, default=str, sort_keys=True)
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}... ({len(text)} characters)"


def exchange(asked: str, of: str, *, expected: object, got: object, do: str) -> str:
    """The whole exchange behind a failed assertion."""
    return f"asked: {asked}\n  of: {of}\n  expected: {shown(expected)}\n  came back: {shown(got)}\n  do: {do}"


def fate_of(sent: str, kept: Iterable[object]) -> dict[str, Any]:
    """The fact to state of a long text under the key `notes` that came back in none of these places as it was sent."""
    shortest = min((len(value) for value in kept if isinstance(value, str)), default=None)
    if shortest is None:
        return {"semantics": "metadata-dropped", "keys": ["notes"]}
    if shortest < len(sent):
        return {"semantics": "metadata-cut", "sent": len(sent), "kept": shortest}
    return {"semantics": "metadata-changed", "keys": ["notes"]}


def lost_or_changed(metadata: object, keys: Iterable[str]) -> str:
    """What became of these keys of a caller's metadata, which did not come back as sent: dropped where one is not there, else changed."""
    held = metadata if isinstance(metadata, dict) else {}
    return "metadata-changed" if all(key in held for key in keys) else "metadata-dropped"
