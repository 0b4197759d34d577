"""A campaign in its own words: what it takes on, how it is interrupted, how its options are read."""

import threading
from dataclasses import replace
from pathlib import Path

import pytest

from faults import campaign, record
from faults.campaign import (
    BOUND,
    MENDED,
    Runs,
    StoppedError,
    UsageError,
    bounded,
    longest_first,
    options_of,
    stumbles,
    told,
)
from faults.corpus import Kind, Selection, load
from faults.score import Result
from fixtures.ladder import NO_PYTHON
from fixtures.waiting import wait_until
from suites.selftest.journals import Story

CORPUS = load()
GATE = """#!/bin/sh
trap 'echo ended; exit 130' TERM
echo "$@"
while :; do sleep 0.05; done
"""


@pytest.fixture
def endless(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder whose gate never ends by itself."""
    script = tmp_path / "airworthy"
    script.write_text(GATE, encoding="utf-8")
    script.chmod(0o755)
    monkeypatch.setattr(campaign, "ROOT", tmp_path)
    return tmp_path


def test_an_interrupted_campaign_ends_its_runs_and_begins_no_other(endless: Path) -> None:
    """A run under way is ended as a terminal would end it; the next one is not started."""
    runs, ended = Runs(), []
    out = endless / "out"
    worker = threading.Thread(target=lambda: ended.append(runs.gate(out, ["--fail-fast"])))
    worker.start()
    said = wait_until(lambda: (out / "said").read_text() if (out / "said").is_file() else "", bool, within=5)

    runs.stop()
    worker.join(5)

    assert said.split() == ["verify", "--keep", "--forget", "--out", str(out), "--fail-fast"]
    assert [ran.status for ran in ended] == [130]
    assert (out / "said").read_text().endswith("ended\n")
    assert runs.stopped
    with pytest.raises(StoppedError):
        runs.gate(out, [])


def test_a_run_that_never_ends_is_ended(endless: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Past the longest time that a run may take it has no exit status."""
    monkeypatch.setattr(campaign, "LONGEST", 0.2)

    assert Runs().gate(endless / "out", []).status is None


def test_the_whole_campaign_leaves_out_what_is_like_another() -> None:
    """What is left out is like something that is run, unless all are asked for, or one is named; still enough of each kind."""
    core = Selection().of(CORPUS)
    left = [fault for fault in CORPUS if fault not in core]

    assert left
    assert all(fault.like in {other.id for other in core} for fault in left)
    assert Selection(every=True).of(CORPUS) == CORPUS
    assert Selection((left[0].id,)).of(CORPUS) == (left[0],)
    for kind, least in ((Kind.FAULT, 90), (Kind.CONTROL, 20), (Kind.MUTANT, 25)):
        assert sum(fault.kind is kind for fault in core) >= least


def test_the_full_campaign_keeps_its_bound_and_takes_what_waited_longest() -> None:
    """By the record's times it ends within the bound; what was never run comes first, what is left out was run no earlier."""
    latest = record.results("latest")
    new, *known = CORPUS
    days = {result.id: result.day for result in latest}

    taken = bounded(CORPUS, [result for result in latest if result.id != new.id], 2)
    left = [fault for fault in known if fault not in taken]

    assert new in taken
    assert left
    assert max(days[fault.id] for fault in taken if fault is not new) <= min(days[fault.id] for fault in left)
    assert sum(result.seconds for result in latest if result.id in {f.id for f in taken}) <= BOUND * 2
    assert len(bounded(CORPUS, latest, 100)) == len(CORPUS)


def test_whole_runs_come_first() -> None:
    """Runs that end at the first refuted item are left for the end: no long one is then waited for alone."""
    order = [fault.whole for fault in longest_first(CORPUS)]

    assert order == sorted(order, reverse=True)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--shard", "3/2"], "--shard 3/2"),
        (["--shard", "x"], "--shard x"),
        (["--jobs", "0"], "--jobs 0"),
        (["--jobs", "many"], "--jobs"),
        (["--never"], "--never"),
    ],
)
def test_an_option_that_cannot_be_is_refused_by_name(words: list[str], said: str) -> None:
    """One line that says which."""
    with pytest.raises(UsageError, match=said):
        options_of(words)


def test_a_rung_that_stumbles_over_itself_is_told() -> None:
    """A blind rung is an error of the campaign; a place without a Python is none."""
    story = Story().begin()
    for name, error in (
        ("database.schema", {"type": "ValueError", "message": "expected 5, got 2", "code": "broken"}),
        ("tracking.read", {"type": "NoPosition", "message": NO_PYTHON, "code": "broken"}),
        ("queue.write", {"type": "RungError", "message": "read-only", "code": "read-only"}),
    ):
        story.tell("rung", name, {"ok": False, "facts": {}, "error": error}, {"position": "api", "about": "x"})

    assert stumbles(story.done()) == ["database.schema at api: expected 5, got 2"]


def test_a_run_with_the_patch_is_told_as_mended_or_not() -> None:
    """READY is what is wanted of it, and no miss."""
    sound = Result(
        id="x", kind="fault", group="config", severity="critical", expect=(("a", "b"),), verdict="READY", exit=0, seconds=60
    )  # fmt: skip

    assert told(f"x{MENDED}", sound) == "x.mended: mended (READY, 60 s)"
    assert told(f"x{MENDED}", replace(sound, verdict="NOT READY")).startswith("x.mended: NOT MENDED")
    assert told("x", sound).startswith("x: MISSED")
