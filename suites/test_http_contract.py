"""Every recorded route answers as it is declared: with a key and without, for what exists and what does not."""

import json
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import uuid4

import pytest

from fixtures.gate import Gated
from fixtures.http import Answer, Http
from fixtures.process import Process
from fixtures.registrations import LONG, Registered
from suites.recorded import contract, departures, same, stated, told
from suites.test_uuid_lookup import looked_up
from suites.wording import exchange, fate_of, lost_or_changed, shown

LIMITED_WITHIN = 600
"""Requests after which a limit must have been met, whatever it is."""

AT_ONCE = 6

OUTAGE_BOUND = 30.0
"""Seconds within which a route says that a dependency is out."""

NOBODY = "0x" + "00" * 19 + "01"
"""An address that no sample uses."""

SOMEONE = "0x" + "cd" * 20
NO_SUCH = {
    "uuid": "m-" + "fedcba9876543210" * 2,
    "name": "hokusai_no_such_baseline",
    "version": "999999",
    "address": NOBODY,
}


def operations() -> Iterator[tuple[str, dict[str, Any]]]:
    """The recorded operations: `METHOD path`, and what is recorded of each."""
    for path, methods in contract("openapi")["paths"].items():
        for method, operation in methods.items():
            yield f"{method.upper()} {path}", operation


KEYED = [name for name, operation in operations() if operation["security"]]
WRITING = [name for name, operation in operations() if operation.get("x-scope") in {"write", "promote"}]
SHORT = [(name, "read") for name in WRITING] + [(name, "write") for name in WRITING if name.endswith("/promote")]
"""Operations that change something, each with a key whose scope falls short of it."""
READING = [name for name, operation in operations() if operation.get("x-scope") == "read"]
OPEN = [name for name, operation in operations() if not operation["security"]]
FINDING = [name for name, operation in operations() if "404" in operation["responses"] and "{" in name]


def ask(http: Http, name: str, parameters: Mapping[str, str], **asked: Any) -> Answer:
    """One exchange with an operation, its path filled in."""
    method, path = name.split(" ")
    for parameter, value in parameters.items():
        path = path.replace(f"{{{parameter}}}", value)
    if method == "POST":
        asked.setdefault("json", {})
    return http.request(method, path, **asked)


def known(baseline: Registered) -> dict[str, str]:
    """Path parameters that name something which exists."""
    return {"uuid": baseline.uuid, "name": baseline.name, "version": baseline.version, "address": NOBODY}


def route_of(name: str) -> str:
    """The path of an operation."""
    return name.split(" ")[1]


def misanswered(name: str, expected: int, answer: Answer) -> dict[str, Any]:
    """The fact to state of a wrong status; nothing where there was no answer."""
    if answer.status is None or (answer.status in {502, 503, 504} and expected != 503):
        return {}  # an outage is the ladder's to name
    if expected != 404 and answer.status in {404, 405} and "{" not in name:
        return {"semantics": "route-missing", "route": route_of(name)}
    good = answer.status < 400 <= expected
    found = {"route": route_of(name), "expected": expected, "got": answer.status}
    return {"semantics": "status-200-on-error" if good else "status-wrong", **found}


@pytest.mark.verifies("http-contract")
@pytest.mark.parametrize("name", KEYED)
def test_a_key_is_asked_for(api: Http, baseline: Registered, fact: dict[str, Any], name: str) -> None:
    """A route that needs an API key answers 401 without one, with a wrong one, and with a wrong bearer."""
    attempts = {
        "no key": ask(api, name, known(baseline), key=None),
        "a wrong X-API-Key": ask(api, name, known(baseline), key="wrong"),
        "a wrong bearer": ask(api, name, known(baseline), key=None, headers={"Authorization": f"Bearer {uuid4().hex}"}),
        "an empty bearer": ask(api, name, known(baseline), key=None, headers={"Authorization": "Bearer "}),
    }

    wrong = {how: answer for how, answer in attempts.items() if answer.status != 401}
    for answer in wrong.values():
        got_in = answer.status is not None and (answer.status < 400 or answer.status in {404, 409, 422})
        fact.update(
            {"semantics": "key-not-checked", "route": route_of(name)} if got_in else misanswered(name, 401, answer)
        )
    assert not wrong, exchange(
        f"{name} with {', '.join(wrong)}",
        "the API",
        expected="401",
        got="; ".join(map(str, wrong.values())),
        do="check the key before anything else is looked at",
    )


