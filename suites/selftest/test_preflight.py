"""What is wrong with a deployment's definition is found before anything is started, and what is sound is left alone."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from reports.preflight import (
    ERROR,
    WARNING,
    DefinitionError,
    Finding,
    Reference,
    env_findings,
    findings_of,
    literal,
    missing_file,
    read,
    references,
    replaced_by,
    seconds,
    sorted_findings,
)
from reports.shell import cannot_fail

ROOT = Path(__file__).resolve().parents[2]
NO_CONFIG: dict[str, Any] = {}


def definition(*rows: str, service: str = "thing") -> str:
    """A compose file of one service; the first of its rows is line 3."""
    return "\n".join(["services:", f"  {service}:", *(f"    {row}" for row in rows), ""])


def told(text: str, config: dict[str, Any] | None = None) -> list[tuple[str, str, int | None, str | None]]:
    """What is found in a compose file: id, severity, line, service."""
    found = findings_of("compose.yml", text, config or NO_CONFIG)
    return [(one.id, one.severity, one.line, one.service) for one in found]


def environment(row: str) -> tuple[str, str]:
    """An environment of one row, which is line 4."""
    return "environment:", f"  {row}"


DEFECTS = [
    # credentials that everybody knows
    ("default-credentials", 4, environment("POSTGRES_PASSWORD: postgres"), environment("POSTGRES_PASSWORD: ${PW:?}")),
    ("default-credentials", 4, environment("DB_PASSWORD: ${PW:-Password}"), environment("DB_PASSWORD: ${PW:-}")),
    ("default-credentials", 4, environment("- MINIO_ROOT_USER=minioadmin"), environment("- MINIO_ROOT_USER=$KEY")),
    (
        "default-credentials",
        4,
        environment("U: postgresql://u:mlflow@db/x"),
        environment("U: postgresql://u:${P:?}@db"),
    ),
    ("default-credentials", 4, environment("U: redis://:${P:-redis}@q"), environment("U: redis://${N:-me}:${P:?no}@q")),
    ("default-credentials", 3, ("command: run --to postgresql://u:guest@db",), ("command: run --to http://db:80/a@b",)),
    # credentials that stand in the file
    ("inline-credentials", 4, environment("API_KEY: kq8z"), environment("API_KEY_FILE: /run/secrets/key")),
    ("inline-credentials", 4, environment("JWT_SECRET: kq8z"), environment("JWT_SECRET: ${A:-${B:?neither A nor B}}")),
    ("inline-credentials", 4, environment("A_TOKEN: a$$b"), environment("A_TOKEN_URL: http://idp/token")),
    ("inline-credentials", 4, environment("U: redis://:kq8z@queue"), environment("U: redis://${NAME:-me}@queue")),
    ("inline-credentials", 4, environment("JWT_SECRET: kq8z"), environment("JWT_SECRET: '${A:?}/+Zk=='")),
    ("inline-credentials", 4, environment("U: redis://:kq8z@queue"), environment("U: redis://:${A:?}%40@queue")),
    ("inline-credentials", 3, ("build: {args: {PIP_TOKEN: kq8z}}",), ("build: {args: {PIP_TOKEN: '${T:?}'}}",)),
    ("inline-credentials", 3, ("command: serve --requirepass kq8z",), ("command: serve --requirepass $$PW",)),
    (
        "inline-credentials",
        4,
        environment("U: 'redis://:{{kq8z@queue'"),
        environment("U: 'redis://:{QUEUE_PASSWORD}@queue'"),
    ),
    ("inline-credentials", 4, environment("U: redis://:__kq8z@queue"), environment("U: redis://:__PASSWORD__@queue")),
    ("inline-credentials", 3, ("entrypoint: [run, redis://:kq8z@q]",), ("entrypoint: [run, redis://:$$PW@q]",)),
    (
        "default-credentials",
        3,
        ("healthcheck: {test: redis-cli -a redis ping}",),
        ("healthcheck: {test: 'redis-cli -a $$PW ping'}",),
    ),
    # code of the host over code of the image
    ("source-mounted", 3, ("volumes: ['./src:/app/src:ro']",), ("volumes: ['data:/app/src']",)),
    ("source-mounted", 3, ("volumes: ['${PWD}/x:/usr/src']",), ("volumes: ['${PWD}/x:/etc/thing']",)),
    ("source-mounted", 3, ("volumes: ['${PWD:-.}/x:/code']",), ("volumes: ['/anonymous']",)),
    ("source-mounted", 4, ("volumes:", "- ./a.py:/etc/a.py"), ("volumes:", "- ./a.toml:/etc/a.toml")),
    (
        "source-mounted",
        4,
        ("volumes:", "- {type: bind, source: ./x, target: /srv/x}"),
        ("volumes:", "- {type: volume, source: ./x, target: /srv/x}"),
    ),
    ("source-mounted", 3, ("volumes: [{type: bind, source: ~/x, target: /code}]",), ("volumes: [{type: bind}]",)),
    ("source-mounted", 3, ("volumes: ['${SRC:-./src}:/app/src']",), ("volumes: ['${SRC:-src}:/app/src']",)),
    ("source-mounted", 3, ("volumes: ['.:/app']",), ("volumes: ['./config.yaml:/app/config.yaml']",)),
    (
        "source-mounted",
        3,
        ("volumes: ['/x:/usr/local/lib/python3/site-packages/y']",),
        ("volumes: ['./models:/app/x']",),
    ),
    ("source-mounted", 3, ("volumes: ['./run.sh:/app/run.sh']",), ("volumes: ['./run.sh:/run.sh']",)),
    ("source-mounted", 3, ("volumes: ['./src:/opt/thing']",), ("volumes: ['./thing:/opt/thing']",)),
    ("source-mounted", 3, ("volumes: ['./x:/opt/app']",), ("volumes: ['./x:/optional/app']",)),
    ("source-mounted", 3, ("volumes: ['./x.js:/x.js']",), ("volumes: ['./x.js:/docker-entrypoint-initdb.d/x.js']",)),
    ("source-mounted", 3, ("volumes: ['./x:/home/me/app']",), ("volumes: ['./x:/home/me/.cache']",)),
    ("source-mounted", 3, ("volumes: ['./x:/app/v1.2']",), ("volumes: ['./x.py:/etc/gunicorn.conf.py']",)),
    (
        "source-mounted",
        3,
        ("volumes: [{type: bind, source: '$PWD/x', target: /code}]",),
        ("volumes: [{type: tmpfs, source: ./x, target: /code}]",),
    ),
    # jobs that end well whatever happens
    ("job-swallows-errors", 3, ("command: sh -c 'mc mb s/b || true'",), ("command: sh -c 'mc mb s/b || true-ish'",)),
    ("job-swallows-errors", 3, ("entrypoint: [sh, -c, 'mc mb s/b; exit 0']",), ("entrypoint: [mc, mb, s/b]",)),
    ("job-swallows-errors", 3, ("command: 'create-all; true'",), ("command: 'create-all && true-up'",)),
    ("job-swallows-errors", 3, ("command: 'set +e; migrate; load'",), ("command: 'set +e; migrate'",)),
    ("job-swallows-errors", 3, ("command: 'make it || exit 0'",), ("command: 'serve it || exit 0'",)),
    (
        "job-swallows-errors",
        4,
        ("entrypoint: [sh, -c]", "command: ['mc mb s/b; echo done']"),
        ("entrypoint: [sh, -ec]", "command: ['mc mb s/b; echo done']"),
    ),
    ("step-swallows-errors", 3, ("command: 'createdb x || true; migrate'",), ("command: 'createdb x; migrate'",)),
    # a bucket for everybody
    ("bucket-public", 3, ("command: mc anonymous set download s/b",), ("command: mc anonymous set none s/b",)),
    ("bucket-public", 3, ("command: mc policy set public s/b",), ("command: mc policy set private s/b",)),
    ("bucket-public", 3, ("command: aws s3api --acl public-read",), ("command: aws s3api --acl private",)),
    (
        "bucket-public",
        3,
        ("""command: ['{"Principal": {"AWS": ["*"]}}']""",),
        ("""command: ['{"Principal": "me"}']""",),
    ),
    ("bucket-public", 4, environment("MINIO_DEFAULT_BUCKETS: 'a,b:public'"), environment("DEFAULT_BUCKETS: 'a,b'")),
    ("bucket-public", 4, environment("DEFAULT_BUCKET: 'b:download'"), environment("BUCKET_URL: 's3:public'")),
    (
        "bucket-public",
        4,
        environment("""POLICY: '{"Effect": "Allow", "Principal": "*"}'"""),
        environment("""POLICY: '{"Effect": "Deny", "Principal": "*"}'"""),
    ),
    # health checks that say nothing
    ("health-check-cannot-fail", 4, ("healthcheck:", "  test: ask || true"), ("healthcheck:", "  test: ask || exit 1")),
    ("health-check-cannot-fail", 3, ("healthcheck: {test: [CMD, 'true']}",), ("healthcheck: {test: [CMD, ask]}",)),
    ("health-check-off", 3, ("healthcheck: {test: [NONE]}",), ("healthcheck: {test: [CMD, ask]}",)),
    ("health-check-off", 3, ("healthcheck: {test: [CMD, 'true'], disable: true}",), ("healthcheck: {}",)),
    # ports, images, names, waits
    ("image-not-pinned", 3, ("image: a/thing:stable",), ("image: a/thing:stable-1.2",)),
    ("port-open-to-all", 3, ("ports: ['${B:-0.0.0.0}:80:80']",), ("ports: ['${B:-127.0.0.1}:80:80']",)),
    ("port-open-to-all", 3, ("ports: [{host_ip: '${B:-0.0.0.0}'}]",), ("ports: [{host_ip: '${B:-::1}'}]",)),
    ("slow-health-interval", 3, ("healthcheck: {interval: '${I:-20s}'}",), ("healthcheck: {interval: '${I:-19s}'}",)),
    (
        "inline-credentials",
        4,
        ("environment:", "  COLD_ACCESS_KEY: archivist7"),
        ("environment:", "  COLD_ACCESS_KEY: archivist7", "  COLD_SECRET_KEY: ${COLD:?}"),
    ),
    ("image-not-pinned", 3, ("image: host:5000/thing",), ("image: host:5000/thing:1.2",)),
    ("image-not-pinned", 3, ("image: thing:${TAG:-latest}",), ("image: thing:${TAG:-7.4}",)),
    ("image-not-pinned", 3, ("image: thing",), ("image: thing@sha256:0123",)),
    ("image-not-pinned", 3, ("image: thing:latest",), ("image: thing:latest", "build: .")),
    ("image-not-pinned", 3, ("image: a/b",), ("image: ${IMAGE}",)),
    ("port-open-to-all", 3, ("ports: ['80:80']",), ("ports: ['127.0.0.1:80:80']",)),
    ("port-open-to-all", 3, ("ports: ['${P:-80}:80']",), ("ports: ['127.0.0.1:${P:-80}:80']",)),
    ("port-open-to-all", 3, ("ports: ['0.0.0.0:80:80']",), ("ports: ['[::1]:80:80']",)),
    ("port-open-to-all", 3, ("ports: ['[::]:80:80']",), ("ports: []",)),
    ("port-open-to-all", 4, ("ports:", "- {target: 80}"), ("ports:", "- {target: 80, host_ip: 127.0.0.1}")),
    ("port-open-to-all", 4, ("ports:", "- {target: 80, host_ip: '::'}"), ("expose:", "- 80")),
    ("container-name", 3, ("container_name: api",), ("hostname: api",)),
    ("slow-health-interval", 3, ("healthcheck: {interval: 30s}",), ("healthcheck: {interval: 5s}",)),
    (
        "slow-health-interval",
        4,
        ("healthcheck:", "  interval: 1m"),
        ("healthcheck:", "  interval: 1m", "  start_interval: 1s"),
    ),
    ("health-check-off", 3, ("healthcheck: {disable: true}",), ("healthcheck: {disable: false}",)),
    ("dependency-without-condition", 3, ("depends_on: [db]",), ("depends_on: {db: {condition: service_healthy}}",)),
    (
        "dependency-without-condition",
        4,
        ("depends_on:", "  db: {condition: service_started}"),
        ("depends_on:", "  db: {condition: service_completed_successfully}"),
    ),
    ("dependency-without-condition", 4, ("depends_on:", "  db: {}"), ("depends_on: []",)),
]
WARNINGS = {
    "image-not-pinned",
    "port-open-to-all",
    "container-name",
    "slow-health-interval",
    "health-check-off",
    "step-swallows-errors",
    "dependency-without-condition",
}


@pytest.mark.parametrize(("identifier", "line", "bad", "sound"), DEFECTS)
def test_a_defect_is_found_where_it_stands_and_its_sound_neighbour_is_not(
    identifier: str, line: int, bad: tuple[str, ...], sound: tuple[str, ...]
) -> None:
    """The defect gives its one finding, with line and service; the sound text gives none at all."""
    severity = WARNING if identifier in WARNINGS else ERROR

    assert told(definition(*bad)) == [(identifier, severity, line, "thing")]
    assert told(definition(*sound)) == []


@pytest.mark.parametrize("kind", ["network", "volume"])
def test_what_two_deployments_would_share_is_found(kind: str) -> None:
    """A fixed name of a network or a volume, which belongs to no service."""
    found = told(f"services: {{}}\n{kind}s:\n  own:\n  shared:\n    name: everybodys\n")

    assert found == [(f"named-{kind}", WARNING, 5, None)]


@pytest.mark.parametrize("value", ["$NOBODY", "${NOBODY}"])
def test_a_variable_that_nobody_sets_is_found(value: str) -> None:
    """Only where Compose rendered nothing for it."""
    text = definition(*environment(f"LEVEL: {value}"))

    for rendered, found in (("", [("variable-missing", WARNING, 4, "thing")]), ("debug", [])):
        assert told(text, {"services": {"thing": {"environment": {"LEVEL": rendered}}}}) == found
    assert told(text.replace(value, "${NOBODY:-}"), {"services": {"thing": {"environment": {"LEVEL": ""}}}}) == []


@pytest.mark.parametrize(
    ("row", "severity"),
    [
        ("A_HOST: ${NOBODY}", ERROR),
        ("A_HOST: $NOBODY", ERROR),
        ("A_PASSWORD: ${NOBODY}", ERROR),
        ("A_NAME: ${NOBODY}", ERROR),
        ("LEVEL: ${NOBODY}", WARNING),
        ("LEVEL: ${NOBODY:?say}", ERROR),
        ("LEVEL: ${NOBODY?}", ERROR),
        ("LEVEL: ${ALSO_NOBODY:-${NOBODY:?neither}}", ERROR),
        ("LEVEL: a-${NOBODY}", ERROR),
        ("HTTP_PROXY: ${NOBODY}", WARNING),
        ("SERVE: --fast ${EXTRA_NOBODY_ARGS}", WARNING),
        ("A_HOST: ${SOMEBODY}", None),
        ("A_HOST: ${SOMEBODY:-$NOBODY}", None),
        ("A_HOST: ${NOBODY:-here}", None),
        ("A_HOST: ${NOBODY:+there}", None),
        ("A_HOST: $$NOBODY", None),
        ("- A_HOST=${NOBODY}", ERROR),
    ],
)
def test_what_a_missing_variable_weighs_follows_from_what_it_is_for(row: str, severity: str | None) -> None:
    """Required by its own word, a secret, an address, a hole in a value: an error; a switch: a warning; a default: nothing."""
    found = findings_of("compose.yml", definition(*environment(row)), NO_CONFIG, known=["SOMEBODY"])

    assert [(one.id, one.severity, one.line) for one in found] == (
        [("variable-missing", severity, 4)] if severity else []
    )
    assert {"NOBODY" in one.summary for one in found} <= {True}


@pytest.mark.parametrize(
    ("row", "severity"),
    [
        ("image: ${NOBODY}", ERROR),
        ("image: thing:1-${NOBODY}", ERROR),
        ("command: [run, '${NOBODY}', '${NOBODY}']", WARNING),
        ("command: run $DB_PASSWORD", ERROR),
        ("command: run $$DB_PASSWORD", None),
        ("labels: {a: {b: ['${NOBODY:?}']}}", ERROR),
        ("command: run ${SOMEBODY}", None),
    ],
)
def test_missing_variables_are_found_in_all_of_a_service(row: str, severity: str | None) -> None:
    """Whatever part they stand in, once a line."""
    found = findings_of("compose.yml", definition(row), NO_CONFIG, known=["SOMEBODY"])

    assert [(one.id, one.severity, one.line) for one in found] == (
        [("variable-missing", severity, 3)] if severity else []
    )


@pytest.mark.parametrize(
    ("text", "rendered", "is_found"),
    [
        ("${NOBODY}", "", True),
        ("${NOBODY}", "there", False),
        ("http://${NOBODY}:80/$SOMEBODY", "http://:80/x", True),
        ("http://${NOBODY}:80/$SOMEBODY", "http://there:80/x", False),
        ("${NOBODY}.${OTHER:-x}.$$y", ".x.$y", True),
        ("${NOBODY}.${OTHER:-x}.$$y", ".x.$$y", True),
        ("${NOBODY}.${OTHER:-x}.$$y", "z.x.$y", False),
    ],
)
def test_what_a_later_file_sets_is_not_missing(text: str, rendered: str, is_found: bool) -> None:
    """Compose's last word counts: a hole that another file has filled is none."""
    config = {"services": {"thing": {"environment": {"A_HOST": rendered}}}}
    found = findings_of("compose.yml", definition(*environment(f"A_HOST: {text}")), config, known=["SOMEBODY"])

    assert bool(found) == is_found


