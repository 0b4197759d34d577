"""Which rung comes next: from the ground up, a dependency at a time, no further on one that is broken."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from reports.graph import graph_of
from reports.wiring import AWS, PORTS, Kind, Link, links_of

RUNGS: dict[Kind, tuple[str, ...]] = {
    Kind.DATABASE: ("database.login", "database.rights", "database.schema", "database.rows"),
    Kind.STORE: ("store.bucket", "store.objects"),
    Kind.QUEUE: ("queue.login", "queue.write", "queue.keys"),
    Kind.TRACKING: (
        "tracking.read",
        "tracking.routes",
        "tracking.write",
        "tracking.large",
        "tracking.artifacts",
        "tracking.experiment",
    ),
    Kind.HTTP: ("http.get",),
}
"""What is asked of each kind once its name and its port are known to answer, lowest first."""

ORDER = (Kind.DATABASE, Kind.STORE, Kind.QUEUE, Kind.TRACKING, Kind.HTTP)
HARNESS = "airworthy.harness"
SINK_PORT = 8091
"""Where the harness's own sink listens."""

GONE = frozenset({"exited", "dead", "paused", "created", "absent", "restarting", "removing"})


@dataclass(frozen=True)
class Step:
    """One rung to climb: its name, from which service's position, about what, with which arguments."""

    name: str
    position: str
    about: str
    args: Mapping[str, Any]
    link: Link | None = None

    @property
    def key(self) -> tuple[str, str, str, str]:
        """What makes two steps the same."""
        setting = f"{self.link.setting}{self.link.past}" if self.link else str(self.args.get("module", ""))
        return self.name, self.position, self.about, setting


@dataclass(frozen=True)
class Climbed:
    """A rung that was climbed, and how it ended; `code` says how it broke."""

    step: Step
    ok: bool
    code: str = ""


@dataclass(frozen=True)
class Scene:
    """What is known before climbing: the rendered configuration, containers' states, modules that a log misses."""

    config: Mapping[str, Any]
    states: Mapping[str, str] = field(default_factory=dict)
    ended_well: frozenset[str] = frozenset()
    missing_modules: Mapping[str, str] = field(default_factory=dict)
    roles: Mapping[str, str] = field(default_factory=dict)
    """Service -> role: which service is the real thing, where a caller is led to one that stands before it."""

    only: frozenset[str] | None = None
    """The callers that are asked about; None for all."""

    ill: frozenset[str] = frozenset()
    """Services that run and are not well by their own health check: asked themselves what they answer."""

    def is_gone(self, service: str | None) -> bool:
        """Whether a service is known not to run: asking for it would say nothing new."""
        return service is not None and self.states.get(service, "running") in GONE


def ordered(scene: Scene) -> tuple[Link, ...]:
    """The links to climb: callers from the ground up, and of each caller what it needs first."""
    place = {name: at for at, name in enumerate(graph_of(scene.config).order)}
    wanted = [
        link
        for link in links_of(scene.config)
        if link.caller not in scene.ended_well and (scene.only is None or link.caller in scene.only)
    ]
    return tuple(sorted(wanted, key=lambda link: (place[link.caller], ORDER.index(link.kind), link.setting)))


def past(link: Link, scene: Scene) -> Link | None:
    """The way past what stands between a caller and the service that it means; None where nothing does, or none is known."""
    kind = str(link.kind)
    role = scene.roles.get(link.target or "")
    # a service of a role of its own is no proxy: whoever asks it for another's things is wrong
    if link.target is None or link.kind not in PORTS or role in {None, kind, "registry", "job", *map(str, Kind)}:
        return None
    meant = [name for name, role in scene.roles.items() if role == kind]
    if len(meant) != 1:
        return None
    known = [other.port for other in links_of(scene.config) if other.target == meant[0]]
    port = next(iter(known), PORTS[link.kind])
    return replace(link, host=meant[0], port=port, target=meant[0], past=link.target)


def _arguments(link: Link) -> dict[str, Any]:
    given: dict[str, Any] = {
        "host": link.host,
        "port": link.port,
        **{part: dict(ref) for part, ref in link.reads.items()},
    }
    if link.kind is Kind.STORE and link.says.get("bucket"):
        given["bucket"] = {"is": link.says["bucket"]}
    if link.past and link.kind in {Kind.STORE, Kind.TRACKING}:
        given["endpoint" if link.kind is Kind.STORE else "url"] = {"is": f"http://{link.host}:{link.port}"}
    return given


