"""Who calls whom is read from a service's own settings, whatever services and settings are named."""

from typing import Any

import pytest

from reports.graph import graph_of
from reports.wiring import (
    Kind,
    Link,
    artifact_root,
    callers_of,
    environment_of,
    is_direct,
    jobs_of,
    links_of,
    options_of,
    service_at,
    settings_of,
    words_of,
)

S3 = {"AWS_ACCESS_KEY_ID": "k", "AWS_SECRET_ACCESS_KEY": "s"}


def links(services: dict[str, Any], caller: str = "caller") -> list[Link]:
    """The links of one of these services."""
    return [link for link in links_of({"services": services}) if link.caller == caller]


def only(environment: dict[str, Any], **given: Any) -> list[Link]:
    """The links of a caller with this environment, beside services with odd names."""
    return links({"caller": {"environment": environment} | given, "elephant": {}, "rabbit": {}, "bucket7": {}})


@pytest.mark.parametrize(
    ("setting", "url", "kind", "host", "port", "target"),
    [
        ("ANY", "postgresql://u:p@elephant/things", Kind.DATABASE, "elephant", 5432, "elephant"),
        ("ANY", "postgresql+psycopg2://u:p@elephant:6000/things", Kind.DATABASE, "elephant", 6000, "elephant"),
        ("ANY", "postgres://u:p@db.example/things", Kind.DATABASE, "db.example", 5432, None),
        ("ANY", "redis://:p@rabbit/0", Kind.QUEUE, "rabbit", 6379, "rabbit"),
        ("ANY", "rediss://rabbit:7000", Kind.QUEUE, "rabbit", 7000, "rabbit"),
        ("ANY", "http://rabbit", Kind.HTTP, "rabbit", 80, "rabbit"),
        ("ANY", "https://api.example/v1?x=y", Kind.HTTP, "api.example", 443, None),
        ("MY_TRACKING_URI", "http://rabbit:5000", Kind.TRACKING, "rabbit", 5000, "rabbit"),
        ("MLFLOW_REGISTRY_URI", "HTTP://rabbit:5000/x", Kind.TRACKING, "rabbit", 5000, "rabbit"),
        ("MY_TRACKING_URI", "postgresql://u:p@elephant/x", Kind.DATABASE, "elephant", 5432, "elephant"),
    ],
)
def test_a_url_in_a_setting_is_a_link(
    setting: str, url: str, kind: Kind, host: str, port: int, target: str | None
) -> None:
    """Kind, host and port come from the URL, the service from its host name; so also on a command line."""
    (link,) = only({setting: url})
    (spoken,) = only({}, command=["serve", f"--{setting.lower().replace('_', '-').replace('-uri', '_uri')}", url])

    for one in (link, spoken):
        assert (one.kind, one.host, one.port, one.target) == (kind, host, port, target)
    assert link.about == (target or f"{host}:{port}")
    assert link.reads["url"] == {"env": setting}
    assert spoken.reads["url"] == {"argv": spoken.setting}


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("NOTE", "no URL at all"),
        ("LISTEN", "http://0.0.0.0:8000"),
        ("LISTEN", "http://:8000"),
        ("BROKER", "amqp://rabbit"),
        ("ROOT", "file:///data"),
        ("HOST", "elephant"),
        ("HOSTNAME", "elephant"),
        ("DB_HOST", ""),
        ("DB_HOST", "::"),
        ("PGHOST", "/var/run/postgresql"),
        ("MLFLOW_HOST", "elephant"),
        ("MY_HOST", "elephant"),
        ("S3_ENDPOINT_URL", "soon"),
        ("AWS_ACCESS_KEY_ID", "k"),
        ("BUCKET", "things"),
    ],
)
def test_what_names_nobody_is_no_link(setting: str, value: str) -> None:
    """An address to listen at, a scheme nobody can ask, a name without a meaning, half a store."""
    assert only({setting: value}) == []


