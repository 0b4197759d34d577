"""Rules about the way from a caller to what it calls: names, ports, and who answers there."""

import re
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from reports.causes import Confidence, Diagnosis, diagnosis
from reports.rules.seen import Rule, Rung, Seen, closest
from reports.wiring import AWS, Kind, environment_of, is_loopback, settings_of

SERVICE_WORDS = {
    Kind.DATABASE: "a PostgreSQL database",
    Kind.STORE: "an S3 object store",
    Kind.QUEUE: "a Redis",
    Kind.TRACKING: "an MLflow server",
    Kind.HTTP: "an HTTP service",
}
DEFAULT_PORTS = {Kind.DATABASE: 5432, Kind.QUEUE: 6379, Kind.STORE: 9000, Kind.TRACKING: 5000}


def _kind(rung: Rung) -> str:
    return str(rung.link.get("kind") or "")


def wanted_host(seen: Seen, rung: Rung) -> str:
    """The service that a caller means: the one that others call for the same, else that role's, else the like-named."""
    host, kind = str(rung.link.get("host") or ""), _kind(rung)
    used = [link.target for link in seen.links if link.kind == kind and link.target]
    by_role = seen.of_role(kind)
    return closest(host, list(seen.services)) or next(iter(used), None) or by_role or ""


def port_of(seen: Seen, rung: Rung) -> int | None:
    """The port on which a target is meant to be called: other callers', else the one that listens, else the usual one."""
    others = [link.port for link in seen.links if link.target == rung.target and link.caller != rung.position]
    listening = [port for port in ports_of(seen, rung.target) if port != rung.link.get("port")]
    usual = DEFAULT_PORTS.get(Kind(_kind(rung))) if _kind(rung) in {str(kind) for kind in DEFAULT_PORTS} else None
    if usual in listening:
        return usual
    return next((port for port in [*others, *listening, usual] if port), None)


def listening(seen: Seen, service: str | None) -> list[Mapping[str, Any]]:
    """What listens in a service's network namespace, as the kernel's table said."""
    looks = [rung for rung in seen.rungs if rung.name == "ports.listening" and rung.position == service and rung.ok]
    return list(looks[-1].facts.get("listening") or ()) if looks else []


def ports_of(seen: Seen, service: str | None) -> list[int]:
    """The ports that a service opens to others."""
    return [int(row["port"]) for row in listening(seen, service) if not is_loopback(str(row["address"]))]


def _look(seen: Seen, service: str | None) -> tuple[int, ...]:
    return tuple(rung.seq for rung in seen.rungs if rung.name == "ports.listening" and rung.position == service)


def patch_of(seen: Seen, service: str, setting: str, old: str, new: str) -> dict[str, Any] | None:
    """A compose overlay that changes part of a setting; None where the value is not a plain one or holds a secret."""
    value = seen.environment(service).get(setting, "")
    if not new or old not in value or "[redacted]" in value:
        return None
    return {"services": {service: {"environment": {setting: value.replace(old, new, 1)}}}}


def endpoint_is_missing(seen: Seen) -> Iterator[Diagnosis]:
    """A caller with a store of its own in the deployment names no endpoint, so that its client goes to Amazon's."""
    for rung in (rung for rung in seen.rungs if rung.name == "name.resolve"):
        own = [link for link in seen.links if link.kind is Kind.STORE and link.host != AWS]
        if rung.link.get("host") != AWS or not own:
            continue
        if held := seen.setting(rung.position, rung.setting):
            told = {"setting": rung.setting, "reason": "it is no address of the form http://host:port"}
            mended = {"services": {rung.position: {"environment": {rung.setting: f"http://{held}"}}}}
            patched = None if "://" in held else mended
            yield diagnosis("setting-invalid", rung.position, evidence=(rung.seq,), parameters=told, patch=patched)
            continue
        value = seen.environment(own[0].caller).get(own[0].setting, "")
        patch = {"services": {rung.position: {"environment": {own[0].setting: value}}}} if value else None
        given = {"setting": own[0].setting, "host": AWS}
        yield diagnosis("endpoint-missing", rung.position, evidence=(rung.seq,), parameters=given, patch=patch)


