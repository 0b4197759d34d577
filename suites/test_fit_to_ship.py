"""What runs may ship: nobody is root, nothing lies open, no secret shows, and what runs is what was built."""

import json
import re
from collections.abc import Mapping
from typing import Any
from uuid import uuid4

import pytest

from fixtures.containers import docker, log_of
from fixtures.http import Http
from fixtures.journal import Journal
from fixtures.redactor import SHORTEST, is_secret_name, passwords_in
from fixtures.registrations import Registered
from fixtures.states import changed_files, told_by_engine
from fixtures.target import Service, Target, hosts_in
from fixtures.witnesses import Database, ObjectStore, Queue
from reports.wiring import home_of, words_of
from suites.listeners import LISTENING, listening
from suites.wording import exchange

JOB_WITHIN = 20.0
"""Seconds after which a job that cannot reach anything may still be trying; then it has swallowed nothing."""

GIVEN_BY_THE_KERNEL = set(range(32768, 61000))
"""Ports that a program gets when it asks for any (net.ipv4.ip_local_port_range): another one each start, which nobody can declare."""

STORE_DEFAULTS = (
    ("minioadmin", "minioadmin"),
    ("minioadmin", "minioadmin123"),
    ("minio", "minio123"),
    ("admin", "password"),
)
DATABASE_DEFAULTS = ("mlflow_password", "mlflow", "postgres", "password", "admin", "changeme", "secret")
QUEUE_DEFAULTS = ("redis", "password", "redis_password", "changeme", "foobared")
KEY_DEFAULTS = ("admin", "test", "dev", "changeme", "secret", "password", "api-key", "hokusai")

IDENTIFIES = re.compile(r"(?i)(?<!secret_)access_key(_id)?$|_id$|user(name)?$")
"""Names of settings that say who asks, which logs and labels may tell."""

CODE = (".py", ".so", ".pth")
NOT_CODE = ("/tmp", "/var/tmp", "/run", "/proc", "/sys", "/dev", "/root/.", "/home")  # noqa: S108  places that hold no code


def running(target: Target) -> list[Service]:
    """Those of them that run."""
    return [service for service in target.judged if service.running]


def secrets_of(target: Target) -> dict[str, str]:
    """Secret value -> the setting that holds it, of all services."""
    found: dict[str, str] = {}
    for service in target.judged:
        for name, value in service.env.items():
            held = {value} if is_secret_name(name) and not IDENTIFIES.search(name) else passwords_in(value)
            if name == "API_KEYS":
                held = {part.split(":")[1] for part in value.split(",") if part.count(":") == 2}
            found |= {secret: f"{name} of {service.name}" for secret in held if len(secret) >= SHORTEST}
    return found


@pytest.mark.verifies("fit-to-ship")
def test_no_process_is_root(target: Target, journal: Journal, fact: dict[str, Any]) -> None:
    """No process of a service that the release is, or asks, runs as root, as the kernel tells it; of helpers that nobody asks it is not said."""
    found: dict[str, list[str]] = {}
    unasked = []
    led = {link.target for link in target.links}
    for service in running(target):
        first = target.find(service.role)
        helps = service.role == "other" or (first is not None and first.name != service.name)
        if service.role == "job" or (helps and service.name not in led):
            continue
        ran = told_by_engine(journal, service, "top", service.container, "-eo", "uid,pid,comm")
        rows = [line.split(None, 2) for line in ran.stdout.splitlines()[1:]]
        if not ran.ok or not rows:
            unasked.append(f"{service.name}: {ran.problem or 'no processes'}")
        if root := [row[2] for row in rows if len(row) == 3 and row[0] == "0"]:
            found[service.name] = root

    if found:
        fact.update(semantics="runs-as-root", service=next(iter(found)))
    assert not found, exchange(
        "the user of every process in every container",
        "the Docker engine (docker top)",
        expected="none of them root (uid 0)",
        got=found,
        do="give the image a USER, or the service a user",
    )
    assert not unasked, exchange(
        "the user of every process in every container",
        "the Docker engine (docker top)",
        expected="a list for each",
        got=unasked,
        do="look whether these containers still run",
    )


def declared_ports(service: Service) -> set[int]:
    """The ports that image and definition of a service declare, and the one that is usual for its role."""
    expose = {
        int(str(port).split("/")[0]) for port in service.config.get("expose") or () if str(port).split("/")[0].isdigit()
    }
    return {*service.exposed, *service.published, service.port, *expose}


