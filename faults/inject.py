"""The injectors: what breaks a deployment, before its start as overlays and volumes, and while it runs as steps."""

import hashlib
import json
import secrets
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from faults.corpus import Fault
from faults.stage import BUCKET, Stage, StageError, held
from fixtures import builds
from fixtures.cleanup import KEEP_LABEL, OWNER_LABEL, RUN_LABEL, owner_of_this_process
from fixtures.containers import docker
from fixtures.run import ROOT

IMAGES = ROOT / "fixtures" / "images"
FOLDER_OF = {"model-registry-api": "api", "mlflow-server": "mlflow", "minio-bucket": "mlflow"}
HOME_OF = {"api": "/app", "mlflow": "/opt/job"}
"""Where a file of an image's folder lies inside the image."""

DATA_OF = {"postgres": "postgres-data", "minio": "minio-data", "redis": "redis-data"}
PLACE_OF = {"postgres": "/var/lib/postgresql/data", "minio": "/data", "redis": "/data"}
PASSWORD = "snapshot" + hashlib.sha256(b"airworthy").hexdigest()[:24]
"""Postgres keeps its password in its data: every stack that starts on the snapshot has this one, which opens nothing else."""

INSTALL = {
    "pip-install": "--mount=type=secret,id=settings,target=/run/host-settings"
    " --mount=type=secret,id=ca,target=/etc/ssl/certs/ca-certificates.crt,mode=0444"
    " if [ -f /run/host-settings ]; then . /run/host-settings; fi;"
    " export SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt PIP_CERT=/etc/ssl/certs/ca-certificates.crt;"
    " /opt/venv/bin/pip install --quiet --no-cache-dir --disable-pip-version-check",
    "apt-install": "--mount=type=secret,id=sources,target=/etc/apt/sources.list,mode=0444"
    " --mount=type=secret,id=apt,target=/etc/apt/apt.conf.d/99host,mode=0444"
    " --mount=type=secret,id=ca,target=/etc/ssl/certs/ca-certificates.crt,mode=0444"
    " apt-get -qq update && DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends",
}
"""Words of an entry's image lines -> what they are to a builder that has this machine's package settings as secrets."""

PROXY = "FROM {base}\nRUN apt-install nginx libnginx-mod-stream && rm -rf /var/lib/apt/lists/* && useradd --system --uid 10003 edge\nUSER edge"
BURN = "import hashlib\nwhile True: hashlib.sha256(b'0' * 1000000)"
PAUSE = 0.05
STEP_LIMIT = 20.0

Say = Callable[[str], None]


@dataclass(frozen=True)
class Scene:
    """What all entries share: the images of the sound deployment by service and by compose's variable, and the snapshot."""

    images: Mapping[str, str]
    variables: Mapping[str, str]
    snapshot: Mapping[str, str] = field(default_factory=dict)
    """Volume of the definition -> the volume that holds an earlier sound run's data."""


@dataclass
class Prepared:
    """One entry ready to be judged: what the gate is given, and what is done to the deployment meanwhile."""

    arguments: list[str] = field(default_factory=list)
    steps: list["Step"] = field(default_factory=list)


@dataclass
class Step:
    """Something done to a running deployment, once an event has been seen (or again and again from then on)."""

    after: str
    act: Callable[[Stage], None]
    repeat: bool = False
    done: int = 0

    def is_due(self, event: Mapping[str, Any]) -> bool:
        """Whether this event is the one that it waits for."""
        if self.after == "start":
            return event["kind"] == "start" and bool(event["response"].get("ok"))
        return event["kind"] == "check" and self.after in event["subject"]


@contextmanager
def prepared(fault: Fault, scene: Scene, work: Path, say: Say) -> Iterator[Prepared]:
    """Make what an entry needs, in `work`, and take it away again; StageError where it cannot be made."""
    made = Prepared()
    if fault.compose:
        made.arguments += ["--compose", str(fault.folder / fault.compose)]
    with ExitStack() as kept:
        maker = _Maker(fault, scene, work, made, kept, say)
        # data lies there before anything else is changed
        for row in sorted(fault.inject, key=lambda row: row["kind"] != "volume"):
            getattr(maker, row["kind"])(row)
        yield made


