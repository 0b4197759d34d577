"""A baseline is registered with everything that ModelInfo gives, once, and is what it was before (the seed's Test 1)."""

import re
from typing import Any
from uuid import uuid4

import pytest

from fixtures.http import Http
from fixtures.process import Process, Reply
from fixtures.registrations import LONG, Registered
from fixtures.witnesses import Database
from suites.recorded import departures, same, stated, told
from suites.wording import exchange, fate_of, shown, was_answered

TYPES = ("lead_scoring", "classification", "regression", "ranking")
FOREST = {"kind": "forest", "seed": 3}


def registered(reply: Reply) -> dict[str, Any]:
    """The answer of a registration, empty where there is none."""
    result = reply.result or {}
    answer = result.get("answer")
    return answer if isinstance(answer, dict) else {}


@pytest.mark.verifies("modelinfo-capture")
def test_a_registration_answers_in_full(inside: Process, fact: dict[str, Any]) -> None:
    """A registration inside the API's container answers with all 14 keys, each of its type and form."""
    reply = inside.call(
        "register_baseline",
        model=FOREST,
        model_type="classification",
        metadata={"dataset_size": 6, "features": ["age", "income"]},
        signature="infer",
        input_example=True,
    )

    found = departures("register_baseline", registered(reply))
    if reply.error is None:
        fact.update(stated("answer", found))
    assert reply.error is None, exchange(
        "register_baseline(forest, 'classification', metadata, signature, input_example)",
        "HokusaiModelRegistry in the API's container",
        expected="the dict of a registration",
        got=str(reply.error),
        do="read the error: it is the service's own, raised in its image with its environment",
    )
    assert not found, exchange(
        "register_baseline(forest, 'classification', metadata, signature, input_example)",
        "HokusaiModelRegistry in the API's container",
        expected="the recorded answer (suites/contracts/register_baseline.json)",
        got=told(found),
        do="give the answer its recorded keys and types again: callers read them",
    )


@pytest.mark.verifies("modelinfo-capture")
def test_the_parts_of_an_answer_agree(baseline: Registered, fact: dict[str, Any]) -> None:
    """Name, version, UUID and URI of an answer agree with one another and with what was asked for."""
    answer = baseline.answer
    expected = {
        "model_name": "hokusai_classification_baseline",
        "model_type": "classification",
        "is_baseline": True,
        "model_id": f"{answer.get('model_name')}/{answer.get('version')}",
        "model_uri": f"models:/{answer.get('model_uuid')}",
    }

    wrong = {key: answer.get(key) for key, value in expected.items() if answer.get(key) != value}
    if wrong:
        fact.update(
            seen=[{"semantics": "answer-value-wrong", "contract": "register_baseline", "key": key} for key in wrong]
        )
    assert not wrong, exchange(
        "register_baseline(..., 'classification')",
        "HokusaiModelRegistry in the API's container",
        expected=shown({key: expected[key] for key in wrong}),
        got=wrong,
        do="build these parts of the answer from the version that MLflow made",
    )


@pytest.mark.verifies("modelinfo-capture")
def test_signature_and_flavors_are_captured(baseline: Registered, fact: dict[str, Any]) -> None:
    """The signature and the flavours of the model are in the answer: both columns, an output, sklearn and pyfunc."""
    signature = str(baseline.answer.get("signature"))
    flavors = baseline.answer.get("flavors") or []

    lacking = [word for word in ("age", "income", "outputs") if word not in signature]
    if lacking:
        fact.update(semantics="answer-value-wrong", contract="register_baseline", key="signature")
    assert not lacking, exchange(
        "register_baseline(..., signature=infer_signature(X, y))",
        "HokusaiModelRegistry in the API's container",
        expected="a signature with the columns age and income, and outputs",
        got=signature,
        do="hand the signature on to log_model, and ModelInfo's into the answer",
    )
    if not {"sklearn", "python_function"} <= set(flavors):
        fact.update(semantics="answer-value-wrong", contract="register_baseline", key="flavors")
    assert {"sklearn", "python_function"} <= set(flavors), exchange(
        "register_baseline(RandomForestClassifier, ...)",
        "HokusaiModelRegistry in the API's container",
        expected="flavors with sklearn and python_function",
        got=flavors,
        do="log sklearn models by the sklearn flavour",
    )


