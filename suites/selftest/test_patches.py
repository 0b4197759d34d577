"""The remedy as an overlay: applied to the broken definition it gives the sound one back, and it never holds a secret."""

import copy
import json
import re
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from fixtures import compose
from reports import causes
from reports.causes import Diagnosis
from reports.declared import is_address, option_of, part_of, readdressed, rewritten, without_option, without_secret
from reports.derived import derived, settings_of
from reports.diagnosis import diagnose
from reports.patches import PLACES, STATE, patch_of, paths_of
from reports.rules.seen import Seen
from reports.standing import SCHEMA, Since
from reports.wiring import Kind, links_of
from suites.selftest.journals import Story

PG = "${PG_PASSWORD:?set PG_PASSWORD, or let it be made: a/b}"
REDIS = "${CACHE_PASSWORD:?set it}"
KEY = "${STORE_USER:?set it}"
SECRET = "${STORE_PASSWORD:?set it}"
Services = dict[str, Any]
KEYS = {"AWS_ACCESS_KEY_ID": KEY, "AWS_SECRET_ACCESS_KEY": SECRET}
HERE = {"networks": {"default": None}}
SOUND: Services = {
    "pg": {
        "image": "pg:1",
        "user": "postgres",
        "environment": {"POSTGRES_USER": "ml", "POSTGRES_PASSWORD": PG, "POSTGRES_DB": "models"},
        "healthcheck": {"test": ["CMD", "pg_isready"], "interval": "5s"},
        "volumes": [{"type": "volume", "source": "data", "target": "/data"}],
        "deploy": {"resources": {"limits": {"memory": "512M"}}},
        **HERE,
    },
    "cache": {
        "image": "redis:1",
        "labels": {"airworthy.role": "queue"},
        "command": ["sh", "-c", 'exec redis-server --requirepass "$$REDISCLI_AUTH" --dir /data'],
        "environment": {"REDISCLI_AUTH": REDIS},
        "deploy": {"resources": {"limits": {"memory": "256M"}}},
        **HERE,
    },
    "store": {
        "image": "minio:1",
        "command": ["server", "/data"],
        "environment": {"MINIO_ROOT_USER": KEY, "MINIO_ROOT_PASSWORD": SECRET},
        **HERE,
    },
    "bucket": {
        "image": "mlflow:1",
        "command": ["python", "make.py"],
        "labels": {"airworthy.role": "job"},
        "environment": {"BUCKET": "things", "MLFLOW_S3_ENDPOINT_URL": "http://store:9000", **KEYS},
        "depends_on": {"store": {"condition": "service_healthy", "required": True}},
        **HERE,
    },
    "tracker": {
        "image": "mlflow:1",
        "command": ["mlflow", "server", "--host=0.0.0.0", "--port=5000", "--default-artifact-root=s3://things/", "--no-serve-artifacts"],
        "environment": {
            "MLFLOW_BACKEND_STORE_URI": f"postgresql://ml:{PG}@pg:5432/models",
            "MLFLOW_S3_ENDPOINT_URL": "http://store:9000",
            **KEYS,
        },
        "depends_on": {
            "bucket": {"condition": "service_completed_successfully", "required": True},
            "pg": {"condition": "service_healthy", "required": True},
        },
        **HERE,
    },
    "front": {
        "image": "${API_IMAGE:-front:1}",
        "labels": {"airworthy.role": "registry"},
        "environment": {
            "MLFLOW_TRACKING_URI": "http://tracker:5000",
            "MLFLOW_S3_ENDPOINT_URL": "http://store:9000",
            **KEYS,
            "DB_HOST": "pg",
            "DB_PORT": "5432",
            "DB_NAME": "models",
            "DB_USER": "ml",
            "DATABASE_PASSWORD": PG,
            "REDIS_URL": f"redis://:{REDIS}@cache:6379/0",
        },
        "depends_on": {
            "tracker": {"condition": "service_healthy", "required": True},
            "cache": {"condition": "service_healthy", "required": True},
        },
        **HERE,
    },
}  # fmt: skip
CHECK = "suites/test_x.py::test_one"
MASKED = "[redacted]"


def other(service: str, environment: Mapping[str, str | None] | None = None, **parts: Any) -> Services:
    """The services with other variables (None takes one away) and other parts in one of them."""
    services = copy.deepcopy(SOUND)
    held = {**services[service].get("environment", {}), **(environment or {})}
    services[service] |= {"environment": {name: value for name, value in held.items() if value is not None}}
    for name, value in parts.items():
        if value is None:
            services[service].pop(name)
        else:
            services[service][name] = value
    return services


