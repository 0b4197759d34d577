"""What the rungs of the ladder are diagnosed as: whose mistake, how sure, and what would mend it."""

import copy
import ipaddress
from typing import Any

import pytest

from reports.causes import Confidence, Diagnosis, known
from reports.rules import dependencies, network
from reports.rules.seen import Ended, Rule, Seen
from reports.wiring import links_of
from suites.selftest.journals import Story

CONFIG: dict[str, Any] = {
    "services": {
        "db": {"environment": {"POSTGRES_USER": "mlflow", "POSTGRES_DB": "mlflow_db"}},
        "store": {},
        "queue": {},
        "outside": {},
        "mlflow": {
            "command": ["mlflow", "server", "--default-artifact-root", "s3://artifacts/"],
            "environment": {
                "BACKEND_URI": "postgresql://mlflow:[redacted]@db:5432/mlflow_db",
                "MLFLOW_S3_ENDPOINT_URL": "http://store:9000",
                "AWS_ACCESS_KEY_ID": "key",
                "AWS_SECRET_ACCESS_KEY": "[redacted]",
            },
        },
        "api": {
            "environment": {
                "POSTGRES_HOST": "db",
                "POSTGRES_USER": "mlflow",
                "POSTGRES_PASSWORD": "[redacted]",
                "POSTGRES_DB": "mlflow_db",
                "MLFLOW_TRACKING_URI": "http://mlflow:5000",
                "MLFLOW_S3_ENDPOINT_URL": "http://store:9000",
                "AWS_ACCESS_KEY_ID": "key",
                "AWS_SECRET_ACCESS_KEY": "[redacted]",
                "REDIS_URL": "redis://:[redacted]@queue:6379/0",
                "EXTERNAL_URL": "http://outside:8090",
            }
        },
    }
}
PROVEN, LIKELY, UNKNOWN = Confidence
ANYWHERE = str(ipaddress.IPv4Address(0))
Told = list[tuple[str, str, Confidence]]


def changed(service: str, **environment: str | None) -> dict[str, Any]:
    """The configuration with variables of a service set, or taken out where they are None."""
    config = copy.deepcopy(CONFIG)
    known = config["services"].setdefault(service, {}).setdefault("environment", {})
    config["services"][service]["environment"] = {
        name: value for name, value in (known | environment).items() if value is not None
    }
    return config


def begun(config: dict[str, Any] | None = None) -> Story:
    """A run of this configuration in which nothing was asked yet."""
    story = Story()
    story.tell("compose", "rendered", config or CONFIG)
    return story


def rung(story: Story, name: str, position: str, kind: str, code: str = "", message: str = "", **facts: Any) -> Story:
    """A rung climbed from a service's position about its dependency of this kind; broken where it has a code."""
    config = story.events[0].response
    link = next(link for link in links_of(config) if (link.caller, str(link.kind)) == (position, kind))
    error = {"code": code, "message": message, "type": "Refused"} if code else None
    story.tell(
        "rung",
        name,
        {"ok": not code, "facts": facts, "error": error, "seconds": 0.1},
        {"position": position, "about": link.about, "link": link.as_json()},
    )
    return story


def listens(story: Story, service: str, *rows: tuple[str, int]) -> Story:
    """What listens in a service's network namespace."""
    facts = {"listening": [{"address": address, "port": port} for address, port in rows]}
    asked = {"position": service, "about": service, "link": None}
    story.tell("rung", "ports.listening", {"ok": True, "facts": facts, "error": None}, asked)
    return story


def read(story: Story, *groups: tuple[Rule, ...]) -> list[Diagnosis]:
    """What the rules of these groups find, all of them where none is named."""
    seen = Seen(story.done())
    groups = groups or (network.RULES, dependencies.RULES, dependencies.FALLBACKS)
    return [entry for rules in groups for rule in rules for entry in rule.rule(seen).diagnoses]


def told(story: Story, *groups: tuple[Rule, ...]) -> Told:
    """Cause, component and confidence of what the rules find."""
    return [(entry.cause, entry.component, entry.confidence) for entry in read(story, *groups)]


