"""Warnings are sorted into the known and the rest, each told once with its count."""

from reports.checklist import parse
from reports.known_warnings import sort
from suites.selftest.journals import CHECKLIST, CHECKS, Story


def test_one_warning_told_often_is_one_row_with_its_count() -> None:
    """What differs between two tellings (ids, numbers) does not make two warnings."""
    story = Story()
    story.tell("warning", "client inside", {"text": "Inferred an integer  column\nat 0x7f12"})
    story.tell("warning", "client inside", {"text": "Inferred an integer column at 0x9a00"})
    story.tell("warning", "mlflow-server", {"text": "took 12 ms for m-853538a245314a6b819611e8bdb126da"})
    story.tell("warning", "mlflow-server", {"text": "took 99 ms for m-16dcababed434ef5ae64bbe0c9fef319"})
    story.tell("warning", "client outside", {"text": "took 99 ms"})

    seen = sort(story.done(), parse(CHECKLIST))

    assert [(row.source, row.count, row.rule) for row in seen.expected] == [("client inside", 2, "integer-column")]
    assert seen.expected[0].text == "Inferred an integer column at 0x7f12"
    assert [(row.source, row.count, row.rule) for row in seen.unexpected] == [
        ("client outside", 1, None),
        ("mlflow-server", 2, None),
    ]
    assert seen.unexpected[1].evidence == (3, 4)


def test_a_known_warning_is_expected_only_when_its_condition_holds() -> None:
    """With git in the image, the warning that it is missing is unexpected."""
    for state, expected in (("absent", 1), ("present", 0)):
        story = Story().check(CHECKS[0], facts={"git": state})
        story.tell("warning", "client inside", {"text": "No git here"})

        seen = sort(story.done(), parse(CHECKLIST))

        assert (len(seen.expected), len(seen.unexpected)) == (expected, 1 - expected)


def test_words_that_are_no_condition_make_nothing_expected() -> None:
    """A condition that nobody can evaluate hides no warning."""
    known = {"id": "x", "pattern": "x", "reason": "x", "expected_when": "usually"}
    story = Story()
    story.tell("warning", "client inside", {"text": "x"})

    seen = sort(story.done(), parse({**CHECKLIST, "known_warning": [known]}))

    assert (seen.expected, len(seen.unexpected)) == ((), 1)
