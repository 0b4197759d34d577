"""Every service runs, and what health says of itself is confirmed by others, and turns false when it must."""

import re
import time
from collections.abc import Callable, Mapping
from typing import Any
from uuid import uuid4

import pytest

from fixtures.containers import log_of
from fixtures.gate import Gated
from fixtures.http import Answer, Http
from fixtures.journal import Journal
from fixtures.registrations import Registered
from fixtures.sink import Sink
from fixtures.stack import Stack
from fixtures.states import is_sound, states, told_by_engine
from fixtures.target import Target
from fixtures.waiting import wait_until
from fixtures.witnesses import OWN_KEYS, Database, Queue
from suites.listeners import LISTENING, listening
from suites.recorded import departures, told
from suites.wording import exchange

BOUND = 3.0
"""Seconds within which /health answers, whatever is down."""

TOLERANCE = 1.0
"""Seconds granted on top for the way there and a busy machine."""

SETTLED = 20.0
"""Seconds within which a stack that has just come up says that it is healthy; all checks of a run share them."""

CLAIMS = {
    "mlflow": "tracking",
    "redis": "queue",
    "message_queue": "queue",
    "postgres": "database",
    "external_api": "external",
}
"""Each claim of /health, and the role of the service that it is about."""

LOST_WORKER = re.compile(
    r"WORKER TIMEOUT \(pid:\d+\)|HARAKIRI ON WORKER|Worker \(pid:\d+\) was sent SIG(?:KILL|ABRT|SEGV|BUS)"
)
"""What gunicorn and uWSGI write of a worker that they killed, or that a signal ended.

Not uvicorn's "Child process died": it says so of workers that a busy machine kept from answering for 5 s.
"""

DEADLY = ("die", "oom", "kill", "health_status: unhealthy", "restart")


@pytest.fixture(scope="module")
def settled_health(api: Http) -> Callable[[], Answer]:
    """GET /health as soon as it answers 200: the first request of a worker that has just started may be slow."""
    until = time.monotonic() + SETTLED

    def asked() -> Answer:
        left = until - time.monotonic()
        return wait_until(
            lambda: api.get("/health", key=None), lambda answer: answer.status == 200, within=left, every=0.3
        )

    return asked


def claims_of(answer: Answer) -> dict[str, Any]:
    """The claims of a health answer; empty where it has none."""
    services = answer.json.get("services") if isinstance(answer.json, dict) else None
    return services if isinstance(services, dict) else {}


@pytest.mark.verifies("services-healthy")
def test_every_service_runs_and_is_healthy(target: Target, journal: Journal) -> None:
    """Every service runs and is healthy by its own health check; every job has ended with 0."""
    seen = states(target.services)
    for service, state in seen:
        journal.record("container", service.name, {"moment": "check"}, state)

    unsound = [state for service, state in seen if not is_sound(service, state)]
    assert not unsound, exchange(
        "the state and health of every container",
        "the Docker engine",
        expected="running and healthy, or for a job ended with 0",
        got=unsound,
        do="read the log of each service that is named",
    )


@pytest.mark.verifies("services-healthy")
def test_every_published_port_leads_to_a_listener(target: Target, journal: Journal, fact: dict[str, Any]) -> None:
    """Where a service publishes a TCP port something listens in its container, beyond its own loopback."""
    dead = {}
    for service in target.services:
        published = {int(port.split("/")[0]) for port in published_of(service.inspect) if port.endswith("/tcp")}
        ran = told_by_engine(journal, service, "exec", service.container, "sh", "-c", LISTENING) if published else None
        if ran is not None and ran.ok and (silent := sorted(published - listening(ran.stdout))):
            dead[service.name] = silent

    if dead:
        name, ports = next(iter(dead.items()))
        fact.update(
            semantics="port-wrong", service=name, setting="ports", host=name, port=ports[0], mismatch="nothing listens"
        )
    assert not dead, exchange(
        "which of the published ports something listens on",
        "the kernel, in every container (/proc/net/tcp)",
        expected="each of them",
        got=dead,
        do="publish the port that the service listens on",
    )


def published_of(inspect: Mapping[str, Any]) -> list[str]:
    """The container's ports that are bound to the host, as the engine writes them: `8001/tcp`."""
    return [port for port, bound in ((inspect.get("HostConfig") or {}).get("PortBindings") or {}).items() if bound]


