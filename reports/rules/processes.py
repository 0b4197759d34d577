"""Rules about containers that are not there: killed, stopped, paused, or ended by what their image or settings lack."""

import re
from collections.abc import Iterator

from reports.causes import Confidence, Diagnosis, diagnosis
from reports.evidence import Event
from reports.rules.seen import Container, Rule, Seen
from reports.wiring import settings_of

MISSING_MODULE = re.compile(
    r"(?:No module named '?\"?|requires the |Missing optional dependency '|Missing dependency '?|ImportError: Please install )(?P<module>[A-Za-z_](?:[\w.-]*\w)?)"
)
"""Python's own words, and those by which packages ask for one that they need."""

RAISED = re.compile(r"^\s*(?:ModuleNotFoundError|ImportError)\b")
"""A line by which Python says that it raised; a warning of an optional module is worded otherwise."""

MISSING_NAME = re.compile(
    r"ImportError: cannot import name '(?P<name>\w+)' from (?:partially initialized module )?'(?P<module>[\w.]+)'(?:.*\((?P<path>/[^()]+)\)$)?"
)
BUILT_OTHERWISE = re.compile(
    r"(?P<module>[A-Za-z_]\w*)\.(?P<name>[\w.]+) size changed, may indicate binary incompatibility"
    r"|compiled using (?P<built>NumPy [\d.]+\w*) cannot be run"
    r"|undefined symbol: (?P<symbol>\w+)"
)
"""What is said where a package was compiled against another version of one that it uses (Cython's, NumPy's and the linker's words)."""

LACKS = re.compile(r"AttributeError: module '(?P<module>[\w.]+)' has no attribute '(?P<name>\w+)'")

INSTALLED = re.compile(r"/(?:site|dist)-packages/|/lib/python\d")
"""Where a Python module lies that is no part of the service's own code."""

CODE = re.compile(r"^(?P<error>(?:SyntaxError|IndentationError|TabError)\b.*)")
PLACE = re.compile(r'File "(?P<path>[^"]+)", line (?P<line>\d+)')
NO_FILE = re.compile(
    r"(?:No such file or directory: '?|can't open file '|cannot open )(?P<path>/?[\w./-]+)"
    r"|(?P<quote>['\"])(?P<before>/[^'\"]+)(?P=quote)(?:: | failed \(\d+: )No such file or directory"
    r"|could not access file \"(?P<library>[^\"]+)\": No such file"
)
NO_WRITE = re.compile(
    r"(?P<quote>['\"])(?P<before>/[^'\"]+)(?P=quote)(?:: | failed \(\d+: )(?:Permission denied|Read-only file system)"
    r"|(?:Permission denied|Read-only file system)[: ]+'?(?P<path>/[\w./-]+)?"
)
"""Python names the path after the kernel's words; what is written in C names it before, in quotes where it is Postgres."""

STAMP = re.compile(
    r"^\[?\d{4}-\d\d-\d\d[T ][\d:.,]+(?: ?(?:Z|UTC|GMT|[A-Z]{3,4}|[+-]\d\d:?\d\d))?\]?\s*(?:\[\d+\]\s*)?"
    r"|^\d+:[A-Z] \d+ \w{3} \d{4} [\d:.]+ [-#*.] "
)
"""The time, and the process, with which many programs begin a line."""

OTHER_DATA = re.compile(r"database files are incompatible with server|initialized by PostgreSQL version")
EXCEPTION = re.compile(
    r"^[\w.]*(?:Error|Exception|Exit|Interrupt|Refused|Timeout)\b.*|^(?:FATAL|ERROR|CRITICAL|fatal|error|panic)\b.*|^[\w -]*error: .*",
    re.IGNORECASE,
)
NO_EXEC = re.compile(
    r"(?i)\bexec (?:user process|\S+):? .*(?:format error|no such file|not found|permission denied)|cannot execute(?: binary)?"
)
"""What an init or a shell says of a program that the kernel does not run, whatever status it ends with."""

OF_PROGRAM = re.compile(r"(?i)\bexec(?:utable)?\b|container process(?!: error during container init)")
"""What an engine says where it is the program that cannot be run; else it is the container that it does not make."""

