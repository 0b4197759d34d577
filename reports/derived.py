"""What the rest of a definition says about a setting that is missing or wrong: namesakes, and what the other end is told."""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from reports.causes import Diagnosis
from reports.declared import is_address, option_of, part_of, readdressed, rewritten, without_option, without_secret
from reports.rules.seen import Seen
from reports.standing import Definition
from reports.wiring import ENDPOINT_NAME, KEY_NAMES, REGION_NAMES, SECRET_NAMES, TRACKING_NAME, Kind, Link, words_of

OWN: dict[str, tuple[str, ...]] = {
    "database-password-wrong": ("POSTGRES_PASSWORD",),
    "database-user-unknown": ("POSTGRES_USER",),
    "database-missing": ("POSTGRES_DB",),
    "store-key-unknown": ("MINIO_ROOT_USER", "MINIO_ACCESS_KEY"),
    "store-secret-wrong": ("MINIO_ROOT_PASSWORD", "MINIO_SECRET_KEY"),
    "queue-password-wrong": ("REDISCLI_AUTH", "REDIS_PASSWORD"),
    "queue-password-missing": ("REDISCLI_AUTH", "REDIS_PASSWORD"),
}
"""Cause -> the variables by which the service that is asked is itself told what callers must know."""

PARTS = {
    (Kind.DATABASE, "password"): ("POSTGRES_PASSWORD",),
    (Kind.DATABASE, "user"): ("POSTGRES_USER",),
    (Kind.DATABASE, "database"): ("POSTGRES_DB",),
    (Kind.STORE, "key"): OWN["store-key-unknown"],
    (Kind.STORE, "secret"): OWN["store-secret-wrong"],
    (Kind.QUEUE, "password"): OWN["queue-password-wrong"],
}
"""Kind of dependency and part of the login -> the same variables, seen from the caller."""

PART_OF = {
    "database-password-wrong": "password",
    "database-user-unknown": "user",
    "database-missing": "database",
    "store-key-unknown": "key",
    "store-secret-wrong": "secret",
    "queue-password-wrong": "password",
    "queue-password-missing": "password",
}

LOOPBACK = re.compile(r"(?<![\w.])(?:127\.0\.0\.1|localhost|::1)(?![\w.])")
EVERYWHERE = "0.0.0.0"  # noqa: S104 - written into an overlay, never bound to


Finder = Callable[[Diagnosis, Seen], dict[str, Any]]


def derived(entry: Diagnosis, seen: Seen) -> dict[str, Any]:
    """The part of the component's definition that mends a diagnosis, as the rest of the definition says; empty where it does not."""
    finder = DERIVED.get(entry.cause)
    return finder(entry, seen) if finder and entry.component in seen.declared else {}


def settings_of(entry: Diagnosis) -> tuple[str, ...]:
    """The settings that a diagnosis names."""
    given = entry.parameters.get("setting")
    several = given if isinstance(given, list | tuple) else [given]
    return tuple(str(name) for name in several if name)


def is_asked(entry: Diagnosis) -> bool:
    """Whether the component is the one that is asked; the settings that are named are then its callers'."""
    return entry.parameters.get("target") == entry.component and entry.parameters.get("service") != entry.component


def _declared(seen: Seen, service: str | None) -> Definition:
    return seen.declared.get(service or "", {})


def _variable(seen: Seen, service: str | None, name: str) -> str:
    """A variable's value as declared; empty where it is not, or is masked."""
    value = str((_declared(seen, service).get("environment") or {}).get(name) or "")
    return value if without_secret(value) else ""


def _text_of(seen: Seen, service: str, setting: str) -> str:
    """A setting's value as declared, from the environment or the command line, masked parts and all."""
    if setting.startswith("-"):
        return option_of(_declared(seen, service), setting)
    return str((_declared(seen, service).get("environment") or {}).get(setting) or "")


def _with_setting(seen: Seen, service: str, setting: str, old: str, new: str) -> dict[str, Any]:
    """The part of a service's definition in which a setting has another value; a command line is replaced whole."""
    if not new or new == old:
        return {}
    if not setting.startswith("-"):
        return {"environment": {setting: new}}
    return rewritten(_declared(seen, service), lambda word: word.replace(old, new)) if old else {}


