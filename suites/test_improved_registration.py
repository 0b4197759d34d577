"""An improved model is registered on its baseline; lineage, contributor and promotion tell of it."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from fixtures.http import Http
from fixtures.process import Process
from fixtures.registrations import Registered
from fixtures.witnesses import Database
from suites.recorded import agrees, departures, stated, told
from suites.test_baseline_registration import registered, registered_rows
from suites.test_uuid_lookup import looked_up
from suites.wording import exchange, lost_or_changed, shown, was_answered

FOREST = {"kind": "forest", "seed": 11}


def an_address() -> str:
    """An Ethereum address that no one else uses, in small and capital letters as a checksum writes it (EIP-55)."""
    digits = uuid4().hex + uuid4().hex[:8]
    return "0x" + digits[:20].upper() + digits[20:]


@pytest.mark.verifies("modelinfo-capture")
def test_an_improved_model_answers_in_full(baseline: Registered, inside: Process, fact: dict[str, Any]) -> None:
    """An improved model answers with all its keys, and with the baseline, contributor and deltas that it was given."""
    contributor, token = an_address(), uuid4().hex
    asked: dict[str, Any] = {
        "baseline_id": baseline.model_id,
        "delta_metrics": {"accuracy": 0.03, "f1": 0.01},
        "contributor": contributor,
    }
    reply = inside.call(
        "register_improved_model",
        model=FOREST,
        **asked,
        metadata={"token": token},
        signature="infer",
        input_example=True,
    )
    answer = registered(reply)
    found = departures("register_improved_model", answer)

    if reply.error is None:
        fact.update(stated("answer", found))
    assert reply.error is None, exchange(
        f"register_improved_model(forest, {shown(asked)})",
        "HokusaiModelRegistry in the API's container",
        expected="the dict of a registration",
        got=str(reply.error),
        do="read the error: it is the service's own",
    )
    assert not found, exchange(
        f"register_improved_model(forest, {shown(asked)})",
        "HokusaiModelRegistry in the API's container",
        expected="the recorded answer (suites/contracts/register_improved_model.json)",
        got=told(found),
        do="give the answer its recorded keys and types again",
    )
    expected = asked | {
        "model_name": str(baseline.name).removesuffix("_baseline") + "_improved",
        "model_id": f"{answer['model_name']}/{answer['version']}",
        "model_uri": f"models:/{answer['model_uuid']}",
    }
    wrong = {key: answer.get(key) for key, value in expected.items() if answer.get(key) != value}
    if wrong:
        fact.update(
            seen=[
                {"semantics": "answer-value-wrong", "contract": "register_improved_model", "key": key} for key in wrong
            ]
        )
    assert not wrong, exchange(
        f"register_improved_model(forest, {shown(asked)})",
        "HokusaiModelRegistry in the API's container",
        expected=shown({key: expected[key] for key in wrong}),
        got=wrong,
        do="hand back what was given; the name is the baseline's with _improved",
    )
    if answer["metadata"].get("token") != token:
        fact.update(semantics=lost_or_changed(answer["metadata"], ["token"]), keys=["token"])
    assert answer["metadata"].get("token") == token, exchange(
        "register_improved_model(..., metadata={'token': ...})",
        "HokusaiModelRegistry in the API's container",
        expected=f"metadata with token {token}",
        got=answer["metadata"],
        do="hand the whole metadata on, and back",
    )
    if answer["metadata"].get("is_baseline") is not False:
        fact.update(semantics="metadata-changed", keys=["is_baseline"])
    assert answer["metadata"].get("is_baseline") is False, exchange(
        "register_improved_model(...)",
        "HokusaiModelRegistry in the API's container",
        expected="metadata with is_baseline False",
        got=answer["metadata"],
        do="an improved model is no baseline",
    )


@pytest.mark.verifies("modelinfo-capture")
def test_an_improved_version_carries_its_uuid(tracking: Http, improved: Registered, fact: dict[str, Any]) -> None:
    """A version in MLflow has the tag model_uuid, by which one query leads from a UUID to name, version and run."""
    held = tracking.get(
        "/api/2.0/mlflow/model-versions/get", params={"name": improved.name, "version": improved.version}
    )
    if held.status != 200:
        pytest.skip(f"because MLflow does not tell of {improved.model_id}: {held}")
    tags = {tag["key"]: tag.get("value") for tag in held.json["model_version"].get("tags") or ()}

    if tags.get("model_uuid") != improved.uuid:
        fact.update(semantics="lookup-wrong", key="model_uuid")
    assert tags.get("model_uuid") == improved.uuid, exchange(
        f"the tags of {improved.model_id}, which is {improved.uuid}",
        "MLflow over REST",
        expected=f"model_uuid {improved.uuid}",
        got=tags,
        do="tag the version with the UUID of the model that it was made of",
    )


@pytest.mark.verifies("modelinfo-capture")
def test_an_improved_model_loads_and_predicts(improved: Registered, outside: Process, fact: dict[str, Any]) -> None:
    """An improved model loads back by its URI and predicts what the original predicts."""
    predicted = outside.call("load_and_predict", uri=f"models:/{improved.uuid}", rows=improved.rows)

    if predicted.error is not None and was_answered(predicted.error):
        fact.update(semantics="model-not-loadable", model=improved.model_id)
    elif predicted.error is None and predicted.result != improved.predictions:
        fact.update(semantics="prediction-differs", model=improved.model_id)
    assert predicted.error is None, exchange(
        f"load models:/{improved.uuid} and predict",
        "MLflow and the store, by a client outside",
        expected=improved.predictions,
        got=str(predicted.error),
        do="look whether the model's artifacts are in the bucket",
    )
    assert predicted.result == improved.predictions, exchange(
        f"load models:/{improved.uuid} and predict",
        "MLflow and the store, by a client outside",
        expected=improved.predictions,
        got=predicted.result,
        do="look at what was logged: it is not the model that was handed in",
    )


@pytest.mark.verifies("modelinfo-capture")
@pytest.mark.parametrize("where", ["container", "http"])
@pytest.mark.parametrize("kind", ["baseline", "improved"])
def test_lineage_holds_what_was_registered(
    *,
    inside: Process,
    api: Http,
    tracking: Http,
    baseline: Registered,
    improved: Registered,
    fact: dict[str, Any],
    kind: str,
    where: str,
) -> None:
    """The lineage of a model holds its version once, with its run, as the baseline or the improvement that it is."""
    asked = baseline if kind == "baseline" else improved
    own = asked.answer | {"run_id": asked.run_id, "version": asked.version}
    name = asked.name
    entries, seen = lineage_of(name, where, inside, api)
    mine = [entry for entry in entries or [] if isinstance(entry, dict) and entry.get("run_id") == own["run_id"]]

    if isinstance(entries, list) and len(mine) != 1:
        fact.update(semantics="lineage-wrong")
    assert len(mine) == 1, exchange(
        f"the lineage of {name}, of which run {own['run_id']} made version {own['version']}",
        f"the registry ({where})",
        expected="exactly one entry with that run",
        got=f"{len(mine)} of them: {seen}",
        do="list every version of the name, baselines too, each once",
    )
    shape = departures("get_model_lineage", mine[0])
    if shape:
        fact.update(stated("answer", shape))
    assert not shape, exchange(
        f"the lineage of {name}",
        f"the registry ({where})",
        expected="entries as recorded (suites/contracts/get_model_lineage.json)",
        got=f"{told(shape)}: {shown(mine[0])}",
        do="give the entries their recorded keys and types",
    )
    expected: dict[str, Any] = {"version": own["version"], "is_baseline": kind == "baseline"}
    if kind == "improved":
        expected |= {"contributor": improved.contributor, "baseline_id": baseline.model_id}
    wrong = {key: value for key, value in expected.items() if mine[0].get(key) != value}
    wrong |= unlike_its_run(mine[0], tracking)
    if wrong:
        fact.update(semantics="lineage-wrong")
    assert not wrong, exchange(
        f"the lineage of {name}, version {own['version']}",
        f"the registry ({where})",
        expected=shown(wrong),
        got=mine[0],
        do="fill the entry from the version's own run",
    )


AGE = timedelta(minutes=10)
"""By how much the time of an entry may differ from its run's: both are made within a registration; zones and units differ by more."""