@pytest.mark.parametrize(
    ("row", "severity"),
    [
        ("- A_HOST", ERROR),
        ("- A_TOKEN", ERROR),
        ("- LEVEL", WARNING),
        ("- SOMEBODY", None),
        ("- SET_ELSEWHERE", None),
        ("- A_HOST=", None),
        ("A_HOST:", ERROR),
        ("A_HOST: ~", ERROR),
        ("A_HOST: ''", None),
    ],
)
def test_a_name_without_a_value_is_the_callers_to_set(row: str, severity: str | None) -> None:
    """Unless another file sets it; in an overlay it takes the setting away, and that is meant."""
    config = {"services": {"thing": {"environment": {"SET_ELSEWHERE": "x"}}}}
    text = definition(*environment(row))
    found = findings_of("compose.yml", text, config, known=["SOMEBODY"])

    assert [(one.id, one.severity, one.line) for one in found] == (
        [("variable-missing", severity, 4)] if severity else []
    )
    assert findings_of("compose.yml", text, config, known=["SOMEBODY"], is_overlay=True) == ()
    assert findings_of("compose.yml", text, NO_CONFIG, known=["SOMEBODY"]) == ()
    assert findings_of("compose.yml", text, config) == ()


@pytest.mark.parametrize(
    ("file", "top", "softened"),
    [
        ("docker-compose.local.yml", "", True),
        ("compose.override.yaml", "", True),
        ("deploy/docker-compose.dev.yml", "", True),
        ("docker-compose.yml", "x-airworthy: {environment: local}\n", True),
        ("docker-compose.yml", "x-airworthy: {environment: production}\n", False),
        ("docker-compose.yml", "x-airworthy: {}\n", False),
        ("docker-compose.prod.yml", "", False),
        ("local.yml", "", False),
    ],
)
def test_credentials_of_a_local_environment_are_warned_of(file: str, top: str, softened: bool) -> None:
    """Named so by custom, or said so; nothing else in it is forgiven."""
    text = top + definition("environment: {A_SECRET: kq8z, B_SECRET: admin}", "volumes: ['.:/app']")
    found = {one.id: one.severity for one in findings_of(file, text, NO_CONFIG)}

    severity = WARNING if softened else ERROR
    assert found == {"inline-credentials": severity, "default-credentials": severity, "source-mounted": ERROR}


