"""What a database holds and how it serves: each rule on its own evidence, and not on its look-alikes."""

import ast
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from reports.causes import Confidence
from reports.diagnosis import diagnose
from reports.standing import SCHEMA
from suites.selftest import test_rungs
from suites.selftest.journals import Story
from suites.selftest.test_stories import changed, container, crashed, failed, rung, told, versions

rungs, http = test_rungs.rungs, test_rungs.http

Said = list[tuple[str, str, Confidence]]


def said(story: Story) -> Said:
    """Cause, component and confidence of every diagnosis of a story."""
    return [(entry.cause, entry.component, entry.confidence) for entry in diagnose(story.done())]


def acting(does: str) -> Story:
    """A run in which a trigger was seen on one of MLflow's tables."""
    return rung(
        told(), "database.rows", "tracker", "trigger", triggers=[{"table": "tags", "trigger": "t", "does": does}]
    )


def test_a_trigger_is_proven_where_its_doing_was_seen() -> None:
    """What raises is proven by the database's own error, what drops by a thing that does not come back; else it is likely."""
    frozen = "RestException: BAD_REQUEST: (psycopg2.errors.RaiseException) frozen"
    trigger = ("database-trigger", "pg")

    assert said(failed(acting("refuses")))[0] == (*trigger, Confidence.LIKELY)
    assert said(failed(acting("refuses"), frozen))[0] == (*trigger, Confidence.PROVEN)
    assert said(failed(acting("drops"), frozen))[0] == (*trigger, Confidence.LIKELY)
    assert said(failed(acting("drops"), semantics="lookup-wrong", key="x"))[:2] == [
        (*trigger, Confidence.PROVEN),
        ("lookup-wrong", "front", Confidence.LIKELY),
    ]


@pytest.mark.parametrize(
    ("words", "cause"),
    [
        ("(psycopg2.errors.InsufficientPrivilege) permission denied for table runs", "database-grants-missing"),
        (
            "psycopg.errors.ReadOnlySqlTransaction: cannot execute INSERT in a read-only transaction",
            "database-read-only",
        ),
        ("(psycopg2.errors.QueryCanceled) canceling statement due to statement timeout", "database-timeout"),
        ("(psycopg2.errors.DiskFull) could not extend file", "database-disk-full"),
        ("(psycopg2.OperationalError) FATAL:  remaining connection slots are reserved for superusers", "database-full"),
        ('(psycopg2.OperationalError) FATAL:  no pg_hba.conf entry for host "h"', "database-hba-refuses"),
        ("(psycopg2.OperationalError) server closed the connection unexpectedly", "unknown"),
        ("(psycopg2.errors.UniqueViolation) duplicate key", "unknown"),
    ],
)
def test_what_a_database_said_is_read_from_what_its_caller_passes_on(words: str, cause: str) -> None:
    """By the driver's class, else by the server's own words; the database is at fault, where the words name its state."""
    component = "front" if cause == "unknown" else "pg"

    assert said(failed(told(), f"RestException: {words}"))[0][:2] == (cause, component)


def test_what_is_passed_on_is_no_news_of_a_database_that_is_gone() -> None:
    """A rung or a state tells more than words that were handed on."""
    story = failed(
        rung(told(), "database.rights", "tracker", "read-only"), "(psycopg2.errors.InsufficientPrivilege) no"
    )

    assert [cause for cause, _, _ in said(story)] == ["database-read-only"]


def test_rights_on_tables_of_mlflow_are_no_need_of_others() -> None:
    """A caller beside MLflow's server lacks nothing when it may not write MLflow's own tables, if the server may."""
    story = rung(told(), "database.rights", "tracker")
    lone = rung(story, "database.rights", "front", "grants-missing", of_mlflow=True, lacking=["runs: INSERT"])
    own = rung(
        rung(told(), "database.rights", "tracker"), "database.rights", "front", "grants-missing", of_mlflow=False
    )

    assert [cause for cause, _, _ in said(failed(lone))] == ["unknown"]
    assert said(failed(own))[0][:2] == ("database-grants-missing", "pg")


def test_a_database_that_is_there_under_another_name_is_told() -> None:
    """The one that is there is offered, not the one that is not."""
    story = rung(told(), "database.login", "tracker", "3D000", database="models", databases=["models_2"])

    assert "models_2" in diagnose(story.done())[0].remedy


