"""Warnings are collected while the release is asked, so that an unexpected one is seen."""

from collections.abc import Callable
from typing import Any

import pytest

from fixtures.host import Host
from fixtures.journal import Journal
from fixtures.process import Process
from fixtures.registrations import Registered
from suites.wording import exchange


class NothingCollectedError(Exception):
    """The harness collected no warning where one was certain: it would not have seen any other."""


@pytest.mark.verifies("no-breaking-changes")
@pytest.mark.last
def test_known_warnings_are_told_apart(
    *,
    inside: Process,
    outside: Process,
    host_of: Callable[[str], Host],
    journal: Journal,
    baseline: Registered,
    fact: dict[str, Any],
) -> None:
    """A warning raised on purpose in each client is collected; MLflow's that git is not there comes only where it is not."""
    for client in (inside, outside):
        reply = client.call("echo", purpose="a warning is wanted")
        if reply.error is None and not reply.warnings:
            raise NothingCollectedError(f"{client.place} raised a warning, and none was collected: {reply}")
    ran = host_of("registry").run("git", "--version")
    fact["git"] = "present" if ran.ok else "absent"
    complaints = [
        event.response["text"]
        for event in journal.events("warning")
        if event.subject == "client inside" and "git" in str(event.response["text"]).lower()
    ]

    finds_none = ran.ok and any("executable" in text for text in complaints)
    if finds_none:
        fact.update(semantics="warning-unexpected", source="MLflow's client in the API's container: it finds no git")
    assert not finds_none, exchange(
        f"git --version, and the warnings of the client inside while {baseline.model_id} was registered",
        "the API's container",
        expected="no warning that git is not there",
        got=complaints,
        do="put git on the PATH of the service's user",
    )
