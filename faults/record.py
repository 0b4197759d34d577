"""The track record: each entry's result on its first run, before any rule was changed for it, and its latest."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from faults import score
from faults.corpus import Fault
from faults.score import Result
from reports.evidence import canonical

FILE = Path(__file__).with_name("track-record.json")
SCHEMA = "airworthy/track-record/1"


def load(path: Path = FILE) -> dict[str, dict[str, Any]]:
    """Entry -> {first, latest}, each a result in its JSON form; nothing where there is no record yet."""
    if not path.is_file():
        return {}
    entries: dict[str, dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))["entries"]
    return entries


def added(
    entries: Mapping[str, Mapping[str, Any]], results: Sequence[Result], *, blind: bool = True
) -> dict[str, dict[str, Any]]:
    """The record with these results: a first stays as it was, the latest is theirs; an error of the campaign is none.

    A run is `blind` where no rule was changed for its entry before: only such a one is kept as a first.
    """
    found = {name: dict(entry) for name, entry in entries.items()}
    for result in results:
        if result.error is None:
            row = score.as_json(result)
            before = found.get(result.id, {})
            first = before.get("first") or (row if blind and not before else None)
            found[result.id] = ({"first": first} if first else {}) | {"latest": row}
    return found


def keep(results: Sequence[Result], path: Path = FILE) -> None:
    """Write the record with these results added."""
    value = {"schema": SCHEMA, "entries": added(load(path), results)}
    path.write_text(canonical(value, indent=1) + "\n", encoding="utf-8")


def results(which: str, path: Path = FILE) -> list[Result]:
    """The first or the latest results, of all entries that have one."""
    return [score.result_of(entry[which]) for _, entry in sorted(load(path).items()) if which in entry]


README = Path(__file__).parents[1] / "README.md"
TABLE = Path(__file__).with_name("TRACK-RECORD.md")
BEGIN, END = "<!-- track record: written by ./airworthy campaign --write -->", "<!-- end of the track record -->"


def figures(entries: Mapping[str, Mapping[str, Any]], corpus: Sequence[Fault]) -> list[str]:
    """The figures for people: what was run of the corpus, each floor on the first run and the latest, the latest by layer."""
    first, latest = (
        [score.result_of(entry[which]) for entry in entries.values() if which in entry] for which in ("first", "latest")
    )
    kinds = {kind: sum(result.kind == kind for result in latest) for kind in ("fault", "control", "mutant")}
    commits = sorted({result.commit for result in latest})
    there = {kind: sum(fault.kind.value == kind for fault in corpus) for kind in kinds}
    told = ", ".join(f"{kinds[kind]} of {there[kind]} {kind}s" for kind in kinds)
    left = "" if kinds == there else "; the others of the corpus wait for their first run"
    lines = [
        f"Run so far: {told}{left}. {len(first)} first runs were blind: no rule had been changed for the entry. Latest judged at {', '.join(commits)}.",
        "",
        "| | stated | first run | latest |",
        "|---|---|---|---|",
    ]
    pairs = zip(score.floors(first), score.floors(latest), strict=True)
    lines += [f"| {one.name} | {one.bound} | {one.reached} | {other.reached} |" for one, other in pairs]
    lines += ["", *_by_day(first)]
    lines += ["", f"| latest, by layer | {' | '.join(score.MEASURES)} |", f"|---|{'---|' * len(score.MEASURES)}"]
    for group, rates in score.by_group(latest).items():
        lines.append(f"| {group} | {' | '.join(str(rate) for rate in rates.values())} |")
    return lines


def _by_day(first: Sequence[Result]) -> list[str]:
    """How the rules of each day did on faults that they had never met."""
    lines = ["| faults met for the first time on | faults | component first | cause first |", "|---|---|---|---|"]
    faults = [result for result in first if result.kind == "fault"]
    for day in sorted({result.day for result in faults}):
        met = [result for result in faults if result.day == day]
        component, cause = (score.rate(met, score.MEASURES[name]) for name in ("component first", "cause first"))
        lines.append(f"| {day} | {len(met)} | {component} | {cause} |")
    return lines


def placed(text: str, lines: Sequence[str]) -> str:
    """A text with what stands between the marks replaced by these lines; ValueError where the marks are not there."""
    before, begins, rest = text.partition(BEGIN)
    _, ends, after = rest.partition(END)
    if not (begins and ends):
        raise ValueError(f"the marks {BEGIN} and {END} are not there")
    return "\n".join([before + BEGIN, *lines, END]) + after


def table(entries: Mapping[str, Mapping[str, Any]]) -> str:
    """The whole record as a page: each entry's latest run, then those whose first run was another."""
    latest = [score.result_of(entry["latest"]) for entry in entries.values()]
    first = [score.result_of(entry["first"]) for entry in entries.values() if "first" in entry]
    now = {result.id: _told(result) for result in latest}
    other = [result for result in first if _told(result) != now[result.id]]
    lines = [
        "# Track record",
        "",
        "Written by `./airworthy campaign --write` from `track-record.json`.",
        "",
        "## Latest run",
        "",
    ]
    lines += [
        *score.table(latest),
        "",
        "## First run, where it was another",
        "",
        *score.table(other),
        "",
        "## Which check caught what",
        "",
    ]
    lines += ["| check | turned red by |", "|---|---|"]
    lines += [f"| `{nodeid}` | {', '.join(names)} |" for nodeid, names in sorted(score.reddened(latest).items())]
    return "\n".join(lines) + "\n"


def _told(result: Result) -> tuple[object, ...]:
    return result.verdict, result.rank, result.component_first


def write(entries: Mapping[str, Mapping[str, Any]], corpus: Sequence[Fault]) -> None:
    """Bring README and the table up to date with the record."""
    README.write_text(placed(README.read_text(encoding="utf-8"), figures(entries, corpus)), encoding="utf-8")
    TABLE.write_text(table(entries), encoding="utf-8")
