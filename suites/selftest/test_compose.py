"""What Compose renders from overlays reaches the containers; what a run rewrites is listed."""

import copy
import shutil
import socket
from pathlib import Path
from typing import Any

import pytest

from fixtures import compose

BASE = """
services:
  api:
    image: registry/api:1
    container_name: api
    environment: {DB_HOST: postgres, DB_PASSWORD: "${DB_PASSWORD:?set it}", EXTERNAL_API_URL: "http://elsewhere"}
    ports: ["8001:8001"]
    healthcheck: {test: [CMD, "true"], interval: 30s}
  postgres:
    image: postgres:16
    volumes: ["data:/var/lib/postgresql/data"]
networks: {default: {name: shared}}
volumes: {data: {name: everybodys}}
"""
VARIABLES = {"DB_PASSWORD": "s3cret-of-this-run"}
needs_compose = pytest.mark.skipif(shutil.which("docker") is None, reason="rendering needs the docker client")


def rendered(folder: Path, overlay: str = "") -> tuple[dict[str, Any], dict[str, Any]]:
    """Base alone, and base with an overlay, as Compose renders them."""
    base, over = folder / "compose.yml", folder / "overlay.yml"
    base.write_text(BASE, encoding="utf-8")
    over.write_text(overlay or "services: {}", encoding="utf-8")
    return compose.render([base], VARIABLES, "p"), compose.render([base, over], VARIABLES, "p")


@needs_compose
@pytest.mark.parametrize(
    ("overlay", "expected"),
    [
        ('services: {api: {environment: {DB_PASSWORD: ""}}}', ""),
        ("services: {api: {environment: {DB_PASSWORD: wrong}}}", "wrong"),
        ("services: {api: {environment: {DB_PASSWORD: }}}", None),
        ("services: {api: {environment: {DB_PASSWORD: !reset x}}}", None),
        ("services: {api: {environment: [DB_PASSWORD]}}", None),
        ("services: {api: {environment: !override {DB_HOST: postgres}}}", None),
    ],
    ids=["empty", "changed", "unset", "reset", "unset in a list", "removed"],
)
def test_an_overlay_changes_or_empties_a_variable(tmp_path: Path, overlay: str, expected: str | None) -> None:
    """This is how deployments are broken on purpose."""
    _, final = rendered(tmp_path, overlay)

    assert final["services"]["api"]["environment"].get("DB_PASSWORD") == expected


@pytest.mark.parametrize(
    ("mode", "asks", "expected"),
    [
        ("service:api", "http://127.0.0.1:5000", "tail"),
        ("service:api", "http://127.0.0.1:5001", ""),
        ("service:api", "http://tail:5000", ""),
        ("none", "http://127.0.0.1:5000", ""),
    ],
)
def test_what_the_registry_asks_on_a_loopback_that_it_shares_is_found(mode: str, asks: str, expected: str) -> None:
    """Nothing can be put between there; any other deployment whose services share a network can be asked."""
    api = {"image": "x:1", "environment": {"MLFLOW_TRACKING_URI": asks}}
    tail = {"image": "x:1", "command": ["mlflow", "server", "--port=5000"], "network_mode": mode}

    assert compose.unpartable({"services": {"api": api, "tail": tail}}, "api") == expected


@needs_compose
def test_a_limit_of_nothing_stays_a_limit(tmp_path: Path) -> None:
    """Compose's own JSON leaves the 0 out, and is then no configuration that Compose takes."""
    _, final = rendered(tmp_path, "services: {api: {ulimits: {core: 0, nofile: 64}}}")

    assert final["services"]["api"]["ulimits"] == {"core": 0, "nofile": 64}


@needs_compose
def test_an_overlay_changes_image_and_command_and_adds_a_service(tmp_path: Path) -> None:
    """Nothing of it is undone by what the harness rewrites."""
    base, final = rendered(tmp_path, "services: {api: {image: other:2, command: [sleep, '1']}, extra: {image: x:1}}")

    config = compose.rewritten(base, final, {"airworthy.run": "r"}).config

    assert config["services"]["api"]["image"] == "other:2"
    assert config["services"]["api"]["command"] == ["sleep", "1"]
    assert config["services"]["extra"]["labels"] == {"airworthy.run": "r"}


