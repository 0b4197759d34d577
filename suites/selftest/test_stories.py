"""One symptom, many causes: every rule fires on its own evidence, and its look-alikes get another name or none."""

import re
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports import causes
from reports.causes import HOST, CauseError, Confidence, Diagnosis
from reports.diagnosis import FALLBACKS, RULES, diagnose, rulings
from reports.rules.processes import last_words
from reports.rules.seen import Ended, Seen
from reports.wiring import Kind, links_of
from suites.selftest.journals import Story

Config = dict[str, Any]

STACK: Config = {
    "services": {
        "pg": {
            "labels": {"airworthy.role": "database"},
            "environment": {"POSTGRES_USER": "ml", "POSTGRES_DB": "models"},
        },
        "cache": {"labels": {"airworthy.role": "queue"}, "deploy": {"resources": {"limits": {"memory": "256M"}}}},
        "store": {"labels": {"airworthy.role": "object-store"}},
        "bucket": {
            "labels": {"airworthy.role": "job"},
            "environment": {
                "BUCKET": "things",
                "S3_ENDPOINT_URL": "http://store:9000",
                "AWS_ACCESS_KEY_ID": "[redacted]",
                "AWS_SECRET_ACCESS_KEY": "[redacted]",
            },
            "depends_on": {"store": {"condition": "service_healthy"}},
        },
        "tracker": {
            "labels": {"airworthy.role": "tracking"},
            "command": ["mlflow", "server", "--default-artifact-root=s3://things/", "--no-serve-artifacts"],
            "environment": {
                "MLFLOW_BACKEND_STORE_URI": "postgresql://ml:[redacted]@pg:5432/models",
                "MLFLOW_S3_ENDPOINT_URL": "http://store:9000",
                "AWS_ACCESS_KEY_ID": "[redacted]",
                "AWS_SECRET_ACCESS_KEY": "[redacted]",
            },
            "depends_on": {
                "bucket": {"condition": "service_completed_successfully"},
                "pg": {"condition": "service_healthy"},
            },
        },
        "front": {
            "labels": {"airworthy.role": "registry"},
            "image": "front:1",
            "environment": {
                "MLFLOW_TRACKING_URI": "http://tracker:5000",
                "MLFLOW_S3_ENDPOINT_URL": "http://store:9000",
                "AWS_ACCESS_KEY_ID": "[redacted]",
                "AWS_SECRET_ACCESS_KEY": "[redacted]",
                "DB_HOST": "pg",
                "DB_NAME": "models",
                "DB_USER": "ml",
                "DATABASE_PASSWORD": "[redacted]",
                "REDIS_URL": "redis://:[redacted]@cache:6379/0",
                "EXTERNAL_API_URL": "http://elsewhere:80/",
            },
            "depends_on": {"tracker": {"condition": "service_healthy"}},
        },
        "sink": {"labels": {"airworthy.role": "sink", "airworthy.harness": "true"}},
    }
}
GOOD = {
    "status": "running",
    "exit_code": 0,
    "oom_killed": False,
    "restarts": 0,
    "health": "healthy",
    "health_log": [],
    "error": "",
}
EVERYWHERE = "0.0.0.0"  # noqa: S104 - what a kernel says, nothing is bound
CHECK = "suites/test_x.py::test_one"


def changed(service: str, **environment: str | None) -> Config:
    """The stack with other settings for one service; None takes one away."""
    services = {name: dict(row) for name, row in STACK["services"].items()}
    held = {**services[service].get("environment", {}), **environment}
    services[service]["environment"] = {name: value for name, value in held.items() if value is not None}
    return {"services": services}


def told(config: Config = STACK, needs: tuple[str, ...] = ("registry",)) -> Story:
    """A run in which the stack was started and one check is known."""
    story = Story()
    story.tell("compose", "rendered", config)
    story.tell(
        "inventory",
        "suites",
        {"checks": [{"nodeid": CHECK, "item": "uuid-lookup", "title": "Holds", "needs": list(needs)}]},
    )
    return story


def container(story: Story, service: str, *lines: str, **state: Any) -> Story:
    """Tell a container's last state, and its last lines."""
    story.tell("container", service, GOOD | state, {"moment": "end"})
    story.tell("log", service, {"lines": len(lines), "tail": list(lines)}, {"moment": "end"})
    return story


def crashed(service: str, *lines: str, config: Config = STACK, **state: Any) -> Story:
    """A service that ended with 1 after these last lines."""
    return container(told(config), service, *lines, **({"status": "exited", "exit_code": 1, "health": "none"} | state))


def rung(
    story: Story,
    name: str,
    position: str,
    code: str = "",
    config: Config = STACK,
    kind: Kind | None = None,
    **facts: Any,
) -> Story:
    """Tell one rung: broken with a code, or sound without."""
    by_name = {
        "database": Kind.DATABASE,
        "store": Kind.STORE,
        "queue": Kind.QUEUE,
        "tracking": Kind.TRACKING,
        "http": Kind.HTTP,
    }
    wanted = kind or by_name.get(name.split(".", maxsplit=1)[0])
    link = next((one for one in links_of(config) if one.caller == position and one.kind is wanted), None)
    error = {"type": "RungError", "message": str(facts.pop("message", code)), "code": code} if code else None
    asked = {"position": position, "about": link.about if link else position, "link": link.as_json() if link else None}
    story.tell("rung", name, {"ok": not code, "facts": facts, "error": error, "seconds": 0.01}, asked)
    return story


def failed(story: Story, message: str = "asked: a thing", **facts: Any) -> Story:
    """Tell that the check failed, and what it stated."""
    seen = {
        "outcome": "failed",
        "duration_s": 0.1,
        "message": message,
        "because": None,
        "evidence": [],
        "facts": facts or None,
    }
    story.tell("check", CHECK, seen)
    return story


def versions(server: str, client: str) -> Story:
    """A run of which 3.4.0 is wanted, in which the tracking server and its caller's client say what they are."""
    story = told()
    story.tell("checklist", "suites/checklist.toml", {"expected": {"mlflow": "3.4.0"}})
    return failed(rung(story, "tracking.read", "front", version=server, client=client))


def start(error: str) -> Story:
    """A start that the engine or Compose refused."""
    story = told()
    story.tell(
        "start",
        "run",
        {"ok": False, "seconds": 1.0, "failed": {}, "never_started": [], "waiting_for": {}, "compose_error": error},
    )
    return story


def listening(story: Story, service: str, *rows: tuple[str, int]) -> Story:
    """Tell what listens at a service."""
    return rung(
        story, "ports.listening", service, listening=[{"address": address, "port": port} for address, port in rows]
    )


def network(code: str, config: Config, position: str = "front", kind: Kind = Kind.DATABASE) -> Story:
    """A run in which a name or a port could not be had."""
    name = "name.resolve" if code == "host-unknown" else "port.open"
    return rung(told(config), name, position, code, config, kind)


def unresolved(*services: str, known: str = "") -> Story:
    """A caller in whose container none of these running services has a name; `known` has one."""
    kinds = {"pg": Kind.DATABASE, "store": Kind.STORE, "cache": Kind.QUEUE}
    story = told()
    for number, name in enumerate((*services, *filter(None, [known])), 2):
        container(story, name, addresses=[f"172.20.0.{number}"])
        rung(story, "name.resolve", "front", "" if name == known else "host-unknown", kind=kinds[name])
    return story


EDGE: Config = {
    "services": {
        **STACK["services"],
        "edge": {"labels": {"airworthy.role": "proxy"}},
        "front": {
            **STACK["services"]["front"],
            "environment": {
                **STACK["services"]["front"]["environment"],
                "MLFLOW_S3_ENDPOINT_URL": "http://edge:9100",
                "MLFLOW_TRACKING_URI": "http://edge:8080/mlflow",
            },
        },
    }
}


def refused_inside(message: str, config: Config = STACK) -> Story:
    """A call inside the registry's container that the system refused, and a check that failed by it."""
    story = told(config)
    answer = {"error": {"type": "OSError", "message": message, "chain": []}, "result": None, "seconds": 0.1}
    asked = {"place": "inside", "call": "register_baseline", "args": {}}
    call = story.tell("probe", "register_baseline", answer, asked)
    seen = {"outcome": "failed", "duration_s": 1.0, "message": "asked: a thing", "because": None, "facts": None}
    story.tell("check", CHECK, {**seen, "evidence": [call]})
    return story


def led(address: str, **row: Any) -> Story:
    """A caller whose database's name leads to this address, where nothing listens on the port."""
    services = {**STACK["services"], "front": {**STACK["services"]["front"], **row}}
    config = {"services": services}
    story = container(told(config), "pg", addresses=["10.0.0.3"])
    rung(story, "name.resolve", "front", config=config, kind=Kind.DATABASE, addresses=[address], host="pg")
    return listening(rung(story, "port.open", "front", "refused", config, Kind.DATABASE), "pg", (EVERYWHERE, 5432))


def on(**networks: str) -> Config:
    """The stack with each service on the networks of these letters; the cache on one of its own."""
    services = {
        name: {**row, "networks": dict.fromkeys(networks.get(name, "s"))} for name, row in STACK["services"].items()
    }
    return {"services": {**services, "cache": {**STACK["services"]["cache"], "networks": {"q": None}}}}


def serving(*words: str) -> Config:
    """The stack with another command line of the tracking server."""
    services = dict(STACK["services"])
    services["tracker"] = {**services["tracker"], "command": ["mlflow", "server", *words]}
    return {"services": services}


PROXIED = changed("front", HTTP_PROXY="http://127.0.0.1:3128", EXTERNAL_API_URL=None)
KEYLESS = changed("store", MINIO_BROWSER="off")
ARTIFACTS_ONLY = serving("--artifacts-only", "--artifacts-destination=s3://things/")
BOTH_ROOTS = serving(
    "--serve-artifacts", "--artifacts-destination=s3://things/", "--default-artifact-root=s3://things/"
)


def through(
    name: str, code: str, past: str = "", kind: Kind = Kind.STORE, behind: str = "store", **facts: Any
) -> Story:
    """A question that breaks through a service between; past it, it holds, or breaks with the code `past`."""
    story = rung(told(EDGE), name, "front", code, EDGE, kind, **facts)
    link = next(one for one in links_of(EDGE) if one.caller == "front" and one.kind is kind)
    asked = {"position": "front", "about": behind, "link": replace(link, target=behind, past="edge").as_json()}
    error = {"type": "RungError", "message": past, "code": past} if past else None
    story.tell("rung", name, {"ok": not past, "facts": {}, "error": error, "seconds": 0.01}, asked)
    return story


def no_way_past() -> Story:
    """A question that a service between does not answer, and past which no way leads: what lies behind has no name there."""
    story = rung(told(EDGE), "store.bucket", "front", "closed", EDGE)
    link = next(one for one in links_of(EDGE) if one.caller == "front" and one.kind is Kind.STORE)
    asked = {"position": "front", "about": "store", "link": replace(link, target="store", past="edge").as_json()}
    error = {"type": "RungError", "message": "no such name", "code": "host-unknown"}
    story.tell("rung", "name.resolve", {"ok": False, "facts": {}, "error": error, "seconds": 0.01}, asked)
    return story


