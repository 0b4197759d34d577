"""An improved model is announced on the queue, once, in the recorded envelope."""

from typing import Any
from uuid import uuid4

import pytest

from fixtures.http import Http
from fixtures.process import Process
from fixtures.registrations import Registered
from fixtures.witnesses import Database, Queue
from suites.recorded import agrees, departures, stated, told
from suites.test_baseline_registration import registered_rows
from suites.test_http_contract import logged_model
from suites.wording import exchange, shown

LIST = "hokusai:model_ready_queue"
PLACES = (LIST, f"{LIST}:processing", f"{LIST}:dlq")
"""Where a message may be: waiting, taken by a consumer, given up."""

FOREST = {"kind": "forest", "seed": 12}
CONTRIBUTOR = "0x" + "9a" * 20


def messages_about(queue: Queue, run_id: str) -> list[dict[str, Any]]:
    """The envelopes on the queue, taken or given up, that speak of a run (or whose text holds its id)."""
    found = [message for place in PLACES for message in queue.messages(place)]
    return [message for message in found if isinstance(message, dict) and run_id in shown_whole(message)]


def shown_whole(message: object) -> str:
    """A message as text, uncut."""
    return str(message)


def asked(baseline: Registered, deltas: dict[str, float]) -> dict[str, Any]:
    """The arguments of an improvement on a baseline."""
    about = {"baseline_id": baseline.model_id, "delta_metrics": deltas, "contributor": CONTRIBUTOR}
    return {"model": FOREST, **about, "signature": "infer"}


def improve(inside: Process, baseline: Registered, *, symbol: str | None = None, **deltas: float) -> dict[str, Any]:
    """Register an improved model; its answer. What builds on it is skipped where it fails: that has its own check."""
    metadata = {"token": uuid4().hex} | ({} if symbol is None else {"token_symbol": symbol})
    given = asked(baseline, deltas or {"accuracy": 0.05})
    reply = inside.call("register_improved_model", **given, metadata=metadata)
    if reply.error is not None or not isinstance((reply.result or {}).get("answer"), dict):
        pytest.skip(f"because an improved model could not be registered: {reply}")
    answer: dict[str, Any] = reply.result["answer"]
    if any(key not in answer for key in ("model_id", "model_name", "version", "run_id", "model_uuid")):
        pytest.skip(f"because a registration does not say what it made: {shown(answer)}")
    return answer | {"version": str(answer["version"]), "model_uri": f"models:/{answer['model_uuid']}"}


def measured(tracking: Http, run_id: str, metric: str, value: float) -> None:
    """Log a metric to a run, as whoever evaluated the baseline would have."""
    body = {"run_id": run_id, "key": metric, "value": value, "timestamp": 1_760_000_000_000, "step": 0}
    answer = tracking.post("/api/2.0/mlflow/runs/log-metric", json=body)
    if answer.status != 200:
        pytest.skip(f"because the baseline's metric could not be logged: {answer}")


def improve_by_http(
    api: Http, outside: Process, baseline: Registered, symbol: str, deltas: dict[str, float]
) -> dict[str, Any]:
    """The same of a model that a client outside has logged, registered over HTTP."""
    logged = logged_model(outside)
    about = {key: value for key, value in asked(baseline, deltas).items() if key not in {"model", "signature"}}
    told_of = {"logged_model_id": logged, "kind": "improved", "model_type": "classification"}
    answer = api.post("/models/register", json={**told_of, "metadata": {"token_symbol": symbol}, **about}, timeout=30)
    made = answer.json if answer.status in {200, 201} and isinstance(answer.json, dict) else {}
    if any(key not in made for key in ("model_id", "model_name", "version", "run_id")):
        pytest.skip(f"because an improved model could not be registered over HTTP: {answer}")
    return made | {"version": str(made["version"])}