@pytest.mark.verifies("modelinfo-capture")
def test_the_stored_model_says_the_same(baseline: Registered, outside: Process, fact: dict[str, Any]) -> None:
    """The stored model itself, read by another client, has the signature, flavours, UUID and run of the answer."""
    answer = baseline.answer
    uuid = baseline.uuid
    reply = outside.call("model_metadata", uri=f"models:/{uuid}")

    assert reply.error is None, exchange(
        f"get_model_info(models:/{uuid})",
        "MLflow, by a client outside",
        expected="what the stored model says of itself",
        got=str(reply.error),
        do="look whether the model's artifacts are in the bucket",
    )
    stored = reply.result
    keys = ("model_uuid", "run_id", "signature", "mlflow_version")
    expected = {key: answer[key] for key in keys if key in answer} | {"input_example": True}
    expected |= {"flavors": sorted(answer["flavors"])} if isinstance(answer.get("flavors"), list) else {}
    wrong = {key: stored.get(key) for key, value in expected.items() if stored.get(key) != value}
    if wrong:
        fact.update(
            seen=[{"semantics": "answer-value-wrong", "contract": "register_baseline", "key": key} for key in wrong]
        )
    assert not wrong, exchange(
        f"get_model_info(models:/{uuid})",
        "MLflow, by a client outside",
        expected=shown({key: expected[key] for key in wrong}),
        got=wrong,
        do="answer with what log_model returned, not with what was sent",
    )


@pytest.mark.verifies("modelinfo-capture")
def test_the_answers_metadata_is_whole(baseline: Registered, fact: dict[str, Any]) -> None:
    """The metadata of an answer holds its own four keys, rightly filled, and every key of the caller."""
    metadata = baseline.answer.get("metadata")
    wanted = baseline.metadata | {"model_type": "classification", "is_baseline": True, "hokusai_version": "1.0"}
    held = metadata if isinstance(metadata, dict) else {}

    found = departures("metadata", metadata)
    lost = sorted(wanted.keys() - held.keys())
    changed = sorted(key for key in wanted.keys() & held.keys() if not same(held[key], wanted[key]))
    if lost:
        fact.update(semantics="metadata-dropped", keys=lost)
    elif changed:
        fact.update(semantics="metadata-changed", keys=changed)
    elif found:
        fact.update(semantics="metadata-dropped", keys=[departure.key for departure in found])
    assert not lost, exchange(
        f"register_baseline(..., metadata={shown(baseline.metadata)})",
        "HokusaiModelRegistry in the API's container",
        expected=f"metadata with the keys {sorted(wanted)}",
        got=f"metadata is dropped: {lost} are not in {shown(metadata)}",
        do="hand the whole metadata on, and back",
    )
    assert not changed, exchange(
        f"register_baseline(..., metadata={shown(baseline.metadata)})",
        "HokusaiModelRegistry in the API's container",
        expected=shown({key: wanted[key] for key in changed}),
        got={key: held[key] for key in changed},
        do="hand the metadata back as it came",
    )
    assert not found, exchange(
        "register_baseline(..., metadata=...)",
        "HokusaiModelRegistry in the API's container",
        expected="metadata as recorded (suites/contracts/metadata.json)",
        got=told(found),
        do="give the metadata its own keys again",
    )


