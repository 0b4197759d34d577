"""A model can be found again by the UUID that its registration returned (the seed's Test 2)."""

from typing import Any
from uuid import uuid4

import pytest

from fixtures.gate import Gated
from fixtures.http import Http
from fixtures.process import Process
from fixtures.registrations import Registered
from fixtures.stack import Stack
from fixtures.states import restarted
from fixtures.target import Target
from suites.recorded import departures, same, stated, told
from suites.wording import exchange, lost_or_changed, shown

FOREST = {"kind": "forest", "seed": 5}
UNKNOWN = "m-" + "0123456789abcdef" * 2
MALFORMED = ("m-123", "no-uuid-at-all", "m-" + "g" * 32, "m-" + "0" * 32 + "' OR name LIKE '%")

REFUSED = "(refused)"
"""What a lookup came to that was neither a model nor the word that there is none."""


def looked_up(where: str, inside: Process, api: Http, uuid: str) -> tuple[Any, str]:
    """What a lookup answered (None: there is no such model), and the exchange in words; REFUSED where it was none."""
    if where == "container":
        reply = inside.call("get_model_by_uuid", model_uuid=uuid)
        return (REFUSED, str(reply.error)) if reply.error else (reply.result, shown(reply.result))
    answer = api.get(f"/models/by-uuid/{uuid}")
    if answer.status == 404:
        return None, str(answer)
    return (answer.json, str(answer)) if answer.status == 200 else (REFUSED, str(answer))


def expected_of(answer: dict[str, Any]) -> dict[str, Any]:
    """What a lookup must name of a registration, as far as its answer had it; version is text whatever the answer said."""
    named = {key: answer[key] for key in ("model_name", "model_uuid", "run_id", "metadata") if key in answer}
    return named | ({"version": str(answer["version"])} if "version" in answer else {})


def misled(found: Any, own: dict[str, Any], newest: dict[str, Any] | None = None) -> dict[str, Any]:
    """The fact to state of a lookup that names something else than its own registration, or nothing."""
    if found is REFUSED:
        return {}
    if not isinstance(found, dict):
        return {"semantics": "lookup-wrong", "key": "model_uuid"}
    if newest is not None and found.get("version") == str(newest.get("version")):
        return {"semantics": "lookup-returns-newest"}
    wrong = [key for key, value in expected_of(own).items() if not same(found.get(key), value)]
    if wrong == ["metadata"]:
        held = found.get("metadata")
        sent = own["metadata"] if isinstance(own["metadata"], dict) else {}
        lost = sorted(sent.keys() - (held if isinstance(held, dict) else {}).keys())
        return {
            "semantics": lost_or_changed(held, sent),
            "keys": lost or sorted(sent),
        }
    return {"semantics": "lookup-wrong", "key": wrong[0] if wrong else ""}


@pytest.mark.verifies("uuid-lookup")
@pytest.mark.parametrize("where", ["container", "http"])
def test_a_uuid_names_its_own_version_not_the_newest(
    inside: Process, api: Http, fact: dict[str, Any], where: str
) -> None:
    """A UUID names one version for good: after newer ones it still leads to its own, and the newer to theirs."""
    replies = [
        inside.call(
            "register_baseline", model=FOREST, model_type="ranking", metadata={"token": uuid4().hex}, signature="infer"
        )
        for _ in range(3)
    ]
    errors = [str(reply.error) for reply in replies if reply.error]
    assert not errors, exchange(
        "register_baseline(forest, 'ranking', metadata), three times",
        "HokusaiModelRegistry in the API's container",
        expected="three registrations",
        got=errors,
        do="read the error: it is the service's own",
    )
    answers = [reply.result["answer"] for reply in replies]
    if any(key not in answer for answer in answers for key in ("model_uuid", "version", "run_id")):
        pytest.skip(f"because a registration does not say what it made: {shown(answers[0])}")
    for own in answers:
        found, seen = looked_up(where, inside, api, own["model_uuid"])
        named, version = (found.get("version") if isinstance(found, dict) else None), str(own["version"])
        newest = answers[-1] if own is not answers[-1] else None
        if not isinstance(found, dict) or named != version or found.get("run_id") != own["run_id"]:
            fact.update(misled(found, own, newest))
        assert named == version, exchange(
            f"look up {own['model_uuid']}, version {version}; the newest is {answers[-1]['version']}",
            f"the registry ({where})",
            expected=f"version {version}",
            got=f"the newest version, not its own: {seen}" if newest and named == str(newest["version"]) else seen,
            do="resolve the UUID by the version's own source or tag, never by the newest version of its model",
        )
        assert isinstance(found, dict)
        assert found.get("run_id") == own["run_id"], exchange(
            f"look up {own['model_uuid']}, which run {own['run_id']} made",
            f"the registry ({where})",
            expected=f"run {own['run_id']}",
            got=seen,
            do="answer with the run of the version that the UUID names",
        )


