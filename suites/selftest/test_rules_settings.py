"""Rules about settings: what is absent, lost or at odds, each beside the case in which nothing is wrong."""

from typing import Any

import pytest

from reports.causes import Confidence, Diagnosis
from reports.rules import settings
from reports.rules.seen import Seen
from reports.wiring import Kind
from suites.selftest.journals import Story
from suites.selftest.test_stories import (
    ARTIFACTS_ONLY,
    BOTH_ROOTS,
    KEYLESS,
    STACK,
    Config,
    changed,
    container,
    crashed,
    rung,
    serving,
    told,
)

PROVEN, LIKELY = Confidence.PROVEN, Confidence.LIKELY
UNPASSED = "ERR AUTH <password> called without any password configured for the default user"


def found(story: Story) -> list[Diagnosis]:
    """What the rules about settings say by themselves."""
    seen = Seen(story.done())
    return [entry for rule in settings.RULES for entry in rule.rule(seen).diagnoses]


def named(story: Story) -> list[tuple[str, str, Any]]:
    """Cause, component and setting of each diagnosis."""
    return [(entry.cause, entry.component, entry.parameters.get("setting")) for entry in found(story)]


def stood(story: Story, config: Config) -> Story:
    """Tell with what definition the target was last ready."""
    services = config["services"]
    story.tell("standing", "before", {"schema": "airworthy/standing/1", "services": services})
    return story


def without(*names: str) -> Config:
    """The stack without these services."""
    return {"services": {name: row for name, row in STACK["services"].items() if name not in names}}


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({}, []),
        ({"REDIS_URL": None}, [("setting-missing", "front", "REDIS_URL")]),
        ({"REDIS_URL": "amqp+tls://cache/0"}, [("uri-scheme-unsupported", "front", "REDIS_URL")]),
        ({"REDIS_URL": "REDISS+x://"}, [("setting-missing", "front", "REDIS_URL")]),
        ({"REDIS_URL": "unix:/run/redis.sock"}, []),
        ({"MLFLOW_TRACKING_URI": None}, [("setting-missing", "front", "MLFLOW_TRACKING_URI")]),
        ({"DB_HOST": None}, [("setting-missing", "front", "DB_HOST")]),
    ],
)
def test_a_way_that_a_role_needs_is_missed(environment: dict[str, str | None], expected: list[Any]) -> None:
    """By its setting's name; one of a scheme that nobody speaks is another mistake, and a socket's file is a way."""
    assert named(told(changed("front", **environment))) == expected


def test_what_a_deployment_has_not_is_not_missed() -> None:
    """Without a queue nothing has to lead to one; a server that carries artifacts alone needs no database."""
    config = without("cache")
    config["services"]["front"] = changed("front", REDIS_URL=None)["services"]["front"]
    alone = serving("--artifacts-only", "--artifacts-destination=s3://things/")
    alone["services"]["tracker"] = {**alone["services"]["tracker"], "environment": {}}

    assert named(told(config)) == named(told(alone)) == []


@pytest.mark.parametrize(("before", "sure"), [(STACK, PROVEN), (changed("front", DB_HOST=None), LIKELY)])
def test_a_setting_that_was_there_when_all_was_well_is_surely_missing(before: Config, sure: Confidence) -> None:
    """What never was there may be met in a way that is not seen."""
    (entry,) = found(stood(told(changed("front", DB_HOST=None)), before))

    assert (entry.cause, entry.confidence) == ("setting-missing", sure)


@pytest.mark.parametrize(
    ("config", "ended", "expected"),
    [
        (ARTIFACTS_ONLY, True, [("artifacts-only", "tracker", None)]),
        (ARTIFACTS_ONLY, False, []),
        (changed("tracker", MLFLOW_ARTIFACTS_ONLY=" True "), True, [("artifacts-only", "tracker", None)]),
        (changed("tracker", MLFLOW_ARTIFACTS_ONLY="0"), True, []),
        (STACK, True, []),
        (without("tracker"), True, []),
    ],
)
def test_a_server_that_ends_over_artifacts_only(config: Config, ended: bool, expected: list[Any]) -> None:
    """It is told by an option or by a variable, and it ended; the diagnosis cites both."""
    services = config["services"]
    if "front" in services and "tracker" not in services:
        services = {name: row for name, row in services.items() if name != "front"}
    story = crashed("tracker", "Error: no", config={"services": services}) if ended else told({"services": services})

    assert named(story) == expected
    assert all(entry.evidence == (1, 3) for entry in found(story))


@pytest.mark.parametrize(
    ("root", "command", "expected"),
    [
        ("s3://things/0", [], None),
        ("/srv/art/0", ["--default-artifact-root=/srv/art"], ("tracker", "--default-artifact-root", "/srv/art/0")),
        ("/srv/art/0", [], ("tracker", "--default-artifact-root", "/srv/art/0")),
        ("file:///srv/art/0", [], ("tracker", "--default-artifact-root", "file:///srv/art/0")),
        ("/srv/art/0", ["--default-artifact-root=s3://things/"], ("pg", "the experiment's row", "/srv/art/0")),
        ("mlflow-artifacts:/0", ["--artifacts-destination=s3://things/"], None),
        ("mlflow-artifacts:/0", ["--artifacts-destination=/srv"], ("tracker", "--artifacts-destination", "/srv")),
        ("mlflow-artifacts:/0", [], ("tracker", "--default-artifact-root", "./mlartifacts")),
    ],
)
def test_artifacts_in_a_folder_beside_an_object_store(
    root: str, command: list[str], expected: tuple[str, str, str] | None
) -> None:
    """The server's own root is its definition's mistake; a row that its root would not give is an older one of the database."""
    config = serving(*command)
    entries = found(rung(told(config), "tracking.read", "front", config=config, artifact_roots=[root]))
    said = [
        (entry.cause, entry.component, *(entry.parameters[key] for key in ("setting", "path", "root")))
        for entry in entries
    ]

    assert said == ([("artifact-root-local", *expected, expected[2])] if expected else [])
    assert all((entry.parameters["service"], entry.parameters["target"]) == ("tracker", "store") for entry in entries)