NOT_RUNNABLE = re.compile(
    r"(?i)executable file not found|exec format error|no such file or directory|permission denied|is a directory|invalid argument"
)
NAME = re.compile(r"\b[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+\b|\b[a-z][a-z0-9]*(?:_[a-z0-9]+)+\b")
NOT_SET = re.compile(
    r"(?i)not set|unset|missing|required|not specified|must (?:be|set|specify)|is empty|not found|undefined|not provided|not configured|needs to be set|please set|KeyError|may not be (?:empty|blank)|at least 1 character"
)
STOPPED = {0, 143, 130}
"""Exit codes of a service that was asked to end: none of its own, or that of SIGTERM and SIGINT."""


def last_words(lines: tuple[str, ...]) -> str:
    """The line of a log that tells most: the last error line, else the last that is not empty."""
    spoken = [line.strip() for line in lines if line.strip()]
    errors = [line for line in spoken if EXCEPTION.match(STAMP.sub("", line))]
    return (errors or spoken or ["it wrote nothing"])[-1][:300]


def _ended_badly(seen: Seen) -> Iterator[Container]:
    """Containers that ended by themselves with an error, and may so have said why."""
    for state in seen.gone.values():
        if state.exit_code not in {0, 137, 143}:
            yield state


def _cited(seen: Seen, state: Container) -> tuple[int, ...]:
    _, seq = seen.log(state.service)
    return (state.seq, seq) if seq else (state.seq,)


def module_is_missing(seen: Seen) -> Iterator[Diagnosis]:
    """A Python program ended because a module cannot be imported; refuted where its image does hold the module."""
    for state in _ended_badly(seen):
        lines, _ = seen.log(state.service)
        match = next((found for line in reversed(lines) if (found := MISSING_MODULE.search(line))), None)
        if match is None:
            continue
        looked = [rung for rung in seen.rungs if rung.name == "image.module" and rung.position == state.service]
        if any(rung.ok or rung.code in {"file-missing", "not-in-package"} for rung in looked):
            continue
        cited = (*_cited(seen, state), *(rung.seq for rung in looked))
        # of a package that is there a part was taken out
        held = any(rung.facts.get("found") for rung in looked)
        module = match["module"] if held else match["module"].split(".")[0]
        misled = module == FIRST and seen.setting(state.service, HOME)
        if misled:
            given = {"setting": HOME, "reason": f"{misled} holds no standard library of Python"}
            yield diagnosis("setting-invalid", state.service, evidence=cited, parameters=given)
        else:
            yield diagnosis("module-missing", state.service, evidence=cited, parameters={"module": module})


FIRST, HOME = "encodings", "PYTHONHOME"
"""The module that every interpreter imports first, and the setting that says where it lies (https://docs.python.org/3.11/using/cmdline.html)."""


def module_is_missed_at_work(seen: Seen) -> Iterator[Diagnosis]:
    """A service that runs raised because a module cannot be imported, and its image indeed does not hold the module."""
    for rung in seen.broken("image.module"):
        state = seen.containers.get(rung.position)
        if state is None or state.status != "running" or rung.code != "module-missing":
            continue
        given = {"module": str(rung.facts.get("module") or "").split(".")[0]}
        raised = module_errors(seen) if seen.roles.get(rung.position) == "registry" else []
        yield diagnosis(
            "module-missing",
            rung.position,
            evidence=(rung.seq, *(event.seq for event in raised), *_cited(seen, state)),
            parameters=given,
            confidence=Confidence.PROVEN if raised else Confidence.LIKELY,
        )


def module_errors(seen: Seen) -> list[Event]:
    """The calls inside the registry's container that ended because a module cannot be imported."""
    return [event for event, error in seen.raised_inside if RAISED.match(str(error.get("type")))]


def module_is_shadowed(seen: Seen) -> Iterator[Diagnosis]:
    """A file of the service's own bears the name of an installed package that its program then misses."""
    for rung in seen.broken("image.module"):
        if rung.code == "shadowed":
            given = {"error": rung.message, "where": str(rung.facts.get("path") or "")}
            yield diagnosis("code-invalid", rung.position, evidence=(rung.seq,), parameters=given)


def own_file_is_missing(seen: Seen) -> Iterator[Diagnosis]:
    """A service's own package is in its image, and a module of it that the service imports is not."""
    for rung in seen.broken("image.module"):
        if rung.code == "file-missing":
            given = {"path": str(rung.facts.get("path") or rung.facts.get("module"))}
            yield diagnosis("file-missing", rung.position, evidence=(rung.seq,), parameters=given)