@pytest.mark.verifies("webhook-payload")
@pytest.mark.parametrize("where", ["container", "http"])
def test_an_improved_model_is_queued_once_in_the_recorded_envelope(
    *,
    inside: Process,
    api: Http,
    outside: Process,
    queue: Queue,
    tracking: Http,
    baseline: Registered,
    fact: dict[str, Any],
    where: str,
) -> None:
    """A registration of an improved model is one message, in the recorded envelope, and agrees with what was registered.

    Of several metrics the first one given is announced; it is the first or last neither by name nor by size.
    """
    metric, symbol = f"f1_{uuid4().hex[:8]}", f"AW-{uuid4().hex[:8]}"
    measured(tracking, baseline.run_id, metric, 0.8)
    deltas = {metric: 0.04, "accuracy": 0.09, "recall": 0.01}
    if where == "http":
        answer = improve_by_http(api, outside, baseline, symbol, deltas)
    else:
        answer = improve(inside, baseline, symbol=symbol, **deltas)
    found = queue.patience.wait(lambda: messages_about(queue, answer["run_id"]), bool, every=0.1)

    if not found and queue.round_trip().value:
        fact.update(semantics="not-queued")
    elif len(found) > 1:
        fact.update(semantics="queued-twice", count=len(found))
    assert len(found) == 1, exchange(
        f"the messages about run {answer['run_id']}, soon after its registration",
        f"Redis, {', '.join(PLACES)}",
        expected="exactly one",
        got=f"{len(found)}: {shown(found)}",
        do="announce every improved model, once, on the queue",
    )
    envelope = found[0]
    payload = envelope.get("payload")
    odd = departures("queue_envelope", envelope) + departures("queue_payload", payload)
    if odd:
        fact.update(stated("payload", odd))
    assert not odd, exchange(
        f"the message about {answer['model_id']}",
        f"Redis, {LIST}",
        expected="the recorded envelope and payload (suites/contracts/queue_envelope.json, queue_payload.json)",
        got=f"{told(odd)}: {shown(envelope)}",
        do="give the message its recorded keys and types again: consumers parse it",
    )
    assert isinstance(payload, dict)
    expected = {
        "model_id": answer["model_id"],
        "model_name": answer["model_name"],
        "model_version": answer["version"],
        "mlflow_run_id": answer["run_id"],
        "token_symbol": symbol,
        "metric_name": metric,
        "baseline_value": 0.8,
        "current_value": 0.84,
    }
    wrong = {key: payload[key] for key, value in expected.items() if not agrees(payload[key], value)}
    counts = {key: envelope[key] for key, value in (("retry_count", 0), ("max_retries", 3)) if envelope[key] != value}
    wrong |= counts
    if payload.get("contributor_address") not in {None, CONTRIBUTOR}:
        wrong["contributor_address"] = payload["contributor_address"]
    if wrong:
        fact.update(semantics="payload-value-wrong", contract="queue_payload", key=min(wrong))
    assert not wrong, exchange(
        f"the message about {answer['model_id']}",
        f"Redis, {LIST}",
        expected=shown({**expected, "retry_count": 0, "max_retries": 3, "contributor_address": CONTRIBUTOR}),
        got=wrong,
        do="fill the message from what MLflow holds of the version and of the baseline's run",
    )


