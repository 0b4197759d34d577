"""What checks ask of the Docker engine about the target's own containers; every exchange is kept."""

import os
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from fixtures.containers import Ran, docker, inspected
from fixtures.journal import Journal
from fixtures.stack import Stack
from fixtures.target import Service, Target
from fixtures.waiting import wait_until

RESTART_WITHIN = 45.0
"""Seconds within which restarted services are healthy again."""


def told_by_engine(journal: Journal, service: Service, *argv: str) -> Ran:
    """What one docker command says about a service; its output is kept as evidence."""
    ran = docker(*argv)
    seen = {"rc": ran.rc, "stdout": ran.stdout, "stderr": ran.stderr, "seconds": ran.seconds}
    journal.record("exec", service.name, {"argv": ["docker", *argv], "user": None}, seen)
    return ran


def state_of(service: Service, inspect: Mapping[str, Any] | None) -> dict[str, Any]:
    """A container's state in the words of the evidence; status "absent" where there is none."""
    state = (inspect or {}).get("State") or {}
    health = state.get("Health") or {}
    return {
        "service": service.name,
        "status": state.get("Status", "absent"),
        "exit_code": state.get("ExitCode"),
        "oom_killed": state.get("OOMKilled", False),
        "restarts": (inspect or {}).get("RestartCount", 0),
        "health": health.get("Status", "none"),
        "last_health_answers": [str(entry.get("Output", ""))[-200:] for entry in health.get("Log") or ()][-2:],
    }


def states(services: tuple[Service, ...]) -> list[tuple[Service, dict[str, Any]]]:
    """Each service with the state of its container now."""
    found = {seen["Name"].lstrip("/"): seen for seen in inspected(*(s.container for s in services if s.container))}
    return [(service, state_of(service, found.get(service.container))) for service in services]


def is_sound(service: Service, state: Mapping[str, Any]) -> bool:
    """Whether a state is what it must be: running and not unhealthy, or for a job ended with 0."""
    if service.role == "job":
        return bool(state["status"] == "running" or (state["status"] == "exited" and state["exit_code"] == 0))
    return bool(state["status"] == "running" and state["health"] in {"healthy", "none"} and not state["oom_killed"])


def changed_files(journal: Journal, service: Service) -> list[str]:
    """The paths that differ between a container and its image: by its own layer where that can be read, else by docker diff."""
    layer = Path(str(((service.inspect.get("GraphDriver") or {}).get("Data") or {}).get("UpperDir", "")))
    if os.access(layer, os.R_OK | os.X_OK) and layer != Path():
        # docker diff compares all of a large image: 3 s of one core
        found = sorted(f"/{path.relative_to(layer)}" for path in layer.rglob("*") if not path.is_dir())
        seen = {"rc": 0, "stdout": "\n".join(found[:2000]), "stderr": "", "seconds": 0.0}
        journal.record("exec", service.name, {"argv": ["list", "the container's own layer"], "user": None}, seen)
        return found
    ran = told_by_engine(journal, service, "diff", service.container)
    return [line[2:] for line in ran.stdout.splitlines()]


def restarted(stack: Stack, target: Target, *roles: str) -> list[str]:
    """Restart services of the target on purpose and wait until they are healthy; what is not, in words."""
    services = tuple(service for role in roles if (service := target.find(role)) is not None)
    with ExitStack() as expected:
        for service in services:
            expected.enter_context(stack.expecting(service.name))
        done = docker("restart", "--time", "5", *(service.container for service in services), timeout=RESTART_WITHIN)
        seen = wait_until(
            lambda: states(services),
            lambda found: all(is_sound(service, state) for service, state in found),
            within=RESTART_WITHIN,
            every=0.2,
        )
    target.look_again()
    unwell = [str(state) for service, state in seen if not is_sound(service, state)]
    return unwell + ([str(done.problem)] if done.problem else [])
