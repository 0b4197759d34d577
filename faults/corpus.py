"""The corpus: faults, controls and mutants as data, one folder each; read strictly, so that a slip in one is one clear line."""

import hashlib
import json
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from reports.causes import LAYERS, known

FOLDER = Path(__file__).parent
FILE = "fault.toml"


class CorpusError(Exception):
    """A folder of the corpus cannot be used; one line that says which, what, and what instead."""


class Kind(StrEnum):
    """What an entry of the corpus is: a broken deployment, a sound one, or a service that misbehaves in one line."""

    FAULT = "fault"
    CONTROL = "control"
    MUTANT = "mutant"


SEVERITIES = ("critical", "major", "minor")
MOMENTS = ("before start", "while running", "on a used stack", "between two releases")

INJECTORS: Mapping[str, tuple[frozenset[str], frozenset[str]]] = {
    "overlay": (frozenset({"file"}), frozenset()),
    "image": (frozenset({"service"}), frozenset({"lines", "path", "old", "new", "tag", "after"})),
    "sql": (frozenset({"statement"}), frozenset({"after", "database", "before_start"})),
    "objects": (frozenset({"action"}), frozenset({"after", "contains", "bucket", "repeat"})),
    "proxy": (frozenset({"service", "conf"}), frozenset({"settings", "port"})),
    "container": (
        frozenset({"service", "action"}),
        frozenset({"after", "argv", "signal", "user", "memory", "network"}),
    ),
    "volume": (frozenset(), frozenset({"argv", "service"})),
    "host": (frozenset({"action"}), frozenset({"port", "workers"})),
}
"""Kind of injector -> the keys that it must have, and those that it may."""

PROOFS = frozenset(
    {"service", "inspect", "run", "logs", "sql", "database", "objects", "bucket", "port", "matches", "lacks", "user"}
)


@dataclass(frozen=True)
class Expected:
    """What the diagnosis must name: a cause of reports/causes.toml, and the component whose definition the remedy changes."""

    cause: str
    component: str


@dataclass(frozen=True)
class Fault:
    """One entry of the corpus, as its folder says it."""

    id: str
    kind: Kind
    title: str
    source: str
    when: str
    folder: Path
    layer: str = ""
    severity: str = "minor"
    expect: tuple[Expected, ...] = ()
    inject: tuple[Mapping[str, Any], ...] = ()
    fired: tuple[Mapping[str, Any], ...] = ()
    config: bool = False
    """Whether a change of configuration mends it, so that the diagnosis owes a patch."""
    compose: str = ""
    """A compose file of its own in the folder, in place of the project's."""
    like: str = ""
    """The entry that has the same cause by another way, where this one is left out unless all are asked for."""
    whole: bool = False
    """Whether the gate is to ask on after the first refuted item: what it turns red comes later."""

    @property
    def is_double(self) -> bool:
        """Whether two causes are there at once."""
        return len(self.expect) > 1

    @property
    def is_unknown(self) -> bool:
        """Whether nothing observable tells the cause, so that the right answer is that it is unknown."""
        return any(one.cause == "unknown" for one in self.expect)

    @property
    def group(self) -> str:
        """What its figures are counted under: its layer, or its kind where it is no fault."""
        return self.layer if self.kind is Kind.FAULT else self.kind.value

    def digest(self) -> str:
        """SHA-256 (hex, 12 digits) over what acts and what proves it, not what is expected: whether a run is of this very entry."""
        acting = {"inject": self.inject, "fired": self.fired, "compose": self.compose}
        digest = hashlib.sha256(json.dumps(acting, sort_keys=True).encode())
        for path in sorted(self.folder.rglob("*")):
            if path.is_file() and path.name not in {FILE, "evidence.jsonl"}:
                digest.update(f"{path.relative_to(self.folder)}\0".encode() + path.read_bytes())
        return digest.hexdigest()[:12]


REQUIRED = {"kind", "title", "source", "when", "inject"}
OPTIONAL = {"layer", "severity", "expect", "fired", "config", "compose", "like", "whole"}


def read(folder: Path) -> Fault:
    """One entry; CorpusError with file, key and remedy for anything that is not as it must be."""
    path = folder / FILE
    where = f"faults/{folder.name}/{FILE}"
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise CorpusError(f"{where}: {error}") from error
    if missing := sorted(REQUIRED - raw.keys()):
        raise CorpusError(f"{where}: {', '.join(missing)} is missing")
    if strange := sorted(raw.keys() - REQUIRED - OPTIONAL):
        raise CorpusError(
            f"{where}: {', '.join(strange)} is not known; known are {', '.join(sorted(REQUIRED | OPTIONAL))}"
        )
    if raw["kind"] not in set(Kind):
        raise CorpusError(f"{where}: kind {raw['kind']!r} is not one of {', '.join(Kind)}")
    if raw["when"] not in MOMENTS:
        raise CorpusError(f"{where}: when {raw['when']!r} is not one of {', '.join(MOMENTS)}")
    kind = Kind(raw["kind"])
    fault = Fault(
        id=folder.name,
        kind=kind,
        title=raw["title"],
        source=raw["source"],
        when=raw["when"],
        folder=folder,
        layer=raw.get("layer", ""),
        severity=raw.get("severity", "minor"),
        expect=tuple(_expected(row, where) for row in raw.get("expect", ())),
        inject=tuple(_checked(row, folder, where) for row in raw["inject"]),
        fired=tuple(_proof(row, where) for row in raw.get("fired", ())),
        config=raw.get("config", False),
        compose=raw.get("compose", ""),
        like=raw.get("like", ""),
        whole=raw.get("whole", kind is not Kind.FAULT),
    )
    _agrees(fault, where)
    return fault


