"""What is wrong with a deployment's definition is found before anything is started, and what is sound is left alone."""

from pathlib import Path
from typing import Any

import pytest

from reports.preflight import ERROR, WARNING, findings_of, literal, read, seconds, sorted_findings
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
    # jobs that end well whatever happens
    ("job-swallows-errors", 3, ("command: sh -c 'mc mb s/b || true'",), ("command: sh -c 'mc mb s/b || true-ish'",)),
    ("job-swallows-errors", 3, ("entrypoint: [sh, -c, 'mc mb s/b; exit 0']",), ("entrypoint: [mc, mb, s/b]",)),
    ("job-swallows-errors", 3, ("command: 'create-all; true'",), ("command: 'create-all && true-up'",)),
    ("job-swallows-errors", 3, ("command: 'set +e; migrate; load'",), ("command: 'set +e; migrate'",)),
    ("job-swallows-errors", 3, ("command: 'make it || exit 0'",), ("command: 'serve it || exit 0'",)),
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
    # health checks that say nothing
    ("health-check-cannot-fail", 4, ("healthcheck:", "  test: ask || true"), ("healthcheck:", "  test: ask || exit 1")),
    ("health-check-cannot-fail", 3, ("healthcheck: {test: [CMD, 'true']}",), ("healthcheck: {test: [CMD, ask]}",)),
    # ports, images, names, waits
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
