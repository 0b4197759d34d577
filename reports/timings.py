"""Where a run's time went: waiting for others, or the harness's own."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from reports.evidence import Bundle, Event

WAITING = ("engine", "build", "up", "collect", "down")
"""Phases in which the harness waits for the engine, for packages, for containers."""


@dataclass(frozen=True)
class Timings:
    """Seconds of a run: in all, by phase, spent on the target's answers, and the harness's own."""

    total: float
    phases: Mapping[str, float]
    answers: float
    own: float

    @property
    def share(self) -> float:
        """The harness's own part of the wall time, 0 to 1."""
        return self.own / self.total if self.total else 0.0

    def as_line(self) -> str:
        """One line for people."""
        parts = ", ".join(f"{name} {seconds:.1f}" for name, seconds in self.phases.items())
        return f"time: {self.total:.1f} s ({parts}); own share {100 * self.share:.0f} % ({self.own:.1f} s)"


def _moment(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


def _waited(events: Iterable[Event], begin: float, end: float) -> float:
    """Seconds of [begin, end] in which at least one exchange was under way: overlapping ones count once."""
    spans = []
    for event in events:
        seconds = event.response.get("seconds") if isinstance(event.response, dict) else None
        if isinstance(seconds, int | float) and event.kind not in {"start", "sample", "calibration"}:
            until = _moment(event.t)
            spans.append((max(until - seconds, begin), min(until, end)))
    covered, reached = 0.0, begin
    for start, stop in sorted(spans):
        covered += max(stop - max(start, reached), 0.0)
        reached = max(reached, stop)
    return covered


def timings(bundle: Bundle, phases: Mapping[str, float], total: float) -> Timings:
    """What a run's phases (seconds) and its evidence say; `checks` contains `up`, `collect` and `down`."""
    inventory, finished = bundle.last("start"), bundle.last("run.finished")
    answers = 0.0
    if inventory is not None and finished is not None:
        last = max((event for event in bundle.of("check")), key=lambda event: event.seq, default=finished)
        answers = _waited(bundle.events, _moment(inventory.t), _moment(last.t))
    inner = sum(phases.get(name, 0.0) for name in ("up", "collect", "down"))
    shown = {name: seconds - inner if name == "checks" else seconds for name, seconds in phases.items()}
    waited = answers + sum(shown.get(name, 0.0) for name in WAITING)
    return Timings(total, shown, answers, max(total - waited, 0.0))