def test_a_named_volume_may_be_a_folder_of_the_host() -> None:
    """By its driver's options; other devices and other types are none."""
    for options, found in (
        ("{type: none, o: bind, device: ./src}", True),
        ("{type: none, o: 'rw,bind', device: '$PWD/src'}", True),
        ("{type: nfs, o: addr=x, device: ./src}", False),
        ("{o: bind}", False),
        ("{device: ./src}", False),
    ):
        text = definition("volumes: ['code:/app']") + f"volumes: {{code: {{driver_opts: {options}}}, other: }}\n"
        assert [one[0] for one in told(text)] == ["source-mounted"] * found
    long = "volumes: [{type: volume, source: code, target: /app}, {source: code, target: /app}]"
    text = definition(long) + "volumes: {code: {driver_opts: {o: bind, device: ./src}}}\n"
    assert [one[0] for one in told(text)] == ["source-mounted"]


def test_what_starts_only_when_asked_for_is_not_deployed() -> None:
    """A profile that Compose leaves out is not judged; where Compose was not asked, it is."""
    text = definition("profiles: [debug]", "container_name: x")

    assert told(text, {"services": {"other": {}}}) == []
    assert told(text, {"services": {"thing": {}}}) == told(text) == [("container-name", WARNING, 4, "thing")]


