"""What a deployment's definition says about it before anything is started: compose text in, findings out."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import yaml

from reports.wiring import is_job

ERROR, WARNING = "error", "warning"

SECRET = re.compile(r"(?i)(passw(or)?d|secret|token|credential|api_?keys?$|private_?key|access_?key|root_user$)")
NOT_SECRET = re.compile(r"(?i)(_file|_path|token_symbol|_url|endpoint|_name|issuer|_expire\w*|_ttl|_minutes)$")
DEFAULTS = frozenset(
    [
        "admin",
        "admin123",
        "changeme",
        "changeit",
        "default",
        "guest",
        "minio",
        "minio123",
        "minioadmin",
        "minioadmin123",
        "mlflow",
        "mlflow_password",
        "password",
        "password123",
        "password1234",
        "postgres",
        "postgrespw",
        "redis",
        "root",
        "secret",
        "test",
        "test123",
        "123456",
        "12345678",
        "mysecretpassword",
        "example",
        "admin1234",
        "letmein",
        "passw0rd",
    ]
)
"""Credentials that everybody knows: of images' documentation, of examples, of the seed."""

VARIABLE = re.compile(r"\$\{(?P<name>\w+)(?P<how>:?[-?+])?(?P<rest>(?:\$\{[^}]*\}|[^}])*)\}|\$(?P<plain>[A-Za-z_]\w*)")
BRACED = r"\$\{(?:\$\{[^}]*\}|[^}])*\}"
URL_PASSWORD = re.compile(rf"://(?:{BRACED}|(?!\$\{{)[^\s:/@\"'])*:(?P<password>(?:{BRACED}|[^\s@/\"'])+)@")
CODE_PLACE = re.compile(
    r"^/(?:app|src|code|srv|workspace|usr/src|home/[^/]+/(?:app|src))(?:/(?!(?:logs?|data|tmp|cache|config|certs)(?:/|$))|/?$)"
    r"|^/(?:usr/local/lib/python|opt/(?!certs|data|config))|site-packages|\.py$"
)
SWALLOWS = re.compile(
    r"\|\|\s*(?:true|:|exit\s+0)(?![\w-])|\|\|\s*(?:echo|printf)\b[^;&|\n]*$|;\s*(?:true|:)\s*;?\s*$|(?:^|[;&\n]|\bthen\b)\s*exit\s+0\s*;?\s*\"?\s*$|\bset\s+\+e\b"
)
PUBLIC = re.compile(
    r"\b(?:anonymous|policy)\s+(?:set\s+(?:public|download|upload)|set-json)|public-read|--acl[= ]public|allow-anonymous|\"Principal\"\s*:\s*(?:\"\*\"|\{\s*\"AWS\"\s*:\s*\[?\s*\"\*\")"
)
CURL_FAILS = re.compile(r"(?:^|\s)(?:-[a-zA-Z]*f[a-zA-Z]*|--fail(?:-with-body)?)(?=\s|$)")
DURATION = re.compile(r"(?:(?P<h>\d+)h)?(?:(?P<m>\d+)m(?!s))?(?:(?P<s>[\d.]+)s)?(?:(?P<ms>\d+)ms)?$")
SLOW = 20.0
"""Seconds between two looks at a service's health above which a start is mostly waiting."""


@dataclass(frozen=True)
class Finding:
    """A defect of the definition, and where it stands; `severity` is error or warning."""

    id: str
    severity: str
    file: str
    line: int | None
    service: str | None
    summary: str
    remedy: str

    def as_json(self) -> dict[str, Any]:
        """The words of the evidence."""
        return asdict(self)


