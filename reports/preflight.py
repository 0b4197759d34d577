"""What a deployment's definition says about it before anything is started: compose text in, findings out."""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import PurePosixPath
from typing import Any

import yaml

from reports import credentials, shell
from reports.wiring import OF_CONTRACT, environment_of, jobs_of, stated_role, words_of

ERROR, WARNING = "error", "warning"

VARIABLE = re.compile(r"\$\{(?P<name>\w+)(?P<how>:?[-?+])?(?P<rest>(?:\$\{[^}]*\}|[^}])*)\}|\$(?P<plain>[A-Za-z_]\w*)")
LOCAL_FILE = re.compile(r"(?:docker-)?compose[.-](?:local|dev|development|override)\.ya?ml$")
"""Files that by Compose's own custom, or by their name, are one person's machine's."""

CODE_PLACE = re.compile(
    r"/(?:app|src|code|srv|workspace|usr/src)(?:/|$)|/home/[^/]+/(?:app|src)(?:/|$)|/usr/local/lib/python|/opt(?:/|$)"
)
INSTALLED = re.compile(r"/usr/local/lib/python|site-packages")
CODE_FILE = frozenset(
    {".py", ".pyc", ".so", ".pth", ".js", ".mjs", ".ts", ".jar", ".rb", ".php", ".go", ".whl", ".egg"}
)
SOURCES = frozenset(
    {".", "..", "src", "app", "code", "lib", "api", "service", "services", "server", "backend", "package"}
)
NO_SOURCES = re.compile(
    r"(?i)\.?(?:logs?|data\w*|tmp|temp|cache\w*|conf|configs?|configuration|settings|certs?|ssl|tls|keys?|secrets?|env|models?"
    r"|artifacts?|ml(?:runs|artifacts)|uploads?|downloads?|media|static|public|html|www|site|storage|stores?|state|backups?|dumps?"
    r"|reports?|results?|outputs?|inputs?|fixtures|notebooks?|dashboards?|docs|volumes?|db|database|shared|var|run|locales?)$"
)
"""Names of folders that hold no code."""

FLOATS = frozenset(
    {"", "latest", "stable", "main", "master", "edge", "nightly", "dev", "develop", "canary", "current", "head"}
)
"""Tags that are another image tomorrow."""

OPTIONAL = re.compile(r"(?i)_?(?:proxy|debug|extra\w*|opts|args|flags)$")
JOB_NAME = re.compile(
    r"(?i)(?:^|[-_])(?:init\w*|migrat\w*|create\w*|make\w*|setup|bootstrap|seed\w*|provision\w*|job)(?:$|[-_])|buckets?$"
)
OPEN_BUCKET = re.compile(r"(?i)^\w*BUCKETS?=(?:.*,)?\s*[\w.-]+:(?:public|download|upload)\b")
NEEDED = re.compile(
    r"(?i)(?:host|hostname|port|user|username|db|database|name|bucket|region|ur[il]|uris|endpoint|address|addr|server|broker|key_id"
    r"|image|version|tag|domain|dsn|schema|path|file)$"
)
"""Names of settings that a service does not start, or does not find another, without."""

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
    def is_null(self) -> bool:
        """Whether it is a name without a value."""
        return isinstance(self.node, yaml.ScalarNode) and self.node.tag.endswith(":null")

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
            tags = {"=": "tag:yaml.org,2002:str", "": "tag:yaml.org,2002:null"}
            return {name: Part(yaml.ScalarNode(tags[has], value), part.line) for part, name, has, value in pairs}
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


@dataclass(frozen=True)
class Given:
    """What surrounds a service's definition: its file's top level, what Compose renders, which variables somebody sets."""

    top: Mapping[str, Part]
    config: Mapping[str, Any]
    known: Collection[str] | None
    is_overlay: bool

    @property
    def rendered(self) -> Mapping[str, Any]:
        """The services as Compose renders them; none where it was not asked."""
        return self.config.get("services") or {}


