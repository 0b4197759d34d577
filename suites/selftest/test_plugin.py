"""Checks become an inventory and outcomes, whatever happens to them."""

import json
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from fixtures.commands import ENOUGH, _Wiring
from fixtures.journal import Journal
from fixtures.redactor import Redactor
from reports import plugin
from reports.checklist import Checklist, Item
from reports.outcomes import Outcome

ITEMS = (
    Item("services-healthy", "All services healthy", required=True, ground=2),
    Item("fit-to-ship", "Fit to ship", required=True, ground=1),
)
CHECKS = '''
import pytest

@pytest.fixture
def registry():
    return None

@pytest.mark.verifies("services-healthy")
def test_passes(fact):
    """A property that holds."""

@pytest.mark.verifies("services-healthy")
def test_fails(fact):
    """A property that does not hold."""
    fact["semantics"] = "seen"
    assert 1 == 2, "asked, came back"

@pytest.mark.verifies("services-healthy")
def test_breaks():
    raise OSError("no such probe")

@pytest.mark.verifies("services-healthy")
def test_skips():
    pytest.skip("the target has none")

@pytest.mark.verifies("services-healthy")
def test_needs_a_dead_service(registry):
    raise AssertionError("must not run")

@pytest.mark.last
@pytest.mark.verifies("fit-to-ship")
def test_last():
    """Judges the whole run."""

@pytest.mark.verifies("fit-to-ship")
def test_first():
    """Stands on the ground."""
'''


class Wiring:
    """Gives a pytest session what `verify` gives it."""

    def __init__(self, session: plugin.Session) -> None:
        """Keep the session."""
        self.session = session

    def pytest_configure(self, config: pytest.Config) -> None:
        """Put it where the plugin looks."""
        config.stash[plugin.SESSION] = self.session


def outcome_of(
    pytester: pytest.Pytester, tmp_path: Path, checks: str, *arguments: str, **given: Any
) -> tuple[plugin.Session, list[dict[str, Any]], int]:
    """Run checks in a session of their own; session, events, exit status."""
    pytester.makepyfile(test_checks=checks)
    journal = Journal(tmp_path / "evidence", Redactor())
    session = plugin.Session(Checklist(expected={}, items=ITEMS), journal, **given)
    session.broken_needs = lambda fixtures: "registry exited 1" if "registry" in fixtures else None
    pytester.makeini("[pytest]\nmarkers =\n  verifies(item): x\n  last: x\n  restarts: x\n")
    result = pytester.inline_run("-p", "no:cacheprovider", *arguments, plugins=[plugin, Wiring(session)])
    journal.close()
    lines = (tmp_path / "evidence" / "journal.jsonl").read_text(encoding="utf-8").splitlines()
    return session, [json.loads(line) for line in lines], int(result.ret or 0)


def test_every_check_has_one_outcome(pytester: pytest.Pytester, tmp_path: Path) -> None:
    """Failed accuses the target, broken the harness, skipped says because of what."""
    session, events, _ = outcome_of(pytester, tmp_path, CHECKS)
    checks = {event["subject"].rpartition("::")[2]: event["response"] for event in events if event["kind"] == "check"}

    assert {name: seen["outcome"] for name, seen in checks.items()} == {
        "test_passes": "passed",
        "test_fails": "failed",
        "test_breaks": "broken",
        "test_skips": "skipped",
        "test_needs_a_dead_service": "skipped",
        "test_last": "passed",
        "test_first": "passed",
    }
    assert checks["test_fails"]["message"].startswith("asked, came back")
    assert checks["test_fails"]["facts"] == {"semantics": "seen"}
    assert checks["test_breaks"]["message"].startswith("OSError: no such probe (test_checks.py:")
    assert checks["test_needs_a_dead_service"]["because"] == "registry exited 1"
    assert session.partial is None


def test_checks_run_from_the_ground_up(pytester: pytest.Pytester, tmp_path: Path) -> None:
    """Items by their ground, and at the very end what judges the whole run."""
    _, events, _ = outcome_of(pytester, tmp_path, CHECKS)
    order = [event["subject"].rpartition("::")[2] for event in events if event["kind"] == "check"]

    assert order[0] == "test_first"
    assert order[-1] == "test_last"