def modules_do_not_fit(seen: Seen) -> Iterator[Diagnosis]:
    """A Python program ended because one package wants of another what it does not have."""
    for rung in seen.broken("image.module"):
        if rung.code == "not-in-package":
            top, _, rest = str(rung.facts.get("module")).partition(".")
            given = {"name": rest, "module": top}
            yield diagnosis("modules-incompatible", rung.position, evidence=(rung.seq,), parameters=given)
    for state in _ended_badly(seen):
        lines, _ = seen.log(state.service)
        match = next((found for line in reversed(lines) if (found := MISSING_NAME.search(line))), None)
        if match and not _is_own(match):
            given = {"name": match["name"], "module": match["module"]}
            yield diagnosis("modules-incompatible", state.service, evidence=_cited(seen, state), parameters=given)
        elif given := _built_otherwise(last_words(lines), lines):
            yield diagnosis("modules-incompatible", state.service, evidence=_cited(seen, state), parameters=given)


def _built_otherwise(said: str, lines: tuple[str, ...]) -> dict[str, str]:
    """What one installed package misses in another at its end, and where; nothing where it is no such end."""
    if match := BUILT_OTHERWISE.search(said):
        module = match["module"] or (match["built"] or "").partition(" ")[0].lower() or "a shared library"
        what = match["name"] or match["built"] or match["symbol"]
        return {"name": f"{what}, as another package was built with it,", "module": module}
    places = [found["path"] for line in lines if (found := PLACE.search(line))]
    lacks = LACKS.match(said)
    if lacks and places and INSTALLED.search(places[-1]):
        return {"name": lacks["name"], "module": lacks["module"]}
    return {}


def _is_own(match: re.Match[str]) -> bool:
    """Whether a name is missing of the service's own code, not of a package that it uses."""
    return bool(match["path"]) and not INSTALLED.search(match["path"])


def code_does_not_load(seen: Seen) -> Iterator[Diagnosis]:
    """A Python program ended on an error in its own text, or on a name that one of its own modules lacks, before it served anything."""
    for state in _ended_badly(seen):
        lines, _ = seen.log(state.service)
        said = last_words(lines)
        lacks = MISSING_NAME.search(said)
        if not CODE.match(said) and not (lacks and _is_own(lacks)):
            continue
        places = [found for line in lines if (found := PLACE.search(line))]
        where = f"{places[-1]['path']}:{places[-1]['line']}" if places else ""
        given = {"error": said, "where": where}
        yield diagnosis("code-invalid", state.service, evidence=_cited(seen, state), parameters=given)


def missing_settings(seen: Seen, service: str) -> list[str]:
    """The settings that a service's last lines call missing and that its environment indeed does not hold."""
    lines, _ = seen.log(service)
    held = seen.environment(service)
    found: dict[str, None] = {}
    for line, following in zip(lines, [*lines, ""][1:], strict=True):
        # a validator may name the field on one line and say what is wrong on the next
        said = f"{line} {following}" if re.fullmatch(r"\s*[\w.]+\s*", line) else line
        if not NOT_SET.search(said):
            continue
        for word in NAME.findall(line):
            name = word.upper()
            if (word.isupper() or name in held) and not held.get(name):
                found[name] = None
    return list(found)


def setting_is_missing(seen: Seen) -> Iterator[Diagnosis]:
    """A service ended naming a setting as missing, and its rendered environment does not hold it."""
    for state in _ended_badly(seen):
        for name in missing_settings(seen, state.service):
            cited = (*_cited(seen, state), *_compose(seen))
            yield diagnosis("setting-missing", state.service, evidence=cited, parameters={"setting": name})


def _compose(seen: Seen) -> tuple[int, ...]:
    event = seen.bundle.last("compose", "rendered")
    return (event.seq,) if event else ()


def scheme_is_not_supported(seen: Seen) -> Iterator[Diagnosis]:
    """A service ended with a store address whose scheme SQLAlchemy does not know: `postgres` for `postgresql`."""
    for state in _ended_badly(seen):
        for (_, name), value in settings_of(seen.service(state.service)).items():
            if value.startswith("postgres://") and "REDIS" not in name:
                given = {"setting": name, "scheme": "postgres", "wanted": "postgresql"}
                cited = (*_cited(seen, state), *_compose(seen))
                yield diagnosis("uri-scheme-unsupported", state.service, evidence=cited, parameters=given)