@pytest.mark.parametrize(
    ("environment", "kind", "host", "port", "reads"),
    [
        (
            {"DB_HOST": "elephant", "DB_USER": "u", "DB_PASSWORD": "p", "DB_NAME": "n"},
            Kind.DATABASE,
            "elephant",
            5432,
            {"user": "DB_USER", "password": "DB_PASSWORD", "database": "DB_NAME"},
        ),
        (
            {"DB_HOST": "elephant", "DB_PASSWORD": "", "DATABASE_PASSWORD": "p", "DB_PORT": "6000"},
            Kind.DATABASE,
            "elephant",
            6000,
            {"password": "DATABASE_PASSWORD"},
        ),
        (
            {"DB_HOST": "elephant", "DB_PASSWORD": "", "DATABASE_PASSWORD": ""},
            Kind.DATABASE,
            "elephant",
            5432,
            {"password": "DATABASE_PASSWORD"},
        ),
        (
            {"DB_HOST": "elephant", "DB_PASSWORD": "p", "DATABASE_PASSWORD": "q"},
            Kind.DATABASE,
            "elephant",
            5432,
            {"password": "DATABASE_PASSWORD"},
        ),
        (
            {"PGHOST": "elephant", "PGPORT": "5433", "PGUSER": "u", "PGDATABASE": "n"},
            Kind.DATABASE,
            "elephant",
            5433,
            {"user": "PGUSER", "database": "PGDATABASE"},
        ),
        ({"APP_POSTGRES_ADDR": "elephant:77"}, Kind.DATABASE, "elephant", 77, {}),
        ({"APP_DB_HOST": "elephant", "APP_DB_USER": "u"}, Kind.DATABASE, "elephant", 5432, {"user": "APP_DB_USER"}),
        ({"DB_HOST": "elephant", "DB_PORT": "soon"}, Kind.DATABASE, "elephant", 5432, {}),
        (
            {"REDIS_ADDR": "rabbit:7000", "REDIS_PASS": "p", "REDIS_DB": "3"},
            Kind.QUEUE,
            "rabbit",
            7000,
            {"password": "REDIS_PASS"},
        ),
        ({"BROKER_HOSTNAME": "rabbit"}, Kind.QUEUE, "rabbit", 6379, {}),
    ],
)
def test_a_login_in_parts_is_a_link(
    environment: dict[str, str], kind: Kind, host: str, port: int, reads: dict[str, str]
) -> None:
    """Host, port and the names of the settings of the login; a password's value is nowhere in it."""
    (link,) = only(environment)

    assert (link.kind, link.host, link.port, link.target) == (kind, host, port, host)
    assert {part: ref["env"] for part, ref in link.reads.items()} == reads
    assert "password" not in link.says


@pytest.mark.parametrize(
    ("url", "beside", "password"),
    [
        ("redis://rabbit", {"REDIS_PASSWORD": "p"}, {"env": "REDIS_PASSWORD"}),
        ("postgresql://u@elephant/n", {"POSTGRES_PASSWORD": "p"}, {"env": "POSTGRES_PASSWORD"}),
        ("redis://:p@rabbit", {"REDIS_PASSWORD": "p"}, None),
        ("redis://rabbit", {}, None),
        ("http://rabbit", {"REDIS_PASSWORD": "p"}, None),
    ],
)
def test_a_url_without_a_password_may_have_one_beside_it(
    url: str, beside: dict[str, str], password: dict[str, str] | None
) -> None:
    """Where a client would look for it."""
    (link,) = only({"ADDRESS": url, **beside})

    assert link.reads.get("password") == password


def test_the_parts_of_a_url_that_may_be_read_are_told() -> None:
    """User and database, but not the password, which no link holds."""
    (link,) = only({"ADDRESS": "postgresql://ursula:hidden@elephant/things"})

    assert link.as_json() == {
        "caller": "caller",
        "kind": "database",
        "setting": "ADDRESS",
        "host": "elephant",
        "port": 5432,
        "target": "elephant",
        "settings": [["url", "ADDRESS"]],
        "says": {"user": "ursula", "database": "things", "scheme": "postgresql"},
    }
    assert "hidden" not in repr(link)


ENDPOINT = {"MLFLOW_S3_ENDPOINT_URL": "http://bucket7:9000"}
DIRECT = ["mlflow", "server", "--default-artifact-root=s3://things/", "--no-serve-artifacts"]