def _steps(link: Link) -> tuple[Step, ...]:
    # Amazon's own address stands for an endpoint that is not set: nothing of this deployment is there to be asked
    names = ("name.resolve",) if link.host == AWS else ("name.resolve", "port.open", *RUNGS[link.kind])
    if link.kind is Kind.STORE and link.host != AWS and not link.says.get("bucket"):
        names = names[:-1]
    return tuple(Step(name, link.caller, link.about, _arguments(link), link) for name in names)


def _listening(target: str) -> Step:
    return Step("ports.listening", target, target, {})


def next_rung(scene: Scene, climbed: Sequence[Climbed]) -> Step | None:
    """The next rung, or None when there is nothing more to ask; pure: the same climb goes on in the same way."""
    done = {one.step.key: one for one in climbed}
    for service, module in sorted(scene.missing_modules.items()):
        step = Step("image.module", service, service, {"module": module})
        if step.key not in done:
            return step
    following = (_next_of(way, scene, done) for link in ordered(scene) for way in _ways(link, scene, done))
    asides = (step for step in _asides(scene, done) if step.key not in done)
    return next((step for step in following if step is not None), None) or next(asides, None)


WORKING = ("tracking", "registry")
"""Roles whose services write files where they work."""

KEEPING = ("database", "object-store")
"""Roles whose services keep data in folders of their own, and answer for them with errors of many words."""

HOOK = re.compile(r"(?i)hook|callback")
"""What a setting is called that says where announcements are sent."""


def _asides(scene: Scene, done: Mapping[tuple[str, str, str, str], Climbed]) -> Iterator[Step]:
    """What is asked of a service itself where it is not well, and of what stands between a webhook and its receiver."""
    for name in sorted(scene.ill):
        yield Step("service.answers", name, name, {})
    for name, role in sorted(scene.roles.items()):
        if role in WORKING and scene.states.get(name) == "running":
            yield Step("place.write", name, name, {})
    refusing = {one.step.link.target for one in done.values() if one.step.link and not one.ok}
    for name, role in sorted(scene.roles.items()):
        folders = folders_of((scene.config.get("services") or {}).get(name) or {})
        if role in KEEPING and name in refusing and folders and scene.states.get(name) == "running":
            yield Step("data.write", name, name, {"folders": folders})
    for link in ordered(scene):
        log = _log_behind(link, scene)
        reached = any(one.ok and one.step.link == link and one.step.name == "port.open" for one in done.values())
        if log and reached and HOOK.search(link.setting):
            yield Step("webhook.relay", link.caller, link.about, {**_arguments(link), "log": {"is": log}}, link)


def folders_of(service: Mapping[str, Any]) -> list[str]:
    """The folders of a service that hold more than its container: mounts that it may write to."""
    mounts = [row for row in service.get("volumes") or () if isinstance(row, Mapping)]
    kept = [str(row["target"]) for row in mounts if row.get("type") != "bind" and not row.get("read_only")]
    tmpfs = service.get("tmpfs") or ()
    return kept + [str(word).partition(":")[0] for word in ([tmpfs] if isinstance(tmpfs, str) else tmpfs)]


def _log_behind(link: Link, scene: Scene) -> str:
    """The log of the harness's sink, where a link leads to it through another service of the deployment; else empty."""
    services: Mapping[str, Mapping[str, Any]] = scene.config.get("services") or {}
    labels = {name: row.get("labels") or {} for name, row in services.items()}
    ours = {name for name, row in labels.items() if isinstance(row, Mapping) and HARNESS in row}
    sinks = [name for name in sorted(ours) if labels[name].get("airworthy.role") == "sink"]
    between = link.kind is Kind.HTTP and link.target is not None and link.target not in ours
    return f"http://{sinks[0]}:{SINK_PORT}/_log" if between and sinks else ""


def _ways(link: Link, scene: Scene, done: Mapping[tuple[str, str, str, str], Climbed]) -> Iterator[Link]:
    """The way that the settings name and, where it is broken beyond a service between, the way past that one."""
    yield link
    around = past(link, scene)
    if around is not None and any(step.key in done and not done[step.key].ok for step in _steps(link)):
        yield around


def _next_of(link: Link, scene: Scene, done: Mapping[tuple[str, str, str, str], Climbed]) -> Step | None:
    # a service that is known to be gone is named by its state; one that only seems gone is asked
    if scene.is_gone(link.target):
        return None
    for step in _steps(link):
        seen = done.get(step.key)
        if seen is None:
            return step
        if not seen.ok:
            needs_look = link.target is not None and step.name == "port.open"
            look = _listening(link.target) if needs_look and link.target else None
            return look if look and look.key not in done else None
    return None
