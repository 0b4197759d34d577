"""The webhook tells of an improved model once, signed, in the payload that receivers have always parsed."""

import base64
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import pairwise
from typing import Any
from uuid import NAMESPACE_DNS, uuid4, uuid5

import pytest

from fixtures.http import Http
from fixtures.process import Process
from fixtures.registrations import Registered
from fixtures.sink import Delivery, Sink
from fixtures.target import Target
from suites.recorded import agrees, departures, stated, told
from suites.test_queue import CONTRIBUTOR, improve, measured
from suites.wording import exchange, shown

RETRIED_WITHIN = 30.0
"""Seconds within which three sends have come: the retries come 2 and 4 s after a failure."""

EARLIEST = 1.0
"""Seconds that at least pass before a retry, which is due after 2."""

ANSWERS = ([500, 500, 200], [202], [429, 401, 204])
"""What the sink answers about a registration: a failure that passes, success at once, and refusals that end when a limit or a login is renewed."""

KEY = "X-Hokusai-Idempotency-Key"
SIGNATURE = "X-Hokusai-Signature"


@pytest.fixture(scope="session")
def refused(inside: Process, sink: Sink, baseline: Registered) -> list[dict[str, Any]]:
    """A registration for each of ANSWERS, which the sink gives about it; the retries take their time."""
    symbols = [f"AW-{uuid4().hex[:10]}" for _ in ANSWERS]
    for symbol, statuses in zip(symbols, ANSWERS, strict=True):
        sink.answer_next(statuses, key=symbol)
    return [improve(inside, baseline, symbol=symbol) for symbol in symbols]


LATE = 6.0
"""Seconds after which a receiver answers that works first: past the five at which many HTTP clients give up, well below the 30 that are promised."""


@pytest.fixture(scope="session")
def late(inside: Process, sink: Sink, baseline: Registered) -> Callable[[], dict[str, Any]]:
    """Makes, when it is asked first, a registration about which the sink answers after LATE seconds; gives its answer."""

    @cache
    def made() -> dict[str, Any]:
        symbol = f"AW-{uuid4().hex[:10]}"
        sink.answer_next([200], key=symbol, wait=LATE)
        return improve(inside, baseline, symbol=symbol)

    return made


def arrived(sink: Sink, answer: dict[str, Any], n: int = 1, within: float | None = None) -> list[Delivery]:
    """The deliveries about a registration, by the run in their body, as soon as there are `n`."""
    about = sink.wait_for(n, answer["model_id"], within=within or sink.patience.within)
    sink.patience.learn(about)
    return about or [delivery for delivery in sink.deliveries() if str(answer["run_id"]).encode() in delivery.body]


def seen_of(deliveries: list[Delivery]) -> str:
    """Deliveries as a few words each."""
    return "; ".join(
        f"{d.t} key {d.headers.get(KEY)} answered {d.status_given}: {d.body.decode('utf-8', 'replace')}"
        for d in deliveries
    )


