"""The remedy as a machine can apply it: a compose overlay for the diagnosed component, or none where there is no honest one."""

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from reports.causes import Diagnosis
from reports.declared import without_secret
from reports.derived import OWN, derived, is_asked, settings_of
from reports.standing import CONTENT, Path, Since, leaves
from reports.wiring import ENDPOINT_NAME, REGION_NAMES

Patch = dict[str, Any]

COMMAND: tuple[Path, ...] = (("command",), ("entrypoint",))
IMAGE: tuple[Path, ...] = (("image",),)
LIMIT: tuple[Path, ...] = (("deploy", "resources", "limits", "memory"), ("mem_limit",), ("memswap_limit",))
MOUNTS: tuple[Path, ...] = (("user",), ("volumes",), ("read_only",), ("tmpfs",))

PLACES: dict[str, tuple[Path, ...]] = {
    "out-of-memory": (*LIMIT, *COMMAND),
    "cpu-limit-tight": (("deploy", "resources", "limits", "cpus"), ("cpus",), ("cpu_quota",)),
    "processes-limited": (("deploy", "resources", "limits", "pids"), ("pids_limit",), ("ulimits",)),
    "too-many-open-files": (("ulimits",),),
    "worker-timeout": (*COMMAND, ("environment", "GUNICORN_CMD_ARGS")),
    # the two halves of a key are changed together, and may have been exchanged
    "store-key-unknown": (("environment", "AWS_SECRET_ACCESS_KEY"),),
    "queue-memory-full": (*COMMAND, *LIMIT),
    "queue-clients-full": COMMAND,
    "queue-cannot-persist": (*COMMAND, *MOUNTS),
    "queue-read-only": COMMAND,
    "queue-access-denied": COMMAND,
    "queue-command-missing": COMMAND,
    "database-full": COMMAND,
    "database-read-only": COMMAND,
    "database-timeout": COMMAND,
    "listens-on-loopback": COMMAND,
    "not-listening": COMMAND,
    "networks-disjoint": (("networks",), ("network_mode",)),
    "image-unavailable": IMAGE,
    "image-stale": IMAGE,
    "module-missing": IMAGE,
    "modules-incompatible": IMAGE,
    "version-wrong": IMAGE,
    "schema-newer": IMAGE,
    "database-files-incompatible": IMAGE,
    "command-not-runnable": (*COMMAND, *IMAGE),
    "health-check-unmeetable": (("healthcheck",),),
    "service-unhealthy": (("healthcheck",),),
    "artifacts-only": COMMAND,
    "artifacts-refused": COMMAND,
    "artifacts-not-proxied": COMMAND,
    "volume-unwritable": MOUNTS,
    "runs-as-root": (("user",), *IMAGE),
    "source-mounted": (("volumes",),),
}
"""Cause -> where in a definition it lies, beside the settings that the diagnosis itself names."""

STATE = frozenset(
    {
        "port-taken",
        "disk-full",
        "memory-short",
        "engine-refuses",
        "service-killed",
        "service-stopped",
        "service-paused",
        "bucket-missing",
        "artifact-missing",
        "schema-older",
        "schema-missing",
        "schema-inconsistent",
        "database-grants-missing",
        "database-locked",
        "database-trigger",
        "database-sequence-behind",
        "database-hba-refuses",
        "database-disk-full",
        "experiment-deleted",
        "data-damaged",
        "queue-key-wrong-type",
        "queue-drained",
        "store-full",
        "clock-skewed",
    }
)
"""Causes that lie in what a service holds, or in what was done to it: no definition mends them."""

UNSET: dict[str, Any] = {
    "command": None,
    "entrypoint": None,
    "user": "",
    "working_dir": "",
    "stop_signal": "",
    "hostname": "",
    "restart": "no",
    "read_only": False,
    "privileged": False,
    "init": False,
    "mem_limit": "0",
    "memory": "0",
    "cpus": "0",
    "pids": 0,
    "pids_limit": 0,
}
"""What says in an overlay that a part is not there; of any other an overlay can only say what is."""

REPLACED = frozenset({"command", "entrypoint"})
"""Lists that an overlay replaces whole."""

UNTOUCHED = frozenset({"labels", "annotations", "ports", "expose", "container_name", "profiles", "pull_policy"})
"""Parts that no failure comes from: setting them back would mend nothing."""


def paths_of(entry: Diagnosis, since: Since) -> tuple[Path, ...]:
    """Where in its component's definition a diagnosis lies, as far as it says."""
    found: list[Path] = list(PLACES.get(entry.cause, ()))
    if is_asked(entry):
        found += [("environment", name) for name in OWN.get(entry.cause, ())]
        found += COMMAND if entry.cause in {"queue-password-wrong", "queue-password-missing", "port-wrong"} else ()
        return tuple(found)
    for name in settings_of(entry):
        found += COMMAND if name.startswith("-") else [("environment", name)]
    names = _names(entry.component, since)
    if entry.cause == "bucket-missing":
        found += COMMAND
    if entry.cause == "endpoint-missing":
        found += [("environment", name) for name in names if ENDPOINT_NAME.search(name)]
    if entry.cause == "store-region-wrong":
        found += [("environment", name) for name in REGION_NAMES]
    if entry.cause == "port-wrong":
        found += [("environment", name) for name in names if name.endswith("PORT")]
    if entry.cause == "listens-on-loopback":
        found += [("environment", name) for name in names if re.search(r"HOST|BIND|ADDR|LISTEN", name)]
    return tuple(found)


