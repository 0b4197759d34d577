"""Rules about what a dependency answers once it is reached: database, object store, queue, MLflow, other services."""

import re
from collections.abc import Callable, Iterator
from typing import Any

from reports.causes import Confidence, Diagnosis, diagnosis
from reports.rules.network import patch_of
from reports.rules.pressure import of_gateway
from reports.rules.processes import missing_settings
from reports.rules.seen import Rule, Rung, Seen, closest
from reports.rules.settings import was_given_no_key
from reports.wiring import BUCKET, Kind, assigned_by, environment_of, is_direct, settings_of

Parameters = dict[str, Any]

DATABASE_CODES = {
    "28P01": "database-password-wrong",
    "28000": "database-user-unknown",
    "3D000": "database-missing",
    "53300": "database-full",
    "full": "database-full",
    "53100": "database-disk-full",
    "57014": "database-timeout",
    "25P03": "database-timeout",
    "57P05": "database-timeout",
    "timeout": "database-timeout",
    "57P03": "database-starting",
    "3F000": "database-failing",
    "42501": "database-grants-missing",
    "25006": "database-read-only",
    "read-only": "database-read-only",
    "grants-missing": "database-grants-missing",
    "locked": "database-locked",
}
"""SQLSTATE (PostgreSQL, appendix A) or the rung's own code -> cause."""

OWN_TROUBLE = {"08", "53", "54", "55", "57", "58", "XX"}
"""Classes of SQLSTATE that tell of the server's own state, never of what was asked."""

STORE_CODES = {
    "InvalidAccessKeyId": "store-key-unknown",
    "SignatureDoesNotMatch": "store-secret-wrong",
    "AccessDenied": "store-access-denied",
    "ExpiredToken": "store-token-expired",
    "InvalidToken": "store-token-expired",
    "InvalidTokenId": "store-token-unknown",
    "InvalidSessionToken": "store-token-unknown",
    "RequestTimeTooSkewed": "clock-skewed",
    "AuthorizationHeaderMalformed": "store-region-wrong",
    "PermanentRedirect": "store-region-wrong",
    "InvalidRegion": "store-region-wrong",
    "XMinioStorageFull": "store-full",
    "XMinioAdminBucketQuotaExceeded": "store-full",
    "QuotaExceeded": "store-full",
    "XMinioServerNotInitialized": "store-failing",
}
"""S3 error code -> cause."""

QUEUE_CODES = {
    "WRONGPASS": "queue-password-wrong",
    "NOAUTH": "queue-password-missing",
    "NOPERM": "queue-access-denied",
    "OOM": "queue-memory-full",
    "MISCONF": "queue-cannot-persist",
    "READONLY": "queue-read-only",
    "DENIED": "queue-access-denied",
    "unknown-command": "queue-command-missing",
    "max-clients": "queue-clients-full",
}
"""Redis error code (the first word of its answer) -> cause."""


def _password_setting(seen: Seen, rung: Rung) -> str:
    """The setting that should hold the password: the one that is there, else one the log calls missing, else by the address."""
    known = rung.settings
    if known.get("password"):
        return known["password"]
    said = [name for name in missing_settings(seen, rung.position) if "PASS" in name]
    return next(iter(said), None) or (rung.setting if known.get("url") else rung.setting.replace("HOST", "PASSWORD"))


def password_is_not_set(seen: Seen) -> Iterator[Diagnosis]:
    """The database asks for a password and the caller's settings hold none."""
    for rung in seen.broken("database.login"):
        if rung.code == "password-missing":
            given = {"setting": _password_setting(seen, rung)}
            yield diagnosis("setting-missing", rung.position, evidence=(rung.seq,), parameters=given)
        elif rung.code == "setting-missing":
            given = {"setting": str(rung.facts.get("setting") or rung.reads("user"))}
            yield diagnosis("setting-missing", rung.position, evidence=(rung.seq,), parameters=given)


