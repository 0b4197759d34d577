"""Artifacts are where they should be, and whole."""

import hashlib
from collections.abc import Iterable
from typing import Any
from uuid import uuid4

import pytest

from fixtures.http import Http
from fixtures.process import Process
from fixtures.registrations import Registered
from fixtures.target import Target
from fixtures.witnesses import ObjectStore
from suites.wording import exchange, was_answered

MANY_TREES = 2000
"""A forest of some megabytes: more than a proxy lets through that was never told to."""


def prefix_of(tracking: Http, uuid: str) -> str:
    """Where in its bucket the artifacts of a logged model lie, as MLflow names it; empty where it does not say."""
    told = tracking.get(f"/api/2.0/mlflow/logged-models/{uuid}")
    uri = (
        str((((told.json or {}).get("model") or {}).get("info") or {}).get("artifact_uri", ""))
        if told.status == 200
        else ""
    )
    scheme, _, rest = uri.partition(":")
    if scheme == "s3":
        return rest.removeprefix("//").partition("/")[2]
    return rest.lstrip("/")


def stored(store: ObjectStore, tracking: Http, uuid: str) -> tuple[dict[str, tuple[int, str]], str, bool]:
    """Path below the model -> size and SHA-256 of each object, what the store said, and whether it answered."""
    prefix = prefix_of(tracking, uuid)
    listed = store.objects(prefix)
    if not len(listed) and listed.error is None:
        # a server that carries artifacts keeps them below a prefix of its own, which its address does not tell
        listed = store.objects(holding=f"{uuid}/artifacts/")
    found = {one.key.partition(f"{uuid}/artifacts/")[2]: (one.size, one.sha256) for one in listed}
    return found, str(listed.error or f"{len(listed)} objects below {store.bucket}/{prefix}"), listed.error is None


@pytest.mark.verifies("artifact-storage")
def test_the_services_own_credentials_store_and_read(
    inside: Process, target: Target, tracking: Http, baseline: Registered
) -> None:
    """The service's own credentials put an object, get it back and delete it, from its own place in the network.

    Where the tracking server carries the artifacts it needs none, and valid ones that may not write are as good.
    """
    told = tracking.get("/api/2.0/mlflow/runs/get", params={"run_id": baseline.run_id})
    carried = "mlflow-artifacts:" in told.text
    if carried and not target.settings.get("AWS_ACCESS_KEY_ID"):
        return
    reply = inside.call("store_round_trip", bucket=target.bucket, prefix=target.artifact_prefix)
    if carried and reply.error is not None and reply.error.type == "AccessDenied":
        return

    assert reply.error is None, exchange(
        f"put an object into {target.bucket}, get it back and delete it, with AWS_... and MLFLOW_S3_ENDPOINT_URL",
        "the object store, from inside the API's container",
        expected="the object",
        got=str(reply.error),
        do="compare the API's credentials and endpoint with the store's own, and the bucket's name with MLflow's",
    )
    assert reply.result["read"] == reply.result["wrote"], exchange(
        f"get {reply.result['key']} from {target.bucket}",
        f"the object store at {reply.result['endpoint']}",
        expected=reply.result["wrote"],
        got=reply.result["read"],
        do="look at what answers at that endpoint",
    )


DESCRIBING = {"MLmodel", "conda.yaml", "python_env.yaml", "requirements.txt", "registered_model_meta"}
"""Files of a model that only tell of it (https://mlflow.org/docs/3.4.0/ml/model/#storage-format)."""


def weights(found: Iterable[str]) -> list[str]:
    """The files of a model that hold it, as against those that tell of it or came with it."""
    names = {path: path.rpartition("/")[2] for path in found if not path.startswith("code/")}
    return sorted(path for path, name in names.items() if name not in DESCRIBING and not name.endswith("example.json"))


@pytest.mark.verifies("artifact-storage")
def test_every_artifact_is_in_the_bucket(
    *,
    baseline: Registered,
    inside: Process,
    store: ObjectStore,
    tracking: Http,
    fact: dict[str, Any],
) -> None:
    """Every file of a registered model is an object of the bucket, none empty, and nothing of it is missing."""
    listed = inside.call("model_files", uri=f"models:/{baseline.uuid}")
    assert listed.error is None, exchange(
        f"the files of models:/{baseline.uuid}",
        "MLflow, by the client in the API's container",
        expected="a list",
        got=str(listed.error),
        do="look at the store, and at the credentials of whoever reads it",
    )
    found, said, told = stored(store, tracking, baseline.uuid)
    # MLflow's client writes registered_model_meta beside a model that it has fetched: it is nowhere stored
    lost = sorted(set(listed.result) - set(found) - {"registered_model_meta"})
    if found and not weights(found):
        lost.append("the model's own file")
    empty = sorted(path for path, (size, _) in found.items() if size == 0)

    if told and (lost or not found):
        fact.update(semantics="artifact-missing", path=(lost or ["(all)"])[0])
    elif empty:
        fact.update(semantics="artifact-differs", path=empty[0])
    assert "MLmodel" in found, exchange(
        f"the objects of {baseline.uuid}",
        f"the object store, bucket {store.bucket}",
        expected="MLmodel and the model's files",
        got=f"{said}: {sorted(found)}",
        do="look where MLflow puts artifacts (default artifact root) and whether they were deleted",
    )
    assert (lost, empty) == ([], []), exchange(
        f"the objects of {baseline.uuid}",
        f"the object store, bucket {store.bucket}",
        expected=f"{listed.result}, none empty",
        got=f"missing: {lost}; empty: {empty}",
        do="look who deletes or cuts objects of this bucket",
    )