@pytest.mark.verifies("uuid-lookup")
@pytest.mark.parametrize("where", ["container", "http"])
def test_a_lookup_equals_the_registration(
    inside: Process, api: Http, baseline: Registered, fact: dict[str, Any], where: str
) -> None:
    """A lookup by UUID names the model, version, run and metadata that were registered, in the recorded shape."""
    found, seen = looked_up(where, inside, api, baseline.uuid)
    expected = expected_of(baseline.answer)

    odd = departures("get_model_by_uuid", found)
    wrong = {
        key: value for key, value in expected.items() if not isinstance(found, dict) or not same(found.get(key), value)
    }
    if isinstance(found, dict):
        fact.update(stated("answer", odd) if odd else misled(found, baseline.answer) if wrong else {})
    else:
        fact.update(misled(found, baseline.answer))
    assert not odd, exchange(
        f"look up {baseline.uuid}, which was registered",
        f"the registry ({where})",
        expected="the recorded answer (suites/contracts/get_model_by_uuid.json)",
        got=f"{told(odd)}: {seen}",
        do="answer a lookup with its recorded keys and types",
    )
    assert not wrong, exchange(
        f"look up {baseline.uuid}, which was registered",
        f"the registry ({where})",
        expected=shown(wrong),
        got=seen,
        do="resolve the UUID by the version's own source or tag, and its metadata by the stored model",
    )


TIMES = 20
"""Lookups of one UUID: what fails one time in ten shows, and a median and a p95 of the time have their samples."""


@pytest.mark.verifies("uuid-lookup")
@pytest.mark.parametrize("where", ["container", "http"])
def test_a_lookup_answers_every_time(
    *, inside: Process, api: Http, baseline: Registered, fact: dict[str, Any], where: str
) -> None:
    """A lookup that is asked again and again answers the same each time."""
    answers = [looked_up(where, inside, api, baseline.uuid) for _ in range(TIMES)]

    odd = [(found, seen) for found, seen in answers if not isinstance(found, dict) or found != answers[0][0]]
    if odd:
        fact.update(misled(odd[0][0], baseline.answer))
    assert not odd, exchange(
        f"look up {baseline.uuid}, {TIMES} times",
        f"the registry ({where})",
        expected=f"the same, {TIMES} times",
        got=f"{len(odd)} others: {odd[0][1] if odd else ''}",
        do="look what differs between one call and the next: a cache, a connection, another replica",
    )


@pytest.mark.verifies("uuid-lookup")
@pytest.mark.parametrize("where", ["container", "http"])
def test_an_unknown_uuid_is_not_found(inside: Process, api: Http, fact: dict[str, Any], where: str) -> None:
    """A UUID that names no model is answered as such: None in the container, 404 over HTTP."""
    if where == "container":
        reply = inside.call("get_model_by_uuid", model_uuid=UNKNOWN)
        if reply.error or reply.result is not None:
            fact.update(semantics="unknown-not-refused", got=shown(str(reply.error) if reply.error else reply.result))
        assert reply.error is None, exchange(
            f"look up {UNKNOWN}, which nobody registered",
            "the registry (container)",
            expected="None",
            got=str(reply.error),
            do="answer None where MLflow says RESOURCE_DOES_NOT_EXIST, and only there",
        )
        assert reply.result is None, exchange(
            f"look up {UNKNOWN}, which nobody registered",
            "the registry (container)",
            expected="None",
            got=reply.result,
            do="answer with the model of that very UUID, or None",
        )
        return
    answer = api.get(f"/models/by-uuid/{UNKNOWN}")
    if answer.status not in {404, None}:
        good = answer.status < 400
        fact.update(
            {
                "semantics": "status-200-on-error",
                "route": "/models/by-uuid/{uuid}",
                "expected": 404,
                "got": answer.status,
            }
            if good
            else {"semantics": "unknown-not-refused", "got": str(answer.status)}
        )
    assert answer.status == 404, exchange(
        f"look up {UNKNOWN}, which nobody registered",
        "the registry (http)",
        expected="404",
        got=str(answer),
        do="answer 404 for what is not there",
    )


@pytest.mark.verifies("uuid-lookup")
@pytest.mark.parametrize("uuid", MALFORMED, ids=["short", "word", "not hexadecimal", "injection"])
def test_a_malformed_uuid_is_refused(inside: Process, api: Http, fact: dict[str, Any], uuid: str) -> None:
    """What is no UUID finds no model: None or ValueError in the container, 422 or 404 over HTTP."""
    reply = inside.call("get_model_by_uuid", model_uuid=uuid)
    answer = api.get("/models/by-uuid/" + uuid.replace(" ", "%20").replace("%'", "%25'"))

    refused = reply.result is None and (reply.error is None or reply.error.type == "ValueError")
    if not refused or answer.status not in {404, 422, None}:
        fact.update(semantics="unknown-not-refused", got=shown(reply.result) if not refused else str(answer.status))
    assert refused, exchange(
        f"look up {uuid!r}",
        "the registry (container)",
        expected="None, or a ValueError",
        got=str(reply.error) if reply.error else reply.result,
        do="check the form of a UUID before it goes into a filter",
    )
    assert answer.status in {404, 422}, exchange(
        f"look up {uuid!r}",
        "the registry (http)",
        expected="422, or 404",
        got=str(answer),
        do="check the form of a UUID before it goes into a filter",
    )