@pytest.mark.verifies("modelinfo-capture")
def test_long_metadata_comes_back_whole(inside: Process, outside: Process, fact: dict[str, Any]) -> None:
    """Metadata of 50,000 characters comes back whole: in the answer, by UUID, and from the stored model."""
    reply = inside.call(
        "register_baseline",
        model=FOREST,
        model_type="classification",
        metadata={"notes": LONG, "token": uuid4().hex},
        signature="infer",
    )
    answer = registered(reply)
    uuid = str(answer.get("model_uuid"))
    looked = inside.call("get_model_by_uuid", model_uuid=uuid)
    stored = outside.call("model_metadata", uri=f"models:/{uuid}")

    assert reply.error is None, exchange(
        f"register_baseline(..., metadata of {len(LONG)} characters)",
        "HokusaiModelRegistry in the API's container",
        expected="the dict of a registration",
        got=str(reply.error),
        do="keep metadata in the model, not in a run's param or tag: those have limits",
    )
    came = {
        "the answer": answer.get("metadata"),
        "get_model_by_uuid": (looked.result or {}).get("metadata"),
        "the stored model": (stored.result or {}).get("metadata"),
    }
    kept = {where: (metadata or {}).get("notes") for where, metadata in came.items()}
    wrong = {where: value for where, value in kept.items() if value != LONG}
    # where nothing at all was answered, nothing is known of the metadata
    if wrong and all(came[where] for where in wrong if where != "the answer"):
        fact.update(fate_of(LONG, wrong.values()))
    assert not wrong, exchange(
        f"register_baseline(..., metadata of {len(LONG)} characters), and read it back",
        "HokusaiModelRegistry in the API's container, and MLflow",
        expected=f"all {len(LONG)} characters in {', '.join(came)}",
        got="; ".join(
            f"{where}: {len(value)} characters"
            if isinstance(value, str)
            else f"{where}: nothing ({looked.error or stored.error})"
            for where, value in wrong.items()
        ),
        do="keep metadata in the model, not in a run's param or tag: those have limits",
    )


@pytest.mark.verifies("modelinfo-capture")
@pytest.mark.parametrize("kind", ["baseline", "improved"])
def test_one_registration_makes_one_of_each(
    *, inside: Process, tracking: Http, database: Database, baseline: Registered, fact: dict[str, Any], kind: str
) -> None:
    """One registration makes exactly one run, one logged model and one version, as MLflow and its database show."""
    call, given = registering(kind, "ranking", baseline)
    improved = baseline.name.removesuffix("_baseline") + "_improved"
    name = improved if kind == "improved" else "hokusai_ranking_baseline"
    before = counted(database, name, baseline.run_id)
    reply = inside.call(call, model=FOREST, metadata={"token": uuid4().hex}, signature="infer", **given)
    answer = registered(reply)
    after = counted(database, name, baseline.run_id)

    assert reply.error is None, exchange(
        f"{call}(forest, ..., metadata)",
        "HokusaiModelRegistry in the API's container",
        expected="the dict of a registration",
        got=str(reply.error),
        do="read the error: it is the service's own",
    )
    made = {what: after[what] - before[what] for what in after}
    wrong = {what: count for what, count in made.items() if count != 1}
    if wrong:
        what, count = max(wrong.items(), key=lambda pair: pair[1])
        fact.update(semantics="registered-twice" if count > 1 else "registered-not", what=what, count=count)
    assert not wrong, exchange(
        f"{call}(forest, ..., metadata), once",
        "HokusaiModelRegistry in the API's container; counted in MLflow's tables before and after",
        expected="one more run, one more logged model, one more version",
        got="; ".join(f"{what}: {count} more" for what, count in made.items()),
        do="log and register in one step, once; MLFLOW_TRACKING_URI must be this tracking server",
    )
    uuid, version, run = (str(answer.get(key)) for key in ("model_uuid", "version", "run_id"))
    told_of = tracking.get(
        "/api/2.0/mlflow/model-versions/get", params={"name": str(answer.get("model_name")), "version": version}
    )
    seen = (told_of.json or {}).get("model_version", {}) if told_of.status == 200 else {}
    if seen.get("run_id") != run or uuid not in str(seen.get("source")):
        fact.update(semantics="answer-value-wrong", contract="register_baseline", key="version")
    assert seen.get("run_id") == run, exchange(
        f"version {version} of {answer.get('model_name')}",
        "MLflow over REST",
        expected=f"run_id {run}",
        got=str(told_of),
        do="answer with the version that this registration made",
    )
    assert uuid in str(seen.get("source")), exchange(
        f"version {version} of {answer.get('model_name')}",
        "MLflow over REST",
        expected=f"a source that holds {uuid}",
        got=seen,
        do="answer with the version that this registration made",
    )


