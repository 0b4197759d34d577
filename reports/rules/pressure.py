"""Rules about what a service is given to live on: sound data, a folder and room to write, processor, processes, files, time."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from reports.causes import Confidence, Diagnosis, diagnosis
from reports.rules.processes import file_is_missing_or_closed, last_words
from reports.rules.seen import PASSING, Container, Rule, Rung, Seen
from reports.wiring import environment_of, words_of

LOGINS = frozenset({"database.login", "queue.login", "store.bucket"})
"""The first rung in each protocol of a store."""

STORES = {"database", "object-store", "queue"}
"""Roles of services that live by their data."""

BROKEN = re.compile(
    r"(?i)corrupt|damaged|malformed|bad (?:file )?format|bad magic|wrong (?:magic|signature|checksum|crc)"
    r"|invalid (?:magic|checkpoint|primary|secondary|page|record|header|checksum|format|length|block)"
    r"|(?:checksum|crc)s? (?:mismatch|error|failed|failure|does not match|verification)|incorrect checksum"
    r"|could not (?:locate|find) (?:a |any )?(?:valid|required) |unexpected (?:end of file|eof)|short read|truncated|read \d+ of \d+"
    r"|unrecoverable|could not find the database system|not a (?:valid )?(?:database|data directory)|does not contain valid data|unreadable"
)
DATA = re.compile(
    r"(?i)pg_control|control file|checkpoint|\bwal\b|pg_wal|pg_xlog|append.?only|\baof\b|\brdb\b|loading db|\bpages?\b|\bblocks?\b"
    r"|\brelation\b|tablespace|data ?(?:director|file|folder|dir\b)|database (?:system|disk image|files?|page|cluster)|\bbackend\b"
    r"|format\.json|xl\.meta|\bdrives?\b|\bdisks?\b|erasure|manifest|snapshot|\bsegment|ibdata|innodb|sqlite|pg_version|pg_xact|pg_filenode"
)
OWN_FILE_GONE = re.compile(
    r"could not (?:(?:open|read|stat) (?:file|directory)|access directory) \"?(?P<path>(?:global|base|pg_\w+)\b[\w./]*)|Can't find (?:base|incr) AOF"
)
"""A file that only the store itself makes is not there."""

NOT_EMPTY = re.compile(r"(?i)\bdirectory\b.*\bis not empty\b")
"""A store that makes its data anew finds something of another in their place."""

OTHER_VERSION = re.compile(
    r"(?i)can't handle rdb format version|unsupported (?:database|data|file|rdb|aof|format) version|not compatible with this version"
    r"|files are incompatible with server|initialized by \w+ version|(?:created|written|initialized) by an? (?:newer|later|older|different) version"
    r"|unknown (?:backend|xl\.?meta|format) version"
)
CLOSED = re.compile(
    r"wrong ownership|invalid permissions|must be started by the user that owns|Permission denied|: permission denied\b|Operation not permitted"
    r"|(?i:read-only file system|not writable|file access denied|drive access denied|\bEACCES\b|\bEROFS\b|unable to write to the (?:backend|drive))"
)
NOT_A_FOLDER = re.compile(
    r"(?i)permission denied for|\bbind\b|\bsocket\b|\blisten|ptrace|\bport\b|sched_|mlock|nice value|coredump"
)
"""Refusals of a kernel or a database that are about something else than a file."""

PATH = re.compile(r"[\"'`\s(:=](?P<path>/(?!/)[\w.@/-]*[\w])")
NO_ROOM = re.compile(
    r"(?i)no space left on device|\bENOSPC\b|disk (?:is )?full|disk quota exceeded|not enough (?:free )?(?:disk )?space|storage backend has reached its minimum free"
)
NO_PROCESS = re.compile(
    r"(?i)can't start new thread|unable to (?:create|start) (?:a )?(?:new )?(?:native )?thread|pthread_create|fork: retry|cannot fork|could not fork"
    r"|fork(?:ing)? failed|fork/exec .*resource temporarily unavailable|failed to create new os thread|newosproc"
    r"|(?:fork|thread|clone|process|spawn|exec)\w*\b.*resource temporarily unavailable|BlockingIOError: \[Errno 11\]"
)
NO_FILE_LEFT = re.compile(
    r"(?i)too many open files|insufficient file descriptors|not enough file descriptors|\bEMFILE\b|\bENFILE\b"
    r"|ulimit -n' of \d+ is not enough|increase your open file limit"
)
WORKER_TIMEOUT = re.compile(
    r"(?i)worker timeout|worker .{0,40}timed out|harakiri|worker .{0,40}failed to (?:boot|start) (?:with)?in|timeout.{0,20}killing worker"
)
TIMEOUT_OPTION = re.compile(
    r"(?:--(?:graceful-|worker-)?timeout|-t|--harakiri|--timeout-worker-healthcheck)[= ]+(?P<seconds>\d+)"
)
THROTTLED = 0.5
"""Share of its turns in which a container was held back that leaves no doubt that its limit binds."""

ENOUGH = 20
"""Turns of a processor (0.1 s each, as a rule) below which a share says nothing."""

PLENTY = 1_048_576
"""Open files that an engine allows where nothing is said."""


def is_ill(seen: Seen, name: str) -> bool:
    """Whether a service is there and not well, or never came so far."""
    state = seen.containers.get(name)
    return state is not None and (
        name in seen.gone
        or state.is_unhealthy
        or (name in seen.given_up and state.status == "running" and not seen.is_healthy(name))
        or _came_not_back(seen, name)
    )


def _came_not_back(seen: Seen, name: str) -> bool:
    """Whether a service that had come up was started again and has not come up since, though its check was asked."""
    state = seen.containers[name]
    restarted = seen.start is not None and bool(seen.start.response.get("ok"))
    looks = state.seen.get("health_log") or ()
    return restarted and state.status == "running" and state.seen.get("health") == "starting" and bool(looks)


def suffers(seen: Seen, name: str) -> bool:
    """Whether a service is ill, or checks failed that ask it or found a worker of it lost."""
    role = seen.roles.get(name)
    asked = any(role in seen.needs.get(check.nodeid, ()) for check in seen.failed)
    return is_ill(seen, name) or asked or bool(lost_workers(seen, name))


def lost_workers(seen: Seen, name: str) -> list[str]:
    """What a service wrote of workers that it lost, as checks found it: by the end of a long log it is no longer there."""
    facts = [check.facts or {} for check in seen.failed]
    return [str(line) for fact in facts if fact.get("service") == name for line in fact.get("lines") or ()]


def said(seen: Seen, name: str) -> list[str]:
    """What a service wrote last, and what its health check and the engine said of it."""
    state = seen.containers.get(name)
    lines, _ = seen.log(name)
    looks = [str(row.get("output") or "") for row in (state.seen.get("health_log") or ())] if state else []
    return [*lines[-40:], *looks, *([str(state.seen.get("error") or "")] if state else [])]


NO_DISK = re.compile(r"(?i)shared memory|/dev/shm|inotify")
"""Where the kernel says that there is no space left and means no disk."""


def full_disk_told(seen: Seen, name: str) -> str:
    """The last line in which a service says that its disk is full; empty where it says so of none."""
    return next(
        (line.strip() for line in reversed(said(seen, name)) if NO_ROOM.search(line) and not NO_DISK.search(line)), ""
    )


LIMITING = re.compile(r"(?i)\blimiting (?:requests|connections)\b|\brate.?limit\w* exceeded|\btoo many requests\b")


def of_gateway(seen: Seen, name: str | None, cause: str) -> str:
    """The cause of an answer by a service between; one that says that its caller asked too often refuses, though nginx answers 503 then as for a dead upstream."""
    limits = cause == "gateway-failing" and name is not None and first_of(seen, name, LIMITING)
    return "request-refused" if limits else cause


def first_of(seen: Seen, name: str, words: re.Pattern[str]) -> str:
    """The last line of a service that holds such words; empty where none does."""
    return next((line.strip() for line in reversed(said(seen, name)) if words.search(line)), "")


def limits(seen: Seen, name: str) -> Mapping[str, Any]:
    """What the engine lets a service's container use."""
    state = seen.containers.get(name)
    return (state.seen.get("limits") or {}) if state else {}


