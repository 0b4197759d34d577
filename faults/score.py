"""What a campaign came to: pure functions from results to rates with their intervals, misses, false alarms, and floors."""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from statistics import median
from typing import Any

NOT_READY, INCONCLUSIVE, READY = "NOT READY", "INCONCLUSIVE", "READY"
Z = 1.959964
"""The normal quantile of a two-sided 95 % interval."""

UNCERTAIN = "unknown"
LONGEST = 180.0
"""Seconds that a run of a broken deployment may take."""


@dataclass(frozen=True)
class Named:
    """One diagnosis as a verdict gave it."""

    cause: str
    component: str
    confidence: str
    summary: str = ""


@dataclass(frozen=True)
class Result:
    """One entry of the corpus after one run of the gate; `error` says why the run counts for nothing."""

    id: str
    kind: str
    group: str
    severity: str
    expect: tuple[tuple[str, str], ...]
    verdict: str
    exit: int | None
    seconds: float
    diagnoses: tuple[Named, ...] = ()
    refuted: tuple[str, ...] = ()
    failed: tuple[str, ...] = ()
    error: str | None = None
    commit: str = ""
    day: str = ""
    """When it ran (UTC, YYYY-MM-DD)."""
    digest: str = ""
    host: bool = False
    """Whether the fault is the machine's, for which INCONCLUSIVE is the right word."""

    @property
    def caught(self) -> bool:
        """Whether the gate refused the deployment."""
        return self.verdict == NOT_READY or (self.host and self.verdict == INCONCLUSIVE)

    @property
    def rank(self) -> int | None:
        """Place (from 1) of the first diagnosis that names a cause that is there; None where none does."""
        return next((place for place, one in enumerate(self.diagnoses, start=1) if self._is_right(one)), None)

    @property
    def component_first(self) -> bool:
        """Whether the first diagnosis accuses a component that is at fault."""
        return bool(self.diagnoses) and self.diagnoses[0].component in {component for _, component in self.expect}

    @property
    def all_named(self) -> bool:
        """Whether every cause that is there is named somewhere."""
        return all(any(_names(one, expected) for one in self.diagnoses) for expected in self.expect)

    @property
    def confidently_wrong(self) -> bool:
        """Whether the first diagnosis is called proven and names no cause that is there."""
        return bool(self.diagnoses) and self.diagnoses[0].confidence == "proven" and self.rank != 1

    def _is_right(self, one: Named) -> bool:
        return any(_names(one, expected) for expected in self.expect)


def _names(one: Named, expected: tuple[str, str]) -> bool:
    """Whether a diagnosis names an expected cause; that nobody can tell is right where it says so itself."""
    cause, _ = expected
    return one.confidence == UNCERTAIN if cause == UNCERTAIN else one.cause == cause


def result_of(row: Mapping[str, Any]) -> Result:
    """A result from its JSON form."""
    known = {**row}
    known["expect"] = tuple((cause, component) for cause, component in row["expect"])
    known["diagnoses"] = tuple(Named(**one) for one in row["diagnoses"])
    known["refuted"], known["failed"] = tuple(row["refuted"]), tuple(row["failed"])
    return Result(**known)


def as_json(result: Result) -> dict[str, Any]:
    """The JSON form of a result."""
    return asdict(result)


@dataclass(frozen=True)
class Rate:
    """A share with its 95 % interval by Wilson's score (E. B. Wilson, JASA 22, 1927)."""

    hits: int
    of: int

    @property
    def share(self) -> float | None:
        """Hits over trials, 0 to 1; None where nothing was tried."""
        return self.hits / self.of if self.of else None

    @property
    def interval(self) -> tuple[float, float]:
        """Lower and upper end, 0 to 1; (0, 1) where nothing was tried."""
        if not self.of:
            return 0.0, 1.0
        share, square = self.hits / self.of, Z * Z / self.of
        middle = (share + square / 2) / (1 + square)
        half = Z * math.sqrt(share * (1 - share) / self.of + square / (4 * self.of)) / (1 + square)
        return max(0.0, middle - half), min(1.0, middle + half)

    def __str__(self) -> str:
        """`97.8 % (44/45; 88-100)`."""
        if self.share is None:
            return "none tried"
        low, high = self.interval
        return f"{100 * self.share:.1f} % ({self.hits}/{self.of}; {100 * low:.0f}-{100 * high:.0f})"


def rate(results: Iterable[Result], holds: Callable[[Result], object]) -> Rate:
    """How many of these results a property holds for."""
    told = [bool(holds(result)) for result in results]
    return Rate(sum(told), len(told))


def is_right(result: Result) -> bool:
    """Whether the gate did with an entry what it is there for: quiet on a sound one, a misbehaviour caught, a cause and component first."""
    if result.error is not None:
        return False
    if result.kind == "control":
        return result.verdict == READY
    return result.caught and (result.kind == "mutant" or (result.rank == 1 and result.component_first))


def is_double(result: Result) -> bool:
    """Whether two causes were there."""
    return len(result.expect) > 1


MEASURES: Mapping[str, Callable[[Result], object]] = {
    "caught": lambda result: result.caught,
    "component first": lambda result: result.component_first,
    "cause first": lambda result: result.rank == 1,
    "cause in first three": lambda result: result.rank is not None and result.rank <= 3,
    "confidently wrong": lambda result: result.confidently_wrong,
}
"""What is counted over faults; the last is to be low."""


