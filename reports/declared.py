"""Settings as a compose file declares them, with variables in them: addresses are taken apart and changed in place."""

import re
from collections.abc import Callable, Mapping
from typing import Any

VARIABLE = re.compile(r"\$\{[^{}]*\}")
HIDDEN = 0xE000
"""The first of the characters that stand for a variable while an address is taken apart (Unicode's private use)."""

ADDRESS = re.compile(
    r"(?P<scheme>[a-zA-Z][\w+.-]*)://(?:(?P<user>[^\s:@/\"']*)(?::(?P<password>[^\s@\"']*))?@)?"
    r"(?P<host>[^\s:/?#@\"',;]+)(?::(?P<port>\d+|[\ue000-\uf8ff]))?(?:/(?P<database>[^\s?#/\"']*))?"
)
VALUE = r"(?:\"[^\"]*\"|'[^']*'|(?:\$\{[^{}]*\}|\S)+)"
"""An option's value in a script: quoted, or up to the next space that is none of a variable's."""

REDACTED = "[redacted]"

Words = str | list[str]


def _hidden(text: str) -> tuple[str, list[str]]:
    variables: list[str] = []

    def hide(match: re.Match[str]) -> str:
        variables.append(match[0])
        return chr(HIDDEN + len(variables) - 1)

    return VARIABLE.sub(hide, text), variables


def _shown(text: str, variables: list[str]) -> str:
    return "".join(variables[ord(sign) - HIDDEN] if 0 <= ord(sign) - HIDDEN < len(variables) else sign for sign in text)


def part_of(text: str, part: str) -> str:
    """A part of the address in a setting (scheme, user, password, host, port, database) as it is declared; empty where there is none."""
    bare, variables = _hidden(text)
    match = ADDRESS.search(bare)
    return _shown(match[part] or "", variables) if match else ""


def is_address(text: str) -> bool:
    """Whether a setting holds an address with a scheme."""
    return ADDRESS.search(_hidden(text)[0]) is not None


def readdressed(text: str, **parts: str) -> str:
    """The setting with these parts of its address changed; the same text where it holds no address."""
    bare, variables = _hidden(text)
    match = ADDRESS.search(bare)
    if match is None:
        return text
    given = {name: _shown(value or "", variables) for name, value in match.groupdict().items()} | parts
    login = given["user"] + (f":{given['password']}" if given["password"] else "")
    whole = f"{given['scheme']}://{login}{'@' if login else ''}{given['host']}"
    whole += f":{given['port']}" if given["port"] else ""
    has_path = match["database"] is not None or "database" in parts
    whole += f"/{given['database']}" if has_path else ""
    return _shown(bare[: match.start()], variables) + whole + _shown(bare[match.end() :], variables)


def rewritten(definition: Mapping[str, Any], change: Callable[[str], str]) -> dict[str, Any]:
    """The parts of a service's command line that a change of its words alters, each whole."""
    found: dict[str, Any] = {}
    for name in ("entrypoint", "command"):
        before = definition.get(name)
        if isinstance(before, list):
            after: Words = [changed for word in before if (changed := change(str(word))) or not word]
        elif isinstance(before, str):
            after = change(before)
        else:
            continue
        if after != before:
            found[name] = after
    return found


def without_option(definition: Mapping[str, Any], option: str, *, takes_value: bool = False) -> dict[str, Any]:
    """The command line without an option, whether it stands as words of its own or inside of a shell's script."""
    value = rf"(?:=|\s+){VALUE}" if takes_value else r"(?:=\S+)?"
    script = re.compile(rf"\s+{re.escape(option)}{value}(?=\s|$)")
    found: dict[str, Any] = {}
    for name in ("entrypoint", "command"):
        before = definition.get(name)
        if isinstance(before, list):
            after: Words = [
                script.sub("", word) for word in _without_word([str(w) for w in before], option, takes_value)
            ]
        elif isinstance(before, str):
            after = script.sub("", before)
        else:
            continue
        if after != before:
            found[name] = after
    return found


def _without_word(words: list[str], option: str, takes_value: bool) -> list[str]:
    kept: list[str] = []
    skip = False
    for word in words:
        if skip:
            skip = False
            continue
        if word == option:
            skip = takes_value
            continue
        if not word.startswith(f"{option}="):
            kept.append(word)
    return kept


def option_of(definition: Mapping[str, Any], option: str) -> str:
    """The value of an option on a service's command line as it is declared; empty where it is not there."""
    for name in ("entrypoint", "command"):
        given = definition.get(name) or []
        words = [given] if isinstance(given, str) else [str(word) for word in given]
        for word, following in zip(words, [*words, ""][1:], strict=True):
            if word == option:
                return following
            inside = re.search(rf"(?:^|\s){re.escape(option)}(?:=|\s+)({VALUE})", word)
            if inside:
                return inside[1].strip("\"'")
    return ""


def without_secret(value: Any) -> bool:
    """Whether nothing in a JSON value was masked."""
    if isinstance(value, Mapping):
        return all(without_secret(inner) for inner in value.values())
    if isinstance(value, list | tuple):
        return all(without_secret(inner) for inner in value)
    return REDACTED not in str(value)
