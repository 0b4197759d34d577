"""Warnings sorted into those that are known and expected, and all others."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from reports.checklist import Checklist, KnownWarning
from reports.evidence import Bundle

# What differs between two tellings of one warning: ids, addresses, times, counts, line numbers.
_VARIABLE = re.compile(r"0x[0-9a-fA-F]+|\b[0-9a-fA-F-]{12,}\b|\bm-[0-9a-f]{32}\b|\d+")
_WHEN = re.compile(r"when\s+(?P<fact>[\w.-]+)\s*=\s*(?P<value>.+)")


@dataclass(frozen=True)
class Warned:
    """One warning, however often it came; `rule` is the known warning that it is, if it was expected."""

    source: str
    text: str
    count: int
    rule: str | None = None
    evidence: tuple[int, ...] = ()


@dataclass(frozen=True)
class Warnings:
    """All warnings of a run."""

    expected: tuple[Warned, ...] = ()
    unexpected: tuple[Warned, ...] = ()


def _facts(bundle: Bundle) -> dict[str, set[str]]:
    stated: dict[str, set[str]] = {}
    for event in bundle.of("check"):
        facts: Mapping[str, Any] = event.response.get("facts") or {}
        for name, value in facts.items():
            stated.setdefault(name, set()).add(str(value))
    return stated


def is_expected(known: KnownWarning, facts: Mapping[str, set[str]]) -> bool:
    """Whether the condition of a known warning holds; words that are no condition never do."""
    if known.expected_when == "always":
        return True
    condition = _WHEN.fullmatch(known.expected_when.strip())
    return condition is not None and condition["value"].strip() in facts.get(condition["fact"], set())


def _rule(text: str, rules: Iterable[KnownWarning]) -> str | None:
    return next((known.id for known in rules if re.search(known.pattern, text)), None)


def sort(bundle: Bundle, checklist: Checklist) -> Warnings:
    """The warnings of a run, each told once with its count, by source and text."""
    facts = _facts(bundle)
    rules = [known for known in checklist.known_warnings if is_expected(known, facts)]
    groups: dict[tuple[str, str, str], list[tuple[int, str]]] = {}
    for event in bundle.of("warning"):
        text = " ".join(str(event.response["text"]).split())
        rule = _rule(text, rules)
        key = (event.subject, rule or "", "" if rule else _VARIABLE.sub("#", text))
        groups.setdefault(key, []).append((event.seq, text))
    told = [
        Warned(source, min(seen)[1], len(seen), rule or None, tuple(sorted(seq for seq, _ in seen)))
        for (source, rule, _), seen in groups.items()
    ]
    told.sort(key=lambda warned: (warned.source, warned.text))
    return Warnings(
        expected=tuple(warned for warned in told if warned.rule),
        unexpected=tuple(warned for warned in told if not warned.rule),
    )