NOBODY = "0x" + "c0" * 20
"""A contributor of models that nobody asks for."""


def registering(kind: str, model_type: str, baseline: Registered) -> tuple[str, dict[str, Any]]:
    """The call that registers a baseline of a type, or an improvement on a baseline, and what it is given beside model and metadata."""
    if kind == "baseline":
        return "register_baseline", {"model_type": model_type}
    about = {"baseline_id": baseline.model_id, "delta_metrics": {"accuracy": 0.01}, "contributor": NOBODY}
    return "register_improved_model", about


SOURCE = "concat(r.user_id, ' ', (SELECT max(t.value) FROM tags t WHERE t.run_uuid = r.run_uuid AND t.key = 'mlflow.source.name'))"
"""Who made a run, and from which program (mlflow/utils/mlflow_tags.py)."""


def like(run_id: str) -> str:
    """Whether a run `r` was made by whoever made this one, in SQL: others may log their own meanwhile; true where this one is not there."""
    made = f"FROM runs r WHERE r.run_uuid = '{run_id}'"
    return f"({SOURCE} = (SELECT {SOURCE} {made}) OR NOT EXISTS (SELECT {made}))"


def counted(database: Database, name: str, run_id: str) -> dict[str, int]:
    """How many runs and logged models the maker of a run has made, and how many versions one name has."""
    own = f"FROM runs r WHERE {like(run_id)}"
    made = database.rows(
        f"SELECT (SELECT count(*) {own}) AS runs,"  # noqa: S608  hex
        f" (SELECT count(*) FROM logged_models m WHERE m.source_run_id IN (SELECT r.run_uuid {own})) AS models"
    )
    listed = database.rows(f"SELECT count(*) AS versions FROM model_versions WHERE name = '{name}'")  # noqa: S608  our own name
    if error := made.error or listed.error:
        pytest.fail(
            exchange(
                "how many runs, logged models and versions there are",
                "psql in the database's container",
                expected="three numbers",
                got=str(error),
                do="look at the database's own log; is it the one that MLflow writes to?",
            )
        )
    row = made.rows[0] | listed.rows[0]
    return {"run": int(row["runs"]), "logged model": int(row["models"]), "version": int(row["versions"])}


@pytest.mark.verifies("modelinfo-capture")
def test_the_database_holds_the_version(baseline: Registered, database: Database, fact: dict[str, Any]) -> None:
    """The version is a row in MLflow's own table, with its run, its source and the tag that leads from UUID to version."""
    name, version, uuid, run = baseline.name, baseline.version, baseline.uuid, baseline.run_id
    rows = database.rows(
        "SELECT v.name, v.version, v.run_id, v.source, t.value AS uuid FROM model_versions v "  # noqa: S608  hex and digits
        "LEFT JOIN model_version_tags t ON t.name = v.name AND t.version = v.version AND t.key = 'model_uuid' "
        f"WHERE v.run_id = '{run}'"
    )

    assert rows.error is None, exchange(
        f"the rows of model_versions with run {run}",
        "psql in the database's container",
        expected="one row",
        got=str(rows.error),
        do="look at the database's own log",
    )
    if len(rows.rows) != 1:
        fact.update(
            semantics="registered-twice" if rows.rows else "registered-not", what="version", count=len(rows.rows)
        )
    assert len(rows.rows) == 1, exchange(
        f"the rows of model_versions with run {run}",
        "psql in the database's container",
        expected="one row",
        got=rows.rows,
        do="register once; MLFLOW_TRACKING_URI of the API must be this tracking server",
    )
    row = rows.rows[0]
    if (row["name"], str(row["version"])) != (name, version):
        fact.update(semantics="answer-value-wrong", contract="register_baseline", key="version")
    assert (row["name"], str(row["version"])) == (name, version), exchange(
        f"the version that run {run} made",
        "psql in the database's container",
        expected=f"{name} version {version}, as the registration answered",
        got=row,
        do="answer with the version that this registration made",
    )
    if row["uuid"] != uuid:
        fact.update(semantics="lookup-wrong", key="model_uuid")
    assert row["uuid"] == uuid, exchange(
        f"the tag model_uuid of {name} version {version}",
        "psql in the database's container",
        expected=uuid,
        got=row,
        do="set the tag model_uuid on the version when it is registered",
    )