PROXY = re.compile(r"(?i)^(?:https?|all)_proxy$")
"""Settings by which programs send their calls through a proxy."""


def way_out_is_wrong(seen: Seen) -> Iterator[Diagnosis]:
    """A caller is told to send its calls through a proxy that is not there."""
    for rung in seen.broken("name.resolve", "port.open"):
        if PROXY.match(rung.setting):
            given = {"setting": rung.setting, "host": f"{rung.link.get('host')}:{rung.link.get('port')}"}
            yield diagnosis("outbound-proxy-wrong", rung.position, evidence=(rung.seq,), parameters=given)


def container_is_off_its_network(seen: Seen) -> Iterator[Diagnosis]:
    """A service runs, shares a network with its caller by definition, and has no address in any."""
    for rung in seen.broken("name.resolve"):
        state = seen.containers.get(rung.target or "")
        if state is None or rung.code != "host-unknown" or not _share_network(seen, rung.position, str(rung.target)):
            continue
        if state.status == "running" and state.seen.get("addresses") == []:
            given = {"target": rung.position, "host": rung.link.get("host")}
            yield diagnosis("networks-disjoint", str(rung.target), evidence=(rung.seq, state.seq), parameters=given)


def host_is_unknown(seen: Seen) -> Iterator[Diagnosis]:
    """A name that a setting holds leads nowhere from where it is asked."""
    for rung in seen.broken("name.resolve"):
        if rung.code != "host-unknown" or PROXY.match(rung.setting):
            continue
        host = str(rung.link.get("host") or "")
        if host == AWS and any(link.host != AWS for link in seen.links if link.kind is Kind.STORE):
            continue
        if rung.target is None or _is_known_elsewhere(seen, rung):
            wanted = rung.target or wanted_host(seen, rung)
            patch = patch_of(seen, rung.position, rung.setting, host, wanted)
            given = {"setting": rung.setting, "host": host, "wanted": wanted or "the name of the service that is meant"}
            yield diagnosis("host-unknown", rung.position, evidence=(rung.seq,), parameters=given, patch=patch)
        elif not _share_network(seen, rung.position, rung.target):
            lonely = _lonely(seen, rung)
            other = rung.target if lonely == rung.position else rung.position
            given = {"target": other, "host": host}
            yield diagnosis("networks-disjoint", lonely, evidence=(rung.seq,), parameters=given)


def no_name_is_known(seen: Seen) -> Iterator[Diagnosis]:
    """A service knows none of several running services by name, with which it shares a network: its own resolver is wrong."""
    for position in seen.services:
        asked = [
            rung for rung in seen.rungs if rung.name == "name.resolve" and rung.position == position and rung.target
        ]
        lost = {str(rung.target): rung for rung in asked if rung.code == "host-unknown" and _is_there(seen, rung)}
        if len(lost) < 2 or any(rung.ok for rung in asked):
            continue
        hosts = ", ".join(sorted(str(rung.link.get("host")) for rung in lost.values()))
        given = {
            "setting": "/etc/resolv.conf",
            "host": f"a resolver that knows none of {hosts}",
            "wanted": "the engine's own resolver (127.0.0.11), and take away what changes it",
        }
        cited = tuple(rung.seq for rung in lost.values())
        yield diagnosis("host-unknown", position, evidence=cited, parameters=given)


def _is_there(seen: Seen, rung: Rung) -> bool:
    """Whether the service that is asked runs, in a network of its caller's."""
    return _runs(seen, str(rung.target)) and _share_network(seen, rung.position, str(rung.target))