def redacted(value: Any) -> Any:
    """As Compose would fill it in and the journal keep it."""
    if isinstance(value, dict):
        return {key: redacted(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [redacted(inner) for inner in value]
    return re.sub(r"\$\{(?:PG|CACHE|STORE)[^{}]*\}", MASKED, value) if isinstance(value, str) else value


def applied(services: Services, patch: Mapping[str, Any]) -> Services:
    """The services under an overlay, as Compose merges it and Airworthy unsets what is empty."""
    merged = copy.deepcopy(services)
    for name, over in patch["services"].items():
        _merge(merged[name], over)
        merged[name]["environment"] = {k: v for k, v in merged[name].get("environment", {}).items() if v is not None}
        for part in ("user", "command", "entrypoint"):
            if part in merged[name] and not merged[name][part]:
                merged[name].pop(part)
    return merged


def _merge(tree: dict[str, Any], over: Mapping[str, Any]) -> None:
    for name, value in over.items():
        if isinstance(value, Mapping) and isinstance(tree.get(name), dict):
            _merge(tree[name], value)
        elif name == "volumes":
            places = {row["target"] for row in value}
            tree[name] = [row for row in tree.get(name, []) if row["target"] not in places] + value
        else:
            tree[name] = value


def told(services: Services, *, stood: bool = False, declares: bool = True) -> Story:
    """A run of these services in which a check failed; with what stood before it, and what it declares."""
    story = Story()
    story.tell("target", "t", {"name": "t", "services": {}})
    story.tell("compose", "rendered", {"services": redacted(services)})
    if declares:
        story.tell("compose", "declared", {"services": services})
    if stood:
        document = {"schema": SCHEMA, "run": "r", "target": "t", "conditions": [], "services": SOUND, "digests": {}}
        story.tell("standing", "t", document)
    rows = [{"nodeid": CHECK, "item": "uuid-lookup", "title": "Holds", "needs": ["registry"]}]
    story.tell("inventory", "suites", {"checks": rows})
    story.tell("check", CHECK, {"outcome": "failed", "duration_s": 0.1, "message": "m", "because": None})
    return story


KINDS = {"database": Kind.DATABASE, "store": Kind.STORE, "queue": Kind.QUEUE, "tracking": Kind.TRACKING}


def rung(
    story: Story, services: Services, name: str, position: str, code: str, kind: Kind | None = None, **facts: Any
) -> None:
    """Tell one broken rung, from a caller's position."""
    wanted = kind or KINDS[name.split(".", maxsplit=1)[0]]
    links = links_of({"services": redacted(services)})
    link = next(one for one in links if one.caller == position and one.kind is wanted)
    message = str(facts.pop("message", code))
    asked = {"position": position, "about": link.about, "link": link.as_json()}
    story.tell("rung", name, {"ok": False, "facts": facts, "error": {"message": message, "code": code}}, asked)


def ended(story: Story, service: str, *lines: str, **state: Any) -> None:
    """Tell that a service ended with an error after these lines."""
    story.tell("container", service, {"status": "exited", "exit_code": 1, **state}, {"moment": "end"})
    story.tell("log", service, {"lines": len(lines), "tail": list(lines)}, {"moment": "end"})


def listening(story: Story, service: str, *rows: tuple[str, int]) -> None:
    """Tell what listens at a service."""
    facts = {"listening": [{"address": address, "port": port} for address, port in rows]}
    asked = {"position": service, "about": service, "link": None}
    story.tell("rung", "ports.listening", {"ok": True, "facts": facts, "error": None}, asked)


DB = "database.login"
FAR: Services = {"networks": {"far": None}}
SMALL: Services = {"deploy": {"resources": {"limits": {"memory": "8M"}}}}
LOOPED = ["mlflow", "server", "--host=127.0.0.1", *SOUND["tracker"]["command"][3:]]
THINKS = [word.replace("things", "thinks") for word in SOUND["tracker"]["command"]]
TIGHT = ["sh", "-c", 'exec redis-server --requirepass "$$REDISCLI_AUTH" --dir /data --maxmemory 1mb']
EMPTY_URL = SOUND["tracker"]["environment"]["MLFLOW_BACKEND_STORE_URI"]

# name -> services, how it is seen, cause, component, and whether it is mended without knowing what stood
Told = tuple[Services, Any, str, str, bool]
FAULTS: dict[str, Told] = {
    "database password wrong": (
        other("front", {"DATABASE_PASSWORD": MASKED}),
        [(DB, "front", "28P01", {"user": "ml"})], "database-password-wrong", "front", True,
    ),
    "database password not set": (
        other("front", {"DATABASE_PASSWORD": None}),
        ["RuntimeError: DATABASE_PASSWORD is not set"], "setting-missing", "front", True,
    ),
    "database password in an address wrong": (
        other("tracker", {"MLFLOW_BACKEND_STORE_URI": f"postgresql://ml:{MASKED}@pg:5432/models"}),
        [(DB, "tracker", "28P01", {"user": "ml"})], "database-password-wrong", "tracker", True,
    ),
    "database password of the database wrong": (
        other("pg", {"POSTGRES_PASSWORD": MASKED}),
        [(DB, "tracker", "28P01", {"user": "ml"}), (DB, "front", "28P01", {"user": "ml"})],
        "database-password-wrong", "pg", True,
    ),
    "database password in an address not set": (
        other("tracker", {"MLFLOW_BACKEND_STORE_URI": "postgresql://ml@pg:5432/models"}),
        [(DB, "tracker", "password-missing", {})],
        "setting-missing",
        "tracker",
        True,
    ),
    "database user wrong": (
        other("front", {"DB_USER": "nobody"}),
        [(DB, "front", "28P01", {"user": "nobody"})], "database-user-unknown", "front", True,
    ),
    "database user in an address wrong": (
        other("tracker", {"MLFLOW_BACKEND_STORE_URI": f"postgresql://nobody:{PG}@pg:5432/models"}),
        [(DB, "tracker", "28P01", {"user": "nobody"})], "database-user-unknown", "tracker", True,
    ),
    "database name wrong": (
        other("front", {"DB_NAME": "nope"}),
        [(DB, "front", "3D000", {"database": "nope"})], "database-missing", "front", True,
    ),
    "database name in an address wrong": (
        other("tracker", {"MLFLOW_BACKEND_STORE_URI": f"postgresql://ml:{PG}@pg:5432/nope"}),
        [(DB, "tracker", "3D000", {"database": "nope"})], "database-missing", "tracker", True,
    ),
    "database never made": (
        other("pg", {"POSTGRES_DB": "nope"}),
        [(DB, "tracker", "3D000", {"database": "models"}), (DB, "front", "3D000", {"database": "models"})],
        "database-missing", "pg", True,
    ),
    "host wrong": (
        other("front", {"DB_HOST": "pgx"}),
        [("name.resolve", "front", "host-unknown", {"kind": Kind.DATABASE})], "host-unknown", "front", True,
    ),
    "host in an address with a secret wrong": (
        other("tracker", {"MLFLOW_BACKEND_STORE_URI": f"postgresql://ml:{PG}@pgx:5432/models"}),
        [("name.resolve", "tracker", "host-unknown", {"kind": Kind.DATABASE})], "host-unknown", "tracker", True,
    ),
    "host is the caller itself": (
        other("front", {"REDIS_URL": f"redis://:{REDIS}@localhost:6379/0"}),
        [("port.open", "front", "refused", {"kind": Kind.QUEUE})], "points-at-itself", "front", True,
    ),
    "port beside the host wrong": (
        other("front", {"DB_PORT": "5433"}),
        [("port.open", "front", "refused", {"kind": Kind.DATABASE}), ("listen", "pg", "0.0.0.0", 5432)],  # noqa: S104
        "port-wrong", "front", True,
    ),
    "port in an address wrong": (
        other("front", {"MLFLOW_TRACKING_URI": "http://tracker:5050"}),
        [("port.open", "front", "refused", {"kind": Kind.TRACKING}), ("listen", "tracker", "::", 5000)],
        "port-wrong", "front", True,
    ),
    "port in an address with a secret wrong": (
        other("front", {"REDIS_URL": f"redis://:{REDIS}@cache:6380/0"}),
        [("port.open", "front", "refused", {"kind": Kind.QUEUE}), ("listen", "cache", "::", 6379)],
        "port-wrong", "front", True,
    ),
    "scheme wrong": (
        other("tracker", {"MLFLOW_BACKEND_STORE_URI": EMPTY_URL.replace("postgresql", "postgres", 1)}),
        ["boom"], "uri-scheme-unsupported", "tracker", True,
    ),
    "endpoint missing": (
        other("front", {"MLFLOW_S3_ENDPOINT_URL": None}),
        [("name.resolve", "front", "host-unknown", {"kind": Kind.STORE})], "endpoint-missing", "front", True,
    ),
    "store keys missing": (
        other("front", {"AWS_ACCESS_KEY_ID": None, "AWS_SECRET_ACCESS_KEY": None}),
        [("store.bucket", "front", "credentials-missing", {"missing": ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"]})],
        "setting-missing", "front", True,
    ),
    "store key wrong": (
        other("front", {"AWS_ACCESS_KEY_ID": MASKED}),
        [("store.bucket", "front", "InvalidAccessKeyId", {})], "store-key-unknown", "front", True,
    ),
    "store secret wrong": (
        other("tracker", {"AWS_SECRET_ACCESS_KEY": MASKED}),
        [("store.bucket", "tracker", "SignatureDoesNotMatch", {})], "store-secret-wrong", "tracker", True,
    ),
    "store secret of the store wrong": (
        other("store", {"MINIO_ROOT_PASSWORD": MASKED}),
        [("store.bucket", name, "SignatureDoesNotMatch", {}) for name in ("bucket", "tracker", "front")],
        "store-secret-wrong", "store", True,
    ),
    "region wrong": (
        other("front", {"AWS_DEFAULT_REGION": "mars-1"}),
        [("store.bucket", "front", "AuthorizationHeaderMalformed", {})], "store-region-wrong", "front", False,
    ),
    "bucket in the command wrong": (
        other("tracker", command=THINKS),
        [("store.bucket", "tracker", "NoSuchBucket", {"bucket": "thinks", "buckets": ["things"]})],
        "bucket-wrong", "tracker", True,
    ),
    "bucket of the job wrong": (
        other("bucket", {"BUCKET": "thinks"}),
        [("store.bucket", "bucket", "NoSuchBucket", {"bucket": "thinks", "buckets": ["things"]})],
        "bucket-wrong", "bucket", True,
    ),
    "queue password wrong": (
        other("front", {"REDIS_URL": f"redis://:{MASKED}@cache:6379/0"}),
        [("queue.login", "front", "WRONGPASS", {})], "queue-password-wrong", "front", True,
    ),
    "queue password not sent": (
        other("front", {"REDIS_URL": "redis://cache:6379/0"}),
        [("queue.login", "front", "NOAUTH", {})], "queue-password-missing", "front", True,
    ),
    "queue index wrong": (
        other("front", {"REDIS_URL": f"redis://:{REDIS}@cache:6379/99"}),
        [("queue.login", "front", "ERR", {"message": "ERR DB index is out of range"})],
        "queue-database-wrong", "front", True,
    ),
    "queue memory too small": (
        other("cache", command=TIGHT),
        [("queue.write", "front", "OOM", {"maxmemory": 1})], "queue-memory-full", "cache", True,
    ),
    "memory limit too small": (
        other("pg", **SMALL), [{"exit_code": 137, "oom_killed": True}], "out-of-memory", "pg", False,
    ),
    "loopback in the command": (
        other("tracker", command=LOOPED),
        [("port.open", "front", "refused", {"kind": Kind.TRACKING}), ("listen", "tracker", "127.0.0.1", 5000)],
        "listens-on-loopback", "tracker", True,
    ),
    "artifacts only": (
        other("tracker", command=[*SOUND["tracker"]["command"], "--artifacts-only"]),
        [("tracking.read", "front", "status-503", {"status": 503, "message": "runs in `--artifacts-only` mode"})],
        "artifacts-only", "tracker", True,
    ),
    "image unknown": (
        other("front", image="front:nope"),
        [("start", "Error response from daemon: No such image: front:nope")], "image-unavailable", "front", False,
    ),
    "user that may not write": (
        other("pg", user="nobody"),
        ["PermissionError: [Errno 13] Permission denied: '/data/x'"], "volume-unwritable", "pg", False,
    ),
    "user added": (
        other("store", user="nobody"),
        ["PermissionError: [Errno 13] Permission denied: '/data/x'"], "volume-unwritable", "store", False,
    ),
    "another volume": (
        other("pg", volumes=[{"type": "bind", "source": "./x", "target": "/data"}]),
        ["PermissionError: [Errno 13] Permission denied: '/data/x'"], "volume-unwritable", "pg", False,
    ),
    "command that cannot run": (
        other("store", command=["nope"]),
        [{"status": "created", "exit_code": 127, "error": 'exec: "nope": executable file not found in $PATH'}],
        "command-not-runnable", "store", False,
    ),
    "command where there was none": (
        other("pg", command=["nope"]),
        [{"status": "created", "exit_code": 127, "error": 'exec: "nope": executable file not found in $PATH'}],
        "command-not-runnable", "pg", False,
    ),
    "health check wrong": (
        other("pg", healthcheck={"test": ["CMD", "false"], "interval": "5s"}),
        [{"status": "running", "exit_code": 0, "health": "unhealthy"}], "service-unhealthy", "pg", False,
    ),
    "condition dropped": (
        other("front", depends_on={**SOUND["front"]["depends_on"], "cache": {"condition": "service_started", "required": True}}),
        ["RuntimeError: no queue yet"], "service-crashed", "front", False,
    ),
    "variable added": (
        other("tracker", {"PYTHONHOME": "/nope"}),
        ["Fatal Python error: init_fs_encoding"], "service-crashed", "tracker", False,
    ),
}  # fmt: skip


def seen_as(services: Services, how: list[Any], component: str, **given: bool) -> Story:
    """The run of a fault: rungs, what listens, how the component ended, or what the engine said."""
    story = told(services, **given)
    for row in how:
        if isinstance(row, str):
            ended(story, component, row)
        elif isinstance(row, dict):
            ended(story, component, "words", **row)
        elif row[0] == "listen":
            listening(story, row[1], (row[2], row[3]))
        elif row[0] == "start":
            story.tell("start", "p", {"ok": False, "failed": {}, "compose_error": row[1]})
        else:
            rung(story, services, *row[:3], **row[3])
    return story


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_is_patched_back_to_what_stood(name: str) -> None:
    """Applied to the broken definition, the overlay gives the one with which the target was ready, and touches one service."""
    services, how, cause, component, _ = FAULTS[name]
    # what alone changed is known, and likely the cause of what nothing else explains
    cause = "setting-invalid" if name == "variable added" else cause
    entry = diagnose(seen_as(services, how, component, stood=True).done())[0]

    assert (entry.cause, entry.component) == (cause, component)
    assert entry.patch is not None
    assert list(entry.patch) == ["services"]
    assert list(entry.patch["services"]) == [component]
    assert without_secret(entry.patch)
    assert applied(services, entry.patch) == SOUND


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_is_patched_by_the_rest_of_the_definition(name: str) -> None:
    """Nothing stood before: namesakes and what the other end is told say what is right, or there is no patch."""
    services, how, cause, component, is_mended = FAULTS[name]
    entry = diagnose(seen_as(services, how, component).done())[0]

    assert (entry.cause, entry.component) == (cause, component)
    if not is_mended:
        assert entry.patch is None
        return
    assert entry.patch is not None
    assert without_secret(entry.patch)
    found = applied(services, entry.patch)
    # what the message of a required variable says is each place's own
    assert json.loads(re.sub(r":\?[^{}]*\}", "}", json.dumps(found))) == json.loads(
        re.sub(r":\?[^{}]*\}", "}", json.dumps(SOUND))
    )


@pytest.mark.parametrize("name", FAULTS)
def test_an_old_bundle_is_diagnosed_without_what_is_declared(name: str) -> None:
    """Cause and component are the same; a patch is then what the rule itself offers, without a secret."""
    services, how, cause, component, _ = FAULTS[name]
    entry = diagnose(seen_as(services, how, component, declares=False).done())[0]

    assert (entry.cause, entry.component) == (cause, component)
    assert entry.patch is None or without_secret(entry.patch)


needs_compose = pytest.mark.skipif(shutil.which("docker") is None, reason="rendering needs the docker client")


RENDERED = (
    "database password not set",
    "database password in an address wrong",
    "port beside the host wrong",
    "region wrong",
    "bucket in the command wrong",
    "queue memory too small",
    "memory limit too small",
    "image unknown",
    "user added",
    "another volume",
    "command where there was none",
    "health check wrong",
    "condition dropped",
    "variable added",
)
"""One fault for each way in which an overlay changes a definition."""


@needs_compose
@pytest.mark.parametrize("name", RENDERED)
def test_a_patch_is_an_overlay_that_compose_takes(tmp_path: Path, name: str) -> None:
    """Rendered, the broken definition with the overlay is the sound one."""
    services, how, _, component, _ = FAULTS[name]
    patch = diagnose(seen_as(services, how, component, stood=True).done())[0].patch
    for file, content in (("sound", SOUND), ("broken", services)):
        (tmp_path / f"{file}.json").write_text(
            json.dumps({"services": content, "networks": {"far": None}, "volumes": {"data": None}}), encoding="utf-8"
        )
    (tmp_path / "patch.json").write_text(json.dumps(patch), encoding="utf-8")
    files = {file: tmp_path / f"{file}.json" for file in ("sound", "broken", "patch")}
    variables = {name: name.lower() for name in ("PG_PASSWORD", "CACHE_PASSWORD", "STORE_USER", "STORE_PASSWORD")}

    sound = compose.render([files["sound"]], variables, "p")
    mended = compose.render([files["broken"], files["patch"]], variables, "p")
    assert json.loads(json.dumps(mended).replace('"command": null, ', "")) == json.loads(
        json.dumps(sound).replace('"command": null, ', "")
    )


# --- sources, one by one ---------------------------------------------------------------------------------------------


def of(cause: str, component: str, **parameters: Any) -> Diagnosis:
    """A diagnosis as a rule would give it."""
    return causes.diagnosis(cause, component, evidence=(1,), parameters=parameters)


def patched(
    entry: Diagnosis, services: Services, before: Services | None = None, config: Services | None = None
) -> dict[str, Any] | None:
    """The component's part of the overlay; `before` is what stood, `config` what was rendered where it differs."""
    story = Story()
    story.tell("compose", "rendered", {"services": redacted(config or services)})
    story.tell("compose", "declared", {"services": services})
    if before is not None:
        story.tell(
            "standing",
            "t",
            {"schema": SCHEMA, "run": "r", "target": "", "conditions": [], "services": before, "digests": {}},
        )
    found = patch_of(entry, Since(story.done()))
    return None if found is None else found["services"][entry.component]


def test_a_variable_that_is_gone_is_a_place_too() -> None:
    """What stood and is not declared any more may be what is missed."""
    story = told(SOUND, stood=False)
    story.tell("standing", "before", {"schema": "airworthy/standing/1", "services": other("front", {"THE_PORT": "1"})})
    found = paths_of(of("port-wrong", "front", setting="DB_HOST"), Since(story.done()))

    assert ("environment", "THE_PORT") in found


def test_services_without_a_common_network_are_joined() -> None:
    """The lonelier one enters the other's network and stays where it was; callers are where their target must be."""
    services = other("front", **FAR)
    by_caller = patched(of("networks-disjoint", "front", target="pg", host="pg"), services)
    moved = other("pg", **FAR)
    by_target = patched(of("networks-disjoint", "pg", target="pg", host="pg"), moved)
    bare = {"pg": {"networks": {"inner": None}}, "front": {"environment": {"DB_HOST": "pg"}}}
    implicit = patched(of("networks-disjoint", "front", target="pg", host="pg"), bare)
    back = patched(of("networks-disjoint", "front", target="pg", host="pg"), services, SOUND)
    alone = patched(of("networks-disjoint", "front", target="nobody", host="x"), SOUND)

    assert by_caller == by_target == {"networks": {"far": None, "default": None}}
    assert implicit == {"networks": {"default": None, "inner": None}}
    assert back == {"networks": {"default": None}}
    assert alone is None


def test_what_the_diagnosis_names_is_set_back_and_no_more() -> None:
    """Other changes of the service stay; where what it names did not change, all that did goes back."""
    services = other("front", {"DB_NAME": "nope", "DB_USER": "else"})
    named = patched(of("database-missing", "front", setting="DB_NAME", target="pg", service="front"), services, SOUND)
    unnamed = patched(of("service-crashed", "front", line="x"), services, SOUND)
    same = patched(of("service-crashed", "front", line="x"), SOUND, SOUND)
    killed = patched(of("service-killed", "front", exit_code=137), services, SOUND)

    assert named == {"environment": {"DB_NAME": "models"}}
    assert unnamed == {"environment": {"DB_NAME": "models", "DB_USER": "ml"}}
    assert same is None
    assert killed is None


def test_a_rules_own_patch_comes_before_what_is_derived_and_after_what_stood() -> None:
    """One that holds a mask, changes nothing or is about another service gives way."""
    services = other("front", {"DB_HOST": "pgx"})
    entry = of("host-unknown", "front", setting="DB_HOST", host="pgx", wanted="pg")

    def offered(overlay: dict[str, Any], before: Services | None = None) -> Any:
        with_patch = causes.diagnosis(
            entry.cause, "front", evidence=(1,), parameters=entry.parameters, patch={"services": overlay}
        )
        found = patched(with_patch, services, before)
        return found and found["environment"]

    assert offered({"front": {"environment": {"DB_HOST": "offered"}}}) == {"DB_HOST": "offered"}
    assert offered({"front": {"environment": {"DB_HOST": "offered"}}}, SOUND) == {"DB_HOST": "pg"}
    for overlay in (
        {"front": {"environment": {"DB_HOST": MASKED}}},
        {"front": {"environment": {"DB_HOST": "pgx"}}},
        {"pg": {"environment": {"DB_HOST": "pg"}}},
        {"front": {"environment": {"DB_HOST": "pg"}}, "pg": {}},
        {},
    ):
        assert offered(overlay) == {"DB_HOST": "pg"}


def test_a_patch_never_holds_what_was_masked() -> None:
    """Where the only right value is a literal secret there is no patch."""
    sound = other("front", {"DATABASE_PASSWORD": MASKED})
    sound["pg"]["environment"]["POSTGRES_PASSWORD"] = MASKED
    sound["tracker"]["environment"]["MLFLOW_BACKEND_STORE_URI"] = f"postgresql://ml:{MASKED}@pg:5432/models"
    broken = copy.deepcopy(sound)
    del broken["front"]["environment"]["DATABASE_PASSWORD"]
    entry = of("setting-missing", "front", setting="DATABASE_PASSWORD")

    assert patched(entry, broken, sound) is None
    assert patched(entry, broken) is None


@pytest.mark.parametrize(
    ("now", "was", "back"),
    [
        ({"mem_limit": "8m"}, {"mem_limit": "1g"}, {"mem_limit": "1g"}),
        ({"mem_limit": "8m"}, {}, {"mem_limit": "0"}),
        (SMALL, {}, {"deploy": {"resources": {"limits": {"memory": "0"}}}}),
        ({"user": "1"}, {}, {"user": ""}),
        ({"entrypoint": ["x"]}, {}, {"entrypoint": None}),
        ({"read_only": True}, {}, {"read_only": False}),
        ({"restart": "always"}, {}, {"restart": "no"}),
        ({}, {"read_only": True}, {"read_only": True}),
        ({"dns": ["1.2.3.4"]}, {}, None),
        ({"dns": ["1.2.3.4"]}, {"dns": ["9.9.9.9"]}, None),
        ({"cap_add": ["A"]}, {"cap_add": ["A", "B"]}, {"cap_add": ["B"]}),
        ({"ulimits": {"nofile": 1}}, {"ulimits": {"nofile": 9, "nproc": 2}}, {"ulimits": {"nofile": 9, "nproc": 2}}),
        ({"ulimits": {"nofile": 1, "x": 1}}, {"ulimits": {"nofile": 9}}, None),
        ({"healthcheck": {"disable": True}}, {"healthcheck": {"test": ["a"]}}, {"healthcheck": {"test": ["a"], "disable": False}}),
        ({"healthcheck": {"test": ["b"], "timeout": "1s"}}, {"healthcheck": {"test": ["a"]}}, {"healthcheck": {"test": ["a"]}}),
        ({"healthcheck": {"retries": 1}}, {"healthcheck": {"interval": "1s"}}, None),
        ({"healthcheck": {"disable": True}}, {"healthcheck": {"disable": True, "retries": 2}}, {"healthcheck": {"disable": True, "retries": 2}}),
        ({"healthcheck": {"test": ["b"]}}, {}, None),
        ({"volumes": [{"target": "/a", "source": "x"}]}, {}, None),
        ({"volumes": [{"target": "/a", "source": "x"}]}, {"volumes": [{"target": "/b", "source": "y"}]}, None),
        ({"volumes": ["x:/a"]}, {"volumes": ["x:/a", "y:/b"]}, {"volumes": ["y:/b"]}),
        ({}, {"volumes": [{"target": "/a", "source": "x"}]}, {"volumes": [{"target": "/a", "source": "x"}]}),
        ({"image": "b", "dns": ["1"]}, {"image": "a"}, None),
        ({"ports": ["1:1"], "labels": {"a": "b"}}, {}, None),
        ({"ports": ["1:1"], "image": "b"}, {"image": "a"}, {"image": "a"}),
        ({"depends_on": {"b": {"condition": "service_started"}}}, {"depends_on": {"b": {"condition": "service_healthy"}}}, {"depends_on": {"b": {"condition": "service_healthy"}}}),
        ({"depends_on": {"b": {"condition": "service_started"}}}, {}, None),
        ({"environment": {"cpus": "1"}}, {"environment": {}}, {"environment": {"cpus": None}}),
        ({"logging": {"driver": "b"}}, {"logging": {"driver": "a"}}, {"logging": {"driver": "a"}}),
        ({"logging": {"driver": "b", "options": {}}}, {"logging": {"driver": "a"}}, None),
        ({"command": ["x", "y"]}, {"command": ["x", "z"]}, {"command": ["x", "z"]}),
        ({}, {"command": ["x", "z"]}, {"command": ["x", "z"]}),
    ],
)  # fmt: skip
def test_a_part_goes_back_where_an_overlay_can_say_so(now: Any, was: Any, back: Any) -> None:
    """Lists are added to and mappings merged, so that what was added cannot always be taken away: then there is no patch."""
    assert patched(of("service-crashed", "a", line="x"), {"a": now}, {"a": was}) == back


def test_where_a_diagnosis_lies_follows_from_its_cause_and_its_settings() -> None:
    """Settings of the component, the command line for options, what the cause is about; at the asked end its own variables."""
    story = told(other("front", {"BIND_ADDR": "127.0.0.1"}), stood=True)
    since = Since(story.done())

    def paths(cause: str, component: str, **parameters: Any) -> set[str]:
        return {".".join(path) for path in paths_of(of(cause, component, **parameters), since)}

    command = {"command", "entrypoint"}
    assert paths("setting-missing", "front", setting=["A", "B"]) == {"environment.A", "environment.B"}
    assert paths("bucket-wrong", "tracker", setting="--x") == command
    assert paths("database-password-wrong", "pg", target="pg", service="front", setting="X") == {
        "environment.POSTGRES_PASSWORD"
    }
    assert paths("database-password-wrong", "front", target="pg", service="front", setting="X") == {"environment.X"}
    assert paths("queue-password-wrong", "cache", target="cache", service=["front"], setting="X") == {
        "environment.REDISCLI_AUTH", "environment.REDIS_PASSWORD", *command,
    }  # fmt: skip
    assert paths("port-wrong", "cache", target="cache", service="front", setting="X") == command
    assert paths("endpoint-missing", "front", setting="S3_URL") == {
        "environment.S3_URL", "environment.MLFLOW_S3_ENDPOINT_URL",
    }  # fmt: skip
    assert paths("store-region-wrong", "front", setting="K") == {
        "environment.K", "environment.AWS_DEFAULT_REGION", "environment.AWS_REGION",
    }  # fmt: skip
    assert paths("port-wrong", "front", setting="DB_HOST") == {"environment.DB_HOST", "environment.DB_PORT"}
    assert paths("listens-on-loopback", "front", port=1) == {
        *command, "environment.BIND_ADDR", "environment.DB_HOST",
    }  # fmt: skip
    assert paths("out-of-memory", "pg") == {
        "deploy.resources.limits.memory", "mem_limit", "memswap_limit", *command,
    }  # fmt: skip
    assert paths("bucket-missing", "bucket") == command
    assert paths("service-crashed", "pg") == set()
    assert set(PLACES) | STATE <= set(causes.known())
    assert not set(PLACES) & STATE


# --- derived from the rest of the definition -------------------------------------------------------------------------


def test_a_setting_that_is_missing_is_derived_from_its_name() -> None:
    """A namesake of another service, the address of the service that plays the role, or what the other end is told."""
    services = other("front", {"MLFLOW_TRACKING_URI": None, "DB_HOST": None, "AWS_ACCESS_KEY_ID": None})
    rendered = copy.deepcopy(SOUND)
    rendered["pg"]["labels"] = {"airworthy.role": "database"}

    def value(setting: str) -> Any:
        found = patched(of("setting-missing", "front", setting=setting), services, config=rendered)
        return found and found["environment"][setting]

    assert value("MLFLOW_TRACKING_URI") == "http://tracker:5000"
    assert value("DB_HOST") == "pg"
    assert value("AWS_ACCESS_KEY_ID") == KEY
    assert value("S3_ENDPOINT_URL") == "http://store:9000"
    assert value("POSTGRES_PASSWORD") == PG
    assert value("DATABASE_USER") == "ml"
    assert value("REDIS_PASSWORD") == REDIS
    assert value("MINIO_ACCESS_KEY") == KEY
    assert value("S3_SECRET_KEY") == SECRET
    assert value("POSTGRES_DB") == "models"
    assert value("WEATHER") is None
    assert value("WEATHER_HOST") is None
    assert patched(of("setting-missing", "nobody", setting="DB_HOST"), services, config=rendered) is None


def test_an_address_for_a_role_that_nobody_plays_is_not_made_up() -> None:
    """Without a server there is no address of one."""
    services = {"front": {"environment": {"X": "y"}}}

    for setting in ("MLFLOW_TRACKING_URI", "S3_ENDPOINT_URL", "DB_HOST"):
        assert patched(of("setting-missing", "front", setting=setting), services) is None
    assert patched(of("endpoint-missing", "front", setting="S3_ENDPOINT_URL"), services) is None
    assert patched(of("endpoint-missing", "front"), services) is None


def test_a_password_that_the_other_end_takes_from_its_command_is_found_there() -> None:
    """The option's value is what callers must send; a shell's variable is none of the definition's."""
    services = other("cache", {"REDISCLI_AUTH": None}, command=["redis-server", "--requirepass", REDIS])
    services["front"]["environment"]["REDIS_URL"] = "redis://cache:6379/0"
    entry = of("queue-password-missing", "front", setting="REDIS_URL", target="cache", service="front")
    hidden = other("cache", {"REDISCLI_AUTH": None})
    hidden["front"]["environment"]["REDIS_URL"] = "redis://cache:6379/0"

    assert patched(entry, services) == {"environment": {"REDIS_URL": f"redis://:{REDIS}@cache:6379/0"}}
    assert patched(entry, hidden) is None


def test_what_most_callers_declare_is_right_where_the_other_end_says_nothing() -> None:
    """Those that are accused do not count."""
    services = other("pg", {"POSTGRES_PASSWORD": MASKED}, image="pg:2")
    services["front"]["environment"]["DATABASE_PASSWORD"] = MASKED
    entry = of("database-password-wrong", "front", setting="DATABASE_PASSWORD", target="pg", service="front")
    both = of(
        "database-password-wrong", "front", setting="DATABASE_PASSWORD", target="pg", service=["front", "tracker"]
    )

    assert patched(entry, services) == {"environment": {"DATABASE_PASSWORD": PG}}
    assert patched(both, services) is None


def test_the_other_ends_own_variable_is_set_only_where_it_has_one() -> None:
    """By the name that is there; where callers hide theirs nothing is known."""
    entry = of("queue-password-wrong", "cache", target="cache", service=["front"], setting="REDIS_URL")
    named = other("cache", {"REDISCLI_AUTH": None, "REDIS_PASSWORD": MASKED})
    bare = other("cache", {"REDISCLI_AUTH": None})
    hidden = other("cache", {"REDISCLI_AUTH": MASKED})
    hidden["front"]["environment"]["REDIS_URL"] = f"redis://:{MASKED}@cache:6379/0"

    assert patched(entry, named) == {"environment": {"REDIS_PASSWORD": REDIS}}
    assert patched(entry, bare) is None
    assert patched(entry, hidden) is None


def test_callers_that_hold_no_part_of_a_login_say_nothing_about_it() -> None:
    """A caller without a key of its own does not count; where none has one there is no patch."""
    services = other("store", {"MINIO_ROOT_USER": MASKED})
    entry = of("store-key-unknown", "store", target="store", service=["front"], setting="AWS_ACCESS_KEY_ID")
    del services["front"]["environment"]["AWS_ACCESS_KEY_ID"]
    some = patched(entry, services)
    for name in ("bucket", "tracker"):
        del services[name]["environment"]["AWS_ACCESS_KEY_ID"]

    assert some == {"environment": {"MINIO_ROOT_USER": KEY}}
    assert patched(entry, services) is None


def test_a_login_on_the_command_line_replaces_the_whole_command() -> None:
    """An address in an option is mended where it stands."""
    command = ["mlflow", "server", "--backend-store-uri", f"postgresql://ml:{MASKED}@pg:5432/models"]
    services = other("tracker", {"MLFLOW_BACKEND_STORE_URI": None}, command=command)
    entry = of("database-password-wrong", "tracker", setting="--backend-store-uri", target="pg", service="tracker")

    assert patched(entry, services) == {"command": [*command[:3], f"postgresql://ml:{PG}@pg:5432/models"]}


def test_a_queue_index_is_the_one_of_other_callers_else_the_first() -> None:
    """Of the same queue."""
    services = other("front", {"REDIS_URL": f"redis://:{REDIS}@cache:6379/99"})
    services["bucket"]["environment"]["CACHE_URL"] = f"redis://:{REDIS}@cache:6379/3"
    entry = of("queue-database-wrong", "front", setting="REDIS_URL", target="cache", service="front")

    assert patched(entry, services) == {"environment": {"REDIS_URL": f"redis://:{REDIS}@cache:6379/3"}}


@pytest.mark.parametrize(
    ("cause", "service", "given", "expected"),
    [
        ("artifacts-only", {"command": "mlflow server --artifacts-only --x"}, {}, {"command": "mlflow server --x"}),
        ("artifacts-refused", {"command": ["m", "--no-serve-artifacts", "-x"]}, {}, {"command": ["m", "-x"]}),
        ("artifacts-refused", {"command": ["m", "-x"]}, {}, None),
        ("queue-memory-full", {"command": ["r", "--maxmemory", "1mb", "-x"]}, {}, {"command": ["r", "-x"]}),
        ("queue-memory-full", {"command": ["r", "--maxmemory=1mb"]}, {}, {"command": ["r"]}),
        ("listens-on-loopback", {"command": "m --host localhost"}, {"port": 1}, {"command": "m --host 0.0.0.0"}),
        ("listens-on-loopback", {"entrypoint": ["m", "-b", "127.0.0.1:5"]}, {"port": 1}, {"entrypoint": ["m", "-b", "0.0.0.0:5"]}),
        ("listens-on-loopback", {"environment": {"APP_HOST": "127.0.0.1", "PG_HOST": "pg"}}, {"port": 1}, {"environment": {"APP_HOST": "0.0.0.0"}}),  # noqa: S104
        ("listens-on-loopback", {"environment": {"PG_HOST": "pg"}}, {"port": 1}, None),
        ("store-region-wrong", {"environment": {"AWS_REGION": "x"}}, {"wanted": "eu"}, {"environment": {"AWS_REGION": "eu"}}),
        ("store-region-wrong", {"environment": {}}, {"wanted": "eu"}, {"environment": {"AWS_DEFAULT_REGION": "eu"}}),
        ("store-region-wrong", {"environment": {}}, {}, None),
        ("port-wrong", {"environment": {"A_PORT": "1", "B_PORT": "1"}}, {"setting": "A", "port": 1, "wanted": 2}, None),
        ("port-wrong", {"environment": {"A_PORT": "1"}}, {"setting": "A", "port": 1}, None),
        ("port-wrong", {"environment": {"A_PORT": "1"}}, {"setting": "A", "port": 1, "wanted": 2}, {"environment": {"A_PORT": "2"}}),
        ("host-unknown", {"environment": {"A": "http://x:1"}}, {"setting": "A", "wanted": "nobody"}, None),
        ("host-unknown", {"environment": {"A": "http://x:1"}}, {"setting": "A", "wanted": "a"}, {"environment": {"A": "http://a:1"}}),
        ("host-unknown", {"command": ["m", "--uri=http://x:1"]}, {"setting": "--uri", "wanted": "a"}, {"command": ["m", "--uri=http://a:1"]}),
        ("host-unknown", {"environment": {}}, {"setting": "A", "wanted": "a"}, None),
        ("uri-scheme-unsupported", {"environment": {"A": "postgres://h/x"}}, {"setting": "A", "scheme": "postgres", "wanted": "postgresql"}, {"environment": {"A": "postgresql://h/x"}}),
        ("uri-scheme-unsupported", {"environment": {"A": "postgres://h/x"}}, {"setting": "A", "wanted": "postgresql"}, None),
        ("bucket-wrong", {"command": ["m", "--root", "s3://x/y"]}, {"setting": "--root", "bucket": "x", "wanted": "z"}, {"command": ["m", "--root", "s3://z/y"]}),
        ("bucket-wrong", {"command": ["m", "--root", "s3://x/y"]}, {"setting": "--root", "bucket": "q", "wanted": "z"}, None),
        ("bucket-wrong", {"environment": {"B": "x"}}, {"setting": "B", "bucket": "x"}, None),
        ("service-crashed", {"environment": {"B": "x"}}, {"line": "y"}, None),
    ],
)  # fmt: skip
def test_what_a_cause_says_is_enough_for_its_patch(cause: str, service: Any, given: Any, expected: Any) -> None:
    """Or there is none."""
    assert patched(of(cause, "a", **given), {"a": service}) == expected


def test_nothing_is_derived_for_a_service_that_is_not_declared() -> None:
    """Nor for a cause that nothing follows from."""
    seen = Seen(told(SOUND).done())

    assert derived(of("artifacts-only", "nobody"), seen) == {}
    assert derived(of("service-killed", "pg"), seen) == {}
    assert settings_of(of("setting-missing", "pg", setting=["A", ""])) == ("A",)
    assert settings_of(of("setting-missing", "pg")) == ()


# --- settings with variables in them ---------------------------------------------------------------------------------

URL = f"postgresql+psycopg2://ml:{PG}@pg:5432/models?x=1"


@pytest.mark.parametrize(
    ("text", "part", "value"),
    [
        (URL, "scheme", "postgresql+psycopg2"),
        (URL, "user", "ml"),
        (URL, "password", PG),
        (URL, "host", "pg"),
        (URL, "port", "5432"),
        (URL, "database", "models"),
        ("http://h", "port", ""),
        ("http://h", "database", ""),
        ("http://${H}:${P:-80}/x", "port", "${P:-80}"),
        ("http://${H}:${P:-80}/x", "host", "${H}"),
        ("--x=redis://:${A}${B}@h", "password", "${A}${B}"),
        ("no address", "host", ""),
    ],
)
def test_an_address_with_variables_is_taken_apart(text: str, part: str, value: str) -> None:
    """A variable may hold whatever separates the parts of an address."""
    assert part_of(text, part) == value
    assert is_address(text) is ("://" in text)


@pytest.mark.parametrize(
    ("text", "parts", "value"),
    [
        (URL, {}, URL),
        (URL, {"password": "${X:?a@b}"}, "postgresql+psycopg2://ml:${X:?a@b}@pg:5432/models?x=1"),
        (URL, {"port": "1", "host": "h"}, f"postgresql+psycopg2://ml:{PG}@h:1/models?x=1"),
        ("redis://h", {"password": "p"}, "redis://:p@h"),
        ("redis://h", {"port": "1"}, "redis://h:1"),
        ("redis://h/", {"host": "i"}, "redis://i/"),
        ("redis://h", {"database": "0"}, "redis://h/0"),
        ("redis://u@h", {"host": "i"}, "redis://u@i"),
        ("--a=http://h/x --b=${Y}", {"host": "i"}, "--a=http://i/x --b=${Y}"),
        ("plain", {"host": "i"}, "plain"),
    ],
)
def test_an_address_is_changed_in_place(text: str, parts: dict[str, str], value: str) -> None:
    """What is not changed stays as it was written."""
    assert readdressed(text, **parts) == value


def test_a_command_line_is_read_and_changed_whole() -> None:
    """As words or as a script; what is not there is empty, and what does not change is left out."""
    words = {"entrypoint": ["sh"], "command": ["-c", 'run --a "b c" --d=${E:?f g} --h', "--i", "j"]}

    assert [option_of(words, name) for name in ("--a", "--d", "--i", "--h", "--x")] == [
        "b c", "${E:?f g}", "j", "", "",
    ]  # fmt: skip
    assert option_of({"command": "run --a=1"}, "--a") == "1"
    assert option_of({}, "--a") == ""
    assert rewritten(words, lambda word: word.replace("j", "k")) == {"command": [*words["command"][:3], "k"]}
    assert rewritten(words, lambda word: word) == {}
    assert rewritten({"command": "a b"}, lambda word: word.upper()) == {"command": "A B"}
    assert rewritten({"command": None}, lambda word: word.upper()) == {}
    assert without_option(words, "--i", takes_value=True) == {"command": words["command"][:2]}
    assert without_option(words, "--d", takes_value=True) == {
        "command": ["-c", 'run --a "b c" --h', *words["command"][2:]]
    }
    assert without_option({"command": ["a --b 'c d' e"]}, "--b", takes_value=True) == {"command": ["a e"]}
    assert without_option({"entrypoint": "a --b e"}, "--b") == {"entrypoint": "a e"}
    assert without_option({"command": ["a", "--bc", "--b"]}, "--b") == {"command": ["a", "--bc"]}
    assert without_option({"command": ["a", "--bc"]}, "--b") == {}


def test_a_mask_is_found_wherever_it_stands() -> None:
    """In keys' values, lists and texts."""
    assert without_secret({"a": [1, None, {"b": "c"}]})
    assert not without_secret({"a": [1, {"b": f"x{MASKED}"}]})
    assert not without_secret(MASKED)