def database_refuses(seen: Seen) -> Iterator[Diagnosis]:
    """The database answers a login or a question with an error of its own."""
    for rung in seen.broken("database.login", "database.rights"):
        cause = _database_cause(seen, rung)
        if cause is None:
            continue
        given = _database_parameters(seen, rung)
        cause = "database-user-unknown" if cause == "database-password-wrong" and _user_is_odd(seen, rung) else cause
        part = {"database-user-unknown": "user", "database-missing": "database"}.get(cause, "password")
        given["setting"] = rung.reads(part)
        component = _at_fault(seen, rung, cause)
        patch = (
            patch_of(seen, component, given["setting"], given["database"], given["wanted"])
            if cause == "database-missing"
            else None
        )
        given["service"] = _accused(seen, rung, component)
        yield diagnosis(cause, component, evidence=_with_siblings(seen, rung), parameters=given, patch=patch)


FULL_DISK = re.compile(r"(?i)no space left on device|could not (?:write|extend|create) (?:init )?file")
"""How a database says that its disk is full where its SQLSTATE says no more than that something went wrong."""


def _database_cause(seen: Seen, rung: Rung) -> str | None:
    """What a database's SQLSTATE, or the rung's own code, says."""
    # the server's own routine tells its pg_hba.conf from a role that is not there, in any language
    if rung.code == "28000" and (rung.facts.get("routine") == "ClientAuthentication" or "pg_hba.conf" in rung.message):
        return "database-hba-refuses"
    # the tables are MLflow's: a caller that is not MLflow's server has no need of them
    others = seen.roles.get(rung.position) != "tracking" and any(one.ok for one in seen.siblings(rung))
    if rung.code == "grants-missing" and rung.facts.get("of_mlflow") and others:
        return None
    if rung.code[:2] in {"XX", "58"} and FULL_DISK.search(rung.message):
        return "database-disk-full"
    return DATABASE_CODES.get(rung.code) or ("database-failing" if rung.code[:2] in OWN_TROUBLE else None)


def _database_parameters(seen: Seen, rung: Rung) -> Parameters:
    full = DATABASE_CODES.get(rung.code) == "database-full"
    return {
        "target": rung.about,
        "user": rung.facts.get("user") or rung.says("user"),
        "database": rung.facts.get("database") or rung.says("database"),
        "wanted": _agreed(seen, rung, "database", "POSTGRES_DB"),
        "used": rung.facts.get("used") or "all",
        "limit": (rung.facts.get("limit") or "those that it may have")
        if full
        else ", ".join(rung.facts.get("timeouts") or ()) or rung.message,
        "lacking": rung.facts.get("lacking") or rung.message,
        "reason": rung.message,
        "code": rung.code,
    }


def _agreed(seen: Seen, rung: Rung, part: str, own: str) -> str:
    """What the target itself calls a part of the login, else what its other callers call it."""
    told = seen.setting(rung.target or "", own)
    there = [str(name) for name in rung.facts.get("databases") or ()] if part == "database" else []
    if there and told not in there:
        return closest(str(rung.facts.get("database") or ""), there) or (there[0] if len(there) == 1 else "")
    others = [link.says.get(part) for link in seen.links if link.target == rung.target and link.caller != rung.position]
    return told or next((value for value in others if value), "")


def _user_is_odd(seen: Seen, rung: Rung) -> bool:
    """Whether there is no such user: by the database's own log, which tells what it hides from callers, else by what all others name."""
    user, wanted = rung.facts.get("user") or rung.says("user"), _agreed(seen, rung, "user", "POSTGRES_USER")
    lines, _ = seen.log(rung.target or "")
    if any(f'authentication failed for user "{user}"' in line for line in lines):
        return any(f'Role "{user}" does not exist' in line for line in lines)
    return bool(user and wanted) and user != wanted


