"""Rules about the machine and the engine: what stopped the start before any service could run."""

import re
from collections.abc import Iterator

from reports.causes import HOST, Diagnosis, diagnosis
from reports.rules.processes import OF_PROGRAM
from reports.rules.seen import Rule, Seen

PORT = re.compile(
    r":(?P<port>\d+)\b[^\n]*?(?:port is already allocated|address already in use)|listen tcp4? [\d.]*:(?P<other>\d+): bind"
)
IMAGE = re.compile(
    r"(?:No such image|manifest(?: for)?|pull access denied for|repository|failed to resolve reference|reference)[: ]+\"?(?!unknown\b|does\b)(?P<image>[\w./:@-]+)"
)
ABSENT = re.compile(
    r"(?i)no such image|manifest unknown|manifest for .* not found|pull access denied|failed to resolve|repository does not exist|lookup .* no such host|dial tcp"
)
DEFINITION = re.compile(
    r"(?i)required variable|undefined (?:service|network|volume)|depends on undefined|invalid (?:compose|spec|interpolation)|additional propert|must be a|circular|dependency cycle|yaml:"
)
DISK = re.compile(r"(?i)no space left on device")


def _started(seen: Seen) -> tuple[int, ...]:
    return (seen.start.seq,) if seen.start else ()


def _named_in(text: str, seen: Seen) -> str | None:
    named = (name for name in seen.services if re.search(rf"(?<![\w-]){re.escape(name)}(?:-\d+)?(?![\w-])", text))
    return max(named, key=len, default=None)


def port_is_taken(seen: Seen) -> Iterator[Diagnosis]:
    """The engine cannot publish a port that another process of the host listens on."""
    match = PORT.search(seen.compose_error)
    if match:
        port = match["port"] or match["other"]
        yield diagnosis("port-taken", HOST, evidence=_started(seen), parameters={"port": port})


def port_was_taken_before(seen: Seen) -> Iterator[Diagnosis]:
    """A port that the definition names is held by another process of the host: nothing was started."""
    for event in seen.bundle.of("host.problem"):
        match = re.search(r"\bport (?P<port>\d+)", str((event.response or {}).get("message")))
        if event.subject == "port" and match:
            yield diagnosis("port-taken", HOST, evidence=(event.seq,), parameters={"port": match["port"]})


def disk_is_full(seen: Seen) -> Iterator[Diagnosis]:
    """The engine, or a service, finds no room on the disk."""
    if DISK.search(seen.compose_error):
        yield diagnosis("disk-full", HOST, evidence=_started(seen))


def image_is_unavailable(seen: Seen) -> Iterator[Diagnosis]:
    """The image that a service names is nowhere: it was never started, and the engine says why."""
    if not ABSENT.search(seen.compose_error):
        return
    match = IMAGE.search(seen.compose_error)
    image = match["image"].removeprefix("docker.io/").removeprefix("library/") if match else ""
    users = [
        name
        for name, service in seen.services.items()
        if image and str(service.get("image", "")).startswith(image.rstrip(":"))
    ]
    # a registry that cannot be reached names no image: the one that is not here is meant
    named = _named_in(seen.compose_error, seen)
    component = next(iter(users), None) or named or next(iter(seen.without_image), None) or HOST
    image = image or str(seen.service(component).get("image", ""))
    yield diagnosis("image-unavailable", component, evidence=_started(seen), parameters={"image": image})


def definition_is_refused(seen: Seen) -> Iterator[Diagnosis]:
    """Compose itself refuses the definition."""
    if DEFINITION.search(seen.compose_error):
        component = _named_in(seen.compose_error, seen) or HOST
        yield diagnosis(
            "definition-invalid", component, evidence=_started(seen), parameters={"reason": seen.compose_error}
        )


ANSWER = re.compile(r"(?:Error response from daemon|Error)[: ]+(?P<reason>.*)")
KNOWN = (PORT, DISK, ABSENT, DEFINITION, OF_PROGRAM)


def engine_refuses_a_container(seen: Seen) -> Iterator[Diagnosis]:
    """The engine does not make or start a container as it is defined, and says why: a device, a mount, a limit, an address."""
    for name, state in seen.containers.items():
        said = str(state.seen.get("error") or "")
        if said and state.status != "running" and not any(words.search(said) for words in KNOWN):
            yield diagnosis("engine-refuses", name, evidence=(state.seq,), parameters={"reason": said[:240]})


def _not_made(seen: Seen) -> str | None:
    """The only service that has no container though all that it rests on have: Compose makes them in that order, and stops at the one that is refused."""
    absent = frozenset(name for name in seen.services if name not in seen.containers and not seen.is_ours(name))
    first = seen.graph.lowest(absent) if absent and seen.containers else frozenset()
    return next(iter(first)) if len(first) == 1 else None


def engine_refuses(seen: Seen) -> Iterator[Diagnosis]:
    """The engine refuses what Compose asks for, and no container tells of it."""
    answer = ANSWER.search(seen.compose_error)
    told = next(engine_refuses_a_container(seen), None)
    if answer and told is None and not any(words.search(seen.compose_error) for words in KNOWN):
        component = _named_in(seen.compose_error, seen) or _not_made(seen) or HOST
        given = {"service": component, "reason": answer["reason"].strip()[:240]}
        yield diagnosis("engine-refuses", component, evidence=_started(seen), parameters=given)


def _applies(seen: Seen) -> bool:
    return bool(seen.compose_error)


RULES = (
    Rule("a port of the host is taken", ("start",), _applies, port_is_taken),
    Rule("a port of the host was taken before the start", ("host.problem",), lambda _: True, port_was_taken_before),
    Rule("the disk is full", ("start",), _applies, disk_is_full),
    Rule("an image is unavailable", ("start",), _applies, image_is_unavailable),
    Rule("the definition is refused", ("start",), _applies, definition_is_refused),
    Rule("the engine refuses a container", ("container",), lambda _: True, engine_refuses_a_container),
    Rule("the engine refuses", ("start",), _applies, engine_refuses),
)