MILLISECONDS = 10**11
"""More than this, in seconds, no clock shows."""


def unlike_its_run(entry: Mapping[str, Any], tracking: Http) -> dict[str, Any]:
    """What MLflow holds of an entry's run where the entry says otherwise: metrics, and when it was made."""
    asked = tracking.get("/api/2.0/mlflow/runs/get", params={"run_id": str(entry.get("run_id"))})
    run = (asked.json or {}).get("run", {}) if asked.status == 200 else {}
    if not run:
        return {}
    metrics = {one["key"]: one["value"] for one in run.get("data", {}).get("metrics") or ()}
    started = datetime.fromtimestamp(int(run["info"]["start_time"]) / 1000, UTC)
    wrong: dict[str, Any] = {}
    told_of = entry.get("metrics") or {}
    if bool(told_of) != bool(metrics) or any(not agrees(value, metrics.get(key)) for key, value in told_of.items()):
        wrong["metrics"] = metrics
    if abs(moment_of(entry.get("created_at")) - started) > AGE:
        wrong["created_at"] = started.isoformat()
    return wrong


def moment_of(told_as: object) -> datetime:
    """A time as a registry tells it, ISO 8601 (UTC where it names no zone), milliseconds or seconds; the beginning of time for anything else."""
    try:
        moment = (
            datetime.fromtimestamp(told_as / 1000 if told_as > MILLISECONDS else told_as, UTC)
            if isinstance(told_as, int | float)
            else datetime.fromisoformat(str(told_as))
        )
    except (ValueError, OverflowError):
        return datetime.min.replace(tzinfo=UTC)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def lineage_of(name: str, where: str, inside: Process, api: Http) -> tuple[Any, str]:
    """The entries of a name's lineage, None where they were refused, and the exchange in words."""
    if where == "container":
        reply = inside.call("get_model_lineage", model_name=name)
        entries, seen = reply.result, str(reply)
    else:
        answer = api.get(f"/models/{name}/lineage")
        entries, seen = (answer.json if answer.status == 200 else None), str(answer)
    return (entries.get("lineage", entries) if isinstance(entries, dict) else entries), seen