@pytest.mark.verifies("services-healthy")
def test_health_has_the_recorded_shape(settled_health: Callable[[], Answer], fact: dict[str, Any]) -> None:
    """GET /health answers 200 with the recorded keys, and every claim says healthy."""
    answer = settled_health()
    claims = claims_of(answer)
    found = departures("health", answer.json) + departures("health_services", claims)
    unwell = {name: word for name, word in claims.items() if word != "healthy"}
    status = answer.json.get("status") if isinstance(answer.json, dict) else None

    if answer.status is not None and found:
        fact.update(
            semantics="health-shape-wrong",
            missing=[departure.key for departure in found],
            extra=sorted(set(claims) - set(CLAIMS)),
        )
    elif answer.status is not None and (answer.status == 200) != (not unwell and status == "healthy"):
        fact.update(semantics="health-status-wrong", status=answer.status, claim=", ".join(unwell))
    elif unwell:
        fact["unwell"] = sorted(unwell)
    assert not found, exchange(
        "GET /health",
        "the API",
        expected="the recorded answer (suites/contracts/health.json)",
        got=f"{told(found)}: {answer}",
        do="give the answer its recorded keys again",
    )
    assert (answer.status, status, unwell) == (200, "healthy", {}), exchange(
        "GET /health",
        "the API",
        expected='200, status "healthy", five claims "healthy"',
        got=str(answer),
        do="look at each dependency that is not healthy",
    )


@pytest.mark.verifies("services-healthy")
def test_postgres_is_as_claimed(
    settled_health: Callable[[], Answer], database: Database, baseline: Registered, fact: dict[str, Any]
) -> None:
    """The claim of Postgres is confirmed by a row: the version just registered, read in Postgres itself."""
    claim = claims_of(settled_health()).get("postgres")
    rows = database.rows(f"SELECT version FROM model_versions WHERE run_id = '{baseline.run_id}'")  # noqa: S608  hex

    confirmed = rows.error is None and len(rows.rows) > 0
    if claim == "healthy" and rows.error is None and not confirmed:
        fact.update(semantics="registered-not", what="version")
    assert (claim, confirmed) == ("healthy", True), exchange(
        f"GET /health, and the row of run {baseline.run_id}",
        "the API, and psql in the database's container",
        expected='postgres "healthy", and one row',
        got=f"postgres {claim!r}; {rows.error or rows.rows}",
        do="look at the database's log, and where MLflow writes to",
    )


@pytest.mark.verifies("services-healthy")
def test_redis_is_as_claimed(settled_health: Callable[[], Answer], queue: Queue) -> None:
    """The claim of Redis is confirmed by a value written and read back."""
    claim = claims_of(settled_health()).get("redis")
    key, value = f"{OWN_KEYS}{uuid4().hex}", uuid4().hex
    wrote = queue.command("SET", key, value, "EX", "60")
    read = queue.command("GET", key)
    queue.command("DEL", key)

    assert (claim, read.value) == ("healthy", value), exchange(
        f"GET /health, and SET and GET of {key}",
        "the API, and Redis",
        expected=f'redis "healthy", and {value}',
        got=f"redis {claim!r}; SET: {wrote.error or wrote.value}; GET: {read.error or read.value}",
        do="look at what Redis says: memory, disk, role, password",
    )


@pytest.mark.verifies("services-healthy")
def test_the_message_queue_is_as_claimed(settled_health: Callable[[], Answer], queue: Queue) -> None:
    """The claim of the message queue is confirmed by a message pushed to a side list and moved as a consumer moves it."""
    claim = claims_of(settled_health()).get("message_queue")
    trip = queue.round_trip()
    kind = queue.command("TYPE", "hokusai:model_ready_queue")

    assert (claim, trip.value) == ("healthy", True), exchange(
        "GET /health, and a message pushed to a side list and moved",
        "the API, and Redis",
        expected='message_queue "healthy", and the message',
        got=f"message_queue {claim!r}; {trip.error or trip.value}",
        do="look at what Redis says: memory, disk, role, password",
    )
    assert kind.value in {"list", "none"}, exchange(
        "TYPE hokusai:model_ready_queue",
        "Redis",
        expected="list, or none while it is empty",
        got=kind.value or str(kind.error),
        do="something else was written under the queue's name: remove it",
    )


