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