@pytest.mark.verifies("webhook-payload")
def test_the_payload_is_as_recorded(
    *,
    inside: Process,
    sink: Sink,
    tracking: Http,
    baseline: Registered,
    refused: list[dict[str, Any]],
    fact: dict[str, Any],
) -> None:
    """The webhook's body has exactly the recorded keys and types, and agrees with what MLflow itself holds."""
    del refused  # asked for here so that its retries come while other checks run
    metric, symbol = f"f1_{uuid4().hex[:8]}", f"AW-{uuid4().hex[:8]}"
    measured(tracking, baseline.run_id, metric, 0.5)
    answer = improve(inside, baseline, symbol=symbol, **{metric: 0.1})
    deliveries = arrived(sink, answer)

    if not deliveries:
        fact.update(semantics="not-delivered")
    assert deliveries, exchange(
        f"the deliveries about {answer['model_id']}, soon after its registration",
        "the harness's sink, to which WEBHOOK_URL leads",
        expected="one",
        got="none",
        do="look at the log of the API: what it says of its webhook",
    )
    body = deliveries[0].json
    metadata = body.get("metadata") if isinstance(body, dict) else None
    odd = departures("webhook_body", body) + departures("webhook_metadata", metadata)
    if odd:
        fact.update(stated("payload", odd))
    assert not odd, exchange(
        f"the webhook about {answer['model_id']}",
        "the harness's sink",
        expected="the recorded body (suites/contracts/webhook_body.json, webhook_metadata.json)",
        got=f"{told(odd)}: {shown(body)}",
        do="give the payload its recorded keys and types again: receivers parse it",
    )
    assert isinstance(metadata, dict)
    held = tracking.get(
        "/api/2.0/mlflow/model-versions/get",
        params={"name": answer["model_name"], "version": str(body["registered_version"])},
    )
    version = (held.json or {}).get("model_version", {}) if held.status == 200 else {}
    expected = {
        "model_id": f"{version.get('name')}/{version.get('version')}",
        "registered_version": str(version.get("version")),
        "token_symbol": symbol,
        "baseline_metrics": {metric: 0.5},
        "metadata.model_name": version.get("name"),
        "metadata.mlflow_run_id": version.get("run_id"),
        "metadata.contributor_address": CONTRIBUTOR,
    }
    flat = body | {f"metadata.{key}": value for key, value in metadata.items()}
    wrong = {key: flat.get(key) for key, value in expected.items() if flat.get(key) != value}
    if version.get("run_id") != answer["run_id"]:
        wrong["registered_version"] = body["registered_version"]
    improved = metadata["improvement_percentage"]
    if improved is not None and not agrees(improved, 20.0):
        wrong["metadata.improvement_percentage"] = improved
    for key, known in (("model_uuid", answer["model_uuid"]), ("model_uri", answer["model_uri"])):
        if body.get(key) not in {None, known}:
            wrong[key] = body[key]
    if not is_a_time(body["timestamp"]):
        wrong["timestamp"] = body["timestamp"]
    if wrong:
        key = min(wrong)
        contract = "webhook_metadata" if key.startswith("metadata.") else "webhook_body"
        fact.update(semantics="payload-value-wrong", contract=contract, key=key.removeprefix("metadata."))
    assert not wrong, exchange(
        f"the webhook about {answer['model_id']}, and version {body['registered_version']} in MLflow",
        "the harness's sink, and MLflow over REST",
        expected=shown({**expected, "run": answer["run_id"], "improvement_percentage": 20.0}),
        got=f"{shown(wrong)}; MLflow: {held}",
        do="fill the payload from what MLflow holds of the version and of the baseline's run",
    )


def is_a_time(text: str) -> bool:
    """Whether a text is an ISO 8601 time."""
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return True


@pytest.mark.verifies("webhook-payload")
def test_a_delivery_is_signed_over_its_bytes(
    *, inside: Process, sink: Sink, target: Target, improved: Registered, fact: dict[str, Any]
) -> None:
    """A delivery is signed: the HMAC-SHA256 of its exact bytes under WEBHOOK_SECRET, as JSON, with its key as header."""
    deliveries = arrived(sink, {"model_id": improved.model_id, "run_id": improved.run_id})
    if not deliveries:
        pytest.skip(f"because nothing was delivered about {improved.model_id}")
    delivery = deliveries[0]
    digest = inside.call("hmac_of", body_b64=base64.b64encode(delivery.body).decode())
    came = delivery.headers.get(SIGNATURE, "")
    kind = delivery.headers.get("Content-Type", "")

    has_secret = bool(target.settings.get("WEBHOOK_SECRET"))
    assert digest.error is None, exchange(
        "the HMAC-SHA256 of a delivery's body under its own WEBHOOK_SECRET",
        "the API's container",
        expected="a digest",
        got=str(digest.error),
        do="look at the API's container",
    )
    wanted, padded = (f"sha256={one}" for one in digest.result)
    if has_secret and came != wanted:
        fact.update(semantics="hmac-wrong", header=came[:80])
    assert not has_secret or came == wanted, exchange(
        f"the header {SIGNATURE} of the delivery about {improved.model_id}",
        "the harness's sink, and the API's own WEBHOOK_SECRET",
        expected=f"{wanted}, over the {len(delivery.body)} bytes that came",
        got=came or "no such header",
        do="take off the blank or line break around WEBHOOK_SECRET, which no receiver has in its own"
        if came == padded
        else "sign the very bytes that are sent, not the body serialised once more",
    )
    assert kind.startswith("application/json"), exchange(
        f"the header Content-Type of the delivery about {improved.model_id}",
        "the harness's sink",
        expected="application/json",
        got=kind,
        do="say that the body is JSON",
    )


