"""Who calls whom by which settings: read from a service's own environment and command line, whatever they are named."""

import re
import shlex
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any
from urllib.parse import parse_qs


class Kind(StrEnum):
    """What is at the other end, and so which rungs lead to it."""

    DATABASE = "database"
    STORE = "object-store"
    QUEUE = "queue"
    TRACKING = "tracking"
    HTTP = "http"


SCHEMES = {
    "postgres": (Kind.DATABASE, 5432),
    "postgresql": (Kind.DATABASE, 5432),
    "redis": (Kind.QUEUE, 6379),
    "rediss": (Kind.QUEUE, 6379),
    "http": (Kind.HTTP, 80),
    "https": (Kind.HTTP, 443),
}
PREFIXES = {
    Kind.DATABASE: ("DB", "DATABASE", "POSTGRES", "POSTGRESQL", "PG", "SQL"),
    Kind.QUEUE: ("REDIS", "QUEUE", "CACHE", "BROKER", "VALKEY"),
    Kind.STORE: ("S3", "MINIO", "AWS"),
    Kind.TRACKING: ("MLFLOW",),
}
PORTS = {Kind.DATABASE: 5432, Kind.QUEUE: 6379, Kind.STORE: 9000, Kind.TRACKING: 5000}
PARTS = {
    "user": ("USER", "USERNAME"),
    "password": ("PASSWORD", "PASS"),
    "database": ("NAME", "DATABASE", "DB", "DBNAME"),
}
OF_DATABASES = frozenset({"POSTGRES_DB", "POSTGRES_USER"})
"""Variables by which a database's image is told how to begin."""

URL = re.compile(
    r"^(?P<scheme>[a-zA-Z][\w+.-]*)://(?:(?P<user>[^:@/]*)(?::(?P<password>.*))?@)?"
    r"(?P<host>\[[^]]*\]|[^:/?#@]*)(?::(?P<port>\d+))?(?P<path>/[^?#]*)?"
)
BUCKET = re.compile(r"s3a?://(?P<bucket>[^/\s\"']+)")
KEY_NAMES = ("AWS_ACCESS_KEY_ID", "S3_ACCESS_KEY", "MINIO_ACCESS_KEY", "S3_ACCESS_KEY_ID")
SECRET_NAMES = ("AWS_SECRET_ACCESS_KEY", "S3_SECRET_KEY", "MINIO_SECRET_KEY", "S3_SECRET_ACCESS_KEY")
REGION_NAMES = ("AWS_DEFAULT_REGION", "AWS_REGION")
ENDPOINT_NAME = re.compile(r"(?:S3|MINIO|OBJECT_?STORE|AWS).*(?:ENDPOINT|URL)", re.IGNORECASE)
TRACKING_NAME = re.compile(r"(?:TRACKING|REGISTRY)_UR[IL]$", re.IGNORECASE)
AWS = "s3.amazonaws.com"
"""Where an S3 client goes that was given no endpoint."""

BIND = {"", "0.0.0.0", "::", "*"}  # noqa: S104 - compared with, never bound to
DIRECT = ("--no-serve-artifacts",)


OF_CONTRACT = frozenset(
    {"MLFLOW_TRACKING_URI", "DB_HOST", "DB_NAME", "DB_USER", "REDIS_URL", "EXTERNAL_API_URL", "API_KEYS", "WEBHOOK_URL"}
)
"""Settings that a registry takes by its contract: of several services that could be it, the one that has most of them is it."""


SCRIPT = re.compile(r"\bpython[\d.]*\b(?:[^|&;]*\.py\b|(?:\s+-\w+)*\s+-\w*c\s)")
"""A command that runs a script of somebody's own, whatever image it is run in."""


def stated_role(service: Mapping[str, Any]) -> str | None:
    """The role that a service's own label states; None for none."""
    labels = service.get("labels") or {}
    role = labels.get("airworthy.role") if isinstance(labels, Mapping) else None
    return str(role) if role else None


def unlikely(service: Mapping[str, Any]) -> tuple[bool, int, bool, bool]:
    """How little speaks for a service where several could have its role: no label states it, few of a registry's settings, a script for a command, no port to others."""
    script = bool(SCRIPT.search(" ".join(words_of(service))))
    ports = service.get("ports") or service.get("expose")
    return not stated_role(service), -len(OF_CONTRACT & environment_of(service).keys()), script, not ports


