"""The checklist is data, and a bad file is refused in one clear line."""

import copy
from pathlib import Path
from typing import Any

import pytest

from reports.checklist import ChecklistError, loads, parse, problems
from reports.outcomes import Listed
from suites.selftest.journals import CHECKLIST, CHECKS, item_of

FILE = Path(__file__).parents[1] / "checklist.toml"


def listed() -> list[Listed]:
    """An inventory that fits the checklist of these tests."""
    return [Listed(nodeid, item_of(nodeid), nodeid) for nodeid in CHECKS]


def changed(table: str, key: str, value: Any) -> dict[str, Any]:
    """The checklist with one value of the first row of a table changed."""
    data = copy.deepcopy(CHECKLIST)
    data[table][0][key] = value
    return data


def test_the_projects_own_checklist_holds_the_seeds_ten_items_and_three_more() -> None:
    """The seed's items stand first, required, in its order."""
    checklist = loads(FILE.read_text(encoding="utf-8"))

    assert checklist.items[0].id == "services-healthy"
    assert len([item for item in checklist.items if item.required]) == 12
    assert checklist.expected["mlflow"] == "3.4.0"
    assert checklist.item("response-times") is not None
    assert checklist.item("nothing") is None


@pytest.mark.parametrize(
    ("data", "told"),
    [
        ({**CHECKLIST, "items": []}, "unknown key 'items'; use version"),
        ({**CHECKLIST, "version": 2}, "version = 2 is unknown; write version = 1"),
        ({**CHECKLIST, "expected": {"mlflow": 3}}, "[expected] holds something else"),
        ({**CHECKLIST, "expected": []}, "[expected] holds something else"),
        ({**CHECKLIST, "item": {}}, "'item' is not a list of tables; write [[item]]"),
        ({**CHECKLIST, "item": ["x"]}, "[[item]] 1: 'x' is not a table"),
        ({**CHECKLIST, "item": []}, "no required item"),
        ({**CHECKLIST, "open_item": [{"section": "Later"}]}, "[[open_item]] 1: 'text' is missing"),
        (changed("item", "requird", True), "unknown key 'requird'; use id, title, required, ground"),
        (changed("item", "required", "yes"), "required = 'yes' is not of type bool"),
        (changed("item", "ground", True), "ground = True is not of type int"),
        (changed("item", "id", "uuid-lookup"), "[[item]] 'uuid-lookup' is there 2 times"),
        (changed("budget", "seconds", 0), "budget 'uuid-lookup.http' has 0 'ms'"),
        (changed("budget", "seconds", True), "seconds = True is not of type float"),
        (changed("budget", "unit", "h"), "use seconds above 0 and the unit s or ms"),
        (changed("known_warning", "pattern", "("), "'(' is not a pattern"),
    ],
)
def test_a_bad_checklist_is_refused_with_what_where_and_what_instead(data: dict[str, Any], told: str) -> None:
    """One line names the file, the place and the way out."""
    with pytest.raises(ChecklistError) as caught:
        parse(data)

    assert str(caught.value).startswith("suites/checklist.toml: ")
    assert told in str(caught.value)
    assert "\n" not in str(caught.value)


def test_what_is_not_toml_is_refused() -> None:
    """The line of the file is named."""
    with pytest.raises(ChecklistError, match="not TOML"):
        loads("version = ")


def test_checks_and_items_must_fit() -> None:
    """An unknown item, an item without a check and a node id collected twice are told, one line each."""
    checklist = parse(CHECKLIST)
    inventory = [check for check in listed() if check.item != "uuid-lookup"]
    inventory += [Listed("suites/test_x.py::test_y", "uuid-lokup", "typo"), inventory[0]]

    found = problems(checklist, inventory)

    assert problems(checklist, listed()) == ()
    assert any("test_y verifies 'uuid-lokup', which suites/checklist.toml does not list" in line for line in found)
    assert any("no check verifies 'uuid-lookup'" in line for line in found)
    assert any("is collected 2 times" in line for line in found)