def test_of_an_extended_file_only_what_is_taken_is_judged() -> None:
    """Its other services are nobody's."""
    text = "services:\n  a: {container_name: x}\n  b: {container_name: y}\n"

    assert [one.service for one in findings_of("common.yml", text, NO_CONFIG, only={"b"})] == ["b"]
    assert findings_of("common.yml", text, NO_CONFIG, only=set()) == ()


def test_what_a_later_file_says_anew_is_judged_there_only() -> None:
    """A command that an overlay replaces is not run; other parts of the same service still are as the first file says."""
    text = "services:\n  make-bucket: {command: sh -c 'mc mb a || true', container_name: x}\n"
    overlay = "services:\n  make-bucket: {command: mc mb a}\n  other: {image: x}\n"
    replaced = replaced_by([("overlay.yml", overlay)])

    assert replaced == {"make-bucket": {"command"}, "other": {"image"}}
    assert [one.id for one in findings_of("c.yml", text, NO_CONFIG)] == ["job-swallows-errors", "container-name"]
    assert [one.id for one in findings_of("c.yml", text, NO_CONFIG, replaced=replaced)] == ["container-name"]


def test_the_files_that_a_definition_draws_in_are_known() -> None:
    """In short form and long; an address elsewhere, or a name with a hole, cannot be looked at."""
    rows = [
        "include: [a.yml, {path: b.yml}, {path: [c.yml, 'd-${X:-y}.yml']}, 'https://e/f.yml', 'git@e:f', '${X}.yml']",
        "services:",
        "  a: {env_file: a.env, extends: {file: base.yml, service: base}}",
        "  b: {env_file: [b.env, {path: c.env, required: false}, {path: d.env, required: true}], extends: {service: a}}",
        "  c: {env_file: a.env, extends: a}",
        "  d:",
    ]

    assert references("\n".join(rows)) == (
        Reference("include", "a.yml", 1),
        Reference("include", "b.yml", 1),
        Reference("include", "c.yml", 1),
        Reference("include", "d-y.yml", 1),
        Reference("extends", "base.yml", 3, "base"),
        Reference("env", "a.env", 3),
        Reference("env", "b.env", 4),
        Reference("env", "c.env", 4, is_required=False),
        Reference("env", "d.env", 4),
        Reference("env", "a.env", 5),
    )
    assert references("") == references("services: []") == ()
    assert missing_file("a.yml", 3, "b.env") == Finding(
        "file-missing",
        ERROR,
        "a.yml",
        3,
        None,
        "b.env, which the definition draws in, is not there",
        "Put b.env where the definition says, or take it out.",
    )