def _links(seen: Seen, service: str, setting: str) -> list[Link]:
    """The dependencies of a service that a setting is about, those that it names first."""
    own = [link for link in seen.links if link.caller == service and link.target]
    named = [
        link for link in own if setting == link.setting or any(setting in ref.values() for ref in link.reads.values())
    ]
    return named or [link for link in own if link.kind in _kinds(setting)]


def _kinds(setting: str) -> frozenset[Kind]:
    if setting in {*KEY_NAMES, *SECRET_NAMES}:
        return frozenset({Kind.STORE})
    if re.search(r"REDIS|QUEUE|CACHE|BROKER|VALKEY", setting):
        return frozenset({Kind.QUEUE})
    return frozenset({Kind.DATABASE}) if re.search(r"DB|DATABASE|POSTGRES|PG|SQL", setting) else frozenset()


def _part(setting: str, cause: str) -> str:
    """Which part of a login a setting holds."""
    if cause in PART_OF:
        return PART_OF[cause]
    if setting in KEY_NAMES:
        return "key"
    if setting in SECRET_NAMES:
        return "secret"
    if re.search(r"PASS|SECRET|AUTH", setting):
        return "password"
    return "user" if re.search(r"USER", setting) else "database" if re.search(r"(?:NAME|DB|DATABASE)$", setting) else ""


def _own_value(seen: Seen, target: str, kind: Kind, part: str) -> str:
    """What the service that is asked is itself told, as declared."""
    value = next((text for name in PARTS.get((kind, part), ()) if (text := _variable(seen, target, name))), "")
    if not value and (kind, part) == (Kind.QUEUE, "password"):
        value = option_of(_declared(seen, target), "--requirepass")
    return value if without_secret(value) and not value.startswith("$$") else ""


def _held(seen: Seen, link: Link, part: str) -> str:
    """The part of a login as a caller declares it; empty where it is masked."""
    own = link.reads.get(part)
    name = next(iter(own.values()), "") if own else ""
    if name:
        value = _text_of(seen, link.caller, name)
    elif part in {"user", "password", "database"}:
        value = part_of(_text_of(seen, link.caller, link.setting), part)
    else:
        value = ""
    return value if without_secret(value) else ""


def _agreed(values: Iterable[str]) -> str:
    """The value that most declare; of equals the first."""
    found = Counter(value for value in values if value)
    return found.most_common(1)[0][0] if found else ""


def _right_value(seen: Seen, entry: Diagnosis, setting: str, part: str) -> str:
    """What a part of a login must be: as the service that is asked is told, else as its other callers declare it."""
    for link in _links(seen, entry.component, setting):
        others = [other for other in seen.links if other.target == link.target and other.caller not in _accused(entry)]
        found = _own_value(seen, str(link.target), link.kind, part) or _agreed(_held(seen, one, part) for one in others)
        if found:
            return found
    return ""


def _accused(entry: Diagnosis) -> set[str]:
    service = entry.parameters.get("service")
    several = service if isinstance(service, list | tuple) else [service]
    return {entry.component, *(str(name) for name in several if name)}


def _namesake(seen: Seen, entry: Diagnosis, setting: str) -> str:
    """What other services declare for a variable of the same name."""
    return _agreed(_variable(seen, name, setting) for name in seen.declared if name not in _accused(entry))


def _login(entry: Diagnosis, seen: Seen) -> dict[str, Any]:
    """A caller's part of the login set to what the other end is told; the other end's to what its callers say."""
    if is_asked(entry):
        return _own_login(entry, seen)
    found: dict[str, Any] = {}
    for setting in settings_of(entry):
        now = _text_of(seen, entry.component, setting)
        part = _part(setting, entry.cause)
        if is_address(now) and part in {"user", "password", "database"}:
            value = _right_value(seen, entry, setting, part)
            new = readdressed(now, **{part: value}) if value else ""
        else:
            new = _right_value(seen, entry, setting, part) or _namesake(seen, entry, setting)
        _join(found, _with_setting(seen, entry.component, setting, now, new))
    return found


def _own_login(entry: Diagnosis, seen: Seen) -> dict[str, Any]:
    part = PART_OF[entry.cause]
    callers = [link for link in seen.links if link.target == entry.component]
    value = _agreed(_held(seen, link, part) for link in callers)
    name = next(
        (name for name in OWN[entry.cause] if name in (_declared(seen, entry.component).get("environment") or {})), ""
    )
    return {"environment": {name: value}} if value and name else {}


