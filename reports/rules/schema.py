"""Rules about what a database holds and how it serves: its numbers, triggers and room, and what MLflow, its client and its experiments make of it."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from reports.causes import Confidence, Diagnosis, diagnosis
from reports.rules.dependencies import asked_for, buckets_named, is_between
from reports.rules.processes import last_words
from reports.rules.seen import Rule, Rung, Seen
from reports.wiring import BUCKET, URL, Kind, artifact_root, service_at

Parameters = dict[str, Any]

DRIVER = re.compile(r"\b(?:psycopg\d?|asyncpg|pg8000)[\w.]*\.(?P<name>\w+)\)?:?\s*(?P<words>[^\n\[]*)")
"""How a driver's error reads in what MLflow, SQLAlchemy or Python pass on: its class, and the server's words."""

WORDS = (
    ("database-full", re.compile(r"(?i)too many (?:clients|connections)|connection slots are reserved")),
    ("database-disk-full", re.compile(r"(?i)no space left on device|disk full|could not extend file")),
    ("database-hba-refuses", re.compile(r"(?i)pg_hba\.conf")),
    ("database-timeout", re.compile(r"(?i)(?:statement|transaction|idle[\w-]*) timeout")),
    ("database-read-only", re.compile(r"(?i)read-only transaction|recovery is in progress")),
    ("database-starting", re.compile(r"(?i)database system is (?:starting up|shutting down|not yet accepting)")),
    ("database-failing", re.compile(r"(?i)not (?:currently )?accepting connections|terminating connection")),
)
"""Where the class says only that the database failed: the server's own words, by class."""

SQL_ERRORS = {
    "UndefinedTable": "schema-inconsistent",
    "UndefinedColumn": "schema-inconsistent",
    "DuplicateTable": "schema-inconsistent",
    "DuplicateColumn": "schema-inconsistent",
    "InsufficientPrivilege": "database-grants-missing",
    "ReadOnlySqlTransaction": "database-read-only",
    "UndefinedFunction": "schema-inconsistent",
    "UndefinedObject": "schema-inconsistent",
    "DatatypeMismatch": "schema-inconsistent",
    "StringDataRightTruncation": "schema-inconsistent",
    "InvalidColumnReference": "schema-inconsistent",
    "NumericValueOutOfRange": "schema-inconsistent",
    "TooManyConnections": "database-full",
    "LockNotAvailable": "database-locked",
    "DeadlockDetected": "database-locked",
    "QueryCanceled": "database-timeout",
    "IdleInTransactionSessionTimeout": "database-timeout",
    "IdleSessionTimeout": "database-timeout",
    "TransactionTimeout": "database-timeout",
    "RaiseException": "database-trigger",
    "DiskFull": "database-disk-full",
    "OutOfMemory": "database-failing",
    "DataCorrupted": "database-failing",
    "IndexCorrupted": "database-failing",
    "InternalError_": "database-failing",
    "SequenceGeneratorLimitExceeded": "database-failing",
    "ConfigurationLimitExceeded": "database-failing",
    "ProgramLimitExceeded": "database-failing",
    "StatementTooComplex": "database-failing",
    "IoError": "database-failing",
    "SystemError": "database-failing",
    "AdminShutdown": "database-failing",
    "CrashShutdown": "database-failing",
    "CannotConnectNow": "database-starting",
    "InvalidCatalogName": "database-missing",
    "InvalidSchemaName": "schema-missing",
    "InvalidTextRepresentation": "schema-inconsistent",
    "NotNullViolation": "schema-inconsistent",
    "CheckViolation": "schema-inconsistent",
    "GeneratedAlways": "schema-inconsistent",
}
"""The driver's class of a database's error (psycopg2.errors, named by SQLSTATE) as MLflow passes it on -> cause."""

PASSING = frozenset(
    {
        "InFailedSqlTransaction",
        "UniqueViolation",
        "ForeignKeyViolation",
        "SerializationFailure",
        "Error",
        "Warning",
        "InterfaceError",
        "DatabaseError",
        "OperationalError",
        "InternalError",
        "ProgrammingError",
        "DataError",
        "IntegrityError",
        "NotSupportedError",
    }
)
"""Classes that tell of what came before, or of what was asked, and the bare ones of PEP 249, which tell nothing of the database."""

STORED = frozenset(
    {
        "lookup-wrong",
        "registered-not",
        "registered-twice",
        "metadata-dropped",
        "metadata-cut",
        "metadata-changed",
        "answer-value-wrong",
        "lineage-wrong",
        "promote-wrong",
    }
)
"""What checks state where something that was written does not come back as it was written."""