def test_a_file_of_values_may_hold_secrets_but_none_that_everybody_knows() -> None:
    """By its name or inside a URL, on its line; a comment says nothing."""
    text = "A_SECRET=kq8z\n\nexport B_SECRET='admin'\nURL=redis://:redis@q\n# C_SECRET=admin\nD_SECRET\nE_SECRET=${X:-test}\n"
    found = env_findings("x.env", text)

    assert [(one.id, one.severity, one.file, one.line, one.service) for one in found] == [
        ("default-credentials", ERROR, "x.env", line, None) for line in (3, 4, 7)
    ]
    assert found[0].summary == "B_SECRET has a default that everybody knows"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("services:\n a: [\n", "x.yml:3: not YAML: expected the node content, but found '<stream end>'"),
        ("a: 1\n---\nb: 2\n", "x.yml:2: not YAML: but found another document"),
        ("a: &a {<<: *a}", "x.yml:1: an anchor holds itself"),
        ("a: &a [b, *a]", "x.yml:1: an anchor holds itself"),
        ("\x00", "x.yml: not YAML: unacceptable character #x0000: special characters are not allowed"),
        ("[" * 5000, "x.yml: nested too deeply to be read"),
    ],
)
def test_what_is_no_yaml_is_one_line(text: str, words: str) -> None:
    """Where it is, and why."""
    with pytest.raises(DefinitionError) as error:
        read(text, "x.yml")

    assert str(error.value) == words


