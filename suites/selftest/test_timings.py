"""The harness's own share is what is left when all waiting is taken away."""

from reports.evidence import Bundle, Event
from reports.timings import timings


def at(second: float, kind: str, seq: int, response: object = None) -> Event:
    """An event that ended at a second of the run."""
    return Event(seq, f"2026-01-01T00:00:{second:06.3f}Z", kind, "x", None, response)


def test_overlapping_answers_count_once() -> None:
    """Two exchanges at the same time are one wait."""
    bundle = Bundle(
        (
            at(10, "start", 1, {"seconds": 10}),
            at(14, "http", 2, {"seconds": 3}),
            at(15, "probe", 3, {"seconds": 2}),
            at(19, "http", 4, {"seconds": 1}),
            at(20, "check", 5, {"outcome": "passed"}),
            at(22, "run.finished", 6, {}),
        )
    )

    found = timings(bundle, {"build": 1.0, "checks": 22.0, "up": 10.0, "collect": 1.0, "down": 1.0}, 26.0)

    assert found.answers == 5.0
    assert found.phases["checks"] == 10.0
    assert found.own == 26.0 - (5.0 + 1.0 + 10.0 + 1.0 + 1.0)
    assert round(found.share, 3) == 0.308
    assert (
        found.as_line()
        == "time: 26.0 s (build 1.0, checks 10.0, up 10.0, collect 1.0, down 1.0); own share 31 % (8.0 s)"
    )


def test_a_run_that_never_started_waited_for_no_answer() -> None:
    """Nothing is divided by nothing."""
    found = timings(Bundle(()), {}, 0.0)

    assert (found.answers, found.own, found.share) == (0.0, 0.0, 0.0)


def test_only_answers_between_the_start_and_the_last_check_count() -> None:
    """What began before counts from there, what ended later until there; a sample is timed inside of another exchange."""
    bundle = Bundle(
        (
            at(5, "http", 1, {"seconds": 3}),
            at(10, "start", 2, {"seconds": 10}),
            at(11, "http", 3, {"seconds": 4}),
            at(13, "sample", 4, {"seconds": 1}),
            at(14, "calibration", 5, {"seconds": 1}),
            at(15, "http", 6, "no answer"),
            at(16, "http", 7, {"seconds": None}),
            at(18, "check", 8, {"outcome": "passed"}),
            at(20, "check", 9, {"outcome": "passed"}),
            at(21, "http", 10, {"seconds": 2}),
            at(30, "run.finished", 11, {}),
        )
    )

    assert timings(bundle, {}, 30.0).answers == 2.0


def test_without_a_check_answers_count_to_the_end_of_the_run() -> None:
    """A run that is not finished, or was never started, waited for none that can be told."""
    events = (at(10, "start", 1, {}), at(14, "http", 2, {"seconds": 3}), at(22, "run.finished", 3, {}))

    assert timings(Bundle(events), {}, 30.0).answers == 3.0
    assert timings(Bundle(events[:2]), {}, 30.0).answers == 0.0
    assert timings(Bundle(events[1:]), {}, 30.0).answers == 0.0


def test_waiting_is_what_the_harness_does_for_others() -> None:
    """Engine, build, start, collection, end; what is left is never below nothing."""
    own = {
        name: timings(Bundle(()), {name: 4.0}, 10.0).own
        for name in ("engine", "build", "up", "collect", "down", "report")
    }

    assert own == {"engine": 6.0, "build": 6.0, "up": 6.0, "collect": 6.0, "down": 6.0, "report": 10.0}
    assert timings(Bundle(()), {"build": 12.0}, 10.0).own == 0.0
    assert timings(Bundle(()), {"build": 12.0}, 10.0).share == 0.0