@dataclass(frozen=True)
class Reference:
    """A file that a definition draws in: as `include`, `extends` or `env`; where it is asked for, and which service of it."""

    kind: str
    path: str
    line: int
    service: str = ""
    is_required: bool = True


class DefinitionError(Exception):
    """A file that is no compose file; one line that says where and why."""


def read(text: str, file: str = "compose file") -> dict[str, Part]:
    """The top level of a compose file; nothing where it is no mapping; DefinitionError where it is no YAML."""
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = f":{mark.line + 1}" if mark else ""
        raise DefinitionError(f"{file}{place}: not YAML: {error.problem or error.context}") from error
    except yaml.YAMLError as error:
        raise DefinitionError(f"{file}: not YAML: {str(error).splitlines()[0]}") from error
    except RecursionError as error:
        raise DefinitionError(f"{file}: nested too deeply to be read") from error
    if node is not None:
        _require_end(node, file, set(), set())
    return Part(node, 1).map if node is not None else {}


def _require_end(node: yaml.Node, file: str, above: set[int], done: set[int]) -> None:
    """DefinitionError where a node holds itself."""
    if id(node) in above:
        raise DefinitionError(f"{file}:{node.start_mark.line + 1}: an anchor holds itself")
    if id(node) in done or isinstance(node, yaml.ScalarNode):
        return
    for row in node.value:
        for inner in row if isinstance(row, tuple) else (row,):
            _require_end(inner, file, above | {id(node)}, done)
    done.add(id(node))


def findings_of(
    file: str,
    text: str,
    config: Mapping[str, Any],
    *,
    is_overlay: bool = False,
    known: Collection[str] | None = None,
    only: Collection[str] | None = None,
    replaced: Mapping[str, Collection[str]] | None = None,
) -> tuple[Finding, ...]:
    """The findings of one compose file.

    `config` is what Compose renders of all files together, `known` names the variables that somebody sets, `only` the
    services that another file takes from this one, `replaced` the parts of a service that a later file says anew.
    """
    top = read(text, file)
    given = Given(top, config, known, is_overlay)
    services = top["services"].map if "services" in top else {}
    built = {literal(part.map["image"].text) for part in services.values() if {"image", "build"} <= part.map.keys()}
    found: list[Finding] = []
    for name, part in services.items():
        anew = (replaced or {}).get(name, ())
        definition = {key: value for key, value in part.map.items() if key not in anew}
        if only is not None and name not in only:
            continue
        if "profiles" in definition and given.rendered and name not in given.rendered:
            # what starts only when asked for by name is not deployed
            continue
        if "image" in definition and literal(definition["image"].text) in built:
            # what is built here has no tag that could change under us
            definition = {key: value for key, value in definition.items() if key != "image"}
        for look in LOOKS:
            found += [
                Finding(told[0], told[1], file, told[2], name, *told[3:]) for told in look(name, definition, given)
            ]
    for kind in ("networks", "volumes"):
        found += _shared(file, kind, top[kind].map if kind in top else {})
    return tuple(dict.fromkeys(_softened(found, is_local=is_local(file, top), is_overlay=is_overlay)))


WHOLE = frozenset({"image", "command", "entrypoint", "user"})
"""Parts of a service that an overlay does not add to: what it says stands in place of what was said before."""


def replaced_by(texts: Iterable[tuple[str, str]]) -> dict[str, set[str]]:
    """Service -> the parts that these overlays (name and text) say anew, whole; DefinitionError where one is no YAML."""
    found: dict[str, set[str]] = {}
    for file, text in texts:
        top = read(text, file)
        for name, part in (top["services"].map if "services" in top else {}).items():
            found.setdefault(name, set()).update(WHOLE & part.map.keys())
    return found


def _shared(file: str, kind: str, things: Mapping[str, Part]) -> Iterator[Finding]:
    for name, part in things.items():
        if "name" in part.map:
            fixed = part.map["name"]
            summary = f"the {kind[:-1]} {name} has the fixed name {fixed.text}: two deployments share it"
            yield Finding(f"named-{kind[:-1]}", WARNING, file, fixed.line, None, summary, "Let Compose name it.")


