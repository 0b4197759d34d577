"""What the machine says about a start that has not happened: measured numbers in, findings out."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Any

from reports.preflight import ERROR, WARNING, Finding
from reports.wording import count

HOST = "host"
"""Where a finding of the machine stands, in place of a file."""

OLDEST_ENGINE = (25, 0)
"""The first engine that looks at health faster during a start (`start_interval`), which every run asks for."""

OLDEST_COMPOSE = (2, 20, 2)
"""The first Compose that reads `start_interval`."""

GB = 1e9
FLOOR_GB = 1.0
"""Room below which nothing is started: what is written until the end of a run would fill the disk."""

FIRST_BUILD_GB = 10.0
"""Room that building all images needs."""

LEAST_MEMORY_GB = 2.0
"""Memory asked for where no service states a limit."""

CLOCKS_APART = 5.0
"""Seconds between the machine's clock and the engine's above which one of them is wrong."""

AUTHORS_APART = 300.0
"""Seconds that another machine's clock may be ahead when it dates a commit."""

EVERYWHERE = frozenset({"", "0.0.0.0", "::", "[::]", "*"})  # noqa: S104 - compared with, never bound to
SIZE = re.compile(r"(?i)\s*(?P<number>\d+(?:\.\d+)?)\s*(?P<unit>[kmgt]?)i?b?\s*$")
PUBLISHED = re.compile(r"(?P<address>\[?[\d.:a-f]*\]?):(?P<first>\d+)(?:-(?P<last>\d+))?->")


@dataclass(frozen=True)
class Listener:
    """A socket that somebody listens on; no pid where the system does not tell it to this user."""

    address: str
    port: int
    protocol: str = "tcp"
    pid: int | None = None
    program: str = ""


@dataclass(frozen=True)
class Published:
    """One port of the host that a service is declared to publish."""

    service: str
    address: str
    port: int
    protocol: str = "tcp"


@dataclass(frozen=True)
class Machine:
    """What was measured; None where it could not be."""

    engine: str | None = None
    compose: str | None = None
    lacking: str = ""
    """What is missing of an engine, in words; empty where one answers."""
    root: str = ""
    free: float | None = None
    """Bytes free under the engine's root."""
    builds: bool = False
    """Whether images are still to be built."""
    available: float | None = None
    total: float | None = None
    machine_clock: float | None = None
    engine_clock: float | None = None
    asked_for: float = 0.0
    """Seconds that asking the engine for its time took."""
    dated: Mapping[str, float] = field(default_factory=dict)
    """What cannot be younger than now, and when it was made: seconds since 1970."""

    def as_json(self) -> dict[str, Any]:
        """The words of the evidence."""
        return asdict(self)


def finding(identifier: str, severity: str, summary: str, remedy: str, service: str | None = None) -> Finding:
    """A finding that stands at the machine."""
    return Finding(identifier, severity, HOST, None, service, summary, remedy)


def version_of(text: str) -> tuple[int, ...]:
    """The numbers that a version begins with: `v2.26.1-4` is 2, 26, 1."""
    match = re.match(r"v?(\d+(?:\.\d+)*)", text)
    return tuple(int(part) for part in match[1].split(".")) if match else ()


def engine(seen: Machine) -> Iterator[Finding]:
    """An engine must answer, with a Compose that speaks version 2, both young enough for what a run asks of them."""
    if seen.lacking:
        yield finding(
            "engine-missing", ERROR, seen.lacking, "Start or install Docker with Compose v2, or be let to it."
        )
    for name, told, oldest in (("engine", seen.engine, OLDEST_ENGINE), ("Compose", seen.compose, OLDEST_COMPOSE)):
        version = version_of(told or "")
        # Debian's own versions of development, and what has no number, are taken as new
        if version and version < oldest:
            least = ".".join(map(str, oldest))
            summary = f"{name} {told} is too old: it does not know health checks' start_interval"
            yield finding(f"{name.lower()}-too-old", ERROR, summary, f"Install {name} {least} or newer.")


def disk(seen: Machine) -> Iterator[Finding]:
    """There must be room for what a run writes; a first build needs more."""
    if seen.free is None:
        return
    need = FIRST_BUILD_GB if seen.builds else FLOOR_GB
    if seen.free < need * GB:
        why = "a first build needs" if seen.builds else "a run needs"
        summary = f"{seen.free / GB:.1f} GB are free under {seen.root}; {why} {need:g} GB"
        yield finding("disk-short", ERROR, summary, "Free some, `docker system prune` for a start.")
    elif seen.free < 2 * FLOOR_GB * GB:
        summary = f"{seen.free / GB:.1f} GB only are free under {seen.root}"
        yield finding("disk-low", WARNING, summary, "Free some before it is full.")


def size_of(value: Any) -> float:
    """A size as Compose writes it (`512M`, `1.5gb`, bytes) in bytes; 0 where it is none."""
    match = SIZE.match(str(value))
    if match is None:
        return 0.0
    return float(match["number"]) * 1024.0 ** " kmgt".index(match["unit"].lower() or " ")


def limits_of(config: Mapping[str, Any]) -> dict[str, float]:
    """Service -> bytes of memory that it may take, all its replicas together; those without a limit are left out."""
    found = {}
    for name, service in (config.get("services") or {}).items():
        deploy = service.get("deploy") or {}
        limit = ((deploy.get("resources") or {}).get("limits") or {}).get("memory") or service.get("mem_limit")
        replicas = deploy.get("replicas", service.get("scale", 1))
        if limit and size_of(limit):
            found[str(name)] = size_of(limit) * int(1 if replicas is None else replicas)
    return found