def _runs(seen: Seen, service: str) -> bool:
    """Whether a service runs and has an address."""
    state = seen.containers.get(service)
    return state is not None and state.status == "running" and bool(state.seen.get("addresses"))


def _is_known_elsewhere(seen: Seen, rung: Rung) -> bool:
    """Whether a service runs in a network of its caller's, and bears the name by which it is asked in none of those."""
    name, host = str(rung.target), str(rung.link.get("host") or "")
    service = seen.service(name)
    shared = _networks(seen, rung.position) & _networks(seen, name)
    rows = service.get("networks") or {}
    known = {name, service.get("container_name")} | {
        alias for key in shared for alias in (rows.get(key) or {}).get("aliases") or ()
    }
    # while a deployment starts only the engine's events tell of it
    unseen = name not in seen.containers
    runs = _runs(seen, name) or (unseen and bool(seen.events_of(name, "start")) and not seen.events_of(name, "die"))
    return bool(shared) and runs and host not in known


def _networks(seen: Seen, service: str) -> frozenset[str]:
    own = seen.service(service)
    # what is put into the engine's own networks is in none of the deployment's
    beside = {f"network_mode: {own['network_mode']}": None} if own.get("network_mode") else {"default": None}
    return frozenset(own.get("networks") or beside)


def _share_network(seen: Seen, one: str, other: str) -> bool:
    return bool(_networks(seen, one) & _networks(seen, other))


def _lonely(seen: Seen, rung: Rung) -> str:
    """Of two services without a common network the one that most callers cannot reach, else the one that shares with fewer others; in a tie the caller.

    Where the other services have no network that all of them are on, being with few is the order, and the caller has yet to join.
    """
    callers = {link.caller for link in seen.links if link.target == rung.target}
    near = sum(_share_network(seen, name, str(rung.target)) for name in callers)
    others = [_networks(seen, name) for name in seen.services if name != rung.target and not seen.is_ours(name)]
    if near * 2 >= len(callers) or not frozenset.intersection(*others):
        return rung.position
    company = {
        name: sum(_share_network(seen, name, other) for other in seen.services if other != name)
        for name in (rung.position, str(rung.target))
    }
    return str(rung.target) if company[str(rung.target)] < company[rung.position] else rung.position


def port_is_closed(seen: Seen) -> Iterator[Diagnosis]:
    """A connection is refused; what listens at the other end tells whose mistake it is."""
    for rung in seen.broken("port.open"):
        if rung.code != "refused" or PROXY.match(rung.setting):
            continue
        host, port = str(rung.link.get("host") or ""), int(rung.link.get("port") or 0)
        given: dict[str, Any] = {"setting": rung.setting, "host": host, "port": port, "mismatch": "nothing listens"}
        cited = (rung.seq, *_look(seen, rung.target))
        if rung.target is None:
            yield from _outside(seen, rung, given)
            continue
        led = _resolved(seen, rung)
        if rung.target == rung.position or (led and _is_own(seen, rung.position, led)):
            yield _own(seen, rung, given)
            continue
        if led and (all(map(is_loopback, led)) or _is_pinned(seen, rung, led)):
            yield _astray(rung, given, led)
            continue
        there = [row for row in listening(seen, rung.target) if row["port"] == port]
        if there and all(is_loopback(str(row["address"])) for row in there):
            yield diagnosis("listens-on-loopback", rung.target, evidence=cited, parameters={"port": port})
            continue
        wanted = port_of(seen, rung)
        others = [link for link in seen.links if link.target == rung.target and link.caller != rung.position]
        agreed = any(link.port == port for link in others)
        if ports_of(seen, rung.target) and not agreed and wanted != port:
            patch = patch_of(seen, rung.position, rung.setting, f"{host}:{port}", f"{host}:{wanted}")
            yield diagnosis(
                "port-wrong", rung.position, evidence=cited, parameters={**given, "wanted": wanted}, patch=patch
            )
        elif moved := _moved(seen, rung.target):
            at = {"setting": moved[0], "host": "its own", "port": moved[1], "mismatch": f"its callers ask {port}"}
            patch = {"services": {rung.target: {"environment": {moved[0]: str(port)}}}}
            patch = patch if moved[0] in environment_of(seen.services[rung.target]) else None
            yield diagnosis("port-wrong", rung.target, evidence=cited, parameters={**at, "wanted": port}, patch=patch)
        else:
            # that nothing is open is seen, why it is not is not known; another port that is open, or a program that calls itself up, tells more
            says_so = any(UP.search(line) for line in seen.log(rung.target)[0])
            sure = Confidence.LIKELY if says_so else Confidence.UNKNOWN
            sure = Confidence.PROVEN if ports_of(seen, rung.target) else sure
            yield diagnosis("not-listening", rung.target, evidence=cited, parameters=given, confidence=sure)


