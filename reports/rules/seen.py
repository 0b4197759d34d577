"""What a run saw, arranged for the rules: containers, logs, rungs, settings, failed checks and the facts they stated."""

import difflib
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from typing import Any

from reports.causes import ROLE_LAYER, Confidence, Diagnosis, diagnosis
from reports.evidence import Bundle, Event, lines_of
from reports.graph import Graph, graph_of
from reports.outcomes import Check, Outcome, checks, inventory
from reports.wiring import Kind, Link, environment_of, home_of, jobs_of, links_of, stated_role, unlikely

HARNESS = "airworthy.harness"
"""The label of the harness's own services; they are no part of what is judged."""

PASSING = frozenset(
    {
        "refused",
        "closed",
        "silent",
        "57P03",
        "XMinioServerNotInitialized",
        "LOADING",
        "status-502",
        "status-503",
    }
)
"""Codes of a server that is only just coming up."""

ROLES = {"database": 5432, "queue": 6379, "object-store": 9000, "tracking": 5000}


@dataclass(frozen=True)
class Rung:
    """One rung of the ladder as it was recorded."""

    seq: int
    name: str
    position: str
    about: str
    link: Mapping[str, Any]
    ok: bool
    facts: Mapping[str, Any]
    code: str
    message: str

    @property
    def target(self) -> str | None:
        """The service that was asked, or None where the address is none of the deployment's."""
        found = self.link.get("target")
        return str(found) if found else None

    @property
    def setting(self) -> str:
        """The setting that holds the address."""
        return str(self.link.get("setting") or "")

    @property
    def settings(self) -> Mapping[str, str]:
        """Part of the login (url, user, password, key, ...) -> the setting that it is read from."""
        return {str(part): str(name) for part, name in self.link.get("settings") or ()}

    def reads(self, part: str) -> str:
        """The setting that a part of the login is read from: its own, else the one that holds the address."""
        return self.settings.get(part) or self.setting

    def says(self, part: str) -> str:
        """A readable part of the settings."""
        return str((self.link.get("says") or {}).get(part) or "")


@dataclass(frozen=True)
class Container:
    """The last state of a service's container: what Docker says of it."""

    seq: int
    service: str
    seen: Mapping[str, Any]

    @property
    def status(self) -> str:
        """Docker's word: running, exited, paused, ..."""
        return str(self.seen.get("status") or "")

    @property
    def exit_code(self) -> int:
        """The exit code; 0 while it runs."""
        return int(self.seen.get("exit_code") or 0)

    @property
    def is_unhealthy(self) -> bool:
        """Whether its health check fails."""
        return self.status == "running" and self.seen.get("health") == "unhealthy"


@dataclass(frozen=True)
class Fact:
    """What one failed check stated about the target."""

    check: Check
    cause: str
    parameters: Mapping[str, Any]