@pytest.mark.verifies("modelinfo-capture")
@pytest.mark.parametrize("model_type", TYPES)
def test_each_model_type_registers_under_its_name(inside: Process, fact: dict[str, Any], model_type: str) -> None:
    """Each of the four model types registers, under the name that callers look for."""
    reply = inside.call(
        "register_baseline", model=FOREST, model_type=model_type, metadata={"token": uuid4().hex}, signature="infer"
    )
    answer = registered(reply)
    expected = {"model_name": f"hokusai_{model_type}_baseline", "model_type": model_type}

    if reply.error is not None and was_answered(reply.error):
        fact.update(semantics="old-call-broken", call=f"model_type={model_type!r}")
    assert reply.error is None, exchange(
        f"register_baseline(forest, {model_type!r}, metadata)",
        "HokusaiModelRegistry in the API's container",
        expected="the dict of a registration",
        got=str(reply.error),
        do="take all four model types",
    )
    wrong = [key for key, value in expected.items() if answer.get(key) != value]
    if wrong:
        fact.update(semantics="answer-value-wrong", contract="register_baseline", key=wrong[0])
    assert not wrong, exchange(
        f"register_baseline(forest, {model_type!r}, metadata)",
        "HokusaiModelRegistry in the API's container",
        expected=shown(expected),
        got={key: answer.get(key) for key in wrong},
        do="name models hokusai_<model_type>_baseline",
    )


@pytest.mark.verifies("modelinfo-capture")
def test_a_pyfunc_model_registers(
    inside: Process, outside: Process, baseline: Registered, fact: dict[str, Any]
) -> None:
    """A model that the sklearn flavour refuses is logged as pyfunc, once, and predicts as the original does."""
    reply = inside.call(
        "register_baseline",
        model={"kind": "pyfunc", "seed": 2},
        model_type="classification",
        metadata={"kind": "rule"},
        signature="infer",
    )
    answer = registered(reply)

    if reply.error is not None and baseline.error is None and was_answered(reply.error):
        fact.update(semantics="flavor-refused", flavor="pyfunc")
    assert reply.error is None, exchange(
        "register_baseline(a PythonModel, 'classification', metadata)",
        "HokusaiModelRegistry in the API's container",
        expected="the dict of a registration",
        got=str(reply.error),
        do="log what the sklearn flavour itself refuses by the pyfunc flavour",
    )
    flavors = answer.get("flavors") or []
    if "sklearn" in flavors or "python_function" not in flavors:
        fact.update(semantics="answer-value-wrong", contract="register_baseline", key="flavors")
    assert "python_function" in flavors, exchange(
        "register_baseline(a PythonModel, 'classification', metadata)",
        "HokusaiModelRegistry in the API's container",
        expected="flavors with python_function",
        got=flavors,
        do="answer with the flavours that log_model returned",
    )
    predicted = outside.call("load_and_predict", uri=f"models:/{answer.get('model_uuid')}", rows=reply.result["rows"])
    if predicted.error is not None and was_answered(predicted.error):
        fact.update(semantics="model-not-loadable", model=str(answer.get("model_id")))
    elif predicted.error is None and predicted.result != reply.result["predictions"]:
        fact.update(semantics="prediction-differs", model=str(answer.get("model_id")))
    assert predicted.error is None, exchange(
        f"load models:/{answer.get('model_uuid')} and predict",
        "MLflow and the store, by a client outside",
        expected=reply.result["predictions"],
        got=str(predicted.error),
        do="look whether the model's artifacts are in the bucket",
    )
    assert predicted.result == reply.result["predictions"], exchange(
        f"load models:/{answer.get('model_uuid')} and predict",
        "MLflow and the store, by a client outside",
        expected=reply.result["predictions"],
        got=predicted.result,
        do="look at what was logged: it is not the model that was handed in",
    )