ANNOUNCED = STORED | {"not-delivered", "not-queued", "delivered-twice", "idempotency-key-not-kept"}
"""The same of what a service keeps in tables of its own: what it has yet to announce, beside the rest."""


@dataclass(frozen=True)
class Error:
    """A database's error as one of its callers passes it on."""

    name: str
    words: str
    caller: str
    seq: int

    @property
    def cause(self) -> str | None:
        """The cause that its class names, else the one that the server's words do; a class that is not known tells at least that the database refuses."""
        by_words = next((cause for cause, form in WORDS if form.search(self.words)), None)
        is_bare = self.name in PASSING or not self.name[:1].isupper()
        return SQL_ERRORS.get(self.name) or by_words or (None if is_bare else "database-failing")


def errors_of(seen: Seen) -> Iterator[Error]:
    """Every error of a database that was passed on: to a rung, to a failed check, or by a process as it ended."""
    server, registry = seen.of_role("tracking") or "", seen.of_role("registry") or ""
    for rung in seen.rungs:
        if not rung.ok and rung.name.startswith("tracking."):
            yield from _errors_in(rung.message, server, rung.seq)
    for check in seen.failed:
        yield from _errors_in(check.message or "", server, check.seq)
        for event in seen.bundle.events:
            if event.seq in check.evidence and event.kind == "probe":
                error = (event.response or {}).get("error") or {}
                for told in (error, *(error.get("chain") or ())):
                    yield from _errors_in(str(told.get("message") or ""), server, event.seq)
                    if told.get("type") in SQL_ERRORS:
                        yield Error(str(told["type"]), " ".join(str(told.get("message")).split()), registry, event.seq)
    for name, state in seen.gone.items():
        lines, seq = seen.log(name)
        if state.exit_code not in {0, 137, 143}:
            yield from _errors_in(last_words(lines), name, seq or state.seq)


def _errors_in(text: str, caller: str, seq: int) -> Iterator[Error]:
    for found in DRIVER.finditer(text):
        yield Error(found["name"], found["words"].strip(), caller, seq)


def _behind(seen: Seen, rung: Rung) -> tuple[str, str]:
    """The tracking server that a rung asked, whatever stands before it, and its database; itself where none is known."""
    direct = rung.target if rung.target and not is_between(seen, rung.target) else None
    server = direct or seen.of_role("tracking") or rung.position
    return server, seen.database_of(server) or server


def database_fails_its_callers(seen: Seen) -> Iterator[Diagnosis]:
    """A caller passes on an error of its database, by the driver's class or the server's words."""
    for error in errors_of(seen):
        target = seen.database_of(error.caller)
        if error.cause is None or target is None:
            continue
        rights = [rung for rung in seen.rungs if rung.name == "database.rights" and rung.about == target]
        facts = rights[-1].facts if rights else {}
        own = next((rung for rung in rights if rung.position == error.caller), None)
        words = error.words[:160]
        given: Parameters = {
            "target": target,
            "service": error.caller,
            "reason": words,
            "code": error.name,
            "database": target,
            "lacking": words,
            "used": facts.get("used"),
            "limit": facts.get("limit") or words,
            "table": _table_in(words) or "a table",
        }
        # the server itself says so, and nothing else reads like it
        sure = Confidence.PROVEN if error.cause in {"database-full", "database-disk-full"} else Confidence.LIKELY
        component = error.caller if own is not None and asked_for(own, error.cause) else target
        yield diagnosis(error.cause, component, evidence=(error.seq,), parameters=given, confidence=sure)


def _table_in(words: str) -> str:
    found = re.search(r'(?:relation|table) "?(?P<table>\w+)', words)
    return found["table"] if found else ""


def sequence_lies_behind(seen: Seen) -> Iterator[Diagnosis]:
    """The number that a sequence gives next is no larger than the largest that its column holds."""
    for rung in seen.rungs:
        for one in rung.facts.get("behind") or () if rung.name == "database.rows" else ():
            given = {"table": one.get("table"), "target": rung.about, "path": one.get("table"), "reason": rung.message}
            component = rung.target or rung.position
            yield diagnosis("database-sequence-behind", component, evidence=(rung.seq,), parameters=given)