@dataclass(frozen=True)
class Part:
    """One value of the definition: its node, its line (from 1)."""

    node: yaml.Node
    line: int

    @property
    def text(self) -> str:
        """A scalar's text; of anything else the words in it."""
        if isinstance(self.node, yaml.ScalarNode):
            return str(self.node.value)
        return " ".join(part.text for part in self.items)

    @property
    def items(self) -> tuple["Part", ...]:
        """The entries of a list."""
        rows = self.node.value if isinstance(self.node, yaml.SequenceNode) else []
        return tuple(Part(row, row.start_mark.line + 1) for row in rows)

    @property
    def map(self) -> dict[str, "Part"]:
        """The entries of a mapping, merged ones included; a list of NAME=value reads as one."""
        if isinstance(self.node, yaml.SequenceNode):
            pairs = [(part, *part.text.partition("=")) for part in self.items]
            return {name: Part(yaml.ScalarNode("", value), part.line) for part, name, _, value in pairs}
        found: dict[str, Part] = {}
        rows = self.node.value if isinstance(self.node, yaml.MappingNode) else []
        for key, value in rows:
            part = Part(value, key.start_mark.line + 1)
            if key.value == "<<":
                merged = part.items or (part,)
                found = {name: row for one in merged for name, row in one.map.items()} | found
            else:
                found[str(key.value)] = part
        return found


def read(text: str) -> dict[str, Part]:
    """The top level of a compose file; nothing where it is no mapping."""
    node = yaml.compose(text, Loader=yaml.SafeLoader)
    return Part(node, 1).map if node is not None else {}


def findings_of(file: str, text: str, config: Mapping[str, Any], *, is_overlay: bool = False) -> tuple[Finding, ...]:
    """The findings of one compose file; `config` is what Compose renders of all of them together."""
    top = read(text)
    found: list[Finding] = []
    services = top["services"].map if "services" in top else {}
    built = {literal(part.map["image"].text) for part in services.values() if {"image", "build"} <= part.map.keys()}
    for name, part in services.items():
        definition = part.map
        if "image" in definition and literal(definition["image"].text) in built:
            # what is built here has no tag that could change under us
            definition = {key: value for key, value in definition.items() if key != "image"}
        for look in (_credentials, _mounts, _scripts, _health, _image, _ports, _names, _waits):
            for identifier, severity, line, summary, remedy in look(name, definition, config):
                softened = WARNING if is_overlay and identifier == "inline-credentials" else severity
                found.append(Finding(identifier, softened, file, line, name, summary, remedy))
    for kind in ("networks", "volumes"):
        for name, part in (top[kind].map if kind in top else {}).items():
            if "name" in part.map:
                summary = f"the {kind[:-1]} {name} has the fixed name {part.map['name'].text}: two deployments share it"
                found.append(
                    Finding(
                        f"named-{kind[:-1]}",
                        WARNING,
                        file,
                        part.map["name"].line,
                        None,
                        summary,
                        "Let Compose name it.",
                    )
                )
    return tuple(dict.fromkeys(found))


Told = tuple[str, str, int, str, str]
"""id, severity, line, summary, remedy."""


def literal(value: str) -> str:
    """What a value is where no variable is given: its text, with the defaults of its variables in place."""

    def default(match: re.Match[str]) -> str:
        return literal(match["rest"]) if (match["how"] or "").endswith("-") else ""

    return VARIABLE.sub(default, value.replace("$$", "\0")).replace("\0", "$")


def _credentials(name: str, service: Mapping[str, Part], config: Mapping[str, Any]) -> Iterator[Told]:
    environment = service["environment"].map if "environment" in service else {}
    places = [(key, part) for key, part in environment.items() if SECRET.search(key) and not NOT_SECRET.search(key)]
    for key, part in places:
        yield from _credential(key, literal(part.text), part.line)
    words = [(key, part) for key, part in environment.items() if "://" in part.text]
    words += [("command", service["command"])] if "command" in service else []
    for key, part in words:
        for match in URL_PASSWORD.finditer(part.text):
            yield from _credential(f"the URL in {key}", literal(match["password"]), part.line)
    yield from _required(name, environment, config)