@pytest.mark.parametrize(
    ("code", "cause", "component"),
    [
        ("28P01", "database-password-wrong", "api"),
        ("28000", "database-user-unknown", "api"),
        ("3D000", "database-missing", "api"),
        ("53300", "database-full", "db"),
        ("57P03", "database-starting", "db"),
        ("42501", "database-grants-missing", "db"),
        ("25006", "database-read-only", "db"),
        ("read-only", "database-read-only", "db"),
        ("grants-missing", "database-grants-missing", "db"),
        ("XX000", "database-failing", "db"),
        ("42P01", None, None),
        ("broken", None, None),
        ("refused", None, None),
    ],
)
def test_the_databases_error_names_the_cause(code: str, cause: str | None, component: str | None) -> None:
    """By SQLSTATE: the caller for what it names, the database for its own state, nothing for what was asked wrongly."""
    story = rung(begun(), "database.login", "api", "database", code, "no", user="mlflow", used=5, limit=5)
    found = read(story)

    assert [(entry.cause, entry.component, entry.confidence) for entry in found] == (
        [(cause, component, known()[cause].surest)] if cause else []
    )
    assert all(entry.evidence == (2,) and entry.parameters["service"] == "api" for entry in found)


@pytest.mark.parametrize(
    ("other", "component"), [(None, "mlflow"), ("", "mlflow"), ("3D000", "mlflow"), ("28P01", "db")]
)
def test_where_all_callers_are_refused_alike_the_database_is_at_fault(other: str | None, component: str) -> None:
    """A sibling that is let in, or fails otherwise, leaves the mistake with the caller."""
    story = begun()
    if other is not None:
        rung(story, "database.login", "api", "database", other)
    rung(story, "database.login", "mlflow", "database", "28P01")
    last = read(story)[-1]

    assert (last.cause, last.component) == ("database-password-wrong", component)
    assert len(last.evidence) == (1 if other is None else 2)


@pytest.mark.parametrize(
    ("user", "own", "cause"),
    [
        ("nobody", "mlflow", "database-user-unknown"),
        ("mlflow", "mlflow", "database-password-wrong"),
        ("nobody", None, "database-user-unknown"),
        ("mlflow", None, "database-password-wrong"),
    ],
)
def test_a_refused_password_of_a_user_whom_nobody_names_is_an_unknown_user(
    user: str, own: str | None, cause: str
) -> None:
    """PostgreSQL answers both alike; the database's own setting, else another caller's, tells them apart."""
    story = rung(begun(changed("db", POSTGRES_USER=own)), "database.login", "mlflow", "database", "28P01", user=user)

    assert [entry.cause for entry in read(story)] == [cause]


@pytest.mark.parametrize(
    ("environment", "wanted", "patch"),
    [
        ({"POSTGRES_DB": "nope"}, "mlflow_db", {"services": {"api": {"environment": {"POSTGRES_DB": "mlflow_db"}}}}),
        ({"POSTGRES_HOST": None, "DATABASE_URL": "postgresql://mlflow:[redacted]@db/nope"}, "mlflow_db", None),
    ],
)
def test_a_database_that_is_not_there_is_mended_where_the_setting_is_plain(
    environment: dict[str, str | None], wanted: str, patch: dict[str, Any] | None
) -> None:
    """The overlay puts the agreed name in place; a value with a secret in it is never written out."""
    story = rung(begun(changed("api", **environment)), "database.login", "api", "database", "3D000")
    entry = read(story)[0]

    assert (entry.cause, entry.parameters["database"], entry.parameters["wanted"], entry.patch) == (
        "database-missing",
        "nope",
        wanted,
        patch,
    )


