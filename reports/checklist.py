"""The readiness checklist as typed data: parsed from suites/checklist.toml, or from the event that recorded it."""

import re
import tomllib
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from typing import Any

from reports.outcomes import Listed

SERVICES_HEALTHY = "services-healthy"
FIT_TO_SHIP = "fit-to-ship"
RESPONSE_TIMES = "response-times"
# Items that the judge itself decides about: a start that failed, findings of preflight.
JUDGED_DIRECTLY = (SERVICES_HEALTHY, FIT_TO_SHIP)
VERSION = 1


class ChecklistError(Exception):
    """A checklist is not one; the message says what, where and what instead."""


@dataclass(frozen=True)
class Item:
    """One line of the checklist; `ground` is its place in the order of the run, lowest first."""

    id: str
    title: str
    required: bool
    ground: int


@dataclass(frozen=True)
class Budget:
    """What a metric may take, in seconds; `unit` (s or ms) is how it is told."""

    metric: str
    unit: str
    seconds: float
    source: str


@dataclass(frozen=True)
class KnownWarning:
    """A warning that is known; expected `always`, `when <fact> = <value>`, and under no other words."""

    id: str
    pattern: str
    reason: str
    expected_when: str


@dataclass(frozen=True)
class OpenItem:
    """Something that no evidence of a run can settle; always shown as open."""

    section: str
    text: str


@dataclass(frozen=True)
class Checklist:
    """The whole file."""

    expected: Mapping[str, str]
    items: tuple[Item, ...]
    budgets: tuple[Budget, ...] = ()
    known_warnings: tuple[KnownWarning, ...] = ()
    open_items: tuple[OpenItem, ...] = ()

    def item(self, item_id: str) -> Item | None:
        """The item with this id, or None."""
        return next((item for item in self.items if item.id == item_id), None)


EMPTY = Checklist(expected={}, items=())
_TABLES: dict[str, type[Item | Budget | KnownWarning | OpenItem]] = {
    "item": Item,
    "budget": Budget,
    "known_warning": KnownWarning,
    "open_item": OpenItem,
}
_KEYS = ("version", "expected", *_TABLES)


def _is(value: object, kind: object) -> bool:
    if kind is float:
        return isinstance(value, int | float) and not isinstance(value, bool)
    if kind is int:
        return isinstance(value, int) and not isinstance(value, bool)
    return isinstance(value, kind if isinstance(kind, type) else object)


def _row(table: str, raw: object, where: str) -> Any:
    model = _TABLES[table]
    known = {field.name: field for field in fields(model)}
    if not isinstance(raw, Mapping):
        raise ChecklistError(f"{where}: {raw!r} is not a table; write [[{table}]] with {', '.join(known)}")
    for key in raw:
        if key not in known:
            raise ChecklistError(f"{where}: unknown key {key!r}; use {', '.join(known)}")
    for name, field in known.items():
        if name not in raw:
            raise ChecklistError(f"{where}: {name!r} is missing; it needs {', '.join(known)}")
        if not _is(raw[name], field.type):
            wanted = getattr(field.type, "__name__", field.type)
            raise ChecklistError(f"{where}: {name} = {raw[name]!r} is not of type {wanted}; give one that is")
    return model(**raw)


def _rows(table: str, data: Mapping[str, Any], where: str) -> tuple[Any, ...]:
    raw = data.get(table, [])
    if not isinstance(raw, list):
        raise ChecklistError(f"{where}: {table!r} is not a list of tables; write [[{table}]]")
    return tuple(_row(table, row, f"{where}: [[{table}]] {number}") for number, row in enumerate(raw, start=1))


def _unique(table: str, ids: Iterable[str], where: str) -> None:
    for value, count in Counter(ids).items():
        if count > 1:
            raise ChecklistError(f"{where}: [[{table}]] {value!r} is there {count} times; give each its own")


def _check_values(checklist: Checklist, where: str) -> None:
    _unique("item", (item.id for item in checklist.items), where)
    _unique("budget", (budget.metric for budget in checklist.budgets), where)
    _unique("known_warning", (known.id for known in checklist.known_warnings), where)
    for budget in checklist.budgets:
        if budget.unit not in {"s", "ms"} or budget.seconds <= 0:
            raise ChecklistError(
                f"{where}: budget {budget.metric!r} has {budget.seconds!r} {budget.unit!r}; "
                "use seconds above 0 and the unit s or ms"
            )
    for known in checklist.known_warnings:
        try:
            re.compile(known.pattern)
        except re.error as error:
            raise ChecklistError(
                f"{where}: known_warning {known.id!r}: {known.pattern!r} is not a pattern ({error}); mend it"
            ) from error


def parse(data: Mapping[str, Any], where: str = "suites/checklist.toml") -> Checklist:
    """A checklist from its TOML as data (`where` names it in messages); ChecklistError if it is not one."""
    for key in data:
        if key not in _KEYS:
            raise ChecklistError(f"{where}: unknown key {key!r}; use {', '.join(_KEYS)}")
    if data.get("version") != VERSION:
        raise ChecklistError(f"{where}: version = {data.get('version')!r} is unknown; write version = {VERSION}")
    expected = data.get("expected", {})
    if not isinstance(expected, Mapping) or not all(isinstance(value, str) for value in expected.values()):
        raise ChecklistError(f'{where}: [expected] holds something else than texts; write for example mlflow = "3.4.0"')
    tables = {table: _rows(table, data, where) for table in _TABLES}
    checklist = Checklist(
        expected=dict(expected),
        items=tables["item"],
        budgets=tables["budget"],
        known_warnings=tables["known_warning"],
        open_items=tables["open_item"],
    )
    _check_values(checklist, where)
    if not any(item.required for item in checklist.items):
        raise ChecklistError(f"{where}: no required item; a release that nothing is asked of cannot be READY")
    return checklist


def loads(text: str, where: str = "suites/checklist.toml") -> Checklist:
    """A checklist from TOML text; ChecklistError if it is not one."""
    try:
        return parse(tomllib.loads(text), where)
    except tomllib.TOMLDecodeError as error:
        raise ChecklistError(f"{where}: not TOML ({error}); mend that line") from error


def problems(checklist: Checklist, inventory: Iterable[Listed]) -> tuple[str, ...]:
    """What does not fit between the checklist and all checks there are, one line each: usage errors."""
    listed = tuple(inventory)
    ids = {item.id for item in checklist.items}
    cited = {check.item for check in listed}
    found = [
        f"{check.nodeid} verifies {check.item!r}, which suites/checklist.toml does not list; cite one that it lists"
        for check in listed
        if check.item not in ids
    ]
    found += [
        f"suites/checklist.toml: no check verifies {item.id!r}; write one, or take the item out"
        for item in checklist.items
        if item.id not in cited
    ]
    found += [
        f"suites/checklist.toml: no item {item_id!r}; the judge decides about it directly, list it"
        for item_id in JUDGED_DIRECTLY
        if item_id not in ids
    ]
    counts = Counter(check.nodeid for check in listed)
    found += [f"{nodeid} is collected {count} times; rename one" for nodeid, count in counts.items() if count > 1]
    return tuple(found)
