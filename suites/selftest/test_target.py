"""Roles, addresses and settings are read from what docker says, for compose files that nobody here wrote."""

import io
import tarfile
from dataclasses import replace
from typing import Any

import pytest

from fixtures.gate import below, by_name, control_port, copied, doors_of, groups, way_out
from fixtures.target import hosts_in, keys_by_use, read_service, root_of
from reports.wiring import jobs_of


def inspected(
    name: str,
    *,
    command: list[str] | None = None,
    env: dict[str, str] | None = None,
    ports: dict[str, Any] | None = None,
    labels: dict[str, str] | None = None,
) -> dict[str, Any]:
    """What `docker inspect` says of a container, as far as it matters here."""
    return {
        "Id": "0123456789abcdef",
        "Name": f"/project-{name}-1",
        "Image": "sha256:1234",
        "Config": {
            "Env": [f"{key}={value}" for key, value in (env or {}).items()],
            "Cmd": command,
            "Entrypoint": None,
            "ExposedPorts": {port: {} for port in ports or {}},
            "Labels": labels or {},
            "User": "10001",
        },
        "HostConfig": {"CapDrop": ["ALL"], "SecurityOpt": ["no-new-privileges:true"], "Init": True, "Memory": 1024},
        "State": {"Running": True},
        "NetworkSettings": {
            "Ports": ports or {},
            "Networks": {"project_default": {"IPAddress": "172.18.0.9", "Aliases": [name, "0123456789ab"]}},
        },
    }


FOREIGN: dict[str, tuple[dict[str, Any], dict[str, Any], str]] = {
    "db": ({"image": "docker.io/bitnami/postgresql:16"}, {}, "database"),
    "pg": ({"image": "registry/team/data:1"}, {"command": ["postgres", "-c", "fsync=off"]}, "database"),
    "cache": ({"image": "valkey/valkey:8"}, {}, "queue"),
    "broker": ({"image": "mirror/kv@sha256:12"}, {"command": ["sh", "-c", "exec redis-server"]}, "queue"),
    "s3": ({"image": "quay/minio/minio:RELEASE"}, {}, "object-store"),
    "mlflow": ({"image": "team/tracking:3"}, {"command": ["sh", "-c", "mlflow server --host 0.0.0.0"]}, "tracking"),
    "wrapped": (
        {"image": "team/tracking:3"},
        {"command": ["sh", "-c", "export A=postgresql://me:$(cat /run/secrets/p)@db/x; exec mlflow server"]},
        "tracking",
    ),
    "experiments": ({"image": "burakince/mlflow:3.4.0"}, {}, "tracking"),
    "api": (
        {"image": "team/hokusai-mlflow-api:1"},
        {"command": ["uvicorn", "src.api:app"], "env": {"MLFLOW_TRACKING_URI": "http://mlflow:5000"}},
        "registry",
    ),
    "registry": (
        {"image": "team/api:1"},
        {"command": ["python", "-m", "src"], "env": {"MLFLOW_TRACKING_URI": "x"}, "ports": {"8001/tcp": None}},
        "registry",
    ),
    "web": ({"image": "nginx:1.27"}, {"ports": {"80/tcp": None}}, "other"),
    "desk": ({"image": "team/desk:1"}, {"env": {"MLFLOW_TRACKING_URI": "x", "API_KEYS": "a:b:read"}}, "registry"),
    "planes": ({"image": "team/relay:1"}, {"ports": {"5432/tcp": None, "6379/tcp": None}}, "other"),
    "worker": ({"image": "team/api:1"}, {"env": {"MLFLOW_TRACKING_URI": "http://mlflow:5000"}}, "other"),
    "store": ({"image": "team/x:1"}, {"ports": {"9000/tcp": None}}, "object-store"),
    "labelled": ({"image": "postgres:16"}, {"labels": {"airworthy.role": "other"}}, "other"),
}


@pytest.mark.parametrize("name", FOREIGN)
def test_a_role_follows_from_label_program_image_or_port(name: str) -> None:
    """A service's role is found without a label, and a label overrules what is found."""
    config, seen, role = FOREIGN[name]

    assert read_service(name, config, inspected(name, **seen)).role == role


def test_a_service_that_never_started_has_a_role_and_no_address() -> None:
    """What was only defined can be named, has its environment, and answers nowhere."""
    service = read_service("db", {"image": "postgres:16", "environment": {"POSTGRES_USER": "u"}}, {})

    assert (service.role, service.address(), service.running) == ("database", None, False)
    assert service.env == {"POSTGRES_USER": "u"}


def test_what_others_wait_for_to_end_is_a_job() -> None:
    """A service that another waits for to have completed is a job, whatever its image."""
    waits = {"minio-setup": {"condition": "service_completed_successfully"}, "db": {"condition": "service_healthy"}}

    services = {"api": {"depends_on": waits}, "db": {}, "minio-setup": {}}

    assert jobs_of({"services": services}) == {"minio-setup"}