def _credential(key: str, value: str, line: int) -> Iterator[Told]:
    if not value:
        return
    if value.lower() in DEFAULTS:
        yield (
            "default-credentials",
            ERROR,
            line,
            f"{key} has a default that everybody knows",
            f"Require {key} (`${{NAME:?}}`) and make its value for each deployment.",
        )
    else:
        yield (
            "inline-credentials",
            ERROR,
            line,
            f"{key} stands in the file as it is",
            f"Take the value of {key} from a variable (`${{NAME:?}}`) or a secret.",
        )


def _required(name: str, environment: Mapping[str, Part], config: Mapping[str, Any]) -> Iterator[Told]:
    rendered = ((config.get("services") or {}).get(name) or {}).get("environment") or {}
    for key, part in environment.items():
        match = VARIABLE.fullmatch(part.text)
        if match and not match["how"] and rendered.get(key) == "":
            variable = match["name"] or match["plain"]
            yield (
                "variable-missing",
                ERROR,
                part.line,
                f"{key} is taken from {variable}, which nobody sets",
                f"Set {variable}, or give it a default.",
            )


def _mounts(name: str, service: Mapping[str, Part], config: Mapping[str, Any]) -> Iterator[Told]:
    del name, config
    for part in service["volumes"].items if "volumes" in service else ():
        long = part.map if isinstance(part.node, yaml.MappingNode) else {}
        source, target = _mount(part, long)
        if not re.match(r"[./~]|\$\{?PWD", source):
            continue
        if CODE_PLACE.search(target):
            yield (
                "source-mounted",
                ERROR,
                part.line,
                f"{source} of the host is mounted over {target} of the image",
                f"Take the mount of {target} out: what is tested must be what ships.",
            )


def _mount(part: Part, long: Mapping[str, Part]) -> tuple[str, str]:
    if long:
        bind = "type" in long and long["type"].text == "bind"
        return (
            long["source"].text if bind and "source" in long else "",
            long["target"].text if "target" in long else "",
        )
    words = re.split(r":(?![^{]*\})", part.text)
    return (words[0], words[1]) if len(words) > 1 else ("", "")


def _scripts(name: str, service: Mapping[str, Part], config: Mapping[str, Any]) -> Iterator[Told]:
    for key in ("entrypoint", "command"):
        if key not in service:
            continue
        script, line = service[key].text, service[key].line
        job = is_job(name, config) or bool(re.search(r"\bmc\b|\b(?:init|migrat|create|make)", f"{name} {script}"))
        if job and SWALLOWS.search(script.strip()):
            yield (
                "job-swallows-errors",
                ERROR,
                line,
                "the job ends well whatever fails in it",
                "Let it fail: `set -e`, no `|| true`, no closing `exit 0`.",
            )
        if PUBLIC.search(script):
            yield (
                "bucket-public",
                ERROR,
                line,
                "the bucket is made readable by anyone",
                "Leave the bucket private; callers have keys.",
            )


def _health(name: str, service: Mapping[str, Part], config: Mapping[str, Any]) -> Iterator[Told]:
    check = service["healthcheck"].map if "healthcheck" in service else {}
    if "test" in check:
        words, line = check["test"].text, check["test"].line
        why = cannot_fail(words)
        if why:
            yield (
                "health-check-cannot-fail",
                ERROR,
                line,
                f"the health check cannot fail: {why}",
                "Let the check's exit status be that of the question it asks.",
            )
    interval = check.get("interval")
    if interval is not None and seconds(interval.text) >= SLOW and "start_interval" not in check:
        summary = f"health is looked at every {interval.text} only: a start is mostly waiting"
        yield (
            "slow-health-interval",
            WARNING,
            interval.line,
            summary,
            "Set a short `start_interval`, or a shorter `interval`.",
        )
    if check.get("disable") is not None and check["disable"].text == "true" and not is_job(name, config):
        yield (
            "health-check-off",
            WARNING,
            check["disable"].line,
            "the health check is switched off",
            "Give the service a health check.",
        )