@dataclass(frozen=True)
class Link:
    """One dependency as the caller's settings describe it.

    `setting` is the name that holds the address, `reads` what each part of the login is read from
    ({"env": NAME} or {"argv": OPTION}); no value that could be secret is in it.
    """

    caller: str
    kind: Kind
    setting: str
    host: str
    port: int
    target: str | None
    reads: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    says: Mapping[str, str] = field(default_factory=dict)
    """Readable parts of the settings: user, database, bucket, endpoint."""

    past: str = ""
    """The service between that this link goes past: the same questions, put to the service behind it directly."""

    @property
    def about(self) -> str:
        """The other end in words: the service, or its address where it is none of the deployment."""
        return self.target or f"{self.host}:{self.port}"

    def as_json(self) -> dict[str, Any]:
        """The link as a rung's request records it."""
        return {
            "caller": self.caller,
            "kind": str(self.kind),
            "setting": self.setting,
            "host": self.host,
            "port": self.port,
            "target": self.target,
            # pairs, since what stands under a key named `password` is taken for one and masked
            "settings": [[part, next(iter(ref.values()))] for part, ref in self.reads.items()],
            "says": dict(self.says),
        } | ({"past": self.past} if self.past else {})


def environment_of(service: Mapping[str, Any]) -> dict[str, str]:
    """A service's environment as text; what is absent or null is empty."""
    given = service.get("environment") or {}
    if isinstance(given, list):
        given = dict(str(entry).partition("=")[::2] for entry in given)
    return {str(name): "" if value is None else str(value) for name, value in given.items()}


def words_of(service: Mapping[str, Any]) -> list[str]:
    """Entry point and command as words; a shell's script is taken apart, its variables put in."""
    words: list[str] = []
    for part in ("entrypoint", "command"):
        given = service.get(part) or []
        words += shlex.split(given) if isinstance(given, str) else [str(word) for word in given]
    known = environment_of(service)
    taken: list[str] = []
    for word in words:
        filled = re.sub(r"\$?\$\{?(\w+)\}?", lambda match: known.get(match[1], match[0]), word)
        taken += _parted(filled) if re.search(r"\s-", filled) else [filled]
    return taken


def _parted(script: str) -> list[str]:
    # a shell ends a command with its line: options on a line of their own are nobody's
    lines = script.replace("\\\n", " ").splitlines()
    script = "\n".join(line for line in lines if not line.lstrip().startswith("-"))
    try:
        return shlex.split(script)
    except ValueError:
        return script.split()


def options_of(service: Mapping[str, Any]) -> dict[str, str]:
    """The long options of a service's command line: `--name value` and `--name=value`; a bare flag is empty."""
    words = words_of(service)
    found: dict[str, str] = {}
    for word, following in zip(words, [*words, "--"][1:], strict=True):
        if word.startswith("--") and len(word) > 2:
            name, has_value, value = word.partition("=")
            found[name] = value if has_value else ("" if following.startswith("-") else following)
    return found


ASSIGNED = re.compile(r"(?:^|[\s;&({])(?P<name>[A-Za-z_]\w*)=")


def assigned_by(service: Mapping[str, Any]) -> frozenset[str]:
    """The variables that a service's own words set before its program runs: a wrapper around it, in entry point or command."""
    given = [service.get(part) or () for part in ("entrypoint", "command")]
    words = [word for part in given for word in ([part] if isinstance(part, str) else part)]
    return frozenset(match["name"] for word in words for match in ASSIGNED.finditer(str(word)))


def settings_of(service: Mapping[str, Any]) -> dict[tuple[str, str], str]:
    """Every setting of a service: ("env", NAME) or ("argv", --option) -> value."""
    settings = {("env", name): value for name, value in environment_of(service).items()}
    return settings | {("argv", name): value for name, value in options_of(service).items()}


def links_of(config: Mapping[str, Any]) -> tuple[Link, ...]:
    """Every dependency that the services of a rendered configuration name in their settings."""
    services: Mapping[str, Mapping[str, Any]] = config.get("services") or {}
    found: list[Link] = []
    for name, service in services.items():
        urls = [*_from_urls(name, service, services)]
        found += urls
        found += (link for link in _from_parts(name, service, services) if not _is_spare(link, urls, service))
    found += _stores(services)
    unique = {(link.caller, link.kind, link.host, link.port, link.setting): link for link in found}
    return tuple(unique.values())


