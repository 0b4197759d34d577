"""What was already so when all was well is no cause, and what changed since is told first."""

import json
import shutil
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from fixtures import compose, standing
from fixtures.journal import Journal
from fixtures.redactor import Redactor
from fixtures.run import ROOT, Run
from fixtures.stack import is_whole
from reports import causes
from reports.causes import HOST, Confidence
from reports.diagnosis import FALLBACKS, RULES, diagnose
from reports.evidence import Bundle, load
from reports.judge import Word, judge
from reports.outcomes import Outcome
from reports.rules.seen import Seen
from reports.standing import CONTENT, SCHEMA, Since, kept, keys_of, leaves, parsed, told
from suites.selftest.journals import CHECKS, Story, sound
from suites.selftest.test_diagnosis import ALL, CONFIG, LOOKUP, VERSION, begun, ended, rung

needs_compose = pytest.mark.skipif(shutil.which("docker") is None, reason="rendering needs the docker client")
SERVICES: dict[str, Any] = {
    name: {"image": f"{name}:1", "environment": dict(service.get("environment") or {})}
    for name, service in CONFIG["services"].items()
}


def changed(service: str, **parts: Any) -> dict[str, Any]:
    """The declared services with other parts in one of them."""
    return {**SERVICES, service: {**SERVICES[service], **parts}}


def stood(story: Story, *conditions: tuple[str, ...], services: dict[str, Any] | None = None, **more: Any) -> int:
    """Tell what stood when the target was last ready; its number."""
    response = {
        "schema": SCHEMA,
        "run": "run-0",
        "target": "registry",
        "conditions": [list(key) for key in conditions],
        "services": SERVICES if services is None else services,
        "digests": {},
    }
    return story.tell("standing", "registry", response | more)


def declared(story: Story, services: dict[str, Any] | None = None) -> Story:
    """Tell the declared definition."""
    story.tell("compose", "declared", {"services": SERVICES if services is None else services})
    return story


def causes_of(story: Story) -> list[tuple[str, str]]:
    """Cause and component of each diagnosis, likeliest first."""
    return [(entry.cause, entry.component) for entry in diagnose(story.done())]


# --- what identifies a condition -------------------------------------------------------------------------------------


def test_a_condition_is_known_by_cause_component_and_what_it_is_about() -> None:
    """Not by what differs from run to run; each of several settings is its own."""
    given = {"setting": ["A", "B"], "target": "db", "reason": "x", "line": "y", "code": 0, "path": "", "user": None}
    entry = causes.diagnosis("setting-missing", "api", evidence=(1,), parameters=given)
    bare = causes.diagnosis("service-killed", "db", evidence=(1,), parameters={"exit_code": 137})
    one = causes.diagnosis("setting-missing", "api", evidence=(1,), parameters={"setting": "A"})

    assert keys_of(entry) == {
        ("setting-missing", "api", "setting=A", "target=db", "code=0"),
        ("setting-missing", "api", "setting=B", "target=db", "code=0"),
    }
    assert keys_of(bare) == {("service-killed", "db", "setting=")}
    assert keys_of(one) == {("setting-missing", "api", "setting=A")}


def test_a_definition_is_compared_part_by_part() -> None:
    """Variables, limits and dependencies one by one; anything else as a whole."""
    service = {
        "environment": {"A": "1"},
        "deploy": {"resources": {"limits": {"memory": "1G"}}},
        "depends_on": {"db": {"condition": "service_healthy"}},
        "healthcheck": {"test": ["x"]},
        "command": ["a"],
    }

    assert leaves(service) == {
        ("environment", "A"): "1",
        ("deploy", "resources", "limits", "memory"): "1G",
        ("depends_on", "db"): {"condition": "service_healthy"},
        ("healthcheck",): {"test": ["x"]},
        ("command",): ["a"],
    }
    assert leaves({"environment": None, "depends_on": ["db"]}) == {("environment",): None, ("depends_on",): ["db"]}
    assert told([("environment", "A"), CONTENT]) == ["environment.A", "image content"]


# --- what is subtracted ----------------------------------------------------------------------------------------------


def test_what_was_already_so_when_all_was_well_is_no_cause() -> None:
    """The same condition of the same component; another of the same component is told."""
    story = begun().check(LOOKUP, "failed", facts={"semantics": "health-slow", "route": "/health"})
    before = causes_of(story)
    stood(story, ("health-slow", "api", "setting=", "route=/health"))
    after = diagnose(story.done())
    other = begun().check(LOOKUP, "failed", facts={"semantics": "health-slow", "route": "/ready"})
    stood(other, ("health-slow", "api", "setting=", "route=/health"))

    assert before == [("health-slow", "api")]
    assert [(entry.cause, entry.component, entry.confidence) for entry in after] == [
        ("unknown", "api", Confidence.UNKNOWN)
    ]
    assert causes_of(other) == [("health-slow", "api")]