def made(story: Story) -> Story:
    """Tell that the job that makes the bucket ended well."""
    return container(story, "bucket", "done", status="exited", exit_code=0, health="none")


def with_row(service: str, **row: Any) -> Config:
    """The stack with other parts of one service's definition."""
    return {"services": {**STACK["services"], service: {**STACK["services"][service], **row}}}


def beside(**row: Any) -> Config:
    """The stack with a stranger that has keys of the store."""
    keys = {name: STACK["services"]["bucket"]["environment"][name] for name in ("BUCKET", "S3_ENDPOINT_URL")}
    return {"services": {**STACK["services"], "packer": {"environment": keys, **row}}}


def made_elsewhere() -> Config:
    """The stack with a second store, in which the job makes the bucket."""
    job = STACK["services"]["bucket"]
    elsewhere = {**job, "environment": {**job["environment"], "S3_ENDPOINT_URL": "http://archive:9000"}}
    return {"services": {**STACK["services"], "archive": {"labels": {"airworthy.role": "other"}}, "bucket": elsewhere}}


def one_variable(sent: str) -> Story:
    """A caller whose password is refused, sent from this variable, where the database was given another's value."""
    story = told()
    own = {"environment": {"POSTGRES_PASSWORD": "${PG_PASSWORD}"}}
    theirs = {"environment": {"DATABASE_PASSWORD": sent}}
    story.tell("compose", "declared", {"services": {"pg": own, "front": theirs}})
    return rung(rung(story, "database.login", "tracker"), "database.login", "front", "28P01")


def one_secret(file: str) -> Story:
    """A caller whose password is refused, sent from a secret's file, where the queue was given the secret too."""
    services = dict(STACK["services"])
    services["cache"] = {**services["cache"], "secrets": [{"source": "queue_key", "target": "/run/secrets/key"}]}
    services["front"] = {**services["front"], "secrets": [{"source": "queue_key", "target": "/run/secrets/queue_key"}]}
    story = rung(told({"services": services}), "queue.login", "bucket", config={"services": services})
    return rung(story, "queue.login", "front", "WRONGPASS", {"services": services}, kept_as=file)


def half_made(error: str) -> Story:
    """A start that the engine refused when it came to the tracking server, which the registry waits for."""
    story = start(error)
    for name in STACK["services"]:
        container(story, name, status="absent" if name in {"tracker", "front"} else "created", health="none")
    return story


def late_check(**state: Any) -> Story:
    """A start that was given up within a service's start period, while its check failed and the service answered."""
    story = given_up(told(), "front", "is not healthy in time")
    looks = [{"exit": 1, "output": "HTTP/1.1 307 Temporary Redirect"}] * 3
    container(story, "front", health="starting", health_log=looks, **state)
    return rung(story, "service.answers", "front", answers=[{"path": "/ready", "status": 200}], listening=[8001])


BARE = changed("front", MLFLOW_S3_ENDPOINT_URL="store:9000")
PORTED = changed("front", DB_HOST="pg:5432")
OWN_BRIDGE = with_row("tracker", network_mode="bridge")
MOVED_PORT = changed("pg", PGPORT="5433")
OWN_ZONE: Config = {
    "services": {
        **changed("store", MINIO_DOMAIN="lan")["services"],
        "front": changed("front", MLFLOW_S3_ENDPOINT_URL="http://store.lan:9000")["services"]["front"],
    }
}
OWN_ZONE["services"]["store"]["networks"] = {"default": {"aliases": ["store.lan"]}}
WRAPPED = with_row(
    "tracker",
    entrypoint=["sh", "-c", 'export AWS_ACCESS_KEY_ID="$$(cat /run/secrets/key)"; exec "$$@"', "--"],
)

OTHER_HOST = changed("front", DB_HOST="pgx")
LOOPED = changed("front", DB_HOST="localhost")
FAR = changed("front", DB_HOST="db.example.org")
OTHER_PORT = changed("front", DB_PORT="5433")
NO_ENDPOINT = changed("front", MLFLOW_S3_ENDPOINT_URL=None)
WRONG_BUCKET = {
    "services": {
        **STACK["services"],
        "tracker": {
            **STACK["services"]["tracker"],
            "command": ["mlflow", "server", "--default-artifact-root=s3://thinks/", "--no-serve-artifacts"],
        },
    }
}
ALIASED: Config = {
    "services": {
        **changed("front", DB_HOST="pg.back")["services"],
        "pg": {**STACK["services"]["pg"], "networks": {"default": None, "back": {"aliases": ["pg.back"]}}},
    }
}
STANDBY: Config = {"services": {**STACK["services"], "spare": {"labels": {"airworthy.role": "queue"}}}}
APART = {"services": {**STACK["services"], "front": {**STACK["services"]["front"], "networks": {"outer": None}}}}
OLD_SCHEME = changed("tracker", MLFLOW_BACKEND_STORE_URI="postgres://ml:[redacted]@pg:5432/models")

IMPATIENT = {
    "services": {
        **STACK["services"],
        "tracker": {**STACK["services"]["tracker"], "command": ["mlflow", "server", "--gunicorn-opts=--timeout=1"]},
    }
}


def given_up(story: Story, service: str, reason: str = "is unhealthy") -> Story:
    """Tell that the start was given up because of a service."""
    failed_then = {service: {"state": "unhealthy", "exit_code": None, "reason": reason}}
    answer = {"ok": False, "seconds": 1.0, "failed": failed_then, "never_started": [], "waiting_for": {}}
    story.tell("start", "run", {**answer, "compose_error": None})
    return story


def hasty_check() -> Story:
    """A service whose check gave it up, and which was well a moment later."""
    story = told()
    story.tell("event", "tracker", {"action": "health_status: unhealthy"})
    story = given_up(story, "tracker")
    container(story, "tracker", health="unhealthy", check={"start_period": 0.0})
    story.tell("event", "tracker", {"action": "health_status: healthy"})
    return story


def hasty(service: str, line: str, target: str = "store") -> Story:
    """A service that ended before what it asks was well, for which its definition does not wait."""
    row = {**STACK["services"][service], "depends_on": {target: {"condition": "service_started"}}}
    config = {"services": {**STACK["services"], service: row}}
    story = told(config)
    story.tell("event", service, {"action": "die", "exit_code": 1})
    container(story, service, line, status="exited", exit_code=1, health="none")
    return container(given_up(story, service, "exited 1"), target, health="starting")


def outwaited(retries: str) -> Story:
    """A call that did not come back while a dependency was away, of a service that was told to try so often."""
    story = told(changed("front", MLFLOW_HTTP_REQUEST_MAX_RETRIES=retries, MLFLOW_HTTP_REQUEST_TIMEOUT="4"))
    shut = story.tell("http", "POST /_gate", {"status": 200, "seconds": 0.1}, {"role": "gate"})
    error = {"type": "ReadTimeout", "message": "Read timed out."}
    call = story.tell("http", "GET /models/1", {"error": error, "seconds": 30.1}, {"role": "registry"})
    seen = {"outcome": "failed", "duration_s": 31.0, "message": "asked: a thing", "because": None, "facts": None}
    story.tell("check", CHECK, {**seen, "evidence": [shut, call]})
    return story


def drained(command: str, service: str = "eater", **facts: Any) -> Story:
    """A run in which nothing was found on the queue, and a client of this address was taking elements off lists."""
    config = {"services": {**STACK["services"], "eater": {"labels": {"airworthy.role": "worker"}}}}
    story = container(told(config), service, addresses=["10.0.0.9"])
    client = {"address": "10.0.0.9", "command": command, "flags": "b", "name": ""}
    return failed(rung(story, "queue.write", "front", config=config, clients=[client], **facts), semantics="not-queued")


def relayed(code: str, stated: str, by: str = "relay", **facts: Any) -> Story:
    """A run in which an announcement of the harness's own came through another service in this way."""
    config = changed("front", EXTERNAL_API_URL=None, WEBHOOK_URL=f"http://{by}:80/")
    config["services"].setdefault(by, {})
    story = rung(told(config), "webhook.relay", "front", code, config, Kind.HTTP, **facts)
    return failed(story, semantics=stated)


def restarted() -> Story:
    """A run in which all came up, and the tracking server was started again and did not come back."""
    story = told(IMPATIENT, needs=())
    story.tell("start", "run", {"ok": True, "failed": {}})
    looks = [{"exit": 1, "output": "connection refused"}]
    return failed(container(story, "tracker", "[CRITICAL] WORKER TIMEOUT (pid:9)", health="starting", health_log=looks))


def distrusting(*callers: str) -> Story:
    """A run in which these callers of the store do not trust its certificate, and its other callers do."""
    story = told()
    for caller in ("bucket", "tracker", "front"):
        code = "tls" if caller in callers else ""
        rung(story, "store.bucket", caller, code, message="[SSL: CERTIFICATE_VERIFY_FAILED] self-signed certificate")
    return story


def limitless(line: str) -> Story:
    """A run in which calls were not limited, and what the registry had written before."""
    story = container(told(changed("front", RATE_LIMIT="9 requests a minute")), "front", line)
    return failed(story, semantics="limit-missing", route="/things")


def stopped_by(subject: str, message: str) -> Story:
    """A run that the machine stopped before the start."""
    story = told()
    story.tell("host.problem", subject, {"message": message})
    return story