@dataclass(frozen=True)
class Floor:
    """One stated bound, what was reached, and whether it holds; None where nothing was there to be counted."""

    name: str
    bound: str
    reached: str
    holds: bool | None


def floors(results: Sequence[Result], *, sample: bool = False) -> tuple[Floor, ...]:
    """The stated bounds of a campaign; a sample refutes a share only when the whole interval lies on the wrong side, and no time: its machine may be busy."""
    sound = [result for result in results if result.error is None]
    faults = [result for result in sound if result.kind == "fault"]
    mutants = [result for result in sound if result.kind == "mutant"]
    controls = [result for result in sound if result.kind == "control"]
    rows = [(name, rate(faults, MEASURES[name]), at_least) for name, at_least in AT_LEAST.items()]
    found = [
        Floor(name, f">= {at_least:.0%}", str(got), _over(got, at_least, sample=sample)) for name, got, at_least in rows
    ]
    wrong = rate(faults, MEASURES["confidently wrong"])
    least = wrong.interval[0] if sample else wrong.share or 0.0
    found.append(Floor("confidently wrong", "<= 1%", str(wrong), least <= 0.01 if wrong.of else None))
    critical = rate([result for result in faults if result.severity == "critical"], MEASURES["caught"])
    found.append(Floor("critical caught", "all", str(critical), _over(critical, 1.0)))
    both = rate([result for result in faults if is_double(result)], lambda result: result.all_named)
    found.append(Floor("both causes of a double fault", ">= 80%", str(both), _over(both, 0.8, sample=sample)))
    killed = rate(mutants, MEASURES["caught"])
    found.append(Floor("mutants caught", "all", str(killed), _over(killed, 1.0)))
    quiet = rate(controls, lambda result: result.verdict == READY)
    found.append(Floor("controls READY", "all", str(quiet), _over(quiet, 1.0)))
    longest = max((result.seconds for result in (*faults, *mutants)), default=None)
    said = "none tried" if longest is None else f"{longest:.0f} s"
    in_time = None if longest is None or sample else longest <= LONGEST
    found.append(Floor("longest run of a broken one", "<= 180 s", said, in_time))
    slow, healthy = [r.seconds for r in faults], [r.seconds for r in controls]
    ratio = median(slow) / median(healthy) if slow and healthy else None
    said = "not both there" if ratio is None else f"{ratio:.2f} ({median(slow):.0f} s / {median(healthy):.0f} s)"
    found.append(Floor("median time, broken / sound", "<= 1", said, None if ratio is None or sample else ratio <= 1))
    return tuple(found)


AT_LEAST = {"caught": 0.98, "component first": 0.98, "cause first": 0.95, "cause in first three": 0.98}


def _over(got: Rate, at_least: float, *, sample: bool = False) -> bool | None:
    if got.share is None:
        return None
    return (got.interval[1] if sample else got.share) >= at_least


def by_group(results: Sequence[Result]) -> dict[str, dict[str, Rate]]:
    """Group (a layer) -> measure -> rate, over faults."""
    faults = [result for result in results if result.kind == "fault" and result.error is None]
    return {
        group: {name: rate([r for r in faults if r.group == group], holds) for name, holds in MEASURES.items()}
        for group in sorted({result.group for result in faults})
    }


def misses(results: Sequence[Result]) -> list[str]:
    """The broken deployments and misbehaving services that were let through."""
    return [r.id for r in results if r.error is None and r.kind != "control" and not r.caught]


def false_alarms(results: Sequence[Result]) -> list[str]:
    """The sound deployments that were not called READY."""
    return [r.id for r in results if r.error is None and r.kind == "control" and r.verdict != READY]


def reddened(results: Sequence[Result]) -> dict[str, list[str]]:
    """Check -> the faults and mutants that turned it red."""
    found: dict[str, list[str]] = {}
    for result in results:
        for nodeid in result.failed if result.error is None and result.kind != "control" else ():
            found.setdefault(nodeid, []).append(result.id)
    return found


def word(result: Result) -> str:
    """How a diagnosis did, in one word: first, first three, later, no."""
    if result.rank is None:
        return "no"
    return "first" if result.rank == 1 else "first three" if result.rank <= 3 else "later"


def table(results: Sequence[Result]) -> list[str]:
    """The table fault x caught x item x cause x component x seconds, in Markdown."""
    head = [
        "| entry | group | caught | refuted first | cause named | component | said first | seconds |",
        "|---|---|---|---|---|---|---|---|",
    ]
    return [
        *head,
        *(_row(result) for result in sorted(results, key=lambda r: (r.kind != "fault", r.kind, r.group, r.id))),
    ]


def _row(result: Result) -> str:
    if result.error is not None:
        return f"| {result.id} | {result.group} | error of the campaign | | | | {result.error[:120]} | {result.seconds:.0f} |"
    first = result.diagnoses[0] if result.diagnoses else None
    said = f"{first.cause} @ {first.component} ({first.confidence})" if first else ""
    if result.kind == "control":
        return f"| {result.id} | control | {'quiet' if result.verdict == READY else '**' + result.verdict + '**'} | | | | {said} | {result.seconds:.0f} |"
    caught = "yes" if result.caught else "**no**"
    item = result.refuted[0] if result.refuted else ""
    component = "yes" if result.component_first else "**no**"
    return f"| {result.id} | {result.group} | {caught} | {item} | {word(result)} | {component} | {said} | {result.seconds:.0f} |"