UP = re.compile(r"(?i)ready to accept connections|(?:listening|running|serving) (?:on|at)\b|startup complete")
"""What servers say when they have come up."""


def _moved(seen: Seen, service: str) -> tuple[str, int] | None:
    """The setting by which a service was told to open the port that it has open, and that port."""
    named = settings_of(seen.service(service)).items()
    opened = {str(port) for port in ports_of(seen, service)}
    return next(((name, int(value)) for (_, name), value in named if "port" in name.lower() and value in opened), None)


def _resolved(seen: Seen, rung: Rung) -> frozenset[str]:
    """The addresses to which the host of a rung was resolved from the same place."""
    asked = (rung.position, rung.link.get("host"))
    return frozenset(
        str(address)
        for one in seen.rungs
        if one.name == "name.resolve" and one.ok and (one.position, one.link.get("host")) == asked
        for address in one.facts.get("addresses") or ()
    )


def _is_pinned(seen: Seen, rung: Rung, led: Collection[str]) -> bool:
    """Whether a line of the caller's own hosts file leads a service's name to addresses that the service does not have."""
    lines = seen.service(rung.position).get("extra_hosts") or ()
    named = [line for line in lines if re.match(rf"{re.escape(str(rung.link.get('host')))}[:=]", str(line))]
    state = seen.containers.get(str(rung.target))
    return bool(named) and state is not None and not set(led) & set(state.seen.get("addresses") or ())


def _is_own(seen: Seen, service: str, led: Collection[str]) -> bool:
    """Whether addresses are a service's own in its networks."""
    state = seen.containers.get(service)
    return set(led) <= set((state.seen.get("addresses") or ()) if state else ())


def _own(seen: Seen, rung: Rung, given: Mapping[str, Any]) -> Diagnosis:
    """A service bears, as its host's name, the name of another that it asks: there the name is its own."""
    host = str(given["host"])
    is_named = str(seen.service(rung.position).get("hostname") or "") == host
    wanted = (
        f"the service {host}, which needs that name for itself" if host in seen.services else wanted_host(seen, rung)
    )
    patch = {"services": {rung.position: {"hostname": rung.position}}} if is_named else None
    found = {**given, "setting": "hostname" if is_named else rung.setting, "wanted": wanted}
    return diagnosis("points-at-itself", rung.position, evidence=(rung.seq,), parameters=found, patch=patch)


def _astray(rung: Rung, given: Mapping[str, Any], led: Collection[str]) -> Diagnosis:
    """A service's name leads a caller elsewhere: by a line of the caller's hosts file, or by its name server."""
    found = {**given, "setting": "extra_hosts", "wanted": "the service's own address, or take that line out"}
    found["service"] = rung.position
    cause = "points-at-itself" if all(map(is_loopback, led)) else "not-the-service"
    return diagnosis(cause, rung.position, evidence=(rung.seq,), parameters=found)