TOLD: dict[str, tuple[Story, str, str]] = {
    "port before the start": (stopped_by("port", "port 15000 of this host, named for front, is taken"), "port-taken", HOST),
    # the machine
    "port": (start("Bind for 127.0.0.1:8001 failed: port is already allocated"), "port-taken", HOST),
    "port by the kernel": (start("listen tcp4 127.0.0.1:5001: bind: address already in use"), "port-taken", HOST),
    "disk": (start("write /var/lib/docker/x: no space left on device"), "disk-full", HOST),
    "image": (start("Error response from daemon: No such image: front:1"), "image-unavailable", "front"),
    "image of a service": (start("front Error manifest unknown"), "image-unavailable", "front"),
    "image of nobody": (start("pull access denied for thing, repository does not exist"), "image-unavailable", HOST),
    "definition": (start('service "front" depends on undefined service "x"'), "definition-invalid", "front"),
    "engine": (
        crashed("front", status="created", exit_code=128, error='error gathering device information while adding custom device "/dev/x": no such file or directory'),
        "engine-refuses",
        "front",
    ),
    "engine, of no service": (start("Error response from daemon: Pool overlaps with other one on this address space"), "engine-refuses", HOST),
    # processes
    "setting, in a line of JSON": (crashed("front", '{"level": "error", "message": "configuration error: DB_NAME: not a name"}'), "setting-invalid", "front"),
    "module, in a line of JSON": (
        crashed("front", '{"msg": "it failed", "exception": "Traceback:\\nModuleNotFoundError: No module named \'a\'"}'),
        "module-missing",
        "front",
    ),
    "package that a file hides": (
        rung(crashed("front", "AttributeError: module 'a' has no attribute 'b'"), "image.module", "front", "shadowed", path="/app/a.py"),
        "code-invalid",
        "front",
    ),
    "abbreviation of one setting": (
        crashed("store", "FATAL Failed to connect to KMS: illegal base64 data", config=changed("store", MINIO_KMS_SECRET_KEY="k:x")),
        "setting-invalid",
        "store",
    ),
    "abbreviation of two settings": (
        crashed("store", "FATAL Failed to connect to KMS: illegal base64 data", config=changed("store", A_KMS_X="k", A_KMS_Y="k")),
        "service-crashed",
        "store",
    ),
    "data folder that holds another's": (
        crashed("pg", 'initdb: error: directory "/var/lib/postgresql/data" exists but is not empty'),
        "data-damaged",
        "pg",
    ),
    "module": (crashed("front", "Traceback", "ModuleNotFoundError: No module named 'slowapi'"), "module-missing", "front"),
    "module, by MLflow's own words": (crashed("tracker", "ERROR mlflow.cli: No module named 'psycopg2'"), "module-missing", "tracker"),
    "module, seen in the image": (
        rung(crashed("front", "ModuleNotFoundError: No module named 'a.b'"), "image.module", "front", "module-missing"),
        "module-missing",
        "front",
    ),
    "package asked for": (crashed("tracker", "ImportError: The basic auth app requires the Flask-WTF package to work."), "module-missing", "tracker"),
    "file of its own": (
        rung(crashed("front", "ModuleNotFoundError: No module named 'src.a'"), "image.module", "front", "file-missing", path="/app/src/a.py"),
        "file-missing",
        "front",
    ),
    "module missed at work": (
        rung(container(told(), "tracker", "ModuleNotFoundError: No module named 'boto3'"), "image.module", "tracker", "module-missing", module="boto3"),
        "module-missing",
        "tracker",
    ),
    "part of a package that was taken out": (
        rung(crashed("front", "ModuleNotFoundError: No module named 'numpy.testing'"), "image.module", "front", "module-missing", module="numpy.testing", found=True),
        "module-missing",
        "front",
    ),
    "part that a package never had": (
        rung(crashed("front", "ModuleNotFoundError: No module named 'numpy.rec'"), "image.module", "front", "not-in-package", module="numpy.rec", found=True),
        "modules-incompatible",
        "front",
    ),
    "module that is there": (rung(crashed("front", "ModuleNotFoundError: No module named 'a'"), "image.module", "front"), "service-crashed", "front"),
    "name of its own code": (
        crashed("front", "ImportError: cannot import name 'A' from partially initialized module 'src.a' (most likely due to a circular import) (/app/src/a.py)"),
        "code-invalid",
        "front",
    ),
    "name of a package's file": (
        crashed("tracker", "ImportError: cannot import name 'Queue' from 'sqlalchemy.pool' (/opt/venv/lib/python3.11/site-packages/sqlalchemy/pool.py)"),
        "modules-incompatible",
        "tracker",
    ),
    "name": (crashed("tracker", "ImportError: cannot import name 'Queue' from 'sqlalchemy.pool' (x.py)"), "modules-incompatible", "tracker"),
    "code": (crashed("front", 'File "/app/a.py", line 3', "SyntaxError: invalid syntax"), "code-invalid", "front"),
    "setting": (crashed("front", "configuration error: DATABASE_PASSWORD is not set", config=changed("front", DATABASE_PASSWORD="")), "setting-missing", "front"),
    "setting, by a validator": (
        crashed("front", "1 validation error", "database_password", "  Field required", config=changed("front", DATABASE_PASSWORD="")),
        "setting-missing",
        "front",
    ),
    "setting that is absent": (crashed("pg", "Error: You must specify POSTGRES_PASSWORD to a value"), "setting-missing", "pg"),
    "setting that is there": (crashed("front", "KeyError: 'DB_NAME' not found"), "service-crashed", "front"),
    "scheme": (crashed("tracker", "boom", config=OLD_SCHEME), "uri-scheme-unsupported", "tracker"),
    "data": (crashed("pg", "FATAL:  database files are incompatible with server"), "database-files-incompatible", "pg"),
    "file": (crashed("front", "FileNotFoundError: [Errno 2] No such file or directory: '/app/x.json'"), "file-missing", "front"),
    "folder": (crashed("store", "PermissionError: [Errno 13] Permission denied: '/data/x'"), "volume-unwritable", "store"),
    "folder, told before": (crashed("store", "cannot write: Permission denied: /data", "FATAL: Permission denied: no"), "volume-unwritable", "store"),
    "memory": (crashed("cache", exit_code=137, oom_killed=True), "out-of-memory", "cache"),
    "kill": (crashed("cache", exit_code=137), "service-killed", "cache"),
    "stop": (crashed("cache", exit_code=143), "service-stopped", "cache"),
    "pause": (container(told(), "pg", status="paused"), "service-paused", "pg"),
    "end": (crashed("front", "bye", exit_code=0), "service-ended", "front"),
    "command": (crashed("front", status="created", exit_code=127, error='exec: "nope": executable file not found in $PATH'), "command-not-runnable", "front"),
    "another processor": (crashed("store", "exec /usr/bin/minio: exec format error"), "command-not-runnable", "store"),
    "command in a shell": (crashed("front", "sh: 1: nope: not found", exit_code=127), "command-not-runnable", "front"),
    "job": (crashed("bucket", "bucket cannot be made: no"), "job-failed", "bucket"),
    "crash": (crashed("front", "Traceback", "RuntimeError: the moon is wrong"), "service-crashed", "front"),
    "restarts": (crashed("front", "RuntimeError: no", status="restarting", restarts=4), "service-restarting", "front"),
    "unhealthy": (container(told(), "front", health="unhealthy", health_log=[{"exit": 1, "output": "no\n"}]), "service-unhealthy", "front"),
    # what a service lives on
    "control file": (crashed("pg", '[6] PANIC:  could not read file "global/pg_control": read 0 of 296', exit_code=134), "data-damaged", "pg"),
    "own file gone": (crashed("pg", 'FATAL:  could not open file "global/pg_filenode.map": No such file or directory'), "data-damaged", "pg"),
    "damaged drive": (container(told(), "store", "ERROR: backend is corrupted: format.json is unreadable", health="unhealthy"), "data-damaged", "store"),
    "dump of another version": (crashed("cache", "# Can't handle RDB format version 12"), "database-files-incompatible", "cache"),
    "read-only volume": (container(told(), "store", "ERROR Unable to initialize backend: /data/.minio.sys: Read-only file system", health="unhealthy"), "volume-unwritable", "store"),
    "folder of another": (crashed("cache", "# Can't open or create append-only dir appendonlydir: Permission denied"), "volume-unwritable", "cache"),
    "no room left": (crashed("pg", "FATAL:  could not write lock file: No space left on device"), "database-disk-full", "pg"),
    "no room in a store": (container(told(), "store", "write /data/x: no space left on device", health="unhealthy"), "store-full", "store"),
    "no temporary folder": (crashed("front", "FileNotFoundError: [Errno 2] No usable temporary directory found in ['/tmp']"), "volume-unwritable", "front"),
    "worker of a living service killed": (failed(container(told(), "front", counted={"oom_kills": 3}), needs=()), "out-of-memory", "front"),
    "processor": (container(told(), "tracker", health="unhealthy", limits={"cpus": 0.05}, counted={"cpu_periods": 200, "cpu_throttled": 190}), "cpu-limit-tight", "tracker"),
    "processes": (container(told(), "tracker", health="unhealthy", limits={"pids": 4}, counted={"pids_refused": 2}), "processes-limited", "tracker"),
    "threads": (crashed("tracker", "RuntimeError: can't start new thread", limits={"pids": 8}), "processes-limited", "tracker"),
    "open files": (crashed("pg", "FATAL:  insufficient file descriptors available to start server process", limits={"nofile": 40}), "too-many-open-files", "pg"),
    "worker timeout": (container(told(IMPATIENT), "tracker", "[CRITICAL] WORKER TIMEOUT (pid:9)", health="unhealthy"), "worker-timeout", "tracker"),
    "worker timeout after a restart": (restarted(), "worker-timeout", "tracker"),
    "limit that the kernel refuses": (
        container(told(), "cache", status="created", exit_code=128, error="runc create failed: unable to start container process: error during container init: error setting rlimits: operation not permitted"),
        "engine-refuses",
        "cache",
    ),
    "check that asks another port": (
        rung(rung(container(told(), "pg", health="unhealthy", health_log=[{"exit": 2, "output": "127.0.0.1:5432 - no response"}]), "database.login", "tracker"), "service.answers", "pg", listening=[35432], answers=[]),
        "health-check-unmeetable",
        "pg",
    ),
    "check that asks the right port": (
        rung(rung(container(told(), "pg", health="unhealthy", health_log=[{"exit": 2, "output": "127.0.0.1:5432 - no response"}]), "database.login", "tracker"), "service.answers", "pg", listening=[5432], answers=[]),
        "service-unhealthy",
        "pg",
    ),
    "option that the environment gives": (
        crashed("tracker", "Error: Invalid value for '--port' / '-p': 'tcp://10.0.0.7:5000' is not a valid integer.", config=changed("tracker", MLFLOW_PORT="tcp://10.0.0.7:5000", MLFLOW_PORT_5000_TCP="tcp://10.0.0.7:5000"), exit_code=2),
        "setting-invalid",
        "tracker",
    ),
    "package built for another": (
        crashed("front", '  File "pandas/_libs/interval.pyx", line 1, in init pandas._libs.interval', "ValueError: numpy.dtype size changed, may indicate binary incompatibility. Expected 96 from C header, got 88 from PyObject"),
        "modules-incompatible",
        "front",
    ),
    "package that asks too much of another": (
        crashed("front", '  File "/opt/venv/lib/python3.11/site-packages/dask/array.py", line 9, in <module>', "AttributeError: module 'numpy' has no attribute 'round_'"),
        "modules-incompatible",
        "front",
    ),
    "hint that names the setting": (
        crashed("store", "FATAL Unable to validate credentials inherited from the shell environment: Invalid credentials", "      HINT:", "        MINIO_ROOT_USER length should be at least 3, and MINIO_ROOT_PASSWORD length at least 8 characters", config=changed("store", MINIO_ROOT_USER="root", MINIO_ROOT_PASSWORD="[redacted]")),
        "setting-invalid",
        "store",
    ),
    "artifacts at a strange scheme": (
        rung(told(), "tracking.read", "front", artifact_roots=["s3a://things/0"]),
        "uri-scheme-unsupported",
        "tracker",
    ),
    "external login": (failed(rung(told(), "http.get", "front", kind=Kind.HTTP, status=401), unwell=["external_api"]), "http-unauthorised", "front"),
    "external path": (failed(rung(told(), "http.get", "front", kind=Kind.HTTP, status=404), unwell=["external_api"]), "dependency-failing", "front"),
    "role without login": (rung(told(), "database.login", "front", "28000", message='role "ml" is not permitted to log in'), "database-user-unknown", "pg"),
    "configuration not there": (
        crashed("cache", "6:C 27 Nov 2026 21:27:56.173 # Fatal error, can't open config file '/etc/redis/redis.conf': No such file or directory", "6:C 27 Nov 2026 21:27:56.173 # bye"),
        "file-missing",
        "cache",
    ),
    "certificate not there": (
        crashed("pg", '2026-11-27 20:30:27.205 UTC [1] FATAL:  could not load server certificate file "/etc/ssl/tls.crt": No such file or directory', "2026-11-27 20:30:27.205 UTC [1] LOG:  database system is shut down"),
        "file-missing",
        "pg",
    ),
    "lock that cannot be written": (
        crashed("pg", 'FATAL:  could not create lock file "/var/run/postgresql/.s.PGSQL.5432.lock": Read-only file system', "LOG:  database system is shut down"),
        "volume-unwritable",
        "pg",
    ),
    "check without its program": (container(told(), "store", health="unhealthy", health_log=[{"exit": -1, "output": 'exec: "curl": executable file not found in $PATH'}]), "health-check-unmeetable", "store"),
    "check of another port": (
        rung(container(told(), "front", health="unhealthy", health_log=[{"exit": 1, "output": "connection refused"}]), "service.answers", "front", answers=[{"port": 8001, "path": "/ready", "status": 200}]),
        "health-check-unmeetable",
        "front",
    ),
    "check of a service that speaks": (
        rung(container(told(), "pg", health="unhealthy", health_log=[{"exit": 2, "output": "no"}]), "database.login", "tracker"),
        "health-check-unmeetable",
        "pg",
    ),
    "check that is hasty": (hasty_check(), "health-check-unmeetable", "tracker"),
    "patience": (outwaited("7"), "setting-invalid", "front"),
    "patience that is not the reason": (outwaited("1"), "unknown", "front"),
    "job that does not wait": (hasty("bucket", "bucket cannot be made: connection refused"), "job-failed", "bucket"),
    "service that does not wait": (hasty("tracker", "could not connect: Connection refused", "store"), "dependency-not-awaited", "tracker"),
    "given up while it runs": (limitless("couldn't parse rate limit string '9 requests a minute'"), "setting-invalid", "front"),
    "given up, as a line of JSON": (limitless('{"level": "error", "message": "invalid limit \\"9 requests a minute\\""}'), "setting-invalid", "front"),
    "not given up": (limitless("the limit is '9 requests a minute'"), "limit-missing", "front"),
    "a secret that is quoted": (limitless("invalid key '[redacted]'"), "limit-missing", "front"),
    "said of something else": (limitless("unable to parse the request that came 9 requests a minute later"), "limit-missing", "front"),
    # the way there
    "resolver": (unresolved("pg", "store"), "host-unknown", "front"),
    "host": (network("host-unknown", OTHER_HOST), "host-unknown", "front"),
    "networks": (network("host-unknown", APART), "networks-disjoint", "front"),
    "name of its own": (network("refused", {"services": {**STACK["services"], "front": {**STACK["services"]["front"], "hostname": "pg"}}}), "points-at-itself", "front"),
    "name of another network": (container(network("host-unknown", ALIASED), "pg", addresses=["172.20.0.2"]), "host-unknown", "front"),
    "loopback": (network("refused", LOOPED), "points-at-itself", "front"),
    "far": (network("refused", FAR), "port-wrong", "front"),
    "port of the caller": (listening(network("refused", OTHER_PORT), "pg", (EVERYWHERE, 5432)), "port-wrong", "front"),
    "only inside": (listening(network("refused", STACK, kind=Kind.TRACKING), "tracker", ("127.0.0.1", 5000)), "listens-on-loopback", "tracker"),
    "up, and nothing listens": (container(network("refused", STACK), "pg", "1:M # The server is now ready to accept connections at /run/pg.sock"), "not-listening", "pg"),
    "shared memory": (crashed("pg", 'FATAL:  could not resize shared memory segment "/PostgreSQL.1236376040" to 10976 bytes: No space left on device'), "scratch-full", "pg"),
    "nginx' configuration not there": (crashed("front", '2026/11/27 20:30:27 [emerg] 1#1: open() "/etc/nginx/conf.d/up.conf" failed (2: No such file or directory) in /etc/nginx/nginx.conf:9'), "file-missing", "front"),
    "nginx' folder closed": (crashed("front", 'nginx: [emerg] mkdir() "/var/cache/nginx/client_temp" failed (30: Read-only file system)'), "volume-unwritable", "front"),
    "nothing listens": (listening(network("refused", STACK, kind=Kind.TRACKING), "tracker"), "not-listening", "tracker"),
    "silence": (network("silent", STACK), "port-silent", "front"),
    "endpoint": (network("host-unknown", NO_ENDPOINT, kind=Kind.STORE), "endpoint-missing", "front"),
    "another answers": (rung(told(), "queue.login", "front", "not-the-service"), "not-the-service", "front"),
    "certificate that one does not trust": (distrusting("front"), "certificate-untrusted", "front"),
    "certificate that nobody trusts": (distrusting("bucket", "tracker", "front"), "certificate-untrusted", "store"),
    "no TLS there": (rung(told(), "queue.login", "front", "tls"), "tls-not-spoken", "front"),
    "proxy for the way out": (rung(told(PROXIED), "port.open", "front", "refused", PROXIED, Kind.HTTP), "outbound-proxy-wrong", "front"),
    "off its network": (
        rung(container(told(), "store", addresses=[]), "name.resolve", "front", "host-unknown", kind=Kind.STORE),
        "networks-disjoint",
        "store",
    ),
    # folders
    "no room for files": (
        rung(told(), "place.write", "front", "no-room", path="/tmp", temporary="/tmp", room=10),  # noqa: S108  as told
        "scratch-full",
        "front",
    ),
    "no right to the folder": (
        rung(told(), "place.write", "tracker", "unwritable", path="/", folder="/", temporary="/tmp"),  # noqa: S108  as told
        "volume-unwritable",
        "tracker",
    ),
    "interpreter's home": (
        crashed("front", "  PYTHONHOME = '/opt/venv'", "ModuleNotFoundError: No module named 'encodings'", config=changed("front", PYTHONHOME="/opt/venv")),
        "setting-invalid",
        "front",
    ),
    "interpreter without a library": (crashed("front", "ModuleNotFoundError: No module named 'encodings'"), "module-missing", "front"),
    "library that is preloaded": (
        crashed("pg", '2026-11-28 09:08:25.440 UTC [7] FATAL:  could not access file "pg_cron": No such file or directory', "2026-11-28 09:08:25.445 UTC [7] LOG:  database system is shut down"),
        "file-missing",
        "pg",
    ),
    "search path to nowhere": (
        rung(told(), "database.rights", "tracker", "3F000", message="search_path of ml is lab, and no schema of that name is there"),
        "database-failing",
        "pg",
    ),
    "too often for a proxy": (
        container(through("tracking.routes", "status-503", status=503, kind=Kind.TRACKING, behind="tracker"), "edge", '2026/11/28 09:22:02 [error] 9#9: *63 limiting requests, excess: 5.469 by zone "clients", client: 192.168.192.10'),
        "request-refused",
        "edge",
    ),
    "refused by a page in a call": (
        refused_inside("API request to endpoint /api/2.0/mlflow/logged-models/m-1 failed with error code 403 != 200. Response body: '<html>\n<head>'", EDGE),
        "request-refused",
        "edge",
    ),
    "too large in a call": (
        refused_inside("API request to /api/2.0/mlflow/runs/log-batch failed with error code 413 != 200. Response body: '\n<html>'", EDGE),
        "body-too-large",
        "edge",
    ),
    "no room in a call": (refused_inside("[Errno 28] No space left on device"), "scratch-full", "front"),
    "no right in a call": (refused_inside("[Errno 30] Read-only file system: '/x/y'"), "volume-unwritable", "front"),
    # settings
    "option": (crashed("tracker", "Usage: mlflow", "Error: No such option '--default-artefact-root'."), "command-invalid", "tracker"),
    "directive": (crashed("cache", ">>> 'apendonly \"yes\"'", "Bad directive or wrong number of arguments"), "command-invalid", "cache"),
    "setting by its name": (crashed("front", "configuration error: DB_NAME: not a name"), "setting-invalid", "front"),
    "setting by its value": (
        crashed("bucket", "InvalidRegionError: 'eu-nowhere' doesn't match a supported format.", config=changed("bucket", AWS_REGION="eu-nowhere")),
        "setting-invalid",
        "bucket",
    ),
    "setting by its value, in a call": (
        refused_inside('Invalid value provided to "mode": "exponential" must be one of', changed("front", AWS_RETRY_MODE="exponential")),
        "setting-invalid",
        "front",
    ),
    "address": (rung(told(), "name.resolve", "front", "setting-invalid", kind=Kind.QUEUE, message="quotes stand around it"), "setting-invalid", "front"),
    "no way to the server": (failed(told(changed("front", MLFLOW_TRACKING_URI=None))), "setting-missing", "front"),
    "artifacts only, refused": (crashed("tracker", "Error: no", config=ARTIFACTS_ONLY), "artifacts-only", "tracker"),
    "artifacts in a folder": (
        rung(told(serving("--no-serve-artifacts")), "tracking.read", "front", artifact_roots=["/mlruns/0"], status=200),
        "artifact-root-local",
        "tracker",
    ),
    "artifacts in a folder, by an old row": (
        rung(told(), "tracking.read", "front", artifact_roots=["/mlruns/0"], status=200),
        "artifact-root-local",
        "pg",
    ),
    "past the server": (rung(told(BOTH_ROOTS), "store.bucket", "front", "credentials-missing", BOTH_ROOTS), "artifacts-not-proxied", "tracker"),
    "key of none": (
        rung(
            rung(told(KEYLESS), "store.bucket", "front", "InvalidAccessKeyId", KEYLESS),
            "store.bucket",
            "tracker",
            "InvalidAccessKeyId",
            KEYLESS,
        ),
        "setting-missing",
        "store",
    ),
    "name led back": (led("127.0.0.1"), "points-at-itself", "front"),
    "name led elsewhere": (led("10.0.0.9", extra_hosts=["pg:10.0.0.9"]), "not-the-service", "front"),
    # what stands between
    "signature through a proxy": (through("store.bucket", "SignatureDoesNotMatch"), "signature-broken", "edge"),
    "login through a proxy": (through("store.bucket", "AccessDenied"), "header-stripped", "edge"),
    "size through a proxy": (through("store.objects", "status-413", status=413), "body-too-large", "edge"),
    "method through a proxy": (through("store.objects", "status-405", status=405), "request-refused", "edge"),
    "part through a proxy": (through("store.objects", "content-differs"), "response-cut", "edge"),
    "kept by a proxy": (through("tracking.write", "answer-differs", kind=Kind.TRACKING, behind="tracker"), "response-cached", "edge"),
    "page of a proxy": (through("tracking.read", "status-302", kind=Kind.TRACKING, behind="tracker", status=302), "response-not-json", "edge"),
    "proxy without upstream": (through("tracking.read", "status-502", kind=Kind.TRACKING, behind="tracker", status=502), "gateway-failing", "edge"),
    "secret, through and past a proxy": (through("store.bucket", "SignatureDoesNotMatch", "SignatureDoesNotMatch"), "store-secret-wrong", "front"),
    "proxy that none goes past": (rung(told(EDGE), "store.objects", "front", "status-405", EDGE, status=405), "request-refused", "edge"),
    "proxy without room": (
        container(through("store.objects", "not-the-service", status=500), "edge", 'pwrite() "/spool/b/2" failed (28: No space left on device)'),
        "scratch-full",
        "edge",
    ),
    "proxy that none can go past": (no_way_past(), "gateway-failing", "edge"),
    "proxy that closes": (rung(told(EDGE), "store.bucket", "front", "closed", EDGE), "gateway-failing", "edge"),
    "path": (rung(told(EDGE), "tracking.read", "front", "path-prefix", EDGE, prefix="/mlflow", status=404), "path-prefix-wrong", "front"),
    # the database
    "password": (rung(rung(told(), "database.login", "tracker"), "database.login", "front", "28P01", user="ml"), "database-password-wrong", "front"),
    "password of all": (rung(rung(told(), "database.login", "tracker", "28P01", user="ml"), "database.login", "front", "28P01", user="ml"), "database-password-wrong", "pg"),
    "password not set": (rung(told(changed("front", DATABASE_PASSWORD="")), "database.login", "front", "password-missing"), "setting-missing", "front"),
    "password not there": (rung(told(changed("front", DATABASE_PASSWORD=None)), "database.login", "front", "password-missing", changed("front", DATABASE_PASSWORD=None)), "setting-missing", "front"),
    "user not set": (rung(told(), "database.login", "front", "setting-missing", setting="DB_USER"), "setting-missing", "front"),
    "user": (rung(told(), "database.login", "front", "28P01", user="nobody"), "database-user-unknown", "front"),
    "password of a user that is there": (
        rung(container(told(), "pg", 'FATAL:  password authentication failed for user "guest"'), "database.login", "front", "28P01", user="guest"),
        "database-password-wrong",
        "front",
    ),
    "user, by the database's word": (
        rung(container(told(), "pg", 'FATAL:  password authentication failed for user "ml"', 'DETAIL:  Role "ml" does not exist.'), "database.login", "front", "28P01", user="ml"),
        "database-user-unknown",
        "front",
    ),
    "numbers at their end": (failed(told(), "came back: (psycopg2.errors.SequenceGeneratorLimitExceeded) nextval: reached maximum value of sequence"), "database-failing", "pg"),
    "database": (rung(told(changed("front", DB_NAME="nope")), "database.login", "front", "3D000", database="nope"), "database-missing", "front"),
    "connections": (rung(told(), "database.login", "front", "53300"), "database-full", "pg"),
    "read-only": (rung(told(), "database.rights", "tracker", "read-only"), "database-read-only", "pg"),
    "grants": (rung(told(), "database.rights", "tracker", "grants-missing", lacking=["runs: INSERT"]), "database-grants-missing", "pg"),
    "starting": (rung(told(), "database.login", "tracker", "57P03"), "database-starting", "pg"),
    "corrupt": (rung(told(), "database.rights", "tracker", "XX001"), "database-failing", "pg"),
    "older": (rung(told(), "database.schema", "tracker", "older", found=["a"], heads=["b"]), "schema-older", "pg"),
    "newer": (rung(told(), "database.schema", "tracker", "newer", found=["c"], heads=["b"]), "schema-newer", "tracker"),
    "connections, seen from within": (rung(told(), "database.rights", "tracker", "full", used=97, limit=100), "database-full", "pg"),
    "connections, at the end of a process": (crashed("tracker", "OperationalError: (psycopg2.OperationalError) connection failed: FATAL:  sorry, too many clients already"), "database-full", "pg"),
    "nobody let in": (rung(told(), "database.login", "tracker", "28000", routine="ClientAuthentication"), "database-hba-refuses", "pg"),
    "role not there": (rung(told(), "database.login", "front", "28000", routine="InitializeSessionUserId", user="nobody"), "database-user-unknown", "front"),
    "closed to all": (rung(told(), "database.login", "tracker", "55000"), "database-failing", "pg"),
    "hurry": (rung(told(), "database.rights", "tracker", "timeout", timeouts=["statement_timeout: 1 ms"]), "database-timeout", "pg"),
    "cancelled": (rung(told(), "database.rights", "tracker", "57014"), "database-timeout", "pg"),
    "no room": (rung(told(), "database.rights", "tracker", "53100"), "database-disk-full", "pg"),
    "no room, by its words": (rung(told(), "database.login", "tracker", "XX000", message="could not write init file"), "database-disk-full", "pg"),
    "two stamps": (rung(told(), "database.schema", "tracker", "stamps", found=["a", "z"], heads=["a"]), "schema-inconsistent", "pg"),
    "half done": (rung(told(), "database.schema", "tracker", "half-done", found=["a"], heads=["b"]), "schema-inconsistent", "pg"),
    "narrow": (rung(told(), "database.schema", "tracker", "narrow", found=["b"], heads=["b"]), "schema-inconsistent", "pg"),
    "numbers taken": (rung(told(), "database.rows", "tracker", "sequence-behind", behind=[{"table": "things", "next": 1, "taken": 60}]), "database-sequence-behind", "pg"),
    "trigger": (rung(told(), "database.rows", "tracker", "trigger", triggers=[{"table": "tags", "trigger": "t", "does": "drops"}]), "database-trigger", "pg"),
    "MLflow passes a refusal on": (failed(told(), "came back: RestException: BAD_REQUEST: (psycopg2.errors.StringDataRightTruncation) value too long"), "schema-inconsistent", "pg"),
    "endpoint that is not known": (failed(told(), "API request to endpoint /api/2.0/mlflow/logged-models failed with error code 404 != 200. Response body: ''"), "endpoint-not-known", "tracker"),
    "search": (failed(rung(told(), "tracking.write", "front", "search-differs")), "unknown", "tracker"),
    "experiment": (rung(told(), "tracking.experiment", "front", "experiment-deleted", experiment="0"), "experiment-deleted", "pg"),
    "experiment elsewhere": (failed(rung(told(), "tracking.experiment", "front", artifact_location="s3://before/0", experiment="0")), "bucket-wrong", "pg"),
    "client of another version": (versions("3.4.0", "3.0.1"), "version-wrong", "front"),
    "server of another version": (versions("2.9.1", "3.4.0"), "version-wrong", "tracker"),
    "one call unanswered": (failed(told(), "API request to http://tracker:5000/api/x failed with exception: Read timed out."), "unknown", "tracker"),
    # the object store
    "keys": (rung(told(), "store.bucket", "front", "credentials-missing", missing=["AWS_ACCESS_KEY_ID"]), "setting-missing", "front"),
    "key": (rung(rung(told(), "store.bucket", "tracker"), "store.bucket", "front", "InvalidAccessKeyId"), "store-key-unknown", "front"),
    "secret": (rung(told(), "store.bucket", "front", "SignatureDoesNotMatch"), "store-secret-wrong", "front"),
    "denied": (
        rung(rung(told(), "store.objects", "front", "AccessDenied", operation="put", bucket="things"), "data.write", "store"),
        "store-access-denied",
        "front",
    ),
    "region": (rung(told(), "store.bucket", "front", "AuthorizationHeaderMalformed"), "store-region-wrong", "front"),
    "clock": (rung(told(), "store.bucket", "front", "RequestTimeTooSkewed"), "clock-skewed", "front"),
    "full": (rung(told(), "store.objects", "front", "XMinioStorageFull"), "store-full", "store"),
    "data that may not be written": (
        rung(rung(told(), "store.objects", "front", "AccessDenied", operation="put"), "data.write", "store", "unwritable", path="/data"),
        "volume-unwritable",
        "store",
    ),
    "data without room": (rung(rung(told(), "store.objects", "front", "InternalError"), "data.write", "store", "no-room", path="/data"), "store-full", "store"),
    "tables without room": (rung(rung(told(), "database.rights", "front", "58030"), "data.write", "pg", "no-room", path="/data"), "database-disk-full", "pg"),
    "another S3 error": (rung(told(), "store.objects", "front", "SlowDown"), "store-failing", "store"),
    "bucket gone": (rung(made(told()), "store.bucket", "front", "NoSuchBucket", bucket="things", buckets=[]), "bucket-missing", "store"),
    "bucket wrong": (rung(told(WRONG_BUCKET), "store.bucket", "tracker", "NoSuchBucket", WRONG_BUCKET, bucket="thinks", buckets=["things"]), "bucket-wrong", "tracker"),
    "bucket wrong, seen by a client": (rung(told(WRONG_BUCKET), "store.bucket", "front", "NoSuchBucket", WRONG_BUCKET, bucket="thinks", buckets=["things"]), "bucket-wrong", "tracker"),
    # the queue
    "queue password": (rung(told(), "queue.login", "front", "WRONGPASS"), "queue-password-wrong", "front"),
    "queue password, none there": (rung(told(), "queue.login", "front", "ERR", message="ERR AUTH <password> called without any password configured"), "queue-password-wrong", "front"),
    "queue password, none sent": (rung(told(), "queue.login", "front", "NOAUTH"), "queue-password-missing", "front"),
    "queue rights": (rung(told(), "queue.write", "front", "NOPERM"), "queue-access-denied", "cache"),
    "queue memory": (rung(told(), "queue.write", "front", "OOM", maxmemory=1), "queue-memory-full", "cache"),
    "queue disk": (rung(told(), "queue.write", "front", "MISCONF"), "queue-cannot-persist", "cache"),
    "queue that is another's replica": (rung(told(STANDBY), "queue.write", "front", "READONLY", STANDBY), "queue-read-only", "front"),
    "queue replica": (rung(told(), "queue.write", "front", "READONLY"), "queue-read-only", "cache"),
    "queue command": (rung(told(), "queue.write", "front", "unknown-command", command="LPUSH"), "queue-command-missing", "cache"),
    "queue clients": (rung(told(), "queue.login", "front", "ERR", message="ERR max number of clients reached"), "queue-clients-full", "cache"),
    "queue clients, as its check was told": (container(told(), "cache", health="unhealthy", health_log=[{"exit": 1, "output": "ERR max number of clients reached"}]), "queue-clients-full", "cache"),
    "queue clients, as a caller was told": (failed(container(told(), "front", "ConnectionError: max number of clients reached")), "queue-clients-full", "cache"),
    "queue name": (rung(told(), "queue.keys", "front", "key-wrong-type", key="q", holds="string"), "queue-key-wrong-type", "cache"),
    "queue scripts": (failed(rung(told(), "queue.write", "front", refused={"EVAL": "NOPERM no permissions to run 'eval'"}), semantics="not-queued"), "queue-access-denied", "cache"),
    "queue transactions": (failed(rung(told(), "queue.write", "front", refused={"MULTI": "NOPERM no permissions to run 'multi'"}), unwell=["message_queue"]), "queue-access-denied", "cache"),
    "queue scripts gone": (failed(rung(told(), "queue.write", "front", refused={"EVAL": "ERR unknown command 'EVAL'"}), semantics="not-queued"), "queue-command-missing", "cache"),
    "queue emptied": (drained("BRPOP"), "queue-drained", "eater"),
    "queue cut": (drained("LTRIM"), "queue-drained", "eater"),
    "queue ending by a clock": (drained("EVAL", lifetime=12), "queue-drained", "eater"),
    "queue ended by a clock": (drained("EVAL", lifetime=-2), "queue-drained", "eater"),
    "queue asked by a script": (drained("EVAL", lifetime=-1), "not-queued", "front"),
    "queue looked at as it ends": (drained("LLEN", lifetime=12), "not-queued", "front"),
    "webhook's header": (relayed("headers-differ", "hmac-wrong", lacking=["X-Signature"]), "header-stripped", "relay"),
    "webhook twice": (relayed("delivered-twice", "delivered-twice", arrived=2), "delivered-twice", "relay"),
    "webhook lost": (relayed("not-arrived", "not-delivered"), "request-refused", "relay"),
    "webhook elsewhere": (relayed("status-404", "not-delivered", "store", status=404), "not-the-service", "front"),
    "webhook without upstream": (relayed("status-502", "not-delivered", status=502), "gateway-failing", "relay"),
    "queue index": (rung(told(), "queue.login", "front", "ERR", message="ERR DB index is out of range"), "queue-database-wrong", "front"),
    "queue, else": (rung(told(), "queue.write", "front", "ERR", message="ERR odd"), "queue-failing", "cache"),
    "queue loads": (rung(told(), "queue.login", "front", "LOADING"), "queue-failing", "cache"),
    "queue closes": (rung(told(), "queue.login", "front", "closed"), "port-silent", "cache"),
    # MLflow and others
    "login": (rung(told(), "tracking.read", "front", "status-401", status=401), "tracking-unauthorised", "front"),
    "page": (rung(told(), "tracking.read", "front", "not-json", status=200, media="text/html"), "response-not-json", "front"),
    "artifacts only": (rung(told(), "tracking.read", "front", "status-503", status=503, message="runs in `--artifacts-only` mode"), "artifacts-only", "tracker"),
    "gateway": (rung(told(), "tracking.read", "front", "status-502", status=502), "gateway-failing", "tracker"),
    "MLflow fails": (rung(told(), "tracking.write", "front", "status-500", status=500), "tracking-failing", "tracker"),
    "elsewhere fails": (rung(told(), "http.get", "front", "status-503", status=503), "dependency-failing", "front"),
    "MLflow's database, in words that are new": (failed(rung(told(), "tracking.write", "front", "status-503", status=503, error_code="TEMPORARILY_UNAVAILABLE", message='(psycopg2.errors.ObjectNotInPrerequisiteState) cannot update table "runs"')), "database-failing", "pg"),
    # what only one side's definition tells
    "engine's own network": (network("host-unknown", OWN_BRIDGE, "tracker"), "networks-disjoint", "tracker"),
    "port that a server was told": (listening(network("refused", MOVED_PORT, "tracker"), "pg", (EVERYWHERE, 5433)), "port-wrong", "pg"),
    "endpoint without a scheme": (rung(told(BARE), "name.resolve", "front", "host-unknown", BARE, Kind.STORE), "setting-invalid", "front"),
    "limit that the engine does not take": (half_made("Error response from daemon: Minimum memory limit allowed is 6MB"), "engine-refuses", "tracker"),
    "scheme that nobody speaks": (failed(told(changed("front", REDIS_URL="valkey://cache:6379/0"))), "uri-scheme-unsupported", "front"),
    "host with a port behind it": (network("host-unknown", PORTED), "host-unknown", "front"),
    "option that a program speaks of": (crashed("store", "FATAL --console-address cannot be the same", config=with_row("store", command=["server", "--console-address", ":9000"])), "command-invalid", "store"),
    "files that a program cannot read": (crashed("cache", "# Can't handle RDB format version 12", "# Unrecoverable error reading appendonly.aof: Invalid argument"), "database-files-incompatible", "cache"),
    "host taken for a bucket": (rung(told(OWN_ZONE), "store.bucket", "front", "NoSuchBucket", OWN_ZONE, bucket=None), "setting-invalid", "store"),
    "bucket made elsewhere": (rung(made(told(made_elsewhere())), "store.bucket", "front", "NoSuchBucket", made_elsewhere(), bucket="things", buckets=["others"]), "bucket-missing", "bucket"),
    "password of one variable": (one_variable("${PG_PASSWORD}"), "database-password-wrong", "pg"),
    "password of another variable": (one_variable("${OLD_PASSWORD}"), "database-password-wrong", "front"),
    "password of one secret": (one_secret("queue_key"), "queue-password-wrong", "cache"),
    "password of no secret": (one_secret(""), "queue-password-wrong", "front"),
    "sessions that the caller wants read-only": (rung(told(), "database.rights", "front", "read-only", read_only=True, read_only_by="client"), "database-read-only", "front"),
    "sessions that the caller hurries": (rung(told(), "database.rights", "front", "timeout", timeouts=["statement_timeout: 1 ms"], timeouts_by=["client"]), "database-timeout", "front"),
    "sentinel": (rung(told(), "queue.write", "front", "not-the-service"), "not-the-service", "front"),
    "check that is late and wrong": (late_check(), "health-check-unmeetable", "front"),
    "check that logs in wrongly": (rung(container(told(), "cache", health="unhealthy", health_log=[{"exit": 1, "output": "WRONGPASS invalid"}]), "queue.write", "front"), "health-check-unmeetable", "cache"),
    "file that a setting names": (failed(rung(container(told(), "front", "FileNotFoundError: [Errno 2] No such file or directory"), "place.write", "front", absent=[["SSL_CERT_FILE", "/none.pem"]])), "file-missing", "front"),
    "stranger that changes an artifact": (failed(container(told(beside()), "packer", "packed 0/models/m-1/artifacts/model.pkl"), semantics="artifact-differs", path="model.pkl"), "artifact-differs", "packer"),
    "stranger that does not speak of it": (failed(container(told(beside()), "packer", "looked at 12 objects"), semantics="artifact-differs", path="model.pkl"), "artifact-differs", "store"),
    # behaviour
    "constant": (failed(told(), semantics="health-constant", claim="redis"), "health-constant", "front"),
    "dropped": (failed(told(), semantics="metadata-dropped", keys=["a"]), "metadata-dropped", "front"),
    "two facts": (failed(told(), seen=[{"semantics": "registered-twice", "what": "run", "count": 2}]), "registered-twice", "front"),
    "of a named service": (failed(told(), semantics="version-wrong", service="tracker", expected="3", found="2"), "version-wrong", "tracker"),
    "of a role": (failed(told(), semantics="version-wrong", service="tracking", expected="3", found="2"), "version-wrong", "tracker"),
    "of the store": (failed(told(), semantics="artifact-missing", path="x"), "artifact-missing", "store"),
    "not listed": (failed(told(), semantics="never-heard"), "unknown", "front"),
    "nothing known": (failed(told(needs=("tracking",))), "unknown", "tracker"),
    "nothing known of several": (failed(told(needs=("tracking", "queue"))), "unknown", "front"),
}  # fmt: skip


