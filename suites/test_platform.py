"""The versions that run are the ones that were decided on, whole and as they were built."""

import re
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from fixtures.host import Host
from fixtures.http import Http
from fixtures.journal import Journal
from fixtures.process import FIND_PYTHON, Process
from fixtures.states import told_by_engine
from fixtures.target import Target
from suites.wording import exchange

REQUIRED = ("MLFLOW_TRACKING_URI", "DB_HOST", "DB_NAME", "DB_USER", "REDIS_URL", "EXTERNAL_API_URL")
FOR_THE_STORE = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
COMMIT = re.compile(r"[0-9a-f]{40}")
INSTALLED = "import importlib.metadata as m; print(m.version('mlflow'))"


def expected_version() -> str:
    """Which MLflow version is expected: data of the checklist."""
    checklist = tomllib.loads(Path(__file__).with_name("checklist.toml").read_text(encoding="utf-8"))
    return str(checklist["expected"]["mlflow"])


def version_of(place: str, *, host_of: Callable[[str], Host], tracking: Http, inside: Process, outside: Process) -> str:
    """MLflow's version in one place; the error's words where there is none."""
    if place == "server":
        answer = tracking.get("/version")
        return answer.text.strip() if answer.status == 200 else str(answer)
    if place == "server image":
        ran = host_of("tracking").run("sh", "-c", FIND_PYTHON, INSTALLED)
        return ran.stdout.strip() if ran.ok else str(ran.problem)
    reply = (inside if place == "API image" else outside).call("mlflow_facts")
    return str(reply.error) if reply.error else str(reply.result["version"])


@pytest.mark.verifies("mlflow-version")
@pytest.mark.parametrize("place", ["server", "server image", "API image", "client"])
def test_mlflow_is_the_expected_version(
    *,
    host_of: Callable[[str], Host],
    tracking: Http,
    inside: Process,
    outside: Process,
    target: Target,
    fact: dict[str, Any],
    place: str,
) -> None:
    """MLflow is the expected version: as the server says, as installed in both images, and at the client."""
    expected = expected_version()
    found = version_of(place, host_of=host_of, tracking=tracking, inside=inside, outside=outside)

    if found != expected and found[:1].isdigit():
        service = target.service("registry" if place == "API image" else "tracking").name
        fact.update(semantics="version-wrong", service=service, expected=expected, found=found)
    assert found == expected, exchange(
        "MLflow's version",
        f"the {place}",
        expected=expected,
        got=found,
        do="pin mlflow in both images, and build them anew",
    )


@pytest.mark.verifies("mlflow-version")
def test_every_imported_module_is_in_the_image(inside: Process, target: Target, fact: dict[str, Any]) -> None:
    """Every third-party module that the service's code imports can be imported in the API's image."""
    reply = inside.call("modules_imported_by")
    assert reply.error is None, exchange(
        "which modules the service's code imports",
        "the API's container",
        expected="a list",
        got=str(reply.error),
        do="look whether the service's code is in the image's working directory",
    )
    modules = reply.result["modules"]
    lacking = {name: seen["error"] for name, seen in modules.items() if not seen["imports"] and not seen["optional"]}
    if lacking:
        fact.update(semantics="module-missing", service=target.service("registry").name, module=min(lacking))
    assert not lacking, exchange(
        f"import {', '.join(sorted(modules))}",
        "the API's container",
        expected="all of them",
        got=lacking,
        do="add what is missing to the requirements of the API's image, and build it anew",
    )
    assert modules, exchange(
        "which third-party modules the service's code imports",
        f"{reply.result['package']} in the API's container",
        expected="MLflow at the least",
        got=reply.result,
        do="look whether the service's code is in the image's working directory",
    )


@pytest.mark.verifies("mlflow-version")
def test_the_running_image_is_the_built_one(target: Target, journal: Journal, fact: dict[str, Any]) -> None:
    """Every container runs the image that its definition names now, not an older one of that name."""
    stale = {}
    for service in target.services:
        if not service.image or not service.image_id:
            continue
        ran = told_by_engine(journal, service, "image", "inspect", "--format", "{{.Id}}", service.image)
        if ran.ok and ran.stdout.strip() != service.image_id:
            stale[service.name] = f"runs {service.image_id}, {service.image} is {ran.stdout.strip()}"

    if stale:
        fact.update(semantics="image-stale", service=next(iter(stale)))
    assert not stale, exchange(
        "which image each container runs, and which its definition names",
        "the Docker engine",
        expected="the same",
        got=stale,
        do="recreate the container: docker compose up --force-recreate",
    )


@pytest.mark.verifies("mlflow-version")
def test_the_build_that_answers_is_the_releases(
    api: Http, target: Target, journal: Journal, fact: dict[str, Any]
) -> None:
    """The commit that the service says it was built from is the release's, where both are told."""
    told = journal.events("target")
    release = str((told[-1].response or {}).get("commit") or "") if told else ""
    answer = api.get("/version", key=None)
    built = str(answer.json.get("commit") or "") if isinstance(answer.json, dict) else ""

    both = bool(COMMIT.fullmatch(release) and COMMIT.fullmatch(built))
    if both and built != release:
        fact.update(semantics="image-stale", service=target.service("registry").name)
    assert answer.status is not None, exchange(
        "GET /version", "the API", expected="its build", got=str(answer), do="answer /version"
    )
    assert not both or built == release, exchange(
        "GET /version, and the commit of the release's definition",
        "the API, and git",
        expected=f"commit {release}",
        got=f"commit {built}",
        do="build the release anew and recreate the container (`docker compose up --build --force-recreate`)",
    )


@pytest.mark.verifies("mlflow-version")
def test_required_settings_are_there(target: Target, tracking: Http, fact: dict[str, Any]) -> None:
    """Every setting that the API requires is in its container, and not empty."""
    told = tracking.get("/api/2.0/mlflow/experiments/get", params={"experiment_id": "0"})
    place = str(((told.json or {}).get("experiment") or {}).get("artifact_location")) if told.status == 200 else ""
    settings = target.settings
    wanted = [*REQUIRED, *(FOR_THE_STORE if place.startswith("s3:") else ())]

    lacking = [name for name in wanted if not settings.get(name, "").strip()]
    if not (settings.get("DATABASE_PASSWORD") or settings.get("DB_PASSWORD")):
        lacking.append("DATABASE_PASSWORD")
    if lacking:
        fact.update(semantics="setting-missing", service=target.service("registry").name, setting=lacking[0])
    assert not lacking, exchange(
        "its environment",
        f"the container of {target.service('registry').name}",
        expected=f"{', '.join([*wanted, 'DATABASE_PASSWORD'])}, none of them empty",
        got=f"without {', '.join(lacking)}",
        do="set them in the deployment's definition",
    )
