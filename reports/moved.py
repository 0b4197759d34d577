"""Where two services disagree, or nothing explains a failure: the one that changed since all was well is pointed at."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from reports.causes import HOST, Confidence, Diagnosis, diagnosis
from reports.rules.dependencies import buckets_named
from reports.rules.seen import Seen
from reports.standing import Since, told
from reports.wiring import BUCKET, settings_of

DISAGREE = frozenset(
    {
        "database-password-wrong",
        "database-user-unknown",
        "database-missing",
        "store-key-unknown",
        "store-secret-wrong",
        "queue-password-wrong",
        "queue-password-missing",
        "queue-read-only",
        "queue-access-denied",
        "queue-database-wrong",
    }
)
"""Causes by which a caller and the service that it asks contradict each other, so that either may be the one that is wrong."""


def moved(entry: Diagnosis, seen: Seen, since: Since) -> Diagnosis:
    """The diagnosis, at the service that changed where the one it accuses did not and the other of the two did."""
    if entry.component in since.changed:
        return entry
    if entry.cause == "bucket-wrong":
        return _other_bucket(entry, seen, since)
    if entry.cause == "bucket-missing":
        users = sorted(buckets_named(seen).get(str(entry.parameters.get("bucket")), ()))
        makers = [name for name in users if seen.is_one_shot(name) and name in since.changed]
        # the job that is to make it ended well, and is not what it was
        return _at(entry, makers[0] if len(makers) == 1 else "", {}, since)
    if entry.cause in DISAGREE:
        asked, caller = str(entry.parameters.get("target") or ""), str(entry.parameters.get("service") or "")
        return _at(entry, caller if entry.component == asked else asked, {}, since)
    if entry.cause == "port-wrong":
        host = str(entry.parameters.get("host") or "")
        target = next(
            (link.target for link in seen.links if link.caller == entry.component and link.host == host), None
        )
        return _at(entry, target or "", {"target": target}, since)
    return entry


def _at(entry: Diagnosis, component: str, more: Mapping[str, Any], since: Since) -> Diagnosis:
    if component not in since.changed:
        return entry
    given = {"service": entry.component, **entry.parameters, **more}
    worded = diagnosis(entry.cause, component, evidence=entry.evidence, parameters=given)
    return replace(worded, layer=entry.layer, confidence=entry.confidence, explains=entry.explains)


def _other_bucket(entry: Diagnosis, seen: Seen, since: Since) -> Diagnosis:
    wrong, wanted = str(entry.parameters.get("wanted") or ""), str(entry.parameters.get("bucket") or "")
    users = [name for name in sorted(buckets_named(seen).get(wrong, ())) if name in since.changed]
    if len(users) != 1:
        return entry
    settings = settings_of(seen.services[users[0]])
    setting = next((name for (_, name), value in settings.items() if wrong in {value, *BUCKET.findall(value)}), "")
    given = {**entry.parameters, "bucket": wrong, "wanted": wanted, "setting": setting}
    return diagnosis(entry.cause, users[0], evidence=entry.evidence, parameters=given, explains=entry.explains)


WORDS = frozenset({"command", "entrypoint"})
"""The parts of a definition by which a program is given its words."""


def eliminated(entry: Diagnosis, seen: Seen, since: Since) -> Diagnosis:
    """A failure that nothing explains, where all that changed since all was well is that service's settings, or its command: likely that."""
    before, paths = since.before, since.changed.get(entry.component, ())
    if entry.confidence is not Confidence.UNKNOWN or before is None or set(since.changed) != {entry.component}:
        return entry
    others = {name for name in seen.declared if not seen.is_ours(name)} - set(before.services)
    reason = str(entry.parameters.get("line") or entry.parameters.get("seen") or entry.summary)
    given: dict[str, Any] = {"service": entry.component, "reason": reason, "line": reason}
    names = [path[1] for path in paths if path[0] == "environment" and len(path) > 1]
    if names and len(names) == len(paths) and not others:
        given["setting"] = names
        cause = "setting-invalid" if any(seen.setting(entry.component, name) for name in names) else "setting-missing"
    elif {path[0] for path in paths} <= WORDS and not others:
        cause = "command-invalid"
    else:
        return entry
    declared = since.bundle.last("compose", "declared")
    return diagnosis(
        cause,
        entry.component,
        evidence=(*entry.evidence, before.seq, *((declared.seq,) if declared else ())),
        parameters=given,
        confidence=Confidence.LIKELY,
        explains=entry.explains,
    )


def pointed(entry: Diagnosis, seen: Seen, since: Since) -> Diagnosis:
    """An unknown cause, at the only service that changed since all was well, where what failed rests on it; never proven."""
    before = since.before
    if before is None or len(since.changed) != 1:
        return entry
    name, paths = next(iter(since.changed.items()))
    if entry.component not in {HOST, name} and name not in seen.graph.needs(entry.component):
        return entry
    changes = told(paths)
    said = f"{entry.parameters.get('seen')}; since it was last ready, {', '.join(changes)} changed"
    declared = since.bundle.last("compose", "declared")
    cited = (*entry.evidence, before.seq, *((declared.seq,) if declared else ()))
    return diagnosis(
        entry.cause,
        name,
        evidence=cited,
        parameters={**entry.parameters, "seen": said, "changed": changes},
        confidence=Confidence.UNKNOWN,
        explains=entry.explains,
    )