def cannot_fail(words: str) -> str:
    """Why a health check's command always ends well; empty where it can fail."""
    command = re.sub(r"^CMD(?:-SHELL)?\s+", "", words.strip())
    if re.search(r"\|\|\s*(?:(?:true|:|exit\s+0)(?![\w-])|(?:echo|printf)\b[^;&|\n]*$)", command):
        return "a failure is turned into a success"
    if re.fullmatch(r"(?:/bin/)?true|:|exit\s+0|echo\b[^;&|]*", command) or re.search(
        r";\s*(?:true|:|exit\s+0)\s*;?$", command
    ):
        return "its last word is always a success"
    if (
        re.match(r"(?:\S*/)?curl\s", command)
        and not CURL_FAILS.search(command)
        and not re.search(r"[|]\s*\S|-w\b|--write-out", command)
    ):
        return "curl without --fail is content with any status"
    return ""


def seconds(text: str) -> float:
    """A duration as Compose writes it (`1m30s`), in seconds; 0 where it is none."""
    match = DURATION.match(text.strip())
    if match is None:
        return 0.0
    return (
        float(match["h"] or 0) * 3600
        + float(match["m"] or 0) * 60
        + float(match["s"] or 0)
        + float(match["ms"] or 0) / 1000
    )


def _image(name: str, service: Mapping[str, Part], config: Mapping[str, Any]) -> Iterator[Told]:
    del name, config
    if "image" not in service:
        return
    image = literal(service["image"].text)
    if not image or "@sha256:" in image:
        return
    tag = image.rsplit("/", maxsplit=1)[-1].partition(":")[2]
    if tag in {"", "latest"}:
        yield (
            "image-not-pinned",
            WARNING,
            service["image"].line,
            f"the image {image} is whatever was pushed last",
            "Name an exact tag or, better, a digest.",
        )


def _ports(name: str, service: Mapping[str, Part], config: Mapping[str, Any]) -> Iterator[Told]:
    del name, config
    for part in service["ports"].items if "ports" in service else ():
        long = part.map if isinstance(part.node, yaml.MappingNode) else {}
        address = long["host_ip"].text if "host_ip" in long else ""
        words = re.split(r":(?![^{]*\})", part.text.replace("[::]", "0.0.0.0"))  # noqa: S104 - as declared
        short = words[0] if not long and len(words) > 2 else ""
        if (address or short) in {"", "0.0.0.0", "[::]", "::"}:  # noqa: S104 - as declared
            yield (
                "port-open-to-all",
                WARNING,
                part.line,
                f"port {part.text if not long else long['target'].text} is published on every address of the host",
                "Publish it on 127.0.0.1, or not at all.",
            )


def _names(name: str, service: Mapping[str, Part], config: Mapping[str, Any]) -> Iterator[Told]:
    del name, config
    if "container_name" in service:
        part = service["container_name"]
        yield (
            "container-name",
            WARNING,
            part.line,
            f"the container has the fixed name {part.text}: a second deployment collides",
            "Let Compose name it.",
        )


def _waits(name: str, service: Mapping[str, Part], config: Mapping[str, Any]) -> Iterator[Told]:
    del name, config
    part = service.get("depends_on")
    if part is None:
        return
    listed = [(row.text, row.line) for row in part.items]
    mapped = part.map if isinstance(part.node, yaml.MappingNode) else {}
    for key, row in mapped.items():
        if "condition" not in row.map or row.map["condition"].text == "service_started":
            listed.append((key, row.line))
    for needed, line in listed:
        yield (
            "dependency-without-condition",
            WARNING,
            line,
            f"it is started without waiting for {needed} to be ready",
            f"Wait with `condition: service_healthy` for {needed}.",
        )


def sorted_findings(found: Iterable[Finding]) -> tuple[Finding, ...]:
    """Errors first, then by file and line."""
    return tuple(sorted(found, key=lambda entry: (entry.severity != ERROR, entry.file, entry.line or 0, entry.id)))