@pytest.mark.verifies("artifact-storage")
def test_artifacts_are_byte_for_byte_what_the_server_gives(
    *, baseline: Registered, store: ObjectStore, tracking: Http, target: Target, fact: dict[str, Any]
) -> None:
    """What MLflow's server gives of a model's files is byte for byte what the store holds: sizes and checksums."""
    found, said, told = stored(store, tracking, baseline.uuid)
    route = f"{target.static_prefix}/ajax-api/2.0/mlflow/logged-models/{baseline.uuid}/artifacts/files"
    answers = {path: tracking.get(route, params={"artifact_file_path": path}, timeout=20) for path in found}
    got = {path: (len(answer.body), hashlib.sha256(answer.body).hexdigest()) for path, answer in answers.items()}
    refused = [str(answer) for answer in answers.values() if answer.status != 200]

    assert found, exchange(
        f"the objects of {baseline.uuid}",
        f"the object store, bucket {store.bucket}",
        expected="the model's files",
        got=said,
        do="look where MLflow puts artifacts",
    )
    assert not refused, exchange(
        f"the files of {baseline.uuid}: {', '.join(found)}",
        "MLflow's server, which reads the store with its own credentials",
        expected="200 and the file, each",
        got=refused,
        do="compare the tracking server's own endpoint, credentials and bucket with the store's",
    )
    differing = sorted(path for path in found if found[path] != got[path])
    if told and differing:
        fact.update(semantics="artifact-differs", path=differing[0])
    assert not differing, exchange(
        f"the files of {baseline.uuid}: size and SHA-256 of each",
        "MLflow's server, and the object store",
        expected="the same",
        got={path: {"server": got[path], "store": found[path]} for path in differing},
        do="look at what stands between MLflow and the store",
    )


@pytest.mark.verifies("artifact-storage")
def test_a_large_model_is_stored_whole(
    *, inside: Process, store: ObjectStore, tracking: Http, outside: Process, fact: dict[str, Any]
) -> None:
    """A model of some megabytes is stored whole, and predicts as the original does: no limit cuts it."""
    reply = inside.call(
        "register_baseline",
        model={"kind": "forest", "seed": 9, "trees": MANY_TREES},
        model_type="regression",
        metadata={"token": uuid4().hex},
        signature="infer",
    )
    assert reply.error is None, exchange(
        f"register a forest of {MANY_TREES} trees",
        "HokusaiModelRegistry in the API's container",
        expected="the dict of a registration",
        got=str(reply.error),
        do="raise the limit of whatever refuses large bodies on the way to the store",
    )
    answer = reply.result["answer"]
    found, said, told = stored(store, tracking, str(answer.get("model_uuid")))
    largest = max((size for size, _ in found.values()), default=0)
    if told and largest < 1_000_000:
        cut = weights(found)
        fact.update(
            {"semantics": "artifact-differs", "path": cut[0]}
            if cut
            else {"semantics": "artifact-missing", "path": "the model's own file"}
        )
    assert largest > 1_000_000, exchange(
        f"the objects of a forest of {MANY_TREES} trees",
        f"the object store, bucket {store.bucket}",
        expected="an object of more than a megabyte",
        got=f"{said}, the largest of {largest} bytes",
        do="look who cuts objects on the way to the store",
    )
    predicted = outside.call("load_and_predict", uri=f"models:/{answer.get('model_uuid')}", rows=reply.result["rows"])
    if predicted.error is not None and was_answered(predicted.error):
        fact.update(semantics="model-not-loadable", model=str(answer.get("model_id")))
    elif predicted.error is None and predicted.result != reply.result["predictions"]:
        fact.update(semantics="prediction-differs", model=str(answer.get("model_id")))
    assert predicted.error is None, exchange(
        f"load models:/{answer.get('model_uuid')}, of some megabytes, and predict",
        "MLflow and the store, by a client outside",
        expected=reply.result["predictions"],
        got=str(predicted.error),
        do="raise the limit of whatever refuses large bodies on the way from the store",
    )
    assert predicted.result == reply.result["predictions"], exchange(
        f"load models:/{answer.get('model_uuid')}, of some megabytes, and predict",
        "MLflow and the store, by a client outside",
        expected=reply.result["predictions"],
        got=predicted.result,
        do="look at what was logged: it is not the model that was handed in",
    )


@pytest.mark.verifies("artifact-storage")
def test_a_client_outside_stores_a_model(
    *, outside: Process, store: ObjectStore, tracking: Http, fact: dict[str, Any]
) -> None:
    """A model that a client outside logs is in the bucket: what a data scientist's machine does works."""
    logged = outside.call("log_model", model={"kind": "logistic", "seed": 4})
    assert logged.error is None, exchange(
        "log a model",
        "MLflow and the store, by a client outside",
        expected="a logged model",
        got=str(logged.error),
        do="look whether a client outside reaches the store, or the tracking server's own artifact service",
    )
    found, said, told = stored(store, tracking, logged.result["logged_model_id"])
    if told and not found:
        fact.update(semantics="artifact-missing", path="(all)")
    assert "MLmodel" in found, exchange(
        f"the objects of {logged.result['logged_model_id']}",
        f"the object store, bucket {store.bucket}",
        expected="MLmodel and the model's files",
        got=said,
        do="look where the tracking server puts artifacts",
    )