def test_a_fallback_that_stood_is_not_told_again() -> None:
    """What is only told of a service is subtracted like what is proven."""
    story = ended(begun(), "mlflow", 1, "boom").check(LOOKUP, "failed")
    key = next(iter(keys_of(diagnose(story.done())[0])))
    stood(story, key)

    assert key[:2] == ("service-crashed", "mlflow")
    assert causes_of(story) == [("unknown", "api")]


def test_of_several_settings_all_must_have_been_missing() -> None:
    """One that is newly missing makes the whole diagnosis news."""
    lines = ("RuntimeError: API_KEY and POSTGRES_PASSWORD are not set",)
    story = ended(begun(), "api", 1, *lines)
    stood(story, ("setting-missing", "api", "setting=API_KEY"))
    both = ended(begun(), "api", 1, *lines)
    stood(both, *(("setting-missing", "api", f"setting={name}") for name in ("API_KEY", "POSTGRES_PASSWORD")))

    assert [entry.parameters["setting"] for entry in diagnose(story.done())] == ["POSTGRES_PASSWORD"]
    assert causes_of(both) == [("service-crashed", "api")]


def test_a_rung_that_was_broken_alike_when_all_was_well_says_nothing() -> None:
    """Not even about a sibling: it is as if it had not been climbed. Broken in another way it speaks."""
    story = begun().check(LOOKUP, "failed")
    rung(story, "database.login", "api", "database", "28P01")
    rung(story, "database.login", "mlflow", "database", "28P01")
    key = ("rung", "mlflow", "name=database.login", "about=db", "setting=BACKEND_URI", "code=28P01")
    all_alike = causes_of(story)
    stood(story, key)
    another = begun().check(LOOKUP, "failed")
    rung(another, "database.login", "mlflow", "database", "3D000")
    stood(another, key)

    assert all_alike[0] == ("database-password-wrong", "db")
    assert causes_of(story)[0] == ("database-password-wrong", "api")
    assert causes_of(another)[0] == ("database-missing", "mlflow")


@pytest.mark.parametrize(
    ("more", "counts"),
    [
        ({}, True),
        ({"target": "elsewhere"}, True),
        ({"target": "elsewhere", "services": {"stranger": {}}}, False),
        ({"target": "elsewhere", "services": {}}, False),
        ({"schema": "airworthy/standing/0"}, False),
    ],
)
def test_what_stood_in_another_deployment_does_not_count(more: dict[str, Any], counts: bool) -> None:
    """It is this target's by its name, or because all of its services are here; and by a schema that is known."""
    story = declared(begun()).check(LOOKUP, "failed", facts={"semantics": "health-slow"})
    stood(story, ("health-slow", "api", "setting="), **more)

    assert (causes_of(story) == [("unknown", "api")]) is counts
    assert (Since(story.done()).before is not None) is counts


def test_without_a_declared_definition_nothing_is_known_to_have_changed() -> None:
    """Older bundles keep none; they are judged as before."""
    story = begun()
    stood(story)
    since = Since(story.done())

    assert since.before is not None
    assert since.changed == {}
    assert Since(Story().done()).before is None
    assert Since(Story().done()).is_news(causes.diagnosis("health-slow", "api", evidence=(1,)))


# --- what changed ----------------------------------------------------------------------------------------------------


def test_what_changed_is_told_service_by_service() -> None:
    """Variables by name, a digest where both are known and the image's name is the same; new services have no before."""
    story = begun()
    services = changed("api", command=["x"], environment={**SERVICES["api"]["environment"], "POSTGRES_DB": "other"})
    declared(story, {**services, "new": {"image": "n"}, "redis": {**SERVICES["redis"], "image": "redis:2"}})
    stood(story, digests={"api": "sha256:aa", "mlflow": "sha256:old", "redis": "sha256:old", "gone": "sha256:x"})

    assert Since(story.done()).changed == {
        "api": (("command",), ("environment", "POSTGRES_DB")),
        "mlflow": (CONTENT,),
        "redis": (("image",),),
    }