def _expected(row: Mapping[str, Any], where: str) -> Expected:
    if row.keys() != {"cause", "component"}:
        raise CorpusError(f"{where}: expect has cause and component, not {sorted(row)}")
    if row["cause"] not in known():
        raise CorpusError(f"{where}: cause {row['cause']!r} is not in reports/causes.toml")
    return Expected(row["cause"], row["component"])


def _checked(row: Mapping[str, Any], folder: Path, where: str) -> Mapping[str, Any]:
    kind = str(row.get("kind"))
    if kind not in INJECTORS:
        raise CorpusError(f"{where}: injector {kind!r} is not one of {', '.join(INJECTORS)}")
    must, may = INJECTORS[kind]
    given = row.keys() - {"kind"}
    if not must <= given or given - must - may:
        raise CorpusError(
            f"{where}: injector {kind} takes {sorted(must)} and may take {sorted(may)}, not {sorted(given)}"
        )
    for key in ("file", "conf"):
        if key in row and not (folder / row[key]).is_file():
            raise CorpusError(f"{where}: there is no file {row[key]} beside it")
    return row


def _proof(row: Mapping[str, Any], where: str) -> Mapping[str, Any]:
    asks = row.keys() & {"inspect", "run", "logs", "sql", "objects", "port"}
    if row.keys() - PROOFS or len(asks) != 1 or not row.keys() & {"matches", "lacks"}:
        raise CorpusError(
            f"{where}: a proof has one of inspect, run, logs, sql, objects, port, and matches or lacks; not {sorted(row)}"
        )
    return row


def _agrees(fault: Fault, where: str) -> None:
    if fault.kind is Kind.FAULT and fault.layer not in LAYERS:
        raise CorpusError(f"{where}: layer {fault.layer!r} is not one of {', '.join(LAYERS)}")
    if fault.severity not in SEVERITIES:
        raise CorpusError(f"{where}: severity {fault.severity!r} is not one of {', '.join(SEVERITIES)}")
    if (fault.kind is Kind.CONTROL) == bool(fault.expect):
        raise CorpusError(f"{where}: a fault or mutant says what to expect, a control expects nothing")
    if fault.like and not (FOLDER / fault.like / FILE).is_file():
        raise CorpusError(f"{where}: it is like {fault.like!r}, which is no entry")
    if fault.kind is not Kind.CONTROL and not fault.fired:
        raise CorpusError(f"{where}: nothing proves that it fired; add [[fired]]")


def load(folder: Path = FOLDER) -> tuple[Fault, ...]:
    """The whole corpus in the order of ids; CorpusError for the first folder that cannot be used."""
    return tuple(read(path.parent) for path in sorted(folder.glob(f"*/{FILE}")))


@dataclass(frozen=True)
class Selection:
    """What a user asked for: ids, or `key=value` of kind, layer, severity, when, component, cause; several are joined by or.

    Without a word it is the whole corpus, without those that are like another unless `every` one is asked for.
    """

    words: tuple[str, ...] = ()
    shard: tuple[int, int] = (1, 1)
    every: bool = False

    def of(self, corpus: Sequence[Fault]) -> tuple[Fault, ...]:
        """The entries that are meant; CorpusError for a word that means none."""
        chosen = [fault for fault in corpus if not self.words and (self.every or not fault.like)]
        for word in self.words:
            found = [fault for fault in corpus if matches(fault, word)]
            if not found:
                raise CorpusError(f"{word!r} is neither an id of the corpus nor key=value of one; see faults/")
            chosen += [fault for fault in found if fault not in chosen]
        number, count = self.shard
        return tuple(sorted(chosen, key=lambda fault: fault.id))[number - 1 :: count]


def matches(fault: Fault, word: str) -> bool:
    """Whether a word of a selection means this entry."""
    key, has_value, value = word.partition("=")
    if not has_value:
        return fault.id == word.lower()
    values: Mapping[str, Iterable[str]] = {
        "kind": [fault.kind.value],
        "layer": [fault.layer],
        "severity": [fault.severity],
        "when": [fault.when],
        "component": [one.component for one in fault.expect],
        "cause": [one.cause for one in fault.expect],
        "double": [str(fault.is_double).lower()],
        "config": [str(fault.config).lower()],
    }
    if key not in values:
        raise CorpusError(f"{word!r}: {key!r} is not one of {', '.join(values)}")
    return value in values[key]