def _at_fault(seen: Seen, rung: Rung, cause: str) -> str:
    """The caller for what it names wrongly, the database for its own state."""
    state = {
        "database-full",
        "database-read-only",
        "database-starting",
        "database-grants-missing",
        "database-failing",
        "database-locked",
        "database-timeout",
        "database-disk-full",
        "database-hba-refuses",
    }
    if asked_for(rung, cause):
        return rung.position
    others = {*seen.having_role("database")} - {rung.target}
    if cause == "database-read-only" and rung.facts.get("replica") and others:
        # a standby is meant to take no writes: who writes is led to the wrong one
        return rung.position
    if rung.target and (cause in state or NO_LOGIN.search(rung.message)):
        return rung.target
    if rung.target and cause == "database-password-wrong" and seen.is_one_password(rung):
        return rung.target
    return seen.odd_one(rung)


def asked_for(rung: Rung, cause: str) -> bool:
    """Whether the caller itself asked for the sessions that it got: read-only, or in a hurry (pg_settings, source: client)."""
    by = {"database-read-only": [rung.facts.get("read_only_by")], "database-timeout": rung.facts.get("timeouts_by")}
    return bool(by.get(cause)) and set(by[cause] or ()) == {"client"}


NO_LOGIN = re.compile(r"(?i)not permitted to log ?in")
"""What Postgres says of a role that is there and may not log in: nothing that a caller could name differently."""


def _accused(seen: Seen, rung: Rung, component: str) -> str | list[str]:
    """The caller; where the target is at fault all callers that it fails alike."""
    alike = [one.position for one in seen.siblings(rung) if one.code == rung.code]
    return sorted({rung.position, *alike}) if component == rung.target and alike else rung.position


def _with_siblings(seen: Seen, rung: Rung) -> tuple[int, ...]:
    return (rung.seq, *(one.seq for one in seen.siblings(rung)))


def schema_does_not_fit(seen: Seen) -> Iterator[Diagnosis]:
    """The revision in the database is not the head of the migrations in the tracking server's own image."""
    causes = {
        "older": "schema-older",
        "newer": "schema-newer",
        "unstamped": "schema-inconsistent",
        "incomplete": "schema-inconsistent",
        "stamps": "schema-inconsistent",
        "half-done": "schema-inconsistent",
        "narrow": "schema-inconsistent",
        "strange": "schema-inconsistent",
        "empty": "schema-missing",
    }
    for rung in seen.broken("database.schema"):
        if seen.roles.get(rung.position) != "tracking" or rung.code not in causes:
            continue
        if rung.code != "newer" and seen.is_overtaken(rung):
            continue
        # tables are made by the server's first start: before it they are rightly not there
        if rung.code == "empty" and not seen.is_healthy(rung.position):
            continue
        if rung.code == "empty" and not _is_read(seen, rung):
            missed = {"setting": STORE_SETTING}
            yield diagnosis("setting-missing", rung.position, evidence=(rung.seq,), parameters=missed)
            continue
        facts = rung.facts
        given = {
            "target": rung.about,
            "service": rung.position,
            "database": facts.get("database"),
            "found": facts.get("found") or ["none"],
            "head": facts.get("heads"),
            "reason": rung.message,
        }
        component = rung.position if rung.code == "newer" else rung.target or rung.position
        yield diagnosis(causes[rung.code], component, evidence=(rung.seq,), parameters=given)


STORE_SETTING = "MLFLOW_BACKEND_STORE_URI"
STORE_SETTINGS = frozenset(
    {STORE_SETTING, "--backend-store-uri", "MLFLOW_REGISTRY_STORE_URI", "--registry-store-uri", "MLFLOW_TRACKING_URI"}
)
"""By which MLflow's server is told of its database (mlflow/cli/__init__.py); of a variable by another name it knows nothing."""


def _is_read(seen: Seen, rung: Rung) -> bool:
    """Whether a server is led to a database by a setting that MLflow reads, or by one that its command hands on."""
    led = (link.setting for link in seen.links if (link.caller, link.target) == (rung.position, rung.target))
    return not STORE_SETTINGS.isdisjoint(led)


KEY_FILES = {"AWS_SHARED_CREDENTIALS_FILE", "AWS_CONFIG_FILE", "AWS_PROFILE", "AWS_WEB_IDENTITY_TOKEN_FILE"}
"""Settings by which keys come from a file (botocore), which is there as long as the container is."""