@pytest.mark.parametrize(
    ("bucket", "there", "expected"),
    [
        ("things", [], []),
        ("before", ["things", "before"], []),
        ("before", ["things"], [("bucket-wrong", "pg", Confidence.PROVEN)]),
        ("before", [], [("bucket-wrong", "pg", Confidence.LIKELY)]),
    ],
)
def test_an_experiment_elsewhere_is_wrong_only_where_its_bucket_is_not(
    bucket: str, there: list[str], expected: Said
) -> None:
    """A bucket that the deployment names, or that the store has, is none of its faults; no patch mends what a database holds."""
    story = rung(told(), "store.bucket", "tracker", bucket="things", buckets=there)
    failed(rung(story, "tracking.experiment", "front", experiment="0", artifact_location=f"s3://{bucket}/0"))

    found = [entry for entry in diagnose(story.done()) if entry.cause != "unknown"]

    assert [(entry.cause, entry.component, entry.confidence) for entry in found] == expected
    assert all(entry.patch is None for entry in found)


@pytest.mark.parametrize(
    ("server", "client", "wrong"),
    [
        ("3.4.0", "3.4.0", []),
        ("3.9.0", "3.4.0", ["tracker"]),
        ("3.4.0", "2.2.2", ["front"]),
        ("3.9.0", "2.2.2", ["tracker", "front"]),
        ("", "2.2.2", []),
        ("<html>", "2.2.2", []),
    ],
)
def test_of_two_versions_the_unexpected_is_wrong(server: str, client: str, wrong: list[str]) -> None:
    """What the checklist expects decides; who does not say what it is is not accused."""
    assert [one for cause, one, _ in said(versions(server, client)) if cause == "version-wrong"] == wrong


def test_without_an_expectation_only_another_major_version_is_likely() -> None:
    """Nothing says which of the two is right: the server is what its clients must fit."""
    near = failed(rung(told(), "tracking.read", "front", version="3.4.0", client="3.5.0"))
    far = failed(rung(told(), "tracking.read", "front", version="2.9.0", client="3.5.0"))

    assert said(near)[0][0] == "unknown"
    assert said(far)[0] == ("version-wrong", "tracker", Confidence.LIKELY)


def test_a_caller_that_ended_says_itself_what_its_client_lacks() -> None:
    """The symptom that a process names as it ends is not told over by its version."""
    story = crashed("front", "ImportError: cannot import name 'x' from 'mlflow.models' (y.py)")
    story.tell("checklist", "c", {"expected": {"mlflow": "3.4.0"}})
    rung(story, "tracking.read", "front", version="3.4.0", client="2.2.2")

    assert [cause for cause, _, _ in said(story)] == ["modules-incompatible"]


@pytest.mark.parametrize(
    ("words", "component"),
    [
        ("HTTPConnectionPool(host='tracker', port=5000): Max retries exceeded (Caused by ResponseError('too many 500 error responses'))", "tracker"),
        ("POST http://tracker:5000/api/2.0/x: ('Connection aborted.', RemoteDisconnected('Remote end closed connection'))", "tracker"),
        ("http://tracker:5000/api says INVALID_PARAMETER_VALUE", "front"),
        ("POST http://elsewhere:80/ Read timed out", "front"),
    ],
)  # fmt: skip
def test_a_call_without_an_answer_lies_with_who_was_called(words: str, component: str) -> None:
    """Nothing is known but where: the tracking server that a bare failure came from, never its caller, and nothing is proven."""
    assert said(failed(told(), f"register_baseline\n came back: {words}")) == [
        ("unknown", component, Confidence.UNKNOWN)
    ]


def test_a_call_without_an_answer_is_no_more_than_a_consequence() -> None:
    """Where something below is known, nothing is said of the call."""
    story = rung(told(), "database.rights", "tracker", "read-only")

    assert said(failed(story, "http://tracker:5000/api: Read timed out")) == [
        ("database-read-only", "pg", Confidence.PROVEN)
    ]


def test_a_schema_is_judged_by_the_last_that_was_seen() -> None:
    """Sound containers and rungs accuse nobody of what the new rungs ask."""
    story = container(told(changed("front")), "front")
    rung(story, "database.rows", "tracker", behind=[], triggers=[])
    rung(story, "tracking.experiment", "front", experiment="0", artifact_location="s3://things/0")

    assert diagnose(story.done()) == ()