def trigger_acts(seen: Seen) -> Iterator[Diagnosis]:
    """A trigger or rule on one of MLflow's tables, or of a caller's own, refuses, drops or changes what is written; proven where just that was seen to happen."""
    raised = [error for error in errors_of(seen) if error.name == "RaiseException"]
    for rung in seen.rungs:
        for one in rung.facts.get("triggers") or () if rung.name == "database.rows" else ():
            told: list[int] = [error.seq for error in raised]
            of_mlflow = one.get("of_mlflow", True)
            if one.get("does") != "refuses":
                told = [fact.check.seq for fact in seen.facts if fact.cause in (STORED if of_mlflow else ANNOUNCED)]
            given = {
                "table": one.get("table"),
                "target": rung.about,
                "service": (seen.of_role("tracking") if of_mlflow else None) or rung.position,
                "path": one.get("table"),
            }
            yield diagnosis(
                "database-trigger",
                rung.target or rung.position,
                evidence=(rung.seq, *told),
                parameters=given,
                confidence=Confidence.PROVEN if told else Confidence.LIKELY,
            )


def experiment_is_deleted(seen: Seen) -> Iterator[Diagnosis]:
    """The experiment to which a service logs, by its own settings or as the default, is deleted or not there."""
    for rung in seen.broken("tracking.experiment"):
        if rung.code == "experiment-deleted":
            _, component = _behind(seen, rung)
            given = {"experiment": rung.facts.get("experiment"), "service": rung.position, "target": rung.about}
            yield diagnosis("experiment-deleted", component, evidence=(rung.seq,), parameters=given)


def experiment_lies_elsewhere(seen: Seen) -> Iterator[Diagnosis]:
    """The experiment to which a service logs keeps its artifacts in a bucket that nothing of the deployment names and its store does not have."""
    named = buckets_named(seen)
    listed = [rung for rung in seen.rungs if rung.name.startswith("store.") and rung.facts.get("buckets")]
    there = {str(bucket) for rung in listed for bucket in rung.facts["buckets"]}
    for rung in seen.rungs:
        found = BUCKET.match(str(rung.facts.get("artifact_location") or ""))
        if rung.name != "tracking.experiment" or not found or found["bucket"] in {*named, *there} or not named:
            continue
        server, component = _behind(seen, rung)
        root = BUCKET.search(artifact_root(seen.service(server))[1])
        store = next((link.target for link in seen.links if link.kind is Kind.STORE and link.target), None)
        given = {
            "setting": f"experiment {rung.facts.get('experiment')}",
            "service": component,
            "bucket": found["bucket"],
            "target": store or "the store",
            "wanted": root["bucket"] if root else next(iter(named)),
        }
        yield diagnosis(
            "bucket-wrong",
            component,
            evidence=(rung.seq, *(one.seq for one in listed[:1])),
            parameters=given,
            layer="data",
            confidence=Confidence.PROVEN if there else Confidence.LIKELY,
        )


def versions_differ(seen: Seen) -> Iterator[Diagnosis]:
    """The tracking server and the client in its caller's image are of different versions: the one that is not the expected is wrong."""
    event = seen.bundle.last("checklist")
    expected = str(((event.response.get("expected") or {}) if event else {}).get("mlflow") or "")
    for rung in seen.rungs:
        there, here = str(rung.facts.get("version") or ""), str(rung.facts.get("client") or "")
        if rung.name != "tracking.read" or not _is_version(there) or not _is_version(here) or there == here:
            continue
        if not expected and there.split(".", maxsplit=1)[0] == here.split(".", maxsplit=1)[0]:
            continue
        server, _ = _behind(seen, rung)
        told = {server: there, rung.position: here}
        for service, found in told.items():
            # of a caller that ended its own last words tell more
            if found == expected or service in seen.gone or (not expected and service != server):
                continue
            given = {"service": service, "expected": expected or here, "found": found}
            sure = Confidence.PROVEN if expected else Confidence.LIKELY
            yield diagnosis(
                "version-wrong", service, evidence=(rung.seq,), parameters=given, layer="image", confidence=sure
            )


def _is_version(text: str) -> bool:
    return re.fullmatch(r"\d+\.\d+[\w.+-]*", text) is not None


UNANSWERED = re.compile(
    r"(?i)read timed out|timed out|timeout|remote end closed|connection aborted|connection reset|remotedisconnected"
    r"|too many 5\d\d error|5\d\d server error|internal server error|\b50[034]\b|incompleteread|badstatusline"
)
"""How clients say that a server answered a call with nothing, with a bare failure, or not in time."""

