"""What became of each check: its outcome, joined with the inventory of all checks there are."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from reports.evidence import Bundle, Event


class Outcome(StrEnum):
    """The outcome of a check; a check that did not run has none."""

    PASSED = "passed"
    SKIPPED = "skipped"
    BROKEN = "broken"
    FAILED = "failed"


# Two outcomes of one check (a retry, a second phase) merge to the worse: nothing is washed clean by running it again.
_WORSE = {outcome: rank for rank, outcome in enumerate(Outcome)}


@dataclass(frozen=True)
class Listed:
    """One check of the inventory: node id, the checklist item it cites, its title, the roles that it needs."""

    nodeid: str
    item: str
    title: str
    needs: tuple[str, ...] = ()


@dataclass(frozen=True)
class Check:
    """One check that ran (or was skipped): durations in seconds, evidence as the numbers of events."""

    nodeid: str
    item: str
    outcome: Outcome
    duration_s: float
    message: str | None = None
    because: str | None = None
    evidence: tuple[int, ...] = ()
    facts: Mapping[str, Any] | None = None
    title: str = ""
    seq: int = 0

    @property
    def first_line(self) -> str:
        """The first line of its message (or of why it was skipped), for places with room for one."""
        text = (self.message or self.because or "").strip()
        return text.splitlines()[0].strip() if text else ""


def inventory(bundle: Bundle) -> tuple[Listed, ...]:
    """All checks that there are, as the bundle records them; empty when the run did not get that far."""
    event = bundle.last("inventory")
    rows: Iterable[Mapping[str, Any]] = event.response["checks"] if event else ()
    return tuple(Listed(row["nodeid"], row["item"], row["title"], tuple(row.get("needs") or ())) for row in rows)


def _check(event: Event, listed: Listed) -> Check:
    seen = event.response
    return Check(
        nodeid=event.subject,
        item=listed.item,
        outcome=Outcome(seen["outcome"]),
        duration_s=float(seen["duration_s"]),
        message=seen.get("message"),
        because=seen.get("because"),
        evidence=tuple(sorted(set(seen.get("evidence") or ()))),
        facts=seen.get("facts"),
        title=listed.title or event.subject,
        seq=event.seq,
    )


def checks(bundle: Bundle) -> tuple[Check, ...]:
    """The checks that have an outcome, in the inventory's order; of several outcomes of one check the worst."""
    listed = {entry.nodeid: entry for entry in inventory(bundle)}
    found: dict[str, Check] = {}
    for event in bundle.of("check"):
        check = _check(event, listed.get(event.subject, Listed(event.subject, "", "")))
        known = found.get(check.nodeid)
        if known is None or _WORSE[check.outcome] > _WORSE[known.outcome]:
            found[check.nodeid] = check
    order = {nodeid: place for place, nodeid in enumerate(listed)}
    return tuple(sorted(found.values(), key=lambda check: (order.get(check.nodeid, len(order)), check.nodeid)))