@pytest.mark.verifies("modelinfo-capture")
@pytest.mark.parametrize("where", ["container", "http"])
@pytest.mark.last
def test_lineage_leaves_no_version_out(
    *, inside: Process, api: Http, tracking: Http, improved: Registered, fact: dict[str, Any], where: str
) -> None:
    """At the end of the run, when the name of the improvements has many versions, its lineage holds each that MLflow itself lists."""
    listed = tracking.get(
        "/api/2.0/mlflow/model-versions/search", params={"filter": f"name='{improved.name}'", "max_results": "10000"}
    )
    if listed.status != 200:
        pytest.skip(f"because MLflow does not list the versions of {improved.name}: {listed}")
    there = {str(version["version"]) for version in listed.json.get("model_versions") or ()}
    entries, seen = lineage_of(improved.name, where, inside, api)
    if not isinstance(entries, list):
        pytest.skip(f"because the lineage of {improved.name} was refused: {seen}")
    held = {str(entry.get("version")) for entry in entries if isinstance(entry, dict)}
    left_out = sorted(there - held, key=int)

    if left_out:
        fact.update(semantics="lineage-wrong")
    assert not left_out, exchange(
        f"the lineage of {improved.name}, of which MLflow lists {len(there)} versions",
        f"the registry ({where})",
        expected="every version",
        got=f"{len(held)} of them, without {', '.join(left_out)}",
        do="list every version of the name, the first ones too, however many there are",
    )