def counted(seen: Seen, name: str, what: str) -> int:
    """What the kernel counted of a service's container; 0 where it is not known."""
    state = seen.containers.get(name)
    return int(((state.seen.get("counted") or {}) if state else {}).get(what) or 0)


def cited(seen: Seen, name: str) -> tuple[int, ...]:
    """The events that show a service's state and its log."""
    _, seq = seen.log(name)
    return tuple(number for number in (seen.containers[name].seq, seq) if number)


def keeps_data(seen: Seen, name: str) -> bool:
    """Whether a service lives by data of its own."""
    return seen.roles.get(name) in STORES or bool(seen.service(name).get("volumes"))


def ill_stores(seen: Seen) -> Iterator[str]:
    """Services that keep data and are not well, though nobody killed them."""
    for name, state in seen.containers.items():
        if is_ill(seen, name) and keeps_data(seen, name) and state.exit_code not in {137, 143}:
            yield name


# --- data, folder, room ----------------------------------------------------------------------------------------------


def damage_told(seen: Seen, name: str) -> str:
    """The line in which a store says that its data are damaged; empty where it says so of none."""
    for line in reversed(said(seen, name)):
        of_data = DATA.search(line) and BROKEN.search(line)
        strange = OWN_FILE_GONE.search(line) or NOT_EMPTY.search(line)
        if (of_data or strange) and not OTHER_VERSION.search(line) and not CLOSED.search(line):
            return line.strip()
    return ""