class Seen:
    """A bundle, arranged for rules; everything is read once and nothing is concluded."""

    def __init__(self, bundle: Bundle) -> None:
        """Arrange this bundle."""
        self.bundle = bundle

    @cached_property
    def config(self) -> Mapping[str, Any]:
        """The rendered configuration, with what programs were seen to be given beyond it; empty when the run did not get that far."""
        event = self.bundle.last("compose", "rendered")
        services = dict((event.response.get("services") or {}) if event else {})
        for learnt in self.bundle.of("environment"):
            if learnt.subject in services:
                service = services[learnt.subject]
                services[learnt.subject] = {**service, "environment": {**environment_of(service), **learnt.response}}
        for name, service in services.items():
            home = services.get(home_of(name, services), {})
            if home is not service:
                services[name] = {**service, "networks": dict.fromkeys(home.get("networks") or {"default": None})}
        return {**event.response, "services": services} if event else {}

    @cached_property
    def services(self) -> Mapping[str, Mapping[str, Any]]:
        """The services of the configuration."""
        return self.config.get("services") or {}

    def service(self, name: str | None) -> Mapping[str, Any]:
        """A service's configuration; empty for what is no service."""
        return self.services.get(name or "", {})

    @cached_property
    def declared(self) -> Mapping[str, Mapping[str, Any]]:
        """The services as the files declare them, variables unfilled; empty where that was not kept."""
        event = self.bundle.last("compose", "declared")
        return (event.response.get("services") or {}) if event else {}

    @cached_property
    def digests(self) -> Mapping[str, str]:
        """Service -> the digest of its image, where the engine held it."""
        return {name: str(row["digest"]) for name, row in self._targets.items() if row.get("digest")}

    @cached_property
    def _targets(self) -> Mapping[str, Mapping[str, Any]]:
        """The services as the target was read."""
        event = self.bundle.last("target")
        return (event.response.get("services") or {}) if event else {}

    @cached_property
    def graph(self) -> Graph:
        """Who rests on whom."""
        return graph_of(self.config)

    @cached_property
    def links(self) -> tuple[Link, ...]:
        """Every dependency that settings name."""
        return links_of(self.config)

    @cached_property
    def jobs(self) -> frozenset[str]:
        """The services that are to end."""
        return jobs_of(self.config)

    @cached_property
    def roles(self) -> Mapping[str, str]:
        """Service -> role: as the target was read, else by its label, by what others call it for, or its place."""
        known = dict.fromkeys(self.jobs, "job")
        asked: dict[str, set[str]] = {}
        for link in self.links:
            if link.target and str(link.kind) in ROLES:
                asked.setdefault(link.target, set()).add(str(link.kind))
        # who is asked for several things passes on to them, and is none
        known |= {name: next(iter(kinds)) if len(kinds) == 1 else "other" for name, kinds in asked.items()}
        known |= {link.caller: "registry" for link in self.links if str(link.kind) == "tracking"}
        known |= {name: role for name, service in self.services.items() if (role := stated_role(service))}
        return known | {name: str(row["role"]) for name, row in self._targets.items() if row.get("role")}

    @cached_property
    def without_image(self) -> tuple[str, ...]:
        """The services whose image the engine did not hold when the run began, where others' it did."""
        held = any(row.get("digest") for row in self._targets.values())
        return tuple(name for name, row in self._targets.items() if held and "digest" not in row)

    def having_role(self, role: str) -> list[str]:
        """Every service of a role."""
        return [name for name, has in self.roles.items() if has == role]

    def of_role(self, role: str) -> str | None:
        """The service of a role; of several one that another's settings lead to, that is labelled so, or has most settings of a registry."""
        found = self.having_role(role)
        led = {link.target for link in self.links if link.target != link.caller} if len(found) > 1 else set()
        return min(found, key=lambda name: (name not in led, *unlikely(self.service(name))), default=None)

    def database_of(self, caller: str | None) -> str | None:
        """The service that is a caller's database."""
        return next((link.target for link in self.links if link.caller == caller and link.kind is Kind.DATABASE), None)

    def layer_of(self, service: str) -> str:
        """The layer of a service that is gone."""
        return ROLE_LAYER.get(self.roles.get(service, ""), "resource")

    def is_ours(self, service: str) -> bool:
        """Whether a service is one of the harness's own."""
        labels = self.service(service).get("labels") or {}
        return HARNESS in labels

    def is_one_shot(self, service: str) -> bool:
        """Whether a service is to end."""
        return service in self.jobs

    def setting(self, service: str, name: str) -> str:
        """A variable of a service's environment as it was rendered; empty when it is not set."""
        return self.environment(service).get(name, "")

    def environment(self, service: str | None) -> dict[str, str]:
        """A service's environment as it was rendered; empty for what is no service."""
        return environment_of(self.service(service))

    @cached_property
    def containers(self) -> Mapping[str, Container]:
        """The last state of every container of the deployment that is there."""
        found: dict[str, Container] = {}
        for event in self.bundle.of("container"):
            if event.response.get("status") != "absent" and not self.is_ours(event.subject):
                found[event.subject] = Container(event.seq, event.subject, event.response)
        return found

    @cached_property
    def gone(self) -> Mapping[str, Container]:
        """Containers that ended badly, or ended though they are no job, or keep restarting; not those never started."""
        return {
            name: state
            for name, state in self.containers.items()
            if state.status in {"exited", "dead", "restarting"} and (state.exit_code or not self.is_one_shot(name))
        }

    def is_healthy(self, service: str) -> bool:
        """Whether a service was seen to be up and, by its own check, well."""
        state = self.containers.get(service)
        return state is not None and state.status == "running" and state.seen.get("health") == "healthy"

    def ended_well(self, service: str) -> bool:
        """Whether a job was seen to have ended with 0."""
        state = self.containers.get(service)
        return state is not None and state.status == "exited" and not state.exit_code

    def log(self, service: str) -> tuple[tuple[str, ...], int]:
        """The last lines that a service wrote and the number of that event; no lines and 0 when none were kept."""
        event = self.bundle.last("log", service)
        return (lines_of(event), event.seq) if event else ((), 0)

    @cached_property
    def start(self) -> Event | None:
        """How the bring-up ended."""
        return self.bundle.last("start")

    @cached_property
    def given_up(self) -> Mapping[str, Mapping[str, Any]]:
        """The services because of which the start was given up, each with what was known of it then."""
        return (self.start.response.get("failed") or {}) if self.start else {}

    @cached_property
    def compose_error(self) -> str:
        """What Compose or the engine said when the bring-up failed."""
        told = (self.start.response.get("compose_error") or "") if self.start else ""
        return str(told)

    def events_of(self, service: str, *actions: str) -> list[Event]:
        """Docker's events about a service that the harness did not bring about."""
        found = [event for event in self.bundle.of("event") if event.subject == service]
        return [
            event for event in found if event.response.get("action") in actions and not event.response.get("expected")
        ]

    @cached_property
    def rungs(self) -> tuple[Rung, ...]:
        """Every rung that was climbed, as it ended when it was climbed last."""
        last = {
            (rung.name, rung.position, rung.about, rung.setting): rung for rung in map(_rung, self.bundle.of("rung"))
        }
        return tuple(sorted(last.values(), key=lambda rung: rung.seq))

    def broken(self, *names: str) -> list[Rung]:
        """The rungs of these names that the dependency itself broke: not one that only stumbled, was well a moment later, or was asked through another service that can be gone past."""
        return [
            rung for rung in self.rungs
            if rung.name in names and not rung.ok and rung.code != "broken" and not self._passed(rung) and not self.around(rung)
            and not _is_no_way(rung)
        ]  # fmt: skip

    def is_overtaken(self, rung: Rung) -> bool:
        """Whether the service that a rung was asked for came up well after it: what a start found half done was done then."""
        later = (event for event in self.bundle.of("container") if event.seq > rung.seq)
        return any(event.subject == rung.position and event.response.get("health") == "healthy" for event in later)

    def _passed(self, rung: Rung) -> bool:
        """Whether a trouble of a start was over when the same was asked again, from whatever position."""
        asked = (rung.name, rung.about, rung.link.get("host"), rung.link.get("port"))
        later = (
            one
            for one in self.rungs
            if one.seq > rung.seq and (one.name, one.about, one.link.get("host"), one.link.get("port")) == asked
        )
        return rung.code in PASSING and any(one.ok for one in later)

    def around(self, rung: Rung) -> tuple[Rung, ...]:
        """What was asked past the service that a rung was asked through, from the same position; nothing where no way leads past it."""
        through = [one for one in self.rungs if one.link.get("past") and one.link.get("past") == rung.target]
        found = tuple(one for one in through if (one.position, one.setting) == (rung.position, rung.setting))
        return () if any(_is_no_way(one) for one in found) else found

    def siblings(self, rung: Rung) -> list[Rung]:
        """The same rung about the same other end, from other positions."""
        return [
            one for one in self.rungs
            if one.name == rung.name and one.about == rung.about and one.position != rung.position
        ]  # fmt: skip

    def odd_one(self, rung: Rung) -> str:
        """The component where caller and target disagree: the target if all its callers fail alike, else the caller."""
        others = self.siblings(rung)
        if rung.target and others and all(one.code == rung.code for one in others):
            return rung.target
        return rung.position

    def is_one_password(self, rung: Rung) -> bool:
        """Whether the password that a caller sends and the one that its target was given are one variable's, or one secret's."""
        return bool(rung.target and self._sent(rung) & self._given(rung.target))

    def _sent(self, rung: Rung) -> set[str]:
        """The variable, or the secret, that a caller's password is by its definition."""
        declared = environment_of(self.declared.get(rung.position, {}))
        value = declared.get(rung.settings.get("password") or rung.setting, "")
        named = re.search(r"(?:^|:)\$\{(\w+)[^}]*\}(?:$|@)", value)
        kept = str(rung.facts.get("kept_as") or "")
        files = {name for name, file in self._secrets(rung.position) if kept and file == kept}
        return {f"${named[1]}"} if named else files

    def _given(self, service: str) -> set[str]:
        """The variables and secrets that a service's definition names."""
        names = {name for name, _ in self._secrets(service)}
        event = self.bundle.last("compose", "declared")
        kept = ((event.response.get("secrets") or {}) if event else {}).items()
        by_variable = {str(row["environment"]) for name, row in kept if name in names and row.get("environment")}
        return names | {
            f"${name}" for name in {*re.findall(r"\$\{(\w+)", str(self.declared.get(service))), *by_variable}
        }

    def _secrets(self, service: str) -> list[tuple[str, str]]:
        """The secrets of a service, each with the name of the file that holds it there."""
        given = self.service(service).get("secrets") or ()
        rows = [row if isinstance(row, Mapping) else {"source": row} for row in given]
        return [(str(row["source"]), str(row.get("target") or row["source"]).rpartition("/")[2]) for row in rows]

    @cached_property
    def checks(self) -> tuple[Check, ...]:
        """Every check that has an outcome."""
        return checks(self.bundle)

    @cached_property
    def failed(self) -> tuple[Check, ...]:
        """The checks that failed."""
        return tuple(check for check in self.checks if check.outcome is Outcome.FAILED)

    @cached_property
    def raised_inside(self) -> tuple[tuple[Event, Mapping[str, Any]], ...]:
        """The calls inside the registry's container that ended with an error, and that error."""
        inside = [event for event in self.bundle.of("probe") if (event.request or {}).get("place") == "inside"]
        raised = [(event, (event.response or {}).get("error")) for event in inside]
        return tuple((event, error) for event, error in raised if error)

    def called_ill(self, *claims: str) -> list[Check]:
        """The failed checks in which the registry's own health answer calls one of these dependencies ill."""
        return [check for check in self.failed if set(claims) & set((check.facts or {}).get("unwell") or ())]

    @cached_property
    def needs(self) -> Mapping[str, tuple[str, ...]]:
        """Check -> the roles that it asks."""
        return {entry.nodeid: entry.needs for entry in inventory(self.bundle)}

    @cached_property
    def facts(self) -> tuple[Fact, ...]:
        """What failed checks stated: `semantics` and its parameters, or several of them under `seen`."""
        found: list[Fact] = []
        for check in self.failed:
            stated: Mapping[str, Any] = check.facts or {}
            for row in [stated, *(stated.get("seen") or ())]:
                if isinstance(row, Mapping) and row.get("semantics"):
                    rest = {key: value for key, value in row.items() if key not in {"semantics", "seen"}}
                    found.append(Fact(check, str(row["semantics"]), rest))
        return tuple(found)


