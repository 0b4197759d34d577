"""`doctor` says what forbids a start: errors first, with place and remedy, and its exit status follows."""

import json
import os
import socket
from pathlib import Path

import psutil
import pytest

from fixtures import commands, machine, preflight
from fixtures import doctor as looking
from fixtures.compose import ComposeError
from reports.doctor import render, status, strictly
from reports.exits import Exit
from reports.machine import HOST, Machine, Published
from reports.preflight import ERROR, WARNING, Finding

SOUND = """
services:
  api:
    image: reg/api:1.2.3
    environment: {DB_PASSWORD: "${DB_PASSWORD:?}"}
    ports: ["127.0.0.1:8001:8001"]
"""


def found(severity: str, file: str = "compose.yml", line: int | None = 3, service: str | None = "api") -> Finding:
    """A finding of this kind."""
    return Finding("an-id", severity, file, line, service, "what is wrong", "What to do.")


@pytest.mark.parametrize(
    ("findings", "exit_status"),
    [
        ([], Exit.READY),
        ([found(WARNING)], Exit.READY),
        ([found(WARNING, HOST)], Exit.READY),
        ([found(ERROR)], Exit.NOT_READY),
        ([found(ERROR, HOST)], Exit.INCONCLUSIVE),
        ([found(ERROR, HOST), found(ERROR)], Exit.NOT_READY),
        ([found(ERROR, HOST), found(WARNING)], Exit.INCONCLUSIVE),
    ],
)
def test_the_exit_status_follows_from_the_errors(findings: list[Finding], exit_status: Exit) -> None:
    """The definition's go before the machine's; warnings forbid nothing."""
    assert status(findings) == exit_status


def test_strictly_the_definitions_warnings_are_errors() -> None:
    """The machine's stay warnings: they are not the release's."""
    assert strictly([found(WARNING), found(WARNING, HOST), found(ERROR)]) == (
        found(ERROR),
        found(WARNING, HOST),
        found(ERROR),
    )


def test_each_finding_is_a_block_errors_first_and_a_line_sums_up() -> None:
    """What is found in several services at one place is told once, with all of them."""
    shared = [found(WARNING), found(WARNING, service="db"), found(WARNING)]
    text = render([*shared, found(ERROR, "z.yml", None, None), found(WARNING, HOST, None, None)], ["disk: much"], "it")

    assert text == (
        "error: z.yml: an-id\n  what is wrong\n  What to do.\n\n"
        "warning: compose.yml:3 (api, db): an-id\n  what is wrong\n  What to do.\n\n"
        "warning: host: an-id\n  what is wrong\n  What to do.\n\n"
        "disk: much\nit: not fit to ship as it is defined: 1 error, 2 warnings\n"
    )


def test_long_words_are_wrapped() -> None:
    """No line is longer than a terminal is wide."""
    one = Finding("an-id", ERROR, HOST, None, None, "what is wrong " * 20, "what to do " * 20)
    lines = render([one], [], "it").splitlines()

    assert max(map(len, lines)) <= 110
    assert lines[-1] == "it: this machine cannot run it: 1 error, 0 warnings"
    assert {line[:2] for line in lines[1:-2]} == {"  "}
    assert render([], [], "it") == "it: nothing forbids a start: 0 errors, 0 warnings\n"