@pytest.mark.parametrize(
    ("code", "facts", "environment", "log", "setting"),
    [
        ("password-missing", {}, {}, "", "POSTGRES_PASSWORD"),
        ("password-missing", {}, {"POSTGRES_PASSWORD": None}, "", "POSTGRES_PASSWORD"),
        ("password-missing", {}, {"POSTGRES_PASSWORD": None}, "SQL_PASSWD is not set", "SQL_PASSWD"),
        ("password-missing", {}, {"POSTGRES_HOST": None, "POSTGRES_PASSWORD": None, "URI": "x"}, "", "URI"),
        ("setting-missing", {"setting": "PGUSER"}, {}, "", "PGUSER"),
        ("setting-missing", {}, {}, "", "POSTGRES_USER"),
    ],
)
def test_a_login_without_a_password_names_the_setting_that_should_hold_it(
    code: str, facts: dict[str, Any], environment: dict[str, str | None], log: str, setting: str
) -> None:
    """The one that is there but empty, the one that the log misses, the address itself, or one named like it."""
    if "URI" in environment:
        environment = environment | {"URI": "postgresql://mlflow@db/mlflow_db"}
    story = begun(changed("api", **environment))
    if log:
        story.tell("log", "api", {"lines": 1, "tail": [log]})
    entry = read(rung(story, "database.login", "api", "database", code, **facts))[0]

    assert (entry.cause, entry.component, entry.parameters) == ("setting-missing", "api", {"setting": setting})


@pytest.mark.parametrize(
    ("position", "code", "expected"),
    [
        ("mlflow", "older", [("schema-older", "db", PROVEN)]),
        ("mlflow", "newer", [("schema-newer", "mlflow", PROVEN)]),
        ("mlflow", "unstamped", [("schema-inconsistent", "db", PROVEN)]),
        ("mlflow", "empty", []),
        ("mlflow", "other", []),
        ("api", "older", []),
    ],
)
def test_a_schema_is_held_against_the_tracking_servers_own_image(position: str, code: str, expected: Told) -> None:
    """Too new is the server's fault, the rest the database's; another service's look at the schema proves nothing."""
    story = rung(begun(), "database.schema", position, "database", code, found=["a1"], heads=["b2"])

    assert told(story) == expected


@pytest.mark.parametrize(
    ("code", "cause", "component"),
    [
        ("InvalidAccessKeyId", "store-key-unknown", "api"),
        ("SignatureDoesNotMatch", "store-secret-wrong", "api"),
        ("AccessDenied", "store-access-denied", "api"),
        ("ExpiredToken", "store-token-expired", "api"),
        ("RequestTimeTooSkewed", "clock-skewed", "api"),
        ("AuthorizationHeaderMalformed", "store-region-wrong", "api"),
        ("XMinioStorageFull", "store-full", "store"),
        ("XMinioAdminBucketQuotaExceeded", "store-full", "store"),
        ("SlowDown", "store-failing", "store"),
    ],
)
def test_the_stores_error_names_the_cause(code: str, cause: str, component: str) -> None:
    """By S3 error code: the caller for its keys, the store for its own state; alike for all callers, the store."""
    alone = rung(begun(), "store.bucket", "api", "object-store", code, bucket="artifacts")
    both = rung(rung(begun(), "store.bucket", "api", "object-store", code), "store.bucket", "mlflow", "object-store")
    alike = rung(
        rung(begun(), "store.bucket", "api", "object-store", code), "store.bucket", "mlflow", "object-store", code
    )

    assert told(alone) == told(both) == [(cause, component, known()[cause].surest)]
    assert {where for _, where, _ in told(alike)} == {"store"}


@pytest.mark.parametrize(
    ("position", "facts", "options", "confidence"),
    [
        ("api", {"missing": ["AWS_SECRET_ACCESS_KEY"]}, [], PROVEN),
        ("api", {}, [], PROVEN),
        ("mlflow", {}, ["--default-artifact-root", "s3://artifacts/"], LIKELY),
        ("mlflow", {}, ["--artifacts-destination", "s3://artifacts/"], PROVEN),
    ],
)
def test_a_caller_without_keys_lacks_a_setting(
    position: str, facts: dict[str, Any], options: list[str], confidence: Confidence
) -> None:
    """Proven, but only likely of a server whose clients go to the store themselves."""
    config = copy.deepcopy(CONFIG)
    config["services"]["mlflow"]["command"] = ["mlflow", "server", *options]
    story = rung(begun(config), "store.bucket", position, "object-store", "credentials-missing", **facts)
    entry = read(story)[0]

    assert told(story) == [("setting-missing", position, confidence)]
    assert entry.parameters["setting"] == (facts.get("missing") or ["AWS_ACCESS_KEY_ID"])