@pytest.mark.verifies("modelinfo-capture")
def test_a_contributor_is_credited_with_own_models_only(
    inside: Process, api: Http, tracking: Http, baseline: Registered, fact: dict[str, Any]
) -> None:
    """A contributor's list holds exactly the models of that address, in the container and over HTTP; a stranger's none."""
    mine, other, stranger = an_address(), an_address(), an_address()
    replies = [
        inside.call(
            "register_improved_model",
            model=FOREST,
            baseline_id=baseline.model_id,
            delta_metrics={"accuracy": 0.01},
            contributor=address,
            signature="infer",
        )
        for address in (mine, mine, other)
    ]
    errors = [str(reply.error) for reply in replies if reply.error]
    assert not errors, exchange(
        "register_improved_model(...), twice by one contributor and once by another",
        "HokusaiModelRegistry in the API's container",
        expected="three registrations",
        got=errors,
        do="read the error: it is the service's own",
    )
    runs = [str(registered(reply).get("run_id")) for reply in replies]
    for address, expected in ((mine, runs[:2]), (other, runs[2:]), (stranger, [])):
        reply = inside.call("get_contributor_models", address=address)
        answer = api.get(f"/contributors/{address}/models")
        over_http = answer.json.get("models", answer.json) if isinstance(answer.json, dict) else answer.json
        for where, entries, seen in (("container", reply.result, str(reply)), ("http", over_http, str(answer))):
            listed = sorted(str(entry.get("run_id")) for entry in entries or [] if isinstance(entry, dict))
            if isinstance(entries, list) and listed != sorted(expected):
                fact.update(semantics="lineage-wrong")
            assert listed == sorted(expected), exchange(
                f"the models of contributor {address}, who made the runs {expected}",
                f"the registry ({where})",
                expected=f"exactly these {len(expected)}",
                got=seen,
                do="filter by the contributor's address",
            )
            shape = [departure for entry in entries or [] for departure in departures("get_contributor_models", entry)]
            if shape:
                fact.update(stated("answer", shape[:1]))
            assert not shape, exchange(
                f"the models of contributor {address}",
                f"the registry ({where})",
                expected="entries as recorded (suites/contracts/get_contributor_models.json)",
                got=f"{told(shape)}: {seen}",
                do="give the entries their recorded keys and types",
            )
            wrong = {entry["run_id"]: odd for entry in entries or [] if (odd := unlike_its_run(entry, tracking))}
            if wrong:
                fact.update(semantics="lineage-wrong")
            assert not wrong, exchange(
                f"the models of contributor {address}",
                f"the registry ({where})",
                expected=f"what MLflow holds of their runs: {shown(wrong)}",
                got=seen,
                do="fill each entry from its own run",
            )


def stage_of(tracking: Http, answer: dict[str, Any]) -> str:
    """The stage that MLflow itself holds of a version."""
    told_of = tracking.get(
        "/api/2.0/mlflow/model-versions/get", params={"name": answer["model_name"], "version": answer["version"]}
    )
    return (
        str(((told_of.json or {}).get("model_version") or {}).get("current_stage"))
        if told_of.status == 200
        else str(told_of)
    )