def _join(tree: dict[str, Any], more: Mapping[str, Any]) -> None:
    for name, value in more.items():
        tree[name] = {**tree.get(name, {}), **value} if isinstance(value, Mapping) else value


def _missing(entry: Diagnosis, seen: Seen) -> dict[str, Any]:
    """Settings that are not set: parts of a login, addresses of the service that plays the role, else as others have them."""
    found: dict[str, Any] = {}
    for setting in settings_of(entry):
        now = _text_of(seen, entry.component, setting)
        if is_address(now):
            # an address that is there lacks its password
            value = _right_value(seen, entry, setting, "password")
            new = readdressed(now, password=value) if value else ""
        else:
            new = _namesake(seen, entry, setting) or _address_for(seen, setting)
            new = new or _right_value(seen, entry, setting, _part(setting, entry.cause))
        _join(found, _with_setting(seen, entry.component, setting, now, new))
    return found


def _address_for(seen: Seen, setting: str) -> str:
    """The address that a setting of this name must hold; empty where its name does not tell."""
    if TRACKING_NAME.search(setting):
        server = seen.of_role("tracking")
        return f"http://{server}:{_port(seen, server, Kind.TRACKING, 5000)}" if server else ""
    if ENDPOINT_NAME.search(setting):
        store = seen.of_role("object-store")
        return f"http://{store}:{_port(seen, store, Kind.STORE, 9000)}" if store else ""
    if setting.endswith(("HOST", "HOSTNAME")):
        kind = next(iter(_kinds(setting)), None)
        return (seen.of_role(str(kind)) or "") if kind else ""
    return ""


def _port(seen: Seen, service: str, kind: Kind, usual: int) -> int:
    return next((link.port for link in seen.links if link.target == service and link.kind is kind), usual)


def _changed_address(part: str, wanted: Callable[[Diagnosis, Seen], str]) -> Finder:
    def finder(entry: Diagnosis, seen: Seen) -> dict[str, Any]:
        value = wanted(entry, seen)
        found: dict[str, Any] = {}
        for setting in settings_of(entry):
            now = _text_of(seen, entry.component, setting)
            if value and is_address(now):
                _join(found, _with_setting(seen, entry.component, setting, now, readdressed(now, **{part: value})))
            elif value and part == "host" and now:
                _join(found, _with_setting(seen, entry.component, setting, now, value))
        return found

    return finder


def _wanted_service(entry: Diagnosis, seen: Seen) -> str:
    wanted = str(entry.parameters.get("wanted") or "")
    return wanted if wanted in seen.declared else ""


def _right_port(entry: Diagnosis, seen: Seen) -> dict[str, Any]:
    """The port in an address, or in the variable beside the one that holds the host."""
    wanted, wrong = str(entry.parameters.get("wanted") or ""), str(entry.parameters.get("port") or "")
    found = _changed_address("port", lambda *_: wanted)(entry, seen)
    environment = _declared(seen, entry.component).get("environment") or {}
    beside = [name for name, value in environment.items() if name.endswith("PORT") and value == wrong]
    return found or ({"environment": {beside[0]: wanted}} if wanted and len(beside) == 1 else {})


def _index(entry: Diagnosis, seen: Seen) -> str:
    """The database index that other callers of the queue use, else the one that every Redis has."""
    links = [link for name in settings_of(entry) for link in _links(seen, entry.component, name)]
    others = [one for one in seen.links for link in links if one.target == link.target and one.caller != link.caller]
    return _agreed(_held(seen, one, "database") for one in others) or "0"


def _everywhere(entry: Diagnosis, seen: Seen) -> dict[str, Any]:
    """Whatever says on which address the service listens: on all."""
    definition = _declared(seen, entry.component)
    found = rewritten(definition, lambda word: LOOPBACK.sub(EVERYWHERE, word))
    environment = definition.get("environment") or {}
    names = [name for name in environment if re.search(r"(?:^|_)(?:HOST|BIND\w*|ADDR\w*|LISTEN\w*)$", name)]
    changed = {name: LOOPBACK.sub(EVERYWHERE, str(environment[name])) for name in names}
    changed = {name: value for name, value in changed.items() if value != environment[name]}
    return found or ({"environment": changed} if changed else {})