def data_is_damaged(seen: Seen) -> Iterator[Diagnosis]:
    """A store ended, or does not come up, saying that what it finds in its own files is not what it wrote."""
    for name in ill_stores(seen):
        line = damage_told(seen, name)
        if line:
            yield diagnosis("data-damaged", name, evidence=cited(seen, name), parameters={"line": line[:240]})


def data_of_another_version(seen: Seen) -> Iterator[Diagnosis]:
    """A store ended because another version of it wrote its files; a database's own words are another rule's."""
    for name in ill_stores(seen):
        if seen.roles.get(name) != "database" and first_of(seen, name, OTHER_VERSION):
            yield diagnosis("database-files-incompatible", name, evidence=cited(seen, name), layer=seen.layer_of(name))


def speaks(seen: Seen, name: str) -> bool:
    """Whether a service answered its callers in its own protocol, be it with an error: what it says there is the better word."""
    rungs = [rung for rung in seen.rungs if rung.target == name and rung.name in LOGINS]
    return any(rung.ok or rung.code not in PASSING | {"broken"} for rung in rungs)


def folder_is_closed(seen: Seen) -> Iterator[Diagnosis]:
    """A store ended, or does not come up, because it may not read or write where its data lie."""
    told = {entry.component for entry in file_is_missing_or_closed(seen)}
    for name in ill_stores(seen):
        lines = [line for line in said(seen, name) if CLOSED.search(line) and not NOT_A_FOLDER.search(line)]
        if not lines or name in told or damage_told(seen, name) or full_disk_told(seen, name) or speaks(seen, name):
            continue
        paths = [found["path"] for line in lines if (found := PATH.search(f" {line}"))]
        path = next(iter([path for path in paths if not path.startswith(("/usr/", "/bin/"))]), "its folder")
        yield diagnosis("volume-unwritable", name, evidence=cited(seen, name), parameters={"path": path})


NO_WRITE_AT_ALL = re.compile(r"(?i)read-only file system|no usable temporary directory|\bEROFS\b")
"""What a program says where nothing at all may be written: its whole file system is closed to it."""


def file_system_is_closed(seen: Seen) -> Iterator[Diagnosis]:
    """A service that keeps no data ended because it may not write anywhere."""
    told = {entry.component for entry in file_is_missing_or_closed(seen)}
    for name, state in seen.gone.items():
        line = first_of(seen, name, NO_WRITE_AT_ALL)
        if not line or name in told or state.exit_code in {0, 137, 143} or seen.roles.get(name) in STORES:
            continue
        found = PATH.search(f" {line}")
        given = {"path": found["path"] if found else "its file system"}
        yield diagnosis("volume-unwritable", name, evidence=cited(seen, name), parameters=given)