@pytest.mark.parametrize(
    ("environment", "given", "expected"),
    [
        (ENDPOINT | S3, {}, ("bucket7", 9000, "bucket7", "", "", "")),
        ({"S3_ENDPOINT_URL": ""}, {}, ("s3.amazonaws.com", 443, None, "", "", "")),
        ({"MINIO_ENDPOINT": "https://bucket7"}, {}, ("bucket7", 443, "bucket7", "", "", "")),
        (ENDPOINT | {"A_BUCKET": "b"}, {}, ("bucket7", 9000, "bucket7", "b", "A_BUCKET", "")),
        (ENDPOINT | {"A_BUCKET": ""}, {}, ("bucket7", 9000, "bucket7", "", "", "")),
        (ENDPOINT | {"PLACE": "s3://b/x"}, {}, ("bucket7", 9000, "bucket7", "b", "PLACE", "")),
        (S3 | {"BUCKET_NAME": "b"}, {}, ("s3.amazonaws.com", 443, None, "b", "BUCKET_NAME", "")),
        (
            {"S3_ENDPOINT_URL": ""} | S3 | {"BUCKET": "b"},
            {},
            ("s3.amazonaws.com", 443, None, "b", "BUCKET", ""),
        ),
        (
            ENDPOINT,
            {"command": DIRECT},
            ("bucket7", 9000, "bucket7", "things", "--default-artifact-root", "caller"),
        ),
        ({}, {"command": DIRECT}, ("s3.amazonaws.com", 443, None, "things", "--default-artifact-root", "caller")),
    ],
)
def test_an_object_store_is_known_by_endpoint_keys_or_artifact_root(
    environment: dict[str, str], given: dict[str, Any], expected: tuple[Any, ...]
) -> None:
    """Without an endpoint a client goes to Amazon."""
    (link,) = only(environment, **given)
    said = (link.says["bucket"], link.says["bucket_setting"], link.says["through"])

    assert link.kind is Kind.STORE
    assert (link.host, link.port, link.target, *said) == expected
    assert ("endpoint" in link.reads) == (link.host == "bucket7")
    assert ("key" in link.reads) == ("AWS_ACCESS_KEY_ID" in environment)


@pytest.mark.parametrize(
    ("server", "bucket"),
    [
        ({"command": DIRECT}, "things"),
        ({"environment": {"MLFLOW_DEFAULT_ARTIFACT_ROOT": "s3://things/x"}}, "things"),
        ({"environment": {"MLFLOW_SERVE_ARTIFACTS": "False", "MLFLOW_ARTIFACTS_DESTINATION": "s3://things"}}, "things"),
        ({"command": "mlflow server --default-artifact-root /data"}, None),
        ({"command": "mlflow server --artifacts-destination s3://things"}, None),
        ({"command": ["mlflow", "server", "--no-serve-artifacts"]}, None),
    ],
)
def test_a_client_of_a_direct_tracking_server_goes_to_its_bucket(server: dict[str, Any], bucket: str | None) -> None:
    """The bucket is the server's setting, and the client reaches it by itself; a proxying server is not in the way."""
    caller = {"environment": {"A_TRACKING_URI": "http://keeper:5000", "B_TRACKING_URI": "http://nobody:1"}}
    found = links({"caller": caller, "keeper": server})
    stores = [link for link in found if link.kind is Kind.STORE]

    assert [link.says["bucket"] for link in stores] == ([bucket] if bucket else [])
    assert [link.says["through"] for link in stores] == (["keeper"] if bucket else [])
    assert [link.target for link in found if link.kind is Kind.TRACKING] == ["keeper", None]


@pytest.mark.parametrize(
    ("service", "direct"),
    [
        ({}, False),
        ({"command": ["--no-serve-artifacts"]}, True),
        ({"environment": {"MLFLOW_SERVE_ARTIFACTS": "0"}}, True),
        ({"environment": {"MLFLOW_SERVE_ARTIFACTS": "true"}}, False),
        ({"command": ["--default-artifact-root", "s3://b"]}, True),
        ({"environment": {"MLFLOW_DEFAULT_ARTIFACT_ROOT": ""}}, False),
    ],
)
def test_a_tracking_server_says_whether_clients_go_to_the_store(service: dict[str, Any], *, direct: bool) -> None:
    """By an option or by its environment."""
    assert is_direct(service) is direct
    assert artifact_root(service)[1] == ("s3://b" if "s3://b" in str(service) else "")