def callers_of(links: Iterable[Link], names: Collection[str]) -> frozenset[str]:
    """The services that call one of these, or that call such a one; none of these themselves."""
    listed, found = list(links), set(names)
    while more := {link.caller for link in listed if link.target in found} - found:
        found |= more
    return frozenset(found - set(names))


def _is_spare(link: Link, urls: Iterable[Link], service: Mapping[str, Any]) -> bool:
    """Whether parts of a login without a password came to MLflow's server with settings that others share: it has an address of its own."""
    if "password" in link.reads or not re.search(r"\bmlflow\s+(?:server|ui)\b", " ".join(words_of(service))):
        return False
    return any(url.kind is link.kind and url.target == link.target for url in urls)


def is_loopback(host: str) -> bool:
    """Whether a host name or an address is the asker's own loopback."""
    return host in {"localhost", "::1", "[::1]"} or host.startswith("127.")


def home_of(name: str, services: Mapping[str, Mapping[str, Any]]) -> str:
    """The service in whose network a service lives: its own, unless `network_mode: service:...` names another."""
    mode = str(services.get(name, {}).get("network_mode") or "")
    return mode.partition(":")[2] if mode.startswith("service:") else name


def hosts_of(service: Mapping[str, Any]) -> dict[str, str]:
    """What a service's own lists of hosts and links say: name -> address, or the service that is linked under that name."""
    listed = service.get("extra_hosts") or ()
    rows = (
        listed.items() if isinstance(listed, Mapping) else (re.split(r"[=:]", str(row), maxsplit=1) for row in listed)
    )
    linked = (str(row).partition(":") for row in service.get("links") or ())
    return {alias or name: name for name, _, alias in linked} | {str(name): str(address) for name, address in rows}


def service_at(host: str, services: Mapping[str, Mapping[str, Any]], caller: str = "", port: int = 0) -> str | None:
    """The service that a host name leads to: its own name, an alias, its container's or host's name, its fixed address.

    A caller's own host's name is itself, loopback is who shares its network and speaks of the port, and its own list of hosts names the rest.
    """
    own = services.get(caller, {})
    if host.startswith("/"):
        return _behind_socket(host, services, caller)
    if caller and is_loopback(host):
        home = home_of(caller, services)
        mates = [name for name in services if name != caller and home_of(name, services) == home]
        return next((name for name in mates if re.search(rf"(?<!\d){port}(?!\d)", str(services[name]))), None)
    if caller and host == own.get("hostname"):
        return caller
    # what a list of hosts says of a name that is known without it is perhaps wrong: who is meant is who bears the name
    return _bearer(host, services) or _bearer(hosts_of(own).get(host, ""), services)


def _behind_socket(folder: str, services: Mapping[str, Mapping[str, Any]], caller: str) -> str | None:
    """The service that puts its socket into a folder that the caller shares with it: who mounts the same volume and waits for nobody that does."""

    def mounted(name: str) -> dict[str, str]:
        rows = [row for row in services[name].get("volumes") or () if isinstance(row, Mapping)]
        return {str(row.get("source")): str(row.get("target")) for row in rows}

    held = mounted(caller) if caller in services else {}
    shared = {source for source, at in held.items() if f"{folder}/".startswith(f"{at}/")}
    mates = [name for name in services if name != caller and shared & mounted(name).keys()]
    return next((name for name in mates if not set(services[name].get("depends_on") or ()) & set(mates)), None)


def _bearer(host: str, services: Mapping[str, Mapping[str, Any]]) -> str | None:
    for name, service in services.items():
        networks = service.get("networks") or {}
        rows = [row or {} for row in networks.values()] if isinstance(networks, Mapping) else []
        known = {name, service.get("container_name"), service.get("hostname")}
        known |= {alias for row in rows for alias in (row.get("ipv4_address"), *(row.get("aliases") or ()))}
        if host and host in known:
            return name
    return None