ROOM = {"database": "database-disk-full", "object-store": "store-full", "queue": "queue-cannot-persist"}
"""Role -> the cause where such a service has no room left."""


def room_ran_out(seen: Seen) -> Iterator[Diagnosis]:
    """A store says that its disk is full."""
    for name in seen.containers:
        cause = ROOM.get(seen.roles.get(name, ""))
        line = full_disk_told(seen, name)
        if cause and line and suffers(seen, name):
            given = {"target": name, "service": name, "reason": line[:160]}
            sure = Confidence.PROVEN if is_ill(seen, name) else Confidence.LIKELY
            yield diagnosis(cause, name, evidence=cited(seen, name), parameters=given, confidence=sure)


# --- processor, processes, files, time -------------------------------------------------------------------------------


def held_back(seen: Seen, name: str) -> float:
    """The share of its turns in which a container was denied the processor; 0 where too little is known."""
    periods = counted(seen, name, "cpu_periods")
    return counted(seen, name, "cpu_throttled") / periods if periods >= ENOUGH else 0.0


def ran_out_of_memory(seen: Seen, name: str) -> bool:
    """Whether a process of a container was killed for its memory."""
    state = seen.containers.get(name)
    killed = state is not None and (state.seen.get("oom_killed") or counted(seen, name, "oom_kills"))
    return bool(killed or seen.events_of(name, "oom"))


def processor_is_too_little(seen: Seen) -> Iterator[Diagnosis]:
    """A service does not come up, and its limit denies it the processor most of the time."""
    for name in seen.containers:
        share, cpus = held_back(seen, name), limits(seen, name).get("cpus")
        if not cpus or share < THROTTLED or not suffers(seen, name) or ran_out_of_memory(seen, name):
            continue
        sure = Confidence.PROVEN if is_ill(seen, name) else Confidence.LIKELY
        given = {"cpus": f"{cpus:g}", "share": round(share, 2)}
        yield diagnosis(
            "cpu-limit-tight", name, evidence=(seen.containers[name].seq,), parameters=given, confidence=sure
        )


def processes_are_limited(seen: Seen) -> Iterator[Diagnosis]:
    """The kernel refuses a service another process or thread."""
    for name in seen.containers:
        limit, refused = limits(seen, name).get("pids"), counted(seen, name, "pids_refused")
        line = first_of(seen, name, NO_PROCESS)
        if not suffers(seen, name) or not (refused or line):
            continue
        sure = Confidence.PROVEN if limit and is_ill(seen, name) else Confidence.LIKELY
        given = {"limit": limit or "the machine's own number of", "line": line[:160]}
        yield diagnosis("processes-limited", name, evidence=cited(seen, name), parameters=given, confidence=sure)


def files_are_limited(seen: Seen) -> Iterator[Diagnosis]:
    """The kernel refuses a service another open file."""
    for name in seen.containers:
        limit, line = limits(seen, name).get("nofile"), first_of(seen, name, NO_FILE_LEFT)
        if not line or not suffers(seen, name):
            continue
        sure = Confidence.PROVEN if limit else Confidence.LIKELY
        given = {"limit": limit or "the machine's own number of", "line": line[:160]}
        patch = {"services": {name: {"ulimits": {"nofile": {"soft": PLENTY, "hard": PLENTY}}}}} if limit else None
        yield diagnosis(
            "too-many-open-files", name, evidence=cited(seen, name), parameters=given, confidence=sure, patch=patch
        )


def workers_are_killed_for_time(seen: Seen) -> Iterator[Diagnosis]:
    """A supervisor kills its workers because they did not answer in its time; not where memory or processor was what they lacked."""
    for name in seen.containers:
        killed = first_of(seen, name, WORKER_TIMEOUT) or any(map(WORKER_TIMEOUT.search, lost_workers(seen, name)))
        if not killed or not suffers(seen, name):
            continue
        if ran_out_of_memory(seen, name) or (limits(seen, name).get("cpus") and held_back(seen, name) >= THROTTLED):
            continue
        service = seen.service(name)
        told = " ".join([*words_of(service), *environment_of(service).values()])
        option = TIMEOUT_OPTION.search(told)
        seconds = option["seconds"] if option else "30"
        sure = Confidence.PROVEN if option else Confidence.LIKELY
        yield diagnosis(
            "worker-timeout", name, evidence=cited(seen, name), parameters={"seconds": seconds}, confidence=sure
        )