def store_keys_are_not_set(seen: Seen) -> Iterator[Diagnosis]:
    """A caller goes to the object store and its settings hold no keys for it."""
    for rung in seen.broken("store.bucket"):
        if rung.code != "credentials-missing":
            continue
        server = seen.service(rung.position)
        # what its own wrapper sets is seen in its process alone, and one that never ran or has ended has none
        missing = [
            name for name in rung.facts.get("missing") or ["AWS_ACCESS_KEY_ID"] if name not in assigned_by(server)
        ]
        by_file = KEY_FILES & (environment_of(server).keys() | assigned_by(server))
        state = seen.containers.get(rung.position)
        if not missing or (by_file and (state is None or state.status != "running")):
            continue
        # a server whose clients go to the store themselves needs keys only to delete
        idle = seen.roles.get(rung.position) == "tracking" and is_direct(server)
        sure = Confidence.LIKELY if idle else Confidence.PROVEN
        yield diagnosis(
            "setting-missing", rung.position, evidence=(rung.seq,), parameters={"setting": missing}, confidence=sure
        )


OTHERS_MATTER = frozenset(
    {"NoSuchBucket", "credentials-missing", "not-the-service", "silent", "refused", "closed", "host-unknown", "tls"}
)
"""Codes of a store's rungs that other rules read."""


def store_refuses(seen: Seen) -> Iterator[Diagnosis]:
    """The object store answers with an error of its own."""
    for rung in seen.broken("store.bucket", "store.objects"):
        of_another = rung.code.startswith("status-") and seen.roles.get(rung.target or "") != "object-store"
        if rung.code in OTHERS_MATTER or of_another or was_given_no_key(seen, rung):
            continue
        cause = STORE_CODES.get(rung.code, "store-failing")
        part = {"store-key-unknown": "key", "store-secret-wrong": "secret"}.get(cause, "key")
        given = {
            "service": rung.position,
            "target": rung.about,
            "setting": rung.reads(part),
            "bucket": rung.facts.get("bucket"),
            "operation": rung.facts.get("operation"),
            "region": rung.facts.get("region"),
            "wanted": rung.facts.get("region_there"),
            "seconds": rung.facts.get("clock_skew"),
            "code": rung.code,
        }
        component = (rung.target or rung.position) if cause in {"store-full", "store-failing"} else seen.odd_one(rung)
        given["service"] = _accused(seen, rung, component)
        yield diagnosis(cause, component, evidence=_with_siblings(seen, rung), parameters=given)


def bucket_is_not_there(seen: Seen) -> Iterator[Diagnosis]:
    """A bucket that settings name does not exist: they name another than the rest, or it was not made, or elsewhere, or is gone."""
    for rung in seen.broken("store.bucket", "store.objects"):
        bucket, setting = str(rung.facts.get("bucket") or rung.says("bucket")), rung.says("bucket_setting")
        if rung.code != "NoSuchBucket" or not bucket or _is_taken_for_a_bucket(seen, rung):
            continue
        holder = rung.says("through") or rung.position
        named = buckets_named(seen)
        stores = {link.caller: link.target for link in seen.links if link.kind is Kind.STORE}
        here = {
            name: {user for user in users if stores.get(user, rung.target) == rung.target}
            for name, users in named.items()
        }
        others = [name for name, users in here.items() if name != bucket and users - {holder}]
        there = [name for name in rung.facts.get("buckets") or () if name in others]
        wanted = next(iter(there or others), "")
        given: Parameters = {"bucket": bucket, "target": rung.about, "setting": setting, "wanted": wanted}
        makers = sorted(named.get(bucket, set()) - here.get(bucket, set()))
        elsewhere = [name for name in makers if seen.is_one_shot(name) and seen.ended_well(name)]
        if elsewhere:
            yield diagnosis("bucket-missing", elsewhere[0], evidence=(rung.seq,), parameters=given)
        elif wanted:
            patch = _bucket_patch(seen, holder, setting, bucket, wanted)
            yield diagnosis("bucket-wrong", holder, evidence=(rung.seq,), parameters=given, patch=patch)
        elif not any(seen.is_one_shot(name) and not seen.ended_well(name) for name in named.get(bucket, ())):
            component = rung.target or holder
            yield diagnosis("bucket-missing", component, evidence=(rung.seq,), parameters=given)


