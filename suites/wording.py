"""How a check words what it saw: asked, of whom, expected, came back, what to do."""

import json

LONGEST = 600


def shown(value: object) -> str:
    """A value on one line, cut where it is long."""
    text = value if isinstance(value, str) else json.dumps(value, default=str, sort_keys=True)
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}... ({len(text)} characters)"


def exchange(asked: str, of: str, *, expected: object, got: object, do: str) -> str:
    """The whole exchange behind a failed assertion."""
    return f"asked: {asked}\n  of: {of}\n  expected: {shown(expected)}\n  came back: {shown(got)}\n  do: {do}"