@dataclass
class _Maker:
    fault: Fault
    scene: Scene
    work: Path
    made: Prepared
    kept: ExitStack
    say: Say
    volumes: dict[str, str] = field(default_factory=dict)

    def _overlay(self, content: Mapping[str, Any]) -> None:
        path = self.work / f"overlay-{len(self.made.arguments)}.json"
        path.write_text(json.dumps(content, indent=1), encoding="utf-8")
        self.made.arguments += ["--overlay", str(path)]

    def overlay(self, row: Mapping[str, Any]) -> None:
        self.made.arguments += ["--overlay", str(self.fault.folder / row["file"])]

    def image(self, row: Mapping[str, Any]) -> None:
        service = row["service"]
        lines = list(row.get("lines", ()))
        folder = self.work / f"image-{service}"
        folder.mkdir(exist_ok=True)
        if "path" in row:
            lines += _patched(row, FOLDER_OF[service], folder)
        image = made_image(service, self.scene.images[service], lines, folder, self.say)
        if "tag" in row:
            image, made = f"{builds.PREFIX}fault/{service}:{row['tag']}", image
            _tagged(made, image)
        if "after" in row:
            # a build meanwhile: the name moves on to another image, and the container stays
            self._step(row, lambda _: _tagged(self.scene.images[service], image))
        self._overlay({"services": {service: {"image": image}}})

    def proxy(self, row: Mapping[str, Any]) -> None:
        name, port = row["service"], row.get("port", 8080)
        folder = self.work / f"image-{name}"
        folder.mkdir(exist_ok=True)
        image = built("nginx", PROXY.format(base=self.scene.variables["PYTHON_IMAGE"]).split("\n"), folder, self.say)
        check = f"import socket; socket.create_connection(('127.0.0.1', {port}), 2)"
        service = {
            "image": image,
            "command": ["nginx", "-c", "/etc/nginx/proxy.conf", "-g", "daemon off;"],
            "volumes": [f"{self.fault.folder / row['conf']}:/etc/nginx/proxy.conf:ro"],
            "expose": [str(port)],
            "init": True,
            "healthcheck": {
                "test": ["CMD", "python3", "-c", check],
                "interval": "5s",
                "start_period": "30s",
                "start_interval": "300ms",
            },
        }
        services: dict[str, Any] = {name: service}
        for caller, settings in row.get("settings", {}).items():
            waits = {name: {"condition": "service_healthy"}}
            services[caller] = {"environment": settings, "depends_on": waits}
        self._overlay({"services": services})

    def volume(self, row: Mapping[str, Any]) -> None:
        if not self.volumes:
            self._volumes()
        if "argv" in row:
            service = row["service"]
            mount = f"{self.volumes[DATA_OF[service]]}:{PLACE_OF[service]}"
            ran = docker(
                "run",
                "--rm",
                "--user",
                "root",
                "--volume",
                mount,
                "--entrypoint",
                row["argv"][0],
                self.scene.images[service],
                *row["argv"][1:],
                timeout=60,
            )
            if not ran.ok:
                raise StageError(f"{row['argv']} on the volume of {service}: {ran.problem}")

    def _volumes(self) -> None:
        if not self.scene.snapshot:
            raise StageError("there is no snapshot of an earlier sound run")
        mark = secrets.token_hex(4)
        for name, source in self.scene.snapshot.items():
            copy = f"airworthy-used-{mark}-{name}"
            self.kept.callback(docker, "volume", "rm", "--force", copy)
            copied(source, copy, self.scene.variables["PYTHON_IMAGE"])
            self.volumes[name] = copy
        self._overlay({"volumes": {name: {"external": True, "name": copy} for name, copy in self.volumes.items()}})
        variables = self.work / "used.env"
        variables.write_text(f"POSTGRES_PASSWORD={PASSWORD}\n", encoding="utf-8")
        self.made.arguments += ["--env-file", str(variables)]

    def sql(self, row: Mapping[str, Any]) -> None:
        statement, database = row["statement"], row.get("database", "mlflow_db")
        if row.get("before_start"):
            if not self.volumes:
                self._volumes()
            script = 'pg_ctl -w -s -o "-c listen_addresses= -c default_transaction_read_only=off" start >/dev/null && psql -U mlflow -d "$1" -X -v ON_ERROR_STOP=1 -c "$2"; s=$?; pg_ctl -w -s -m fast stop >/dev/null; exit $s'
            mount = f"{self.volumes['postgres-data']}:{PLACE_OF['postgres']}"
            words = ["run", "--rm", "-e", f"PGPASSWORD={PASSWORD}", "--volume", mount, "--entrypoint", "bash"]
            ran = docker(*words, self.scene.images["postgres"], "-c", script, "sql", database, statement, timeout=60)
            if not ran.ok:
                raise StageError(f"the statement on the used database: {ran.problem}")
            return

        def act(stage: Stage) -> None:
            ran = stage.sql(statement, database)
            if not ran.ok:
                raise StageError(f"the statement: {ran.problem}")

        self._step(row, act)

    def objects(self, row: Mapping[str, Any]) -> None:
        self._step(row, lambda stage: _on_objects(stage, row))

    def container(self, row: Mapping[str, Any]) -> None:
        self._step(row, lambda stage: _on_container(stage, row))

    def host(self, row: Mapping[str, Any]) -> None:
        if row["action"] == "hold-port":
            self.kept.enter_context(held(int(row["port"])))
        elif row["action"] == "stress":
            for _ in range(int(row.get("workers", 1))):
                burner = subprocess.Popen([sys.executable, "-c", BURN])
                self.kept.callback(burner.wait)
                self.kept.callback(burner.kill)
        else:
            raise StageError(f"host: no action {row['action']!r}; there are hold-port and stress")

    def _step(self, row: Mapping[str, Any], act: Callable[[Stage], None]) -> None:
        self.made.steps.append(Step(row.get("after", "start"), act, repeat=bool(row.get("repeat"))))