def _without(option: str, *, takes_value: bool = False) -> Finder:
    def finder(entry: Diagnosis, seen: Seen) -> dict[str, Any]:
        return without_option(_declared(seen, entry.component), option, takes_value=takes_value)

    return finder


def _meeting(entry: Diagnosis, seen: Seen) -> dict[str, Any]:
    """The component joins a network of the other; an overlay adds a network and takes none away."""
    target = str(entry.parameters.get("target") or "")
    callers = [link.caller for link in seen.links if link.target == target]
    others = callers if entry.component == target else [target]
    mine = set(_declared(seen, entry.component).get("networks") or {"default": None})
    theirs = [name for other in others for name in _declared(seen, other).get("networks") or {"default": None}]
    joined = _agreed(name for name in theirs if name not in mine)
    # what joins a network by name leaves the default one, unless it says that it stays
    return {"networks": {**dict.fromkeys(sorted(mine)), joined: None}} if joined else {}


def _scheme(entry: Diagnosis, seen: Seen) -> str:
    del seen
    wanted, wrong = str(entry.parameters.get("wanted") or ""), str(entry.parameters.get("scheme") or "")
    return wanted if wrong else ""


def _bucket(entry: Diagnosis, seen: Seen) -> dict[str, Any]:
    """The bucket's name, wherever the component names it."""
    wrong, wanted = str(entry.parameters.get("bucket") or ""), str(entry.parameters.get("wanted") or "")
    found: dict[str, Any] = {}
    for setting in settings_of(entry):
        now = _text_of(seen, entry.component, setting)
        if wrong and wanted and wrong in now:
            _join(found, _with_setting(seen, entry.component, setting, now, now.replace(wrong, wanted)))
    return found


def _region(entry: Diagnosis, seen: Seen) -> dict[str, Any]:
    """The region that the store names, else the one of other callers."""
    environment = _declared(seen, entry.component).get("environment") or {}
    name = next((name for name in REGION_NAMES if name in environment), REGION_NAMES[0])
    value = str(entry.parameters.get("wanted") or "") or _namesake(seen, entry, name)
    return {"environment": {name: value}} if value else {}


def _endpoint(entry: Diagnosis, seen: Seen) -> dict[str, Any]:
    """The endpoint of the store as others declare it."""
    values = {name: _namesake(seen, entry, name) or _address_for(seen, name) for name in settings_of(entry)}
    return {"environment": values} if values and all(values.values()) else {}


def _primary(entry: Diagnosis, seen: Seen) -> str:
    """The queue that a replica's own definition names as the one it follows."""
    target = str(entry.parameters.get("target") or "")
    told = set(re.findall(r"[\w.-]+", " ".join(words_of(_declared(seen, target)))))
    followed = [name for name in seen.having_role("queue") if name != target and name in told]
    return followed[0] if len(followed) == 1 else ""


ROOMY = "1g"


def _room(entry: Diagnosis, seen: Seen) -> dict[str, Any]:
    """More room for what is kept in memory, where its size is declared."""
    definition = _declared(seen, entry.component)
    if "/dev/shm" in str(entry.parameters.get("path")):  # noqa: S108 - a name in a definition
        return {"shm_size": ROOMY} if definition.get("shm_size") else {}
    rows = definition.get("tmpfs") or []
    sized = [re.sub(r"(?<=[:,]size=)\w+", ROOMY, row) for row in ([rows] if isinstance(rows, str) else rows)]
    return {"tmpfs": sized} if sized != rows else {}


DERIVED: dict[str, Finder] = {
    **dict.fromkeys(PART_OF, _login),
    "setting-missing": _missing,
    "endpoint-missing": _endpoint,
    "host-unknown": _changed_address("host", _wanted_service),
    "points-at-itself": _changed_address("host", _wanted_service),
    "port-wrong": _right_port,
    "uri-scheme-unsupported": _changed_address("scheme", _scheme),
    "queue-database-wrong": _changed_address("database", _index),
    "listens-on-loopback": _everywhere,
    "artifacts-only": _without("--artifacts-only"),
    "artifacts-refused": _without("--no-serve-artifacts"),
    "queue-read-only": _changed_address("host", _primary),
    "scratch-full": _room,
    "queue-memory-full": _without("--maxmemory", takes_value=True),
    "networks-disjoint": _meeting,
    "bucket-wrong": _bucket,
    "store-region-wrong": _region,
}
"""Cause -> how its remedy follows from the rest of the definition."""
