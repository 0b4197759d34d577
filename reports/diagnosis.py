"""From evidence to diagnoses, likeliest first: rules read, consequences fall away, what is left is ranked."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any

from reports.causes import CERTAINTY, HOST, Confidence, Diagnosis, diagnosis, known
from reports.evidence import Bundle
from reports.lifecycle import losses
from reports.moved import eliminated, moved, pointed
from reports.outcomes import Check, Outcome, checks
from reports.patches import patch_of, paths_of
from reports.rules import (
    behaviour,
    between,
    dependencies,
    machine,
    network,
    places,
    pressure,
    processes,
    queues,
    refusals,
    schema,
    settings,
)
from reports.rules.seen import Rule, Ruling, Seen
from reports.standing import Since

RULES: tuple[Rule, ...] = (
    *machine.RULES,
    *processes.RULES,
    *pressure.RULES,
    *settings.RULES,
    *refusals.RULES,
    *places.RULES,
    *network.RULES,
    *between.RULES,
    *dependencies.RULES,
    *queues.RULES,
    *schema.RULES,
    *behaviour.RULES,
)
"""Every rule that names a cause by its own evidence, from the ground up."""

FALLBACKS: tuple[Rule, ...] = (*processes.FALLBACKS, *dependencies.FALLBACKS, *schema.FALLBACKS)
"""Rules that tell what was seen of a service; they speak only where nothing below it is diagnosed."""

SYMPTOMS = {"not-listening", "port-silent", "database-starting"}
"""Causes that are consequences wherever the same service, or one that it rests on, has another."""

BRINGS: dict[str, tuple[str, ...]] = {
    "registered-twice": (
        "lookup-wrong",
        "lookup-returns-newest",
        "lineage-wrong",
        "promote-wrong",
        "answer-value-wrong",
    ),
    "registered-not": ("lookup-wrong", "lineage-wrong", "promote-wrong", "answer-value-wrong"),
    "answer-value-wrong:version": ("lookup-wrong", "lineage-wrong", "promote-wrong", "answer-value-wrong:model_id"),
    "lookup-returns-newest": ("lookup-wrong",),
    "metadata-dropped": (
        "answer-key-missing:metadata",
        "answer-value-wrong:metadata",
        "metadata-changed",
        "metadata-cut",
    ),
    "metadata-cut": ("metadata-changed", "answer-value-wrong:metadata"),
    "health-constant": ("health-status-wrong",),
    "delivered-twice": ("idempotency-key-not-kept",),
    "error-masked": ("flavor-refused",),
    "volume-unwritable": ("store-failing", "database-failing", "database-read-only"),
    "store-full": ("store-failing",),
    "database-disk-full": ("database-failing",),
    "database-files-incompatible": ("data-damaged",),
    "uri-scheme-unsupported": ("setting-invalid",),
    "route-missing": ("key-not-checked", "scope-not-checked", "lineage-wrong"),
    "key-not-checked": ("scope-not-checked", "status-200-on-error", "status-wrong", "default-credentials"),
}
"""Misbehaviour -> what else is seen, of the same service, because of it (on either side with `:key` only of that key)."""

ELSEWHERE: dict[str, tuple[str, ...]] = {
    "artifact-root-local": ("artifact-missing", "artifact-differs", "model-not-loadable"),
    "artifacts-not-proxied": ("setting-missing",),
    "setting-missing": ("health-constant", "registered-not", "queue-access-denied"),
    "port-wrong": ("health-check-unmeetable",),
    "response-cut": ("artifact-differs",),
    "setting-invalid": ("limit-missing",),
    "volume-unwritable": ("store-access-denied",),
    "store-full": ("store-access-denied",),
}
"""Cause -> what is seen of other services, or said of this one's behaviour, because of it."""

FIRST, GROUND, BEHAVIOUR, DEFINITION = range(4)


def rulings(bundle: Bundle) -> tuple[Ruling, ...]:
    """How every rule ended on this bundle, in the order of the rules."""
    seen = Seen(bundle)
    return tuple(rule.rule(seen) for rule in (*RULES, *FALLBACKS, behaviour.UNEXPLAINED))