@pytest.mark.parametrize("name", TOLD)
def test_the_first_cause_is_the_one_that_was_planted(name: str) -> None:
    """Cause and component are named first, and whatever is said cites its evidence."""
    story, cause, component = TOLD[name]
    bundle = story.done()

    found = diagnose(bundle)

    assert (found[0].cause, found[0].component) == (cause, component)
    assert all(entry.evidence and max(entry.evidence) <= len(bundle.events) for entry in found)
    assert "?" not in found[0].component
    assert found[0].layer in causes.LAYERS


@pytest.mark.parametrize("story", [unresolved("pg"), unresolved("pg", "store", known="cache")])
def test_a_resolver_that_knows_a_name_is_sound(story: Story) -> None:
    """One name that is not known, or one beside others that are, is no matter of the resolver's."""
    assert not [entry for entry in diagnose(story.done()) if entry.parameters.get("setting") == "/etc/resolv.conf"]


def test_what_a_wrapper_sets_is_not_missing() -> None:
    """Its words are read where no process is there to be asked; what they do not set still counts."""
    story = rung(
        told(WRAPPED),
        "store.bucket",
        "tracker",
        "credentials-missing",
        WRAPPED,
        missing=["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"],
    )

    found = diagnose(failed(story).done())

    assert [entry.parameters["setting"] for entry in found if entry.cause == "setting-missing"] == [
        ["AWS_SECRET_ACCESS_KEY"]
    ]