def is_local(file: str, top: Mapping[str, Part]) -> bool:
    """Whether a compose file is for one person's machine alone: it is named so, or says so in `x-airworthy.environment`."""
    says = top["x-airworthy"].map.get("environment") if "x-airworthy" in top else None
    return bool(LOCAL_FILE.fullmatch(PurePosixPath(file).name)) or (says is not None and says.text == "local")


def _softened(found: Iterable[Finding], *, is_local: bool, is_overlay: bool) -> Iterator[Finding]:
    """Credentials of a local environment are warned of; so are those that an overlay brings, unless everybody knows them."""
    mild = {"default-credentials", "inline-credentials"} if is_local else set()
    mild |= {"inline-credentials"} if is_overlay else set()
    for finding in found:
        yield replace(finding, severity=WARNING) if finding.id in mild else finding


def references(text: str, file: str = "compose file") -> tuple[Reference, ...]:
    """The files that a compose file draws in, where their names are known without asking anybody."""
    top = read(text, file)
    found: list[Reference] = []
    for part in top["include"].items if "include" in top else ():
        paths = part.map.get("path", part) if isinstance(part.node, yaml.MappingNode) else part
        found += [Reference("include", row.text, row.line) for row in paths.items or (paths,)]
    for service in (top["services"].map if "services" in top else {}).values():
        base = service.map["extends"].map if "extends" in service.map else {}
        if "file" in base and "service" in base:
            found.append(Reference("extends", base["file"].text, base["file"].line, base["service"].text))
        files = service.map.get("env_file")
        for row in (files.items or (files,)) if files is not None else ():
            long = row.map if isinstance(row.node, yaml.MappingNode) else {}
            path, must = long.get("path", row), long.get("required")
            found.append(Reference("env", path.text, path.line, is_required=must is None or must.text != "false"))
    known = [replace(row, path=literal(row.path)) for row in found if not list(unset(row.path, ()))]
    return tuple(dict.fromkeys(row for row in known if row.path and not re.search(r"://|^git@", row.path)))


def missing_file(file: str, line: int, path: str) -> Finding:
    """A file that a definition needs is not there."""
    summary = f"{path}, which the definition draws in, is not there"
    return Finding(
        "file-missing", ERROR, file, line, None, summary, f"Put {path} where the definition says, or take it out."
    )


def env_findings(file: str, text: str) -> tuple[Finding, ...]:
    """The findings of a file of NAME=value that services draw in: credentials that everybody knows; others may stand there."""
    found = []
    for number, row in enumerate(text.splitlines(), start=1):
        name, has_value, value = row.strip().removeprefix("export ").partition("=")
        clean = literal(value.strip().strip("'\""))
        known = credentials.kind_of(name.strip(), clean) == "default-credentials"
        known = known or any(credentials.is_known(literal(password)) for password in credentials.in_url(clean))
        if has_value and known and not name.startswith("#"):
            found.append(Finding("default-credentials", ERROR, file, number, None, *_defaulted(name.strip())))
    return tuple(found)


Told = tuple[str, str, int, str, str]
"""id, severity, line, summary, remedy."""


def literal(value: str) -> str:
    """What a value is where no variable is given: its text, with the defaults of its variables in place."""

    def default(match: re.Match[str]) -> str:
        return literal(match["rest"]) if (match["how"] or "").endswith("-") else ""

    return VARIABLE.sub(default, value.replace("$$", "\0")).replace("\0", "$")


def spelled(value: str) -> str:
    """A secret as far as the file tells it; empty where a part of it is a variable without a default: then the file does not."""
    found = VARIABLE.finditer(value.replace("$$", "\0"))
    return literal(value) if all((match["how"] or "").endswith("-") for match in found) else ""


def unset(text: str, known: Collection[str]) -> Iterator[tuple[str, bool]]:
    """The variables of a text that nobody sets and that have no default; whether it says itself that they must be set."""
    for match in VARIABLE.finditer(text.replace("$$", "\0")):
        name, how = match["name"] or match["plain"], match["how"] or ""
        if name in known or how.endswith("+"):
            continue
        if how.endswith("-"):
            yield from unset(match["rest"], known)
        else:
            yield name, how.endswith("?")