@pytest.mark.verifies("services-healthy")
def test_mlflow_is_as_claimed(settled_health: Callable[[], Answer], tracking: Http) -> None:
    """The claim of MLflow is confirmed by a write over REST that is read back."""
    claim = claims_of(settled_health()).get("mlflow")
    name = f"airworthy-{uuid4().hex}"
    wrote = tracking.post("/api/2.0/mlflow/experiments/create", json={"name": name})
    read = tracking.get("/api/2.0/mlflow/experiments/get-by-name", params={"experiment_name": name})
    if wrote.status == 200 and isinstance(wrote.json, dict):
        tracking.post("/api/2.0/mlflow/experiments/delete", json={"experiment_id": wrote.json.get("experiment_id")})

    assert (claim, wrote.status, read.status) == ("healthy", 200, 200), exchange(
        f"GET /health, and create and read the experiment {name}",
        "the API, and MLflow over REST",
        expected='mlflow "healthy", and 200 twice',
        got=f"mlflow {claim!r}; {wrote}; {read}",
        do="look at the tracking server's log: its own /health asks nobody",
    )


@pytest.mark.verifies("services-healthy")
def test_the_external_api_is_as_claimed(
    settled_health: Callable[[], Answer], external: Sink, fact: dict[str, Any]
) -> None:
    """The claim of the external API is confirmed by that API's own log: the health call came in."""
    before = len(external.requests())
    claim = claims_of(settled_health()).get("external_api")
    after = external.wait_for(before + 1, within=2)

    if claim == "healthy" and len(after) <= before:
        fact.update(semantics="health-constant", claim="external_api")
    assert (claim, len(after) > before) == ("healthy", True), exchange(
        "GET /health, and what the external API's own log shows of it",
        "the API, and the external API's stand-in",
        expected='external_api "healthy", and a request in the log',
        got=f"external_api {claim!r}; {len(after) - before} requests",
        do="ask the external API in /health: a claim that asks nobody is a constant",
    )


@pytest.mark.verifies("services-healthy")
@pytest.mark.parametrize("claim", CLAIMS)
def test_a_claim_turns_false_when_its_dependency_is_away(gated: Gated, fact: dict[str, Any], claim: str) -> None:
    """A claim of /health turns false, by name and with 503, when its dependency refuses, and true again with it."""
    role = CLAIMS[claim]
    if gated.target.find(role) is None:
        pytest.skip(f"because the target has no {role}")
    gated.block(role, "refuse")
    away = gated.health()
    gated.unblock()
    back = gated.health()
    claims, others = claims_of(away), {name for name, about in CLAIMS.items() if about == role}
    others |= {"mlflow"} if role == "database" else set()

    if away.status is not None:
        if claims.get(claim) == "healthy":
            fact.update(semantics="health-constant", claim=claim)
        elif away.status == 200:
            fact.update(semantics="health-status-wrong", status=200, claim=claim)
        elif away.seconds > BOUND + TOLERANCE:
            fact.update(semantics="health-slow", seconds=round(away.seconds, 1), bound=BOUND)
    assert away.status is not None, exchange(
        f"GET /health while {claim} refuses connections",
        "the API (a second one, behind the harness's gate)",
        expected="503",
        got=str(away),
        do="answer /health whatever is down",
    )
    assert claims.get(claim) not in {"healthy", None}, exchange(
        f"GET /health while {claim} refuses connections",
        "the API (a second one, behind the harness's gate)",
        expected=f"{claim} not healthy",
        got=str(away),
        do=f"ask {claim} in /health: its claim is a constant",
    )
    assert away.status == 503, exchange(
        f"GET /health while {claim} refuses connections",
        "the API (a second one, behind the harness's gate)",
        expected="503",
        got=str(away),
        do="answer 503 when degraded or unhealthy: curl -f and load balancers look at the status",
    )
    assert away.seconds <= BOUND + TOLERANCE, exchange(
        f"GET /health while {claim} refuses connections",
        "the API (a second one, behind the harness's gate)",
        expected=f"an answer within {BOUND:g} s",
        got=str(away),
        do="bound every question that /health asks, and ask them at once",
    )
    accused = {name for name, word in claims.items() if word != "healthy"} - others
    assert not accused, exchange(
        f"GET /health while only {claim} refuses connections",
        "the API (a second one, behind the harness's gate)",
        expected=f"{', '.join(sorted(set(CLAIMS) - others))} still healthy",
        got=str(away),
        do="let each claim speak of its own dependency alone",
    )
    assert (back.status, claims_of(back).get(claim)) == (200, "healthy"), exchange(
        f"GET /health when {claim} can be reached again",
        "the API (a second one, behind the harness's gate)",
        expected=f"200, {claim} healthy",
        got=str(back),
        do="connect anew after an outage",
    )