def test_what_changed_since_comes_first_within_its_tier() -> None:
    """First what names a changed setting, then what else is of a changed service, then the rest; tiers stay."""

    def story(services: dict[str, Any]) -> Story:
        told_so = declared(begun(), services)
        stood(told_so)
        for cause, component in (("health-slow", "api"), ("version-wrong", "mlflow")):
            told_so.check(
                LOOKUP if component == "api" else VERSION, "failed", facts={"semantics": cause, "service": component}
            )
        rung(told_so, "queue.login", "api", "queue", "WRONGPASS")
        return ended(told_so, "db", 137)

    names = {"version-wrong": "v", "health-slow": "h", "queue-password-wrong": "q", "service-killed": "k"}

    def order(services: dict[str, Any]) -> str:
        return "".join(names[cause] for cause, _ in causes_of(story(services)))

    ground = {**SERVICES["db"], "user": "1"}
    address = changed("api", environment={**SERVICES["api"]["environment"], "REDIS_URL": "x"})
    assert order(SERVICES) == "kqvh"
    assert order(changed("mlflow", user="1")) == "kqvh"
    assert order(changed("api", user="1")) == "qkhv"
    assert order({**changed("api", user="1"), "db": ground}) == "kqhv"
    assert order({**address, "db": ground}) == "qkhv"
    assert order({**changed("api", user="1"), "mlflow": {**SERVICES["mlflow"], "image": "m:2"}}) == "qkvh"


def test_an_unknown_cause_points_at_the_only_service_that_changed() -> None:
    """With what changed, what it stood as, and never proven; it must be what failed or what that rests on."""
    story = declared(begun(), changed("db", user="1")).check(LOOKUP, "failed")
    number = stood(story)
    entry = diagnose(story.done())[0]
    above = declared(begun(), changed("api", user="1")).check(VERSION, "failed")
    stood(above)
    two = declared(begun(), {**changed("db", user="1"), "api": {"image": "x"}}).check(LOOKUP, "failed")
    stood(two)
    own = declared(begun(), changed("api", user="1")).check(LOOKUP, "failed").check(ALL, "failed")
    stood(own)
    found = diagnose(own.done())

    assert (entry.cause, entry.component, entry.confidence) == ("unknown", "db", Confidence.UNKNOWN)
    assert entry.parameters["changed"] == ["user"]
    assert entry.summary.endswith("since it was last ready, user changed")
    assert "what failed lies in db: GET /health of api failed; since" in entry.summary
    assert {number, number - 3} <= set(entry.evidence)
    assert entry.explains == (LOOKUP,)
    assert causes_of(above) == [("unknown", "mlflow")]
    assert "changed" not in diagnose(above.done())[0].parameters
    assert causes_of(two) == [("unknown", "api")]
    assert [(one.component, set(one.explains)) for one in found] == [("api", {LOOKUP, ALL})]


@pytest.mark.parametrize(
    ("parts", "cause"),
    [
        ({"environment": {**SERVICES["api"]["environment"], "WORKERS": "4"}}, "setting-invalid"),
        ({"environment": {**SERVICES["api"]["environment"], "WORKERS": ""}}, "setting-missing"),
        ({"command": ["x"]}, "command-invalid"),
        ({"command": ["x"], "user": "1"}, "unknown"),
    ],
)
def test_what_alone_changed_is_likely_the_cause_of_what_nothing_explains(parts: dict[str, Any], cause: str) -> None:
    """Settings or a command, of the service that failed, and nothing else in the whole deployment; never proven."""
    now = {**CONFIG["services"], "api": {**CONFIG["services"]["api"], **parts}}
    story = declared(begun({"services": now}), changed("api", **parts)).check(LOOKUP, "failed")
    stood(story)

    entry = diagnose(story.done())[0]

    assert (entry.cause, entry.component) == (cause, "api")
    assert entry.confidence is not causes.Confidence.PROVEN


def test_an_unknown_cause_of_nobody_points_at_the_only_service_that_changed() -> None:
    """Where no component is known, the one that changed is the narrowest."""
    story = Story()
    story.check(LOOKUP, "failed")
    story.tell("compose", "declared", {"services": {"a": {"image": "2"}}})
    stood(story, services={"a": {"image": "1"}})

    assert causes_of(Story().check(LOOKUP, "failed")) == [("unknown", HOST)]
    assert causes_of(story) == [("unknown", "a")]


