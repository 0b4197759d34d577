"""The one module that knows pytest: checks become an inventory and outcomes, kept as evidence as they happen."""

from collections.abc import Callable, Generator, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import pytest

from reports.checklist import Checklist, Item, problems
from reports.evidence import Event
from reports.outcomes import Listed, Outcome

LONGEST_MESSAGE = 6000
"""Characters of a check's message that are kept."""

SELECTING = ("keyword", "markexpr", "deselect", "maxfail", "lf", "last_failed", "stepwise", "ignore_glob")
"""pytest's options by which less than all is run (names as in pytest's own `option` namespace)."""


class Recorder(Protocol):
    """Where outcomes are kept: the journal of the run."""

    def record(self, kind: str, subject: str, request: Any = None, response: Any = None) -> int:
        """Keep one event; its number."""

    def events(self, *kinds: str, since: int = 0) -> list[Event]:
        """The events after a number."""


@dataclass
class Session:
    """What one pytest session is about: the checklist, the recorder, what the user selected."""

    checklist: Checklist
    recorder: Recorder
    paths: tuple[str, ...] = ()
    fail_fast: bool = False
    needs: Callable[[Iterable[str]], list[str]] = lambda _: []
    broken_needs: Callable[[list[str]], str | None] = lambda _: None
    partial: str | None = None
    stopped: str | None = None
    ran: dict[str, "Seen"] = field(default_factory=dict)


@dataclass
class Seen:
    """One check while it runs: the first event that is its own, and what its phases came to."""

    since: int
    outcome: Outcome = Outcome.PASSED
    message: str | None = None
    because: str | None = None
    seconds: float = 0.0


SESSION: pytest.StashKey[Session] = pytest.StashKey()
FACT: pytest.StashKey[dict[str, Any]] = pytest.StashKey()


@pytest.fixture
def fact(request: pytest.FixtureRequest) -> dict[str, Any]:
    """What a check states for the diagnosis, in the words of reports/causes.toml; read only if it fails."""
    stated: dict[str, Any] = request.node.stash.setdefault(FACT, {})
    return stated


def cited(item: pytest.Item) -> str:
    """The checklist item that a check cites by its marker."""
    marks = list(item.iter_markers("verifies"))
    if len(marks) != 1 or len(marks[0].args) != 1:
        raise pytest.UsageError(f"{item.nodeid} has {len(marks)} markers 'verifies'; give it one, with one item id")
    return str(marks[0].args[0])


def title(item: pytest.Item) -> str:
    """The property that a check states: its docstring's first line, and its parameter where it has one."""
    doc = (getattr(item, "obj", None).__doc__ or item.name).strip().splitlines()[0].removesuffix(".")
    call = getattr(item, "callspec", None)
    return f"{doc} [{call.id}]" if call else doc