def test_an_anchor_that_is_used_often_is_read() -> None:
    """Twice is no cycle."""
    assert read("a: &a {b: 1}\nc: [*a, *a]\nd: {<<: *a}")["d"].map["b"].text == "1"


SCALARS = st.text(alphabet="ab:$ {}-/.'\"|&;\n", max_size=12)
KEYS = [
    *(
        "image",
        "environment",
        "command",
        "entrypoint",
        "healthcheck",
        "test",
        "volumes",
        "ports",
        "depends_on",
        "build",
    ),
    *("args", "env_file", "extends", "include", "path", "file", "service", "name", "driver_opts", "device", "o", "a"),
]
TREES = st.recursive(
    st.none() | st.booleans() | st.integers() | SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(KEYS),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@settings(deadline=None)
@given(TREES, TREES, TREES)
def test_no_definition_however_odd_stops_the_reading(service: Any, volume: Any, other: Any) -> None:
    """What has the wrong shape has no finding, or one; never an exception."""
    text = yaml.safe_dump({"services": {"thing": service, "other": other}, "volumes": {"a": volume}, "include": other})

    for known in (None, ["a"]):
        assert {one.severity for one in findings_of("x.yml", text, NO_CONFIG, known=known)} <= {ERROR, WARNING}
    assert all(one.path for one in references(text))


@pytest.mark.parametrize(
    "config",
    [
        {"services": {"thing": {"labels": {"airworthy.role": "job"}}}},
        {"services": {"thing": {}, "api": {"depends_on": {"thing": {"condition": "service_completed_successfully"}}}}},
    ],
    ids=["label", "waited for"],
)
def test_what_is_a_job_is_known_from_the_configuration(config: dict[str, Any]) -> None:
    """A job may be without a health check, and must not hide its errors, whatever it is named."""
    assert told(definition("healthcheck: {disable: true}"), config) == []
    assert told(definition("command: load || true"), config) == [("job-swallows-errors", ERROR, 3, "thing")]


def test_an_overlay_may_hold_its_own_credentials() -> None:
    """They are warned of; what everybody knows stays an error."""
    text = definition("environment: {A_SECRET: kq8z, B_SECRET: admin}")
    found = findings_of("overlay.yml", text, NO_CONFIG, is_overlay=True)

    assert {one.id: one.severity for one in found} == {"inline-credentials": WARNING, "default-credentials": ERROR}


@pytest.mark.parametrize("merge", ["*base", "[*other, *base]"])
def test_what_is_merged_in_is_found_where_it_stands(merge: str) -> None:
    """The line is the anchor's; what the service says itself goes first."""
    rows = ["x-other: &other {tty: true}", "x-base: &base", "  container_name: fixed", "  image: thing"]
    text = "\n".join([*rows, "services:", "  thing:", f"    <<: {merge}", "    image: thing:1", ""])

    assert told(text) == [("container-name", WARNING, 3, "thing")]


def test_the_image_that_is_built_here_needs_no_tag_elsewhere() -> None:
    """A second service on the same image is not warned of."""
    text = "services:\n  a: {image: own, build: .}\n  b: {image: own}\n  c: {image: theirs}\n"

    assert told(text) == [("image-not-pinned", WARNING, 4, "c")]


@pytest.mark.parametrize("text", ["", "[]", "x-note: 1", "services:\n  a:\n", "services: {a: {command: [a, [b]]}}"])
def test_an_empty_definition_has_no_findings(text: str) -> None:
    """Nothing in it, nothing found."""
    assert told(text) == []


def test_the_projects_own_definition_is_sound() -> None:
    """No finding of severity error in docker-compose.yml."""
    text = (ROOT / "docker-compose.yml").read_text(encoding="utf-8")

    assert len(read(text)["services"].map) == 6
    assert [row for row in told(text) if row[1] == ERROR] == []


def test_findings_come_errors_first() -> None:
    """Then by file and line; each in the words of the evidence."""
    text = definition("image: thing", "container_name: a", *environment("A_SECRET: admin"))
    found = sorted_findings(findings_of("b.yml", text, NO_CONFIG) + findings_of("a.yml", text, NO_CONFIG))

    assert [(one.severity, one.file, one.line) for one in found] == [
        (ERROR, "a.yml", 6),
        (ERROR, "b.yml", 6),
        (WARNING, "a.yml", 3),
        (WARNING, "a.yml", 4),
        (WARNING, "b.yml", 3),
        (WARNING, "b.yml", 4),
    ]
    assert found[0].as_json() == {
        "id": "default-credentials",
        "severity": ERROR,
        "file": "a.yml",
        "line": 6,
        "service": "thing",
        "summary": "A_SECRET has a default that everybody knows",
        "remedy": "Require A_SECRET (`${NAME:?}`) and make its value for each deployment.",
    }
    assert "admin" not in str(found)


@pytest.mark.parametrize(
    ("command", "why"),
    [
        ("CMD-SHELL ask || true", "a failure is turned"),
        ("CMD-SHELL ask || exit 0", "a failure is turned"),
        ("CMD-SHELL ask || :", "a failure is turned"),
        ("CMD true", "it asks"),
        ("CMD /bin/true", "it asks"),
        ("CMD-SHELL exit 0", "it asks"),
        ("CMD echo fine", "it asks"),
        ("CMD-SHELL ask; true", "its last word"),
        ("CMD curl http://localhost", "curl without --fail"),
        ("CMD /usr/bin/curl -s http://localhost", "curl without --fail"),
        ("CMD curl -sf http://localhost", ""),
        ("CMD curl --fail http://localhost", ""),
        ("CMD-SHELL curl -s http://localhost | grep ok", ""),
        ("CMD-SHELL curl -s -w '%{http_code}' http://localhost", ""),
        ("CMD-SHELL echo PING | nc queue 6379", ""),
        ("CMD-SHELL ask || exit 1", ""),
    ],
)
def test_a_health_check_that_cannot_fail_is_known_by_its_command(command: str, why: str) -> None:
    """And it is said why it cannot."""
    assert cannot_fail(command).startswith(why)
    assert bool(cannot_fail(command)) == bool(why)


@pytest.mark.parametrize(
    ("text", "expected"),
    [("1m30s", 90), ("500ms", 0.5), ("1h", 3600), ("1.5s", 1.5), ("2m5ms", 120.005), ("", 0), ("soon", 0)],
)
def test_a_duration_is_read_as_compose_writes_it(text: str, expected: float) -> None:
    """In seconds; what is none is nothing."""
    assert seconds(text) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain", "plain"),
        ("${A:-x}${B-y}", "xy"),
        ("${A:?needed}${B:+set}$C${D}", ""),
        ("$$A", "$A"),
        ("${A:-${B:-x}}", "x"),
        ("${A:-${B:?needed}}", ""),
    ],
)
def test_a_value_is_what_its_defaults_make_of_it(text: str, expected: str) -> None:
    """Where no variable is given, a default stands in, also a default's default."""
    assert literal(text) == expected