def _credentials(name: str, service: Mapping[str, Part], given: Given) -> Iterator[Told]:
    del name, given
    environment = service["environment"].map if "environment" in service else {}
    built = service["build"].map.get("args") if "build" in service else None
    for key, part in (*environment.items(), *(built.map.items() if built else ())):
        yield from _credential(key, credentials.kind_of(key, spelled(part.text), environment), part.line)
    words = [(key, service[key]) for key in ("command", "entrypoint") if key in service]
    for key, part in (*environment.items(), *words):
        for password in credentials.in_url(part.text):
            yield from _credential(f"the URL in {key}", _kind(spelled(password)), part.line)
    words += [("healthcheck", row) for row in service["healthcheck"].map.values()] if "healthcheck" in service else []
    for _, part in words:
        for option, value in credentials.in_command(part.text):
            yield from _credential(f"the secret of `{option}`", _kind(spelled(value)), part.line)


def _kind(value: str) -> str:
    if not value or value.startswith(("-", "/")) or re.match(credentials.PLACEHOLDER, value):
        return ""
    return "default-credentials" if credentials.is_known(value) else "inline-credentials"


def _credential(key: str, kind: str, line: int) -> Iterator[Told]:
    if kind == "default-credentials":
        yield (kind, ERROR, line, *_defaulted(key))
    elif kind:
        yield (
            kind,
            ERROR,
            line,
            f"{key} stands in the file as it is",
            f"Take the value of {key} from a variable (`${{NAME:?}}`) or a secret.",
        )


def _defaulted(key: str) -> tuple[str, str]:
    return (
        f"{key} has a default that everybody knows",
        f"Require {key} (`${{NAME:?}}`) and make its value for each deployment.",
    )


def _required(name: str, service: Mapping[str, Part], given: Given) -> Iterator[Told]:
    rendered = (given.rendered.get(name) or {}).get("environment") or {}
    environment = service.get("environment")
    for key, part in (environment.map if environment else {}).items():
        if given.known is None:
            match = VARIABLE.fullmatch(part.text)
            holes = {(match["name"] or match["plain"], False)} if match and not match["how"] else set()
            holes = holes if rendered.get(key) == "" else set()
        else:
            holes = (
                set(unset(part.text, given.known))
                if _is_last_word(part.text, rendered.get(key), given.known)
                else set()
            )
        for variable, is_said in sorted(holes):
            yield _missing(key, variable, part, is_needed=is_said or _is_needed(key, variable, part.text))
    yield from _passed_through(environment, rendered, given if name in given.rendered else None)
    for key, part in service.items():
        if key == "environment" or given.known is None:
            continue
        for row in scalars(part):
            for variable, is_said in unset(row.text, given.known):
                needed = is_said or key == "image" or credentials.is_secret(variable)
                yield _missing(key, variable, row, is_needed=needed)


def _is_last_word(text: str, rendered: Any, known: Collection[str]) -> bool:
    """Whether what Compose renders is still this text with its holes: no later file sets the variable otherwise."""
    if rendered is None:
        return True
    pattern, place = "", 0
    plain = text.replace("$$", "\0")
    for match in VARIABLE.finditer(plain):
        is_hole = not match["how"] and (match["name"] or match["plain"]) not in known
        pattern += re.escape(plain[place : match.start()]) + ("" if is_hole else ".*")
        place = match.end()
    pattern += re.escape(plain[place:])
    return re.fullmatch(pattern.replace("\0", "\\$\\$?"), str(rendered), re.DOTALL) is not None


def _missing(key: str, variable: str, part: Part, *, is_needed: bool) -> Told:
    return (
        "variable-missing",
        ERROR if is_needed else WARNING,
        part.line,
        f"{key} is taken from {variable}, which nobody sets",
        f"Set {variable}, or give it a default.",
    )