PATIENCE = {
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": 7.0,
    "MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR": 2.0,
    "MLFLOW_HTTP_REQUEST_TIMEOUT": 120.0,
}
"""The settings by which MLflow's client waits for a server, and what it takes where they are not set."""

LONGEST_PAUSE = 120.0
"""Seconds above which MLflow's client does not wait between two tries."""


def patience_of(seen: Seen, service: str) -> tuple[list[str], float]:
    """The settings that a service names for its patience with MLflow, and how long an outage is a call by them."""
    held = seen.environment(service)
    named = [name for name in PATIENCE if re.fullmatch(r"\d+(?:\.\d+)?", held.get(name, ""))]
    retries, factor, timeout = (float(held[name]) if name in named else usual for name, usual in PATIENCE.items())
    pauses = sum(min(factor * 2**number, LONGEST_PAUSE) for number in range(1, int(min(retries, 50))))
    return named, max(pauses, timeout) if named else 0.0


def outage_is_outwaited(seen: Seen) -> Iterator[Diagnosis]:
    """A call did not come back while a dependency was away on purpose, and the service's own settings tell it to wait longer."""
    for check in seen.failed:
        asked = [event for event in seen.bundle.of("http") if event.seq in check.evidence]
        away = any(event.subject.endswith("/_gate") for event in asked)
        for event in asked:
            error = str(((event.response or {}).get("error") or {}).get("type") or "")
            service = seen.of_role(str((event.request or {}).get("role") or ""))
            if not (away and service and "Timeout" in error):
                continue
            names, seconds = patience_of(seen, service)
            if seconds <= float(event.response.get("seconds") or 0):
                continue
            reason = f"it makes of an outage a call of up to {seconds:.0f} s"
            short = dict(zip(PATIENCE, ("1", "1", "4"), strict=True))
            patch = {"services": {service: {"environment": {name: short[name] for name in names}}}}
            yield diagnosis(
                "setting-invalid",
                service,
                evidence=(check.seq, event.seq),
                parameters={"setting": names, "reason": reason},
                patch=patch,
                explains=(check.nodeid,),
            )


# --- readiness -------------------------------------------------------------------------------------------------------

NO_PROGRAM = re.compile(
    r"(?i)executable file not found|no such file or directory|command not found|: not found\b|exec format error|exec: .*permission denied"
)
ANSWERED_BADLY = re.compile(
    r"(?i)max number of clients|MISCONF|\bOOM\b|LOADING|FATAL|too many|no response|rejecting connections|\b5\d\d\b|degraded|unhealthy"
)
PORT = re.compile(r"(?<=[\w\]]):(\d{2,5})\b(?![:.])")
SPOKEN = {
    "database": ("database.login",),
    "queue": ("queue.write",),
    "tracking": ("tracking.read",),
    "object-store": ("store.bucket", "store.objects"),
}
"""Role -> the rungs by which its callers know that it answers in its own protocol."""


def health_check_cannot_be_met(seen: Seen) -> Iterator[Diagnosis]:
    """A service is called ill by a check that cannot hold, or gave up too early: the service itself answers."""
    for name, state in seen.containers.items():
        turned = turned_well(seen, name)
        if (
            not (state.is_unhealthy or turned or _is_late(seen, name, state))
            or starved(seen, name)
            or is_held_up(seen, name)
        ):
            continue
        reason, seqs = reason_of(seen, name, state, turned)
        if reason:
            yield diagnosis("health-check-unmeetable", name, evidence=(state.seq, *seqs), parameters={"reason": reason})


def starved(seen: Seen, name: str) -> bool:
    """Whether a service lacks what it needs to be well in time."""
    tight = limits(seen, name).get("cpus") and held_back(seen, name) >= THROTTLED
    lacking = first_of(seen, name, NO_PROCESS) or first_of(seen, name, NO_FILE_LEFT) or full_disk_told(seen, name)
    return bool(tight or lacking or ran_out_of_memory(seen, name) or first_of(seen, name, WORKER_TIMEOUT))