# --- where two disagree ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("code", "cause"), [("READONLY", "queue-read-only"), ("NOPERM", "queue-access-denied")])
def test_a_queue_is_at_fault_for_its_own_state_unless_the_caller_alone_changed(code: str, cause: str) -> None:
    """A replica, or a user without rights: the queue's, but the caller's where it alone was told something else."""

    def component(services: dict[str, Any]) -> str:
        story = declared(begun(), services).check(LOOKUP, "failed")
        stood(story)
        rung(story, "queue.write", "api", "queue", code)
        found = diagnose(story.done())[0]
        assert found.cause == cause
        return found.component

    assert component(SERVICES) == "redis"
    assert component(changed("redis", user="9")) == "redis"
    assert component(changed("api", user="9")) == "api"


@pytest.mark.parametrize(
    ("kind", "name", "code", "cause", "caller", "target"),
    [
        ("queue", "queue.login", "WRONGPASS", "queue-password-wrong", "api", "redis"),
        ("database", "database.login", "28P01", "database-password-wrong", "api", "db"),
        ("database", "database.login", "3D000", "database-missing", "api", "db"),
    ],
)
def test_where_two_disagree_the_one_that_changed_is_the_component(
    kind: str, name: str, code: str, cause: str, caller: str, target: str
) -> None:
    """Else, and where both changed, it is the caller; what is said of the caller stays said."""

    def entry(services: dict[str, Any]) -> causes.Diagnosis:
        story = declared(begun(), services).check(LOOKUP, "failed")
        stood(story)
        rung(story, name, caller, kind, code)
        return diagnose(story.done())[0]

    moved, both = entry(changed(target, user="9")), {**changed(target, user="9"), caller: {"image": "9"}}

    assert (moved.cause, moved.component, moved.parameters["service"]) == (cause, target, caller)
    assert moved.confidence is Confidence.PROVEN
    for services in (SERVICES, changed(caller, user="9"), both):
        assert (entry(services).cause, entry(services).component) == (cause, caller)


def test_a_port_that_the_target_left_is_the_targets_matter() -> None:
    """A caller that asks where the service was when all was well is not the one that is wrong."""

    def entry(services: dict[str, Any]) -> causes.Diagnosis:
        story = declared(begun(), services).check(LOOKUP, "failed")
        stood(story)
        rung(story, "port.open", "api", "queue", "refused")
        story.tell(
            "rung",
            "ports.listening",
            {"ok": True, "facts": {"listening": [{"address": "::", "port": 6380}]}},
            {"position": "redis", "about": "redis", "link": None},
        )
        return diagnose(story.done())[0]

    assert (entry(SERVICES).cause, entry(SERVICES).component) == ("port-wrong", "api")
    assert (entry(changed("redis", command=["x"])).component) == "redis"
    assert entry(changed("redis", command=["x"])).summary == (
        "REDIS_URL of api names port 6379 of redis, where nothing listens"
    )


def test_a_bucket_that_its_job_renamed_is_the_jobs_matter() -> None:
    """The server asks for the bucket that was there when all was well; the job makes another now."""
    config = {
        "services": {
            **CONFIG["services"],
            "bucket": {"environment": {"S3_ENDPOINT": "http://store:9000", "BUCKET": "other"}},
            "mlflow": {
                **CONFIG["services"]["mlflow"],
                "command": ["mlflow", "--artifacts-destination=s3://artifacts/"],
            },
        }
    }
    link = {
        "target": "store",
        "setting": "E",
        "says": {"bucket": "artifacts", "bucket_setting": "--artifacts-destination"},
    }

    def found(services: dict[str, Any]) -> list[tuple[str, str, Any, Any, Any]]:
        story = declared(begun(config), services).check(LOOKUP, "failed")
        stood(story)
        story.tell(
            "rung",
            "store.bucket",
            {"ok": False, "facts": {"buckets": ["other"]}, "error": {"code": "NoSuchBucket"}},
            {"position": "mlflow", "about": "store", "link": link | {"kind": "object-store"}},
        )
        return [
            (one.cause, one.component, one.parameters["bucket"], one.parameters["wanted"], one.parameters["setting"])
            for one in diagnose(story.done())[:1]
        ]

    asked = [("bucket-wrong", "mlflow", "artifacts", "other", "--artifacts-destination")]
    assert found(SERVICES) == asked
    assert found(changed("api", user="1")) == asked
    assert found(changed("mlflow", user="1")) == asked
    assert found(changed("bucket", user="1")) == [("bucket-wrong", "bucket", "other", "artifacts", "BUCKET")]


# --- a run in which all is well --------------------------------------------------------------------------------------