@pytest.mark.verifies("fit-to-ship")
def test_only_declared_ports_listen(target: Target, journal: Journal, fact: dict[str, Any]) -> None:
    """Inside every container only the ports listen that its image or definition declares, or that the kernel chose."""
    found: dict[str, list[int]] = {}
    for service in running(target):
        ran = told_by_engine(journal, service, "exec", service.container, "sh", "-c", LISTENING)
        if open_too := sorted(listening(ran.stdout) - declared_ports(service) - GIVEN_BY_THE_KERNEL):
            found[service.name] = open_too

    if found:
        name, ports = next(iter(found.items()))
        fact.update(semantics="port-undeclared", service=name, port=ports[0])
    assert not found, exchange(
        "which TCP ports listen beyond loopback",
        "the kernel, in every container (/proc/net/tcp)",
        expected="only ports that the image or the definition declares",
        got=found,
        do="declare the port, or do not listen on it",
    )


@pytest.mark.verifies("fit-to-ship")
def test_no_secret_is_in_an_image_or_label(target: Target, journal: Journal, fact: dict[str, Any]) -> None:
    """No secret is in the layers' history, the environment or the labels of an image, nor in a container's labels."""
    secrets = secrets_of(target)
    found = set()
    for service in target.judged:
        history = told_by_engine(
            journal, service, "history", "--no-trunc", "--format", "{{.CreatedBy}}", service.image_id
        )
        image = told_by_engine(journal, service, "image", "inspect", "--format", "{{json .Config}}", service.image_id)
        baked = (json.loads(image.stdout or "null") or {}) if image.ok else {}
        labels = json.dumps((service.inspect.get("Config") or {}).get("Labels") or {})
        environment = dict(pair.split("=", 1) for pair in baked.get("Env") or () if "=" in pair)
        places = {
            "history of its image": history.stdout,
            "environment of its image": "\n".join(environment.values()),
            "labels of its image": json.dumps(baked.get("Labels") or {}),
            "labels": labels,
        }
        found |= {
            (service.name, f"{setting} is in the {place}")
            for place, text in places.items()
            for secret, setting in secrets.items()
            if secret in text
        }
        found |= {
            (service.name, f"{name} is set in the environment of its image")
            for name, value in environment.items()
            if is_secret_name(name) and not IDENTIFIES.search(name) and value
        }

    if found:
        name, where = min(found)
        fact.update(semantics="secret-exposed", service=name, where=where)
    assert not found, exchange(
        "whether a secret of any service is in an image's history, environment or labels, or in a container's labels",
        "the Docker engine",
        expected="none",
        got=sorted(f"{name}: {where}" for name, where in found),
        do="hand secrets in when the container starts; change those that were in an image",
    )


@pytest.mark.verifies("fit-to-ship")
@pytest.mark.last
def test_no_secret_is_in_a_log(target: Target, fact: dict[str, Any]) -> None:
    """No secret of any service is in any service's log, at the end of the run."""
    secrets = secrets_of(target)
    found = set()
    for service in target.judged:
        text = log_of(service.container)
        found |= {(service.name, setting) for secret, setting in secrets.items() if secret in text}

    if found:
        name, setting = min(found)
        fact.update(semantics="secret-exposed", service=name, where=f"its log ({setting})")
    assert not found, exchange(
        "whether a secret of any service is in a log",
        "the logs of all containers",
        expected="none",
        got=sorted(f"{setting} is in the log of {name}" for name, setting in found),
        do="do not log settings, URLs with passwords, or headers; change what was logged",
    )


@pytest.mark.verifies("fit-to-ship")
def test_no_source_is_mounted_over_an_image(target: Target, fact: dict[str, Any]) -> None:
    """Nothing of the host is mounted over the code of an image: what was tested is what ships."""
    found = {}
    for service in target.judged:
        workdir = str((service.inspect.get("Config") or {}).get("WorkingDir") or "/").rstrip("/") or "/"
        for mount in service.inspect.get("Mounts") or ():
            place = str(mount.get("Destination", "")).rstrip("/")
            over = place == workdir or place.startswith(f"{workdir.rstrip('/')}/") or workdir.startswith(f"{place}/")
            code = any(part in place for part in ("/site-packages", "/dist-packages", "/src", "/venv"))
            has_code_of_ours = service.role in {"registry", "tracking", "job", "other"} and workdir != "/"
            if mount.get("Type") == "bind" and (code or (over and has_code_of_ours)):
                found[service.name] = place

    if found:
        name, path = next(iter(found.items()))
        fact.update(semantics="source-mounted", service=name, path=path)
    assert not found, exchange(
        "which folders of the host are mounted into containers",
        "the Docker engine",
        expected="none over an image's code",
        got=found,
        do="take the mount out, and build the image with that source",
    )