@pytest.mark.verifies("http-contract")
@pytest.mark.parametrize(("name", "key"), SHORT)
def test_a_scope_is_asked_for(api: Http, baseline: Registered, fact: dict[str, Any], name: str, key: str) -> None:
    """A route that changes something answers 403 to a key that may only read, one that promotes also to one that may only write."""
    if key not in api.keys:
        pytest.skip(f"because the target was given no key that may only {key}")
    answer = ask(api, name, known(baseline) | {"version": NO_SUCH["version"]}, key=key)

    if answer.status != 403:
        got_in = answer.status is not None and (answer.status < 400 or answer.status in {404, 409, 422})
        fact.update(
            {"semantics": "scope-not-checked", "route": route_of(name)} if got_in else misanswered(name, 403, answer)
        )
    assert answer.status == 403, exchange(
        f"{name} with a key that may only {key}",
        "the API",
        expected="403",
        got=str(answer),
        do="check the key's scope for this route",
    )


@pytest.mark.verifies("http-contract")
@pytest.mark.parametrize("name", READING)
def test_reading_routes_answer(
    api: Http, baseline: Registered, improved: Registered, fact: dict[str, Any], name: str
) -> None:
    """A route that reads answers what exists with 200 in its recorded shape, to a key that may only read."""
    parameters = known(baseline) | {"address": str(improved.contributor)}
    answer = ask(api, name, parameters, key="read" if "read" in api.keys else "full")

    if answer.status != 200:
        fact.update(misanswered(name, 200, answer))
    assert answer.status == 200, exchange(
        f"{name} for {shown(parameters)}",
        "the API",
        expected="200",
        got=str(answer),
        do="look at the log of the API",
    )
    operation = dict(operations())[name]
    parts = answer.json if operation.get("x-many") and isinstance(answer.json, list) else [answer.json]
    found = [departure for part in parts for departure in departures(operation["x-contract"], part)]
    if found:
        fact.update(stated("answer", found[:1]))
    assert not found, exchange(
        f"{name} for {shown(parameters)}",
        "the API",
        expected=f"the recorded answer (suites/contracts/{operation['x-contract']}.json)",
        got=f"{told(found)}: {answer}",
        do="give the answer its recorded keys and types again",
    )
    if not parts:
        fact.update(semantics="lineage-wrong")
    assert parts, exchange(
        f"{name} for {shown(parameters)}",
        "the API",
        expected="at least what this run registered",
        got=str(answer),
        do="look where this route looks",
    )


@pytest.mark.verifies("http-contract")
def test_a_key_may_come_as_bearer(api: Http, baseline: Registered, fact: dict[str, Any]) -> None:
    """A key is taken from `Authorization: Bearer` as well as from X-API-Key."""
    path = f"/models/{baseline.name}/{baseline.version}"
    answer = api.get(path, key=None, headers={"Authorization": f"Bearer {api.keys.get('full', '')}"})

    if answer.status != 200:
        fact.update(misanswered("GET /models/{name}/{version}", 200, answer))
    assert answer.status == 200, exchange(
        f"GET {path} with the key as a bearer",
        "the API",
        expected="200",
        got=str(answer),
        do="take the key from both headers",
    )