def with_job(bucket: str, command: Any = None, **environment: str) -> dict[str, Any]:
    """The configuration with a job that makes a bucket, and perhaps another command of the tracking server."""
    config = changed("api", **environment)
    config["services"]["job"] = {"environment": {"BUCKET": bucket}}
    config["services"]["mlflow"]["command"] = command or config["services"]["mlflow"]["command"]
    return config


def test_a_bucket_that_nobody_else_names_is_wrong_where_it_is_named() -> None:
    """The setting of the server through which a client knows it is mended, in its command or its environment."""
    story = rung(begun(with_job("made")), "store.bucket", "api", "object-store", "NoSuchBucket", bucket="artifacts")
    entry = read(story)[0]
    words = ["mlflow", "server", "--default-artifact-root", "s3://made/"]

    assert (entry.cause, entry.component, entry.parameters["wanted"]) == ("bucket-wrong", "mlflow", "made")
    assert entry.patch == {"services": {"mlflow": {"command": words}}}

    named = with_job("made", S3_BUCKET="mine")
    story = rung(begun(named), "store.objects", "api", "object-store", "NoSuchBucket", buckets=["made"])
    entry = read(story)[0]
    assert (entry.cause, entry.component, entry.parameters["wanted"]) == ("bucket-wrong", "api", "made")
    assert entry.patch == {"services": {"api": {"environment": {"S3_BUCKET": "made"}}}}


@pytest.mark.parametrize(
    "command",
    [
        "mlflow server --default-artifact-root s3://artifacts/",
        ["mlflow", "--uri", "x:[redacted]@y", "--default-artifact-root", "s3://artifacts/"],
    ],
)
def test_a_command_that_cannot_be_rewritten_is_left_alone(command: Any) -> None:
    """One text, or words with a secret masked in them: the diagnosis stands, without an overlay."""
    story = begun(with_job("made", command))
    entry = read(rung(story, "store.bucket", "api", "object-store", "NoSuchBucket", bucket="artifacts"))[0]

    assert (entry.cause, entry.patch) == ("bucket-wrong", None)


def test_a_bucket_that_all_name_alike_is_missing() -> None:
    """It was not made, or is gone: the store's state, nobody's setting."""
    story = rung(begun(with_job("artifacts")), "store.bucket", "api", "object-store", "NoSuchBucket")

    assert told(story) == [("bucket-missing", "store", PROVEN)]
    assert read(story)[0].parameters["bucket"] == "artifacts"


@pytest.mark.parametrize(
    ("code", "message", "expected"),
    [
        ("WRONGPASS", "invalid username-password pair", [("queue-password-wrong", "api", PROVEN)]),
        ("NOAUTH", "Authentication required.", [("queue-password-missing", "api", PROVEN)]),
        ("NOPERM", "no permissions to run 'lpush'", [("queue-access-denied", "queue", PROVEN)]),
        ("DENIED", "protected mode is enabled", [("queue-access-denied", "queue", PROVEN)]),
        ("OOM", "command not allowed when used memory > 'maxmemory'", [("queue-memory-full", "queue", PROVEN)]),
        ("MISCONF", "unable to persist", [("queue-cannot-persist", "queue", PROVEN)]),
        ("READONLY", "a read only replica", [("queue-read-only", "queue", PROVEN)]),
        ("LOADING", "loading the dataset", [("queue-failing", "queue", LIKELY)]),
        ("ERR", "AUTH called without any password configured", [("queue-password-wrong", "api", PROVEN)]),
        ("ERR", "max number of clients reached", [("queue-clients-full", "queue", PROVEN)]),
        ("ERR", "DB index is out of range", [("queue-database-wrong", "api", PROVEN)]),
        ("ERR", "something odd", [("queue-failing", "queue", LIKELY)]),
        ("unknown-command", "ERR unknown command 'LPUSH'", [("queue-command-missing", "queue", PROVEN)]),
        ("max-clients", "ERR max number of clients reached", [("queue-clients-full", "queue", PROVEN)]),
        ("refused", "", []),
        ("closed", "", [("port-silent", "queue", LIKELY)]),
    ],
)
def test_the_queues_error_names_the_cause(code: str, message: str, expected: Told) -> None:
    """By the first word of Redis' answer, and for the plain ERR by what it says."""
    assert told(rung(begun(), "queue.login", "api", "queue", code, message)) == expected