@pytest.mark.parametrize("name", TOLD)
def test_no_other_cause_is_proven(name: str) -> None:
    """One symptom, one proven cause: its look-alikes keep quiet."""
    story, cause, _ = TOLD[name]

    proven = [entry.cause for entry in diagnose(story.done()) if entry.confidence is Confidence.PROVEN]

    assert set(proven) <= {cause}


@pytest.mark.parametrize("name", TOLD)
def test_names_of_services_do_not_matter(name: str) -> None:
    """The same story with other service names has the same cause."""
    story, cause, component = TOLD[name]
    renames = {"front": "desk", "tracker": "ledger", "cache": "tube", "store": "shed"}
    moved = _renamed(story, renames)

    first = diagnose(moved.done())[0]

    assert (first.cause, first.component) == (cause, renames.get(component, component))


def _renamed(story: Story, renames: dict[str, str]) -> Story:
    def words(value: Any) -> Any:
        if isinstance(value, dict):
            return {renames.get(key, key): words(inner) for key, inner in value.items()}
        if isinstance(value, list):
            return [words(inner) for inner in value]
        if isinstance(value, str):
            return re.sub(r"(?<![\w.-])(?:front|tracker|cache|store)(?![\w.-])", lambda match: renames[match[0]], value)
        return value

    moved = Story()
    for event in story.events:
        moved.tell(event.kind, renames.get(event.subject, event.subject), words(event.response), words(event.request))
    return moved


