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


def test_a_condition_holds_only_by_a_fact_that_was_stated() -> None:
    """However it is spaced; without the fact the warning is unexpected."""
    rule = {"id": "x", "pattern": "gone", "reason": "x", "expected_when": " when  tool.git =  not there "}
    checklist = parse({**CHECKLIST, "known_warning": [rule]})

    for facts, expected in (
        ({"tool.git": "not there"}, 1),
        ({"tool.git": "there"}, 0),
        ({"other": "not there"}, 0),
        (None, 0),
    ):
        story = Story().check(CHECKS[0], facts=facts).check(CHECKS[1], facts={"tool.git": 7})
        story.tell("warning", "client inside", {"text": "it is gone"})

        assert len(sort(story.done(), checklist).expected) == expected


def test_warnings_are_told_by_source_and_text() -> None:
    """Not in the order in which they came; each with the first of its texts and all of its events."""
    story = Story()
    for source, text in (("b", "two"), ("a", "x 9"), ("b", "one"), ("a", "x 1")):
        story.tell("warning", source, {"text": text})

    seen = sort(story.done(), parse(CHECKLIST)).unexpected

    assert [(row.source, row.text, row.count, row.evidence) for row in seen] == [
        ("a", "x 9", 2, (2, 4)),
        ("b", "one", 1, (3,)),
        ("b", "two", 1, (1,)),
    ]


def test_one_rule_joins_different_texts_of_one_source() -> None:
    """The rule is what is known, not the wording; another source is another row."""
    story = Story()
    for source, text in (("a", "integer column x"), ("a", "an integer column y"), ("b", "integer column x")):
        story.tell("warning", source, {"text": text})

    seen = sort(story.done(), parse(CHECKLIST)).expected

    assert [(row.source, row.count, row.rule) for row in seen] == [
        ("a", 2, "integer-column"),
        ("b", 1, "integer-column"),
    ]
