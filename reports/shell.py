"""What a shell command's exit status can still tell: read from its text, without running it."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

WRAPPER = re.compile(
    r"(?:\S*/)?(?:ba|da|a|z|k)?sh\s+(?P<flags>(?:-[\w-]+\s+(?:(?:pipefail|errexit)\s+)?)+)(?P<script>.*)", re.DOTALL
)
TOKEN = re.compile(r"'[^']*'|\"(?:\\.|[^\"\\])*\"|\\.|(?P<operator>&&|\|\||[;|\n]|(?<![>&<])&(?![>&\d]))", re.DOTALL)
COMMENT = re.compile(r"(?m)(?:^|(?<=\s))#.*$")
OPENING = re.compile(r"^(?:[({]\s*|(?:then|do|else|if|elif|while|until|exec|sudo|time|command|nohup|!)\s+)+")
CLOSING = re.compile(r"[\s)}]+$")
CONTENT = re.compile(r"(?:true|/bin/true|:|echo\b.*|printf\b.*|(?:exit|return)(?:\s+0)?|sleep\s.*)$", re.DOTALL)
"""Commands that end well whatever is the case."""

REFUSES = re.compile(r"\b(?:exit|return)\s+(?:[1-9]|\$)|(?:^|[;&|\n{(]|\bthen\b)\s*false\b")
"""The script fails aloud somewhere."""

STRICT = re.compile(r"(?m)(?:^|[;&]\s*|\s)set\s+-(?:\w*e\w*\b|o\s+errexit)")
PIPEFAIL = re.compile(r"\bset\s+(?:-\w+\s+)*-\w*o\s+pipefail|^-\w*o\s+pipefail")
CONSUMES = re.compile(r"(?:\S*/)?(?:cat|tee|head|tail|wc|sed|tr|ts|logger|sort)\b")
"""Programs that are content with any input."""

TIDIES = re.compile(
    r"(?:\S*/)?(?:rm|rmdir|mkdir|chown|chmod|kill|pkill|killall|wait|sleep|trap|unset|export|cd|test|\[|grep|unlink|umount"
    r"|set|read|source|\.|ulimit|local|done|fi|esac|echo|printf|which|docker)(?:\s|$)|\w+=\S*$|(?:\S*/)?mc\s+(?:rb|rm)\b"
)
"""Commands whose failure leaves nothing undone that a deployment needs."""

PREPARES = re.compile(
    r"(?<![\w./-])(?:mc|mb|init\w*|migrat\w*|create\w*|make\w*|alembic|upgrade|bootstrap\w*|seed\w*|provision\w*|psql|setup\w*"
    r"|load\w*|import\w*)(?![\w.]*=)|[\w/.-]*(?:init|migrat|create|make|provision|bootstrap)[\w-]*\.(?:py|sh)\b"
)
"""Words of commands that make what the services need: buckets, tables, users."""

CAUGHT = re.compile(r"\bexcept(?:\s+(?:Base)?Exception(?:\s+as\s+\w+)?)?\s*:\s*(?:pass\b|print\(|\.\.\.)")
TRAPPED = re.compile(r"\btrap\s+(['\"])\s*(?:exit\s+0|true|:)[^'\"]*\1\s+(?:EXIT|ERR|0)\b")
LENIENT = re.compile(r"\bset\s+\+e\b")

PUBLIC = re.compile(
    r"\b(?:anonymous|policy)\s+(?:-\S+\s+)*(?:set\s+)?(?:-\S+\s+)*(?:public|download|upload|readwrite|readonly)\b(?![\w=])"
    r"|\bpublic-read|--acl[-= ]public|\ballow-anonymous\b|\bgroups/global/AllUsers\b"
)
ANYBODY = re.compile(r"[\"']?Principal[\"']?\s*:\s*(?:[\"']\*[\"']|\{\s*[\"']AWS[\"']\s*:\s*\[?\s*[\"']\*[\"'])")
DENIES = re.compile(r"[\"']?Effect[\"']?\s*:\s*[\"']Deny[\"']")

CURL = re.compile(r"(?:\S*/)?curl\s")
CURL_FAILS = re.compile(r"(?:^|\s)(?:-[a-zA-Z]*f[a-zA-Z]*|--fail(?:-with-body)?)(?=\s|$)")
CURL_TELLS = re.compile(r"-w\b|--write-out")
VACUOUS = re.compile(
    r"(?:true|/bin/true|:|exit(?:\s+0)?|(?:echo|printf)\b.*|date|pwd|whoami|id|hostname|uname(?:\s+-\w+)?|sleep\s+\S+|ls(?:\s+/)?"
    r"|test\s+1|\[\s+1\s+\]|(?:test|\[)\s+1\s+(?:=|==|-eq)\s+1(?:\s+\])?|test\s+-[de]\s+/|cat\s+/dev/null|cat\s+/etc/\S+"
    r"|kill\s+-0\s+1|\S+\s+(?:--version|-V))$",
    re.DOTALL,
)
"""Commands that ask the service nothing, and so succeed in any container that lives."""

SELF = re.compile(r"\bps\b[^|]*\|\s*grep\s+(?:-\w+\s+)*[\"']?(?P<first>.)")
PYTHON = re.compile(r"(?:\S*/)?python[\d.]*\s+-c\s+(?P<quote>['\"]?)(?P<body>.*)(?P=quote)$", re.DOTALL)
PYTHON_VACUOUS = re.compile(
    r"(?:(?:import|from)\s[\w.,\s]+;\s*)?(?:pass|print\([^()]*\)|(?:sys\.)?exit\((?:0|)\)|quit\(\)|import\s[\w.,\s]+)\s*;?\s*"
)
PYTHON_CONTENT = re.compile(r"\b(?:requests|httpx)\.(?:get|head|post)\(")
PYTHON_TELLS = re.compile(r"raise_for_status|status_code|\.ok\b|\bassert\b|is_success|\.json\(|exit\(")


@dataclass(frozen=True)
class Command:
    """One simple command: the operator before it, its words, the operator behind it."""

    before: str
    text: str
    after: str

    @property
    def bare(self) -> str:
        """The words without brackets and keywords around them."""
        return CLOSING.sub("", OPENING.sub("", self.text))

    @property
    def is_content(self) -> bool:
        """Whether it ends well whatever is the case; a bracket alone does."""
        return not self.bare or bool(CONTENT.match(self.bare))


@dataclass(frozen=True)
class Script:
    """A command line taken apart: what a wrapping shell was told, and the simple commands in their order."""

    text: str
    flags: str
    commands: tuple[Command, ...]

    @property
    def is_strict(self) -> bool:
        """Whether the first failure ends it."""
        return bool(STRICT.search(self.text)) or bool(re.search(r"(?:^|\s)-\w*e\w*\s|errexit", self.flags))

    @property
    def refuses(self) -> bool:
        """Whether it says somewhere, itself, that it failed."""
        return bool(REFUSES.search(self.text))

    @property
    def last(self) -> Command | None:
        """The command whose status is the script's, were each to end well."""
        return next((row for row in reversed(self.commands) if row.bare), None)