@pytest.mark.verifies("http-contract")
@pytest.mark.parametrize("kind", ["baseline", "improved"])
def test_registering_answers(
    *,
    api: Http,
    outside: Process,
    baseline: Registered,
    baseline_http: Registered,
    fact: dict[str, Any],
    kind: str,
) -> None:
    """Registering a logged model over HTTP answers with the service's own dict, for a baseline and an improved model."""
    answered: dict[str, Any] | None
    if kind == "baseline":
        answered, seen, given = baseline_http.answer, shown(baseline_http.answer), baseline_http.metadata
        expected = {"model_uuid": baseline_http.result["logged_model_id"], "run_id": baseline_http.result["run_id"]}
    else:
        logged = logged_model(outside)
        body = {
            "logged_model_id": logged,
            "kind": "improved",
            "model_type": "classification",
            "metadata": (given := {"token": uuid4().hex}),
            "baseline_id": baseline.model_id,
            "delta_metrics": {"accuracy": 0.01},
            "contributor": SOMEONE,
        }
        answer = api.post("/models/register", json=body, timeout=30)
        answered, seen = (answer.json if answer.status in {200, 201} else None), str(answer)
        expected = {"model_uuid": logged, "contributor": SOMEONE, "baseline_id": baseline.model_id}
        if answered is None:
            fact.update(misanswered("POST /models/register", 201, answer))
    found = departures(f"register_{kind}{'_model' if kind == 'improved' else ''}", answered)
    wrong = [key for key, value in expected.items() if (answered or {}).get(key) != value]

    if answered is not None and found:
        fact.update(stated("answer", found))
    elif answered is not None and wrong:
        fact.update(semantics="answer-value-wrong", contract=f"register_{kind}", key=wrong[0])
    assert not found, exchange(
        f"POST /models/register for a logged model, kind {kind}",
        "the API",
        expected="200 or 201, and the recorded answer of a registration",
        got=f"{told(found)}: {seen}",
        do="answer with the service's own dict",
    )
    assert not wrong, exchange(
        f"POST /models/register for a logged model, kind {kind}",
        "the API",
        expected=shown(expected),
        got=seen,
        do="register the very model that was logged",
    )
    handed = (answered or {}).get("metadata")
    lost = [key for key, value in given.items() if not isinstance(handed, dict) or not same(handed.get(key), value)]
    if lost:
        fact.update(semantics=lost_or_changed(handed, lost), keys=lost)
    assert not lost, exchange(
        f"POST /models/register for a logged model, kind {kind}, with metadata {shown(given)}",
        "the API",
        expected=f"metadata that holds {', '.join(lost)}",
        got=seen,
        do="hand the body's metadata on to the service",
    )


@pytest.mark.verifies("http-contract")
def test_long_metadata_sent_over_http_comes_back_whole(
    api: Http, inside: Process, outside: Process, fact: dict[str, Any]
) -> None:
    """A logged model's own file knows nothing of what is said at its registration: it comes back whole nevertheless."""
    logged = logged_model(outside)
    body = {"logged_model_id": logged, "kind": "baseline", "model_type": "ranking", "metadata": {"notes": LONG}}
    answer = api.post("/models/register", json=body, timeout=30)
    if answer.status not in {200, 201}:
        fact.update(misanswered("POST /models/register", 201, answer))
    assert answer.status in {200, 201}, exchange(
        f"POST /models/register with metadata of {len(LONG)} characters",
        "the API",
        expected="200 or 201: metadata has no limit of length",
        got=str(answer),
        do="keep metadata where it has room",
    )
    looked = {where: looked_up(where, inside, api, logged) for where in ("container", "http")}
    kept = {
        where: (found.get("metadata") or {}).get("notes")
        for where, (found, _) in looked.items()
        if isinstance(found, dict)
    }
    wrong = {where: said for where, (_, said) in looked.items() if kept.get(where) != LONG}
    if wrong and wrong.keys() <= kept.keys():
        fact.update(fate_of(LONG, (kept[where] for where in wrong)))
    assert not wrong, exchange(
        f"look up {logged}, registered over HTTP with metadata of {len(LONG)} characters",
        f"the registry ({' and '.join(wrong)})",
        expected=f"all {len(LONG)} characters",
        got=wrong,
        do="keep the metadata of a registration where a lookup finds it, whatever its length",
    )


def logged_model(outside: Process) -> str:
    """A model logged by a client outside and not registered; skips what builds on it where it cannot be logged."""
    logged = outside.call("log_model", model={"kind": "forest", "seed": 21})
    if logged.error is not None:
        pytest.skip(f"because no model could be logged from outside: {logged.error}")
    return str(logged.result["logged_model_id"])


