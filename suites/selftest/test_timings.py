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