def _from_urls(name: str, service: Mapping[str, Any], services: Mapping[str, Any]) -> Iterator[Link]:
    for (source, setting), value in settings_of(service).items():
        match = URL.match(value)
        if match is None or ENDPOINT_NAME.search(setting):
            continue
        scheme = match["scheme"].lower().partition("+")[0]
        # libpq finds the host, or the folder of a socket, behind the path too
        host = match["host"] or next(iter(parse_qs(value.partition("?")[2]).get("host", ())), "")
        if scheme not in SCHEMES or host in BIND:
            continue
        kind, port = SCHEMES[scheme]
        if kind is Kind.HTTP and TRACKING_NAME.search(setting):
            kind = Kind.TRACKING
        port = int(match["port"] or port)
        says = {"user": match["user"] or "", "database": (match["path"] or "").strip("/"), "scheme": match["scheme"]}
        reads = {"url": {source: setting}} | _fallback_password(kind, match["password"], environment_of(service))
        yield Link(name, kind, setting, host, port, service_at(host, services, name, port), reads, says)


def _fallback_password(kind: Kind, in_url: str | None, env: Mapping[str, str]) -> dict[str, dict[str, str]]:
    if in_url or kind not in {Kind.DATABASE, Kind.QUEUE}:
        return {}
    found = _named(env, kind, PREFIXES[kind], "password")
    return {"password": {"env": found}} if found else {}


def _from_parts(name: str, service: Mapping[str, Any], services: Mapping[str, Any]) -> Iterator[Link]:
    env = environment_of(service)
    for setting, host in env.items():
        match = re.fullmatch(r"(?P<prefix>\w*?)_?(?:HOST|HOSTNAME|ADDR)", setting)
        if match is None or host in BIND or "/" in host or not match["prefix"]:
            continue
        kind = next((kind for kind, known in PREFIXES.items() if match["prefix"].split("_")[-1] in known), None)
        if kind not in {Kind.DATABASE, Kind.QUEUE}:
            continue
        # what is called an address may hold a port; a host is taken as it stands
        bare, _, joined = host.partition(":") if setting.endswith("ADDR") else (host, "", "")
        given = joined or _value(env, match["prefix"], "PORT")
        port = int(given) if given.isdigit() else PORTS[kind]
        prefixes = (match["prefix"], *PREFIXES[kind])
        reads = {part: {"env": found} for part in PARTS if (found := _named(env, kind, prefixes, part))}
        says = {part: env[ref["env"]] for part, ref in reads.items() if part != "password"}
        yield Link(name, kind, setting, bare, port, service_at(bare, services, name, port), reads, says)


def _value(env: Mapping[str, str], prefix: str, part: str) -> str:
    return env.get(f"{prefix}_{part}") or env.get(f"{prefix}{part}") or ""


def _named(env: Mapping[str, str], kind: Kind, prefixes: Iterable[str], part: str) -> str | None:
    """The setting that holds a part of the login: the first that is set, else the first that is there at all."""
    names = [f"{prefix}{joint}{word}" for prefix in prefixes for word in PARTS[part] for joint in ("_", "")]
    if (kind, part) == (Kind.DATABASE, "password"):
        # of two that are set the registry's contract takes this one
        names.insert(0, "DATABASE_PASSWORD")
    if (kind, part) == (Kind.QUEUE, "password"):
        # what redis-cli itself reads
        names.append("REDISCLI_AUTH")
    # DATABASE_NAME is a name, but plain DB or DATABASE would be a prefix of its own
    there = [name for name in dict.fromkeys(names) if name in env and (kind is Kind.DATABASE or part != "database")]
    return next((name for name in there if env[name]), there[0] if there else None)


def artifact_root(service: Mapping[str, Any]) -> tuple[str, str]:
    """The setting and the value of the place where a tracking server keeps artifacts; empty where it names none."""
    wanted = re.compile(r"(?:ARTIFACT.*(?:ROOT|DESTINATION)|(?:root|destination))", re.IGNORECASE)
    for (_, setting), value in settings_of(service).items():
        if "artifact" in setting.lower() and wanted.search(setting) and value:
            return setting, value
    return "", ""


def is_direct(service: Mapping[str, Any]) -> bool:
    """Whether the clients of a tracking server go to the store themselves."""
    options, env = options_of(service), environment_of(service)
    if any(flag in options for flag in DIRECT) or env.get("MLFLOW_SERVE_ARTIFACTS", "").lower() in {"false", "0"}:
        return True
    return "--default-artifact-root" in options or bool(env.get("MLFLOW_DEFAULT_ARTIFACT_ROOT"))