def test_every_rule_is_told_of() -> None:
    """There is no rule that no story makes fire."""
    fired = {
        ruling.rule for story, _, _ in TOLD.values() for ruling in rulings(story.done()) if ruling.ended is Ended.FIRED
    }
    elsewhere = {
        "a fallback masks an error",
        "the definition is unfit",
        "a service does not come up",
        "nothing checks a service's health",
    }

    assert {rule.name for rule in (*RULES, *FALLBACKS)} - fired <= elsewhere


def test_most_rules_read_answers_and_not_wordings() -> None:
    """At least half of the rules need no log."""
    structured = [rule for rule in (*RULES, *FALLBACKS) if "log" not in rule.requires and rule.requires != ("start",)]

    assert len(structured) * 2 >= len((*RULES, *FALLBACKS))


def test_missing_evidence_is_never_proof() -> None:
    """On an empty bundle nothing is said, and every rule says why."""
    bundle = Story().done()

    assert diagnose(bundle) == ()
    assert {ruling.ended for ruling in rulings(bundle)} == {Ended.WITHOUT_EVIDENCE}


def test_rules_end_in_every_way() -> None:
    """A rule that looked and found nothing is refuted; one with nothing to look at is not applicable."""
    story = container(told(), "front")
    ended = {ruling.rule: ruling.ended for ruling in rulings(story.done())}
    crash = {ruling.rule: ruling.ended for ruling in rulings(crashed("front", "RuntimeError: no").done())}

    assert ended["a module is missing"] is Ended.NOT_APPLICABLE
    assert ended["a container is paused"] is Ended.REFUTED
    assert crash["a module is missing"] is Ended.REFUTED
    assert crash["a service has crashed"] is Ended.FIRED