def test_a_run_in_which_nothing_failed_has_no_cause_whatever_stands() -> None:
    """READY stays READY, without a diagnosis, however many rungs are broken; a failure lets them speak."""
    story = sound()
    link = {"kind": "database", "target": "db", "setting": "X", "host": "db", "port": 1}
    request = {"position": "api", "about": "db", "link": link}
    story.tell("rung", "database.login", {"ok": False, "facts": {}, "error": {"code": "53300"}}, request)
    judged = judge(story.end().done())
    failing = sound({CHECKS[0]: "failed"})
    failing.tell("rung", "database.login", {"ok": False, "facts": {}, "error": {"code": "53300"}}, request)

    assert (judged.verdict, judged.diagnoses) == (Word.READY, ())
    assert diagnose(failing.done())[0].cause == "database-full"


@pytest.mark.parametrize(
    ("kind", "subject", "response", "expected"),
    [
        ("check", CHECKS[1], {"outcome": "broken", "duration_s": 1}, True),
        ("finding", "x", {"severity": "error", "summary": "s", "remedy": "r", "service": "api"}, True),
        ("finding", "x", {"severity": "warning", "summary": "s", "remedy": "r", "service": "api"}, False),
        ("start", "p", {"ok": False, "failed": {}}, True),
        ("start", "p", {"ok": True, "failed": {}}, False),
    ],
)
def test_whatever_went_wrong_lets_the_rules_speak(kind: str, subject: str, response: Any, expected: bool) -> None:
    """A broken check, an error of the definition, a failed start; not a warning."""
    story = sound()
    story.tell(
        "rung",
        "database.login",
        {"ok": False, "facts": {}, "error": {"code": "53300"}},
        {"position": "api", "about": "db", "link": {"kind": "database", "target": "db", "setting": "X"}},
    )
    story.tell(kind, subject, response)

    assert bool(diagnose(story.done())) is expected


def test_a_rung_counts_as_it_ended_when_it_was_climbed_last() -> None:
    """What a service could not be asked while it was starting is forgotten once it answers."""
    story = begun().check(LOOKUP, "failed")
    rung(story, "database.login", "api", "database", "57P03")
    first = rung(story, "database.login", "mlflow", "database")
    last = rung(story, "database.login", "api", "database")

    assert [one.seq for one in Seen(story.done()).rungs] == [first, last]
    assert causes_of(story) == [("unknown", "api")]


# --- what is kept ----------------------------------------------------------------------------------------------------


def healthy(*, declares: dict[str, Any] | None = None) -> Story:
    """A sound run of a declared definition, up to its end."""
    story = sound()
    story.tell("compose", "rendered", CONFIG)
    return declared(story, declares)


def climbed(story: Story, code: str = "53300", *, moment: str = "end") -> Story:
    """Tell that the stack was collected, and one rung after it."""
    story.tell("container", "api", {"status": "running", "exit_code": 0, "health": "healthy"}, {"moment": moment})
    rung(story, "database.login", "api", "database", code)
    return story


RUNG = ["rung", "api", "name=database.login", "about=db", "setting=POSTGRES_HOST", "code=53300"]
FULL = ["database-full", "db", "setting=POSTGRES_HOST", "database=mlflow_db", "user=mlflow", "target=db", "code=53300"]


def what_is_kept(story: Story) -> dict[str, Any]:
    """What this run leaves to later ones."""
    return kept(story.done(), (*RULES, *FALLBACKS))


def test_what_a_ready_run_leaves_is_what_the_rules_would_say_of_it_and_its_definition() -> None:
    """Conditions in order, without repetition; the definition as declared; the digests that are known."""
    document = what_is_kept(climbed(healthy()).end())

    assert document == {
        "schema": SCHEMA,
        "run": "run-1",
        "target": "registry",
        "conditions": [FULL, RUNG],
        "services": SERVICES,
        "digests": {"api": "sha256:aa", "mlflow": "sha256:bb"},
    }
    assert what_is_kept(Story()) == {
        "schema": SCHEMA, "run": "", "target": "", "conditions": [], "services": {}, "digests": {},
    }  # fmt: skip


@pytest.mark.parametrize(("code", "moment"), [("broken", "end"), ("", "end"), ("57P03", "up")])
def test_only_what_the_last_ladder_found_broken_stands(code: str, moment: str) -> None:
    """Not what the harness could not ask, not what held, and not what a service answered while it started."""
    document = what_is_kept(climbed(healthy(), code, moment=moment).end())

    assert [key for key in document["conditions"] if key[0] == "rung"] == []