def _is_taken_for_a_bucket(seen: Seen, rung: Rung) -> bool:
    """Whether a store takes the host by which it is asked for a bucket's own (MinIO, MINIO_DOMAIN: virtual-host style requests)."""
    zones = seen.setting(rung.target or "", "MINIO_DOMAIN").split(",")
    return any(zone and str(rung.link.get("host")).endswith(f".{zone.strip()}") for zone in zones)


def host_is_taken_for_a_bucket(seen: Seen) -> Iterator[Diagnosis]:
    """A store finds no bucket, since its own domain makes the first word of its host's name one."""
    for rung in seen.broken("store.bucket", "store.objects"):
        if rung.target and rung.code in {"NoSuchBucket", "NoSuchKey"} and _is_taken_for_a_bucket(seen, rung):
            reason = f"{rung.link.get('host')} lies below it, so that its first word is taken for a bucket's name"
            given = {"setting": "MINIO_DOMAIN", "reason": reason}
            patch = {"services": {rung.target: {"environment": {"MINIO_DOMAIN": ""}}}}
            yield diagnosis("setting-invalid", rung.target, evidence=(rung.seq,), parameters=given, patch=patch)


def buckets_named(seen: Seen) -> dict[str, set[str]]:
    """Bucket -> the services whose own settings name it."""
    named: dict[str, set[str]] = {}
    for name, service in seen.services.items():
        for (_, setting), value in settings_of(service).items():
            found = BUCKET.search(value)
            bucket = found["bucket"] if found else value if setting.endswith(("BUCKET", "BUCKET_NAME")) else ""
            if bucket:
                named.setdefault(bucket, set()).add(name)
    return named


def _bucket_patch(seen: Seen, holder: str, setting: str, bucket: str, wanted: str) -> dict[str, Any] | None:
    if not setting.startswith("--"):
        return patch_of(seen, holder, setting, bucket, wanted)
    command = seen.service(holder).get("command")
    if not isinstance(command, list) or any("[redacted]" in str(word) for word in command):
        return None
    return {
        "services": {holder: {"command": [str(word).replace(f"s3://{bucket}", f"s3://{wanted}") for word in command]}}
    }


def queue_refuses(seen: Seen) -> Iterator[Diagnosis]:
    """The queue answers with an error of its own."""
    for rung in seen.broken("queue.login", "queue.write"):
        cause = _queue_cause(rung)
        if cause is None:
            continue
        given = {
            "service": rung.position,
            "target": rung.about,
            "setting": rung.reads("password"),
            "limit": rung.facts.get("maxmemory"),
            "operation": "come from another machine"
            if rung.code == "DENIED"
            else rung.facts.get("command") or rung.message,
            "command": rung.facts.get("command"),
            "code": rung.code,
        }
        component = _queue_at_fault(seen, rung, cause)
        given["service"] = _accused(seen, rung, component)
        yield diagnosis(cause, component, evidence=_with_siblings(seen, rung), parameters=given)


QUEUE_STATE = {
    "queue-memory-full",
    "queue-cannot-persist",
    "queue-clients-full",
    "queue-failing",
    "queue-command-missing",
}
"""What a queue is or was told, whoever asks."""


def _queue_at_fault(seen: Seen, rung: Rung, cause: str) -> str:
    """The queue for its own state and its own users' rights; the caller where another queue, or another user, serves others well."""
    if cause == "queue-read-only":
        others = {link.target for link in seen.links if link.kind is Kind.QUEUE and link.target}
        elsewhere = {*others, *seen.having_role("queue")} - {rung.target}
        return rung.position if elsewhere or not rung.target else rung.target
    if cause == "queue-access-denied":
        users = {str(one.facts.get("user")) for one in seen.siblings(rung) if one.ok}
        return rung.position if users - {str(rung.facts.get("user"))} or not rung.target else rung.target
    if cause in QUEUE_STATE or (cause == "queue-password-wrong" and seen.is_one_password(rung)):
        return rung.target or rung.position
    return seen.odd_one(rung)