@pytest.mark.verifies("modelinfo-capture")
@pytest.mark.parametrize("kind", ["baseline", "improved"])
def test_code_comes_with_the_model(
    *, inside: Process, outside: Process, tracking: Http, baseline: Registered, fact: dict[str, Any], kind: str
) -> None:
    """The files of code_paths end up in the logged model, and the run carries the commit where git is there."""
    call, given = registering(kind, "classification", baseline)
    reply = inside.call(call, model=FOREST, metadata={"code": "yes"}, signature="infer", code_paths=True, **given)
    assert reply.error is None, exchange(
        f"{call}(..., code_paths=[file])",
        "HokusaiModelRegistry in the API's container",
        expected="the dict of a registration",
        got=str(reply.error),
        do="hand code_paths on to log_model",
    )
    answer = registered(reply)
    files = outside.call("model_files", uri=f"models:/{answer.get('model_uuid')}")
    assert files.error is None, exchange(
        f"the files of models:/{answer.get('model_uuid')}",
        "MLflow and the store, by a client outside",
        expected="a list",
        got=str(files.error),
        do="look whether the model's artifacts are in the bucket",
    )
    name = reply.result["code_file"]
    held = [path for path in files.result if path.endswith(name)]
    if not held:
        fact.update(semantics="code-lineage-missing", what="code_paths")
    assert held, exchange(
        f"the files of models:/{answer.get('model_uuid')}",
        "MLflow and the store, by a client outside",
        expected=f"{name} among them",
        got=files.result,
        do="hand code_paths on to log_model",
    )
    commit = reply.result["commit"]
    run = tracking.get("/api/2.0/mlflow/runs/get", params={"run_id": str(answer.get("run_id"))})
    if commit and run.status == 200 and commit not in run.text:
        fact.update(semantics="code-lineage-missing", what="commit")
    assert not commit or commit in run.text, exchange(
        f"the tags of run {answer.get('run_id')}, whose code was at commit {commit}",
        "MLflow over REST",
        expected=f"a tag with {commit}",
        got=str(run),
        do="tag the run with the commit of the code that came with the model",
    )


@pytest.mark.verifies("modelinfo-capture")
def test_the_model_loads_and_predicts(
    baseline: Registered, outside: Process, inside: Process, fact: dict[str, Any]
) -> None:
    """The model loads back by models:/m-... and predicts what the original predicts, in the container and outside."""
    for process, where in ((inside, "in the API's container"), (outside, "outside")):
        predicted = process.call("load_and_predict", uri=f"models:/{baseline.uuid}", rows=baseline.rows)
        if predicted.error is not None and was_answered(predicted.error):
            fact.update(semantics="model-not-loadable", model=baseline.model_id)
        elif predicted.error is None and predicted.result != baseline.predictions:
            fact.update(semantics="prediction-differs", model=baseline.model_id)
        assert predicted.error is None, exchange(
            f"load models:/{baseline.uuid} and predict",
            f"MLflow and the store, by a client {where}",
            expected=baseline.predictions,
            got=str(predicted.error),
            do="look whether the model's artifacts are in the bucket: a version is READY without them",
        )
        assert predicted.result == baseline.predictions, exchange(
            f"load models:/{baseline.uuid} and predict",
            f"MLflow and the store, by a client {where}",
            expected=baseline.predictions,
            got=predicted.result,
            do="look at what was logged: it is not the model that was handed in",
        )


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "no model": ({"model": {"kind": "none"}, "model_type": "classification"}, r"(?i)model"),
    "unknown type": (
        {"model": FOREST, "model_type": "clairvoyance"},
        r"(?=.*lead_scoring)(?=.*classification)(?=.*regression)(?=.*ranking)",
    ),
    "a type in capitals": (
        {"model": FOREST, "model_type": "Classification"},
        r"(?=.*lead_scoring)(?=.*classification)(?=.*regression)(?=.*ranking)",
    ),
    "junk": ({"model": {"kind": "junk"}, "model_type": "classification"}, r"."),
    "what nobody can store": ({"model": {"kind": "locked"}, "model_type": "classification"}, r"(?i)pickle|serial|lock"),
}
MODELS = ("junk", "what nobody can store")
"""Of these the model itself is refused, by whatever error says why."""