@pytest.mark.parametrize(
    ("code", "message", "status", "expected"),
    [
        ("status-401", "", 401, [("tracking-unauthorised", "api", PROVEN)]),
        ("status-404", "", 404, [("endpoint-not-known", "mlflow", PROVEN)]),
        ("status-413", "", 413, [("body-too-large", "mlflow", PROVEN)]),
        ("status-502", "", 502, [("gateway-failing", "mlflow", LIKELY)]),
        ("status-500", "INTERNAL_ERROR", 500, [("tracking-failing", "mlflow", UNKNOWN)]),
        ("status-503", "disabled in --artifacts-only mode", 503, [("artifacts-only", "mlflow", PROVEN)]),
        ("not-json", "<html>", 200, [("response-not-json", "api", PROVEN)]),
        ("odd", "", None, []),
        ("silent", "", None, [("port-silent", "mlflow", LIKELY)]),
        ("closed", "", None, [("port-silent", "mlflow", LIKELY)]),
        ("not-the-service", "", None, [("not-the-service", "api", PROVEN)]),
    ],
)
def test_what_mlflow_answers_is_told_by_its_status(code: str, message: str, status: int | None, expected: Told) -> None:
    """A server's own error stays of unknown cause; a login or a page in its place is the caller's side."""
    assert told(rung(begun(), "tracking.read", "api", "tracking", code, message, status=status)) == expected


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("status-503", [("dependency-failing", "outside", PROVEN)]),
        ("silent", [("port-silent", "outside", LIKELY)]),
        ("odd", []),
    ],
)
def test_another_service_that_answers_badly_is_told(code: str, expected: Told) -> None:
    """A server's error is proven; silence is only likely its own."""
    assert told(rung(begun(), "http.get", "api", "http", code, status=503)) == expected


def test_an_address_beside_the_deployment_leaves_the_diagnosis_with_the_caller() -> None:
    """There is no component to name at the other end, and of its silence nothing is told."""
    elsewhere = changed("api", MLFLOW_TRACKING_URI="http://mlflow.example:5000", POSTGRES_HOST="db.example")
    failing = rung(begun(elsewhere), "tracking.read", "api", "tracking", "status-500", status=500)
    silent = rung(begun(elsewhere), "tracking.read", "api", "tracking", "silent")
    full = rung(begun(elsewhere), "database.login", "api", "database", "53300")

    assert told(failing) == [("tracking-failing", "api", UNKNOWN)]
    assert told(silent) == []
    assert told(full) == [("database-full", "api", PROVEN)]


@pytest.mark.parametrize(
    ("environment", "host", "wanted", "patched"),
    [
        ({"POSTGRES_HOST": "dbb"}, "dbb", "db", "db"),
        ({"POSTGRES_HOST": "zzzzz"}, "zzzzz", "db", "db"),
        ({"REDIS_URL": "redis://queues:6379/0"}, "queues", "queue", "redis://queue:6379/0"),
        ({"REDIS_URL": "redis://:[redacted]@queues:6379/0"}, "queues", "queue", None),
        ({"REDIS_URL": "redis://zzzzz:6379/0"}, "zzzzz", "the name of the service that is meant", None),
    ],
)
def test_an_unknown_host_is_mended_by_the_service_that_is_meant(
    environment: dict[str, str | None], host: str, wanted: str, patched: str | None
) -> None:
    """The like-named one, else the one that others call for the same; masked values are not written out."""
    kind, setting = ("database", "POSTGRES_HOST") if "POSTGRES_HOST" in environment else ("queue", "REDIS_URL")
    entry = read(rung(begun(changed("api", **environment)), "name.resolve", "api", kind, "host-unknown"))[0]

    assert (entry.cause, entry.component, entry.confidence) == ("host-unknown", "api", PROVEN)
    assert (entry.parameters["host"], entry.parameters["wanted"]) == (host, wanted)
    assert entry.patch == ({"services": {"api": {"environment": {setting: patched}}}} if patched else None)