@pytest.mark.verifies("webhook-payload")
def test_the_idempotency_key_is_the_deterministic_one(sink: Sink, improved: Registered, fact: dict[str, Any]) -> None:
    """The idempotency key is uuid5 of model, token, run and version, the same in the header and in the body."""
    deliveries = arrived(sink, {"model_id": improved.model_id, "run_id": improved.run_id})
    if not deliveries:
        pytest.skip(f"because nothing was delivered about {improved.model_id}")
    delivery = deliveries[0]
    body = delivery.json if isinstance(delivery.json, dict) else {}
    source = f"{improved.model_id}:{improved.metadata['token_symbol']}:{improved.run_id}:{improved.version}"
    expected = str(uuid5(NAMESPACE_DNS, source))

    found = (delivery.headers.get(KEY), body.get("idempotency_key"))
    if found != (expected, expected):
        fact.update(semantics="idempotency-key-not-kept")
    assert found == (expected, expected), exchange(
        f"the idempotency key of the delivery about {improved.model_id}, in {KEY} and in the body",
        "the harness's sink",
        expected=f"{expected} in both: uuid5(NAMESPACE_DNS, {source!r})",
        got=found,
        do="derive the key from model, token, run and version alone",
    )


@pytest.mark.verifies("webhook-payload")
@pytest.mark.last
def test_a_failed_delivery_is_sent_again_with_the_same_key(
    sink: Sink, refused: list[dict[str, Any]], fact: dict[str, Any]
) -> None:
    """500, 500, 200 gives three sends, 2 and 4 s apart, with one key and one body; any 2xx is success."""
    answer, other, barred = refused
    sends = arrived(sink, answer, 3, RETRIED_WITHIN)
    single = arrived(sink, other)
    again = arrived(sink, barred, 3, RETRIED_WITHIN)

    if sends and len(sends) < 3:
        fact.update(semantics="not-retried", sends=len(sends))
    elif len(sends) > 3:
        fact.update(semantics="delivered-twice", count=len(sends) - 2)
    elif not sends:
        fact.update(semantics="not-delivered")
    assert [send.status_given for send in sends] == [500, 500, 200], exchange(
        f"the sends about {answer['model_id']}, answered with 500, 500, 200, within {RETRIED_WITHIN:g} s",
        "the harness's sink",
        expected="three sends, then no more",
        got=f"{len(sends)} sends: {seen_of(sends)}",
        do="send again after 2, 4, 8, 16, 32 s until it is answered with 2xx",
    )
    keys = {send.headers.get(KEY) for send in sends} | {(send.json or {}).get("idempotency_key") for send in sends}
    if len(keys) != 1:
        fact.update(semantics="idempotency-key-not-kept")
    assert len(keys) == 1, exchange(
        f"the idempotency key of three sends about {answer['model_id']}",
        "the harness's sink",
        expected="one key in all headers and bodies",
        got=sorted(map(str, keys)),
        do="derive the key from model, token, run and version alone",
    )
    waits = [(later.at - earlier.at).total_seconds() for earlier, later in pairwise(sends)]
    if min(waits) < EARLIEST:
        fact.update(semantics="not-retried", sends=len(sends))
    assert min(waits) >= EARLIEST, exchange(
        f"the times between three sends about {answer['model_id']}",
        "the harness's sink",
        expected="2 and 4 s",
        got=waits,
        do="wait before sending again",
    )
    if len(single) > 1:
        fact.update(semantics="delivered-twice", count=len(single))
    assert len(single) == 1, exchange(
        f"the sends about {other['model_id']}, answered with 202",
        "the harness's sink",
        expected="one: any 2xx is success",
        got=f"{len(single)}: {seen_of(single)}",
        do="take any 2xx for success",
    )
    given_up = bool(again) and len(again) < 3
    if given_up:
        fact.update(semantics="not-retried", sends=len(again))
    assert not given_up, exchange(
        f"the sends about {barred['model_id']}, answered with 429, 401, 204, within {RETRIED_WITHIN:g} s",
        "the harness's sink",
        expected="three sends: only a 2xx is success",
        got=f"{len(again)}: {seen_of(again)}",
        do="send again after a refusal too: a limit passes, and a login is renewed",
    )