@pytest.mark.parametrize(
    "arguments", [("-k", "passes"), ("-m", "last"), ("--maxfail=1",), ("--deselect", "test_checks.py::test_fails")]
)
def test_a_selection_makes_the_run_partial_and_keeps_the_inventory_whole(
    pytester: pytest.Pytester, tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    """What was left out is known to have been left out."""
    session, events, _ = outcome_of(pytester, tmp_path, CHECKS, *arguments)
    inventory = next(event["response"]["checks"] for event in events if event["kind"] == "inventory")

    assert session.partial
    assert len(inventory) == 7


def test_paths_select_after_the_collection(pytester: pytest.Pytester, tmp_path: Path) -> None:
    """A path names a file or one check in it; the others stay in the inventory."""
    path = f"{pytester.path / 'test_checks.py'}::test_passes"
    session, events, _ = outcome_of(pytester, tmp_path, CHECKS, paths=(path,))

    assert [event["subject"].rpartition("::")[2] for event in events if event["kind"] == "check"] == ["test_passes"]
    assert session.partial == f"selected by {path}"


def test_fail_fast_ends_after_the_first_refuted_required_item(pytester: pytest.Pytester, tmp_path: Path) -> None:
    """And says which."""
    session, events, _ = outcome_of(pytester, tmp_path, CHECKS, fail_fast=True)
    order = [event["subject"].rpartition("::")[2] for event in events if event["kind"] == "check"]

    assert order[-1] == "test_fails"
    assert session.stopped is not None
    assert session.stopped.endswith("refutes services-healthy")


@pytest.mark.parametrize(
    ("checks", "word"),
    [
        (CHECKS.replace('"fit-to-ship"', '"fit-to-shop"'), "fit-to-shop"),
        (CHECKS.replace('"fit-to-ship"', '"services-healthy"'), "no check verifies 'fit-to-ship'"),
        (CHECKS + "\ndef test_cites_nothing():\n    pass\n", "0 markers 'verifies'"),
    ],
    ids=["unknown item", "item without a check", "no marker"],
)
def test_what_does_not_fit_the_checklist_is_a_usage_error(
    pytester: pytest.Pytester, tmp_path: Path, capfd: pytest.CaptureFixture[str], checks: str, word: str
) -> None:
    """Pytest's exit status 4, and a line that names it."""
    _, _, status = outcome_of(pytester, tmp_path, checks)

    assert status == pytest.ExitCode.USAGE_ERROR
    assert word in "".join(capfd.readouterr())


ODD = '''
import pytest
from reports import plugin

class Asked:
    """A value that a check shares with others, and the evidence behind it."""
    evidence = [7, "not a number", 3]

@pytest.fixture
def asked():
    return Asked()

@pytest.fixture
def told(request):
    yield
    raise OSError("too late")

@pytest.mark.parametrize("way", ["there", "back"])
@pytest.mark.verifies("services-healthy")
def test_carries_labels(request, way):
    """Says what it is about. In a second sentence too.

    And more.
    """
    marks = {mark.kwargs["label_type"]: mark.args for mark in request.node.iter_markers("allure_label")}
    assert marks == {
        "feature": ("All services healthy",),
        "readiness": ("services-healthy",),
        "severity": ("critical",),
        "check": (request.node.nodeid,),
    }

@pytest.mark.verifies("services-healthy")
def test_asks(request, asked):
    recorder = request.config.stash[plugin.SESSION].recorder
    recorder.record("event", "api", None, {})
    recorder.record("http", "GET /", None, {})

@pytest.mark.verifies("services-healthy")
def test_fails_in_words():
    pytest.fail("w" * 7000, pytrace=False)

@pytest.mark.verifies("services-healthy")
def test_fails_without_words():
    raise AssertionError

@pytest.mark.verifies("services-healthy")
def test_fails_and_cannot_clean_up(told):
    assert not "held"

@pytest.mark.restarts
@pytest.mark.verifies("fit-to-ship")
def test_restarts():
    raise OSError("w" * 7000)

@pytest.mark.verifies("fit-to-ship")
def test_cannot_clean_up(told):
    pass
'''


def test_odd_ends_have_their_outcome_and_their_words(pytester: pytest.Pytester, tmp_path: Path) -> None:
    """A message is cut, a silent failure has its type's name, a failure stays one whatever comes after it."""
    _, events, _ = outcome_of(pytester, tmp_path, ODD)
    checks = {event["subject"].rpartition("::")[2]: event["response"] for event in events if event["kind"] == "check"}

    assert {name: seen["outcome"] for name, seen in checks.items()} == {
        "test_cannot_clean_up": "broken",
        "test_carries_labels[there]": "passed",
        "test_carries_labels[back]": "passed",
        "test_asks": "passed",
        "test_fails_in_words": "failed",
        "test_fails_without_words": "failed",
        "test_fails_and_cannot_clean_up": "failed",
        "test_restarts": "broken",
    }
    assert next(reversed(checks)) == "test_restarts"
    assert checks["test_fails_in_words"]["message"] == "w" * 6000
    assert checks["test_fails_without_words"]["message"] == "AssertionError"
    assert checks["test_fails_and_cannot_clean_up"]["message"].startswith("assert not")
    assert len(checks["test_restarts"]["message"]) == 6000
    assert checks["test_cannot_clean_up"]["message"] == "OSError: too late (test_checks.py:15)"
    assert {seen["facts"] for seen in checks.values()} == {None}
    assert {seen["because"] for seen in checks.values()} == {None}


def test_a_check_cites_what_it_asked_and_what_it_shares(pytester: pytest.Pytester, tmp_path: Path) -> None:
    """Its own exchanges and those behind its fixtures' values; what befell containers is nobody's question."""
    _, events, _ = outcome_of(pytester, tmp_path, ODD)
    asked = next(event["seq"] for event in events if event["kind"] == "http")
    cited = {
        event["subject"].rpartition("::")[2]: event["response"]["evidence"]
        for event in events
        if event["kind"] == "check"
    }

    assert cited["test_asks"] == sorted({3, 7, asked})
    assert cited["test_restarts"] == []


def test_the_inventory_tells_item_property_and_needs_of_every_check(pytester: pytest.Pytester, tmp_path: Path) -> None:
    """The docstring's first line, the parameter where there is one, the name where there is neither."""
    _, events, _ = outcome_of(pytester, tmp_path, ODD, needs=lambda names: ["queue"] if "asked" in names else [])
    rows = {row["nodeid"].rpartition("::")[2]: row for row in events[0]["response"]["checks"]}

    assert (events[0]["kind"], events[0]["subject"]) == ("inventory", "suites")
    assert rows["test_carries_labels[back]"]["title"] == "Says what it is about. In a second sentence too [back]"
    assert rows["test_asks"] == {
        "nodeid": "test_checks.py::test_asks",
        "item": "services-healthy",
        "title": "test_asks",
        "needs": ["queue"],
    }


@pytest.mark.parametrize(
    ("below", "kept"),
    [
        ("test_checks.py::test_carries_labels", 2),
        ("test_checks.py::test_carries_labels[back]", 1),
        ("test_checks.py::TestX::test_asks", 1),
        ("test_checks.py", 8),
        ("", 8),
        ("test_other.py", 0),
        ("test_checks.py::test_other", 0),
    ],
)
def test_a_path_is_a_folder_a_file_or_a_check_of_it(
    pytester: pytest.Pytester, tmp_path: Path, below: str, kept: int
) -> None:
    """A check's name stands for all of its parameters."""
    session, events, _ = outcome_of(pytester, tmp_path, ODD, paths=(str(pytester.path / below),))

    assert len([event for event in events if event["kind"] == "check"]) == kept
    assert session.partial == f"selected by {pytester.path / below}"


def test_what_another_plugin_leaves_out_makes_the_run_partial(pytester: pytest.Pytester, tmp_path: Path) -> None:
    """Counted, since no option tells why."""
    pytester.makeconftest(
        "def pytest_collection_modifyitems(config, items):\n"
        "    config.hook.pytest_deselected(items=items[2:])\n"
        "    items[:] = items[:2]\n"
    )
    session, _, _ = outcome_of(pytester, tmp_path, ODD)

    assert session.partial == "6 checks were deselected"


def test_options_and_paths_that_select_are_told_together(pytester: pytest.Pytester, tmp_path: Path) -> None:
    """In pytest's own names."""
    path = str(pytester.path / "test_checks.py")
    session, _, _ = outcome_of(pytester, tmp_path, ODD, "-k", "asks", "-m", "verifies", paths=(path,))

    assert session.partial == f"selected by keyword, markexpr, {path}"


@pytest.mark.parametrize(
    "marks", ['@pytest.mark.verifies("a", "b")', '@pytest.mark.verifies("a")\n@pytest.mark.verifies("a")']
)
def test_a_check_cites_one_item(
    pytester: pytest.Pytester, tmp_path: Path, capfd: pytest.CaptureFixture[str], marks: str
) -> None:
    """By one marker with one argument."""
    _, events, status = outcome_of(pytester, tmp_path, f"import pytest\n\n{marks}\ndef test_it():\n    pass\n")

    assert (events, status) == ([], pytest.ExitCode.USAGE_ERROR)
    assert f"test_checks.py::test_it has {marks.count('@')} markers 'verifies'; give it one" in "".join(
        capfd.readouterr()
    )


def protocol(wiring: Any, item: Any) -> None:
    """Run one check's protocol through the wiring's wrapper."""
    steps = wiring.pytest_runtest_protocol(item)
    next(steps)
    with pytest.raises(StopIteration):
        steps.send(True)


@pytest.mark.parametrize(
    ("outcome", "spent", "made", "stops"),
    [
        (Outcome.FAILED, ENOUGH + 1, 0, True),
        (Outcome.BROKEN, ENOUGH + 1, 0, True),
        (Outcome.PASSED, ENOUGH + 1, 0, False),
        (Outcome.FAILED, ENOUGH - 1, 0, False),
        (Outcome.FAILED, ENOUGH + 1, 60, False),
    ],
)
def test_a_spoilt_run_ends_in_time(outcome: Outcome, spent: float, made: float, stops: bool) -> None:
    """Where something failed and enough time has passed, the making of images apart, nothing more is asked."""
    run = SimpleNamespace(began=time.monotonic() - spent, phases={"build": made})
    session = SimpleNamespace(ran={"a": SimpleNamespace(outcome=outcome)}, stopped=None)
    item = SimpleNamespace(session=SimpleNamespace(shouldstop=False))

    protocol(_Wiring(run, session), item)  # type: ignore[arg-type]

    assert bool(item.session.shouldstop) is stops
    assert bool(session.stopped) is stops