@pytest.mark.verifies("fit-to-ship")
@pytest.mark.last
def test_what_runs_is_what_the_image_holds(target: Target, journal: Journal, fact: dict[str, Any]) -> None:
    """No file of code differs between a container and its image."""
    found: dict[str, list[str]] = {}
    for service in running(target):
        if service.role not in {"registry", "tracking", "other"}:
            continue
        paths = [path for path in changed_files(journal, service) if path.endswith(CODE) and "__pycache__" not in path]
        changed = [path for path in paths if not path.startswith(NOT_CODE)]
        if changed:
            found[service.name] = changed[:10]

    if found:
        fact.update(semantics="image-stale", service=next(iter(found)))
    assert not found, exchange(
        "which files of code changed in a container since it was made",
        "the Docker engine",
        expected="none",
        got=found,
        do="build the change into the image, and recreate the container",
    )


@pytest.mark.verifies("fit-to-ship")
def test_the_store_has_no_default_credentials(store: ObjectStore, fact: dict[str, Any]) -> None:
    """The object store refuses the credentials that everybody knows."""
    accepted = []
    for user, password in STORE_DEFAULTS:
        stranger = ObjectStore(store.service, store.http, user, password, store.bucket, store.journal)
        if stranger.buckets():
            accepted.append(f"{user}:{password}")

    if accepted:
        fact.update(semantics="default-credentials", service=store.service.name)
    assert not accepted, exchange(
        f"a list of buckets as {', '.join(':'.join(pair) for pair in STORE_DEFAULTS)}",
        "the object store",
        expected="refused",
        got=f"accepted: {', '.join(accepted)}",
        do="give the store credentials of its own",
    )


@pytest.mark.verifies("fit-to-ship")
def test_the_database_has_no_default_credentials(
    database: Database, target: Target, journal: Journal, fact: dict[str, Any]
) -> None:
    """The database refuses, over the network, the passwords that everybody knows, and no password at all."""
    users = dict.fromkeys([database.user, target.settings.get("DB_USER") or database.user])
    script = (
        'for u in $1; do for p in $2 ""; do PGCONNECT_TIMEOUT=5 PGPASSWORD="$p" psql -X -w -h "$(hostname -i | cut -d" " -f1)"'
        ' -U "$u" -d "$0" -Atc "SELECT 1" >/dev/null 2>&1 && echo "$u:$p"; done; done; true'
    )
    ran = told_by_engine(
        journal,
        database.service,
        *("exec", database.service.container, "sh", "-c", script, database.name),
        *(" ".join(users), " ".join(DATABASE_DEFAULTS)),
    )

    accepted = ran.stdout.split()
    if accepted:
        fact.update(semantics="default-credentials", service=database.service.name)
    assert (ran.ok, accepted) == (True, []), exchange(
        f"log in over the network as {', '.join(users)} with {', '.join(DATABASE_DEFAULTS)}, and without a password",
        "the database",
        expected="refused",
        got=f"accepted: {', '.join(accepted)}" if ran.ok else str(ran.problem),
        do="give the database a password of its own, and let nobody in without one (pg_hba.conf)",
    )


@pytest.mark.verifies("fit-to-ship")
def test_redis_has_no_default_credentials(queue: Queue, journal: Journal, fact: dict[str, Any]) -> None:
    """Redis refuses, over the network, whoever has no password, or one that everybody knows."""
    script = (
        "unset REDISCLI_AUTH; here=$(hostname -i | cut -d' ' -f1); command -v redis-cli >/dev/null || exit 9;"
        ' for p in "" $1; do said=$(redis-cli -h "$here" -p "$0" ${p:+--no-auth-warning -a "$p"} PING 2>&1);'
        ' case "$said" in *PONG*) echo "${p:-(none)}";; esac; done; true'
    )
    command = ("exec", queue.service.container, "sh", "-c", script, str(queue.service.port), " ".join(QUEUE_DEFAULTS))
    ran = told_by_engine(journal, queue.service, *command)
    accepted = ran.stdout.split()
    if not ran.ok:  # no client in that image: a stranger without a password is asked from outside
        stranger = Queue(queue.service, queue.where, None, None, queue.journal)
        accepted = [] if stranger.command("PING").error else ["(none)"]
        stranger.close()

    if accepted:
        fact.update(semantics="default-credentials", service=queue.service.name)
    assert not accepted, exchange(
        f"PING over the network without a password, and with {', '.join(QUEUE_DEFAULTS)}",
        "Redis",
        expected="refused",
        got=f"accepted: {', '.join(accepted)}",
        do="set requirepass, to a password of its own",
    )