def data_is_of_another_version(seen: Seen) -> Iterator[Diagnosis]:
    """A database ended because its files were made by another major version."""
    for state in _ended_badly(seen):
        lines, _ = seen.log(state.service)
        if any(OTHER_DATA.search(line) for line in lines):
            yield diagnosis("database-files-incompatible", state.service, evidence=_cited(seen, state))


def file_is_missing_or_closed(seen: Seen) -> Iterator[Diagnosis]:
    """A service ended because it does not find a file or may not write one."""
    for state in _ended_badly(seen):
        lines, _ = seen.log(state.service)
        said = last_words(lines)
        absent, closed = NO_FILE.search(said), NO_WRITE.search(said)
        if absent:
            yield diagnosis(
                "file-missing", state.service, evidence=_cited(seen, state), parameters={"path": _path(absent)}
            )
        elif closed:
            path = next(
                (_path(found) for line in (said, *lines) if (found := NO_WRITE.search(line)) and _path(found)),
                "its folder",
            )
            yield diagnosis("volume-unwritable", state.service, evidence=_cited(seen, state), parameters={"path": path})


def _path(found: re.Match[str]) -> str:
    return found["before"] or found["path"] or found.groupdict().get("library") or ""


def memory_ran_out(seen: Seen) -> Iterator[Diagnosis]:
    """The kernel killed a process of the container for its memory."""
    for name, state in seen.containers.items():
        events = seen.events_of(name, "oom")
        if not (state.seen.get("oom_killed") or events or (state.seen.get("counted") or {}).get("oom_kills")):
            continue
        limit = (((seen.service(name).get("deploy") or {}).get("resources") or {}).get("limits") or {}).get("memory")
        limit = limit or seen.service(name).get("mem_limit") or "no limit of its own"
        cited = (state.seq, *(event.seq for event in events))
        yield diagnosis("out-of-memory", name, evidence=cited, parameters={"limit": str(limit)}, layer="resource")


def was_killed_or_stopped(seen: Seen) -> Iterator[Diagnosis]:
    """A service ended by a signal from outside, not by an error of its own."""
    for name, state in seen.gone.items():
        events = seen.events_of(name, "kill", "stop", "die")
        signalled = any(event.response.get("action") in {"kill", "stop"} for event in events)
        if state.seen.get("oom_killed") or seen.events_of(name, "oom"):
            continue
        cited = (state.seq, *(event.seq for event in events))
        given = {"exit_code": state.exit_code}
        if state.exit_code == 137:
            yield diagnosis("service-killed", name, evidence=cited, parameters=given, layer=seen.layer_of(name))
        elif state.exit_code in STOPPED and (signalled or state.exit_code):
            yield diagnosis("service-stopped", name, evidence=cited, parameters=given, layer=seen.layer_of(name))


def is_paused(seen: Seen) -> Iterator[Diagnosis]:
    """A container is frozen: it holds its ports and answers nothing."""
    for name, state in seen.containers.items():
        if state.status == "paused" or state.seen.get("paused"):
            yield diagnosis("service-paused", name, evidence=(state.seq,), layer=seen.layer_of(name))


def ended_by_itself(seen: Seen) -> Iterator[Diagnosis]:
    """A service that is to stay ended with 0, and nobody told it to."""
    for name, state in seen.gone.items():
        told = seen.events_of(name, "kill", "stop")
        if state.exit_code == 0 and state.status == "exited" and not told:
            yield diagnosis("service-ended", name, evidence=_cited(seen, state))


def command_cannot_run(seen: Seen) -> Iterator[Diagnosis]:
    """The engine could not start the process: no such program, not for this machine, not allowed."""
    for name, state in seen.containers.items():
        said = str(state.seen.get("error") or "")
        lines, _ = seen.log(name)
        refused = next((line for line in reversed(lines[-3:]) if NO_EXEC.search(line)), "")
        if said and not OF_PROGRAM.search(said):
            continue
        told = said or refused or (last_words(lines) if state.exit_code in {126, 127} else "")
        if told and state.status != "running" and (NOT_RUNNABLE.search(told) or state.exit_code in {126, 127}):
            short = told.rsplit("exec: ", maxsplit=1)[-1][:200]
            yield diagnosis("command-not-runnable", name, evidence=_cited(seen, state), parameters={"reason": short})