@pytest.fixture
def no_docker(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine without Docker, and without git."""
    monkeypatch.setenv("PATH", "/nowhere")


def written(folder: Path, text: str, name: str = "compose.yml") -> Path:
    """A file of this text."""
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.usefixtures("no_docker")
def test_a_machine_without_an_engine_cannot_run_a_sound_definition(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit status 2; what can be looked at is still looked at."""
    assert commands.main(["doctor", "--compose", str(written(tmp_path, SOUND))]) == Exit.INCONCLUSIVE
    told = capsys.readouterr().out
    assert told.startswith("error: host: engine-missing\n  there is no Docker here\n")
    assert told.endswith("this machine cannot run it: 1 error, 0 warnings\n")


@pytest.mark.usefixtures("no_docker")
def test_a_wrong_definition_is_wrong_on_any_machine(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit status 1, and as JSON the same findings."""
    path = written(tmp_path, SOUND.replace("${DB_PASSWORD:?}", "postgres"))

    assert commands.main(["doctor", "--json", "--compose", str(path)]) == Exit.NOT_READY
    told = json.loads(capsys.readouterr().out)
    assert told["exit"] == 1
    assert [(one["id"], one["file"], one["line"]) for one in told["findings"]] == [
        ("default-credentials", "compose.yml", 5),
        ("engine-missing", "host", None),
    ]


@pytest.mark.usefixtures("no_docker")
def test_warnings_are_errors_when_asked_strictly(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Those of the definition."""
    path = str(written(tmp_path, SOUND.replace("127.0.0.1:", "")))

    assert commands.main(["doctor", "--compose", path]) == Exit.INCONCLUSIVE
    assert commands.main(["doctor", "--strict", "--compose", path]) == Exit.NOT_READY
    assert "error: compose.yml:6 (api): port-open-to-all\n" in capsys.readouterr().out


@pytest.mark.usefixtures("no_docker")
@pytest.mark.parametrize(
    "text",
    [
        "services:\n a: [\n",
        "services: {a: \t}",
        "services:\n a: &a {<<: *a}\n",
        "a: 1\n---\nb: 2\n",
        "\x00",
        "[" * 5000,
    ],
)
def test_what_is_no_definition_is_one_line(tmp_path: Path, capfd: pytest.CaptureFixture[str], text: str) -> None:
    """Exit status 4 and the file's name; never a traceback."""
    path = written(tmp_path, text)

    with pytest.raises(ComposeError) as error:
        looking.look([path], {}, strict=False)
    assert commands.main(["doctor", "--compose", str(path)]) == Exit.USAGE
    assert capfd.readouterr().out == ""
    assert str(error.value).count("\n") == 0
    assert "compose.yml" in str(error.value)


@pytest.mark.usefixtures("no_docker")
def test_files_that_cannot_be_read_are_usage_errors(tmp_path: Path) -> None:
    """No such file, a folder, bytes, an option that is none."""
    broken = tmp_path / "bytes.yml"
    broken.write_bytes(b"\xff\xfe\x00")

    for path in (tmp_path / "none.yml", tmp_path, broken):
        assert commands.main(["doctor", "--compose", str(path)]) == Exit.USAGE
    assert commands.main(["doctor", "--nonsense"]) == Exit.USAGE
    with pytest.raises(ComposeError, match="Is a directory"):
        preflight.text_of(tmp_path)


def test_what_a_definition_draws_in_is_read_too(tmp_path: Path) -> None:
    """Included and extended files, of these only what is taken; files of values; each once, and what is not there is told."""
    (tmp_path / "deep").mkdir()
    path = written(
        tmp_path,
        "include: [deep/more.yml, deep/more.yml, 'https://example.org/x.yml', '${WHERE}/x.yml']\n"
        "services:\n"
        "  api:\n"
        "    extends: {file: common.yml, service: base}\n"
        "    env_file:\n"
        "      - api.env\n"
        "      - {path: maybe.env, required: false}\n"
        "      - gone.env\n"
        "  alone: {extends: {service: api}}\n",
    )
    written(tmp_path, "services:\n  base: {container_name: a}\n  other: {container_name: b}\n", "common.yml")
    written(tmp_path / "deep", "include: [{path: [last.yml]}]\nservices: {more: {container_name: c}}\n", "more.yml")
    written(tmp_path / "deep", "services: {last: {container_name: d}}\n", "last.yml")
    written(tmp_path, "# POSTGRES_PASSWORD=postgres\nA_SECRET=kq8z\nexport DB_PASSWORD='postgres'\n", "api.env")

    told = [(one.id, one.severity, one.file, one.line, one.service) for one in preflight.findings([path], {})]

    assert told == [
        ("default-credentials", ERROR, "api.env", 3, None),
        ("file-missing", ERROR, "compose.yml", 8, None),
        ("container-name", WARNING, "common.yml", 2, "base"),
        ("container-name", WARNING, "deep/more.yml", 2, "more"),
        ("container-name", WARNING, "last.yml", 1, "last"),
    ]


def test_a_variable_is_set_by_the_caller_or_by_the_file_beside(tmp_path: Path) -> None:
    """`.env` is read as Compose reads it; its own known credentials are its owner's, and warned of."""
    path = written(tmp_path, "services: {a: {environment: {A_HOST: '${A_HOST}', B_HOST: '${B_HOST}'}}}\n")
    missing = [one.summary.split()[0] for one in preflight.findings([path], {}, ["X"])]
    written(tmp_path, "export A_HOST=a\nPOSTGRES_PASSWORD=postgres\n", ".env")
    with_file = preflight.findings([path], {}, ["B_HOST"])

    assert missing == ["A_HOST", "B_HOST"]
    assert [(one.id, one.severity, one.file, one.line) for one in with_file] == [
        ("default-credentials", WARNING, ".env", 2)
    ]
    assert {"A_HOST", "PWD", "PATH", "X"} <= preflight.settled([path], ["X"])


def test_required_variables_are_found_in_all_files(tmp_path: Path) -> None:
    """Those with a default, and escaped ones, are not required."""
    files = [
        written(tmp_path, "a: ${A:?x}\nb: ${B:-c}\n", "a.yml"),
        written(tmp_path, "c: ${C?}\nd: $${D:?}\n", "b.yml"),
    ]

    assert looking.required_by(files) == {"A", "C"}


def test_a_runs_findings_of_the_machine_refute_nothing(tmp_path: Path) -> None:
    """They are kept as warnings, whatever they were; the numbers are measured on this machine."""
    seen, findings = looking.before_start(
        [written(tmp_path, SOUND)], {"services": {"a": {"mem_limit": "999t"}}}, "2.26"
    )

    assert seen.compose == "2.26"
    assert seen.builds is False
    assert seen.available
    assert "memory-short" in {one.id for one in findings}
    assert {one.severity for one in looking.harmless([found(ERROR, HOST), found(WARNING, HOST)])} == {WARNING}


@pytest.mark.usefixtures("no_docker")
def test_whoever_listens_here_is_named() -> None:
    """By pid and program; a free port has no holder."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert looking.holder_of(port).endswith(f"(pid {os.getpid()})")
        assert port in {one.port for one in machine.listeners([])}
    assert looking.holder_of(port) == ""


def test_where_the_system_does_not_tell_who_listens_it_is_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only for the ports that are wanted, and without a name."""

    def refuse(_: str) -> None:
        raise psutil.AccessDenied

    monkeypatch.setattr(psutil, "net_connections", refuse)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        wanted = [Published("a", "", taken.getsockname()[1]), Published("a", "", 1, "udp")]
        assert [(one.port, one.pid) for one in machine.listeners(wanted)] == [(wanted[0].port, None)]


@pytest.mark.usefixtures("no_docker")
def test_a_machine_is_measured_without_docker_and_without_git(tmp_path: Path) -> None:
    """What cannot be asked is None, and is said to lack."""
    seen = machine.measure([written(tmp_path, SOUND)])

    assert isinstance(seen, Machine)
    assert (seen.engine, seen.compose, seen.free, seen.engine_clock) == (None, None, None, None)
    assert seen.lacking == "there is no Docker here"
    assert list(seen.dated) == ["the newest compose file"]
    assert seen.machine_clock is not None
    assert abs(seen.machine_clock - seen.dated["the newest compose file"]) < 60