@pytest.mark.verifies("modelinfo-capture")
@pytest.mark.parametrize("where", ["container", "http"])
def test_a_promotion_moves_that_version(
    inside: Process, api: Http, tracking: Http, fact: dict[str, Any], where: str
) -> None:
    """A promotion moves the version that it names to Production, as MLflow itself shows, and no other."""
    made = [
        registered(
            inside.call(
                "register_baseline", model=FOREST, model_type="lead_scoring", metadata={"n": number}, signature="infer"
            )
        )
        for number in range(2)
    ]
    assert all(made), exchange(
        "register_baseline(forest, 'lead_scoring', metadata), twice",
        "HokusaiModelRegistry in the API's container",
        expected="two registrations",
        got=made,
        do="see the checks of registration",
    )
    if any(key not in answer for answer in made for key in ("model_name", "version", "model_id")):
        pytest.skip(f"because a registration does not say what it made: {shown(made[0])}")
    own, other = (answer | {"version": str(answer["version"])} for answer in made)
    uuid = str(own.get("model_uuid"))
    looked_up(where, inside, api, uuid)  # what is kept of this answer must not be told after the promotion
    if where == "container":
        reply = inside.call("promote_model_to_production", model_name=own["model_name"], version=own["version"])
        answer, seen = reply.result, str(reply)
    else:
        told_over = api.post(f"/models/{own['model_name']}/{own['version']}/promote", json={})
        answer, seen = (told_over.json if told_over.status in {200, 201} else None), str(told_over)
    stages = {what: stage_of(tracking, made_one) for what, made_one in (("own", own), ("other", other))}

    if answer is not None and (stages["own"] != "Production" or stages["other"] == "Production"):
        fact.update(semantics="promote-wrong")
    assert answer is not None, exchange(
        f"promote {own['model_id']}",
        f"the registry ({where})",
        expected="the answer of a promotion",
        got=seen,
        do="read the error: it is the service's own",
    )
    assert stages["own"] == "Production", exchange(
        f"the stage of {own['model_id']} after its promotion",
        "MLflow over REST",
        expected="Production",
        got=f"{stages['own']}; the registry ({where}) had answered {seen}",
        do="move the version's stage in MLflow, and answer what MLflow then says",
    )
    assert stages["other"] != "Production", exchange(
        f"the stage of {other['model_id']} after the promotion of {own['model_id']}",
        "MLflow over REST",
        expected="not Production",
        got=stages["other"],
        do="promote the version that was named, not the newest",
    )
    shape = departures("promote_model_to_production", answer)
    if shape:
        fact.update(stated("answer", shape))
    assert not shape, exchange(
        f"promote {own['model_id']}",
        f"the registry ({where})",
        expected="the recorded answer (suites/contracts/promote_model_to_production.json)",
        got=f"{told(shape)}: {seen}",
        do="give the answer its recorded keys and types",
    )
    expected = {"model_id": own["model_id"], "version": own["version"]}
    wrong = [key for key, value in expected.items() if answer.get(key) != value]
    if wrong:
        fact.update(semantics="answer-value-wrong", contract="promote_model_to_production", key=wrong[0])
    assert not wrong, exchange(
        f"promote {own['model_id']}",
        f"the registry ({where})",
        expected=shown(expected),
        got=seen,
        do="answer with the version that was promoted",
    )
    found, said = looked_up(where, inside, api, uuid)
    stage = found.get("stage") if isinstance(found, dict) else None
    if isinstance(found, dict) and stage != "Production":
        fact.update(semantics="lookup-wrong", key="stage")
    assert stage == "Production", exchange(
        f"look up {uuid} after the promotion of {own['model_id']}, and once before",
        f"the registry ({where})",
        expected="stage Production",
        got=said,
        do="ask MLflow for the stage each time",
    )


BAD_ADDRESSES = {
    "no address": "",
    "too short": "0x1234",
    "no prefix": "ab" * 21,
    "not hexadecimal": "0x" + "zz" * 20,
    "with a line break": "0x" + "ab" * 20 + "\n",
}