def is_held_up(seen: Seen, name: str) -> bool:
    """Whether something that a service asks is broken, so that it may rightly say that it is not well; tables it may yet make."""
    broken = seen.broken(*{rung.name for rung in seen.rungs} - {"database.schema"})
    return any(rung.position == name and rung.link for rung in broken) or any(
        link.target in {*seen.gone} for link in seen.links if link.caller == name
    )


def _is_late(seen: Seen, name: str, state: Container) -> bool:
    """Whether a service's start was given up while its check had failed more than once, within a start period that is longer still."""
    looks = state.seen.get("health_log") or ()
    failing = len(looks) > 1 and all(row.get("exit") for row in looks)
    # what the engine refuses ends a start at once: of who had just begun that says nothing
    waited = name in seen.given_up and not seen.compose_error
    return waited and failing and state.status == "running"


def turned_well(seen: Seen, name: str) -> tuple[int, ...]:
    """The events by which a service that was called ill was well a little later, without having died meanwhile; none otherwise."""
    looks = seen.events_of(name, "health_status: unhealthy", "health_status: healthy", "die")
    actions = [str(event.response.get("action")) for event in looks]
    wanted = ["health_status: unhealthy", "health_status: healthy"]
    return tuple(event.seq for event in looks[-2:]) if name in seen.given_up and actions == wanted else ()


def reason_of(seen: Seen, name: str, state: Container, turned: tuple[int, ...]) -> tuple[str, tuple[int, ...]]:
    """Why a check cannot hold, and what shows it; empty where nothing does."""
    looks = state.seen.get("health_log") or [{}]
    output = " ".join(str(looks[-1].get("output") or "").split())
    check = state.seen.get("check") or {}
    if turned:
        return f"give it a start period longer than {check.get('start_period', 0):g} s, or more retries", turned
    if NO_PROGRAM.search(output) and not NO_PROCESS.search(output):
        return f"what it runs is not in the image ({output[-120:]})", ()
    answers = answers_of(seen, name)
    if answers and (elsewhere := asked_elsewhere(seen, name, output)):
        return f"it asks port {elsewhere}, where nothing listens, while the service answers its callers", answers
    if answers and not ANSWERED_BADLY.search(output):
        return f"it fails ({output[-120:] or 'without a word'}) while the service answers its callers", answers
    return "", ()


def _looked(seen: Seen, name: str) -> list[Rung]:
    """What a service answered where its own check stands, when it was asked last; nothing where it was not."""
    return [rung for rung in seen.rungs if rung.name == "service.answers" and rung.position == name and rung.ok][-1:]


def asked_elsewhere(seen: Seen, name: str, output: str) -> int | None:
    """The port that a check says it asked and on which its service does not listen; None where it asks the right one, or does not say."""
    listening = {int(port) for rung in _looked(seen, name) for port in rung.facts.get("listening") or ()}
    asked = {int(port) for port in PORT.findall(output)}
    return min(asked) if asked and listening and not asked & listening else None


def answers_of(seen: Seen, name: str) -> tuple[int, ...]:
    """The rungs in which a service answered well: in its own protocol to its callers, or to HTTP where its check stands."""
    spoken = SPOKEN.get(seen.roles.get(name, ""), ())
    asked = [rung for rung in seen.rungs if rung.target == name and rung.name in spoken]
    if asked and all(rung.ok for rung in asked):
        return tuple(rung.seq for rung in asked)
    looks = _looked(seen, name)
    rows = [row for rung in looks for row in rung.facts.get("answers") or ()]
    statuses = [int(row.get("status") or 0) for row in rows]
    well = any(200 <= status < 300 for status in statuses) and not any(status >= 500 for status in statuses)
    return (looks[-1].seq,) if well else ()


UNCHECKED = re.compile(r"(?i)has no healthcheck configured|no healthcheck")