def test_a_folder_is_no_mistake_where_nothing_else_is_there_or_nobody_said_so() -> None:
    """Without an object store, and from a rung that broke."""
    broken = rung(told(), "tracking.read", "front", "status-500", status=500, artifact_roots=["/srv/art/0"])

    assert named(broken) == []
    config = without("store", "bucket")
    assert "artifact-root-local" not in {
        cause
        for cause, _, _ in named(
            rung(told(config), "tracking.read", "front", config=config, artifact_roots=["/srv/art/0"])
        )
    }


@pytest.mark.parametrize(
    ("roots", "command", "expected"),
    [
        (["s3a://things/0"], [], ("the experiment's row", "s3a", "s3")),
        (["s3://things/0", "GLUSTER://a/0"], [], ("the experiment's row", "gluster", "one that MLflow knows (s3, mlflow-artifacts, ...)")),
        ([], ["--default-artifact-root=s3n://things/"], ("--default-artifact-root", "s3n", "s3")),
        (["HDFS://a/0", "mlflow-artifacts:/0"], [], None),
    ],
)  # fmt: skip
def test_artifacts_at_a_scheme_that_mlflow_does_not_know(
    roots: list[str], command: list[str], expected: tuple[str, str, str] | None
) -> None:
    """Told by the server's own root, or by an experiment's row; the schemes that MLflow knows are none."""
    config = serving(*command)
    entries = found(rung(told(config), "tracking.read", "front", config=config, artifact_roots=roots))
    strange = [entry for entry in entries if entry.cause == "uri-scheme-unsupported"]

    assert [(entry.component, entry.evidence) for entry in strange] == ([("tracker", (3,))] if expected else [])
    assert [tuple(entry.parameters[key] for key in ("setting", "scheme", "wanted")) for entry in strange] == (
        [expected] if expected else []
    )


@pytest.mark.parametrize(
    ("words", "sent"),
    [
        (["--serve-artifacts", "--artifacts-destination=s3://things/"], True),
        (["--artifacts-destination=s3://things/"], True),
        (["--serve-artifacts"], True),
        (["--no-serve-artifacts", "--artifacts-destination=s3://things/"], False),
        ([], False),
    ],
)
def test_clients_without_keys_are_sent_past_a_server_that_would_serve_them(words: list[str], sent: bool) -> None:
    """Whichever option makes it serve; and other rungs before it do not hide it."""
    config = serving(*words, "--default-artifact-root=s3://things/")
    story = rung(told(config), "store.bucket", "tracker", "AccessDenied", config, kind=Kind.STORE)
    rung(
        story,
        "store.bucket",
        "front",
        "credentials-missing",
        config,
        kind=Kind.STORE,
        through="tracker",
        bucket="things",
    )
    entries = [entry for entry in found(story) if entry.cause == "artifacts-not-proxied"]

    assert [(entry.component, entry.evidence) for entry in entries] == ([("tracker", (4,))] if sent else [])
    assert all(entry.parameters == {"service": "tracker", "root": "things", "target": "store"} for entry in entries)


def test_a_server_that_lacks_keys_itself_is_not_sent_past_itself() -> None:
    """Who lacks them and who leads there are two."""
    story = rung(told(BOTH_ROOTS), "store.bucket", "tracker", "credentials-missing", BOTH_ROOTS, through="tracker")

    assert named(story) == []


@pytest.mark.parametrize(
    ("setting", "now", "message", "expected"),
    [
        ("CACHE_PASS", None, UNPASSED, ["CACHE_PASS"]),
        ("CACHE_AUTH", "", UNPASSED.upper(), ["CACHE_AUTH"]),
        ("CACHE_AUTH", "x", UNPASSED, []),
        ("CACHE_SIZE", None, UNPASSED, []),
        ("CACHE_PASS", None, "WRONGPASS invalid username-password pair", []),
    ],
)
def test_a_queue_that_lost_its_password(setting: str, now: str | None, message: str, expected: list[str]) -> None:
    """It says that it has none, and its definition held one when all was well."""
    config = changed("cache", OTHER="1", **{setting: now})
    story = rung(
        stood(told(config), changed("cache", OTHER="1", **{setting: "x"})),
        "queue.login",
        "front",
        "ERR",
        config,
        message=message,
    )

    assert named(story) == [("setting-missing", "cache", name) for name in expected]


@pytest.mark.parametrize(
    ("config", "code", "expected"),
    [
        (KEYLESS, "InvalidAccessKeyId", [("setting-missing", "store", ["MINIO_ROOT_USER", "MINIO_ROOT_PASSWORD"])]),
        (KEYLESS, "SignatureDoesNotMatch", []),
        (changed("store", MINIO_ROOT_USER="a"), "InvalidAccessKeyId", []),
    ],
)
def test_a_store_that_was_given_no_keys(config: Config, code: str, expected: list[Any]) -> None:
    """None of its callers is known to it, and its own settings, of which it has some, hold no key."""
    story = told(config)
    for caller in ("front", "tracker"):
        rung(story, "store.bucket", caller, code, config)

    assert named(story)[:1] == expected
    assert named(container(told(config), "store")) == []
