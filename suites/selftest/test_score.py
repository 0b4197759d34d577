"""What a campaign came to is counted rightly: a fault that did not act is no catch, a lucky guess is no diagnosis."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from faults import record, score
from faults.score import Named, Rate, Result

CAUGHT = Result(
    id="crd-01",
    kind="fault",
    group="credentials",
    severity="critical",
    expect=(("store-key-unknown", "tracker"),),
    verdict="NOT READY",
    exit=1,
    seconds=20.0,
    diagnoses=(Named("store-key-unknown", "tracker", "proven"), Named("unknown", "api", "unknown")),
    refuted=("services-healthy",),
    failed=("suites/test_storage.py::test_a",),
)
QUIET = replace(
    CAUGHT, id="control-plain", kind="control", group="control", expect=(), verdict="READY", diagnoses=(), failed=()
)


def floor(name: str, *results: Result) -> score.Floor:
    """One floor of a campaign of these results."""
    return next(one for one in score.floors(results) if one.name == name)


def test_a_fault_is_caught_when_it_is_refused() -> None:
    """NOT READY is a catch; READY and INCONCLUSIVE are not, unless the machine is at fault."""
    assert CAUGHT.caught
    assert not replace(CAUGHT, verdict="READY").caught
    assert not replace(CAUGHT, verdict="INCONCLUSIVE").caught
    assert replace(CAUGHT, verdict="INCONCLUSIVE", host=True).caught


def test_the_place_of_the_right_cause_counts() -> None:
    """The first right cause gives the rank; none gives none."""
    other = Named("not-listening", "tracker", "proven")

    assert CAUGHT.rank == 1
    assert replace(CAUGHT, diagnoses=(other, *CAUGHT.diagnoses)).rank == 2
    assert replace(CAUGHT, diagnoses=(other,)).rank is None
    assert [score.word(replace(CAUGHT, diagnoses=(other,) * n + CAUGHT.diagnoses)) for n in (0, 1, 2, 3)] == [
        "first",
        "first three",
        "first three",
        "later",
    ]


def test_unknown_is_right_where_nothing_tells_the_cause() -> None:
    """Whoever says that the cause is not known is right where it cannot be, whatever the symptom is called."""
    dark = replace(CAUGHT, expect=(("unknown", "api"),))

    assert replace(dark, diagnoses=(Named("service-crashed", "api", "unknown"),)).rank == 1
    assert replace(dark, diagnoses=(Named("service-crashed", "api", "likely"),)).rank is None


def test_a_proven_false_cause_is_confidently_wrong() -> None:
    """Only what is called proven and is not there; a likely one is a fair guess."""
    assert not CAUGHT.confidently_wrong
    assert replace(CAUGHT, diagnoses=(Named("host-unknown", "tracker", "proven"),)).confidently_wrong
    assert not replace(CAUGHT, diagnoses=(Named("host-unknown", "tracker", "likely"),)).confidently_wrong


def test_both_causes_of_a_double_fault_must_be_named() -> None:
    """One of two is not both."""
    double = replace(CAUGHT, expect=(("store-key-unknown", "tracker"), ("module-missing", "api")))
    named = replace(double, diagnoses=(*CAUGHT.diagnoses, Named("module-missing", "api", "proven")))

    assert not double.all_named
    assert named.all_named
    assert floor("both causes of a double fault", double).holds is False
    assert floor("both causes of a double fault", named).holds is True


def test_what_did_not_act_counts_for_nothing() -> None:
    """An error of the campaign is neither a catch nor a miss nor a false alarm."""
    lame = replace(CAUGHT, error="it did not fire", verdict="READY")
    stumbled = replace(QUIET, error="left behind", verdict="NOT READY")

    assert floor("caught", lame).holds is None
    assert score.misses([lame]) == []
    assert score.false_alarms([stumbled]) == []
    assert score.reddened([lame]) == {}


def test_the_floors_are_the_stated_ones() -> None:
    """A missed critical fault, a surviving mutant, a control that is not READY, a long run: each is told."""
    mutant = replace(CAUGHT, kind="mutant", group="mutant")

    assert [one.holds for one in score.floors([CAUGHT, QUIET, mutant]) if one.holds is not None] == [True] * 10
    assert floor("critical caught", replace(CAUGHT, verdict="READY")).holds is False
    assert floor("critical caught", replace(CAUGHT, verdict="READY", severity="minor")).holds is None
    assert floor("mutants caught", replace(mutant, verdict="READY")).holds is False
    assert floor("controls READY", replace(QUIET, verdict="INCONCLUSIVE")).holds is False
    assert floor("longest run of a broken one", replace(CAUGHT, seconds=181)).holds is False
    assert floor("median time, broken / sound", CAUGHT, replace(QUIET, seconds=19.0)).holds is False
    assert floor("confidently wrong", replace(CAUGHT, diagnoses=(Named("host-unknown", "x", "proven"),))).holds is False


def test_a_sample_refutes_only_what_its_interval_excludes() -> None:
    """One wrong cause of fourteen does not refute 95 %, six do; a missed critical one always counts."""
    wrong = replace(CAUGHT, diagnoses=(Named("host-unknown", "tracker", "likely"),))

    def holds(results: list[Result], name: str) -> bool | None:
        return next(one.holds for one in score.floors(results, sample=True) if one.name == name)

    assert holds([CAUGHT] * 13 + [wrong], "cause first") is True
    assert holds([CAUGHT] * 8 + [wrong] * 6, "cause first") is False
    assert holds([CAUGHT] * 13 + [replace(CAUGHT, verdict="READY")], "critical caught") is False
    assert holds([replace(CAUGHT, seconds=181)], "longest run of a broken one") is None


def test_right_is_what_an_entry_is_there_for() -> None:
    """A control is quiet, a mutant is caught, a fault is caught with its cause and component first; an error is never right."""
    other = (Named("host-unknown", "tracker", "proven"),)

    assert score.is_right(CAUGHT)
    assert score.is_right(QUIET)
    assert score.is_right(replace(CAUGHT, kind="mutant", diagnoses=other))
    assert not score.is_right(replace(CAUGHT, diagnoses=other))
    assert not score.is_right(replace(CAUGHT, diagnoses=(Named("store-key-unknown", "api", "proven"),)))
    assert not score.is_right(replace(CAUGHT, kind="mutant", verdict="READY"))
    assert not score.is_right(replace(QUIET, verdict="NOT READY"))
    assert not score.is_right(replace(CAUGHT, error="it did not fire"))


def test_misses_and_false_alarms_are_listed() -> None:
    """By name, so that they can be looked at."""
    missed, alarmed = replace(CAUGHT, verdict="READY"), replace(QUIET, verdict="NOT READY")

    assert score.misses([CAUGHT, missed, QUIET]) == ["crd-01"]
    assert score.false_alarms([CAUGHT, QUIET, alarmed]) == ["control-plain"]
    assert score.reddened([CAUGHT, QUIET]) == {"suites/test_storage.py::test_a": ["crd-01"]}


@given(st.integers(0, 400), st.integers(0, 400))
def test_an_interval_holds_its_share(hits: int, more: int) -> None:
    """Wilson's interval lies in 0 to 1, holds the share, and never has no width."""
    got = Rate(hits, hits + more)
    low, high = got.interval

    assert 0 <= low < high <= 1
    assert got.share is None or low <= got.share + 1e-12
    assert got.share is None or got.share - 1e-12 <= high