def test_what_stood_still_stands_where_nothing_was_looked_at() -> None:
    """The ladder is climbed once for a definition; a run of the same one hands on what is known."""
    same, other, looked = healthy(), healthy(declares=changed("api", user="1")), climbed(healthy(), "")
    for story in (same, other, looked):
        stood(story, ("health-slow", "api", "setting="))

    assert what_is_kept(same)["conditions"] == [["health-slow", "api", "setting="]]
    assert what_is_kept(other)["conditions"] == []
    assert what_is_kept(looked)["conditions"] == []


def test_what_is_kept_is_subtracted_from_the_next_run() -> None:
    """Round trip: kept from one bundle, recorded in another, and no longer a cause."""
    document = what_is_kept(climbed(healthy()).end())
    story = begun().check(LOOKUP, "failed")
    rung(story, "database.login", "api", "database", "53300")
    alone = causes_of(story)
    story.tell("standing", "registry", document)
    event = story.done().last("standing")
    assert event is not None
    read = parsed(event)

    assert alone == [("database-full", "db")]
    assert causes_of(story) == [("unknown", "api")]
    assert read is not None
    assert (read.run, read.target, read.seq) == ("run-1", "registry", event.seq)


# --- on disk ---------------------------------------------------------------------------------------------------------


def written(folder: Path, story: Story) -> Bundle:
    """The story as a bundle on disk."""
    folder.mkdir(parents=True)
    (folder / "journal.jsonl").write_bytes(story.done().journal)
    return load(folder)


def test_a_ready_run_is_kept_under_its_targets_name_and_no_other_is(tmp_path: Path) -> None:
    """Nothing of a run that was not ready, nothing with a secret in it, and nothing half written."""
    said: list[str] = []
    bundle = written(tmp_path / "b", healthy().end())
    bad = written(tmp_path / "c", sound({CHECKS[0]: "failed"}).end())
    folder = tmp_path / "kept"

    standing.keep(bad, judge(bad), Redactor(), said.append, folder)
    assert not folder.exists()
    standing.keep(bundle, judge(bundle), Redactor(["mlflow:1"]), said.append, folder)
    assert list(folder.iterdir()) == []
    assert "a secret stood in" in said[0]
    standing.keep(bundle, judge(bundle), Redactor(), said.append, folder)
    assert [path.name for path in folder.iterdir()] == ["registry.json"]
    assert standing.read(folder / "registry.json") == what_is_kept(healthy().end())
    assert len(said) == 1


def test_a_place_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    """The verdict stands; the next run only knows less."""
    said: list[str] = []
    bundle = written(tmp_path / "b", healthy().end())
    (tmp_path / "file").write_text("", encoding="utf-8")

    standing.keep(bundle, judge(bundle), Redactor(), said.append, tmp_path / "file")

    assert len(said) == 1
    assert "could not be kept" in said[0]


@pytest.mark.parametrize(
    ("target", "name"), [("Model Registry / 2", "model-registry-2.json"), ("", "unnamed.json"), ("../x", "x.json")]
)
def test_a_targets_name_is_a_file_name(target: str, name: str) -> None:
    """Letters, digits and dashes, and never another folder."""
    assert standing.place_of(target, Path("f")) == Path("f") / name


def test_the_nearest_of_what_was_kept_and_the_reference_is_told(tmp_path: Path) -> None:
    """Of the same target the one that differs in fewer services, the kept one where they are equally near; unreadable ones are none."""
    rows = {
        "kept": {"schema": SCHEMA, "target": "t", "services": {"a": {"image": "2"}}},
        "reference": {"schema": SCHEMA, "target": "t", "services": {"a": {"image": "1"}}},
        "stranger": {"schema": SCHEMA, "target": "u", "services": {"a": {"image": "3"}}},
        "old": {"schema": "airworthy/standing/0", "target": "t", "services": {"a": {"image": "3"}}},
    }
    for name, row in rows.items():
        (tmp_path / name).write_text(json.dumps(row), encoding="utf-8")
    (tmp_path / "junk").write_text("{", encoding="utf-8")
    (tmp_path / "list").write_text("[]", encoding="utf-8")
    places = [tmp_path / name for name in ("nowhere", "junk", "list", "old", "stranger", "kept", "reference")]

    def image(declared: dict[str, Any]) -> Any:
        found = standing.nearest("t", declared, places)
        return found["services"]["a"]["image"] if found else None

    assert image({"a": {"image": "1"}}) == "1"
    assert image({"a": {"image": "2"}}) == "2"
    assert image({"a": {"image": "3"}}) == "2"
    assert standing.nearest("t", {}, places[:4]) is None
    assert standing.nearest("t", {"a": {"image": "1"}}, places[:5]) == rows["stranger"]