def memory(seen: Machine, limits: Mapping[str, float]) -> Iterator[Finding]:
    """What is available is compared with all that the services may take, else with a stated minimum."""
    if seen.available is None:
        return
    if seen.total is not None:
        for service, limit in sorted(limits.items()):
            if limit > seen.total:
                summary = f"{service} may take {limit / GB:.1f} GB; the machine has {seen.total / GB:.1f} GB"
                yield finding(
                    "memory-short", WARNING, summary, f"Lower the limit of {service}, or take a larger machine."
                )
    need = sum(limits.values()) or LEAST_MEMORY_GB * GB
    if seen.available < need:
        of = (
            f"the limits of {count(len(limits), 'service')} sum up to"
            if limits
            else "no service states a limit, and the minimum is"
        )
        summary = f"{seen.available / GB:.1f} GB of memory are available; {of} {need / GB:.1f} GB"
        yield finding("memory-low", WARNING, summary, "Stop what is not needed, or take a larger machine.")


def told_time(seconds: float) -> str:
    """A time as people read it, UTC."""
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M:%S} UTC"


def clock(seen: Machine) -> Iterator[Finding]:
    """The clock must agree with the engine's, and not be earlier than what was made before."""
    if seen.machine_clock is None:
        return
    if seen.engine_clock is not None:
        apart = abs(seen.machine_clock - seen.engine_clock) - seen.asked_for
        if apart > CLOCKS_APART:
            summary = f"the machine's clock and the engine's are {apart:.0f} s apart"
            yield finding(
                "clock-apart", WARNING, summary, "Set both by NTP: signatures and tokens are refused by their time."
            )
    for what, made in sorted(seen.dated.items(), key=lambda pair: -pair[1])[:1]:
        if seen.machine_clock < made - AUTHORS_APART:
            summary = f"the clock says {told_time(seen.machine_clock)}, but {what} was made {told_time(made)}"
            yield finding("clock-behind", WARNING, summary, "Set the machine's clock by NTP.")


def published(config: Mapping[str, Any]) -> tuple[Published, ...]:
    """The host ports that a configuration publishes, as Compose renders them; a range is each of its ports."""
    found = []
    for name, service in (config.get("services") or {}).items():
        for row in service.get("ports") or ():
            first, _, last = str(row.get("published") or "").partition("-")
            if not first.isdigit() or first == "0":
                continue
            ports = range(int(first), int(last if last.isdigit() else first) + 1)
            found += [
                Published(str(name), str(row.get("host_ip") or ""), port, str(row.get("protocol") or "tcp"))
                for port in ports
            ]
    return tuple(found)


def _meets(one: str, other: str) -> bool:
    """Whether two addresses of one port cannot both be listened on."""
    return one in EVERYWHERE or other in EVERYWHERE or one.strip("[]") == other.strip("[]")


def containers_on(port: Published, told: Mapping[str, str]) -> list[str]:
    """The containers that publish this port, by the engine's own list (name -> ports as `docker ps` writes them)."""
    return [
        name
        for name, text in sorted(told.items())
        for part in text.split(", ")
        if part.endswith(f"/{port.protocol}")
        and (match := PUBLISHED.match(part))
        and int(match["first"]) <= port.port <= int(match["last"] or match["first"])
        and _meets(port.address, match["address"])
    ]


def holder(port: Published, listeners: Iterable[Listener], containers: Mapping[str, str]) -> str:
    """Who holds a port, in words; empty where it is free."""
    named = list(dict.fromkeys(containers_on(port, containers)))
    if named:
        return f"the container {', '.join(named)}"
    for one in listeners:
        if one.port == port.port and one.protocol == port.protocol and _meets(port.address, one.address):
            if one.pid is None:
                return "a process that this user may not see"
            return f"{one.program or 'a process'} (pid {one.pid})"
    return ""


def ports(
    wanted: Iterable[Published], listeners: Iterable[Listener], containers: Mapping[str, str]
) -> Iterator[Finding]:
    """Every declared port must be free for the deployment to be started as declared; a run of the gate takes others."""
    seen, listening = list(wanted), list(listeners)
    for place, port in enumerate(seen):
        by = holder(port, listening, containers)
        if by:
            summary = f"port {port.port} of {port.service} is held by {by}"
            remedy = f"Stop it, or publish another port; `verify` takes a free one unless an overlay names {port.port}."
            yield finding("port-held", WARNING, summary, remedy, port.service)
        for other in seen[:place]:
            same = other.port == port.port and other.protocol == port.protocol and other.service != port.service
            if same and _meets(other.address, port.address):
                summary = f"{other.service} and {port.service} both publish port {port.port}"
                yield finding("port-twice", WARNING, summary, "Publish one of them on another port.", port.service)


def findings(seen: Machine, config: Mapping[str, Any]) -> tuple[Finding, ...]:
    """All that the numbers say, but for ports."""
    return (*engine(seen), *disk(seen), *memory(seen, limits_of(config)), *clock(seen))


def looked_at(seen: Machine, config: Mapping[str, Any]) -> list[str]:
    """What was measured, a line each, for a person who asks what the silence rests on."""
    lines = [f"engine: {seen.engine}, Compose {seen.compose}"] if seen.engine else []
    if seen.free is not None:
        lines.append(f"disk: {seen.free / GB:.1f} GB free under {seen.root}")
    if seen.available is not None:
        limits = limits_of(config)
        against = f"{sum(limits.values()) / GB:.1f} GB of limits" if limits else f"a minimum of {LEAST_MEMORY_GB:g} GB"
        lines.append(f"memory: {seen.available / GB:.1f} GB available, against {against}")
    compared = ["the engine's"] if seen.engine_clock is not None else []
    compared += sorted(seen.dated)
    if seen.machine_clock is not None:
        lines.append(f"clock: {told_time(seen.machine_clock)}, compared with {', '.join(compared) or 'nothing'}")
    return lines
