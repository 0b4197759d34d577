"""The closed list of causes, and the shape of a diagnosis: cause, component, remedy, and the evidence behind them."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from pathlib import Path
from string import Formatter
from typing import Any

FILE = Path(__file__).parent / "causes.toml"

LAYERS = (
    "image",
    "config",
    "credentials",
    "network",
    "database",
    "object-store",
    "queue",
    "proxy",
    "version-skew",
    "registry-semantics",
    "webhook",
    "resource",
    "security",
    "data",
    "host",
)
"""The layers of a deployment, as the verdict's schema lists them."""

ROLE_LAYER = {"database": "database", "object-store": "object-store", "queue": "queue"}
"""The layer of a service that is gone, by its role; any other role is `resource`."""

HOST = "host"
"""The component that stands for the machine."""


class CauseError(Exception):
    """causes.toml is not a list of causes, or a rule names a cause that it does not hold."""


class Confidence(StrEnum):
    """How sure a diagnosis is."""

    PROVEN = "proven"
    LIKELY = "likely"
    UNKNOWN = "unknown"


CERTAINTY = {word: place for place, word in enumerate(Confidence)}
"""Confidence -> its place among them, the surest first."""


@dataclass(frozen=True)
class Cause:
    """One line of the closed list; title and remedy are templates over the diagnosis' parameters."""

    id: str
    layer: str
    title: str
    remedy: str
    surest: Confidence = Confidence.PROVEN
    """How sure a diagnosis of it may be at most: what is only seen of a service may have a reason that is not seen."""


@dataclass(frozen=True)
class Diagnosis:
    """Why something failed: a cause of the closed list, at a component, proven by evidence (numbers of events)."""

    cause: str
    parameters: Mapping[str, Any]
    layer: str
    component: str
    summary: str
    remedy: str
    patch: Mapping[str, Any] | None = None
    confidence: Confidence = Confidence.PROVEN
    evidence: tuple[int, ...] = ()
    explains: tuple[str, ...] = ()


class _Blanks(Formatter):
    """Fills a template; what is not known reads `?`, a list reads as words."""

    def get_value(self, key: int | str, args: Any, kwargs: Any) -> Any:
        """The parameter as words; `?` when it is absent."""
        del args
        value = kwargs.get(str(key))
        if isinstance(value, list | tuple):
            value = ", ".join(str(part) for part in value)
        return "?" if value is None or value == "" else value


def filled(template: str, parameters: Mapping[str, Any]) -> str:
    """A template of causes.toml with its parameters in place."""
    return _Blanks().vformat(template, (), dict(parameters))


def parse(text: str) -> dict[str, Cause]:
    """The causes in TOML text by id; CauseError for a duplicate id, an unknown layer or confidence, or a missing key."""
    causes: dict[str, Cause] = {}
    for row in tomllib.loads(text).get("cause", []):
        if row.keys() - {"surest"} != {"id", "layer", "title", "remedy"}:
            raise CauseError(f"causes.toml: a cause has id, layer, title and remedy, not {sorted(row)}")
        if row["id"] in causes:
            raise CauseError(f"causes.toml: {row['id']!r} stands there twice")
        if row["layer"] not in LAYERS:
            raise CauseError(f"causes.toml: {row['id']!r} names the unknown layer {row['layer']!r}")
        if row.get("surest", Confidence.PROVEN) not in set(Confidence):
            raise CauseError(f"causes.toml: {row['id']!r} is {row['surest']!r} at most, which is no confidence")
        causes[row["id"]] = Cause(**{**row, "surest": Confidence(row.get("surest", Confidence.PROVEN))})
    return causes


@cache
def known() -> dict[str, Cause]:
    """The causes of reports/causes.toml by id."""
    return parse(FILE.read_text(encoding="utf-8"))


def diagnosis(
    cause: str,
    component: str,
    *,
    evidence: tuple[int, ...],
    parameters: Mapping[str, Any] | None = None,
    layer: str | None = None,
    patch: Mapping[str, Any] | None = None,
    confidence: Confidence = Confidence.PROVEN,
    explains: tuple[str, ...] = (),
) -> Diagnosis:
    """A diagnosis worded from the closed list, as sure as its cause may be; CauseError if the list has no such cause."""
    if cause not in known():
        raise CauseError(f"no cause {cause!r} in causes.toml")
    entry = known()[cause]
    given = {"service": component, **(parameters or {})}
    return Diagnosis(
        cause=cause,
        parameters=dict(parameters or {}),
        layer=layer or entry.layer,
        component=component,
        summary=filled(entry.title, given),
        remedy=filled(entry.remedy, given),
        patch=patch,
        confidence=max(confidence, entry.surest, key=lambda word: CERTAINTY[word]),
        evidence=tuple(sorted(set(evidence))),
        explains=explains,
    )