@pytest.mark.verifies("webhook-payload")
def test_the_token_symbol_has_its_default(
    inside: Process, queue: Queue, baseline: Registered, fact: dict[str, Any]
) -> None:
    """Without a token_symbol in the metadata the model's name stands in for it, with - for _; and the message is whole.

    The metric is one that the baseline's run has no value of.
    """
    answer = improve(inside, baseline)
    found = queue.patience.wait(lambda: messages_about(queue, answer["run_id"]), bool, every=0.1)
    symbols = [(message.get("payload") or {}).get("token_symbol") for message in found]
    expected = answer["model_name"].replace("_", "-")

    if not found and queue.round_trip().value:
        fact.update(semantics="not-queued")
    elif found and symbols[0] != expected:
        fact.update(semantics="payload-value-wrong", contract="queue_payload", key="token_symbol")
    assert symbols[:1] == [expected], exchange(
        f"the token_symbol of {answer['model_id']}, for which none was given",
        f"Redis, {LIST}",
        expected=expected,
        got=symbols,
        do="fall back to the model's name",
    )
    odd = departures("queue_payload", found[0].get("payload"))
    if odd:
        fact.update(stated("payload", odd))
    assert not odd, exchange(
        f"the message about {answer['model_id']}, whose metric its baseline was not measured by",
        f"Redis, {LIST}",
        expected="the recorded payload (suites/contracts/queue_payload.json)",
        got=f"{told(odd)}: {shown(found[0])}",
        do="give the message all its recorded keys, whatever the baseline's value: consumers parse it",
    )


@pytest.mark.verifies("webhook-payload")
def test_every_message_of_one_process_is_single(
    inside: Process, queue: Queue, baseline: Registered, fact: dict[str, Any]
) -> None:
    """The second and third message of one process are as single as the first."""
    answers = [improve(inside, baseline) for _ in range(3)]

    def counts() -> dict[str, int]:
        return {answer["model_id"]: len(messages_about(queue, answer["run_id"])) for answer in answers}

    seen = queue.patience.wait(counts, lambda found: min(found.values()) > 0, every=0.2)
    seen = counts()
    if max(seen.values()) > 1:
        fact.update(semantics="queued-twice", count=max(seen.values()))
    elif min(seen.values()) == 0 and queue.round_trip().value:
        fact.update(semantics="not-queued")
    assert set(seen.values()) == {1}, exchange(
        "the messages about three registrations, one after the other in one process",
        f"Redis, {', '.join(PLACES)}",
        expected="one each",
        got=seen,
        do="announce every improved model, once, on the queue",
    )


NOWHERE = {"DB_HOST": "127.0.0.1", "REDIS_URL": "redis://127.0.0.1:9/0"}
"""Settings with which neither database nor queue can be reached."""


@pytest.mark.verifies("webhook-payload")
def test_what_could_not_be_announced_is_not_registered(
    inside: Process, database: Database, baseline: Registered, fact: dict[str, Any]
) -> None:
    """A registration that fails because it cannot be announced leaves nothing registered."""
    before = registered_rows(database, baseline.run_id)
    reply = inside.call("register_improved_model", **asked(baseline, {"accuracy": 0.02}), env=NOWHERE)
    left = registered_rows(database, baseline.run_id) - before

    if reply.error is None:
        return  # it is registered, and its announcement may come by another way; that it comes has its own check
    if left:
        fact.update(semantics="bad-input-left-behind", what=", ".join(sorted(left)))
    assert not left, exchange(
        "what is registered after an announcement failed (DB_HOST and REDIS_URL lead nowhere)",
        "psql in the database's container",
        expected=f"nothing new, since the registration failed: {reply.error}",
        got=sorted(left),
        do="take the version back when it cannot be announced, or announce it later",
    )


@pytest.mark.verifies("webhook-payload")
def test_a_baseline_is_not_announced(queue: Queue, baseline: Registered, fact: dict[str, Any]) -> None:
    """A baseline is not announced: only an improvement is ready to deploy."""
    found = messages_about_model(queue, baseline.run_id)

    if found:
        fact.update(semantics="announced-needlessly", what=f"the baseline {baseline.model_id}")
    assert not found, exchange(
        f"the messages about the baseline {baseline.model_id}",
        f"Redis, {', '.join(PLACES)}",
        expected="none",
        got=found,
        do="announce improved models alone",
    )


def messages_about_model(queue: Queue, run_id: str) -> list[dict[str, Any]]:
    """The envelopes whose payload is about this very run."""
    return [m for m in messages_about(queue, run_id) if (m.get("payload") or {}).get("mlflow_run_id") == run_id]
