"""The landing page: verdict, cause and remedy, checklist with its evidence, in one self-contained HTML file."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from reports.evidence import Bundle, Event, canonical
from reports.judge import ItemResult, Verdict
from reports.outcomes import Check, Listed, Outcome, inventory
from reports.performance import NOT_COMPARED, Standing
from reports.wording import (
    Lead,
    checks_passed,
    duration,
    figure,
    items_standing,
    lead,
    one_line,
    phases,
    release,
    told_standing,
    total_checks,
)

TEMPLATES = Path(__file__).with_name("templates")
# Exchanges are shown shortened; the journal has them whole.
LONGEST = 1_500
MOST_EVIDENCE = 60
MARKS = {Standing.VERIFIED: "✓", Standing.REFUTED: "✕", Standing.UNVERIFIED: "?"}


@dataclass(frozen=True)
class CheckRow:
    """One check as the page shows it; `outcome` is `did not run` for one without."""

    title: str
    nodeid: str
    outcome: str
    told: str
    link: str | None
    evidence: tuple[str, ...]


@dataclass(frozen=True)
class ItemRow:
    """One line of the checklist as the page shows it."""

    item: ItemResult
    mark: str
    because: str
    details: str
    checks: tuple[CheckRow, ...]


@dataclass(frozen=True)
class Exchange:
    """One piece of evidence as the page shows it."""

    ref: str
    told: str
    t: str
    text: str


@cache
def _environment() -> Environment:
    return Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _row(listed: Listed, check: Check | None, links: Mapping[str, str]) -> CheckRow:
    if check is None:
        return CheckRow(listed.title, listed.nodeid, "did not run", "", None, ())
    told = check.message or check.because or ""
    refs = tuple(f"e{seq}" for seq in (*check.evidence, check.seq)) if check.outcome is not Outcome.PASSED else ()
    return CheckRow(check.title, check.nodeid, check.outcome.value, told, links.get(check.nodeid), refs)


def _items(verdict: Verdict, bundle: Bundle, links: Mapping[str, str]) -> list[ItemRow]:
    ran = {check.nodeid: check for check in verdict.checks}
    listed = inventory(bundle)
    rows = []
    for item in verdict.checklist:
        mine = [entry for entry in listed if entry.item == item.id]
        checks = [_row(entry, ran.get(entry.nodeid), links) for entry in mine]
        checks.sort(key=lambda row: row.outcome == Outcome.PASSED)
        head, _, rest = (item.because or "").partition("\n")
        rows.append(ItemRow(item, MARKS[item.standing], head, rest, tuple(checks)))
    return rows


def _summary(event: Event) -> str:
    answer: Mapping[str, Any] = event.response if isinstance(event.response, Mapping) else {}
    error = answer.get("error")
    told = next(
        (f"{key} {answer[key]}" for key in ("status", "outcome", "rc", "ok") if answer.get(key) is not None), ""
    )
    if error:
        told = one_line(str(error.get("message") if isinstance(error, Mapping) else error), 120)
    return f"{event.kind} {event.subject}" + (f": {told}" if told else "")


def _exchange(event: Event) -> Exchange:
    text = canonical({"asked": event.request, "answered": event.response}, indent=2)
    if len(text) > LONGEST:
        text = f"{text[:LONGEST]}\n... {len(text) - LONGEST} more characters in evidence/journal.jsonl, {event.ref}"
    return Exchange(event.ref, _summary(event), event.t, text)


def _cited(verdict: Verdict, first: Lead) -> list[int]:
    """The evidence that the page shows itself: what speaks against the release, the likeliest cause's first."""
    seqs = [*first.evidence, *(seq for found in verdict.diagnoses for seq in found.evidence)]
    seqs += [seq for loss in verdict.losses for seq in loss.evidence]
    for outcome in (Outcome.FAILED, Outcome.BROKEN, Outcome.SKIPPED):
        seqs += [seq for check in verdict.checks if check.outcome is outcome for seq in (check.seq, *check.evidence)]
    return list(dict.fromkeys(seqs))[:MOST_EVIDENCE]


def render(verdict: Verdict, bundle: Bundle, links: Mapping[str, str] | None = None, allure: str | None = None) -> str:
    """The page as HTML; `links` lead from node ids into the Allure file `allure`, None where it was not rendered."""
    first = lead(verdict)
    exchanges = [_exchange(event) for seq in _cited(verdict, first) if (event := bundle.at(seq)) is not None]
    page = _environment().get_template("landing.html.j2")
    return page.render(
        verdict=verdict,
        word=str(verdict.verdict),
        tone=str(verdict.verdict).lower().replace(" ", "-"),
        release=release(verdict),
        lead=first,
        lead_refs=[f"e{seq}" for seq in first.evidence],
        items=_items(verdict, bundle, links or {}),
        exchanges=exchanges,
        shown={exchange.ref for exchange in exchanges},
        counts=f"{items_standing(verdict)} · {checks_passed(verdict, total_checks(verdict))}",
        duration=duration(verdict.run.duration_s),
        phases=phases(bundle),
        allure=allure,
        figure=figure,
        told_standing=told_standing,
        not_compared=NOT_COMPARED,
        services=sorted(verdict.target.services.items()),
    )
