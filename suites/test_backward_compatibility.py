"""Callers and models from before the release still work (the seed's Test 3)."""

from typing import Any
from uuid import uuid4

import pytest

from fixtures.http import Http
from fixtures.process import Process
from fixtures.registrations import Registered
from suites.recorded import departures, stated, told
from suites.wording import exchange, shown, was_answered

FOREST = {"kind": "forest", "seed": 8}
OLD_KEYS = ("model_id", "model_name", "version", "model_type", "is_baseline", "run_id", "registration_timestamp")
"""What register_baseline answered before the release."""

ADDRESS = "0x" + "ab" * 20


@pytest.mark.verifies("backward-compatibility")
@pytest.mark.parametrize("style", ["keywords", "positional"])
def test_an_old_call_still_registers(inside: Process, baseline: Registered, fact: dict[str, Any], style: str) -> None:
    """A call without signature, input_example and code_paths registers: UUID made, signature None, version there."""
    reply = inside.call(
        "register_baseline",
        model=FOREST,
        model_type="classification",
        metadata={"test": "backward_compatibility"},
        old_call=style,
    )
    answer = (reply.result or {}).get("answer")
    found = departures("register_baseline", answer)

    if reply.error is not None and baseline.error is None:
        fact.update(semantics="old-call-broken", call=f"register_baseline ({style})")
    elif reply.error is None:
        fact.update(stated("answer", found))
    assert reply.error is None, exchange(
        f"register_baseline(model, model_type, metadata), by {style}, as before the release",
        "HokusaiModelRegistry in the API's container",
        expected="the dict of a registration",
        got=str(reply.error),
        do="give every new argument a default, after the old ones",
    )
    assert not found, exchange(
        f"register_baseline(model, model_type, metadata), by {style}, as before the release",
        "HokusaiModelRegistry in the API's container",
        expected="the recorded answer (suites/contracts/register_baseline.json)",
        got=told(found),
        do="answer old calls as new ones",
    )
    assert isinstance(answer, dict)
    if answer["signature"] is not None:
        fact.update(semantics="answer-value-wrong", contract="register_baseline", key="signature")
    assert answer["signature"] is None, exchange(
        "register_baseline without a signature",
        "HokusaiModelRegistry in the API's container",
        expected="signature None",
        got=answer["signature"],
        do="answer None where there is no signature, not the text of it",
    )


@pytest.mark.verifies("backward-compatibility")
def test_an_old_call_improves_a_model(
    inside: Process, baseline: Registered, improved: Registered, fact: dict[str, Any]
) -> None:
    """An improved model registers by the old call, without metadata or any other new argument."""
    reply = inside.call(
        "register_improved_model",
        model=FOREST,
        baseline_id=baseline.model_id,
        delta_metrics={"accuracy": 0.02},
        contributor=ADDRESS,
        old_call="keywords",
    )
    found = departures("register_improved_model", (reply.result or {}).get("answer"))

    if reply.error is not None and improved.error is None:
        fact.update(semantics="old-call-broken", call="register_improved_model")
    elif reply.error is None:
        fact.update(stated("answer", found))
    assert reply.error is None, exchange(
        "register_improved_model(model, baseline_id, delta_metrics, contributor), as before the release",
        "HokusaiModelRegistry in the API's container",
        expected="the dict of a registration",
        got=str(reply.error),
        do="give every new argument a default, after the old ones",
    )
    assert not found, exchange(
        "register_improved_model(model, baseline_id, delta_metrics, contributor), as before the release",
        "HokusaiModelRegistry in the API's container",
        expected="the recorded answer (suites/contracts/register_improved_model.json)",
        got=told(found),
        do="answer old calls as new ones",
    )