@pytest.mark.verifies("modelinfo-capture")
@pytest.mark.parametrize("refused", REFUSED)
def test_bad_input_is_refused_and_leaves_nothing(
    inside: Process, database: Database, baseline: Registered, fact: dict[str, Any], refused: str
) -> None:
    """What is no model, or of no known type, is refused with an error that says so, and leaves nothing registered."""
    arguments, words = REFUSED[refused]
    before = registered_rows(database, baseline.run_id)
    reply = inside.call("register_baseline", metadata={"token": uuid4().hex}, **arguments)
    left = registered_rows(database, baseline.run_id) - before

    if reply.error is None:
        fact.update(semantics="bad-input-accepted", input=refused)
    elif left:
        fact.update(semantics="bad-input-left-behind", what=", ".join(sorted(left)))
    assert reply.error is not None, exchange(
        f"register_baseline with {refused}: {shown(arguments)}",
        "HokusaiModelRegistry in the API's container",
        expected="an error that says what is wrong",
        got=reply.result,
        do="check the arguments before anything is logged",
    )
    said = f"{reply.error.type}: {reply.error.message}"
    if refused not in MODELS:
        assert reply.error.type == "ValueError", exchange(
            f"register_baseline with {refused}: {shown(arguments)}",
            "HokusaiModelRegistry in the API's container",
            expected="a ValueError",
            got=said,
            do="check the arguments before anything is logged",
        )
    assert re.search(words, said, re.DOTALL), exchange(
        f"register_baseline with {refused}: {shown(arguments)}",
        "HokusaiModelRegistry in the API's container",
        expected=f"an error with words like {words}",
        got=said,
        do="say in the error what was wrong and what is taken",
    )
    assert not left, exchange(
        f"what is registered after register_baseline with {refused} was refused",
        "psql in the database's container",
        expected="nothing new",
        got=sorted(left),
        do="end what was begun before the error is raised: no version, no READY model, no FINISHED run",
    )


def registered_rows(database: Database, run_id: str) -> set[str]:
    """What the maker of a run registered last: logged models that are READY (2), runs that are not FAILED; and of anybody versions under the contract's names; 40 each.

    MLflow keeps the rows of what was deleted, a version as `Deleted_Internal` (mlflow/entities/model_registry/model_version_stages.py).
    """
    newest, ours = "ORDER BY {} DESC LIMIT 40", "name LIKE 'hokusai\\_%'"
    registered = (
        f"SELECT 'version ' || name || '/' || version AS what FROM model_versions WHERE {ours}"  # noqa: S608
        " AND coalesce(current_stage, 'None') <> 'Deleted_Internal' " + newest.format("creation_time"),
        f"SELECT 'name ' || name AS what FROM registered_models WHERE {ours} {newest.format('creation_time')}",  # noqa: S608
    )
    own = f"FROM runs r WHERE {like(run_id)}"
    made = (
        "SELECT 'logged model ' || model_id AS what FROM logged_models WHERE status = 2 AND lifecycle_stage = 'active'"  # noqa: S608
        f" AND source_run_id IN (SELECT r.run_uuid {own}) " + newest.format("creation_timestamp_ms"),
        f"SELECT 'run ' || r.run_uuid AS what {own} AND r.status IN ('FINISHED', 'RUNNING') AND r.lifecycle_stage = 'active' "
        + newest.format("start_time"),
    )
    answers = [database.rows(" UNION ALL ".join(f"({part})" for part in parts)) for parts in (registered, made)]
    if error := next((answer.error for answer in answers if answer.error is not None), None):
        pytest.fail(
            exchange(
                "what was registered last",
                "psql in the database's container",
                expected="rows",
                got=str(error),
                do="look at the database's own log",
            )
        )
    return {str(row["what"]) for answer in answers for row in answer.rows}
