"""What stood when this target was last ready: conditions that are no causes, and a definition to compare with."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from reports.causes import Diagnosis
from reports.evidence import Bundle, Event
from reports.rules.seen import Rule, Rung, Seen

SCHEMA = "airworthy/standing/1"

CORE = (
    "claim",
    "contract",
    "key",
    "route",
    "module",
    "path",
    "host",
    "port",
    "bucket",
    "database",
    "user",
    "target",
    "code",
    "metric",
    "id",
)
"""Beside the settings: the parameters that make two diagnoses of one cause and one component different ones."""

RUNG = "rung"
"""The first word of the key of a broken rung; no cause has this name."""

APART = frozenset({"environment", "deploy", "depends_on"})
"""Parts of a service's definition that are compared entry by entry; any other is compared as a whole."""

CONTENT = ("image content",)
"""Where the definition names the same image, and what it holds is another."""

Key = tuple[str, ...]
Path = tuple[str, ...]
Definition = Mapping[str, Any]


def keys_of(entry: Diagnosis) -> frozenset[Key]:
    """What identifies a diagnosis in any run; each of several settings stands for itself."""
    given = entry.parameters
    core = tuple(f"{name}={given[name]}" for name in CORE if given.get(name) not in (None, ""))
    setting = given.get("setting")
    several = setting if isinstance(setting, list | tuple) else [setting or ""]
    return frozenset((entry.cause, entry.component, f"setting={name}", *core) for name in several)


def key_of(rung: Rung) -> Key:
    """What identifies a broken rung in any run."""
    return (
        RUNG,
        rung.position,
        f"name={rung.name}",
        f"about={rung.about}",
        f"setting={rung.setting}",
        f"code={rung.code}",
    )


def leaves(definition: Definition) -> dict[Path, Any]:
    """A service's definition as paths and values: variables, limits and dependencies one by one, all else whole."""
    found: dict[Path, Any] = {}
    for name, value in definition.items():
        found |= _parted((name,), value) if name in APART else {(name,): value}
    return found


def _parted(path: Path, value: Any) -> dict[Path, Any]:
    if not isinstance(value, Mapping) or (path[0] == "depends_on" and len(path) > 1):
        return {path: value}
    return {below: leaf for name, inner in value.items() for below, leaf in _parted((*path, str(name)), inner).items()}


@dataclass(frozen=True)
class Standing:
    """What a run that was ready left behind, as a later run recorded it."""

    run: str
    target: str
    conditions: frozenset[Key]
    services: Mapping[str, Definition]
    digests: Mapping[str, str]
    seq: int = 0

    def knows(self, entry: Diagnosis) -> bool:
        """Whether all that a diagnosis says was already so."""
        return keys_of(entry) <= self.conditions


def parsed(event: Event) -> Standing | None:
    """What a standing event tells; None where it is of another schema."""
    told: Mapping[str, Any] = event.response
    if told.get("schema") != SCHEMA:
        return None
    return Standing(
        run=str(told.get("run") or ""),
        target=str(told.get("target") or ""),
        conditions=frozenset(tuple(str(word) for word in key) for key in told.get("conditions") or ()),
        services=told.get("services") or {},
        digests=told.get("digests") or {},
        seq=event.seq,
    )


class Since:
    """A run held against what stood before it: what is new in it, and what changed in its definition."""

    def __init__(self, bundle: Bundle) -> None:
        """Read what stood from the bundle; a standing of another deployment is none."""
        self.bundle = bundle
        self.seen = Seen(bundle)

    @cached_property
    def before(self) -> Standing | None:
        """What stood; None where nothing is known, or where it is of another deployment."""
        event = self.bundle.last("standing")
        found = parsed(event) if event else None
        return found if found is not None and self._fits(found) else None

    def _fits(self, found: Standing) -> bool:
        target = self.bundle.last("target")
        own = str(target.response.get("name") or "") if target else ""
        there = self.seen.declared or self.seen.services
        return found.target == own or (bool(found.services) and set(found.services) <= set(there))

    @cached_property
    def news(self) -> Bundle:
        """The bundle without the rungs that were broken in the same way when all was well."""
        if self.before is None:
            return self.bundle
        old = {rung.seq for rung in self.seen.rungs if not rung.ok and key_of(rung) in self.before.conditions}
        return replace(self.bundle, events=tuple(event for event in self.bundle.events if event.seq not in old))

    def is_news(self, entry: Diagnosis) -> bool:
        """Whether a diagnosis tells what was not already so."""
        return self.before is None or not self.before.knows(entry)

    @cached_property
    def changed(self) -> Mapping[str, tuple[Path, ...]]:
        """Service -> what of its definition, or of its image, is not as it stood; new services have no before."""
        if self.before is None or not self.seen.declared:
            return {}
        digests = self.seen.digests
        found: dict[str, tuple[Path, ...]] = {}
        for name, now in self.seen.declared.items():
            if name not in self.before.services:
                continue
            old, new = leaves(self.before.services[name]), leaves(now)
            paths = [path for path in sorted({*old, *new}) if old.get(path) != new.get(path)]
            there, here = self.before.digests.get(name), digests.get(name)
            if there and here and there != here and ("image",) not in paths:
                paths.append(CONTENT)
            if paths:
                found[name] = tuple(paths)
        return found


def told(paths: Iterable[Path]) -> list[str]:
    """Changes as words: `environment.DB_HOST`."""
    return [".".join(path) for path in paths]


def kept(bundle: Bundle, rules: Iterable[Rule]) -> dict[str, Any]:
    """What a run that was ready leaves to later ones: all that the rules would say of it, and its definition."""
    seen = Seen(bundle)
    said = {key for rule in rules for entry in rule.rule(seen).diagnoses for key in keys_of(entry)}
    climbed = _climbed_at_the_end(seen)
    said |= {key_of(rung) for rung in climbed if not rung.ok and rung.code != "broken"}
    before = Since(bundle).before
    # where nothing was climbed since the definition was known, what stood still stands
    if not climbed and before is not None and before.services == seen.declared:
        said |= before.conditions
    started, target = bundle.last("run.started"), bundle.last("target")
    return {
        "schema": SCHEMA,
        "run": started.subject if started else "",
        "target": str(target.response.get("name") or "") if target else "",
        "conditions": [list(key) for key in sorted(said)],
        "services": dict(seen.declared),
        "digests": dict(seen.digests),
    }


def _climbed_at_the_end(seen: Seen) -> list[Rung]:
    """The rungs of the last ladder: those climbed while a service was still starting tell nothing of what stands."""
    ends = [event.seq for event in seen.bundle.of("container") if (event.request or {}).get("moment") == "end"]
    return [rung for rung in seen.rungs if ends and rung.seq > ends[0]]
