"""Rules about settings that are absent, malformed or at odds with each other, read from the definition and asked where they are used."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from reports.causes import Confidence, Diagnosis, diagnosis
from reports.evidence import Event
from reports.rules.seen import Rule, Rung, Seen
from reports.wiring import SCHEMES, Kind, artifact_root, assigned_by, environment_of, links_of, options_of

NEEDS = {
    "registry": {Kind.TRACKING: "MLFLOW_TRACKING_URI", Kind.DATABASE: "DB_HOST", Kind.QUEUE: "REDIS_URL"},
    "tracking": {Kind.DATABASE: "MLFLOW_BACKEND_STORE_URI"},
}
"""Role -> what it needs, and the setting of the contract that leads there."""

SPOKEN = {Kind.TRACKING: "http", Kind.DATABASE: "postgresql", Kind.QUEUE: "redis"}
"""The scheme by which each is asked."""

KEYS = ("MINIO_ROOT_USER", "MINIO_ROOT_PASSWORD")
OWN_KEYS = ("MINIO_ROOT_USER", "MINIO_ACCESS_KEY", "MINIO_ROOT_USER_FILE", "MINIO_CONFIG_ENV_FILE")
NO_PASSWORD_THERE = ("without any password configured", "no password is set")


def address_is_malformed(seen: Seen) -> Iterator[Diagnosis]:
    """An address cannot be read as it stands: blanks or quotes around it, or a password whose characters are not escaped."""
    for rung in seen.broken("name.resolve"):
        if rung.code == "setting-invalid":
            name = str(rung.facts.get("setting") or rung.setting)
            given = {"setting": name, "reason": rung.message}
            yield diagnosis("setting-invalid", rung.position, evidence=(rung.seq,), parameters=given)


def _definition(seen: Seen) -> Event | None:
    """The rendered configuration as an event; older bundles hold one configuration only."""
    return seen.bundle.last("compose", "rendered") or seen.bundle.last("compose")


def way_is_missing(seen: Seen) -> Iterator[Diagnosis]:
    """A service names no way to what its role needs, though the deployment has it, or one by a scheme that nobody speaks."""
    links = links_of(seen.config)
    event = _definition(seen)
    for name, role in seen.roles.items():
        for kind, setting in NEEDS.get(role, {}).items():
            there = seen.of_role(str(kind))
            led = any(link.caller == name and link.kind is kind for link in links)
            led = led or "--artifacts-only" in options_of(seen.service(name))
            if led or there is None or event is None or name not in seen.services:
                continue
            if setting in assigned_by(seen.services[name]) or seen.setting(name, setting).startswith("unix:"):
                continue
            scheme, is_address, _ = seen.setting(name, setting).partition("://")
            if is_address and scheme.partition("+")[0].lower() not in SCHEMES:
                told = {"setting": setting, "scheme": scheme, "wanted": SPOKEN[kind]}
                yield diagnosis("uri-scheme-unsupported", name, evidence=(event.seq,), parameters=told)
                continue
            sure = Confidence.PROVEN if _stood(seen, name).get(setting) else Confidence.LIKELY
            given = {"setting": setting}
            yield diagnosis("setting-missing", name, evidence=(event.seq,), parameters=given, confidence=sure)


def _stood(seen: Seen, service: str) -> Mapping[str, str]:
    """A service's environment when the target was last ready."""
    event = seen.bundle.last("standing")
    services = (event.response.get("services") or {}) if event else {}
    return environment_of(services.get(service) or {})


def serves_artifacts_only(seen: Seen) -> Iterator[Diagnosis]:
    """The tracking server is told to carry artifacts alone, and ends over it; one that runs says so itself (dependencies.SAID)."""
    server = seen.of_role("tracking")
    event, state = _definition(seen), seen.gone.get(server or "")
    if server is None or event is None or state is None:
        return
    told = _is_on(seen.environment(server).get("MLFLOW_ARTIFACTS_ONLY", ""))
    if told or "--artifacts-only" in options_of(seen.service(server)):
        yield diagnosis("artifacts-only", server, evidence=(event.seq, state.seq), parameters={"service": server})


def _is_on(value: str) -> bool:
    return value.strip().lower() in {"1", "true", "yes", "on"}


def artifacts_lie_locally(seen: Seen) -> Iterator[Diagnosis]:
    """Experiments keep artifacts in a folder, though the deployment has an object store: each container has its own."""
    server, store = seen.of_role("tracking"), seen.of_role("object-store")
    if server is None or store is None:
        return
    service = seen.service(server)
    setting, value = artifact_root(service)
    for rung in seen.rungs:
        roots = rung.facts.get("artifact_roots") if rung.name == "tracking.read" and rung.ok else None
        if not roots or rung.target != server:
            continue
        local = [root for root in roots if _is_local(str(root))]
        served = [root for root in roots if str(root).startswith("mlflow-artifacts:")]
        if local or (served and _is_local(_destination(service) or value)):
            # a server that names a store gives it to each experiment that it makes: these rows are older, or another's
            by_row = bool(local and value) and not _is_local(value)
            given = {
                "service": server,
                "setting": "the experiment's row" if by_row else setting or "--default-artifact-root",
                "path": next(iter(local), value or "./mlartifacts"),
                "root": next(iter(local), value or "./mlartifacts"),
                "target": store,
            }
            component = (seen.database_of(server) if by_row else None) or server
            yield diagnosis("artifact-root-local", component, evidence=(rung.seq,), parameters=given)
            return