@pytest.mark.verifies("fit-to-ship")
def test_the_api_and_mlflow_have_no_default_credentials(
    api: Http, tracking: Http, target: Target, fact: dict[str, Any]
) -> None:
    """The API refuses keys that everybody would try, and MLflow, where it asks at all, its default administrator."""
    path = "/models/hokusai_classification_baseline/lineage"
    tried = {key: api.get(path, key=None, headers={"X-API-Key": key}) for key in KEY_DEFAULTS}
    accepted = [key for key, answer in tried.items() if answer.status not in {401, 429, None}]
    experiment, default = (
        "/api/2.0/mlflow/experiments/get?experiment_id=0",
        {"Authorization": "Basic YWRtaW46cGFzc3dvcmQxMjM0"},
    )
    asks = tracking.get(experiment).status == 401
    opened = asks and tracking.get(experiment, headers=default).status == 200

    if accepted or opened:
        fact.update(
            semantics="default-credentials", service=target.service("registry" if accepted else "tracking").name
        )
    assert not accepted, exchange(
        f"GET {path} with the keys {', '.join(KEY_DEFAULTS)}",
        "the API",
        expected="401",
        got="; ".join(f"{key}: {tried[key]}" for key in accepted),
        do="give the API keys of its own",
    )
    assert not opened, exchange(
        "GET experiment 0 as MLflow's default administrator",
        "MLflow",
        expected="401",
        got="200",
        do="change the default administrator's password",
    )


@pytest.mark.verifies("fit-to-ship")
def test_the_bucket_is_not_public(store: ObjectStore, baseline: Registered, fact: dict[str, Any]) -> None:
    """A stranger can neither list the bucket, nor read a model in it, nor write to it."""
    listed = store.anonymous(f"/{store.bucket}?list-type=2&max-keys=1")
    policy = store.policy()
    told = store.http.get(f"/{store.bucket}/airworthy-{uuid4().hex}")
    written = store.http.put(f"/{store.bucket}/airworthy-{uuid4().hex}", content=b"by a stranger")
    models = [one.key for one in store.objects(f"0/models/{baseline.uuid}")][:1]
    read = [answer for key in models if (answer := store.anonymous(f"/{store.bucket}/{key}")).status == 200]

    # 404 for an object that is not there says that the stranger was let in to look
    open_to = [str(a) for a in (listed, written) if a.status == 200] + [
        str(a) for a in (told,) if a.status in {200, 404}
    ]
    open_to += [str(answer) for answer in read]
    if open_to:
        fact.update(semantics="bucket-public", bucket=store.bucket)
    assert not open_to, exchange(
        f"list, read and write {store.bucket} without credentials",
        "the object store",
        expected="403 each",
        got=f"{'; '.join(open_to)}; its policy: {policy.text}",
        do="make the bucket private: no anonymous policy",
    )
    assert listed.status == 403, exchange(
        f"list {store.bucket} without credentials",
        "the object store",
        expected="403",
        got=str(listed),
        do="look whether the bucket is there, and what answers for the store",
    )


def reaches_out(service: Service) -> bool:
    """Whether a job's settings or command name another service."""
    words = [*map(str, service.config.get("command") or ()), *map(str, service.config.get("entrypoint") or ())]
    return bool(hosts_in(service.env)) or any("://" in word or "mc " in word for word in words)


def without_network(service: Service, name: str, labels: Mapping[str, str]) -> list[str]:
    """The words of `docker run` that start a job again with nothing to reach."""
    own = service.inspect.get("Config") or {}
    entry, command = list(own.get("Entrypoint") or ()), list(own.get("Cmd") or ())
    words = ["run", "--rm", "--name", name, "--network", "none", "--env-file", "/dev/stdin"]
    words += [word for label in labels.items() for word in ("--label", "=".join(label))]
    words += ["--user", own["User"]] if own.get("User") else []
    words += ["--entrypoint", entry[0]] if entry else []
    return [*words, service.image_id, *entry[1:], *command]


