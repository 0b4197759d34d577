"""Response times against their budgets: medians and tails of samples, judged only on a calm machine."""

import math
from bisect import bisect
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from reports.checklist import Budget, Checklist
from reports.evidence import Bundle

ENOUGH = 20
ENOUGH_FOR_P99 = 100
CALM = 1.3
NOT_COMPARED = "No slower than the last release: not compared (no earlier run is at hand)."


class Standing(StrEnum):
    """The standing of a checklist item, or of one measured metric."""

    VERIFIED = "verified"
    UNVERIFIED = "unverified"
    REFUTED = "refuted"


@dataclass(frozen=True)
class Metric:
    """One row of the table; times in `unit` (s or ms), None where too few samples say anything."""

    metric: str
    unit: str
    n: int
    p50: float | None
    p95: float | None
    p99: float | None
    budget: float | None
    standing: Standing
    calibration: float | None
    evidence: tuple[int, ...] = ()


def percentile(values: Sequence[float], share: float) -> float | None:
    """The value below which this share (0 to 1) of the values lies, between neighbours in proportion; None of none."""
    if not values:
        return None
    ordered = sorted(values)
    place = share * (len(ordered) - 1)
    low = math.floor(place)
    high = math.ceil(place)
    return ordered[low] + (ordered[high] - ordered[low]) * (place - low)


def is_calm(ratio: float | None) -> bool:
    """Whether the calibration loop ran within 1.3 of its idle time; an unknown machine is not calm."""
    return ratio is not None and ratio <= CALM


def standing(seconds: Sequence[float], budget: float | None, ratio: float | None) -> Standing:
    """Refuted only if median and p95 both exceed the budget on a calm machine; unverified if it cannot be told."""
    median = percentile(seconds, 0.50)
    tail = percentile(seconds, 0.95)
    if median is None or tail is None or budget is None or len(seconds) < ENOUGH or not is_calm(ratio):
        return Standing.UNVERIFIED
    return Standing.REFUTED if median > budget and tail > budget else Standing.VERIFIED


def _name(subject: str, where: str) -> str:
    """`lookup` timed over `http` is the metric `lookup.http`; a subject that says it already stays as it is."""
    return subject if not where or subject.endswith(f".{where}") else f"{subject}.{where}"


def _samples(bundle: Bundle) -> dict[str, list[tuple[int, float]]]:
    found: dict[str, list[tuple[int, float]]] = {}
    for event in bundle.of("sample"):
        name = _name(event.subject, str(event.response.get("where") or ""))
        found.setdefault(name, []).append((event.seq, float(event.response["seconds"])))
    return found


@dataclass(frozen=True)
class _Calm:
    """The calibration of one metric: the median of its ratios, and the events that hold them."""

    ratio: float | None
    evidence: tuple[int, ...]


def _calm(bundle: Bundle, samples: Sequence[tuple[int, float]]) -> _Calm:
    """The loops run beside these samples (the first after each, else the last before); all, when there are no samples.

    Their median, as it is the samples' own median that must exceed the budget: one busy moment proves nothing.
    """
    events = bundle.of("calibration")
    seqs = [event.seq for event in events]
    beside = {min(bisect(seqs, seq), len(events) - 1) for seq, _ in samples} if events else set()
    chosen = [events[place] for place in sorted(beside)] or list(events)
    ratios = [float(event.response["ratio"]) for event in chosen]
    return _Calm(percentile(ratios, 0.50), tuple(event.seq for event in chosen))


def _metric(
    name: str,
    seen: Sequence[tuple[int, float]],
    budget: Budget | None,
    calm: _Calm,
) -> Metric:
    unit = budget.unit if budget else "s"
    scale = 1000.0 if unit == "ms" else 1.0
    seconds = [value for _, value in seen]
    told = [value * scale for value in seconds]
    return Metric(
        metric=name,
        unit=unit,
        n=len(seen),
        p50=percentile(told, 0.50),
        p95=percentile(told, 0.95),
        p99=percentile(told, 0.99) if len(told) >= ENOUGH_FOR_P99 else None,
        budget=budget.seconds * scale if budget else None,
        standing=standing(seconds, budget.seconds if budget else None, calm.ratio),
        calibration=calm.ratio,
        evidence=tuple(sorted({*(seq for seq, _ in seen), *calm.evidence})),
    )


def measure(bundle: Bundle, checklist: Checklist) -> tuple[Metric, ...]:
    """One row for every budget, in the checklist's order, then one for every metric that was timed without one."""
    samples = _samples(bundle)
    budgets = {budget.metric: budget for budget in checklist.budgets}
    names = [*budgets, *sorted(name for name in samples if name not in budgets)]
    rows = [(name, samples.get(name, [])) for name in names]
    return tuple(_metric(name, seen, budgets.get(name), _calm(bundle, seen)) for name, seen in rows)