def _tagged(image: str, name: str) -> None:
    ran = docker("tag", image, name)
    if not ran.ok:
        raise StageError(f"{image} is not named {name}: {ran.problem}")


def _spelled(line: str) -> str:
    for word, meaning in INSTALL.items():
        line = line.replace(f"RUN {word} ", f"RUN {meaning} ")
    return line


def _patched(row: Mapping[str, Any], image: str, folder: Path) -> list[str]:
    """The image lines that put one changed file into place; StageError where the text is not there exactly once."""
    source = IMAGES / image / row["path"]
    text = source.read_text(encoding="utf-8")
    if text.count(row["old"]) != 1:
        raise StageError(
            f"{row['path']}: the text to change stands there {text.count(row['old'])} times, not once: {row['old'][:60]!r}"
        )
    target = folder / f"patched-{Path(row['path']).name}"
    target.write_text(text.replace(row["old"], row["new"]), encoding="utf-8")
    place = f"{HOME_OF[image]}/{row['path']}"
    lines = [f"COPY {target.name} {place}"]
    return [*lines, f"RUN python -m compileall -q {place}"] if place.endswith(".py") else lines


def made_image(service: str, base: str, lines: Sequence[str], folder: Path, say: Say) -> str:
    """An image that is a service's own with lines on top, its user kept; built once for the same content."""
    user = docker("image", "inspect", "--format", "{{.Config.User}}", base).stdout.strip() or "root"
    return built(service, [f"FROM {base}", "USER root", *lines, f"USER {user}"], folder, say)


def built(name: str, lines: Sequence[str], folder: Path, say: Say) -> str:
    """An image from a Dockerfile's lines and the files of a folder, named by that content."""
    text = "\n".join(map(_spelled, lines)) + "\n"
    digest = hashlib.sha256(text.encode())
    for path in sorted(folder.iterdir()):
        if path.is_file() and path.name != "Dockerfile":
            digest.update(path.name.encode() + path.read_bytes())
    mark = f"fault-{digest.hexdigest()[:12]}"
    tag = f"{builds.PREFIX}{name}:{mark}"
    if docker("image", "inspect", tag).ok:
        return tag
    (folder / "Dockerfile").write_text(text, encoding="utf-8")
    build = {"services": {name: {"build": {"context": str(folder), "dockerfile": "Dockerfile"}}}}
    try:
        return builds.build_declared(build, [name], mark, say)[name]
    except builds.BuildError as error:
        raise StageError(f"the image does not build: {error.last_lines.splitlines()[-1]}") from error