@pytest.mark.verifies("http-contract")
@pytest.mark.parametrize("name", FINDING)
def test_what_is_not_there_is_404(api: Http, fact: dict[str, Any], name: str) -> None:
    """What does not exist is answered with 404."""
    answer = ask(api, name, NO_SUCH)

    if answer.status != 404:
        fact.update(misanswered(name, 404, answer))
    assert answer.status == 404, exchange(
        f"{name} for {shown(NO_SUCH)}, which nobody registered",
        "the API",
        expected="404",
        got=str(answer),
        do="answer 404 for what is not there",
    )


@pytest.mark.verifies("http-contract")
def test_a_contributor_of_nothing_has_an_empty_list(api: Http, fact: dict[str, Any]) -> None:
    """An address that contributed nothing has an empty list, or is not found; it is nobody else's list."""
    answer = api.get(f"/contributors/{NOBODY}/models")
    listed = answer.json.get("models", answer.json) if isinstance(answer.json, dict) else answer.json

    empty = (answer.status == 200 and listed == []) or answer.status == 404
    if not empty and answer.status is not None:
        fact.update(
            {"semantics": "lineage-wrong"}
            if answer.status == 200
            else misanswered("GET /contributors/{address}/models", 200, answer)
        )
    assert empty, exchange(
        f"the models of {NOBODY}, who contributed nothing",
        "the API",
        expected="200 and an empty list",
        got=str(answer),
        do="filter by the contributor's address",
    )


@pytest.mark.verifies("http-contract")
@pytest.mark.parametrize("missing", ["logged model", "baseline"])
def test_registering_on_what_is_not_there_is_404(
    api: Http, outside: Process, fact: dict[str, Any], missing: str
) -> None:
    """Registering a logged model that does not exist, or on a baseline that does not, is answered with 404."""
    if missing == "logged model":
        body = {"logged_model_id": NO_SUCH["uuid"], "kind": "baseline", "model_type": "classification", "metadata": {}}
    else:
        body = {
            "logged_model_id": logged_model(outside),
            "kind": "improved",
            "model_type": "classification",
            "metadata": {},
            "baseline_id": f"{NO_SUCH['name']}/{NO_SUCH['version']}",
            "delta_metrics": {"accuracy": 0.01},
            "contributor": SOMEONE,
        }
    answer = api.post("/models/register", json=body, timeout=30)

    if answer.status != 404:
        fact.update(misanswered("POST /models/register", 404, answer))
    assert answer.status == 404, exchange(
        f"POST /models/register with a {missing} that does not exist: {shown(body)}",
        "the API",
        expected="404",
        got=str(answer),
        do="answer 404 for what is not there",
    )


@pytest.mark.verifies("http-contract")
def test_registering_twice_is_a_conflict(api: Http, baseline_http: Registered, fact: dict[str, Any]) -> None:
    """A logged model that is registered already is answered with 409, and stays one version."""
    body = {
        "logged_model_id": baseline_http.uuid,
        "kind": "baseline",
        "model_type": "classification",
        "metadata": {"token": uuid4().hex},
    }
    answer = api.post("/models/register", json=body, timeout=30)

    if answer.status != 409:
        doubled = {"semantics": "registered-twice", "what": "version", "count": 2}
        fact.update(doubled if answer.status in {200, 201} else misanswered("POST /models/register", 409, answer))
    assert answer.status == 409, exchange(
        f"POST /models/register for {baseline_http.uuid}, which is registered already",
        "the API",
        expected="409",
        got=str(answer),
        do="refuse to register a logged model twice",
    )


MALFORMED: dict[str, object] = {
    "nothing": {},
    "no logged model": {"kind": "baseline", "model_type": "classification", "metadata": {}},
    "an unknown kind": {"kind": "worse", "model_type": "classification", "metadata": {}},
    "an unknown model type": {"kind": "baseline", "model_type": "clairvoyance", "metadata": {}},
    "metadata that is no object": {"kind": "baseline", "model_type": "classification", "metadata": "text"},
    "an improved model without its baseline": {"kind": "improved", "model_type": "classification", "metadata": {}},
    "a contributor that is no address": {
        "kind": "improved",
        "model_type": "classification",
        "metadata": {},
        "baseline_id": "hokusai_classification_baseline/1",
        "delta_metrics": {"accuracy": 0.01},
        "contributor": "0x1234",
    },
    "a list": [],
    "no JSON": None,
}