def _names(component: str, since: Since) -> list[str]:
    """The variables of a service, as declared now or as it stood."""
    before = since.before.services.get(component, {}) if since.before else {}
    return sorted(
        {*(since.seen.declared.get(component, {}).get("environment") or {}), *(before.get("environment") or {})}
    )


def patch_of(entry: Diagnosis, since: Since) -> Patch | None:
    """The overlay that mends what a diagnosis names; None where none does, or none can be written without a secret."""
    changed = set(since.changed.get(entry.component, ()))
    if entry.cause in STATE and not changed & set(paths_of(entry, since)):
        return None
    sources: tuple[Callable[[Diagnosis, Since], Mapping[str, Any] | None], ...] = (
        _as_it_stood,
        _offered,
        _derived,
        _rolled_back,
    )
    for source in sources:
        found = source(entry, since)
        if found and without_secret(found) and _changes_something(found, entry, since):
            return dict(found)
    return None


def _changes_something(patch: Mapping[str, Any], entry: Diagnosis, since: Since) -> bool:
    services = patch.get("services") or {}
    now = leaves(since.seen.declared.get(entry.component, {}))
    wanted = leaves(services.get(entry.component) or {})
    if set(services) != {entry.component}:
        return False
    return not since.seen.declared or any(now.get(path) != value for path, value in wanted.items())


def _of(component: str, definition: Mapping[str, Any]) -> Patch | None:
    return {"services": {component: dict(definition)}} if definition else None


# --- as it stood -----------------------------------------------------------------------------------------------------


def _as_it_stood(entry: Diagnosis, since: Since) -> Patch | None:
    """What the diagnosis names, as it was declared when the target was last ready."""
    named = set(paths_of(entry, since))
    return _set_back(entry.component, since, [path for path in _changed(entry, since) if path in named])


def _rolled_back(entry: Diagnosis, since: Since) -> Patch | None:
    """All that changed of the component since it was last ready: nothing else says what would mend it."""
    return _set_back(entry.component, since, _changed(entry, since))


def _changed(entry: Diagnosis, since: Since) -> list[Path]:
    paths = since.changed.get(entry.component, ())
    return [path for path in paths if path != CONTENT and path[0] not in UNTOUCHED]


def _set_back(component: str, since: Since, paths: Iterable[Path]) -> Patch | None:
    """An overlay that sets these parts back; None where one of them cannot be set back by an overlay."""
    wanted = list(paths)
    if since.before is None or not wanted:
        return None
    before, now = since.before.services[component], since.seen.declared[component]
    old, new = leaves(before), leaves(now)
    found: dict[str, Any] = {}
    for path in wanted:
        value, known = _value_back(path, old, new)
        if not known:
            return None
        _put(found, path, value)
    return _of(component, found)


def _value_back(path: Path, old: Mapping[Path, Any], new: Mapping[Path, Any]) -> tuple[Any, bool]:
    """What an overlay must say for a part to be as it was, and whether an overlay can say it."""
    if path not in old:
        is_variable = path[0] == "environment"
        return None if is_variable else UNSET.get(path[-1]), is_variable or path[-1] in UNSET
    was, is_now = old[path], new.get(path)
    if path == ("healthcheck",):
        return _check_back(was, is_now or {})
    if path == ("volumes",):
        return _mounts_back(was, is_now or [])
    if isinstance(was, Mapping):
        return was, path[0] in {"networks", "depends_on"} or set(is_now or {}) <= set(was)
    if isinstance(was, list) and path[0] not in REPLACED:
        # an overlay adds to a list and takes nothing from it
        return [row for row in was if row not in (is_now or [])], all(row in was for row in is_now or [])
    return was, True


def _check_back(was: Mapping[str, Any], is_now: Mapping[str, Any]) -> tuple[Any, bool]:
    switched = {"disable": False} if is_now.get("disable") and not was.get("disable") else {}
    return {**was, **switched}, set(is_now) - {"disable"} <= set(was) or bool(was.get("test"))


def _mounts_back(was: list[Any], is_now: list[Any]) -> tuple[Any, bool]:
    """Mounts are one for each place in the container, so that the former takes the place of the present one."""
    places = {_place(row) for row in was}
    return [row for row in was if row not in is_now], all(_place(row) in places for row in is_now)


def _place(row: Any) -> str:
    return str(row.get("target")) if isinstance(row, Mapping) else str(row)


def _put(tree: dict[str, Any], path: Path, value: Any) -> None:
    for name in path[:-1]:
        tree = tree.setdefault(name, {})
    tree[path[-1]] = value


# --- offered by the rule ---------------------------------------------------------------------------------------------


def _offered(entry: Diagnosis, since: Since) -> Mapping[str, Any] | None:
    """What the rule itself offers."""
    del since
    return entry.patch


# --- derived from what others declare --------------------------------------------------------------------------------


def _derived(entry: Diagnosis, since: Since) -> Patch | None:
    """What the rest of the definition says about the same thing."""
    return _of(entry.component, derived(entry, since.seen))
