"""Which rung comes next: from the ground up, a dependency at a time, no further on one that is broken."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from reports.graph import graph_of
from reports.wiring import AWS, Kind, Link, links_of

RUNGS: dict[Kind, tuple[str, ...]] = {
    Kind.DATABASE: ("database.login", "database.rights", "database.schema"),
    Kind.STORE: ("store.bucket", "store.objects"),
    Kind.QUEUE: ("queue.login", "queue.write"),
    Kind.TRACKING: ("tracking.read", "tracking.write", "tracking.large", "tracking.artifacts"),
    Kind.HTTP: ("http.get",),
}
"""What is asked of each kind once its name and its port are known to answer, lowest first."""

ORDER = (Kind.DATABASE, Kind.STORE, Kind.QUEUE, Kind.TRACKING, Kind.HTTP)
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
        setting = self.link.setting if self.link else str(self.args.get("module", ""))
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
    only: frozenset[str] | None = None
    """The callers that are asked about; None for all."""

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


def _arguments(link: Link) -> dict[str, Any]:
    given: dict[str, Any] = {
        "host": link.host,
        "port": link.port,
        **{part: dict(ref) for part, ref in link.reads.items()},
    }
    if link.kind is Kind.STORE and link.says.get("bucket"):
        given["bucket"] = {"is": link.says["bucket"]}
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
    following = (_next_of(link, scene, done) for link in ordered(scene))
    return next((step for step in following if step is not None), None)


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