def diagnose(bundle: Bundle) -> tuple[Diagnosis, ...]:
    """The causes of what failed in this run, likeliest first; nothing when nothing failed."""
    if _is_well(bundle):
        return ()
    since = Since(bundle)
    seen = Seen(since.news)
    found = _merged(moved(entry, seen, since) for entry in _news(RULES, seen, since))
    found = _without_symptoms(found, seen)
    found += _lowest(list(_news(FALLBACKS, seen, since)), found, seen)
    found = [_explaining(entry, seen) for entry in found]
    found = _led_back([_doubted(entry, found, seen) for entry in found])
    explained = {nodeid for entry in found for nodeid in entry.explains}
    rest = behaviour.UNEXPLAINED.rule(seen).diagnoses
    found += _merged(pointed(entry, seen, since) for entry in rest if not set(entry.explains) & explained)
    if all(entry.confidence is Confidence.UNKNOWN or tier_of(entry) == DEFINITION for entry in found):
        found = _merged(eliminated(entry, seen, since) for entry in found)
    ranked = sorted(found, key=lambda entry: _rank(entry, seen, since))
    return tuple(replace(entry, patch=patch_of(entry, since)) for entry in ranked)


def _is_well(bundle: Bundle) -> bool:
    """Whether checks were asked and nothing failed, broke or was lost: then there is nothing to explain."""
    ran = checks(bundle)
    bad = {Outcome.FAILED, Outcome.BROKEN}
    unfit = any(event.response.get("severity") == "error" for event in bundle.of("finding"))
    return bool(ran) and not unfit and not losses(bundle) and not any(check.outcome in bad for check in ran)


def _news(rules: Iterable[Rule], seen: Seen, since: Since) -> Iterator[Diagnosis]:
    """What these rules say that was not already so when the target was last ready."""
    return (entry for rule in rules for entry in rule.rule(seen).diagnoses if since.is_news(entry))


def tier_of(entry: Diagnosis) -> int:
    """How near the ground a diagnosis lies: the machine, what runs and is reached, how it behaves, how it is defined."""
    if entry.component == HOST and entry.layer == HOST:
        return FIRST
    if entry.cause == "unfit-definition":
        return DEFINITION
    behaves = entry.layer in {"registry-semantics", "webhook", "security", "version-skew"}
    return BEHAVIOUR if behaves or entry.cause in {"unknown", "answer-slow"} else GROUND


def _rank(entry: Diagnosis, seen: Seen, since: Since) -> tuple[Any, ...]:
    place = {name: at for at, name in enumerate(seen.graph.order)}
    listed = list(known()).index(entry.cause)
    tier, certainty, count = tier_of(entry), CERTAINTY[entry.confidence], -len(entry.explains)
    depth = place.get(entry.component, -1)
    order = (depth, count) if tier == GROUND else (count, listed)
    return (tier, _age(entry, since), certainty, *order, listed, entry.component, entry.summary)


def _age(entry: Diagnosis, since: Since) -> int:
    """What names a setting that changed since all was well comes first, then what else is of a changed service."""
    changed = set(since.changed.get(entry.component, ()))
    if not changed:
        return 2
    return 0 if changed & set(paths_of(entry, since)) else 1


def _merged(entries: Iterable[Diagnosis]) -> list[Diagnosis]:
    """One diagnosis for each cause and component that mean the same; settings that one service lacks are told together."""
    found: dict[tuple[str, ...], Diagnosis] = {}
    for entry in entries:
        together = entry.cause in {"setting-missing", "unknown"}
        key = (entry.cause, entry.component, "" if together else entry.summary)
        before = found.get(key)
        found[key] = entry if before is None else _joined(before, entry)
    return list(found.values())


def _joined(one: Diagnosis, other: Diagnosis) -> Diagnosis:
    parameters = dict(one.parameters)
    if one.cause == "setting-missing":
        parameters["setting"] = list(dict.fromkeys([*_several(one), *_several(other)]))
    certainty = min(one.confidence, other.confidence, key=lambda word: CERTAINTY[word])
    return diagnosis(
        one.cause,
        one.component,
        evidence=(*one.evidence, *other.evidence),
        parameters=parameters,
        layer=one.layer,
        patch=one.patch or other.patch,
        confidence=certainty,
        explains=tuple(dict.fromkeys((*one.explains, *other.explains))),
    )


def _several(entry: Diagnosis) -> list[str]:
    given = entry.parameters.get("setting")
    return [str(name) for name in given] if isinstance(given, list | tuple) else [str(given)]


def _below(component: str, seen: Seen) -> frozenset[str]:
    return seen.graph.needs(component) | {component}


def _without_symptoms(found: Sequence[Diagnosis], seen: Seen) -> list[Diagnosis]:
    """Without those that only say that a service does not answer, where a reason is known, or it had only just begun to start."""
    reasons = {entry.component for entry in found if entry.cause not in SYMPTOMS and tier_of(entry) <= GROUND}
    early = {name for name, state in seen.containers.items() if state.seen.get("health") == "starting"} - set(
        seen.given_up
    )
    return [
        entry
        for entry in found
        if entry.cause not in SYMPTOMS
        or not (_below(entry.component, seen) & reasons or (reasons and entry.component in early))
    ]