def job_failed(seen: Seen) -> Iterator[Diagnosis]:
    """A one-shot job ended with an error, and what waits for it was not started."""
    for state in _ended_badly(seen):
        if seen.is_one_shot(state.service):
            lines, _ = seen.log(state.service)
            given = {"exit_code": state.exit_code, "line": last_words(lines)}
            yield diagnosis("job-failed", state.service, evidence=_cited(seen, state), parameters=given)


def has_crashed(seen: Seen) -> Iterator[Diagnosis]:
    """A service ended with an error that no other rule explains: its last words are all that is known."""
    for name, state in seen.gone.items():
        if state.exit_code in STOPPED or seen.is_one_shot(name):
            continue
        lines, _ = seen.log(name)
        given = {"exit_code": state.exit_code, "line": last_words(lines)}
        cause = "service-crashed"
        if state.status == "restarting":
            cause, given["restarts"] = "service-restarting", state.seen.get("restarts")
        yield diagnosis(cause, name, evidence=_cited(seen, state), parameters=given, confidence=Confidence.UNKNOWN)


def is_unhealthy(seen: Seen) -> Iterator[Diagnosis]:
    """A service runs and its health check fails, for a reason that no other rule knows."""
    for name, state in seen.containers.items():
        if state.is_unhealthy:
            log = state.seen.get("health_log") or [{}]
            line = " ".join(str(log[-1].get("output") or "").split())[-200:] or f"exit {log[-1].get('exit')}"
            yield diagnosis(
                "service-unhealthy",
                name,
                evidence=(state.seq,),
                parameters={"line": line},
                confidence=Confidence.UNKNOWN,
            )


def does_not_come_up(seen: Seen) -> Iterator[Diagnosis]:
    """The start was given up while a service had not become healthy."""
    for name in seen.given_up:
        state = seen.containers.get(name)
        if state is not None and state.status == "running" and not state.is_unhealthy:
            lines, _ = seen.log(name)
            cited = (*_cited(seen, state), *((seen.start.seq,) if seen.start else ()))
            yield diagnosis(
                "service-silent",
                name,
                evidence=cited,
                parameters={"line": last_words(lines)},
                confidence=Confidence.UNKNOWN,
            )


def _gone(seen: Seen) -> bool:
    return bool(seen.gone)


def _there(seen: Seen) -> bool:
    return bool(seen.containers)


RULES = (
    Rule("memory ran out", ("container",), _there, memory_ran_out),
    Rule("a container is paused", ("container",), _there, is_paused),
    Rule("a command cannot run", ("container",), _there, command_cannot_run),
    Rule("a module is missing", ("container", "log"), _gone, module_is_missing),
    Rule("a module is missed at work", ("container",), _there, module_is_missed_at_work),
    Rule("a file stands before a package", ("rung",), _there, module_is_shadowed),
    Rule("a file of its own code is missing", ("container",), _there, own_file_is_missing),
    Rule("modules do not fit together", ("container", "log"), _gone, modules_do_not_fit),
    Rule("code does not load", ("container", "log"), _gone, code_does_not_load),
    Rule("a setting is missing", ("container", "log", "compose"), _gone, setting_is_missing),
    Rule("a scheme is not supported", ("container", "compose"), _gone, scheme_is_not_supported),
    Rule("data is of another version", ("container", "log"), _gone, data_is_of_another_version),
    Rule("a file is missing or closed", ("container", "log"), _gone, file_is_missing_or_closed),
    Rule("a service was killed or stopped", ("container",), _gone, was_killed_or_stopped),
    Rule("a service ended by itself", ("container",), _gone, ended_by_itself),
)
FALLBACKS = (
    Rule("a job failed", ("container", "log"), _gone, job_failed),
    Rule("a service has crashed", ("container",), _gone, has_crashed),
    Rule("a service is unhealthy", ("container",), _there, is_unhealthy),
    Rule("a service does not come up", ("container", "start"), _there, does_not_come_up),
)
