"""The evidence bundle: one event a line, large bytes in blobs; everything that is judged is read here."""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any


class BundleError(Exception):
    """A bundle cannot be read as it was written; the message says where."""


def rounded(value: Any) -> Any:
    """The same JSON value with every float at three decimals."""
    if isinstance(value, float):
        return round(value, 3)
    if isinstance(value, dict):
        return {str(key): rounded(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [rounded(inner) for inner in value]
    return value


def canonical(value: Any, *, indent: int | None = None) -> str:
    """JSON text with sorted keys and three decimals: the same value is always the same bytes."""
    separators = (",", ":") if indent is None else (",", ": ")
    return json.dumps(rounded(value), sort_keys=True, ensure_ascii=False, indent=indent, separators=separators)


@dataclass(frozen=True)
class Blob:
    """Bytes kept beside the journal: name, SHA-256 (hex), size (bytes), media type."""

    name: str
    sha256: str
    size: int
    media: str


@dataclass(frozen=True)
class Event:
    """One thing seen: who was asked (subject), what (request), what came back (response)."""

    seq: int
    t: str
    kind: str
    subject: str
    request: Any
    response: Any
    blobs: tuple[Blob, ...] = ()

    @property
    def ref(self) -> str:
        """How a report cites this event: `e<seq>`."""
        return f"e{self.seq}"

    def to_line(self) -> str:
        """The event as its journal line, without the line's end."""
        blobs = [{"media": b.media, "name": b.name, "sha256": b.sha256, "size": b.size} for b in self.blobs]
        return canonical(
            {
                "seq": self.seq,
                "t": self.t,
                "kind": self.kind,
                "subject": self.subject,
                "request": self.request,
                "response": self.response,
                "blobs": blobs,
            }
        )


def parse_event(line: str, where: str) -> Event:
    """One journal line as an event; BundleError names the line that is not one."""
    try:
        raw = json.loads(line)
        blobs = tuple(Blob(b["name"], b["sha256"], b["size"], b["media"]) for b in raw["blobs"])
        return Event(raw["seq"], raw["t"], raw["kind"], raw["subject"], raw["request"], raw["response"], blobs)
    except (ValueError, KeyError, TypeError) as error:
        raise BundleError(f"{where}: not a journal event ({error!r}); the bundle was cut or edited") from error


MESSAGES = ("message", "msg", "event")
ERRORS = ("exception", "exc_info", "error", "stack")
FRAME = ("time", "timestamp", "@timestamp", "ts", "level", "severity", "logger", "name", "caller", "pid", "hostname")
"""What loggers call the message of a line of JSON, the error in it, and what stands around both (python-json-logger, structlog, Go's slog and zap, pino)."""


def lines_of(event: Event) -> tuple[str, ...]:
    """The lines of a kept log; of a line that is a JSON object its message with what else it tells, and the error that it holds."""
    return tuple(line for told in event.response.get("tail") or () for line in _spoken(str(told)))


def _spoken(line: str) -> Iterator[str]:
    try:
        told = json.loads(line)
    except ValueError:
        told = None
    if not isinstance(told, dict) or not any(told.get(name) for name in MESSAGES):
        yield line
        return
    said = " ".join(str(told[name]) for name in MESSAGES if told.get(name))
    rest = (f"{name}: {value}" for name, value in told.items() if name not in {*MESSAGES, *ERRORS, *FRAME})
    yield f"{said} {', '.join(rest)}".strip()
    for name in ERRORS:
        if told.get(name):
            yield from str(told[name]).splitlines()


@dataclass(frozen=True)
class Bundle:
    """All that was seen in one run, in the order in which it was seen."""

    events: tuple[Event, ...]
    journal: bytes = b""
    folder: Path | None = None

    @cached_property
    def _by_kind(self) -> dict[str, tuple[Event, ...]]:
        kinds: dict[str, list[Event]] = {}
        for event in self.events:
            kinds.setdefault(event.kind, []).append(event)
        return {kind: tuple(events) for kind, events in kinds.items()}

    @cached_property
    def _by_seq(self) -> dict[int, Event]:
        return {event.seq: event for event in self.events}

    def of(self, *kinds: str) -> tuple[Event, ...]:
        """The events of these kinds, in order."""
        if len(kinds) == 1:
            return self._by_kind.get(kinds[0], ())
        return tuple(event for event in self.events if event.kind in kinds)

    def last(self, kind: str, subject: str | None = None) -> Event | None:
        """The last event of a kind (and subject), or None."""
        for event in reversed(self.of(kind)):
            if subject is None or event.subject == subject:
                return event
        return None

    def at(self, seq: int) -> Event | None:
        """The event with this number, or None."""
        return self._by_seq.get(seq)

    def blob(self, blob: Blob) -> bytes:
        """The bytes of a blob; BundleError if they are missing or are not those that were kept."""
        if self.folder is None:
            raise BundleError(f"blob {blob.name}: this bundle has no folder")
        path = self.folder / "blobs" / blob.sha256
        if not path.is_file():
            raise BundleError(f"{path}: blob {blob.name!r} is missing")
        data = path.read_bytes()
        if hashlib.sha256(data).hexdigest() != blob.sha256:
            raise BundleError(f"{path}: not the bytes that were kept as {blob.name!r}")
        return data

    def check_blobs(self) -> None:
        """Compare every blob with its hash; BundleError names the first that differs."""
        for event in self.events:
            for blob in event.blobs:
                self.blob(blob)

    @cached_property
    def sha256(self) -> str:
        """SHA-256 (hex) over the journal's bytes; blobs are named in it by their own."""
        return hashlib.sha256(self.journal).hexdigest()


def _lines(data: bytes, path: Path) -> Iterator[Event]:
    # by line feeds alone: texts may hold other characters that end a line elsewhere
    for number, line in enumerate(data.decode("utf-8").removesuffix("\n").split("\n"), start=1):
        yield parse_event(line, f"{path}:{number}")


def load(folder: Path) -> Bundle:
    """Read a bundle from its folder (or the run's folder that holds `evidence/`); BundleError if there is none."""
    for candidate in (folder, folder / "evidence"):
        path = candidate / "journal.jsonl"
        if path.is_file():
            data = path.read_bytes()
            events = tuple(_lines(data, path))
            _check_order(events, path)
            return Bundle(events, data, candidate)
    raise BundleError(f"{folder}: no evidence here; give the folder that holds journal.jsonl")


def _check_order(events: tuple[Event, ...], path: Path) -> None:
    for expected, event in enumerate(events, start=1):
        if event.seq != expected:
            raise BundleError(f"{path}: event e{event.seq} where e{expected} must be; lines were lost or moved")