@pytest.mark.verifies("services-healthy")
def test_health_is_bounded_when_all_are_silent(gated: Gated, fact: dict[str, Any]) -> None:
    """When every dependency swallows what it is sent /health says so of all five within 3 s, and /live still answers."""
    roles = sorted(role for role in set(CLAIMS.values()) if gated.target.find(role))
    for role in roles:
        gated.block(role, "silent")
    live = gated.api.get("/live", key=None)
    away = gated.health()
    gated.unblock()
    claims = claims_of(away)
    constant = sorted(name for name, role in CLAIMS.items() if role in roles and claims.get(name) in {"healthy", None})

    if away.status is not None and constant:
        told = [name for name in constant if name in claims]
        fact.update(seen=[{"semantics": "health-constant", "claim": name} for name in told])
    elif away.status is not None and away.status != 503:
        fact.update(semantics="health-status-wrong", status=away.status, claim=", ".join(claims))
    elif away.seconds > BOUND + TOLERANCE:
        fact.update(semantics="health-slow", seconds=round(away.seconds, 1), bound=BOUND)
    assert (away.status, constant) == (503, []), exchange(
        "GET /health while every dependency is silent",
        "the API (a second one, behind the harness's gate)",
        expected="503, and no claim healthy",
        got=str(away),
        do="bound every question that /health asks, and ask them at once",
    )
    assert away.seconds <= BOUND + TOLERANCE, exchange(
        "GET /health while every dependency is silent",
        "the API (a second one, behind the harness's gate)",
        expected=f"an answer within {BOUND:g} s",
        got=str(away),
        do="bound every question that /health asks, and ask them at once",
    )
    assert live.status == 200, exchange(
        "GET /live while every dependency is silent",
        "the API (a second one, behind the harness's gate)",
        expected="200",
        got=str(live),
        do="ask nobody in /live",
    )


@pytest.mark.verifies("services-healthy")
def test_mlflow_answers_its_own_health(tracking: Http, fact: dict[str, Any]) -> None:
    """MLflow's own /health answers OK, and nothing else: no login page, no proxy's page."""
    answer = tracking.get("/health")

    if answer.status is not None and answer.text.strip() != "OK":
        fact.update(semantics="health-shape-wrong", service="tracking", missing=["OK"], extra=[answer.text[:60]])
    assert (answer.status, answer.text.strip()) == (200, "OK"), exchange(
        "GET /health",
        "MLflow",
        expected="200 OK",
        got=str(answer),
        do="look at what answers there: the server itself, or something in front of it",
    )


@pytest.mark.verifies("services-healthy")
@pytest.mark.parametrize(
    "when", ["from its start on", pytest.param("up to the end of the run", marks=pytest.mark.last)]
)
def test_no_server_loses_its_workers(when: str, target: Target, fact: dict[str, Any]) -> None:
    """No server kills a worker that is too slow, or loses one to a signal: whoever it was serving got no answer."""
    lost = {}
    for service in target.judged:
        lines = [line.strip() for line in log_of(service.container).splitlines() if LOST_WORKER.search(line)]
        if lines:
            lost[service.name] = lines[:5]

    if lost:
        name, lines = next(iter(lost.items()))
        fact.update(service=name, lines=lines)
    assert not lost, exchange(
        f"whether a server lost a worker, {when}",
        "the logs of all containers",
        expected="none",
        got=lost,
        do="give the workers the time and the memory that their start and their work take",
    )


@pytest.mark.verifies("services-healthy")
@pytest.mark.last
def test_no_service_died_during_the_run(target: Target, stack: Stack, journal: Journal) -> None:
    """No service died, restarted, ran out of memory or turned unhealthy while it was asked."""
    seen = states(target.services)
    unsound = [state for service, state in seen if not is_sound(service, state)]
    services = {service.name: service for service in target.services if not service.ours}
    started = max((event.seq for event in journal.events("start")), default=0)
    deaths = []
    for event in journal.events("event", since=started):
        service, said = services.get(event.subject), event.response
        ended_well = service is not None and service.role == "job" and said.get("exit_code") in {0, None}
        if service is not None and not said.get("expected") and said["action"].startswith(DEADLY) and not ended_well:
            deaths.append(f"{event.subject}: {said['action']} {said.get('exit_code', '')}".strip())

    assert not deaths, exchange(
        f"what happened to the {len(services)} services of {stack.project} while they were asked",
        "the Docker engine's events",
        expected="no death, no restart, no exhausted memory, no bad health",
        got=deaths,
        do="read the log of each service that is named, up to its end",
    )
    assert not unsound, exchange(
        "the state and health of every container at the end of the run",
        "the Docker engine",
        expected="running and healthy, or for a job ended with 0",
        got=unsound,
        do="read the log of each service that is named",
    )