def _lowest(entries: Sequence[Diagnosis], found: Sequence[Diagnosis], seen: Seen) -> list[Diagnosis]:
    """Of what is only told, the lowest: nothing that it rests on is diagnosed or told of itself."""
    reasons = {entry.component for entry in found if tier_of(entry) <= GROUND}
    if HOST in reasons:
        return []
    free = [entry for entry in entries if not _below(entry.component, seen) & reasons]
    lowest = seen.graph.lowest(frozenset(entry.component for entry in free))
    return _first_of_each(_merged(entry for entry in free if entry.component in lowest))


def _first_of_each(entries: Sequence[Diagnosis]) -> list[Diagnosis]:
    """Of each component what is surest; of what is equally sure, what was told first."""
    ordered = sorted(entries, key=lambda entry: CERTAINTY[entry.confidence])
    return list({entry.component: entry for entry in reversed(ordered)}.values())


def _affected(entry: Diagnosis, seen: Seen) -> frozenset[str]:
    """The services that fail along with a component."""
    if entry.component == HOST:
        return frozenset(seen.services)
    return seen.graph.dependants(entry.component) | {entry.component}


def _explaining(entry: Diagnosis, seen: Seen) -> Diagnosis:
    """The diagnosis with the checks that it explains."""
    if entry.explains:
        return entry
    explains = tuple(check.nodeid for check in seen.checks if _is_explained(check, entry, seen))
    return replace(entry, explains=explains)


def _is_explained(check: Check, entry: Diagnosis, seen: Seen) -> bool:
    if check.outcome is Outcome.PASSED:
        return False
    if tier_of(entry) == DEFINITION:
        return check.outcome is Outcome.FAILED and check.item == "fit-to-ship"
    affected = _affected(entry, seen)
    if check.outcome is Outcome.SKIPPED:
        return any(_is_named(name, check.because) for name in affected)
    needs = seen.needs.get(check.nodeid, ())
    return any(seen.roles.get(name) in needs or (not needs and _is_named(name, check.message)) for name in affected)


def _is_named(service: str, text: str | None) -> bool:
    return bool(re.search(rf"(?<![\w-]){re.escape(service)}(?![\w-])", text or ""))


def _doubted(entry: Diagnosis, found: Sequence[Diagnosis], seen: Seen) -> Diagnosis:
    """What a service was seen to do while something below it was broken, or what that explains, proves little about the service."""
    if tier_of(entry) != BEHAVIOUR or entry.confidence is not Confidence.PROVEN:
        return entry
    below = _below(entry.component, seen) | {HOST}
    ground = [other for other in found if tier_of(other) <= GROUND and _is_dependency(other)]
    broken = any(other.component in below for other in ground)
    explained = bool(entry.explains) and any(set(entry.explains) <= set(other.explains) for other in ground)
    return replace(entry, confidence=Confidence.LIKELY) if broken or explained else entry


def _led_back(found: Sequence[Diagnosis]) -> list[Diagnosis]:
    """With what one misbehaviour brings about led back to it: the one explains it, the other is likely at most."""
    led: list[Diagnosis] = []
    for entry in found:
        brought = [other for other in found if _brings(entry, other)]
        explains = (*entry.explains, *(nodeid for other in brought for nodeid in other.explains))
        evidence = (*entry.evidence, *(seq for other in brought for seq in other.evidence))
        led.append(replace(entry, explains=tuple(dict.fromkeys(explains)), evidence=tuple(sorted(set(evidence)))))
    secondary = {id(other) for other in found if any(_brings(entry, other) for entry in found)}
    return [
        replace(entry, confidence=max(entry.confidence, Confidence.LIKELY, key=lambda word: CERTAINTY[word]))
        if id(before) in secondary
        else entry
        for before, entry in zip(found, led, strict=True)
    ]


def _brings(one: Diagnosis, other: Diagnosis) -> bool:
    """Whether one misbehaviour accounts for another of the same service."""
    if other.cause in ELSEWHERE.get(one.cause, ()) and one.cause != other.cause:
        return True
    brought = {*BRINGS.get(one.cause, ()), *BRINGS.get(_keyed(one), ())}
    return one.component == other.component and bool({other.cause, _keyed(other)} & brought)


def _keyed(entry: Diagnosis) -> str:
    return f"{entry.cause}:{entry.parameters.get('key')}"


def _is_dependency(entry: Diagnosis) -> bool:
    return entry.confidence is not Confidence.UNKNOWN and entry.layer not in {"registry-semantics", "webhook"}