def _queue_cause(rung: Rung) -> str | None:
    if rung.code != "ERR":
        known = {
            "silent",
            "refused",
            "closed",
            "not-the-service",
            "host-unknown",
            "setting-missing",
            "unreachable",
            "tls",
        }
        return QUEUE_CODES.get(rung.code, None if rung.code in known else "queue-failing")
    said = rung.message.lower()
    if "auth" in said and "password" in said:
        return "queue-password-wrong"
    if "max number of clients" in said:
        return "queue-clients-full"
    return "queue-database-wrong" if "db index" in said else "queue-failing"


def connection_is_dropped(seen: Seen) -> Iterator[Diagnosis]:
    """A service takes the connection and then closes it, or never answers on it."""
    for rung in seen.broken("database.login", "queue.login", "store.bucket", "tracking.read", "http.get"):
        if rung.code in {"closed", "silent"} and rung.target:
            given = {
                "setting": rung.setting,
                "host": rung.link.get("host"),
                "port": rung.link.get("port"),
                "service": rung.position,
            }
            yield diagnosis(
                "port-silent",
                rung.target,
                evidence=(rung.seq,),
                parameters=given,
                layer=seen.layer_of(rung.target),
                confidence=Confidence.LIKELY,
            )


TRACKING_RUNGS = ("tracking.read", "tracking.write", "tracking.large", "tracking.artifacts")


def tracking_refuses(seen: Seen) -> Iterator[Diagnosis]:
    """MLflow, or what stands before it, answers reading or writing with an error, and no rule about what it rests on says why."""
    for rung in seen.broken(*TRACKING_RUNGS):
        if not _is_mlflow(rung) and seen.roles.get(rung.target or "") in OWN_ROLES:
            wrong = {"setting": rung.setting, "host": rung.link.get("host"), "port": rung.link.get("port")}
            given = {**wrong, "wanted": "an MLflow server"}
            yield diagnosis("not-the-service", rung.position, evidence=(rung.seq,), parameters=given)
            continue
        cause = _tracking_cause(seen, rung)
        if cause is None:
            continue
        target = rung.target or rung.about
        callers = {"tracking-unauthorised", "endpoint-not-known", "response-not-json"}
        given = {
            "service": rung.position if cause in callers else target,
            "target": target,
            "status": rung.facts.get("status"),
            "reason": rung.message[:200],
            "media": rung.facts.get("media") or rung.facts.get("location"),
            "path": rung.facts.get("path"),
            "request": f"{rung.facts.get('method') or ''} {rung.facts.get('path') or ''}".strip(),
            "size": 250_000,
        }
        consumer = cause == "tracking-unauthorised" or (
            cause == "response-not-json" and not is_between(seen, rung.target)
        )
        component = rung.position if consumer or rung.target is None else rung.target
        sure = Confidence.UNKNOWN if cause == "tracking-failing" else Confidence.PROVEN
        yield diagnosis(cause, component, evidence=(rung.seq,), parameters=given, confidence=sure)


def is_between(seen: Seen, target: str | None) -> bool:
    """Whether what is asked for MLflow is a service of the deployment that is not the tracking server itself: a proxy before it."""
    return target is not None and seen.roles.get(target) not in {"tracking", *OWN_ROLES}


OWN_ROLES = frozenset({"database", "object-store", "queue", "registry", "job"})
"""Roles that are no tracking server's and no proxy's: whoever asks such a service for MLflow has the wrong address."""


def _is_mlflow(rung: Rung) -> bool:
    """Whether MLflow itself answered: its errors are JSON with a code of its own."""
    return bool(rung.facts.get("error_code"))


SAID = {"artifacts-only": "artifacts-only", "serve-artifacts": "artifacts-refused"}
"""The option that MLflow names in its own refusal -> cause."""