def _is_needed(key: str, variable: str, text: str) -> bool:
    """Whether a service would not do without: a secret, an address, or a hole in a larger value."""
    if OPTIONAL.search(key) or OPTIONAL.search(variable):
        return False
    is_whole = VARIABLE.fullmatch(text) is not None
    return not is_whole or credentials.is_secret(key) or bool(NEEDED.search(key))


def _passed_through(environment: Part | None, rendered: Mapping[str, Any], given: Given | None) -> Iterator[Told]:
    """Names without a value are taken from the shell of whoever starts the deployment, which is nobody's definition."""
    if environment is None or given is None or given.known is None or given.is_overlay:
        return
    for key, part in environment.map.items():
        if part.is_null and key not in given.known and rendered.get(key) is None:
            yield (
                "variable-missing",
                ERROR if _is_needed(key, key, "$V") else WARNING,
                part.line,
                f"{key} is taken from the caller's shell, where nobody sets it",
                f"Give {key} a value, or require it (`${{{key}:?}}`).",
            )


def scalars(part: Part) -> Iterator[Part]:
    """The single values in a part, in their order."""
    if isinstance(part.node, yaml.ScalarNode):
        yield part
    for inner in part.items or part.map.values():
        yield from scalars(inner)


def _mounts(name: str, service: Mapping[str, Part], given: Given) -> Iterator[Told]:
    for part in service["volumes"].items if "volumes" in service else ():
        long = part.map if isinstance(part.node, yaml.MappingNode) else {}
        source, target = _mount(part, long)
        source = _device(source, given) or source
        if is_source(source, target) and not (_is_apart(name, service, given) and _runs(service, target)):
            yield (
                "source-mounted",
                ERROR,
                part.line,
                f"{source} of the host is mounted over {target} of the image",
                f"Take the mount of {target} out: what is tested must be what ships.",
            )


def _data(name: str, service: Mapping[str, Part], given: Given) -> Iterator[Told]:
    rendered = given.rendered.get(name, {})
    rows = [row for row in rendered.get("volumes") or () if isinstance(row, Mapping)]
    places = [str(row.get("target")) for row in rows]
    places += [str(row).partition(":")[0] for row in rendered.get("tmpfs") or ()]
    own = [str(row.get("target")) for row in rows if row.get("type") == "volume" and row.get("source")]
    for folder in data_folders(rendered):
        if own and "volumes" in service and not any(_holds(place, folder) for place in places):
            yield (
                "data-beside-volume",
                ERROR,
                service["volumes"].line,
                f"its data lie in {folder}, and its volume at {', '.join(own)}: they are lost with the container",
                f"Mount the volume so that it holds {folder}.",
            )


def _holds(place: str, folder: str) -> bool:
    # MinIO's `/data{1...4}` stands for several
    whole = folder.partition("{")[0]
    return PurePosixPath(folder).is_relative_to(place) or (whole != folder and place.startswith(whole))


DATA_OPTION = re.compile(r"(?:^|\s)(?:-D\s+|--pgdata[= ]|--dir\s+)[\"']?(?P<path>/[^\s\"']+)")
SERVES = re.compile(r"\b(?:postgres|redis-server|valkey-server|keydb-server)\b")
STORES = re.compile(r"\bserver\s(?P<rest>.*)")


def data_folders(service: Mapping[str, Any]) -> list[str]:
    """Where a store's own settings or command say that its data lie: PGDATA, `-D`, Redis' `--dir`, the folders that MinIO serves."""
    environment = environment_of(service)
    words = " ".join(words_of(service))
    found = [environment["PGDATA"]] if environment.get("PGDATA") else []
    if SERVES.search(words):
        found += [match["path"] for match in DATA_OPTION.finditer(words)]
    if "MINIO_ROOT_USER" in environment and (serves := STORES.search(words)):
        found += [word for word in serves["rest"].split() if word.startswith("/")]
    return found


def _runs(service: Mapping[str, Part], file: str) -> bool:
    """Whether a command is to run this very file: it is the definition's own script then, not the image's."""
    words = (part.text for key in ("entrypoint", "command") if key in service for part in scalars(service[key]))
    return PurePosixPath(file).suffix != "" and any(file in word for word in words)


