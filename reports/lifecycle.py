"""Services that did not come up or did not stay: what was seen of each, told in words."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from reports.evidence import Bundle, Event, lines_of
from reports.wiring import jobs_of, stated_role

LAST_LINES = 10
# The harness's own services: their loss says nothing about the release.
_OURS = frozenset({"sink", "gate", "external"})


@dataclass(frozen=True)
class Loss:
    """One service that is not there: what was seen of it, in full, and the events that show it."""

    service: str
    told: str
    evidence: tuple[int, ...]


def failed_start(bundle: Bundle) -> Event | None:
    """The event of a start that failed, or None."""
    start = bundle.last("start")
    return start if start is not None and not start.response["ok"] else None


def _roles(bundle: Bundle) -> dict[str, str]:
    """Service -> role: as the target was read, else as far as the rendered definition tells."""
    compose = bundle.last("compose", "rendered")
    services: Mapping[str, Mapping[str, Any]] = (compose.response.get("services") or {}) if compose else {}
    roles = dict.fromkeys(jobs_of({"services": services}), "job")
    roles |= {name: role for name, service in services.items() if (role := stated_role(service))}
    target = bundle.last("target")
    seen: Mapping[str, Mapping[str, Any]] = target.response["services"] if target else {}
    return roles | {name: str(service.get("role") or "other") for name, service in seen.items()}


def _is_lost(event: Event, role: str) -> bool:
    """Whether a container's state, or its death, is a loss; a job that ended well has done its work."""
    seen = event.response
    if role == "job" and (event.kind == "event" or seen.get("status") == "exited"):
        return bool(seen.get("exit_code"))
    if event.kind == "event":
        return True
    return bool(seen.get("status") != "running" or seen.get("health") == "unhealthy")


def _state(seen: Mapping[str, Any]) -> str:
    words = [str(seen.get("status") or seen.get("state") or "gone")]
    if seen.get("exit_code") is not None and words[0] != "running":
        words.append(f"exit code {seen['exit_code']}")
    if seen.get("oom_killed"):
        words.append("killed for memory")
    if seen.get("health") not in {None, "none"}:
        words.append(f"health {seen['health']}")
    return ", ".join(words)


def _last_lines(log: Event | None) -> list[str]:
    tail = lines_of(log) if log else ()
    return [f"  | {line}" for line in tail[-LAST_LINES:]]


def _health_lines(container: Mapping[str, Any]) -> list[str]:
    entries: Iterable[Mapping[str, Any]] = container.get("health_log") or ()
    return [f"  health: exit {entry.get('exit')}: {' '.join(str(entry.get('output')).split())}" for entry in entries][
        -3:
    ]


def _loss(bundle: Bundle, service: str, container: Event | None, reason: str, cited: Iterable[int]) -> Loss:
    seen: Mapping[str, Any] = container.response if container else {}
    log = bundle.last("log", service)
    head = f"{service} {_state(seen)}" if seen else service
    lines = [f"{head}: {reason}" if reason else head, *_last_lines(log), *_health_lines(seen)]
    seqs = {*cited, *(event.seq for event in (container, log) if event is not None)}
    return Loss(service, "\n".join(lines), tuple(sorted(seqs)))


def _start_losses(bundle: Bundle, start: Event) -> list[Loss]:
    failed: Mapping[str, Mapping[str, Any]] = start.response.get("failed") or {}
    found = []
    for service, seen in sorted(failed.items()):
        container = bundle.last("container", service)
        reason = str(seen.get("reason") or "")
        if container is None:
            reason = ", ".join(part for part in (_state(seen), reason) if part)
        found.append(_loss(bundle, service, container, reason, (start.seq,)))
    never = sorted(start.response.get("never_started") or ())
    if never and found:
        first = found[0]
        found[0] = Loss(first.service, f"{first.told}\n  never started: {', '.join(never)}", first.evidence)
    if not found:
        error = str(start.response.get("compose_error") or "").strip() or "the services did not come up in time"
        found.append(Loss("", error, (start.seq,)))
    return found


def _deaths(bundle: Bundle) -> list[Event]:
    """Deaths that the harness did not bring about, after the start and before the services were taken down."""
    start = bundle.last("start")
    ends = [event.seq for event in bundle.of("container") if _moment(event) == "end"]
    last = min(ends, default=len(bundle.events) + 1)
    return [
        event
        for event in bundle.of("event")
        if start is not None
        and start.seq < event.seq < last
        and event.response.get("action") == "die"
        and not event.response.get("expected")
    ]


def _moment(event: Event) -> str:
    return str((event.request or {}).get("moment") or "")


def _speaking(bundle: Bundle, *, started: bool) -> list[Event]:
    """The events that may show a loss; after a failed start, what had not begun yet is no loss of its own."""
    states = [event for event in bundle.of("container") if _moment(event) in {"died", "end"}]
    if not started:
        states = [event for event in states if event.response.get("status") not in {"created", "absent"}]
    return [*states, *_deaths(bundle)]


def losses(bundle: Bundle) -> tuple[Loss, ...]:
    """Every service lost, by the start that failed, its own container's state or its death; each told once."""
    start = failed_start(bundle)
    found = _start_losses(bundle, start) if start else []
    known = {loss.service for loss in found}
    roles = _roles(bundle)
    for event in _speaking(bundle, started=start is None):
        role = roles.get(event.subject, "other")
        if event.subject in known or role in _OURS or not _is_lost(event, role):
            continue
        known.add(event.subject)
        if event.kind == "event":
            reason = f"died during the run, exit code {event.response.get('exit_code')}"
            container = bundle.last("container", event.subject)
        else:
            reason, container = str(event.response.get("error") or ""), event
        found.append(_loss(bundle, event.subject, container, reason, (event.seq,)))
    return tuple(found)