@pytest.mark.verifies("fit-to-ship")
def test_init_jobs_can_fail(target: Target, journal: Journal, fact: dict[str, Any]) -> None:
    """A one-shot job that can reach nothing fails: what it could not do is not reported as done."""
    swallowed = {}
    for service in target.judged:
        if service.role != "job" or not reaches_out(service):
            continue
        name = f"{target.project}-alone-{service.name}"
        labels = {
            k: v
            for k, v in ((service.inspect.get("Config") or {}).get("Labels") or {}).items()
            if k.startswith("airworthy.run")
        }
        settings = "".join(f"{key}={value}\n" for key, value in service.given.items() if "\n" not in value)
        ran = docker(*without_network(service, name, labels), stdin=settings.encode(), timeout=JOB_WITHIN)
        docker("rm", "--force", "--volumes", name)
        seen = {"rc": ran.rc, "stdout": ran.stdout, "stderr": ran.stderr, "seconds": ran.seconds}
        journal.record(
            "exec", service.name, {"argv": ["docker", "run", "--network", "none", service.image], "user": None}, seen
        )
        if ran.rc == 0:
            swallowed[service.name] = (ran.stdout + ran.stderr)[-300:]

    if swallowed:
        fact.update(
            unfit(
                next(iter(swallowed)), "it ends with 0 where it can reach nothing", "Let it fail when its work fails."
            )
        )
    assert not swallowed, exchange(
        "run the one-shot job again where it can reach nothing",
        ", ".join(swallowed),
        expected="an exit status other than 0",
        got=f"0: {swallowed}",
        do="let the job fail: no `|| true`, no `exit 0` after what must work",
    )


def unfit(service: str, finding: str, remedy: str) -> dict[str, Any]:
    """The fact to state of a service whose definition must not ship."""
    return {"semantics": "unfit-definition", "service": service, "finding": finding, "remedy": remedy}


@pytest.mark.verifies("fit-to-ship")
def test_images_are_pinned(target: Target, fact: dict[str, Any]) -> None:
    """Every image is named by a digest or an exact tag, or is built from the deployment's own definition."""
    loose = {}
    for service in target.judged:
        reference = service.image.rpartition("/")[2]
        name, _, tag = reference.partition(":")
        if "@" not in service.image and not service.config.get("build") and (not tag or tag == "latest") and name:
            loose[service.name] = service.image

    built = {service.image for service in target.judged if service.config.get("build")}
    loose = {name: image for name, image in loose.items() if image not in built}
    if loose:
        name, image = next(iter(loose.items()))
        fact.update(
            unfit(name, f"{image} is another image tomorrow", f"Name the image of {name} by digest or exact tag.")
        )
    assert not loose, exchange(
        "the image of every service in the rendered configuration",
        "docker compose config",
        expected="a digest or an exact tag",
        got=loose,
        do="name images by digest or exact tag: `latest` is another image tomorrow",
    )


RETRIES = re.compile(r"(?i)\buntil\b|\bwhile\b|\bwait[-_]?for\b|\bretry|\bdockerize\b")
"""Words of a start script that waits for what it needs."""


@pytest.mark.verifies("fit-to-ship")
def test_dependencies_have_conditions(target: Target, fact: dict[str, Any]) -> None:
    """Whoever depends on a service with a health check, or on a job, waits until it is healthy or has ended well; or tries again by itself."""
    roles = {service.name: service.role for service in target.services}
    hasty = []
    for service in target.judged:
        words = " ".join(words_of(service.config))
        if RETRIES.search(words) or str(service.config.get("restart") or "no") != "no":
            continue
        waits = service.config.get("depends_on") or {}
        for name, how in waits.items() if isinstance(waits, dict) else ((n, {}) for n in waits):
            mere = (how or {}).get("condition", "service_started") == "service_started"
            lives_there = name == home_of(service.name, target.rendered["services"])
            if mere and not lives_there and roles.get(name) in {"database", "queue", "object-store", "tracking", "job"}:
                hasty.append(f"{service.name} on {name}")

    if hasty:
        name, _, other = hasty[0].partition(" on ")
        fact.update(unfit(name, f"it does not wait for {other}", f"Give its dependency on {other} a condition."))
    assert not hasty, exchange(
        "the dependencies in the rendered configuration",
        "docker compose config",
        expected="condition service_healthy, or service_completed_successfully for a job",
        got=hasty,
        do="give these dependencies a condition",
    )