@pytest.mark.parametrize(
    ("service", "command", "found"),
    [
        ("grant-init", "command: ['python', '/opt/grants/grant.py']", []),
        ("grant-init", "command: ['python', '/opt/other.py']", ["source-mounted"]),
        ("api", "command: ['python', '/opt/grants/grant.py']", ["source-mounted"]),
    ],
)
def test_a_jobs_own_script_is_no_source_over_its_image(service: str, command: str, found: list[str]) -> None:
    """What a job is told to run may come with the definition; what a service serves may not."""
    text = definition(command, "volumes: ['./grant.py:/opt/grants/grant.py:ro']", service=service)

    assert [identifier for identifier, *_ in told(text)] == found


VOLUME = {"type": "volume", "source": "v", "target": "/var/lib/data"}


@pytest.mark.parametrize(
    ("rendered", "lost"),
    [
        ({"environment": {"PGDATA": "/var/lib/15/docker"}}, True),
        ({"environment": {"PGDATA": "/var/lib/data/pgdata"}}, False),
        ({"environment": {"PGDATA": "/var/lib/15"}, "tmpfs": ["/var/lib/15:size=1g"]}, False),
        ({"environment": {"PGDATA": "/var/lib/15"}, "volumes": [{**VOLUME, "source": ""}]}, False),
        ({"command": ["postgres", "-D", "/srv/pg"]}, True),
        ({"command": ["sh", "-c", 'exec redis-server --appendonly yes --dir "/srv/q"']}, True),
        ({"command": ["redis-server", "--dir", "/var/lib/data"]}, False),
        ({"command": ["tool", "--dir", "/srv/q"]}, False),
        ({"command": ["server", "/export"], "environment": {"MINIO_ROOT_USER": "u"}}, True),
        ({"command": ["server", "/export"]}, False),
        ({"command": ["server", "/var/lib/data{1...2}"], "environment": {"MINIO_ROOT_USER": "u"}, "volumes": [{**VOLUME, "target": f"/var/lib/data{one}"} for one in (1, 2)]}, False),
        ({"command": ["server", "--address", ":9900", "/var/lib/data"], "environment": {"MINIO_ROOT_USER": "u"}}, False),
    ],
)  # fmt: skip
def test_data_that_lie_beside_their_volume_are_lost(rendered: dict[str, Any], lost: bool) -> None:
    """A store that is told to keep its data where none of its mounts reaches, though it has a volume."""
    text = definition("volumes: ['v:/var/lib/data']", service="x")
    found = told(text, {"services": {"x": {"volumes": [VOLUME], **rendered}}})

    assert [row for row in found if row[0] == "data-beside-volume"] == (
        [("data-beside-volume", "error", 3, "x")] if lost else []
    )


@pytest.mark.parametrize(
    ("rendered", "found"),
    [
        ({"environment": {"ROUTES": "/ml=mlflow:5000"}}, []),
        ({"labels": {"airworthy.role": "other"}}, []),
        ({"labels": {"airworthy.role": "registry"}}, ["source-mounted"]),
        ({"environment": {"MLFLOW_TRACKING_URI": "http://mlflow:5000"}}, ["source-mounted"]),
    ],
)
def test_a_helpers_own_script_is_no_source_over_its_image(rendered: dict[str, Any], found: list[str]) -> None:
    """A router's or an exporter's program may come with the definition, as its configuration does; the registry's may not."""
    text = definition(
        "command: ['python', '/srv/router.py']", "volumes: ['./router.py:/srv/router.py:ro']", service="x"
    )

    assert [identifier for identifier, *_ in told(text, {"services": {"x": rendered}})] == found