@pytest.mark.verifies("webhook-payload")
def test_every_delivery_of_one_process_is_single(
    *, inside: Process, sink: Sink, baseline: Registered, late: Callable[[], dict[str, Any]], fact: dict[str, Any]
) -> None:
    """The second and third delivery of one process are as single as the first."""
    answers = [improve(inside, baseline) for _ in range(3)]
    counts = {answer["model_id"]: len(arrived(sink, answer)) for answer in answers}

    if max(counts.values()) > 1:
        fact.update(semantics="delivered-twice", count=max(counts.values()))
    elif min(counts.values()) == 0:
        fact.update(semantics="not-delivered")
    assert set(counts.values()) == {1}, exchange(
        "the deliveries about three registrations, one after the other in one process",
        "the harness's sink",
        expected="one each",
        got=counts,
        do="announce every improved model, once, by the webhook",
    )
    late()  # asked for here so that its answer comes while other checks run


@pytest.mark.verifies("webhook-payload")
@pytest.mark.last
def test_a_slow_receiver_is_sent_to_once(sink: Sink, late: Callable[[], dict[str, Any]], fact: dict[str, Any]) -> None:
    """An answer may take up to 30 s: until then nothing is sent again."""
    answer = late()
    first = arrived(sink, answer)
    if not first:
        pytest.skip(f"because nothing was delivered about {answer['model_id']}")
    left = first[0].at + timedelta(seconds=2 * LATE) - datetime.now(UTC)
    sends = arrived(sink, answer, 2, max(0.1, left.total_seconds()))

    if len(sends) > 1:
        fact.update(semantics="delivered-twice", count=len(sends))
    assert len(sends) == 1, exchange(
        f"the sends about {answer['model_id']}, answered with 200 after {LATE:g} s",
        "the harness's sink",
        expected="one: an answer may take 30 s",
        got=f"{len(sends)}: {seen_of(sends)}",
        do="wait 30 s for an answer before sending again",
    )


@pytest.mark.verifies("webhook-payload")
@pytest.mark.last
def test_nothing_was_delivered_twice_in_the_whole_run(sink: Sink, improved: Registered, fact: dict[str, Any]) -> None:
    """At the end of the run no delivery that was accepted has come a second time, and none had a key of another."""
    accepted: dict[str, int] = {}
    keys: dict[str, set[str]] = {}
    for delivery in sink.deliveries():
        body = delivery.json if isinstance(delivery.json, dict) else {}
        if "model_id" not in body:
            continue  # the ladder's own question whether the address answers, one from each place that sends there
        model = str(body["model_id"])
        keys.setdefault(str(delivery.headers.get(KEY)), set()).add(model)
        if 200 <= delivery.status_given < 300:
            accepted[model] = accepted.get(model, 0) + 1
    doubled = {model: count for model, count in accepted.items() if count > 1}
    shared = {key: sorted(models) for key, models in keys.items() if len(models) > 1}

    if doubled:
        fact.update(semantics="delivered-twice", count=max(doubled.values()))
    elif shared:
        fact.update(semantics="idempotency-key-not-kept")
    assert not doubled, exchange(
        f"every delivery of this run, {improved.model_id} among them",
        "the harness's sink",
        expected="each accepted once",
        got=doubled,
        do="send again only what was not answered with 2xx",
    )
    assert not shared, exchange(
        "the idempotency keys of every delivery of this run",
        "the harness's sink",
        expected="a key for each model version",
        got=shared,
        do="derive the key from model, token, run and version",
    )