@needs_compose
def test_a_run_keeps_its_declared_definition_and_what_stood_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Templates hold no secret and are kept; the same definition is not looked at a second time."""
    file = tmp_path / "c.yml"
    file.write_text(
        "services: {a: {image: x, environment: {A_PASSWORD: '${P:?set it}', B_PASSWORD: literal-1}}}", encoding="utf-8"
    )
    monkeypatch.setattr(standing, "HEALTHY", tmp_path)
    monkeypatch.setattr(standing, "REFERENCE", tmp_path / "t.json")

    def run(name: str) -> Run:
        journal = Journal(tmp_path / name, Redactor())
        options = SimpleNamespace(compose=file, overlays=())
        fake = cast("Run", SimpleNamespace(journal=journal, options=options, is_new=False))
        standing.tell(fake, "t")
        journal.close()
        return fake

    first = run("one")
    services = first.journal.events("compose")[0].response["services"]
    document = {"schema": SCHEMA, "target": "t", "services": services, "conditions": []}
    (tmp_path / "t.json").write_text(json.dumps(document), encoding="utf-8")
    second = run("two")
    file.write_text("services: {a: {image: y}}", encoding="utf-8")
    third = run("three")
    file.write_text("services: {a: {image: y, healthcheck: {retries: '${N}'}, nothing_known: 1}}", encoding="utf-8")
    fourth = run("four")

    assert services["a"]["environment"] == {"A_PASSWORD": "${P:?set it}", "B_PASSWORD": "[redacted]"}
    assert [event.subject for event in first.journal.events()] == ["declared"]
    assert (first.is_new, second.is_new, third.is_new, fourth.is_new) == (True, False, True, True)
    assert [(event.kind, event.subject) for event in second.journal.events()] == [
        ("compose", "declared"),
        ("standing", "t"),
    ]
    assert second.journal.events("standing")[0].response == document
    assert [event.kind for event in fourth.journal.events()] == ["standing"]


def test_the_reference_is_made_from_a_ready_run_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """With its declared definition; without digests, since each machine builds its own images."""
    monkeypatch.setattr(standing, "REFERENCE", tmp_path / "standing.json")
    written(tmp_path / "ready", healthy().end())
    written(tmp_path / "old", sound().end())
    written(tmp_path / "bad", replace_story())

    assert [standing.main([str(tmp_path / name)]) for name in ("old", "bad", "nowhere")] == [1, 1, 2]
    assert not (tmp_path / "standing.json").exists()
    assert standing.main([str(tmp_path / "ready")]) == 0
    assert standing.read(tmp_path / "standing.json") == {**what_is_kept(healthy().end()), "digests": {}}
    assert "0 conditions, 6 services" in capsys.readouterr().err


def replace_story() -> Story:
    """A run of a declared definition that was not ready."""
    return declared(sound({CHECKS[0]: "failed"})).end()


def test_the_committed_reference_can_be_read() -> None:
    """Where there is one it is of the present schema and was made on no machine in particular."""
    if standing.REFERENCE.exists():
        text = standing.REFERENCE.read_text(encoding="utf-8")
        found = standing.read(standing.REFERENCE)
        assert found is not None
        assert found["digests"] == {}
        assert compose.name_of(ROOT / "docker-compose.yml") == found["target"]
        assert str(ROOT) not in text


def test_a_run_is_whole_when_every_check_was_asked(tmp_path: Path) -> None:
    """Before the last one's outcome is evidence; a run without an inventory is none."""
    outcomes = {"a": Outcome.PASSED, "b": Outcome.PASSED}
    with closing(Journal(tmp_path / "j", Redactor())) as journal:
        before = is_whole(journal, outcomes)
        journal.record("inventory", "suites", None, {"checks": [{"nodeid": "a"}, {"nodeid": "b"}]})

    assert not before
    assert is_whole(journal, outcomes)
    assert not is_whole(journal, {"a": Outcome.PASSED})


# --- what a definition declares --------------------------------------------------------------------------------------

