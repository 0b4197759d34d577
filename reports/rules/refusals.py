"""Rules about what a program says at its end of the words that it was given: a command line, a directive, a setting's value."""

import re
from collections.abc import Iterator

from reports.causes import Confidence, Diagnosis, diagnosis
from reports.evidence import lines_of
from reports.rules.processes import last_words
from reports.rules.seen import Container, Rule, Seen
from reports.wiring import options_of, words_of

USAGE = re.compile(
    r"(?i)no such (?:option|command)|unrecogni[sz]ed (?:option|argument|configuration parameter|command)|unknown (?:option|flag|directive|argument|command line)"
    r"|(?:flag|option) provided but not defined|illegal option|invalid option|bad directive|wrong number of arguments|fatal config file error"
    r"|missing (?:option|argument)|requires an argument|invalid value for '?-|unexpected (?:extra )?argument|syntax error in (?:file|configuration)"
    r"|incorrect usage|invalid (?:command line )?argument\b(?!\s*$)|invalid value for parameter|invalid configuration"
)
"""What programs say of a command line or a configuration file that they cannot read (click, argparse, getopt, Go's flag, Redis, Postgres)."""

INVALID = re.compile(
    r"(?i)\bis not\b|\bare not\b|invalid|not valid|malformed|could not be found|cannot be (?:found|parsed|read)|unable to parse|failed to parse|does(?:n't| not) match"
    r"|could(?: not|n't) (?:parse|read)|unsupported|not supported|not a\b|must (?:be|match|start|contain)|unknown|expected|could not convert|out of range|bad value|illegal|unrecogni[sz]ed|no such"
)
"""What programs say of a value that they cannot use."""

ELSEWHERE = re.compile(
    r"(?i)translate host|resolve|authentication|password|connection|refused|timed out|timeout|does not exist|no module|import|permission|denied"
)
"""Words of troubles that lie in what a value leads to, not in the value: other rules read those."""

COMMON = frozenset(
    {"true", "false", "none", "null", "on", "off", "yes", "no", "http", "https", "info", "debug", "warning", "error"}
)
GENERIC = frozenset({"URI", "URL", "KEY", "ENV", "API", "HTTP", "HTTPS", "HOST", "PORT", "USER", "NAME", "FILE"})
"""Abbreviations that say of no setting that it is the one."""

OPTION = re.compile(r"(?<![\w-])--([a-z][\w-]+)")
LINES = 8
SHORTEST = 4


def _ended(seen: Seen) -> Iterator[tuple[Container, tuple[str, ...], tuple[int, ...]]]:
    for state in seen.gone.values():
        lines, seq = seen.log(state.service)
        if state.exit_code not in {0, 137, 143} and lines:
            yield state, tuple(line for line in lines if line.strip())[-LINES:], (state.seq, seq)


def command_is_refused(seen: Seen) -> Iterator[Diagnosis]:
    """A program ended on its command line or its configuration: an option or directive that it does not know."""
    for state, lines, cited in _ended(seen):
        own = options_of(seen.service(state.service))
        # a program that ends with an option of its own command line in its mouth speaks of that
        named = (line for line in lines[-1:] if any(f"--{word}" in own for word in OPTION.findall(line)))
        usage = next((line for line in reversed(lines) if USAGE.search(line)), None)
        said = usage or next(named, None)
        if said and not _named(said, seen, state.service) and not _is_given_by_setting(said, seen, state.service):
            shown = _with_line_before(lines, said)
            sure = Confidence.PROVEN if usage else Confidence.LIKELY
            given = {"reason": shown, "line": shown}
            yield diagnosis("command-invalid", state.service, evidence=cited, parameters=given, confidence=sure)


def _is_given_by_setting(said: str, seen: Seen, service: str) -> bool:
    """Whether the value that a program complains of stands in its settings and not on its command line: options may be read from both."""
    name = _quoted(said, seen, service)
    command = " ".join(words_of(seen.service(service)))
    return name is not None and seen.environment(service)[name] not in command


def _with_line_before(lines: tuple[str, ...], said: str) -> str:
    place = lines.index(said)
    before = lines[place - 1].strip() if place and lines[place - 1].startswith((">>>", "At line", "LINE")) else ""
    return f"{before} {said.strip()}".strip()[:240]