@pytest.mark.parametrize(
    ("service", "words"),
    [
        ({}, []),
        ({"entrypoint": ["a"], "command": "b 'c d'"}, ["a", "b", "c d"]),
        ({"command": None, "entrypoint": None}, []),
        (
            {"command": ["sh", "-c", "serve --to $TO --as ${AS} $$NOBODY"], "environment": {"TO": "x", "AS": "y"}},
            ["sh", "-c", "serve", "--to", "x", "--as", "y", "$$NOBODY"],
        ),
        ({"command": ["sh", "-c", "serve --to 'x"]}, ["sh", "-c", "serve", "--to", "'x"]),
    ],
)
def test_a_command_line_is_read_as_words(service: dict[str, Any], words: list[str]) -> None:
    """Also a shell's script, with its variables put in, also a text that no shell would read."""
    assert words_of(service) == words


def test_options_are_read_in_either_form() -> None:
    """As settings beside the environment's."""
    service = {"command": ["x", "--a=1", "--b", "2", "--c", "--d", "-e", "--", "--f"], "environment": ["G=3", "H"]}

    assert options_of(service) == {"--a": "1", "--b": "2", "--c": "", "--d": "", "--f": ""}
    assert environment_of(service) == {"G": "3", "H": ""}
    assert settings_of(service)["env", "G"] == "3"
    assert settings_of(service)["argv", "--b"] == "2"
    assert environment_of({"environment": {"A": None, "B": 1}}) == {"A": "", "B": "1"}


@pytest.mark.parametrize("host", ["real", "alias", "container", "machine"])
def test_a_service_answers_to_all_of_its_names(host: str) -> None:
    """Its own, its aliases in any network, its container's and its host's."""
    networks = {"default": None, "back": {"aliases": ["other", "alias"]}}
    services: dict[str, dict[str, Any]] = {
        "listed": {"networks": ["back"]},
        "real": {"networks": networks, "container_name": "container", "hostname": "machine"},
    }

    assert service_at(host, services) == "real"
    assert service_at("nobody", services) is None


@pytest.mark.parametrize(
    ("services", "job"),
    [
        ({}, False),
        ({"it": {"labels": {"airworthy.role": "job"}}}, True),
        ({"it": {"labels": {"airworthy.role": "queue"}}}, False),
        ({"it": {"labels": ["airworthy.role=queue"]}}, False),
        ({"it": {}, "x": {"depends_on": {"it": {"condition": "service_completed_successfully"}}}}, True),
        ({"it": {}, "x": {"depends_on": {"it": {"condition": "service_healthy"}}}}, False),
        ({"it": {}, "x": {"depends_on": ["it"]}}, False),
        ({"it": {}, "x": {"depends_on": {"it": None}}}, False),
        ({"it": {"command": ["python", "/seed/seed.py"]}}, True),
        ({"it": {"command": ["python", "/seed/seed.py"], "restart": "on-failure:3"}}, True),
        ({"it": {"command": ["python", "/seed/seed.py"], "restart": "always"}}, False),
        ({"it": {"command": ["python", "/seed/seed.py"], "ports": [{"target": 80}]}}, False),
        ({"it": {"command": ["python", "/seed/seed.py"], "healthcheck": {"test": ["CMD", "true"]}}}, False),
        ({"it": {"command": ["python", "/seed/seed.py"]}, "x": {"depends_on": ["it"]}}, False),
        ({"it": {"command": ["python", "/p.py"]}, "x": {"environment": {"HTTP_PROXY": "http://it:3128"}}}, False),
        ({"it": {"command": ["redis-server", "--save", ""]}}, False),
    ],
)
def test_a_job_is_what_others_wait_for_to_end(services: dict[str, Any], *, job: bool) -> None:
    """Or what its label calls one, or a script of its own that nobody asks, waits for, or starts again."""
    assert ("it" in jobs_of({"services": services})) is job