@needs_compose
def test_nothing_of_the_callers_shell_reaches_the_deployment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A variable without a value is unset, whatever the shell says."""
    monkeypatch.setenv("DB_PASSWORD", "from the shell")
    monkeypatch.setenv("FROM_SHELL", "1")
    _, final = rendered(tmp_path, "services: {api: {environment: {FROM_SHELL: }}}")

    assert final["services"]["api"]["environment"]["DB_PASSWORD"] == VARIABLES["DB_PASSWORD"]
    assert "FROM_SHELL" not in final["services"]["api"]["environment"]


@needs_compose
def test_names_and_ports_become_the_runs_own_and_are_listed(tmp_path: Path) -> None:
    """Two runs at once on one machine do not meet."""
    base, final = rendered(tmp_path)

    done = compose.rewritten(base, final, {"airworthy.run": "r"})
    port = done.config["services"]["api"]["ports"][0]

    assert port["host_ip"] == "127.0.0.1"
    assert int(port["published"]) in compose.PORTS
    assert "container_name" not in done.config["services"]["api"]
    assert done.config["networks"]["default"]["name"] == "p_default"
    assert done.config["volumes"]["data"]["name"] == "p_data"
    assert {rewrite.where for rewrite in done.rewrites} == {
        "services.api.container_name",
        "services.api.ports",
        "services.api.healthcheck.start_interval",
        "networks.default.name",
        "volumes.data.name",
    }


@needs_compose
def test_a_port_that_the_user_named_is_kept_or_refused(tmp_path: Path) -> None:
    """A named port that is taken is the machine's trouble, said before anything starts."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        held.listen()
        port = held.getsockname()[1]
        base, final = rendered(tmp_path, f'services: {{api: {{ports: !override ["127.0.0.1:{port}:8001"]}}}}')
        with pytest.raises(compose.PortTakenError, match=str(port)):
            compose.rewritten(base, final, {})
    kept = compose.rewritten(base, final, {}).config["services"]["api"]["ports"][0]

    assert kept["published"] == str(port)


@needs_compose
def test_files_that_compose_refuses_are_one_line(tmp_path: Path) -> None:
    """What, and where."""
    with pytest.raises(compose.ComposeError, match=r"overlay\.yml: .*nothing_known"):
        rendered(tmp_path, "services: {api: {nothing_known: 1}}")


@pytest.mark.parametrize(("overlay", "expected"), [(None, "ours"), ("chosen", "chosen"), ("", "")])
def test_outside_addresses_are_the_harnesses_unless_an_overlay_chose(overlay: str | None, expected: str) -> None:
    """No announcement of a test leaves the machine; a broken address stays broken."""
    base = {"services": {"api": {"environment": {"WEBHOOK_URL": "http://prod"}}}}
    chosen = "http://prod" if overlay is None else overlay
    config = {"services": {"api": {"environment": {"WEBHOOK_URL": chosen}}}}

    rewrites = compose.redirected(config, base, "api", {"WEBHOOK_URL": "ours"})

    assert config["services"]["api"]["environment"]["WEBHOOK_URL"] == expected
    assert len(rewrites) == (1 if overlay is None else 0)


def test_what_goes_out_by_a_relay_of_the_deployment_still_does() -> None:
    """A relay that is told of the stand-in stays in the way, and the stand-in joins its network; one that leads elsewhere is gone past."""
    relay = {"environment": {"FORWARD_TO": "http://webhook-sink:8091/"}, "networks": {"dmz": None}}
    sink = {"labels": {"airworthy.harness": "sink"}}
    api = {"environment": {"WEBHOOK_URL": "http://relay:80/x"}, "networks": {"deck": None, "dmz": None}}
    ours = {"WEBHOOK_URL": "http://webhook-sink:8091/"}

    def led(relay: dict[str, Any]) -> tuple[str, list[str]]:
        base = {"services": {"relay": relay, "api": api, "webhook-sink": sink}}
        config = copy.deepcopy(base)
        compose.redirected(config, base, "api", ours)
        compose.join(config, "api")
        return config["services"]["api"]["environment"]["WEBHOOK_URL"], sorted(
            config["services"]["webhook-sink"]["networks"]
        )

    assert led(relay) == ("http://relay:80/x", ["deck", "dmz"])
    assert led({"networks": {"far": None}}) == (ours["WEBHOOK_URL"], ["deck", "dmz"])
    assert led(relay | {"networks": {"far": None}})[1] == ["deck", "dmz", "far"]


def test_required_secrets_are_made_for_each_run(tmp_path: Path) -> None:
    """Also those whose names only the deployment knows."""
    file = tmp_path / "compose.yml"
    file.write_text("x: ${VAULT_PASSWORD:?set it} ${REGION:?set it}", encoding="utf-8")
    first, second = compose.made_variables([file]), compose.made_variables([file])

    assert first["VAULT_PASSWORD"] != second["VAULT_PASSWORD"]
    assert "REGION" not in first
    assert first["API_KEYS"].count(":") == 2 * len(compose.KEYS)


def test_the_stand_ins_join_the_registrys_networks() -> None:
    """Also where a deployment names networks of its own."""
    stand_in = {"labels": {"airworthy.harness": "true"}, "networks": {"default": None}}
    config: dict[str, Any] = {"services": {"api": {"networks": {"back": {"aliases": ["x"]}}}, "sink": stand_in}}

    compose.join(config, "api")

    assert config["services"]["sink"]["networks"] == {"back": None}
    assert config["services"]["api"]["networks"] == {"back": {"aliases": ["x"]}}