STORED_BY = frozenset(
    {"", "file", "s3", "r2", "gs", "wasbs", "abfss", "ftp", "sftp", "dbfs", "hdfs", "viewfs", "runs", "models"}
    | {"http", "https", "mlflow-artifacts", "uc"}
)
"""Schemes of artifact addresses that MLflow knows by itself (mlflow/store/artifact/artifact_repository_registry.py)."""


def artifacts_have_a_strange_scheme(seen: Seen) -> Iterator[Diagnosis]:
    """A server tells its clients to keep artifacts at an address of a scheme that MLflow does not know."""
    for rung in (one for one in seen.rungs if one.name == "tracking.read" and one.ok and one.target):
        service = seen.service(rung.target)
        setting, value = artifact_root(service)
        roots = [value, *map(str, rung.facts.get("artifact_roots") or ())]
        strange = next((scheme for root in roots if (scheme := _scheme(root)) not in STORED_BY), None)
        if strange is not None:
            wanted = "s3" if strange.startswith("s3") else "one that MLflow knows (s3, mlflow-artifacts, ...)"
            given = {"setting": setting or "the experiment's row", "scheme": strange, "wanted": wanted}
            yield diagnosis("uri-scheme-unsupported", str(rung.target), evidence=(rung.seq,), parameters=given)
            return


def _scheme(root: str) -> str:
    return root.partition("://")[0].lower() if "://" in root else ""


def _destination(service: Mapping[str, Any]) -> str:
    options, env = options_of(service), environment_of(service)
    return options.get("--artifacts-destination") or env.get("MLFLOW_ARTIFACTS_DESTINATION", "")


def _is_local(root: str) -> bool:
    return "://" not in root.replace("file://", "") and not root.startswith("mlflow-artifacts:")


def clients_are_sent_past_the_server(seen: Seen) -> Iterator[Diagnosis]:
    """A server that serves artifacts still names the store as the artifacts' root: clients without keys are sent there."""
    for rung in seen.broken("store.bucket"):
        server = rung.says("through")
        if rung.code != "credentials-missing" or not server or server == rung.position:
            continue
        service = seen.service(server)
        options = options_of(service)
        serves = "--no-serve-artifacts" not in options and (
            "--serve-artifacts" in options or bool(_destination(service))
        )
        if serves:
            given = {"service": server, "root": rung.says("bucket"), "target": rung.about}
            yield diagnosis("artifacts-not-proxied", server, evidence=(rung.seq,), parameters=given)


def keys_of_its_own_are_missing(seen: Seen) -> Iterator[Diagnosis]:
    """A store knows the key of none of its callers and was given none; a queue has lost the password that its callers send."""
    for rung in seen.broken("store.bucket", "store.objects"):
        if was_given_no_key(seen, rung):
            given = {"setting": list(KEYS)}
            yield diagnosis("setting-missing", str(rung.target), evidence=(rung.seq,), parameters=given)
    for rung in seen.broken("queue.login"):
        lost = _lost_password(seen, rung.target or "")
        if rung.target and lost and any(words in rung.message.lower() for words in NO_PASSWORD_THERE):
            yield diagnosis("setting-missing", rung.target, evidence=(rung.seq,), parameters={"setting": lost})


def was_given_no_key(seen: Seen, rung: Rung) -> bool:
    """Whether a store knows the key of none of its callers because its own settings hold none."""
    own = seen.environment(rung.target)
    alike = rung.target is not None and seen.odd_one(rung) == rung.target
    return rung.code == "InvalidAccessKeyId" and alike and bool(own) and not any(own.get(name) for name in OWN_KEYS)


def _lost_password(seen: Seen, service: str) -> str:
    """The setting that held a service's password when it was last ready and holds none now; empty where none did."""
    now = seen.environment(service)
    return next((name for name in _stood(seen, service) if re.search("PASS|AUTH", name) and not now.get(name)), "")


def _always(seen: Seen) -> bool:
    return bool(seen.services)


RULES = (
    Rule("an address is malformed", ("rung",), lambda seen: seen.rungs, address_is_malformed),
    Rule("a way to what is needed is missing", ("compose",), _always, way_is_missing),
    Rule("a server serves artifacts only", ("compose",), _always, serves_artifacts_only),
    Rule("artifacts lie in a folder", ("rung", "compose"), _always, artifacts_lie_locally),
    Rule("artifacts have a strange scheme", ("rung", "compose"), _always, artifacts_have_a_strange_scheme),
    Rule("clients are sent past the server", ("rung", "compose"), _always, clients_are_sent_past_the_server),
    Rule("keys of its own are missing", ("rung", "compose"), _always, keys_of_its_own_are_missing),
)