ADDRESS = re.compile(r"https?://[^\s'\")]+|host='(?P<host>[^']+)', port=(?P<port>\d+)")


def server_fails_one_call(seen: Seen) -> Iterator[Diagnosis]:
    """A check failed because a call of the tracking server was answered by nothing or a bare failure: it lies there, and why is not known."""
    for check in seen.failed:
        for text, seq in _said(seen, check.evidence, check.message or "", check.seq):
            server = next((name for name in _addressed(seen, text) if seen.roles.get(name) == "tracking"), None)
            if server is None or not UNANSWERED.search(text) or DRIVER.search(text):
                continue
            yield diagnosis(
                "unknown",
                server,
                evidence=(check.seq, seq),
                parameters={"seen": " ".join(text.split())[:200]},
                confidence=Confidence.UNKNOWN,
                explains=(check.nodeid,),
            )
            break


NOT_KNOWN = re.compile(r"API request to endpoint (?P<path>/\S+) failed with error code (?P<status>404|405|501)\b")
"""How MLflow's client says that a route was answered with a bare refusal; MLflow's own answers hold an error of its own (mlflow.utils.rest_utils)."""


def endpoint_is_not_known(seen: Seen) -> Iterator[Diagnosis]:
    """A call of the client in the registry's image failed because the tracking server itself has no such route."""
    callers = [
        link for link in seen.links if link.kind is Kind.TRACKING and seen.roles.get(link.target or "") == "tracking"
    ]
    for check in seen.failed if callers else ():
        for text, seq in _said(seen, check.evidence, check.message or "", check.seq):
            if found := NOT_KNOWN.search(text):
                server, caller = str(callers[0].target), callers[0].caller
                given = {"target": server, "service": caller, "path": found["path"]}
                yield diagnosis("endpoint-not-known", server, evidence=(check.seq, seq), parameters=given)
                break


def search_finds_too_little(seen: Seen) -> Iterator[Diagnosis]:
    """The tracking server does not find by searching what it made and gives by name: why is not known, but it lies there."""
    for rung in seen.broken("tracking.write"):
        if rung.code == "search-differs":
            server, _ = _behind(seen, rung)
            yield diagnosis(
                "unknown",
                server,
                evidence=(rung.seq,),
                parameters={"seen": rung.message},
                confidence=Confidence.UNKNOWN,
                explains=tuple(check.nodeid for check in seen.failed),
            )


def _said(seen: Seen, cited: tuple[int, ...], message: str, seq: int) -> Iterator[tuple[str, int]]:
    """What the errors say that a check cites, innermost first, and then the check itself."""
    for event in seen.bundle.events:
        if event.seq in cited and event.kind in {"probe", "http"} and isinstance(event.response, Mapping):
            error = event.response.get("error") or {}
            for told in (*reversed(error.get("chain") or ()), error) if isinstance(error, Mapping) else ():
                yield f"{told.get('type')}: {told.get('message')}", event.seq
    yield message, seq


def _addressed(seen: Seen, text: str) -> Iterator[str]:
    """The services whose addresses a text names."""
    for found in ADDRESS.finditer(text):
        match = URL.match(found[0])
        name = service_at(found["host"] or (match["host"] if match else ""), seen.services)
        if name:
            yield name


def _asked_of(name: str) -> Any:
    return lambda seen: any(rung.name == name for rung in seen.rungs)


RULES = (
    Rule("a sequence lies behind", ("rung",), _asked_of("database.rows"), sequence_lies_behind),
    Rule("a trigger acts on MLflow's tables", ("rung",), _asked_of("database.rows"), trigger_acts),
    Rule("an experiment is deleted", ("rung",), _asked_of("tracking.experiment"), experiment_is_deleted),
    Rule("an experiment lies elsewhere", ("rung",), _asked_of("tracking.experiment"), experiment_lies_elsewhere),
    Rule("MLflow's versions differ", ("rung",), _asked_of("tracking.read"), versions_differ),
    Rule("an endpoint is not known", ("check", "compose"), lambda seen: seen.failed, endpoint_is_not_known),
)
FALLBACKS = (
    Rule(
        "a database fails its callers", ("compose",), lambda seen: seen.failed or seen.gone, database_fails_its_callers
    ),
    Rule("a server fails one call", ("check",), lambda seen: seen.failed, server_fails_one_call),
    Rule("a search finds too little", ("rung",), _asked_of("tracking.write"), search_finds_too_little),
)