def script_of(text: str) -> Script:
    """The script in a command line: a wrapping `sh -c` is taken off, `$$` is the `$` that the shell sees, comments go."""
    plain = text.strip().replace("$$", "$")
    wrapped = WRAPPER.fullmatch(plain)
    flags = wrapped["flags"] if wrapped else ""
    if wrapped:
        plain = wrapped["script"].strip()
        if len(plain) > 1 and plain[0] in "'\"" and plain[-1] == plain[0]:
            plain = plain[1:-1].replace('\\"', '"') if plain[0] == '"' else plain[1:-1]
    plain = COMMENT.sub("", plain).replace("\\\n", " ").strip()
    return Script(plain, flags, tuple(_commands(plain)))


def _commands(text: str) -> Iterator[Command]:
    before, began = "", 0
    operators = [match for match in TOKEN.finditer(text) if match["operator"]]
    for match in operators:
        yield from _command(before, text[began : match.start()], match["operator"])
        # an empty line or a closing `;` says nothing: `||` before it still waits for its command
        before = match["operator"] if text[began : match.start()].strip() or not before else before
        began = match.end()
    yield from _command(before, text[began:], "")


def _command(before: str, text: str, after: str) -> Iterator[Command]:
    if text.strip():
        yield Command(before, text.strip(), after)


def _excuses(commands: tuple[Command, ...]) -> Iterator[tuple[Command, tuple[Command, ...], tuple[Command, ...]]]:
    """Each command that has an `||` behind it, with what is done instead, and what follows both."""
    for place, command in enumerate(commands[:-1]):
        if command.after != "||":
            continue
        depth, end = 0, place + 1
        for row in commands[place + 1 :]:
            end += 1
            depth += len(re.findall(r"[({](?=\s|$)|^\(", row.text)) - len(re.findall(r"(?:^|\s)[)}]|\)$", row.text))
            # `a || { b; c; }`: the bracket holds the commands together
            if depth <= 0 and row.after not in {"&&", "||"}:
                break
        yield command, commands[place + 1 : end], commands[end:]


def _pipe_hides(script: Script) -> bool:
    last = script.last
    if last is None or last.before != "|" or not CONSUMES.match(last.bare):
        return False
    return not PIPEFAIL.search(script.text) and "pipefail" not in script.flags