@pytest.mark.verifies("backward-compatibility")
def test_the_old_keys_are_what_they_were(baseline: Registered, fact: dict[str, Any]) -> None:
    """The seven keys from before the release are in the answer, version a string and is_baseline a true boolean."""
    answer = baseline.answer
    lacking = [key for key in OLD_KEYS if key not in answer]
    types = {key: baseline.types.get(key) for key in OLD_KEYS if key in answer}
    expected = {key: "bool" if key == "is_baseline" else "str" for key in types}

    odd = [key for key in types if types[key] != expected[key]]
    seen = [{"semantics": "answer-key-missing", "contract": "register_baseline", "key": key} for key in lacking]
    seen += [
        {
            "semantics": "answer-key-retyped",
            "contract": "register_baseline",
            "key": key,
            "recorded": expected[key],
            "got": str(types[key]),
        }
        for key in odd
    ]
    if seen:
        fact.update(seen=seen)
    assert not lacking, exchange(
        "register_baseline(...)",
        "HokusaiModelRegistry in the API's container",
        expected=f"the keys {', '.join(OLD_KEYS)}",
        got=f"without {lacking}: {shown(answer)}",
        do="keep every old key beside the new ones",
    )
    assert not odd, exchange(
        "register_baseline(...)",
        "HokusaiModelRegistry in the API's container",
        expected=shown({key: expected[key] for key in odd}),
        got={key: types[key] for key in odd},
        do="keep the type of every old key: receivers of the webhook compare version as text",
    )


@pytest.mark.verifies("backward-compatibility")
def test_a_model_from_before_is_listed_loaded_traced(
    inside: Process, outside: Process, api: Http, fact: dict[str, Any]
) -> None:
    """A model registered before the release, in the old shape, is listed, loaded with its predictions, and traced."""
    name = "hokusai_regression_baseline"
    token = uuid4().hex
    old = outside.call(
        "seed_old_model",
        name=name,
        params={"model_type": "regression", "is_baseline": "True"},
        tags={"model_type": "regression", "is_baseline": "true", "token": token},
        metrics={"rmse": 0.25},
    )
    assert old.error is None, exchange(
        f"register a model under {name} in the old shape: artifacts in the run, no UUID",
        "MLflow, by a client outside",
        expected="a version",
        got=str(old.error),
        do="look at the tracking server and the store",
    )
    version, run = old.result["version"], old.result["run_id"]
    lineage = inside.call("get_model_lineage", model_name=name)
    listed = [entry for entry in lineage.result or [] if isinstance(entry, dict) and entry.get("run_id") == run]
    if lineage.error is None and len(listed) != 1:
        fact.update(semantics="old-model-broken", what="listed")
    assert len(listed) == 1, exchange(
        f"the lineage of {name}, of which version {version} was registered before the release",
        "HokusaiModelRegistry in the API's container",
        expected=f"one entry with run {run}",
        got=str(lineage.error) if lineage.error else lineage.result,
        do="list versions that have no UUID as well",
    )
    shape = departures("get_model_lineage", listed[0])
    if shape:
        fact.update(semantics="old-model-broken", what="listed")
    assert not shape, exchange(
        f"the lineage of {name}, of which version {version} was registered before the release",
        "HokusaiModelRegistry in the API's container",
        expected="an entry as recorded (suites/contracts/get_model_lineage.json)",
        got=f"{told(shape)}: {shown(listed[0])}",
        do="fill entries of old versions as those of new ones",
    )
    loaded = outside.call("load_and_predict", uri=f"models:/{name}/{version}", rows=old.result["rows"])
    if was_answered(loaded.error) and loaded.result != old.result["predictions"]:
        fact.update(semantics="old-model-broken", what="loaded")
    assert loaded.error is None, exchange(
        f"load models:/{name}/{version} and predict",
        "MLflow and the store, by a client outside",
        expected=old.result["predictions"],
        got=str(loaded.error),
        do="look whether old artifacts can still be read: where they lie, and by whose credentials",
    )
    assert loaded.result == old.result["predictions"], exchange(
        f"load models:/{name}/{version} and predict",
        "MLflow and the store, by a client outside",
        expected=old.result["predictions"],
        got=loaded.result,
        do="look at what lies under the old version's source",
    )
    traced = api.get(f"/models/{name}/{version}")
    if traced.status not in {None, 502, 503, 504} and (traced.status != 200 or run not in traced.text):
        fact.update(semantics="old-model-broken", what="traced")
    assert traced.status == 200, exchange(
        f"GET /models/{name}/{version}, registered before the release",
        "the API",
        expected=f"200, and run {run}",
        got=str(traced),
        do="answer for versions that have no UUID as well",
    )
    assert run in traced.text, exchange(
        f"GET /models/{name}/{version}, registered before the release",
        "the API",
        expected=f"its run {run}",
        got=str(traced),
        do="answer with the version's own run",
    )