@pytest.mark.verifies("modelinfo-capture")
@pytest.mark.parametrize("bad", BAD_ADDRESSES)
def test_a_bad_address_is_refused_and_leaves_nothing(
    inside: Process, database: Database, baseline: Registered, fact: dict[str, Any], bad: str
) -> None:
    """A contributor that is no Ethereum address is refused by a ValueError, and nothing is left of the attempt."""
    before = registered_rows(database, baseline.run_id)
    reply = inside.call(
        "register_improved_model",
        model=FOREST,
        baseline_id=baseline.model_id,
        delta_metrics={"accuracy": 0.01},
        contributor=BAD_ADDRESSES[bad],
    )
    left = registered_rows(database, baseline.run_id) - before

    if reply.error is None:
        fact.update(semantics="bad-input-accepted", input=f"contributor {BAD_ADDRESSES[bad]!r}")
    elif left:
        fact.update(semantics="bad-input-left-behind", what=", ".join(sorted(left)))
    assert reply.error is not None, exchange(
        f"register_improved_model(..., contributor={BAD_ADDRESSES[bad]!r})",
        "HokusaiModelRegistry in the API's container",
        expected="a ValueError",
        got=reply.result,
        do="check the address (^0x[a-fA-F0-9]{40}$, the whole of it) before anything is logged",
    )
    assert reply.error.type == "ValueError", exchange(
        f"register_improved_model(..., contributor={BAD_ADDRESSES[bad]!r})",
        "HokusaiModelRegistry in the API's container",
        expected="a ValueError",
        got=str(reply.error),
        do="check the address (^0x[a-fA-F0-9]{40}$, the whole of it) before anything is logged",
    )
    assert not left, exchange(
        "what is registered after a bad address was refused",
        "psql in the database's container",
        expected="nothing new",
        got=sorted(left),
        do="check the address before anything is logged",
    )


@pytest.mark.verifies("modelinfo-capture")
def test_a_store_error_surfaces_as_itself(
    inside: Process, database: Database, tracking: Http, baseline: Registered, fact: dict[str, Any]
) -> None:
    """When the object store refuses a registration, its own error comes out, unmasked, and nothing is left registered."""
    before = registered_rows(database, baseline.run_id)
    reply = inside.call(
        "register_baseline",
        model=FOREST,
        model_type="classification",
        metadata={"token": uuid4().hex},
        signature="infer",
        env={"MLFLOW_S3_ENDPOINT_URL": "http://127.0.0.1:9"},
    )
    left = registered_rows(database, baseline.run_id) - before
    where = tracking.get("/api/2.0/mlflow/runs/get", params={"run_id": baseline.run_id})
    artifacts = str((((where.json or {}).get("run") or {}).get("info") or {}).get("artifact_uri"))

    if artifacts.startswith("mlflow-artifacts:") and reply.error is None:
        return  # the server carries the artifacts: what the client says of the store is never used
    words = (
        ""
        if reply.error is None
        else " ".join(f"{problem.type}: {problem.message}" for problem in (reply.error, *reply.error.chain))
    )
    shown_first = "" if reply.error is None else f"{reply.error.type}: {reply.error.message}"
    masked = any(word in shown_first for word in ("python_model", "PythonModel", "loader_module"))
    if masked:
        fact.update(semantics="error-masked", masked="the object store's connection error", shown=shown_first[:200])
    elif reply.error is not None and left:
        fact.update(semantics="bad-input-left-behind", what=", ".join(sorted(left)))
    assert reply.error is not None, exchange(
        "register_baseline(...) while the object store is out (MLFLOW_S3_ENDPOINT_URL leads nowhere)",
        "HokusaiModelRegistry in the API's container",
        expected="the store's own error",
        got=reply.result,
        do="do not answer as registered what was not stored",
    )
    assert not masked, exchange(
        "register_baseline(...) while the object store is out (MLFLOW_S3_ENDPOINT_URL leads nowhere)",
        "HokusaiModelRegistry in the API's container",
        expected="the store's own error",
        got=words,
        do="fall back to pyfunc only where the sklearn flavour itself refuses the model; raise everything else",
    )
    assert "127.0.0.1:9" in words or "onnect" in words, exchange(
        "register_baseline(...) while the object store is out (MLFLOW_S3_ENDPOINT_URL leads nowhere)",
        "HokusaiModelRegistry in the API's container",
        expected="an error that names the connection to 127.0.0.1:9",
        got=words,
        do="raise the store's error as it is",
    )
    assert not left, exchange(
        "what is registered after the object store refused a registration",
        "psql in the database's container",
        expected="nothing new",
        got=sorted(left),
        do="make the version last; end the run as FAILED when the model could not be stored",
    )