def test_an_interval_is_wilsons() -> None:
    """45 of 45 leaves room for 8 % (the published formula, by hand)."""
    low, high = Rate(45, 45).interval

    assert [low, high] == pytest.approx([0.9213, 1.0], abs=1e-4)
    assert str(Rate(44, 45)) == "97.8 % (44/45; 88-100)"
    assert str(Rate(0, 0)) == "none tried"


def test_the_first_run_stays_the_first() -> None:
    """Later runs change the latest result alone; an error of the campaign changes nothing."""
    missed = replace(CAUGHT, verdict="READY", commit="a")
    once = record.added({}, [missed])
    twice = record.added(once, [replace(CAUGHT, commit="b")])
    lame = record.added(twice, [replace(CAUGHT, commit="c", error="it did not fire")])

    assert [entry["commit"] for entry in twice["crd-01"].values()] == ["a", "b"]
    assert lame == twice
    assert record.added({}, [missed], blind=False)["crd-01"].keys() == {"latest"}
    assert score.result_of(twice["crd-01"]["first"]) == missed


def test_a_table_has_a_row_for_each() -> None:
    """Faults first; an error of the campaign says so."""
    rows = score.table([QUIET, CAUGHT, replace(CAUGHT, id="x", error="it did not fire")])

    assert len(rows) == 5
    assert rows[2].startswith(
        "| crd-01 | credentials | yes | services-healthy | first | yes | store-key-unknown @ tracker"
    )
    assert "error of the campaign" in rows[3]
    assert rows[4].startswith("| control-plain | control | quiet |")
