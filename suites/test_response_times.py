"""How long registrations and lookups take: enough samples are there to be judged against the budgets."""

from typing import Any
from uuid import uuid4

import pytest

from fixtures.http import Http
from fixtures.process import Process
from fixtures.samples import Samples
from suites.wording import exchange

ENOUGH = 20
"""Samples that a median and a p95 need; whether they are within budget, the judge derives from them."""

FOREST = {"kind": "forest", "seed": 14}


@pytest.mark.verifies("response-times")
def test_registrations_in_the_container_are_timed(inside: Process, samples: Samples) -> None:
    """Registrations inside the API's container answer, and are timed, at least 20 of them."""
    failed: list[str] = []
    while len(samples_of(samples, "registration", "container")) < ENOUGH and not failed:
        reply = inside.call(
            "register_baseline",
            model=FOREST,
            model_type="regression",
            metadata={"token": uuid4().hex},
            signature="infer",
        )
        failed += [str(reply.error)] if reply.error else []

    assert not failed, exchange(
        "register_baseline(forest, 'regression', metadata), timed",
        "HokusaiModelRegistry in the API's container",
        expected="the dict of a registration",
        got=failed,
        do="read the error: it is the service's own",
    )


@pytest.mark.verifies("response-times")
def test_registrations_over_http_are_timed(api: Http, outside: Process, samples: Samples) -> None:
    """Registrations over HTTP answer, and are timed, at least 20 of them."""
    failed: list[str] = []
    while len(samples_of(samples, "registration", "http")) < ENOUGH and not failed:
        logged = outside.call("log_model", model={"kind": "linear"})
        if logged.error is not None:
            pytest.skip(f"because no model could be logged from outside: {logged.error}")
        body = {
            "logged_model_id": logged.result["logged_model_id"],
            "kind": "baseline",
            "model_type": "regression",
            "metadata": {"token": uuid4().hex},
        }
        answer = api.post("/models/register", json=body, timeout=30)
        failed += [str(answer)] if answer.status not in {200, 201} else []

    assert not failed, exchange(
        "POST /models/register, timed",
        "the API",
        expected="200 or 201",
        got=failed,
        do="look at the log of the API",
    )


def samples_of(samples: Samples, metric: str, where: str) -> list[Any]:
    """The samples of one metric so far."""
    return [
        event
        for event in samples.journal.events("sample")
        if event.subject == metric and (event.response or {}).get("where") == where
    ]
