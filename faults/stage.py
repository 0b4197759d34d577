"""One broken deployment while the gate judges it: where its containers are, and what is really so in them."""

import json
import re
import socket
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from fixtures.cleanup import KINDS, RUN_LABEL
from fixtures.containers import Ran, docker, inspected, log_of

BUCKET = "mlflow-artifacts"
DATABASE = "mlflow_db"


class StageError(Exception):
    """The campaign, not the deployment, cannot do what an entry asks for; one line."""


@dataclass(frozen=True)
class Stage:
    """The compose project of one run of the gate, by the id of that run."""

    run_id: str

    def container(self, service: str) -> str:
        """The name of a service's container."""
        return f"airworthy-{self.run_id}-{service}-1"

    def state(self, service: str) -> Mapping[str, Any]:
        """What the engine says of a service's container; StageError where there is none."""
        found = inspected(self.container(service))
        if not found:
            raise StageError(f"there is no container of {service}")
        return found[0]

    def environment(self, service: str) -> dict[str, str]:
        """The environment of a service's container."""
        return dict(str(entry).partition("=")[::2] for entry in self.state(service)["Config"].get("Env") or ())

    def execute(self, service: str, argv: Sequence[str], user: str | None = None, timeout: float = 20.0) -> Ran:
        """Run a command in a service's container; where it does not run, in a throwaway one like it."""
        state = self.state(service)
        as_user = ["--user", user] if user else []
        if state["State"]["Status"] == "running":
            return docker("exec", *as_user, self.container(service), *argv, timeout=timeout)
        networks = [word for name in state["NetworkSettings"]["Networks"] for word in ("--network", name)]
        listed = "".join(f"{entry}\n" for entry in state["Config"].get("Env") or () if "\n" not in entry)
        words = [
            "run",
            "--rm",
            "-i",
            "--label",
            f"{RUN_LABEL}={self.run_id}",
            "--env-file",
            "/dev/stdin",
            *networks[:2],
        ]
        words += [
            *as_user,
            "--volumes-from",
            self.container(service),
            "--entrypoint",
            argv[0],
            state["Image"],
            *argv[1:],
        ]
        return docker(*words, stdin=listed.encode(), timeout=timeout)

    def sql(self, statement: str, database: str = DATABASE, service: str = "postgres") -> Ran:
        """Run a statement as the database's superuser, inside its container."""
        user = self.environment(service).get("POSTGRES_USER", "postgres")
        words = [
            "env",
            f"PGPASSWORD={self.environment(service).get('POSTGRES_PASSWORD', '')}",
            "PGOPTIONS=-c default_transaction_read_only=off",
        ]
        psql = [
            "psql",
            "-h",
            "127.0.0.1",
            "-U",
            user,
            "-d",
            database,
            "-X",
            "-A",
            "-t",
            "-v",
            "ON_ERROR_STOP=1",
            "-c",
            statement,
        ]
        return self.execute(service, [*words, *psql])

    def store(self) -> Any:
        """An S3 client at the deployment's own object store, as its owner."""
        state, env = self.state("minio"), self.environment("minio")
        ports = (state["NetworkSettings"]["Ports"] or {}).get("9000/tcp") or ()
        if not ports:
            raise StageError("the object store publishes no port")
        config = Config(connect_timeout=3, read_timeout=5, retries={"max_attempts": 1})
        return boto3.client(
            "s3",
            endpoint_url=f"http://127.0.0.1:{ports[0]['HostPort']}",
            aws_access_key_id=env.get("MINIO_ROOT_USER", ""),
            aws_secret_access_key=env.get("MINIO_ROOT_PASSWORD", ""),
            region_name=env.get("MINIO_REGION") or env.get("MINIO_SITE_REGION") or "us-east-1",
            config=config,
        )

    def keys(self, contains: str, bucket: str = BUCKET) -> list[str]:
        """The keys of a bucket in which a regular expression is found."""
        pages = self.store().get_paginator("list_objects_v2").paginate(Bucket=bucket)
        return [row["Key"] for page in pages for row in page.get("Contents") or () if re.search(contains, row["Key"])]


def seen(stage: Stage, proof: Mapping[str, Any]) -> str:
    """What the world shows where a proof looks, as text; never raises for what the deployment does."""
    try:
        return _look(stage, proof)
    except (StageError, BotoCoreError, ClientError, KeyError, TypeError) as error:
        return f"unseen: {type(error).__name__}: {error}"


def _look(stage: Stage, proof: Mapping[str, Any]) -> str:
    if "inspect" in proof:
        value: Any = stage.state(proof["service"])
        for part in str(proof["inspect"]).split("."):
            value = value[int(part)] if isinstance(value, list) else value[part]
        return value if isinstance(value, str) else json.dumps(value)
    if "run" in proof:
        ran = stage.execute(proof["service"], proof["run"], proof.get("user"))
        return f"{ran.stdout}{ran.stderr}exit {ran.rc}"
    if "logs" in proof:
        return log_of(stage.container(proof["service"]))
    if "sql" in proof:
        ran = stage.sql(proof["sql"], proof.get("database", DATABASE))
        return f"{ran.stdout}{ran.stderr}"
    if "objects" in proof:
        return str(len(stage.keys(proof["objects"], proof.get("bucket", BUCKET))))
    with socket.socket() as probe:
        return "free" if probe.connect_ex(("127.0.0.1", int(proof["port"]))) else "held"


def holds(stage: Stage, proof: Mapping[str, Any]) -> tuple[bool, str]:
    """Whether a proof holds now, and what was seen; what cannot be seen proves nothing."""
    text = seen(stage, proof)
    if text.startswith("unseen: "):
        return False, text
    if "matches" in proof and not re.search(proof["matches"], text, re.MULTILINE):
        return False, text
    return not ("lacks" in proof and re.search(proof["lacks"], text, re.MULTILINE)), text


def remove(run_id: str) -> list[str]:
    """Remove everything that carries a run's label; what is still there afterwards (nothing, when the reset is clean)."""
    left: list[str] = []
    for kind, (listing, command) in KINDS.items():
        asked = ["docker", *listing][1:]
        found = docker(*asked, "--filter", f"label={RUN_LABEL}={run_id}").stdout.split()
        if found:
            docker(*command, *dict.fromkeys(found), timeout=60)
            left += [
                f"{kind} {name}" for name in docker(*asked, "--filter", f"label={RUN_LABEL}={run_id}").stdout.split()
            ]
    return left


@contextmanager
def held(port: int) -> Iterator[None]:
    """Hold a TCP port of the loopback meanwhile."""
    with socket.socket() as holder:
        holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            holder.bind(("127.0.0.1", port))
        except OSError as error:
            raise StageError(f"port {port} is held by another: {error}") from error
        holder.listen(8)
        yield