def copied(source: str, target: str, image: str, *, keep: bool = False) -> None:
    """Copy a volume into a new one, which `./airworthy clean` removes, or the next run once this one is dead unless it is to be kept."""
    labels = ["--label", f"{RUN_LABEL}={target}", "--label", f"{OWNER_LABEL}={owner_of_this_process()}"]
    labels += ["--label", f"{KEEP_LABEL}=true"] if keep else []
    docker("volume", "create", *labels, target)
    mounts = ["--volume", f"{source}:/from:ro", "--volume", f"{target}:/to"]
    ran = docker("run", "--rm", *mounts, "--entrypoint", "cp", image, "-a", "/from/.", "/to/", timeout=120)
    if not ran.ok:
        raise StageError(f"volume {source} cannot be copied: {ran.problem}")


def _on_objects(stage: Stage, row: Mapping[str, Any]) -> None:
    store, bucket = stage.store(), row.get("bucket", BUCKET)
    if row["action"] == "public":
        statement = {
            "Effect": "Allow",
            "Principal": {"AWS": ["*"]},
            "Action": ["s3:GetObject"],
            "Resource": [f"arn:aws:s3:::{bucket}/*"],
        }
        store.put_bucket_policy(Bucket=bucket, Policy=json.dumps({"Version": "2012-10-17", "Statement": [statement]}))
        return
    for key in stage.keys(row.get("contains", "."), bucket):
        if row["action"] == "delete":
            store.delete_object(Bucket=bucket, Key=key)
        elif row["action"] == "truncate":
            body = store.get_object(Bucket=bucket, Key=key)["Body"].read()
            store.put_object(Bucket=bucket, Key=key, Body=body[: len(body) // 2])
        else:
            raise StageError(f"objects: no action {row['action']!r}; there are delete, truncate and public")


def _on_container(stage: Stage, row: Mapping[str, Any]) -> None:
    name, action = stage.container(row["service"]), row["action"]
    if action == "exec":
        ran = docker("exec", "--user", row.get("user", "root"), name, *row["argv"], timeout=STEP_LIMIT)
    elif action == "kill":
        ran = docker("kill", "--signal", row.get("signal", "KILL"), name)
    elif action == "update":
        ran = docker("update", "--memory", row["memory"], "--memory-swap", row["memory"], name)
    elif action == "disconnect":
        networks = (
            [row["network"]] if "network" in row else list(stage.state(row["service"])["NetworkSettings"]["Networks"])
        )
        ran = docker("network", "disconnect", "--force", networks[0], name)
    elif action in {"pause", "stop"}:
        ran = docker(action, name)
    else:
        raise StageError(f"container: no action {action!r}; there are pause, kill, stop, exec, update and disconnect")
    if not ran.ok:
        raise StageError(f"{action} {row['service']}: {ran.problem}")


class Director:
    """Follows a run's journal and does each step when its event is seen; `errors` holds what could not be done."""

    def __init__(self, journal: Path, steps: Sequence[Step]) -> None:
        """Follow this journal."""
        self.journal = journal
        self.steps = list(steps)
        self.errors: list[str] = []
        self.run_id = ""
        self._read = 0
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._follow, daemon=True)

    def _follow(self) -> None:
        due: list[Step] = []
        while not self._ended.wait(PAUSE if self.steps else 0.5):
            for event in self._new():
                due += [step for step in self.steps if step not in due and step.is_due(event)]
            for step in due:
                if step.repeat or not step.done:
                    self._do(step)

    def _new(self) -> list[dict[str, Any]]:
        """The events that came since the last look; a line that is not whole yet is left for the next."""
        if not self.journal.is_file():
            return []
        with self.journal.open("rb") as file:
            file.seek(self._read)
            lines = file.read().split(b"\n")[:-1]
        self._read += sum(len(line) + 1 for line in lines)
        found = [json.loads(line) for line in lines]
        self.run_id = self.run_id or next((event["subject"] for event in found if event["kind"] == "run.started"), "")
        return found

    def _do(self, step: Step) -> None:
        try:
            step.act(Stage(self.run_id))
        except Exception as error:  # noqa: BLE001  whatever a step stumbles over is told as the campaign's own error, once
            if not step.repeat:
                self.errors.append(f"{type(error).__name__}: {error}")
        step.done += 1

    def __enter__(self) -> Self:
        """Begin to follow."""
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop following; the last events have been read."""
        self._ended.set()
        self._thread.join(STEP_LIMIT + 5)
        self._new()
        self.errors += [f"the step after {step.after!r} was never reached" for step in self.steps if not step.done]