def test_a_link_is_told_once() -> None:
    """A deployment without services has none."""
    assert links_of({}) == ()
    assert len(only({"A": "http://rabbit"}, command=["--A", "http://rabbit", "--A", "http://rabbit"])) == 2


PODS: dict[str, Any] = {
    "app": {"environment": {"DB_URL": "postgresql://u@127.0.0.1:5432/d", "CACHE_URL": "redis://localhost:6379/0"}},
    "way": {"network_mode": "service:app", "environment": {"LISTEN": "127.0.0.1:5432"}},
    "site": {
        "extra_hosts": ["rows.lan:10.0.0.9", "pg=10.0.0.8"],
        "environment": {"DB_URL": "postgresql://u@rows.lan/d"},
    },
    "pg": {"networks": {"default": {"ipv4_address": "10.0.0.9"}}},
    "old": {"links": ["pg:db", "app"]},
}


@pytest.mark.parametrize(
    ("caller", "host", "port", "target"),
    [
        ("app", "127.0.0.1", 5432, "way"),
        ("app", "localhost", 6379, None),
        ("way", "localhost", 5432, "app"),
        ("site", "127.0.0.1", 5432, None),
        ("site", "rows.lan", 5432, "pg"),
        ("site", "10.0.0.9", 5432, "pg"),
        ("site", "pg", 5432, "pg"),
        ("app", "rows.lan", 5432, None),
        ("old", "db", 5432, "pg"),
        ("app", "db", 5432, None),
    ],
)
def test_a_host_is_found_where_the_caller_stands(caller: str, host: str, port: int, target: str | None) -> None:
    """By whoever shares its network, by its own list of hosts, by a fixed address; a known name stays that service's."""
    assert service_at(host, PODS, caller, port) == target


def test_who_lives_in_anothers_network_rests_on_it() -> None:
    """Compose starts the other first, and without it there is no network."""
    assert graph_of({"services": PODS}).edges["way"] == {"app"}


def test_a_socket_leads_to_who_puts_it_there() -> None:
    """A database's URL may hold a folder in place of a host; who waits for the one that fills it does not."""
    url = "postgresql://ml:[redacted]@/runs?host=/cloudsql/prod&connect_timeout=5"
    mounts = {"sql": "/run/postgresql", "roles": "/run/postgresql", "server": "/cloudsql/prod"}
    services: dict[str, Any] = {
        name: {"volumes": [{"type": "volume", "source": "socket", "target": at}]} for name, at in mounts.items()
    }
    services["roles"]["depends_on"] = {"sql": {"condition": "service_healthy"}}
    services["server"]["environment"] = {"MLFLOW_BACKEND_STORE_URI": url}

    (link,) = links_of({"services": services})

    assert (link.host, link.port, link.target, link.says["database"]) == ("/cloudsql/prod", 5432, "sql", "runs")


def test_options_on_a_line_of_their_own_are_nobodys() -> None:
    """A shell ends a command with its line, unless a backslash goes on with it."""
    cut = {"command": ["sh", "-c", "serve --port 5000\n  --root s3://x/\n"]}
    whole = {"command": ["sh", "-c", "serve --port 5000 \\\n  --root s3://x/\n"]}

    assert (options_of(cut), options_of(whole)) == ({"--port": "5000"}, {"--port": "5000", "--root": "s3://x/"})


def test_who_calls_whom_is_followed_to_its_end() -> None:
    """Directly or through others, in a circle too; none of those that were asked for."""
    pairs = [
        ("api", "mlflow"),
        ("standby", "mlflow"),
        ("door", "api"),
        ("mlflow", "db"),
        ("db", "mlflow"),
        ("api", None),
    ]
    links = [Link(caller, Kind.HTTP, "X", "h", 1, target) for caller, target in pairs]

    assert callers_of(links, {"mlflow", "api"}) == {"standby", "door", "db"}
    assert callers_of(links, {"door"}) == frozenset()
