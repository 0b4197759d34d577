"""A mutation run is counted by module, and in all with its interval."""

from pathlib import Path

import pytest

from fixtures.mutation import Mutant, MutationError, all_mutants, interval, mutants_of, table


def test_a_mutant_is_one_change_of_one_function() -> None:
    """It has mutmut's name, and the lines that differ say what was done."""
    found = mutants_of(Path("reports/exits.py"))

    assert {mutant.module for mutant in found} == {"exits"}
    assert all(mutant.name.startswith("reports.exits.x_table__mutmut_") for mutant in found)
    assert all(mutant.change[0].startswith("-") and "mutmut" not in "".join(mutant.change) for mutant in found)


def test_modules_are_named_by_their_path_below_reports() -> None:
    """With or without folder and ending; another name is refused in one line."""
    assert all_mutants(["exits"]) == all_mutants(["reports/exits.py"])
    assert {mutant.module for mutant in all_mutants(["renderings", "rules/__init__", "exits"])} == {
        "renderings",
        "exits",
    }
    with pytest.raises(MutationError, match=r"no such module: reports/nothing\.py; name it by its path"):
        all_mutants(["exits", "nothing"])


def test_what_was_not_killed_lowers_the_score() -> None:
    """A hanging mutant is killed; one that no test reaches, or that nobody judged, is not."""
    ends = ["killed", "timeout", "survived", "no tests", "suspicious", "not checked", "killed", "killed"]
    mutants = [Mutant(str(number), "a" if number < 6 else "rules/b", ()) for number in range(len(ends))]
    rows = table(mutants, {mutant.name: end for mutant, end in zip(mutants, ends, strict=True)}).splitlines()

    assert [row.split() for row in rows] == [
        ["module", "mutants", "killed", "score"],
        ["a", "6", "2", "33.3%"],
        ["rules/b", "2", "2", "100.0%"],
        ["total", "8", "4", "50.0%", "95", "%", "interval", "21.5%", "to", "78.5%"],
    ]


def test_an_interval_narrows_with_the_sample() -> None:
    """And stays within nothing and all."""
    assert interval(10, 10) == pytest.approx((0.7225, 1.0), abs=1e-4)
    assert interval(0, 10) == pytest.approx((0.0, 0.2775), abs=1e-4)
    assert interval(540, 600) == pytest.approx((0.8734, 0.9215), abs=1e-4)