def test_items_that_the_judge_decides_about_must_be_listed() -> None:
    """A checklist without `services-healthy` would let a failed start pass unseen."""
    data = copy.deepcopy(CHECKLIST)
    data["item"] = [item for item in data["item"] if item["id"] != "services-healthy"]

    found = problems(parse(data), [check for check in listed() if check.item != "services-healthy"])

    assert found == ("suites/checklist.toml: no item 'services-healthy'; the judge decides about it directly, list it",)


def test_a_refusal_names_the_file_that_it_was_given() -> None:
    """The journal's event as well as the project's own file, and which row of it."""
    second = copy.deepcopy(CHECKLIST)
    second["item"][1] = {"id": "x"}
    for data, told in (
        ({**CHECKLIST, "nothing": 1}, "journal e2: unknown key 'nothing'; use version, expected, item, budget, known_warning, open_item"),
        ({**CHECKLIST, "version": None}, "journal e2: version = None is unknown; write version = 1"),
        (second, "journal e2: [[item]] 2: 'title' is missing; it needs id, title, required, ground"),
        (changed("item", "title", 3), "journal e2: [[item]] 1: title = 3 is not of type str; give one that is"),
        ({**CHECKLIST, "budget": None}, "journal e2: 'budget' is not a list of tables; write [[budget]]"),
        ({**CHECKLIST, "open_item": ["x"]}, "journal e2: [[open_item]] 1: 'x' is not a table; write [[open_item]] with section, text"),
        ({**CHECKLIST, "budget": [CHECKLIST["budget"][0]] * 2}, "journal e2: [[budget]] 'uuid-lookup.http' is there 2 times; give each its own"),
        ({**CHECKLIST, "known_warning": [CHECKLIST["known_warning"][0]] * 3}, "journal e2: [[known_warning]] 'integer-column' is there 3 times; give each its own"),
        ({**CHECKLIST, "item": []}, "journal e2: no required item; a release that nothing is asked of cannot be READY"),
    ):  # fmt: skip
        with pytest.raises(ChecklistError) as caught:
            parse(data, "journal e2")
        assert str(caught.value) == told


def test_a_file_of_toml_names_itself_in_its_refusals() -> None:
    """Whether it is no TOML or no checklist."""
    for text, told in (
        ("version = ", r"^mine\.toml: not TOML \(.+\); mend that line$"),
        ("version = 2", r"^mine\.toml: version = 2"),
    ):
        with pytest.raises(ChecklistError, match=told):
            loads(text, "mine.toml")


def test_what_a_checklist_may_leave_out_is_empty() -> None:
    """Versions, budgets, warnings and open items; the rest is kept as it was written."""
    bare = parse({"version": 1, "item": CHECKLIST["item"]})
    whole = parse(CHECKLIST)

    assert (dict(bare.expected), bare.budgets, bare.known_warnings, bare.open_items) == ({}, (), (), ())
    assert [item.id for item in bare.items] == [item["id"] for item in CHECKLIST["item"]]
    assert dict(whole.expected) == CHECKLIST["expected"]
    assert [vars(budget) for budget in whole.budgets] == CHECKLIST["budget"]
    assert [vars(known) for known in whole.known_warnings] == CHECKLIST["known_warning"]
    assert [vars(item) for item in whole.open_items] == CHECKLIST["open_item"]


def test_every_misfit_is_told_in_whole() -> None:
    """What, where, and what to do instead."""
    inventory = [check for check in listed() if check.item != "fit-to-ship"]
    inventory += [Listed("suites/test_x.py::test_y", "fit", "typo"), inventory[0]]
    data = copy.deepcopy(CHECKLIST)
    data["item"] = [item for item in data["item"] if item["id"] != "services-healthy"]

    assert problems(parse(CHECKLIST), inventory) == (
        "suites/test_x.py::test_y verifies 'fit', which suites/checklist.toml does not list; cite one that it lists",
        "suites/checklist.toml: no check verifies 'fit-to-ship'; write one, or take the item out",
        f"{CHECKS[0]} is collected 2 times; rename one",
    )
    assert len(problems(parse(data), [])) == 5