def _mount(part: Part, long: Mapping[str, Part]) -> tuple[str, str]:
    """Source and target of a mount; the source is empty where the host has no part in it."""
    if long:
        source, target = (literal(_located(long[key].text)) if key in long else "" for key in ("source", "target"))
        kind = long["type"].text if "type" in long else "volume"
        is_named = not source.startswith(("/", ".", "~"))
        return (source if kind == "bind" or (kind == "volume" and is_named) else "", target)
    words = [literal(_located(word)) for word in re.split(r":(?![^{]*\})", part.text)]
    return (words[0], words[1]) if len(words) > 1 else ("", "")


def _located(text: str) -> str:
    return re.sub(r"\$(?:PWD\b|\{PWD[^}]*\})", ".", text)


def _device(volume: str, given: Given) -> str:
    """The folder of the host that a named volume is, if it is one."""
    named = given.top["volumes"].map.get(volume) if "volumes" in given.top else None
    options = named.map["driver_opts"].map if named and "driver_opts" in named.map else {}
    if "device" not in options or "o" not in options or "bind" not in options["o"].text:
        return ""
    return literal(_located(options["device"].text))


def is_source(source: str, target: str) -> bool:
    """Whether a mount lays code of the host over code of the image; data, settings and certificates may come from outside."""
    if not source.startswith(("/", ".", "~")):
        return False
    path = PurePosixPath(target)
    if path.suffix in CODE_FILE:
        return not re.search(r"(?:conf|config|settings)\.\w+$|-initdb\.d/", target)
    place = CODE_PLACE.match(target)
    if INSTALLED.search(target):
        return True
    if place is None or (re.fullmatch(r"\.[a-z]{2,5}", path.suffix) and path.suffix != ".sh"):
        return False
    below = target[place.end() :].strip("/").split("/")
    names = [PurePosixPath(source).name or ".", *(name for name in below if name)]
    if any(NO_SOURCES.match(name) for name in names):
        return False
    return place[0].rstrip("/") != "/opt" or any(name.lower() in SOURCES for name in names)


def _is_apart(name: str, service: Mapping[str, Part], given: Given) -> bool:
    """Whether a service is none of those whose code is released: a job, or a helper that neither is nor asks MLflow."""
    rendered = given.rendered.get(name, {})
    is_helper = (
        stated_role(rendered) in {None, "other"}
        and "build" not in service
        and not OF_CONTRACT & environment_of(rendered).keys()
    )
    return _is_job(name, given) or (bool(rendered) and is_helper)


def _is_job(name: str, given: Given) -> bool:
    return name in jobs_of(given.config) or JOB_NAME.search(name) is not None


def _scripts(name: str, service: Mapping[str, Part], given: Given) -> Iterator[Told]:
    rows = [service[key] for key in ("entrypoint", "command") if key in service]
    scripts = [(row.text, row.line) for row in rows]
    if len(rows) > 1 and re.search(r"sh(?:\s+-\w+)*\s+-\w*c$", rows[0].text.strip()):
        # the shell stands in one, its script in the other
        scripts = [(f"{rows[0].text} {rows[1].text}", rows[1].line)]
    job = _is_job(name, given)
    for script, line in scripts:
        hidden = shell.swallowed(script, is_job=job)
        if hidden == "job":
            yield (
                "job-swallows-errors",
                ERROR,
                line,
                "the job ends well whatever fails in it",
                "Let it fail: `set -e`, no `|| true`, no closing `exit 0`.",
            )
        if hidden == "step":
            yield (
                "step-swallows-errors",
                WARNING,
                line,
                "a step of the job may fail unseen",
                "Let it fail, or ask first whether it is needed.",
            )
    environment = service["environment"].map if "environment" in service else {}
    settings = [(part.text, part.line) for part in environment.values()]
    opened = [line for text, line in (*scripts, *settings) if shell.is_public(text)]
    opened += [part.line for key, part in environment.items() if OPEN_BUCKET.search(f"{key}={literal(part.text)}")]
    for line in sorted(set(opened)):
        yield (
            "bucket-public",
            ERROR,
            line,
            "the bucket is made readable by anyone",
            "Leave the bucket private; callers have keys.",
        )