def swallowed(text: str, *, is_job: bool) -> str:
    """How a job's failures are hidden: `job` (it ends well whatever fails), `step` (one step does), or empty."""
    script = script_of(text)
    for command, instead, after in _excuses(script.commands):
        if not all(row.is_content for row in instead) or TIDIES.match(command.bare) or command.is_content:
            continue
        prepares = bool(PREPARES.search(command.bare))
        speaks = any(re.match(r"echo|printf|sleep", row.bare) for row in instead)
        if not (is_job or prepares) or (speaks and after):
            continue
        surfaces = bool(after) and not after[-1].is_content and bool(PREPARES.search(after[-1].bare))
        return "step" if surfaces and not _ends_well(script) else "job"
    prepares = any(PREPARES.search(row.bare) and not TIDIES.match(row.bare) for row in script.commands)
    if not (is_job or prepares):
        return ""
    hidden = _ends_well(script) or (is_job and _pipe_hides(script)) or bool(TRAPPED.search(script.text))
    hidden = hidden or bool(CAUGHT.search(script.text)) or _goes_on(script)
    return "job" if hidden else ""


def _ends_well(script: Script) -> bool:
    """Whether the last command succeeds and is reached whatever failed before it."""
    last = script.last
    if last is None or not last.is_content or last.before not in {";", "\n", "&"}:
        return False
    works = any(not row.is_content and not TIDIES.match(row.bare) for row in script.commands)
    return works and not script.is_strict and not script.refuses


def _goes_on(script: Script) -> bool:
    """Whether it switches off that a failure ends it, and does more than one thing after that."""
    lenient = LENIENT.search(script.text)
    if lenient is None or "$?" in script.text or script.refuses:
        return False
    rest = [row for row in _commands(script.text[lenient.end() :]) if not TIDIES.match(row.bare)]
    return len(rest) > 1


def cannot_fail(words: str) -> str:
    """Why a health check's command always ends well; empty where it can fail."""
    script = script_of(re.sub(r"^CMD(?:-SHELL)?\s+", "", words.strip()))
    last = script.last
    if last is None:
        return ""
    for _, instead, after in _excuses(script.commands):
        if not after and all(row.is_content for row in instead):
            return "a failure is turned into a success"
    if PYTHON.match(script.text):
        return _python(script.text)
    told = {
        "it asks the service nothing": len(script.commands) == 1 and VACUOUS.match(last.bare),
        "its last word is always a success": _is_last_content(script, last),
        f"{last.bare.split()[0]} behind the pipe is content with any answer": _pipe_hides(script),
        "grep finds itself among the processes": _finds_itself(script.text),
        "curl without --fail is content with any status": _curls_blindly(script),
    }
    return next((why for why, holds in told.items() if holds), "")


def _is_last_content(script: Script, last: Command) -> bool:
    return last.is_content and last.before in {";", "\n", "&", ""} and not script.is_strict and not script.refuses


def _finds_itself(text: str) -> bool:
    seen = SELF.search(text)
    return seen is not None and seen["first"] != "[" and "grep -v" not in text


def _curls_blindly(script: Script) -> bool:
    first = script.commands[0]
    is_piped = "|" in {row.after for row in script.commands}
    return (
        bool(CURL.match(first.bare))
        and not is_piped
        and not (CURL_FAILS.search(first.bare) or CURL_TELLS.search(first.bare))
    )


def _python(text: str) -> str:
    """Why a line of Python always ends well: it raises nothing and looks at nothing."""
    matched = PYTHON.match(text)
    body = matched["body"].strip() if matched else ""
    if PYTHON_VACUOUS.fullmatch(body):
        return "it asks the service nothing"
    if CAUGHT.search(body) and "exit(1" not in body:
        return "a failure is turned into a success"
    if PYTHON_CONTENT.search(body) and not PYTHON_TELLS.search(body):
        return "the answer's status is not looked at"
    return ""


def is_public(text: str) -> bool:
    """Whether a command, or a policy in it, lets anybody read or write a bucket."""
    plain = COMMENT.sub("", text)
    return bool(PUBLIC.search(plain)) or any(_allows(plain, match.start()) for match in ANYBODY.finditer(plain))


def _allows(text: str, place: int) -> bool:
    """Whether the statement around a place is none that denies."""
    depth, began = 0, 0
    for index in range(place - 1, -1, -1):
        depth += {"}": 1, "{": -1}.get(text[index], 0)
        if depth < 0:
            began = index
            break
    depth, end = 1, len(text)
    for index in range(place, len(text)):
        depth += {"{": 1, "}": -1}.get(text[index], 0)
        if depth == 0:
            end = index
            break
    return not DENIES.search(text[began:end])