def _outside(seen: Seen, rung: Rung, given: dict[str, Any]) -> Iterator[Diagnosis]:
    """A refused address that is no service of the deployment; the loopback is the caller itself."""
    if is_loopback(str(given["host"])):
        wanted = wanted_host(seen, rung)
        patch = patch_of(seen, rung.position, rung.setting, str(given["host"]), wanted)
        found = {**given, "wanted": wanted or "the name of the service that is meant"}
        yield diagnosis("points-at-itself", rung.position, evidence=(rung.seq,), parameters=found, patch=patch)
    else:
        yield diagnosis(
            "port-wrong", rung.position, evidence=(rung.seq,), parameters=given, confidence=Confidence.LIKELY
        )


def port_is_silent(seen: Seen) -> Iterator[Diagnosis]:
    """Packets to an address are lost on the way, or nothing takes them."""
    for rung in seen.broken("port.open"):
        if rung.code in {"silent", "unreachable"} and not (
            rung.target and seen.containers.get(rung.target) and seen.containers[rung.target].status == "paused"
        ):
            given = {"setting": rung.setting, "host": rung.link.get("host"), "port": rung.link.get("port")}
            component = seen.odd_one(rung) if rung.target else rung.position
            yield diagnosis(
                "port-silent", component, evidence=(rung.seq,), parameters={**given, "service": rung.position}
            )


def another_answers(seen: Seen) -> Iterator[Diagnosis]:
    """The address is alive, but what answers speaks another protocol than the caller's setting means."""
    names = ("database.login", "queue.login", "queue.write", "store.bucket", "tracking.read", "http.get")
    for rung in seen.broken(*names):
        if rung.code == "not-the-service":
            kind = _kind(rung)
            words = SERVICE_WORDS[Kind(kind)] if kind else "what is meant"
            given = {
                "setting": rung.setting,
                "host": rung.link.get("host"),
                "port": rung.link.get("port"),
                "wanted": words,
            }
            yield diagnosis("not-the-service", rung.position, evidence=(rung.seq,), parameters=given)


def secured_otherwise(seen: Seen) -> Iterator[Diagnosis]:
    """One side speaks TLS and the other does not, or the caller does not trust the certificate that it is shown."""
    for rung in seen.broken("database.login", "queue.login", "store.bucket", "tracking.read", "http.get"):
        if rung.code == "tls":
            cause = "certificate-untrusted" if "CERTIFICATE_VERIFY_FAILED" in rung.message.upper() else "tls-not-spoken"
            given = {
                "setting": rung.setting,
                "host": rung.link.get("host"),
                "port": rung.link.get("port"),
                "reason": rung.message[:160],
            }
            patch = (
                patch_of(seen, rung.position, rung.setting, "https://", "http://")
                if cause == "tls-not-spoken"
                else None
            )
            # one caller of many may lack an authority; what all of them distrust is the certificate
            odd = seen.odd_one(rung) if cause == "certificate-untrusted" else rung.position
            if odd != rung.position:
                given["service"] = "every service that asks it"
            yield diagnosis(cause, odd, evidence=(rung.seq,), parameters=given, patch=patch)


def _climbed(seen: Seen) -> bool:
    return any(not rung.ok for rung in seen.rungs)


RULES = (
    Rule("an endpoint is missing", ("rung", "compose"), lambda seen: seen.rungs, endpoint_is_missing),
    Rule("the way out is wrong", ("rung",), _climbed, way_out_is_wrong),
    Rule("a container is off its network", ("rung",), _climbed, container_is_off_its_network),
    Rule("a host is unknown", ("rung", "compose"), _climbed, host_is_unknown),
    Rule("no name is known", ("rung", "compose"), _climbed, no_name_is_known),
    Rule("a port is closed", ("rung", "compose"), _climbed, port_is_closed),
    Rule("a port is silent", ("rung",), _climbed, port_is_silent),
    Rule("another service answers", ("rung",), _climbed, another_answers),
    Rule("one side speaks TLS", ("rung",), _climbed, secured_otherwise),
)
