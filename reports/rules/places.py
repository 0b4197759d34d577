"""Rules about the folders that a service writes to: no right, no room."""

import re
from collections.abc import Iterator

from reports.causes import Confidence, Diagnosis, diagnosis
from reports.rules.pressure import ROOM, cited, first_of, suffers
from reports.rules.seen import Rule, Seen

FULL = re.compile(r"\[Errno 28\]|No space left on device", re.IGNORECASE)
CLOSED = re.compile(r"\[Errno (?:13|30)\][^']*'?(?P<path>/?[\w./-]+)?|Read-only file system")


def folder_is_no_place(seen: Seen) -> Iterator[Diagnosis]:
    """A service cannot write where it works, or there is no room where it keeps temporary files."""
    for rung in seen.broken("place.write"):
        if rung.code not in {"unwritable", "no-room"}:
            continue
        path = str(rung.facts.get("path") or "")
        temporary = path == rung.facts.get("temporary")
        # where it works it need not write, unless it is MLflow's server, which makes folders there
        if rung.code == "unwritable" and not temporary and seen.roles.get(rung.position) != "tracking":
            continue
        cause = "scratch-full" if rung.code == "no-room" else "volume-unwritable"
        sure = Confidence.PROVEN if temporary else Confidence.LIKELY
        given = {"path": path, "room": rung.facts.get("room"), "reason": rung.message}
        yield diagnosis(cause, rung.position, evidence=(rung.seq,), parameters=given, confidence=sure)


NO_SUCH = re.compile(r"(?i)no such file|FileNotFoundError|cannot find the file|does not exist")


def named_file_is_missing(seen: Seen) -> Iterator[Diagnosis]:
    """A setting names a file that is not there, and the service that has the setting is ill and speaks of a file that it does not find."""
    for rung in (rung for rung in seen.rungs if rung.name == "place.write" and suffers(seen, rung.position)):
        line = first_of(seen, rung.position, NO_SUCH)
        for setting, path in rung.facts.get("absent") or () if line else ():
            given = {"path": f"{path}, which {setting} names"}
            evidence = (rung.seq, *cited(seen, rung.position))
            sure = Confidence.PROVEN if len(rung.facts["absent"]) == 1 else Confidence.LIKELY
            yield diagnosis("file-missing", rung.position, evidence=evidence, parameters=given, confidence=sure)


SHARED = re.compile(r"(?i)(?:shared memory|/dev/shm).*no space left on device|no space left on device.*/dev/shm")


def shared_memory_is_full(seen: Seen) -> Iterator[Diagnosis]:
    """A service ended, or checks that ask it failed, and it says that its shared memory is full: a tmpfs of its own, not the disk."""
    for name, state in seen.containers.items():
        line = first_of(seen, name, SHARED)
        if line and (name in seen.gone or suffers(seen, name)):
            given = {"path": "/dev/shm (shm_size)", "reason": line[:200]}  # noqa: S108 - a name in a sentence
            yield diagnosis("scratch-full", name, evidence=(state.seq, *cited(seen, name)), parameters=given)


def data_has_no_place(seen: Seen) -> Iterator[Diagnosis]:
    """A service that keeps data may not write where it keeps it, or nothing is left there."""
    for rung in seen.broken("data.write"):
        cause = ROOM.get(seen.roles.get(rung.position, "")) if rung.code == "no-room" else "volume-unwritable"
        if cause and rung.code in {"no-room", "unwritable"}:
            given = {"path": rung.facts.get("path"), "target": rung.position, "reason": rung.message}
            yield diagnosis(cause, rung.position, evidence=(rung.seq,), parameters=given)


def call_finds_no_place(seen: Seen) -> Iterator[Diagnosis]:
    """A call inside the registry's container was answered with the system's own word that a file cannot be written."""
    registry = seen.of_role("registry")
    for event, error in seen.raised_inside:
        if not registry or error.get("type") not in {"OSError", "PermissionError"}:
            continue
        said = str(error.get("message"))
        closed = CLOSED.search(said)
        if FULL.search(said):
            yield diagnosis(
                "scratch-full", registry, evidence=(event.seq,), parameters={"path": "its temporary folder"}
            )
            return
        if closed:
            given = {"path": closed["path"] or "a folder of its own"}
            yield diagnosis("volume-unwritable", registry, evidence=(event.seq,), parameters=given)
            return


RULES = (
    Rule("data has no place", ("rung",), lambda seen: seen.rungs, data_has_no_place),
    Rule("a folder is no place to write", ("rung",), lambda seen: seen.rungs, folder_is_no_place),
    Rule("a named file is missing", ("rung", "log"), lambda seen: seen.rungs, named_file_is_missing),
    Rule("shared memory is full", ("container", "log"), lambda seen: seen.containers, shared_memory_is_full),
    Rule("a call finds no place to write", ("probe",), lambda seen: seen.failed, call_finds_no_place),
)