def setting_is_refused(seen: Seen) -> Iterator[Diagnosis]:
    """A program ended saying of a setting that it holds, by its name or by its value, that it cannot be used."""
    for state, lines, cited in _ended(seen):
        said = last_words(lines)
        if not _complains(said):
            continue
        # what follows may say which setting is meant, and in what way
        place = next((number for number, line in enumerate(lines) if said in line), len(lines))
        by_name = next(
            (name for line in (said, *lines[place + 1 :]) if (name := _named(line, seen, state.service))), None
        )
        if name := by_name or _valued(said, seen, state.service) or _hinted(said, seen, state.service):
            sure = Confidence.PROVEN if by_name else Confidence.LIKELY
            given = {"setting": name, "reason": said[:240]}
            yield diagnosis("setting-invalid", state.service, evidence=cited, parameters=given, confidence=sure)


def _named(said: str, seen: Seen, service: str) -> str | None:
    """The setting that a line names and that is set."""
    held = seen.environment(service)
    return next(
        (name for name, value in held.items() if value and re.search(rf"(?<!\w){re.escape(name)}(?!\w)", said)), None
    )


def _valued(said: str, seen: Seen, service: str) -> str | None:
    """The setting whose value stands in a line; the longest, and of several the one that is named like an option of that line."""
    options = {word.upper().replace("-", "_") for word in OPTION.findall(said)}
    told = [
        (len(value), any(name.endswith(f"_{option}") for option in options), name)
        for name, value in _telling(seen, service)
        if re.search(rf"(?<![\w/.-]){re.escape(value)}(?![\w/-])", said)
    ]
    return max(told)[2] if told else None


def _hinted(said: str, seen: Seen, service: str) -> str | None:
    """The one setting whose name holds an abbreviation that a line speaks of: KMS in MINIO_KMS_SECRET_KEY."""
    spoken = set(re.findall(r"(?<![\w-])[A-Z]{3,}(?![\w-])", said)) - GENERIC
    hinted = [name for name, value in seen.environment(service).items() if value and spoken & set(name.split("_")[1:])]
    return hinted[0] if len(hinted) == 1 else None


def setting_is_given_up(seen: Seen) -> Iterator[Diagnosis]:
    """A program that runs on has said of a setting that it cannot be used: it quotes the value in its complaint."""
    for service, lines, seq in _spoken(seen):
        complaints = (line for line in lines if _complains(line))
        told = ((name, line) for line in complaints if (name := _quoted(line, seen, service)))
        if (first := next(told, None)) is not None:
            given = {"setting": first[0], "reason": first[1][:240]}
            yield diagnosis("setting-invalid", service, evidence=(seq,), parameters=given, confidence=Confidence.LIKELY)


def _spoken(seen: Seen) -> Iterator[tuple[str, tuple[str, ...], int]]:
    """What running services wrote, and what was raised in the registry's own process while a check that failed called it."""
    for event in seen.bundle.of("log"):
        if event.subject in seen.services and event.subject not in seen.gone:
            yield event.subject, lines_of(event), event.seq
    cited = {seq for check in seen.failed for seq in check.evidence}
    registry = seen.of_role("registry")
    for event, error in seen.raised_inside:
        if registry and event.seq in cited:
            raised = (error, *(error.get("chain") or ()))
            yield registry, tuple(str(one.get("message") or "") for one in raised), event.seq


def _complains(said: str) -> bool:
    """Whether a line says of a value itself, not of what it leads to, that it cannot be used."""
    return bool(INVALID.search(said)) and not ELSEWHERE.search(said)


def _quoted(said: str, seen: Seen, service: str) -> str | None:
    """The setting whose whole value stands in quotes in a line."""
    return next(
        (name for name, value in _telling(seen, service) if re.search(rf"(['\"`]){re.escape(value)}\1", said)), None
    )


def _telling(seen: Seen, service: str) -> Iterator[tuple[str, str]]:
    """The settings of a service whose value is known by itself in a line: long enough, no common word, no secret."""
    for name, value in seen.environment(service).items():
        if len(value) >= SHORTEST and value.lower() not in COMMON and "[redacted]" not in value:
            yield name, value


def _gone(seen: Seen) -> bool:
    return bool(seen.gone)


RULES = (
    Rule("a command line is refused", ("container", "log"), _gone, command_is_refused),
    Rule("a setting is refused", ("container", "log", "compose"), _gone, setting_is_refused),
    Rule("a setting is given up", ("compose",), lambda seen: seen.failed, setting_is_given_up),
)