def _is_no_way(rung: Rung) -> bool:
    """Whether the way past a service could not be gone, since what lies behind it is not known by name there: as it may be meant."""
    return bool(rung.link.get("past")) and rung.name == "name.resolve" and not rung.ok


def _rung(event: Event) -> Rung:
    asked, told = event.request or {}, event.response or {}
    error = told.get("error") or {}
    return Rung(
        seq=event.seq,
        name=event.subject,
        position=str(asked.get("position") or ""),
        about=str(asked.get("about") or ""),
        link=asked.get("link") or {},
        ok=bool(told.get("ok")),
        facts=told.get("facts") or {},
        code=str(error.get("code") or ""),
        message=str(error.get("message") or ""),
    )


class Ended(StrEnum):
    """How a rule ended."""

    FIRED = "fired"
    REFUTED = "refuted"
    NOT_APPLICABLE = "not applicable"
    WITHOUT_EVIDENCE = "without evidence"


@dataclass(frozen=True)
class Ruling:
    """What became of one rule."""

    rule: str
    ended: Ended
    diagnoses: tuple[Diagnosis, ...] = ()


@dataclass(frozen=True)
class Rule:
    """What a rule requires (kinds of events), where it applies, and what makes it fire; it fires by what it finds."""

    name: str
    requires: tuple[str, ...]
    applies: Callable[[Seen], object]
    read: Callable[[Seen], Iterable[Diagnosis]]

    def rule(self, seen: Seen) -> Ruling:
        """Read the evidence: fired, refuted, not applicable or without evidence."""
        if not all(seen.bundle.of(kind) for kind in self.requires):
            return Ruling(self.name, Ended.WITHOUT_EVIDENCE)
        if not self.applies(seen):
            return Ruling(self.name, Ended.NOT_APPLICABLE)
        found = tuple(self.read(seen))
        return Ruling(self.name, Ended.FIRED if found else Ended.REFUTED, found)


def closest(word: str, known: Sequence[str]) -> str:
    """The known word that is written most like this one; empty when none is."""
    return next(iter(difflib.get_close_matches(word, known, n=1, cutoff=0.6)), "")


__all__ = ["Confidence", "Container", "Ended", "Fact", "Rule", "Ruling", "Rung", "Seen", "closest", "diagnosis"]