@pytest.mark.parametrize(
    ("networks", "expected"),
    [
        ({"db": {"back": None}}, [("networks-disjoint", "db", PROVEN)]),
        ({"api": {"front": None}}, [("networks-disjoint", "api", PROVEN)]),
        ({"api": {"front": None}, "db": {"back": None}}, [("networks-disjoint", "api", PROVEN)]),
        ({}, []),
    ],
)
def test_two_services_without_a_common_network_do_not_find_each_other(
    networks: dict[str, dict[str, None]], expected: Told
) -> None:
    """The lonelier of the two is named, in a tie the caller; with a common network the name says nothing."""
    config = copy.deepcopy(CONFIG)
    for name, given in networks.items():
        config["services"][name]["networks"] = given

    assert told(rung(begun(config), "name.resolve", "api", "database", "host-unknown")) == expected


@pytest.mark.parametrize("code", ["host-unknown", ""])
def test_a_caller_without_an_endpoint_asks_amazon(code: str) -> None:
    """Where others have a store of their own, the endpoint is missing, whether or not Amazon's name is known there."""
    config = changed("api", MLFLOW_S3_ENDPOINT_URL=None, S3_BUCKET="artifacts")
    story = rung(begun(config), "name.resolve", "api", "object-store", code)
    entry = read(story)[0]

    assert told(story) == [("endpoint-missing", "api", PROVEN)]
    assert entry.patch == {"services": {"api": {"environment": {"MLFLOW_S3_ENDPOINT_URL": "http://store:9000"}}}}

    config["services"]["mlflow"] = {}
    alone = told(rung(begun(config), "name.resolve", "api", "object-store", code))
    assert alone == ([("host-unknown", "api", PROVEN)] if code else [])


@pytest.mark.parametrize(
    ("kind", "environment", "rows", "expected", "wanted"),
    [
        ("database", {"POSTGRES_PORT": "5433"}, [(ANYWHERE, 5432)], ("port-wrong", "api", PROVEN), 5432),
        ("database", {"POSTGRES_PORT": "5433"}, [("::", 6000)], ("port-wrong", "api", PROVEN), 5432),
        ("database", {}, [("127.0.0.1", 5432), ("::1", 5432)], ("listens-on-loopback", "db", PROVEN), None),
        ("database", {}, [(ANYWHERE, 6000)], ("not-listening", "db", PROVEN), None),
        ("database", {}, [], ("not-listening", "db", Confidence.UNKNOWN), None),
        ("database", {}, None, ("not-listening", "db", Confidence.UNKNOWN), None),
        ("http", {}, [(ANYWHERE, 8091), ("127.0.0.11", 40000)], ("port-wrong", "api", PROVEN), 8091),
        ("queue", {}, [(ANYWHERE, 7000)], ("port-wrong", "api", PROVEN), 7000),
        ("queue", {}, [("127.0.0.1", 7000)], ("not-listening", "queue", Confidence.UNKNOWN), None),
    ],
)  # fmt: skip
def test_what_listens_at_the_other_end_tells_whose_port_is_wrong(
    kind: str,
    environment: dict[str, str | None],
    rows: list[tuple[str, int]] | None,
    expected: tuple[str, str, Confidence],
    wanted: int | None,
) -> None:
    """Another port is the caller's mistake, the loopback or nothing at all the target's; without a look it is likely."""
    story = begun(changed("api", **environment))
    rung(story, "port.open", "api", kind, "refused")
    target = expected[1] if expected[1] != "api" else {"database": "db", "http": "outside"}.get(kind, kind)
    if rows is not None:
        listens(story, target, *rows)
    entry = read(story)[0]

    assert told(story) == [expected]
    assert entry.parameters.get("wanted") == wanted
    assert len(entry.evidence) == (1 if rows is None else 2)


