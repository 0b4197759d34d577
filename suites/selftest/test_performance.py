"""Response times are refuted only by median and tail together, on a calm machine, from enough samples."""

import statistics

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports.checklist import EMPTY, parse
from reports.performance import CALM, ENOUGH, Standing, measure, percentile, standing
from suites.selftest.journals import CHECKLIST, Story

TIMES = st.lists(st.floats(min_value=0.001, max_value=10), min_size=1, max_size=150)
RATIOS = st.none() | st.floats(min_value=0.5, max_value=3)


@given(TIMES, st.floats(min_value=0.01, max_value=5), RATIOS)
def test_only_median_and_tail_over_budget_on_a_calm_machine_refute(
    seconds: list[float], budget: float, ratio: float | None
) -> None:
    """Whatever is not calm, or too few, is unverified; whatever else is within in one of the two is verified."""
    found = standing(seconds, budget, ratio)
    median, tail = percentile(seconds, 0.5), percentile(seconds, 0.95)
    told = len(seconds) >= ENOUGH and ratio is not None and ratio <= CALM

    assert median is not None
    assert tail is not None
    assert (found is Standing.UNVERIFIED) == (not told)
    assert (found is Standing.REFUTED) == (told and median > budget and tail > budget)


@given(TIMES)
def test_the_half_percentile_is_the_median_and_the_order_does_not_matter(seconds: list[float]) -> None:
    """Percentiles lie within the values and grow with their share."""
    found = percentile(seconds, 0.5)

    assert found == pytest.approx(statistics.median(seconds))
    assert percentile(list(reversed(seconds)), 0.95) == percentile(seconds, 0.95)
    assert percentile(seconds, 0) == min(seconds)
    assert percentile(seconds, 1) == max(seconds)


def test_nothing_measured_has_no_percentile_and_no_standing() -> None:
    """An empty sample, or one without a budget, is no evidence."""
    assert percentile([], 0.5) is None
    assert standing([], 1.0, 1.0) is Standing.UNVERIFIED
    assert standing([0.1] * 30, None, 1.0) is Standing.UNVERIFIED


def test_a_row_for_every_budget_and_every_metric_timed() -> None:
    """A budget without samples is a row; times are told in the budget's unit; p99 needs a hundred samples."""
    story = Story().times("uuid-lookup", "http", [0.005] * 99).times("upload.http", "http", [1.0] * 100)

    lookup, registration, upload = measure(story.done(), parse(CHECKLIST))

    assert (lookup.metric, lookup.unit, lookup.p50, lookup.p99, lookup.budget) == (
        "uuid-lookup.http",
        "ms",
        5.0,
        None,
        100,
    )
    assert lookup.standing is Standing.VERIFIED
    assert (registration.n, registration.p50, registration.standing) == (0, None, Standing.UNVERIFIED)
    assert (upload.metric, upload.n, upload.p99, upload.budget) == ("upload.http", 100, 1.0, None)


def test_calibration_is_the_median_of_the_loops_beside_the_samples() -> None:
    """One busy moment makes no machine busy; loops beside another metric say nothing."""
    story = Story()
    for number in range(25):
        story.times("uuid-lookup", "http", [0.5], ratio=3.0 if number < 5 else 1.1)
    for _ in range(25):
        story.times("registration", "container", [9.0], ratio=2.0)

    lookup, registration = measure(story.done(), parse(CHECKLIST))

    assert (lookup.calibration, lookup.standing) == (1.1, Standing.REFUTED)
    assert (registration.calibration, registration.standing) == (2.0, Standing.UNVERIFIED)


def test_a_sample_after_the_last_loop_is_held_against_it() -> None:
    """A run without any loop has no calibration."""
    late = Story().times("upload", "http", [0.1]).times("upload", "http", [0.1], ratio=None).done()
    never = Story().times("upload", "http", [0.1], ratio=None).done()

    assert measure(late, EMPTY)[0].calibration == 1.0
    assert measure(never, EMPTY)[0].calibration is None


@pytest.mark.parametrize(
    ("values", "share", "found"),
    [([10.0, 0.0], 0.95, 9.5), ([1.0, 2.0, 4.0], 0.5, 2.0), ([1.0, 2.0, 4.0], 0.75, 3.0), ([7.0], 0.99, 7.0)],
)
def test_a_percentile_lies_between_its_neighbours_in_proportion(
    values: list[float], share: float, found: float
) -> None:
    """As statisticians interpolate."""
    assert percentile(values, share) == pytest.approx(found)


def test_a_metric_without_a_budget_is_told_in_seconds_after_those_with_one() -> None:
    """By name; with its percentiles, its loops and all events that it was read from."""
    story = Story().times("z", "", [1.0], ratio=None).times("a", "http", [float(number) for number in range(101)])
    *_, first, last = measure(story.done(), parse(CHECKLIST))

    assert (first.metric, first.unit, first.n, first.p50, first.p95, first.p99) == (
        "a.http",
        "s",
        101,
        50.0,
        95.0,
        99.0,
    )
    assert (first.standing, first.calibration, first.budget) == (Standing.UNVERIFIED, 1.0, None)
    assert first.evidence == tuple(range(2, 104))
    assert (last.metric, last.n, last.p99, last.evidence) == ("z", 1, None, (1, 103))


@pytest.mark.parametrize(("seconds", "expected"), [([0.2] * 20, Standing.REFUTED), ([0.1] * 20, Standing.VERIFIED)])
def test_twenty_samples_are_enough_and_a_budget_met_is_kept(seconds: list[float], expected: Standing) -> None:
    """At the very edge of calm."""
    assert standing(seconds, 0.1, 1.3) is expected
    assert standing(seconds[1:], 0.1, 1.3) is Standing.UNVERIFIED


def test_median_and_tail_must_both_be_over_the_budget() -> None:
    """A few slow answers refute nothing, whatever they took."""
    assert standing([0.05] * 18 + [9.0] * 2, 0.1, 1.0) is Standing.VERIFIED
