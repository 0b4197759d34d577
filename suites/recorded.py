"""Recorded answers and payloads (suites/contracts), and in what an answer departs from one."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import cache
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent / "contracts"

TYPES: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "object": (dict,),
    "array": (list,),
    "null": (type(None),),
}

ALIKE = 0.45
"""How alike two keys are (0 to 1) before one is taken for the other's new name."""


def same(one: object, other: object) -> bool:
    """Whether two values are the same to a reader of JSON, for whom 1, 1.0 and true are three."""
    return json.dumps(one, sort_keys=True, default=str) == json.dumps(other, sort_keys=True, default=str)


def agrees(got: object, expected: object) -> bool:
    """Whether a value is what it must be; numbers to within rounding."""
    if isinstance(expected, float):
        return isinstance(got, int | float) and abs(got - expected) < 1e-6
    return got == expected


@dataclass(frozen=True)
class Departure:
    """One way in which an answer is not as recorded; `kind` is missing, renamed, retyped, undeclared or value-wrong."""

    contract: str
    kind: str
    key: str
    text: str
    now: str = ""
    recorded: str = ""
    got: str = ""

    def fact(self, what: str) -> dict[str, str]:
        """The same for the diagnosis; `what` is "answer" or "payload"."""
        kind = "value-wrong" if self.kind == "value-wrong" else f"key-{self.kind}"
        stated = {
            "contract": self.contract,
            "key": self.key,
            "now": self.now,
            "recorded": self.recorded,
            "got": self.got,
        }
        return {"semantics": f"{what}-{kind}"} | {name: value for name, value in stated.items() if value}

    def __str__(self) -> str:
        """One sentence."""
        return f"{self.contract}: {self.text}"


@cache
def contract(name: str) -> dict[str, Any]:
    """The recorded contract of that name, as it lies in suites/contracts."""
    recorded: dict[str, Any] = json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
    return recorded


def type_of(value: object) -> str:
    """JSON's word for the type of a value."""
    if isinstance(value, bool):
        return "boolean"
    return next((word for word, types in TYPES.items() if isinstance(value, types)), type(value).__name__)


def is_of(value: object, recorded: str) -> bool:
    """Whether a value is of a recorded type such as "string" or "number|null"; a boolean is no number."""
    words = recorded.split("|")
    if isinstance(value, bool):
        return "boolean" in words
    return any(isinstance(value, TYPES[word]) for word in words)


def departures(name: str, answer: object) -> list[Departure]:
    """In what an answer departs from its recorded contract; empty when it keeps it."""
    recorded = contract(name)
    if not isinstance(answer, Mapping):
        text = f"it is {type_of(answer)}, recorded is an object"
        return [Departure(name, "retyped", "(whole)", text, recorded="object", got=type_of(answer))]
    required: dict[str, dict[str, str]] = recorded["required"]
    declared = required | recorded["optional"]
    absent = [key for key in required if key not in answer]
    extra = [key for key in answer if key not in declared]
    renamed = _renamed({key: required[key] for key in absent}, {key: answer[key] for key in extra}, recorded["closed"])
    found = [
        Departure(name, "renamed", key, f"key {key!r} now stands under {now!r}", now=now)
        for key, now in renamed.items()
    ]
    found += [
        Departure(name, "missing", key, f"key {key!r} is missing ({required[key]['reason']})")
        for key in absent
        if key not in renamed
    ]
    found += [d for key, entry in declared.items() if key in answer for d in _of_value(name, key, entry, answer[key])]
    if recorded["closed"]:
        new = [key for key in extra if key not in renamed.values()]
        found += [Departure(name, "undeclared", key, f"key {key!r} is not declared") for key in new]
    return found


def _of_value(name: str, key: str, entry: Mapping[str, str], value: object) -> list[Departure]:
    if not is_of(value, entry["type"]):
        text = f"key {key!r} is {type_of(value)}, recorded is {entry['type']}"
        return [Departure(name, "retyped", key, text, recorded=entry["type"], got=type_of(value))]
    if isinstance(value, str) and not re.search(entry.get("pattern", ""), value):
        return [Departure(name, "value-wrong", key, f"key {key!r} holds {value!r}, not of the form {entry['pattern']}")]
    return []


def _renamed(absent: Mapping[str, Mapping[str, str]], extra: Mapping[str, object], closed: bool) -> dict[str, str]:
    """Which absent key stands under which new one: the value fits, and the names are alike or no other is in question."""
    found: dict[str, str] = {}
    for key, entry in absent.items():
        fitting = [
            now for now, value in extra.items() if now not in found.values() and not _of_value("", key, entry, value)
        ]
        fitting.sort(key=lambda now: SequenceMatcher(None, key, now).ratio(), reverse=True)
        lone = closed and len(absent) == len(extra) == 1
        if fitting and (lone or SequenceMatcher(None, key, fitting[0]).ratio() >= ALIKE):
            found[key] = fitting[0]
    return found


def stated(what: str, found: Sequence[Departure]) -> dict[str, Any]:
    """The facts to state of departures; an undeclared key says nothing where a declared one is gone."""
    gone = any(departure.kind in {"missing", "renamed"} for departure in found)
    seen = [departure.fact(what) for departure in found if not (gone and departure.kind == "undeclared")]
    if len(seen) == 1:
        return seen[0]
    return {"seen": seen} if seen else {}


def told(found: Sequence[Departure]) -> str:
    """Departures as one line."""
    return "; ".join(str(departure) for departure in found)