def _health(name: str, service: Mapping[str, Part], given: Given) -> Iterator[Told]:
    check = service["healthcheck"].map if "healthcheck" in service else {}
    off = check.get("disable")
    is_off = off is not None and off.text.lower() == "true"
    if "test" in check:
        words, off = check["test"].text, off if is_off else check["test"]
        why = shell.cannot_fail(words)
        is_off = is_off or words.strip().upper() == "NONE"
        if why and not is_off:
            yield (
                "health-check-cannot-fail",
                ERROR,
                check["test"].line,
                f"the health check cannot fail: {why}",
                "Let the check's exit status be that of the question it asks.",
            )
    interval = check.get("interval")
    if interval is not None and seconds(literal(interval.text)) >= SLOW and "start_interval" not in check:
        summary = f"health is looked at every {literal(interval.text)} only: a start is mostly waiting"
        yield (
            "slow-health-interval",
            WARNING,
            interval.line,
            summary,
            "Set a short `start_interval`, or a shorter `interval`.",
        )
    if is_off and off is not None and not _is_job(name, given):
        yield (
            "health-check-off",
            WARNING,
            off.line,
            "the health check is switched off",
            "Give the service a health check.",
        )


def seconds(text: str) -> float:
    """A duration as Compose writes it (`1m30s`), in seconds; 0 where it is none."""
    match = DURATION.match(text)
    if match is None:
        return 0.0
    return (
        float(match["h"] or 0) * 3600
        + float(match["m"] or 0) * 60
        + float(match["s"] or 0)
        + float(match["ms"] or 0) / 1000
    )


def _image(name: str, service: Mapping[str, Part], given: Given) -> Iterator[Told]:
    del name, given
    if "image" not in service:
        return
    image = literal(service["image"].text)
    if not image or "@sha256:" in image:
        return
    tag = image.rsplit("/", maxsplit=1)[-1].partition(":")[2]
    if tag in FLOATS:
        yield (
            "image-not-pinned",
            WARNING,
            service["image"].line,
            f"the image {image} is whatever was pushed last",
            "Name an exact tag or, better, a digest.",
        )


def _ports(name: str, service: Mapping[str, Part], given: Given) -> Iterator[Told]:
    del name, given
    for part in service["ports"].items if "ports" in service else ():
        long = part.map if isinstance(part.node, yaml.MappingNode) else {}
        address = literal(long["host_ip"].text) if "host_ip" in long else ""
        words = re.split(r":(?![^{]*\})", part.text.replace("[::]", "0.0.0.0"))  # noqa: S104 - as declared
        short = literal(words[0]) if not long and len(words) > 2 else ""
        if (address or short) in {"", "0.0.0.0", "[::]", "::"}:  # noqa: S104 - as declared
            port = part.text if not long else long["target"].text if "target" in long else "?"
            yield (
                "port-open-to-all",
                WARNING,
                part.line,
                f"port {port} is published on every address of the host",
                "Publish it on 127.0.0.1, or not at all.",
            )


def _names(name: str, service: Mapping[str, Part], given: Given) -> Iterator[Told]:
    del name, given
    if "container_name" in service:
        part = service["container_name"]
        yield (
            "container-name",
            WARNING,
            part.line,
            f"the container has the fixed name {part.text}: a second deployment collides",
            "Let Compose name it.",
        )


def _waits(name: str, service: Mapping[str, Part], given: Given) -> Iterator[Told]:
    del name, given
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


LOOKS = (_credentials, _required, _mounts, _data, _scripts, _health, _image, _ports, _names, _waits)


def sorted_findings(found: Iterable[Finding]) -> tuple[Finding, ...]:
    """Errors first, then by file and line."""
    return tuple(sorted(found, key=lambda entry: (entry.severity != ERROR, entry.file, entry.line or 0, entry.id)))
