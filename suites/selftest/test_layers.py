"""The layout is the architecture: imports point one way, and what is banned is not there."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ALLOWED = {
    "suites": {"suites", "fixtures", "reports"},
    "fixtures": {"fixtures", "reports"},
    "reports": {"reports"},
    "faults": {"faults", "fixtures", "reports"},
}
WORLD = {"subprocess", "socket", "requests", "docker", "time", "urllib", "threading", "psutil", "random"}
"""Modules that touch the world; reports/ is pure."""


def sources(layer: str) -> list[Path]:
    """The Python files of a layer, but not what runs in containers."""
    files = sorted((ROOT / layer).rglob("*.py"))
    return [file for file in files if "images" not in file.parts and "out" not in file.relative_to(ROOT).parts]


def imported(file: Path) -> Iterator[str]:
    """The modules that a file imports, by their full names."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module


def seen_by(file: Path) -> set[str]:
    """What a file may import besides: the self-tests judge the campaign too."""
    return {"faults"} if "selftest" in file.parts else set()


@pytest.mark.parametrize("layer", sorted(ALLOWED))
def test_imports_point_one_way(layer: str) -> None:
    """Suites -> fixtures -> reports, and nobody imports what runs in containers."""
    files = sources(layer)
    wrong = [
        f"{file.relative_to(ROOT)} imports {name}"
        for file in files
        for name in imported(file)
        if name.split(".")[0] in {*ALLOWED} - ALLOWED[layer] - seen_by(file) or name.startswith("fixtures.images")
    ]

    assert len(files) > 3
    assert wrong == []


def test_reports_is_pure() -> None:
    """What means something is derived from evidence alone: no clock, no network, no process."""
    wrong = [
        f"{file.name} imports {name}"
        for file in sources("reports")
        for name in imported(file)
        if name.split(".")[0] in WORLD and name != "urllib.parse"
    ]

    assert wrong == []


def test_reports_does_not_look_at_the_clock() -> None:
    """Times are read from evidence; judging tomorrow gives the same bytes."""
    wrong = [
        f"{file.name}:{node.lineno}"
        for file in sources("reports")
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute) and node.attr in {"now", "today", "utcnow"}
    ]

    assert wrong == []


def test_one_module_knows_pytest_and_one_knows_allure() -> None:
    """Renderings and judgements do not depend on who ran the checks."""
    knows = {
        file.name
        for file in sources("reports")
        for name in imported(file)
        if name.split(".")[0] in {"pytest", "allure"}
    }

    assert knows <= {"plugin.py", "allure.py"}


def test_the_environment_is_read_in_fixtures_alone() -> None:
    """No setting reaches checks or judgement except through the target."""
    wrong = [
        str(file.relative_to(ROOT))
        for layer in ("suites", "reports")
        for file in sources(layer)
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute) and node.attr in {"environ", "getenv"}
    ]

    assert wrong == []


@pytest.mark.parametrize("layer", ["fixtures", "reports"])
def test_only_checks_assert(layer: str) -> None:
    """An assert in a probe would accuse the target of the harness's own trouble."""
    wrong = [
        f"{file.relative_to(ROOT)}:{node.lineno}"
        for file in sources(layer)
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.Assert)
    ]

    assert wrong == []


def test_every_suite_is_plain_functions() -> None:
    """No test classes, no autouse fixtures, no skipped sleeps: one check is one function."""
    wrong = [
        f"{file.relative_to(ROOT)}: {node.name}"
        for file in sources("suites")
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.ClassDef) and node.name.startswith("Test")
    ]

    assert wrong == []


def test_the_entry_is_small_and_needs_the_standard_library_alone() -> None:
    """The one file that runs before anything is installed can be read in one sitting."""
    text = (ROOT / "airworthy").read_text(encoding="utf-8")
    modules = {
        node.module if isinstance(node, ast.ImportFrom) else node.names[0].name
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Import | ast.ImportFrom)
    }

    assert len(text.splitlines()) <= 200
    assert modules - {"reports.exits"} <= {"fcntl", "hashlib", "os", "pathlib", "shutil", "subprocess", "sys", "time"}