STATUSES = {401: "tracking-unauthorised", 413: "body-too-large", 502: "gateway-failing", 504: "gateway-failing"}
"""Status of an answer that is not MLflow's own -> cause."""


def _tracking_cause(seen: Seen, rung: Rung) -> str | None:
    if rung.code in {"path-prefix", "answer-differs", "content-differs", "search-differs"}:
        return None
    said = next((cause for words, cause in SAID.items() if words in rung.message), None)
    if rung.code == "not-json" or said:
        return said or "response-not-json"
    status = int(rung.facts.get("status") or 0)
    if _is_mlflow(rung):
        return "tracking-failing" if status >= 400 else None
    cause = STATUSES.get(status) or _by_class(status, between=is_between(seen, rung.target))
    return of_gateway(seen, rung.target, cause) if cause else None


def _by_class(status: int, *, between: bool) -> str | None:
    """What a status means that no MLflow sent: a redirect, a refusal, a server's failure."""
    if status >= 500:
        return "gateway-failing" if status == 503 and between else "tracking-failing"
    if status >= 400:
        return "request-refused" if between or status != 404 else "endpoint-not-known"
    return "response-not-json" if status >= 300 else None


def dependency_answers_badly(seen: Seen) -> Iterator[Diagnosis]:
    """Another service that the deployment calls answers with a server's error."""
    for rung in seen.broken("http.get"):
        if rung.code.startswith("status-"):
            given = {
                "service": rung.position,
                "target": rung.about,
                "status": rung.facts.get("status"),
                "setting": rung.setting,
            }
            yield diagnosis("dependency-failing", rung.target or rung.position, evidence=(rung.seq,), parameters=given)


def dependency_turns_away(seen: Seen) -> Iterator[Diagnosis]:
    """The registry calls its external API ill, and that one answers its callers' question with a refusal: of who asks, or of what is asked."""
    unwell = seen.called_ill("external_api")
    asked = [rung for rung in seen.rungs if rung.name == "http.get" and rung.ok and "EXTERNAL" in rung.setting.upper()]
    for rung in asked if unwell else ():
        status = int(rung.facts.get("status") or 0)
        if status >= 300:
            login = status in {401, 403, 407}
            given = {"service": rung.position, "target": rung.about, "status": status, "setting": rung.setting}
            yield diagnosis(
                "http-unauthorised" if login else "dependency-failing",
                rung.position if login else rung.target or rung.position,
                evidence=(rung.seq, *(check.seq for check in unwell)),
                parameters=given,
                confidence=Confidence.PROVEN if login else Confidence.LIKELY,
                explains=tuple(check.nodeid for check in unwell),
            )


def _about(kind: Kind) -> Callable[[Seen], bool]:
    def applies(seen: Seen) -> bool:
        return any(rung.link.get("kind") == kind for rung in seen.rungs)

    return applies


RULES = (
    Rule("a database password is not set", ("rung",), _about(Kind.DATABASE), password_is_not_set),
    Rule("a database refuses", ("rung",), _about(Kind.DATABASE), database_refuses),
    Rule("a schema does not fit", ("rung",), _about(Kind.DATABASE), schema_does_not_fit),
    Rule("store keys are not set", ("rung",), _about(Kind.STORE), store_keys_are_not_set),
    Rule("a store refuses", ("rung",), _about(Kind.STORE), store_refuses),
    Rule("a bucket is not there", ("rung",), _about(Kind.STORE), bucket_is_not_there),
    Rule("a host is taken for a bucket", ("rung",), _about(Kind.STORE), host_is_taken_for_a_bucket),
    Rule("a queue refuses", ("rung",), _about(Kind.QUEUE), queue_refuses),
    Rule("a dependency turns away", ("rung",), _about(Kind.HTTP), dependency_turns_away),
)
FALLBACKS = (
    Rule("a connection is dropped", ("rung",), lambda seen: seen.rungs, connection_is_dropped),
    Rule("MLflow refuses", ("rung",), _about(Kind.TRACKING), tracking_refuses),
    Rule("a dependency answers badly", ("rung",), _about(Kind.HTTP), dependency_answers_badly),
)