@pytest.mark.verifies("http-contract")
@pytest.mark.parametrize("malformed", MALFORMED)
def test_a_malformed_registration_is_422(api: Http, fact: dict[str, Any], malformed: str) -> None:
    """A registration that is malformed is answered with 422."""
    body = MALFORMED[malformed]
    if isinstance(body, dict) and malformed not in {"nothing", "no logged model"}:
        body = {"logged_model_id": NO_SUCH["uuid"], **body}
    content = b"{not json" if body is None else json.dumps(body).encode()
    answer = api.post("/models/register", content=content, headers={"Content-Type": "application/json"})

    if answer.status != 422:
        fact.update(misanswered("POST /models/register", 422, answer))
    assert answer.status == 422, exchange(
        f"POST /models/register with {malformed}: {content.decode()}",
        "the API",
        expected="422",
        got=str(answer),
        do="check the body before anything is asked of MLflow",
    )


@pytest.mark.verifies("http-contract")
def test_a_malformed_path_is_refused(api: Http, baseline: Registered, fact: dict[str, Any]) -> None:
    """A malformed UUID or address is answered with 422, a version that is no number with 422 or 404."""
    attempts = {
        "GET /models/by-uuid/{uuid}": ({"uuid": "m-123"}, {422}),
        "GET /contributors/{address}/models": ({"address": "0x1234"}, {422}),
        "GET /models/{name}/{version}": ({"name": baseline.name, "version": "one"}, {404, 422}),
    }
    answers = {name: ask(api, name, parameters) for name, (parameters, _) in attempts.items()}

    wrong = {name: answer for name, answer in answers.items() if answer.status not in attempts[name][1]}
    for name, answer in wrong.items():
        fact.update(misanswered(name, 422, answer))
    assert not wrong, exchange(
        f"{', '.join(wrong)} with {shown({name: attempts[name][0] for name in wrong})}",
        "the API",
        expected=shown({name: sorted(attempts[name][1]) for name in wrong}),
        got="; ".join(map(str, wrong.values())),
        do="check the form of what stands in the path",
    )


@pytest.mark.verifies("http-contract")
def test_a_limit_is_kept_and_says_when_to_come_back(api: Http, fact: dict[str, Any]) -> None:
    """A key that asks too often, for one model after another, is answered with 429 and Retry-After, and others are not."""
    if "limited" not in api.keys:
        pytest.skip("because the target was given no key to use up")
    path = f"/models/{NO_SUCH['name']}/{NO_SUCH['version']}"
    answer, asked = api.get(path, key="limited"), 1
    with ThreadPoolExecutor(AT_ONCE) as several:
        while asked < LIMITED_WITHIN and answer.status not in {429, None}:
            others = [f"/models/{NO_SUCH['name']}/{900_000 + asked + at}" for at in range(AT_ONCE)]
            answers = list(several.map(lambda other: api.get(other, key="limited"), others))
            answer, asked = max(answers, key=lambda one: one.status or 1000), asked + AT_ONCE
    after = answer.headers.get("Retry-After", "")
    other = api.get(path)

    if answer.status is not None and (answer.status != 429 or not after.strip().isdigit()):
        fact.update(semantics="limit-missing", route="/models/{name}/{version}")
    assert answer.status == 429, exchange(
        f"GET {path} and others like it, {asked} times with one key",
        "the API",
        expected="429 at some time",
        got=str(answer),
        do="limit each key, whichever model it asks for",
    )
    assert after.strip().isdigit(), exchange(
        f"GET {path} and others like it, {asked} times with one key",
        "the API",
        expected="429 with Retry-After in seconds",
        got=f"{answer}, headers {dict(answer.headers)}",
        do="say when to come back",
    )
    assert other.status == 404, exchange(
        f"GET {path} with another key, after one key was limited",
        "the API",
        expected="404: the limit is each key's own",
        got=str(other),
        do="limit by key, not by address",
    )