def test_a_sound_run_has_no_diagnosis() -> None:
    """Containers that run, rungs that hold and a job that ended well accuse nobody."""
    story = container(container(told(), "front"), "bucket", "done", status="exited", exit_code=0, health="none")
    rung(rung(story, "database.login", "front"), "store.bucket", "front")
    story.tell("container", "sink", GOOD | {"status": "exited", "exit_code": 1}, {"moment": "end"})
    story.tell("container", "pg", {"status": "absent"}, {"moment": "end"})

    assert diagnose(story.done()) == ()


def test_what_the_harness_stopped_is_no_fault() -> None:
    """Events that the harness brought about are not read."""
    story = container(told(), "front")
    story.tell("event", "front", {"action": "oom", "expected": True})

    assert diagnose(story.done()) == ()


def test_an_event_tells_what_the_state_has_forgotten() -> None:
    """A container that was restarted after it ran out of memory did run out of memory."""
    story = container(told(), "front")
    story.tell("event", "front", {"action": "oom"})

    assert [entry.cause for entry in diagnose(story.done())] == ["out-of-memory"]


def test_a_stop_during_the_run_is_told_by_its_events() -> None:
    """Exit code 0 after a signal is a stop, not an end of its own."""
    story = crashed("cache", exit_code=0)
    story.tell("event", "cache", {"action": "kill", "signal": "15"})

    assert [entry.cause for entry in diagnose(story.done())] == ["service-stopped"]


def test_consequences_fall_away() -> None:
    """What rests on a broken service is explained by it."""
    story = crashed("pg", exit_code=137)
    container(story, "tracker", "OperationalError: no database", status="exited", exit_code=1)
    container(story, "front", "ConnectionError: no tracker", status="exited", exit_code=1)

    assert [(entry.cause, entry.component) for entry in diagnose(story.done())] == [("service-killed", "pg")]


def test_of_two_crashes_the_lower_one_is_told() -> None:
    """Without a cause, the narrowest component is the lowest that is broken."""
    story = crashed("tracker", "RuntimeError: why")
    container(story, "front", "ConnectionError: no tracker", status="exited", exit_code=1)

    assert [entry.component for entry in diagnose(story.done())] == ["tracker"]


def test_a_symptom_falls_away_before_its_reason() -> None:
    """A service that does not listen because of its database's password is not accused of not listening."""
    story = rung(told(), "database.login", "tracker", "28P01", user="ml")
    story = listening(rung(story, "port.open", "front", "refused", kind=Kind.TRACKING), "tracker")

    assert [entry.cause for entry in diagnose(story.done())] == ["database-password-wrong"]


def test_two_faults_are_both_named() -> None:
    """Independent causes stand beside each other, the lower one first."""
    story = rung(told(), "queue.login", "front", "WRONGPASS")
    story = rung(story, "database.login", "tracker", "28P01", user="ml")

    assert [entry.cause for entry in diagnose(story.done())] == ["database-password-wrong", "queue-password-wrong"]


def test_a_cause_explains_the_checks_that_failed_with_it() -> None:
    """Failed checks by the roles they ask, skipped ones by what they say."""
    story = failed(crashed("cache", exit_code=137))
    other = "suites/test_x.py::test_two"
    story.tell(
        "check",
        other,
        {"outcome": "skipped", "duration_s": 0.0, "message": None, "because": "cache exited 137 during the run"},
    )
    story.tell("check", "c", {"outcome": "passed", "duration_s": 0.0, "message": None, "because": None})

    found = diagnose(story.done())

    assert [entry.cause for entry in found] == ["service-killed"]
    assert found[0].layer == "queue"
    assert set(found[0].explains) == {CHECK, other}


def test_a_check_that_asks_no_role_is_explained_by_the_service_it_names() -> None:
    """The check of every service's health speaks of them by name."""
    named = told(needs=())
    container(named, "cache", status="exited", exit_code=137)
    failed(named, 'came back: {"service": "cache"}')

    assert diagnose(named.done())[0].explains == (CHECK,)


def test_a_fault_of_the_machine_explains_everything() -> None:
    """The host comes first, and nothing of the deployment is accused."""
    story = start("Bind for 127.0.0.1:8001 failed: port is already allocated")
    container(story, "front", "RuntimeError: no", status="exited", exit_code=1)
    failed(story, semantics="metadata-dropped", keys=["a"])

    found = diagnose(story.done())

    assert [entry.cause for entry in found] == ["port-taken", "metadata-dropped"]
    assert found[1].confidence is Confidence.LIKELY


def test_what_a_service_does_over_a_broken_one_is_doubted() -> None:
    """Misbehaviour seen while a dependency was away is likely at most."""
    story = failed(crashed("cache", exit_code=137), semantics="not-queued")

    found = diagnose(story.done())

    assert [(entry.cause, str(entry.confidence)) for entry in found] == [
        ("service-killed", "proven"),
        ("not-queued", "likely"),
    ]


def test_what_explains_most_comes_first() -> None:
    """Of two misbehaviours the one that more checks state is the likelier cause."""
    story = told()
    for number, semantics in enumerate(("lookup-wrong", "metadata-dropped", "metadata-dropped")):
        seen = {
            "outcome": "failed",
            "duration_s": 0.1,
            "message": "m",
            "because": None,
            "facts": {"semantics": semantics},
        }
        story.tell("check", f"suites/test_x.py::test_{number}", seen)

    assert [entry.cause for entry in diagnose(story.done())] == ["metadata-dropped", "lookup-wrong"]


def test_an_image_that_a_silent_registry_cannot_name_is_the_one_that_is_not_here() -> None:
    """The engine says that it reaches no registry; which image it wanted is known from what it holds."""
    story = start('Get "https://registry.example/v2/": dial tcp: lookup registry.example: no such host')
    rows = {
        "front": {"role": "registry", "image": "front:1"},
        "pg": {"role": "database", "image": "pg:1", "digest": "sha256:aa"},
    }
    story.tell("target", "t", {"services": rows})

    found = diagnose(story.done())

    assert [(entry.cause, entry.component, entry.parameters["image"]) for entry in found] == [
        ("image-unavailable", "front", "front:1"),
    ]


@pytest.mark.parametrize(
    ("facts", "first"),
    [
        (
            [{"semantics": "lookup-wrong", "key": "run_id"}] * 3 + [{"semantics": "lookup-returns-newest"}],
            "lookup-returns-newest",
        ),
        (
            [{"semantics": "lineage-wrong"}] * 3 + [{"semantics": "registered-twice", "what": "version", "count": 2}],
            "registered-twice",
        ),
        (
            [{"semantics": "answer-key-missing", "key": "metadata"}] * 3 + [{"semantics": "metadata-dropped"}],
            "metadata-dropped",
        ),
        (
            [{"semantics": "answer-key-missing", "key": "flavors"}] * 3 + [{"semantics": "metadata-dropped"}],
            "answer-key-missing",
        ),
    ],
    ids=["newest", "twice", "metadata", "another key"],
)
def test_what_one_misbehaviour_brings_about_is_led_back_to_it(facts: list[dict[str, Any]], first: str) -> None:
    """The origin comes first and explains all; what it brings about is likely at most, and still told."""
    story = told()
    for number, fact in enumerate(facts):
        row = {"outcome": "failed", "duration_s": 0.1, "message": "m", "because": None, "facts": fact}
        story.tell("check", f"suites/test_x.py::test_{number}", row)

    found = diagnose(story.done())

    assert (found[0].cause, found[0].confidence) == (first, Confidence.PROVEN)
    assert len(found) == 2
    assert len(found[0].explains) == (3 if first == "answer-key-missing" else 4)


def test_settings_that_are_missing_are_told_together() -> None:
    """A log and a rung about the same service make one diagnosis."""
    config = changed("front", AWS_ACCESS_KEY_ID="", AWS_SECRET_ACCESS_KEY="")
    story = crashed("front", "configuration error: AWS_ACCESS_KEY_ID is not set", config=config)
    rung(
        story,
        "store.bucket",
        "front",
        "credentials-missing",
        config,
        missing=["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"],
    )

    found = diagnose(story.done())

    assert [entry.cause for entry in found] == ["setting-missing"]
    assert found[0].parameters["setting"] == ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"]
    assert len(found[0].evidence) == 4


def test_a_bucket_that_its_job_could_not_make_is_the_jobs_matter() -> None:
    """Where the job failed, neither the store nor its callers are accused of the missing bucket."""
    story = container(told(), "bucket", "SignatureDoesNotMatch", status="exited", exit_code=1)
    rung(story, "store.bucket", "bucket", "SignatureDoesNotMatch")
    rung(story, "store.bucket", "tracker", "NoSuchBucket", bucket="things", buckets=[])
    rung(story, "database.schema", "tracker", "empty")

    assert [(entry.cause, entry.component) for entry in diagnose(story.done())] == [("store-secret-wrong", "bucket")]


def test_tables_are_missed_of_a_running_server_alone() -> None:
    """Before the server's first start they are rightly not there."""
    early = rung(told(), "database.schema", "tracker", "empty")
    late = rung(container(told(), "tracker"), "database.schema", "tracker", "empty")

    assert diagnose(early.done()) == ()
    assert [entry.cause for entry in diagnose(late.done())] == ["schema-missing"]


