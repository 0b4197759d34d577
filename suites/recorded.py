"""Recorded answers and payloads (suites/contracts), and in what an answer departs from one."""

import json
import re
from collections.abc import Mapping
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


@cache
def contract(name: str) -> dict[str, Any]:
    """The recorded contract of that name, as it lies in suites/contracts."""
    recorded: dict[str, Any] = json.loads((FOLDER / f"{name}.json").read_text())
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


def departures(name: str, answer: object) -> list[str]:
    """In what an answer departs from its recorded contract, one sentence a departure; empty when it keeps it."""
    recorded = contract(name)
    if not isinstance(answer, Mapping):
        return [f"{name} is {type_of(answer)}, recorded is object"]
    required: dict[str, dict[str, str]] = recorded["required"]
    declared = required | recorded["optional"]
    found = [f"key {key!r} is missing ({entry['reason']})" for key, entry in required.items() if key not in answer]
    for key, entry in declared.items():
        if key not in answer:
            continue
        value = answer[key]
        if not is_of(value, entry["type"]):
            found.append(f"key {key!r} is {type_of(value)}, recorded is {entry['type']}")
        elif isinstance(value, str) and "pattern" in entry and not re.search(entry["pattern"], value):
            found.append(f"key {key!r} holds {value!r}, which is not of the form {entry['pattern']}")
    if recorded["closed"]:
        found += [f"key {key!r} is not declared" for key in answer if key not in declared]
    return found


def missing(name: str, answer: object) -> list[str]:
    """The recorded keys that an answer lacks, for the diagnosis."""
    required = contract(name)["required"]
    return [key for key in required if not isinstance(answer, Mapping) or key not in answer]


def retyped(name: str, answer: object) -> list[str]:
    """The recorded keys whose values in an answer are of another type, for the diagnosis."""
    recorded = contract(name)
    declared = recorded["required"] | recorded["optional"]
    if not isinstance(answer, Mapping):
        return []
    return [key for key, entry in declared.items() if key in answer and not is_of(answer[key], entry["type"])]