def _stores(services: Mapping[str, Mapping[str, Any]]) -> Iterator[Link]:
    """Links to object stores: from an endpoint, from keys, from an artifact root, or through a tracking server."""
    for name, service in services.items():
        env = environment_of(service)
        if env.keys() & OF_DATABASES and not env.keys() & {*OF_CONTRACT, *KEY_NAMES}:
            # an env file for all gives the database the store's endpoint too
            continue
        endpoint = next(
            (key for key in env if ENDPOINT_NAME.search(key) and (URL.match(env[key]) or not env[key])), None
        )
        keys = {"key": KEY_NAMES, "secret": SECRET_NAMES, "region": REGION_NAMES}
        reads = {
            part: {"env": next(key for key in names if key in env)}
            for part, names in keys.items()
            if set(names) & set(env)
        }
        setting, bucket, through = _bucket(name, service, services)
        if endpoint is None and not through and "key" not in reads:
            continue
        if endpoint is None and not bucket:
            continue
        match = URL.match(env.get(endpoint or "", ""))
        host = match["host"] if match else AWS
        port = int(match["port"] or SCHEMES.get(match["scheme"], (None, 443))[1]) if match else 443
        reads |= {"endpoint": {"env": endpoint}} if endpoint and match else {}
        says = {"bucket": bucket, "bucket_setting": setting, "through": through, "endpoint": f"{host}:{port}"}
        says |= {"scheme": match["scheme"].lower()} if match else {}
        label = endpoint or "MLFLOW_S3_ENDPOINT_URL"
        yield Link(name, Kind.STORE, label, host, port, service_at(host, services, name, port), reads, says)


def _bucket(name: str, service: Mapping[str, Any], services: Mapping[str, Mapping[str, Any]]) -> tuple[str, str, str]:
    """The setting that names the bucket, the bucket, and the service through which it is known ("" for its own)."""
    for (_, setting), value in settings_of(service).items():
        found = BUCKET.search(value)
        if found:
            return setting, found["bucket"], name if "artifact" in setting.lower() else ""
    for setting, value in environment_of(service).items():
        if re.search(r"(?:^|_)BUCKET(?:_NAME)?$", setting) and value:
            return setting, value, ""
    for setting, value in environment_of(service).items():
        match = URL.match(value)
        server = (
            service_at(match["host"], services, name, int(match["port"] or 80))
            if match and TRACKING_NAME.search(setting)
            else None
        )
        if server and is_direct(services[server]):
            its_setting, root = artifact_root(services[server])
            found = BUCKET.search(root)
            if found:
                return its_setting, found["bucket"], server
    return "", "", ""


SERVER = re.compile(
    r"(?i)\b(?:uvicorn|gunicorn|hypercorn|granian|nginx|haproxy|envoy|minio|postgres|redis-server|valkey-server|mlflow\s+(?:server|ui|models)|http\.server|python[\d.]*\s+-m\s+src)\b"
)
"""Programs that serve until they are ended."""


def jobs_of(config: Mapping[str, Any]) -> frozenset[str]:
    """The services that are to end: others wait for them to end well, their label says so, or nobody needs them to go on.

    The last have a command of their own that is no server, and no ports, health check or restarts, and nobody waits for them or asks them.
    """
    services: Mapping[str, Mapping[str, Any]] = config.get("services") or {}
    waits = [(name, how or {}) for service in services.values() for name, how in _waits(service).items()]
    ends = {name for name, how in waits if how.get("condition") == "service_completed_successfully"}
    stated = {name: role for name, service in services.items() if (role := stated_role(service))}
    needed = {name for name, _ in waits} | {str(link.target) for link in links_of(config) if link.target != link.caller}
    free = {name for name, service in services.items() if name not in needed and _may_end(service)}
    return frozenset(name for name in ends | free | stated.keys() if stated.get(name, "job") == "job")


def _may_end(service: Mapping[str, Any]) -> bool:
    """Whether nothing in a service's own definition says that it is to go on."""
    words = " ".join(words_of(service))
    check = service.get("healthcheck") or {"disable": True}
    unchecked = check.get("disable") or list(check.get("test") or ())[:1] == ["NONE"]
    stays = SERVER.search(words) or str(service.get("restart") or "no").partition(":")[0] not in {"no", "on-failure"}
    return bool(words and unchecked and not stays and not service.get("ports") and not service.get("expose"))


def _waits(service: Mapping[str, Any]) -> Mapping[str, Any]:
    given = service.get("depends_on") or {}
    return given if isinstance(given, Mapping) else {str(name): {"condition": "service_started"} for name in given}