@pytest.mark.parametrize(
    ("command", "cause", "component"),
    [
        (["mlflow", "server"], "setting-missing", "tracker"),
        (["sh", "-c", 'exec mlflow server --backend-store-uri "$STORE_URI"'], "schema-missing", "pg"),
    ],
)
def test_a_variable_that_nobody_reads_leads_nowhere(command: list[str], cause: str, component: str) -> None:
    """MLflow knows its database by its own names; by any other only where its command hands it on."""
    config = changed("tracker", MLFLOW_BACKEND_STORE_URI=None, STORE_URI="postgresql://ml:[redacted]@pg:5432/models")
    config["services"]["tracker"]["command"] = command
    story = rung(container(told(config), "tracker"), "database.schema", "tracker", "empty", config)

    assert [(entry.cause, entry.component) for entry in diagnose(story.done())][:1] == [(cause, component)]


def test_callers_that_fail_alike_are_told_together() -> None:
    """One diagnosis of the database, which names all that it refuses."""
    story = rung(
        rung(told(), "database.login", "tracker", "28P01", user="ml"), "database.login", "front", "28P01", user="ml"
    )

    found = diagnose(story.done())

    assert [(entry.component, entry.parameters["service"]) for entry in found] == [("pg", ["front", "tracker"])]


def test_a_server_that_serves_no_artifacts_may_lack_keys() -> None:
    """What its clients need and it does not is no proof against it."""
    story = rung(told(), "store.bucket", "tracker", "credentials-missing", missing=["AWS_ACCESS_KEY_ID"])

    assert diagnose(story.done())[0].confidence is Confidence.LIKELY


def test_a_start_that_came_to_nothing_names_who_it_waited_for() -> None:
    """A service that runs without ever being ready is told with its last line."""
    story = container(told(), "front", "still waiting", health="starting")
    row = {"state": "starting", "exit_code": None, "reason": "did not become healthy"}
    story.tell(
        "start", "run", {"ok": False, "seconds": 90.0, "failed": {"front": row, "gone": row}, "compose_error": None}
    )

    found = diagnose(story.done())

    assert [(entry.cause, entry.confidence) for entry in found] == [("service-silent", Confidence.UNKNOWN)]
    assert "still waiting" in found[0].summary


@pytest.mark.parametrize(
    ("name", "patch"),
    [
        ("host", {"services": {"front": {"environment": {"DB_HOST": "pg"}}}}),
        ("endpoint", {"services": {"front": {"environment": {"S3_ENDPOINT_URL": "http://store:9000"}}}}),
        ("database", {"services": {"front": {"environment": {"DB_NAME": "models"}}}}),
        ("bucket wrong", {"services": {"tracker": {"command": ["mlflow", "server", "--default-artifact-root=s3://things/", "--no-serve-artifacts"]}}}),
        ("password", None),
    ],
)  # fmt: skip
def test_a_fault_of_configuration_comes_with_its_patch(name: str, patch: dict[str, Any] | None) -> None:
    """A compose overlay where the right value is known and no secret."""
    story, _, _ = TOLD[name]

    assert diagnose(story.done())[0].patch == patch


def test_a_bucket_in_the_environment_is_patched_there() -> None:
    """The setting that names the bucket is changed where it stands; a command that holds a secret is left alone."""
    config = changed("bucket", BUCKET="thinks")
    story = rung(told(config), "store.bucket", "bucket", "NoSuchBucket", config, bucket="thinks", buckets=[])
    secret = {
        "services": {
            **STACK["services"],
            "tracker": {
                **STACK["services"]["tracker"],
                "command": ["x", "--artifacts-destination=s3://thinks/", "[redacted]"],
            },
        }
    }
    closed = rung(told(secret), "store.bucket", "tracker", "NoSuchBucket", secret, bucket="thinks", buckets=["things"])

    assert diagnose(story.done())[0].patch == {"services": {"bucket": {"environment": {"BUCKET": "things"}}}}
    assert diagnose(closed.done())[0].patch is None


def test_a_port_is_patched_where_a_setting_names_it() -> None:
    """The port that listens takes the place of the one that does not."""
    config = changed("front", MLFLOW_TRACKING_URI="http://tracker:5050")
    story = listening(
        network("refused", config, kind=Kind.TRACKING), "tracker", (EVERYWHERE, 5000), ("127.0.0.11", 41000)
    )

    found = diagnose(story.done())[0]

    assert (found.cause, found.parameters["wanted"]) == ("port-wrong", 5000)
    assert found.patch == {"services": {"front": {"environment": {"MLFLOW_TRACKING_URI": "http://tracker:5000"}}}}


def test_a_port_that_several_callers_agree_on_is_the_targets_matter() -> None:
    """Where the callers agree and the target differs, the target is the component."""
    story = listening(network("refused", STACK), "pg", (EVERYWHERE, 6000))

    assert [(entry.cause, entry.component) for entry in diagnose(story.done())] == [("not-listening", "pg")]


def test_a_name_of_a_service_that_shares_the_network_is_not_explained() -> None:
    """A known service in the same network whose name is unknown is beyond these rules."""
    assert diagnose(network("host-unknown", STACK).done()) == ()


def test_the_lonelier_of_two_is_moved() -> None:
    """The service that shares its network with fewer others is the one to change."""
    alone = {"services": {**STACK["services"], "pg": {**STACK["services"]["pg"], "networks": {"inner": None}}}}

    assert diagnose(network("host-unknown", alone).done())[0].component == "pg"


def test_where_all_live_apart_the_caller_joins() -> None:
    """In a deployment of many networks being with few is the order: it is the caller that has yet to join."""
    apart = on(tracker="ds", front="ds", pg="d", sink="s")

    assert diagnose(network("host-unknown", apart, kind=Kind.QUEUE).done())[0].component == "front"
    assert diagnose(network("host-unknown", on(), kind=Kind.QUEUE).done())[0].component == "cache"


def test_a_rung_that_stumbled_says_nothing() -> None:
    """What the harness could not ask accuses nobody."""
    assert diagnose(rung(told(), "database.login", "front", "broken").done()) == ()


def test_a_schema_is_judged_by_the_server_alone() -> None:
    """A client's image may know other migrations; codes that are no judgement are left alone."""
    by_client = rung(told(), "database.schema", "front", "older", found=["a"], heads=["b"])
    by_login = rung(told(), "database.login", "front", "silent-code")

    assert diagnose(by_client.done()) == ()
    assert diagnose(by_login.done()) == ()


def test_pyfuncs_refusal_of_a_failed_registration_hides_an_error() -> None:
    """A fallback that shows pyfunc's words in place of the store's is named; of what is no model it is right."""

    def story(kind: str) -> Story:
        told_so = told()
        error = {
            "type": "MlflowException",
            "message": "`python_model` must be a PythonModel instance",
            "chain": [{"type": "ClientError", "message": "NoSuchBucket"}],
        }
        seq = told_so.tell(
            "probe",
            "register_baseline",
            {"error": error},
            {"call": "register_baseline", "args": {"model": {"kind": kind}}},
        )
        told_so.tell(
            "check",
            CHECK,
            {"outcome": "failed", "duration_s": 0.1, "message": "m", "because": None, "evidence": [seq], "facts": None},
        )
        return told_so

    assert diagnose(story("forest").done())[0].cause == "error-masked"
    assert "NoSuchBucket" in diagnose(story("forest").done())[0].summary
    assert diagnose(story("junk").done())[0].cause == "unknown"


def test_findings_of_the_definition_come_last() -> None:
    """What must not ship is told after what does not work; warnings are no cause."""
    story = told()
    for severity in ("error", "warning"):
        row = {
            "severity": severity,
            "file": "f",
            "line": 3,
            "summary": f"{severity} here",
            "remedy": "Mend it.",
            "service": "front",
        }
        story.tell("finding", "source-mounted", row)
    failed(story, semantics="metadata-dropped")
    story.tell(
        "inventory",
        "suites",
        {"checks": [{"nodeid": CHECK, "item": "fit-to-ship", "title": "t", "needs": ["registry"]}]},
    )

    found = diagnose(story.done())

    assert [entry.cause for entry in found] == ["metadata-dropped", "unfit-definition"]
    assert found[1].remedy == "Mend it."
    assert found[1].explains == (CHECK,)


def test_failures_that_nothing_explains_are_one_unknown() -> None:
    """An unknown cause is said to be unknown, once for each component."""
    story = failed(told())
    story.tell(
        "check",
        "suites/test_x.py::test_two",
        {"outcome": "failed", "duration_s": 0.1, "message": "other", "because": None},
    )

    found = diagnose(story.done())

    assert [(entry.cause, entry.confidence) for entry in found] == [("unknown", Confidence.UNKNOWN)]
    assert len(found[0].explains) == 2


def test_roles_are_read_from_settings_where_nobody_tells_them() -> None:
    """Without labels, a service is what others call it for."""
    services = {
        name: {key: value for key, value in row.items() if key != "labels"} for name, row in STACK["services"].items()
    }
    seen = Seen(told({"services": services}).done())

    assert {seen.of_role(role) for role in ("database", "queue", "object-store", "tracking", "registry")} == {
        "pg", "cache", "store", "tracker", "front",
    }  # fmt: skip


def test_last_words_are_the_error_or_the_last_line() -> None:
    """The line that tells most of a log; even an empty log has an answer."""
    assert last_words(("ValueError: x", "cleaning up", "")) == "ValueError: x"
    assert last_words(("one", "two")) == "two"
    assert last_words(()) == "it wrote nothing"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[[cause]]\nid='a'\nlayer='image'\ntitle='t'", "has id, layer, title and remedy"),
        ("[[cause]]\nid='a'\nlayer='image'\ntitle='t'\nremedy='r'\n" * 2, "twice"),
        ("[[cause]]\nid='a'\nlayer='cellar'\ntitle='t'\nremedy='r'", "unknown layer"),
    ],
)
def test_a_list_of_causes_that_is_none_is_refused(text: str, said: str) -> None:
    """Ids are unique and layers known when the list is loaded."""
    with pytest.raises(CauseError, match=said):
        causes.parse(text)


def test_a_cause_that_is_not_listed_cannot_be_named() -> None:
    """The list is closed."""
    with pytest.raises(CauseError, match="no cause"):
        causes.diagnosis("gremlins", "front", evidence=(1,))


@given(st.sampled_from(sorted(causes.known())))
def test_every_cause_words_itself_without_parameters(cause: str) -> None:
    """A parameter that nobody knows reads as a question mark, and no template fails."""
    found: Diagnosis = causes.diagnosis(cause, "front", evidence=(2, 1, 2))

    assert found.evidence == (1, 2)
    assert "{" not in found.summary + found.remedy


@pytest.mark.parametrize("turned", [False, True])
def test_the_order_of_evidence_does_not_change_the_first_cause(*, turned: bool) -> None:
    """Two independent faults rank alike whichever was seen first."""
    faults = [("queue.login", "front", "WRONGPASS"), ("database.login", "tracker", "28P01")]
    story = told()
    for name, position, code in reversed(faults) if turned else faults:
        rung(story, name, position, code, user="ml")

    assert diagnose(story.done())[0].cause == "database-password-wrong"