@pytest.mark.verifies("http-contract")
def test_an_outage_is_503(gated: Gated, baseline: Registered, fact: dict[str, Any]) -> None:
    """While MLflow is out every route that needs it answers 503, the service is not ready, and it lives on."""
    body = {
        "logged_model_id": NO_SUCH["uuid"],
        "kind": "baseline",
        "model_type": "classification",
        "metadata": {},
    }
    gated.block("tracking")
    answers = {
        name: ask(
            gated.api,
            name,
            known(baseline),
            json=body if name.startswith("POST /models/register") else None,
            timeout=OUTAGE_BOUND,
        )
        for name in KEYED
    }
    ready, live = (gated.api.get(path, key=None) for path in ("/ready", "/live"))
    gated.unblock()

    if ready.status == 200:
        fact.update(semantics="health-status-wrong", status=200, claim="ready")
    elif live.status not in {200, None}:
        fact.update(semantics="status-wrong", route="/live", expected=200, got=live.status)
    wrong = {name: answer for name, answer in answers.items() if answer.status != 503}
    for name, answer in wrong.items():
        missing = answer.status == 404 and "{" in name
        outage = {"semantics": "outage-said-not-found", "dependency": "mlflow"}
        fact.update(outage if missing else misanswered(name, 503, answer))
    assert not wrong, exchange(
        f"{', '.join(wrong)} while MLflow is out",
        "the API (a second one, behind the harness's gate)",
        expected="503",
        got="; ".join(map(str, wrong.values())),
        do="answer 503 when a dependency is out, within a bounded time",
    )
    assert ready.status not in {200, None}, exchange(
        "GET /ready while MLflow is out",
        "the API (a second one, behind the harness's gate)",
        expected="503",
        got=str(ready),
        do="be ready only while requests can be served",
    )
    assert live.status == 200, exchange(
        "GET /live while MLflow is out",
        "the API (a second one, behind the harness's gate)",
        expected="200",
        got=str(live),
        do="ask nobody in /live",
    )


@pytest.mark.verifies("http-contract")
@pytest.mark.parametrize("name", OPEN)
def test_open_routes_answer(api: Http, fact: dict[str, Any], name: str) -> None:
    """A route that needs no key answers 200 without one."""
    answer = ask(api, name, {}, key=None)

    if answer.status != 200:
        fact.update(misanswered(name, 200, answer))
    assert answer.status == 200, exchange(
        f"{name} without a key",
        "the API",
        expected="200",
        got=str(answer),
        do="look at the log of the API, and at its dependencies for /health and /ready",
    )
    if name == "GET /metrics":
        counted = [line for line in answer.text.splitlines() if line and not line.startswith("#")]
        assert counted, exchange(
            name,
            "the API",
            expected="metrics as Prometheus reads them",
            got=str(answer),
            do="serve the metrics as text",
        )
    if name == "GET /version":
        assert isinstance(answer.json, dict), exchange(
            name, "the API", expected="an object that identifies the build", got=str(answer), do="say which build it is"
        )


@pytest.mark.verifies("http-contract")
def test_no_recorded_route_is_gone(api: Http, fact: dict[str, Any]) -> None:
    """What the service says of itself (/openapi.json) still names every recorded route."""
    answer = api.get("/openapi.json", key=None)
    said = answer.json.get("paths", {}) if isinstance(answer.json, dict) else {}
    shapes = {f"{method.upper()} {shape(path)}" for path, methods in said.items() for method in methods}

    gone = [
        name
        for name, _ in operations()
        if route_of(name) != "/openapi.json" and f"{name.split(' ')[0]} {shape(route_of(name))}" not in shapes
    ]
    if answer.status == 200 and gone:
        fact.update(semantics="route-missing", route=route_of(gone[0]))
    assert not gone, exchange(
        "GET /openapi.json",
        "the API",
        expected=f"{', '.join(gone)} among its routes",
        got=sorted(shapes) or str(answer),
        do="keep every route that callers rely on",
    )


def shape(path: str) -> str:
    """A path with its parameters' names left out."""
    return "/".join("{}" if part.startswith("{") else part for part in path.split("/"))