def _fixtures(item: pytest.Item) -> list[str]:
    return list(getattr(item, "fixturenames", ()))


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Record the full inventory, order it from the ground up, then keep what the user selected."""
    session = config.stash.get(SESSION, None)
    if session is None:
        return
    listed = [Listed(item.nodeid, cited(item), title(item), tuple(session.needs(_fixtures(item)))) for item in items]
    if wrong := problems(session.checklist, listed):
        raise pytest.UsageError("\n".join(wrong))
    rows = [{"nodeid": c.nodeid, "item": c.item, "title": c.title, "needs": list(c.needs)} for c in listed]
    session.recorder.record("inventory", "suites", None, {"checks": rows})
    ground = {item.id: item.ground for item in session.checklist.items}
    for item, check in zip(items, listed, strict=True):
        _label(item, session.checklist.item(check.item))
    items.sort(key=lambda item: (_is(item, "last"), _is(item, "restarts"), ground[cited(item)]))
    if session.paths:
        kept = [item for item in items if any(_is_below(item, path) for path in session.paths)]
        config.hook.pytest_deselected(items=[item for item in items if item not in kept])
        items[:] = kept
    given = [name for name in SELECTING if config.getoption(name, default=None)]
    if given or session.paths:
        session.partial = "selected by " + ", ".join([*given, *session.paths])


def _is(item: pytest.Item, marker: str) -> bool:
    return item.get_closest_marker(marker) is not None


def _label(item: pytest.Item, cited_item: Item | None) -> None:
    """Tell allure-pytest (by its markers) which checklist item a check belongs to."""
    if cited_item is None or not item.config.pluginmanager.hasplugin("allure_pytest"):
        return
    severity = "critical" if cited_item.required else "normal"
    for kind, value in (("feature", cited_item.title), ("readiness", cited_item.id), ("severity", severity)):
        item.add_marker(pytest.mark.allure_label(value, label_type=kind))
    item.add_marker(pytest.mark.allure_label(item.nodeid, label_type="check"))


def _is_below(item: pytest.Item, path: str) -> bool:
    file, _, rest = path.partition("::")
    place = Path(file).resolve()
    inside = item.path == place or place in item.path.parents
    wanted = rest.split("::")[-1]
    return inside and (not rest or item.name == wanted or getattr(item, "originalname", None) == wanted)


def pytest_deselected(items: list[pytest.Item]) -> None:
    """Whatever is left out makes the run a partial one."""
    if items and (session := items[0].config.stash.get(SESSION, None)) is not None:
        session.partial = session.partial or f"{len(items)} checks were deselected"


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip, in one line, a check whose service is known to be dead."""
    session = item.config.stash.get(SESSION, None)
    if session is None:
        return
    session.ran.setdefault(item.nodeid, Seen(since=_last(session)))
    because = session.broken_needs(_fixtures(item))
    if because is not None:
        pytest.skip(because)


def _last(session: Session) -> int:
    events = session.recorder.events()
    return events[-1].seq if events else 0


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Turn the phases of a check into one outcome, kept when its last phase is over."""
    report = yield
    session = item.config.stash.get(SESSION, None)
    if session is None:
        return report
    seen = session.ran.setdefault(item.nodeid, Seen(since=_last(session)))
    seen.seconds += call.duration
    if call.excinfo is not None:
        _worsen(seen, call.excinfo)
    if call.when == "teardown":
        _keep(session, item, seen)
    return report


def _worsen(seen: Seen, excinfo: pytest.ExceptionInfo[BaseException]) -> None:
    error = excinfo.value
    words = str(error) or type(error).__name__
    if isinstance(error, pytest.skip.Exception):
        if seen.outcome is Outcome.PASSED:
            seen.outcome, seen.because = Outcome.SKIPPED, words
    elif isinstance(error, AssertionError | pytest.fail.Exception):
        seen.outcome, seen.message = Outcome.FAILED, words[:LONGEST_MESSAGE]
    elif seen.outcome is not Outcome.FAILED:
        place = excinfo.traceback[-1]
        where = f"{Path(str(place.path)).name}:{place.lineno + 1}"
        seen.outcome, seen.message = Outcome.BROKEN, f"{type(error).__name__}: {words} ({where})"[:LONGEST_MESSAGE]


def _keep(session: Session, item: pytest.Item, seen: Seen) -> None:
    shared = [seq for value in getattr(item, "funcargs", {}).values() for seq in _evidence_of(value)]
    own = [event for event in session.recorder.events(since=seen.since) if event.kind not in {"event", "check"}]
    evidence = sorted({*shared, *(event.seq for event in own)})
    response = {
        "outcome": seen.outcome.value,
        "duration_s": seen.seconds,
        "message": seen.message,
        "because": seen.because,
        "evidence": evidence,
        "facts": item.stash.get(FACT, None) or None,
    }
    session.recorder.record("check", item.nodeid, None, response)
    wanted = session.checklist.item(cited(item))
    if session.fail_fast and seen.outcome is Outcome.FAILED and wanted is not None and wanted.required:
        session.stopped = f"--fail-fast: {item.nodeid} refutes {wanted.id}"
        item.session.shouldstop = session.stopped


def _evidence_of(value: object) -> list[int]:
    evidence = getattr(value, "evidence", None)
    return [seq for seq in evidence if isinstance(seq, int)] if isinstance(evidence, list | tuple) else []
