"""Credentials in a definition: which settings hold one, and which values everybody knows."""

import re
from collections.abc import Collection, Iterator

WORD = (
    r"(?:\w*passw(?:or)?d|passphrase|pass|pwd|\w*secret|(?:\w+_)?tokens?|credentials?|api_?keys?"
    r"|(?:secret_|private_|signing_|encryption_|fernet_|master_|account_|storage_|auth_)+key|(?:private|access|secret)_?key|dsn_password)"
)
SECRET = re.compile(
    rf"(?i)(?:^|[_.\-]){WORD}"
    r"(?:_(?:base|salt|key|value|old|new|primary|secondary|prod(?:uction)?|staging|live|\d+))?$|^redis(?:cli)?_?auth$|^pgpass(?:word)?$"
)
"""Names of settings whose values are secret: they end in the word for one."""

IDENTITY = re.compile(r"(?i)(?<!secret_)access_key_id$|(?:root|admin|access)_?user(?:name)?$|^(?:minio|s3)_access_key$")
"""Names of settings that say who asks: no secret, but half of a default credential."""

HALF = re.compile(r"(?P<of>(?:\w+_)?)ACCESS_KEY")
"""An access key that has a secret key beside it is the half of the two that says who asks."""

NOT_SECRET = re.compile(
    r"(?i)(?:token_symbol|max_tokens?|min_tokens?|num_tokens?|(?:allow|with|use|send)_credentials)$"
)
DEFAULT_IDENTITIES = frozenset({"minioadmin", "minioadmin123"})
DEFAULTS = frozenset(
    [
        "admin",
        "admin123",
        "admin1234",
        "changeit",
        "default",
        "example",
        "foobared",
        "guest",
        "letmein",
        "minio",
        "minio123",
        "minioadmin",
        "minioadmin123",
        "mlflow",
        "postgres",
        "postgrespw",
        "redis",
        "root",
        "test",
        "test123",
        "toor",
        "user",
        "123456",
        "12345678",
        "123456789",
        "1234567890",
    ]
)
"""Credentials that everybody knows: of images' documentation, of examples, of the seed."""

GUESSED = re.compile(
    r"(?i)(?:[a-z]{1,12}[-_.]?)?(?:passw(?:or)?d|passw0rd|p@ssw0rd|secret|change[-_.]?(?:me|it|this)|dev[-_.]?key|replace[-_.]?me)"
    r"(?:[-_.]?key)?[-_.]?\d{0,4}!?"
)
"""Values that are the word for a secret, with little around it."""

PLACEHOLDER = r"\$.*|<.*>|\{\{.*\}\}|\{[\w.:-]+\}|%\(\w+\)s|__\w+__|@\w+@"
"""What a template has in the place of a secret: somebody's shell, Python's formats, Jinja, sed scripts fill it in."""

PLAIN = re.compile(
    r"(?i)(?:true|false|yes|no|on|off|none|null)|\.{0,2}/[\w./-]+|~/.*|arn:.*|(?:vault|op|ref|sm|gcp|awssm|env)[:+].*"
    rf"|[a-z][a-z0-9+.-]*://[^@]*|{PLACEHOLDER}"
)
"""Values that are no secret themselves: switches, places, references to where a secret is kept."""

BRACED = r"\$\{(?:\$\{[^}]*\}|[^}])*\}"
URL_PASSWORD = re.compile(rf"://(?:{BRACED}|(?!\$\{{)[^\s:/@\"'])*:(?P<password>(?:{BRACED}|[^\s@/\"'])+)@")
ASSIGNED = re.compile(
    rf"(?<![\w-])(?:--?)?(?P<name>[A-Za-z][\w-]*)(?:=|\s+)(?P<quote>[\"']?)(?P<value>(?:{BRACED}|[^\s\"';&|])+)(?P=quote)"
)
REQUIREPASS = re.compile(
    rf"--(?P<name>requirepass|masterauth)[=\s]+[\"']?(?P<value>(?:{BRACED}|[^\s\"';&|])+)"
    rf"|\bredis-cli\s(?:[^|;&]*\s)?-a\s+[\"']?(?P<redis>(?:{BRACED}|[^\s\"';&|])+)"
    rf"|\bmc\s+(?:alias\s+set|config\s+host\s+add)\s+\S+\s+\S+\s+\S+\s+[\"']?(?P<mc>(?:{BRACED}|[^\s\"';&|])+)"
)


def is_secret(name: str) -> bool:
    """Whether a setting of this name holds a secret."""
    return bool(SECRET.search(name)) and not NOT_SECRET.search(name) and not IDENTITY.search(name)


def is_known(value: str) -> bool:
    """Whether everybody would try this value."""
    return value.lower() in DEFAULTS or bool(GUESSED.fullmatch(value))


def kind_of(name: str, value: str, beside: Collection[str] = ()) -> str:
    """What is wrong with a setting's value, `beside` these others: `default-credentials`, `inline-credentials`, or nothing."""
    half = HALF.fullmatch(name.upper())
    if IDENTITY.search(name) or (half and f"{half['of']}SECRET_KEY" in {key.upper() for key in beside}):
        return "default-credentials" if value.lower() in DEFAULT_IDENTITIES else ""
    if not value or not is_secret(name):
        return ""
    if is_known(value):
        return "default-credentials"
    return "" if PLAIN.fullmatch(value) else "inline-credentials"


def in_url(text: str) -> Iterator[str]:
    """The passwords that stand in the URLs of a text."""
    for match in URL_PASSWORD.finditer(text):
        yield match["password"]


def in_command(text: str) -> Iterator[tuple[str, str]]:
    """The secrets that a command line is given: (option or variable, value)."""
    for match in REQUIREPASS.finditer(text):
        given = match["value"] or match["redis"] or match["mc"]
        yield match["name"] or ("redis-cli -a" if match["redis"] else "mc alias set"), given
    place = 0
    while found := ASSIGNED.search(text, place):
        name = found["name"].replace("-", "_")
        place = found.end() if is_secret(name) else found.end("name")
        # a bare word before a value is no option: `create secret of ...`
        if is_secret(name) and (text[found.end("name")] == "=" or text[found.start()] == "-"):
            yield found["name"], found["value"]