def nothing_checks_its_health(seen: Seen) -> Iterator[Diagnosis]:
    """Others wait until a service is healthy, and it has no health check: the engine refuses to go on."""
    if not UNCHECKED.search(seen.compose_error) or seen.start is None:
        return
    named = [name for name in seen.services if re.search(rf"(?<![\w]){re.escape(name)}-\d+\b", seen.compose_error)]
    waiting = sorted(name for name in seen.services if any(not awaits_not(seen, name, other) for other in named))
    for name in named[:1]:
        reason = f"give it a test, since {', '.join(waiting) or 'others'} wait for it to be healthy"
        yield diagnosis("health-check-unmeetable", name, evidence=(seen.start.seq,), parameters={"reason": reason})


READY = {"service_healthy", "service_completed_successfully"}
UNREADY = re.compile(
    r"(?i)refused|unreachable|not known|timed? ?out|not ready|starting up|cannot|could not|unable|failed|not resolve|no route|reset by peer|unavailable"
)


def started_too_early(seen: Seen) -> Iterator[Diagnosis]:
    """A service or a job ended with an error before what it asks was ready, and its definition does not wait for that."""
    for name, state in seen.gone.items():
        lines, _ = seen.log(name)
        if state.exit_code in {0, 137, 143} or not UNREADY.search(" ".join(lines[-20:])):
            continue
        died = max((event.seq for event in seen.events_of(name, "die")), default=0)
        for target in dict.fromkeys(link.target for link in seen.links if link.caller == name and link.target):
            if target and died and awaits_not(seen, name, target) and was_not_ready(seen, target, died):
                yield _hasty(seen, name, target, state)


def awaits_not(seen: Seen, name: str, target: str) -> bool:
    """Whether a definition starts a service without waiting until another is ready."""
    waits = seen.service(name).get("depends_on") or {}
    how = waits.get(target) if isinstance(waits, Mapping) else None
    return (how or {}).get("condition") not in READY


def was_not_ready(seen: Seen, target: str, moment: int) -> bool:
    """Whether a service that is not broken itself was only getting ready at a moment (the number of an event)."""
    state = seen.containers.get(target)
    if state is None or target in seen.gone or state.is_unhealthy or state.status != "running":
        return False
    well = [event.seq for event in seen.events_of(target, "health_status: healthy")]
    starting = state.seen.get("health") in {"starting", "healthy"}
    return starting and not any(seq < moment for seq in well) and seen.roles.get(target) != "job"


def _hasty(seen: Seen, name: str, target: str, state: Container) -> Diagnosis:
    lines, _ = seen.log(name)
    line = last_words(lines)
    patch = {"services": {name: {"depends_on": {target: {"condition": "service_healthy"}}}}}
    evidence = (*cited(seen, name), seen.containers[target].seq)
    given = {"exit_code": state.exit_code, "line": line, "target": target}
    cause = "job-failed" if seen.is_one_shot(name) else "dependency-not-awaited"
    entry = diagnosis(cause, name, evidence=evidence, parameters=given, patch=patch)
    remedy = f"Let {name} wait until {target} is ready: `depends_on: {{{target}: {{condition: service_healthy}}}}`."
    return replace(entry, remedy=remedy)


def _there(seen: Seen) -> bool:
    return bool(seen.containers)


RULES = (
    Rule("data is damaged", ("container", "log"), _there, data_is_damaged),
    Rule("another version wrote the data", ("container", "log"), _there, data_of_another_version),
    Rule("a data folder is closed", ("container", "log"), _there, folder_is_closed),
    Rule("a file system is closed", ("container", "log"), lambda seen: seen.gone, file_system_is_closed),
    Rule("a store's room ran out", ("container", "log"), _there, room_ran_out),
    Rule("a processor limit is too tight", ("container",), _there, processor_is_too_little),
    Rule("processes are limited", ("container",), _there, processes_are_limited),
    Rule("open files are limited", ("container", "log"), _there, files_are_limited),
    Rule("workers are killed for time", ("container", "log"), _there, workers_are_killed_for_time),
    Rule("an outage is outwaited", ("check", "http", "compose"), lambda seen: seen.failed, outage_is_outwaited),
    Rule("a health check cannot be met", ("container",), _there, health_check_cannot_be_met),
    Rule(
        "nothing checks a service's health",
        ("start", "compose"),
        lambda seen: seen.compose_error,
        nothing_checks_its_health,
    ),
    Rule("a service started too early", ("container", "event", "compose"), _there, started_too_early),
)