def test_a_schema_that_was_half_made_while_its_server_started_is_no_fault() -> None:
    """A server that came up well afterwards has finished what was seen of it; what is seen of a server that is up counts."""
    early = failed(container(rung(told(), "database.schema", "tracker", "unstamped"), "tracker"))
    late = failed(rung(container(told(), "tracker"), "database.schema", "tracker", "unstamped"))

    assert [cause for cause, _, _ in said(early)] == ["unknown"]
    assert said(late)[0][:2] == ("schema-inconsistent", "pg")


@pytest.mark.parametrize(
    ("now", "component", "patch"),
    [
        (["python", "job.py"], "store", None),
        (["true"], "bucket", {"services": {"bucket": {"command": ["python", "job.py"]}}}),
    ],
)
def test_a_bucket_that_is_not_made_any_more_is_its_jobs_matter(
    now: list[str], component: str, patch: dict[str, Any] | None
) -> None:
    """A job that ended well and is not what it was has made nothing; else the bucket is gone from the store."""
    story = rung(
        container(told(), "bucket", status="exited", health="none"),
        "store.bucket",
        "front",
        "NoSuchBucket",
        bucket="things",
    )
    before = {"bucket": {"command": ["python", "job.py"]}, "store": {"image": "store:1"}}
    story.tell("compose", "declared", {"services": {**before, "bucket": {"command": now}}})
    story.tell("standing", "x", {"schema": SCHEMA, "run": "r", "conditions": [], "services": before, "digests": {}})

    first = diagnose(failed(story).done())[0]

    assert (first.cause, first.component, first.patch) == ("bucket-missing", component, patch)


# --- what the rungs read -----------------------------------------------------------------------------------------------

MODEL = """
class SqlThing(Base):
    __tablename__ = "things"
    key = Column(String(250), primary_key=True)
    note = Column("remark", Text, nullable=True)
    at = Column(BigInteger)
    kind = Column(String(20))
    blob = Column(LargeBinary)
"""
MIGRATION = """
revision = "b"
down_revision = "a"
def upgrade():
    op.create_table(SqlThing.__tablename__, sa.Column("key", sa.String(250)))
    op.create_table("others")
    op.add_column("runs", sa.Column("name", sa.String(250)))
def downgrade():
    op.create_table("never")
"""