def test_a_published_port_goes_before_the_containers_own_address() -> None:
    """A port answers on 127.0.0.1 where it is published, else on the container's address."""
    ports: dict[str, Any] = {"5000/tcp": [{"HostIp": "0.0.0.0", "HostPort": "5001"}], "9090/tcp": None}  # noqa: S104  as docker tells it
    service = read_service("mlflow", {"image": "mlflow"}, inspected("mlflow", ports=ports))

    assert service.address() == "127.0.0.1:5001"
    assert service.address(9090) == "172.18.0.9:9090"


@pytest.mark.parametrize(
    ("published", "exposed", "asked", "port"),
    [
        ((9000, 9001), (), (9000,), 9000),
        ((9001,), (9000,), (9000,), 9000),
        ((15900,), (9000,), (15900,), 15900),
        ((15901, 15900), (9000,), (15900,), 15900),
        ((15900,), (9000,), (), 15900),
        ((), (9000,), (9999,), 9000),
        ((), (), (), 9000),
        ((), (7,), (), 7),
        ((), (9000, 9900), (9900,), 9900),
        ((), (9000, 9900), (9000, 9900), 9000),
        ((), (), (7000,), 7000),
        ((), (), (7001,), 9000),
    ],
)
def test_a_service_answers_where_its_callers_and_its_ports_agree(
    published: tuple[int, ...], exposed: tuple[int, ...], asked: tuple[int, ...], port: int
) -> None:
    """The usual port of its role, unless what is published, exposed or in its own command, and what callers' settings say, is another."""
    ports: dict[str, Any] = {f"{one}/tcp": [{"HostPort": "1"}] for one in published}
    ports |= {f"{one}/tcp": None for one in exposed}
    definition = {"image": "minio/minio", "command": ["server", "--address", ":7000", "/data"]}
    service = read_service("s3", definition, inspected("s3", ports=ports))

    assert replace(service, asked=frozenset(asked)).port == port


def test_a_definition_may_say_where_a_service_answers() -> None:
    """What it exposes counts beside what its image does, for whoever calls it there; a range is no port."""
    definition = {"image": "redis", "expose": ["7379", "7400-7500", "53/udp", 7380]}
    service = read_service("redis", definition, inspected("redis", ports={"6379/tcp": None}))

    assert service.exposed == (6379, 7379, 7380)
    assert replace(service, asked=frozenset({7379})).port == 7379
    assert service.port == 6379


def test_the_gate_is_reached_by_names_where_settings_hold_addresses() -> None:
    """A service's own address in the registry's settings becomes its name; nothing else of them changes."""
    registry = read_service(
        "api",
        {},
        inspected("api", env={"DB_HOST": "172.18.0.9", "OTHER": "172.18.0.90", "URL": "http://172.18.0.9:1/"}),
    )
    database = read_service("db", {"image": "postgres"}, inspected("db"))

    assert by_name(registry, [registry, database]).env == {
        "DB_HOST": "db",
        "OTHER": "172.18.0.90",
        "URL": "http://db:1/",
    }
    assert by_name(registry, [registry]) == registry


def test_keys_are_found_by_name_and_by_scope() -> None:
    """The key that may do most is the full one; read and write are those that may do nothing else."""
    keys = keys_by_use("alice:aaa:read+write+promote,bob:bbb:read,carol:ccc:write")

    assert (keys["full"], keys["read"], keys["write"]) == ("aaa", "bbb", "ccc")
    assert keys_by_use("") == {}


def test_hosts_are_read_from_urls_and_pairs() -> None:
    """Whoever a service's settings lead to is found with its port, the usual one where none is written."""
    env = {
        "REDIS_URL": "redis://:secret@cache/0",
        "MLFLOW_TRACKING_URI": "http://mlflow:5000",
        "DB_HOST": "db",
        "DB_PORT": "5433",
        "BROKEN": "http://[",
    }

    assert hosts_in(env) == {"cache": {6379}, "mlflow": {5000}, "db": {5433}}


def test_the_bucket_is_the_tracking_servers() -> None:
    """The bucket is read from the server's command, and is the seed's where nothing names one."""
    command = ["mlflow", "server", "--default-artifact-root=s3://models/prod"]
    server = read_service("mlflow", {}, inspected("mlflow", command=command))

    script = 'exec mlflow server --workers 2 --artifacts-destination "s3://$BUCKET/${FOLDER}"'
    told = inspected("mlflow", command=["sh", "-c", script], env={"BUCKET": "things", "FOLDER": "a/b"})

    assert root_of([server]) == ("models", "prod/")
    assert root_of([read_service("mlflow", {}, told)]) == ("things", "a/b/")
    assert root_of([]) == ("mlflow-artifacts", "")