@pytest.mark.verifies("uuid-lookup")
def test_a_model_of_another_run_and_client_is_found(
    outside: Process, api: Http, inside: Process, fact: dict[str, Any]
) -> None:
    """A model logged by another client in an experiment of its own, then registered, is found by its UUID: across runs."""
    logged = outside.call("log_model", model=FOREST, experiment=f"airworthy-{uuid4().hex}")
    assert logged.error is None, exchange(
        "log a model in an experiment of its own",
        "MLflow, by a client outside",
        expected="a logged model",
        got=str(logged.error),
        do="look at the tracking server and the store",
    )
    made = api.post(
        "/models/register",
        json={
            "logged_model_id": logged.result["logged_model_id"],
            "kind": "baseline",
            "model_type": "regression",
            "metadata": {"token": uuid4().hex},
        },
    )
    assert made.status in {200, 201}, exchange(
        f"register the logged model {logged.result['logged_model_id']}",
        "the registry (http)",
        expected="200 or 201 and the answer of a registration",
        got=str(made),
        do="look at the log of the API",
    )
    found, seen = looked_up("container", inside, api, logged.result["logged_model_id"])
    if not isinstance(found, dict) or found.get("run_id") != logged.result["run_id"]:
        fact.update(misled(found, made.json))
    assert isinstance(found, dict), exchange(
        f"look up {logged.result['logged_model_id']}, logged by another client",
        "the registry (container)",
        expected=f"the model of run {logged.result['run_id']}",
        got=seen,
        do="look in all experiments, not in the service's own",
    )
    assert found.get("run_id") == logged.result["run_id"], exchange(
        f"look up {logged.result['logged_model_id']}, logged by another client",
        "the registry (container)",
        expected=f"run {logged.result['run_id']}",
        got=seen,
        do="answer with the run that logged the model",
    )


@pytest.mark.verifies("uuid-lookup")
def test_an_outage_is_an_error_not_a_missing_model(
    gated: Gated, inside: Process, baseline: Registered, fact: dict[str, Any]
) -> None:
    """While MLflow is out a lookup says so, in the container by an error and over HTTP by 503: it is never "not found"."""
    uuid = baseline.uuid
    reply = inside.call("get_model_by_uuid", model_uuid=uuid, env={"MLFLOW_TRACKING_URI": "http://127.0.0.1:9"})
    gated.block("tracking")
    answer = gated.api.get(f"/models/by-uuid/{uuid}", timeout=30)
    gated.unblock()

    if (reply.error is None and reply.result is None) or answer.status == 404:
        fact.update(semantics="outage-said-not-found", dependency="mlflow")
    elif answer.status not in {503, None}:
        fact.update(semantics="status-wrong", route="/models/by-uuid/{uuid}", expected=503, got=answer.status)
    assert reply.error is not None, exchange(
        f"look up {uuid}, which is registered, while MLflow is out",
        "the registry (container)",
        expected="an error",
        got=reply.result,
        do="answer None only where MLflow itself says RESOURCE_DOES_NOT_EXIST; raise everything else",
    )
    assert answer.status == 503, exchange(
        f"look up {uuid}, which is registered, while MLflow is out",
        "the registry (http)",
        expected="503",
        got=str(answer),
        do="answer 503 when a dependency is out, within a bounded time",
    )


@pytest.mark.restarts
@pytest.mark.verifies("uuid-lookup")
def test_a_uuid_still_leads_to_its_model_after_a_restart(
    *, stack: Stack, target: Target, inside: Process, api: Http, baseline: Registered, fact: dict[str, Any]
) -> None:
    """After a restart of the API and of MLflow a UUID still names its version, with all its metadata."""
    uuid = baseline.uuid
    unwell = restarted(stack, target, "tracking", "registry")
    assert not unwell, exchange(
        "restart the API and MLflow",
        "the Docker engine",
        expected="both healthy again",
        got=unwell,
        do="read the log of each service that is named: it does not start on what it left behind",
    )
    for where in ("container", "http"):
        found, seen = looked_up(where, inside, api, uuid)
        wrong = [
            key
            for key, value in expected_of(baseline.answer).items()
            if not isinstance(found, dict) or found.get(key) != value
        ]
        if wrong:
            fact.update(misled(found, baseline.answer))
        assert not wrong, exchange(
            f"look up {uuid} after a restart of the API and of MLflow",
            f"the registry ({where})",
            expected=shown(expected_of(baseline.answer)),
            got=seen,
            do="keep nothing of a registration in the memory or on the disk of a container",
        )