def test_a_wrong_port_is_mended_in_the_address() -> None:
    """The overlay changes the port alone."""
    story = begun(changed("api", EXTERNAL_URL="http://outside:1/x"))
    entry = read(listens(rung(story, "port.open", "api", "http", "refused"), "outside", (ANYWHERE, 8090)))[0]

    assert entry.patch == {"services": {"api": {"environment": {"EXTERNAL_URL": "http://outside:8090/x"}}}}


@pytest.mark.parametrize(
    ("host", "expected", "wanted"),
    [
        ("localhost", ("points-at-itself", "api", PROVEN), "db"),
        ("127.0.0.1", ("points-at-itself", "api", PROVEN), "db"),
        ("db.example", ("port-wrong", "api", LIKELY), None),
    ],
)
def test_the_loopback_is_the_caller_itself(
    host: str, expected: tuple[str, str, Confidence], wanted: str | None
) -> None:
    """A refused address of no service: the caller's own container, else a port that may be wrong."""
    story = rung(begun(changed("api", POSTGRES_HOST=host)), "port.open", "api", "database", "refused")

    assert told(story) == [expected]
    assert read(story)[0].parameters.get("wanted") == wanted


@pytest.mark.parametrize(
    ("state", "other", "code", "expected"),
    [
        (None, None, "silent", [("port-silent", "api", PROVEN)]),
        ("running", "silent", "unreachable", [("port-silent", "api", PROVEN)]),
        ("running", "", "silent", [("port-silent", "api", PROVEN)]),
        ("paused", None, "silent", []),
        (None, None, "broken", []),
        (None, None, "refused", [("not-listening", "db", Confidence.UNKNOWN)]),
    ],
)
def test_a_silent_port_is_its_callers_way_until_all_callers_find_it_silent(
    state: str | None, other: str | None, code: str, expected: Told
) -> None:
    """One caller without an answer has a broken way; a paused target explains its silence itself."""
    story = begun()
    if state:
        story.tell("container", "db", {"status": state, "exit_code": 0})
    if other is not None and other != "silent":
        rung(story, "port.open", "mlflow", "database", other)
    assert told(rung(story, "port.open", "api", "database", code)) == expected

    alike = rung(rung(begun(), "port.open", "api", "database", code), "port.open", "mlflow", "database", code)
    if code == "silent" and state is None:
        assert {where for _, where, _ in told(alike)} == {"db"}


def test_silence_beside_the_deployment_is_told_of_the_caller() -> None:
    """There is no target to blame."""
    story = begun(changed("api", POSTGRES_HOST="10.0.0.9"))

    assert told(rung(story, "port.open", "api", "database", "silent")) == [("port-silent", "api", PROVEN)]


@pytest.mark.parametrize(
    ("name", "kind", "words"),
    [
        ("database.login", "database", "a PostgreSQL database"),
        ("store.bucket", "object-store", "an S3 object store"),
        ("queue.login", "queue", "a Redis"),
        ("tracking.read", "tracking", "an MLflow server"),
        ("http.get", "http", "an HTTP service"),
    ],
)
def test_another_protocol_at_the_address_is_the_callers_setting(name: str, kind: str, words: str) -> None:
    """Alive, but not what is meant: the caller, with what should be there in words."""
    story = rung(begun(), name, "api", kind, "not-the-service")

    assert told(story) == [("not-the-service", "api", PROVEN)]
    assert read(story)[0].parameters["wanted"] == words


def test_a_climb_without_a_broken_rung_names_nothing() -> None:
    """Rungs that hold fire no rule; a rung that stumbled by itself says nothing of the target."""
    sound = rung(rung(begun(), "name.resolve", "api", "database"), "database.login", "api", "database")
    stumbled = rung(begun(), "database.login", "api", "database", "broken")
    rules = (*network.RULES, *dependencies.RULES, *dependencies.FALLBACKS)

    assert told(sound) == told(stumbled) == []
    assert {rule.rule(Seen(begun().done())).ended for rule in rules} == {Ended.WITHOUT_EVIDENCE}
    assert {rule.rule(Seen(sound.done())).ended for rule in rules} == {Ended.NOT_APPLICABLE, Ended.REFUTED}