@pytest.mark.parametrize(
    ("scheme", "host", "more", "way"),
    [
        ("http", "partner", {}, [("egress", 3128)]),
        ("https", "partner", {}, [("egress", 3128)]),
        ("https", "partner", {"HTTPS_PROXY": "http://other"}, [("other", 80)]),
        ("http", "db.bank", {}, []),
        ("http", "bank", {}, []),
        ("http", "localhost", {}, []),
        ("redis", "partner", {}, []),
        ("http", "partner", {"HTTP_PROXY": "", "ALL_PROXY": ""}, []),
    ],
)
def test_the_way_out_is_the_proxys_unless_a_host_is_spared(
    scheme: str, host: str, more: dict[str, str], way: list[tuple[str, int]]
) -> None:
    """As curl and Python read the variables: by scheme, and not for what NO_PROXY names or ends with."""
    env = {"HTTP_PROXY": "http://egress:3128", "ALL_PROXY": "http://egress:3128", "NO_PROXY": "localhost,.bank"}

    assert way_out(env | more, scheme, host) == way


def test_what_compose_wrote_into_a_container_is_put_into_its_copy() -> None:
    """Secrets and configurations that are no files of the host; a file of the host is a mount, which a copy has anyhow."""
    config = {
        "secrets": [{"source": "key"}, {"source": "mounted", "target": "/run/secrets/mounted"}],
        "configs": ["plain", {"source": "start", "target": "/etc/start.sh"}],
    }
    state = inspected("api") | {"Mounts": [{"Destination": "/run/secrets/mounted"}]}

    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        one = tarfile.TarInfo("key")
        one.size, one.mode = 3, 0o440
        archive.addfile(one, io.BytesIO(b"abc"))

    assert read_service("api", config, state).written == ["/run/secrets/key", "/plain", "/etc/start.sh"]
    with tarfile.open(fileobj=io.BytesIO(below("/run/secrets/key", packed.getvalue()))) as archive:
        (found,) = archive
        assert (found.name, found.mode, found.size) == ("run/secrets/key", 0o440, 3)


def test_of_several_that_could_be_the_registry_the_likeliest_is_it() -> None:
    """By its label, else by how many of the contract's settings it has."""
    settings = {"MLFLOW_TRACKING_URI": "http://m:5000", "DB_HOST": "db"}
    labelled = read_service("a", {"labels": {"airworthy.role": "registry"}}, inspected("a"))
    rich = read_service("b", {}, inspected("b", env=settings | {"API_KEYS": "x", "REDIS_URL": "redis://r"}))
    poor = read_service("c", {}, inspected("c", env=settings | {"API_KEYS": "x"}))
    worker = read_service("d", {"command": ["python", "-u", "/tools/worker.py"]}, rich.inspect)
    inner = read_service("e", {"ports": [{"target": 8001}]}, rich.inspect)

    found = sorted([poor, worker, rich, inner, labelled], key=lambda service: service.unlikely)

    assert found == [labelled, inner, rich, worker, poor]


def test_what_a_wrapper_exported_counts_as_a_setting() -> None:
    """The program's environment is what it is asked with; the container's stays what the container was given."""
    service = read_service("api", {}, inspected("api", env={"A_FILE": "/a", "B": "1"}), {"A": "x", "B": "2"})

    assert (service.env, service.given) == ({"A_FILE": "/a", "A": "x", "B": "2"}, {"A_FILE": "/a", "B": "1"})


def test_the_gate_bears_every_name_and_shares_ports_out() -> None:
    """Every other service has a door under each of its names; two services on one port get two gates."""
    registry = read_service("api", {}, inspected("api", env={"MLFLOW_TRACKING_URI": "http://mlflow:5000"}))
    others = [
        read_service(name, {"image": image}, inspected(name, ports={port: None}))
        for name, image, port in (
            ("mlflow", "mlflow", "5000/tcp"),
            ("web", "nginx", "8092/tcp"),
            ("second", "nginx", "8092/tcp"),
        )
    ]

    doors = doors_of((registry, *others), registry)
    gates = groups(doors)

    assert [(door.host, door.ports) for door in doors] == [("mlflow", (5000,)), ("web", (8092,)), ("second", (8092,))]
    assert [[door.host for door in gate] for gate in gates] == [["mlflow", "web"], ["second"]]
    assert control_port(gates[0]) == 8093


def test_the_second_registry_is_like_the_first() -> None:
    """A copy has the limits, the user, the image and the command of its original."""
    words = copied(read_service("api", {}, inspected("api", command=["python", "-m", "src"])))

    assert words[-4:] == ["sha256:1234", "python", "-m", "src"]
    assert " ".join(words).startswith(
        "--init --cap-drop ALL --security-opt no-new-privileges:true --memory 1024 --user 10001"
    )