def test_widths_are_read_from_the_models(rungs: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    """A column that people write into and that holds less than the model says; short enumerations differ of themselves."""
    model = next(node for node in ast.parse(MODEL).body if isinstance(node, ast.ClassDef))
    columns = dict(rungs.widths_of(model))
    monkeypatch.setattr(rungs, "models", lambda: {"SqlThing": ("things", columns)})
    held = {"key": ("character varying", 250), "remark": ("text", None), "at": ("bigint", None), "kind": ("text", 9)}

    assert columns == {"key": 250, "remark": rungs.WIDE, "at": rungs.BIG, "kind": 20, "blob": None}
    assert rungs.narrow_in({"things": held}) == []
    assert rungs.narrow_in({}) == []
    narrow = held | {"key": ("character varying", 100), "remark": ("character varying", 5000), "at": ("integer", None)}
    assert rungs.narrow_in({"things": narrow}) == [
        "things.at is integer, not bigint",
        "things.key takes 100 characters, not 250",
        "things.remark takes 5000 characters, not any length",
    ]


def test_what_a_migration_makes_is_read_without_running_it(rungs: ModuleType) -> None:
    """Tables and columns on its way up, by name or by the model that is meant."""
    assert rungs.made_by(MIGRATION, {"SqlThing": "things"}) == {"things", "others", "runs.name"}


@pytest.mark.parametrize(
    ("source", "kind", "expected"),
    [
        ("BEGIN RAISE EXCEPTION 'no'; END", 7, "refuses"),
        ("BEGIN RAISE 'no'; END", 5, "refuses"),
        ("BEGIN RAISE NOTICE 'raise exception'; RETURN NEW; END", 7, ""),
        ("BEGIN -- raise exception\n RETURN NEW; END", 7, ""),
        ("BEGIN IF new.key = 'x' THEN RETURN NULL; END IF; RETURN NEW; END", 7, "drops"),
        ("BEGIN INSERT INTO audit VALUES (1); RETURN NULL; END", 5, ""),
        ("BEGIN NEW.value := left(NEW.value, 10); RETURN NEW; END", 7, "changes"),
        ("BEGIN NEW.changed_at := now(); RETURN NEW; END", 7, ""),
        ("BEGIN DELETE FROM tags WHERE true; RETURN NULL; END", 5, "changes"),
        ("CREATE RULE r AS ON INSERT TO tags DO INSTEAD NOTHING;", 0, "drops"),
        ("CREATE RULE r AS ON INSERT TO tags DO ALSO NOTIFY x;", 0, ""),
        ("suppress_redundant_updates_trigger", 19, ""),
    ],
)
def test_what_a_trigger_does_is_read_from_its_text(rungs: ModuleType, source: str, kind: int, expected: str) -> None:
    """Refusing, dropping and changing what MLflow writes are told from watching it."""
    assert rungs.doing_of(source, kind, "tags", {"tags": {"key", "value"}}) == expected


class Listed:
    """A database that lists these columns."""

    def rows(self, _: str) -> list[tuple[str, str]]:
        """Table and column, row by row."""
        return [("app.outbox", "state"), ("app.outbox", "body"), ("other.invoices", "total")]


def test_a_service_works_with_the_tables_that_its_code_names(
    rungs: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They are found by the words of the code in its folder; a folder without code, and the root, name none."""
    monkeypatch.chdir(tmp_path)
    assert rungs.own_code() == ""
    (tmp_path / "a.py").write_text('"INSERT INTO app.outbox VALUES (1)"', encoding="utf-8")

    words = set(rungs.own_code().replace(".", " ").split())

    assert rungs.tables_named(Listed(), words) == {"app.outbox": {"state", "body"}}
    monkeypatch.chdir("/")
    assert rungs.own_code() == ""


def test_a_trigger_on_a_services_own_table_is_told_where_its_announcements_are_lost() -> None:
    """Of what is MLflow's the registered is lost; of what is the service's own, what it has yet to announce too."""
    trigger = {"table": "app.outbox", "trigger": "t", "does": "changes", "of_mlflow": False}
    story = failed(rung(told(), "database.rows", "front", "trigger", triggers=[trigger]), semantics="not-delivered")

    entry = diagnose(story.done())[0]

    assert (entry.cause, entry.component, entry.confidence) == ("database-trigger", "pg", Confidence.PROVEN)
    assert "front alone" in entry.remedy


ACTIVE = b'{"experiment": {"lifecycle_stage": "active", "artifact_location": "s3://b/0"}}'
DELETED = b'{"experiment": {"lifecycle_stage": "deleted", "artifact_location": "s3://b/0"}}'
ABSENT = b'{"error_code": "RESOURCE_DOES_NOT_EXIST", "message": "no"}'


@pytest.mark.parametrize(
    ("environment", "answer", "code"),
    [
        ({}, (200, "application/json", ACTIVE), ""),
        ({}, (200, "application/json", DELETED), "experiment-deleted"),
        ({}, (404, "application/json", ABSENT), "experiment-deleted"),
        ({"MLFLOW_EXPERIMENT_NAME": "n"}, (404, "application/json", ABSENT), ""),
        ({"MLFLOW_EXPERIMENT_NAME": "n"}, (200, "application/json", DELETED), "experiment-deleted"),
        ({}, (500, "text/plain", b""), "status-500"),
    ],
)
def test_the_experiment_of_a_service_is_looked_at(
    rungs: ModuleType,
    http: Callable[..., str],
    monkeypatch: pytest.MonkeyPatch,
    environment: dict[str, str],
    answer: tuple[int, str, bytes],
    code: str,
) -> None:
    """By the service's own settings, else the default one; a client makes one that it knows by name."""
    for name in ("MLFLOW_EXPERIMENT_NAME", "MLFLOW_EXPERIMENT_ID"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    base = "/api/2.0/mlflow/experiments"
    url = http({f"{base}/get": answer, f"{base}/get-by-name": answer})

    told_so = rungs.run("tracking.experiment", {"url": {"is": url}})

    assert (told_so["error"] or {}).get("code", "") == code