DECLARED = """
x-common: &common {restart: "no"}
services:
  api:
    <<: *common
    build: {context: ., args: {TOKEN: abcdef123}}
    image: ${IMAGE:-api:1}
    environment:
      - A=${B:?set it}
      - C
      - D=$E
      - F=a$$b
    command: ["x", "--password=${DB_PASSWORD:-hunter-hunter}", "--size=${SIZE:-3}"]
    env_file: []
  db:
    image: pg
    environment: {FLAG: true, NUMBER: 3, EMPTY: , NONE: ""}
    volumes: ["./data:/data"]
"""


@needs_compose
def test_a_declared_definition_keeps_its_variables_and_no_secret(tmp_path: Path) -> None:
    """As written, whatever the run: paths too; defaults of secrets are masked, what builds images is left out."""
    file = tmp_path / "c.yml"
    file.write_text(DECLARED, encoding="utf-8")
    found = compose.declared([file])
    api, db = found["services"]["api"], found["services"]["db"]

    assert sorted(found) == ["networks", "services", "volumes"]
    assert api["environment"] == {"A": "${B:?set it}", "D": "${E}", "F": "a$$b"}
    assert api["command"] == ["x", "--password=${DB_PASSWORD:-[redacted]}", "--size=${SIZE:-3}"]
    assert (api["image"], api["restart"], "build" in api) == ("${IMAGE:-api:1}", "no", False)
    assert db["environment"] == {"FLAG": "true", "NUMBER": "3", "NONE": ""}
    assert db["volumes"][0]["source"] == "./data"
    assert str(tmp_path) not in json.dumps(found)


@needs_compose
@pytest.mark.parametrize("word", ["", "null", "!reset x"])
def test_an_emptied_variable_is_not_declared(tmp_path: Path, word: str) -> None:
    """The last word of the files counts, in YAML and in JSON alike."""
    base, over = tmp_path / "c.yml", tmp_path / "o.yml"
    base.write_text(DECLARED, encoding="utf-8")
    over.write_text(f"services: {{api: {{environment: {{A: {word}}}}}}}", encoding="utf-8")
    patch = tmp_path / "patch.json"
    patch.write_text(json.dumps({"services": {"api": {"environment": {"D": None, "A": "${B:?}"}}}}), encoding="utf-8")

    assert compose.declared([base, over])["services"]["api"]["environment"] == {"D": "${E}", "F": "a$$b"}
    assert compose.declared([base, over, patch])["services"]["api"]["environment"] == {"A": "${B:?}", "F": "a$$b"}
    assert compose.render([base, over, patch], {"B": "1"}, "p")["services"]["api"]["environment"] == {
        "A": "1",
        "F": "a$$b",
    }


@needs_compose
def test_the_projects_own_definition_is_declared_without_a_mask() -> None:
    """Everything in it that is secret is a variable, so that it survives being kept as it is."""
    found = compose.declared([ROOT / "docker-compose.yml"])
    redactor = Redactor()

    assert redactor.value(found) == found
    assert "[redacted]" not in json.dumps(found)
    assert found["services"]["mlflow-server"]["environment"]["MLFLOW_BACKEND_STORE_URI"].startswith(
        "postgresql://mlflow:${POSTGRES_PASSWORD:?"
    )


@pytest.mark.parametrize(
    ("value", "masked"),
    [
        ("${A:?}", False),
        ("${A:?set it, please}", False),
        ("${A}", False),
        ("${A:-}", False),
        ("${A}${B?x}", False),
        ("${A:-default-1}", True),
        ("${A:?x}tail", True),
        ("$2b$12$abcdef", True),
        ("plain-secret", True),
    ],
)
def test_a_variable_under_a_secret_name_is_no_secret(tmp_path: Path, value: str, masked: bool) -> None:
    """It says where a secret is, not which; a default is a value."""
    with closing(Journal(tmp_path / "j", Redactor())) as journal:
        journal.record("compose", "declared", None, {"A_PASSWORD": value, "URL": f"redis://:{value}@cache/0"})
        told_so = journal.events()[0].response
    spaced = " " in value

    assert told_so["A_PASSWORD"] == ("[redacted]" if masked else value)
    assert told_so["URL"] == (f"redis://:{value}@cache/0" if not masked or spaced else "redis://:[redacted]@cache/0")


def test_a_variable_in_an_address_is_not_learnt_as_a_password() -> None:
    """A redactor that took it for one would mask it wherever it stands."""
    redactor = Redactor()
    redactor.learn_environment({"URL": "redis://:${REDIS_PASSWORD:?x}@cache/0", "OTHER": "redis://:secret-1@cache/0"})

    assert redactor.text("${REDIS_PASSWORD:?x} secret-1") == "${REDIS_PASSWORD:?x} [redacted]"
